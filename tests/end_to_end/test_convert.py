"""What users rely on: `convert` gives the file that was asked for, from a real model, or one line that says why not."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trained_digits import Digits

import tfcompress
from converters.conversion import Conversion
from converters.errors import CertificateError, CompressionError, ConversionError, DataError, UsageError
from converters.runtimes import litert

CASES = [
    ("int8", None, "tflite"),
    ("int8", "uint8", "tflite"),
    ("int8", "float32", "litert"),
    ("int8", None, "litert"),
    ("int8", "uint8", "litert"),
    ("int16x8", None, "tflite"),
    ("int16x8", "float32", "tflite"),
    ("int16x8", None, "litert"),
    ("float16", None, "tflite"),
    ("dynamic", None, "tflite"),
    ("float32", None, "tflite"),
]


def accuracy(result: Conversion, digits: Digits) -> float:
    (outputs,) = litert.run(result.flatbuffer.data, [digits.data["x_test"]])
    return float(np.mean(np.argmax(outputs.reshape(len(outputs), -1), axis=-1) == digits.data["y_test"]))


@pytest.mark.parametrize(("dtype", "io", "quantizer"), CASES)
def test_every_type_keeps_the_accuracy_and_has_the_io_asked_for(
    digits: Digits, dtype: Any, io: Any, quantizer: Any
) -> None:
    result = tfcompress.convert(digits.model, digits.data["x_train"], dtype=dtype, io=io, quantizer=quantizer)
    expected = io or {"int8": "int8", "int16x8": "int16"}.get(dtype, "float32")
    assert {port.dtype for port in (*result.flatbuffer.inputs, *result.flatbuffer.outputs)} == {expected}
    assert result.flatbuffer.integer_only == (dtype in ("int8", "int16x8") and io != "float32")
    assert accuracy(result, digits) >= digits.accuracy - 0.015
    assert result.certificate.ok


def test_a_dynamic_file_of_small_weights_says_that_it_is_a_float_one(digits: Digits) -> None:
    import keras

    small = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    (note,) = tfcompress.convert(small, dtype="dynamic").notes
    assert note.startswith(
        "nothing of this model was quantized: the converter leaves weights of fewer than 1,024 values"
    )
    assert not any("quantized" in note for note in tfcompress.convert(digits.model, dtype="dynamic").notes)


def test_inputs_outputs_and_operators_carry_keras_names(digits: Digits) -> None:
    flatbuffer = tfcompress.convert(digits.model, digits.data["x_train"]).flatbuffer
    assert [port.name for port in flatbuffer.inputs] == ["image"]
    assert [port.name for port in flatbuffer.outputs] == ["digit"]
    assert [(operator.name, operator.layer) for operator in flatbuffer.operators] == [
        ("CONV_2D", "conv_1"),
        ("DEPTHWISE_CONV_2D", "conv_2"),
        ("CONV_2D", "conv_2"),
        ("MAX_POOL_2D", "pool"),
        ("CONV_2D", "conv_3"),
        ("RESHAPE", "flatten"),
        ("FULLY_CONNECTED", "digit"),
        ("SOFTMAX", "digit"),
    ]


def test_the_same_call_gives_the_same_bytes(digits: Digits) -> None:
    first, second = (tfcompress.convert(digits.model, digits.data["x_train"]).flatbuffer.data for _ in range(2))
    assert first == second


def test_both_quantizers_give_the_same_scales_and_outputs_within_one_step(digits: Digits) -> None:
    made = {q: tfcompress.convert(digits.model, digits.data["x_train"], quantizer=q) for q in ("tflite", "litert")}
    scales = {
        quantizer: {
            tensor.name: (np.round(tensor.scales, 9).tolist(), tensor.zero_points.tolist())
            for tensor in result.flatbuffer.tensors
            if len(tensor.scales) and not tensor.is_constant
        }
        for quantizer, result in made.items()
    }
    assert scales["tflite"] == scales["litert"]
    outputs = [
        litert.run(result.flatbuffer.data, [digits.data["x_test"]], kernels="reference")[0] for result in made.values()
    ]
    assert np.max(np.abs(outputs[0] - outputs[1])) <= 1 / 256 + 1e-6


def test_dense_weights_have_one_scale_where_the_runtime_needs_it(digits: Digits) -> None:
    def scales(dense: Any, quantizer: Any, dtype: Any = "int8") -> int:
        result = tfcompress.convert(digits.model, digits.data["x_train"], dtype=dtype, dense=dense, quantizer=quantizer)
        operator = next(op for op in result.flatbuffer.operators if op.name == "FULLY_CONNECTED")
        return len(result.flatbuffer.tensors[operator.inputs[1]].scales)

    assert scales("per-channel", "tflite") == scales("per-channel", "litert") == 10
    assert scales("per-tensor", "tflite") == scales("per-tensor", "litert") == 1
    assert scales("per-channel", "tflite", "dynamic") == 10
    assert scales("per-tensor", "tflite", "dynamic") == scales(None, "tflite", "dynamic") == 1


def test_one_outlier_widens_minmax_and_not_percentile_or_entropy(digits: Digits) -> None:
    samples = digits.data["x_train"].copy()
    samples[0, 0, 0, 0] = 100.0
    scale = {
        method: float(tfcompress.convert(digits.model, samples, method=method).flatbuffer.inputs[0].scales[0])
        for method in ("minmax", "percentile", "entropy")
    }
    assert scale["minmax"] == pytest.approx(100 / 255)
    assert scale["percentile"] < scale["minmax"] / 10
    assert scale["entropy"] < scale["minmax"] / 4


def test_known_ranges_win_over_measured_ones(digits: Digits) -> None:
    result = tfcompress.convert(digits.model, digits.data["x_train"], ranges={"image": (0.0, 2.55)})
    assert float(result.flatbuffer.inputs[0].scales[0]) == pytest.approx(0.01)


def test_the_callers_model_is_bit_for_bit_the_same() -> None:
    import keras

    inputs = keras.Input((6, 4), name="steps")
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(keras.layers.GRU(5, name="gru")(inputs)))
    weights = [weight.copy() for weight in model.get_weights()]
    attributes = {layer.name: set(vars(layer)) for layer in model.layers}
    unroll = model.get_layer("gru").unroll
    result = tfcompress.convert(model, np.random.default_rng(0).normal(size=(40, 6, 4)).astype(np.float32))
    assert all(np.array_equal(before, after) for before, after in zip(weights, model.get_weights(), strict=True))
    assert {layer.name: set(vars(layer)) for layer in model.layers} == attributes
    assert model.get_layer("gru").unroll == unroll
    assert any("gru was unrolled" in note for note in result.notes)
    assert result.flatbuffer.integer_only


def test_an_operator_without_an_integer_kernel_is_blamed_on_its_layer() -> None:
    import keras

    inputs = keras.Input((4,), name="x")
    model = keras.Model(inputs, keras.ops.sin(keras.layers.Dense(3, name="hidden")(inputs)))
    samples = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    with pytest.raises(CertificateError, match=r"SIN .* layer 'sin'.*float32"):
        tfcompress.convert(model, samples)
    assert tfcompress.convert(model, dtype="float32").flatbuffer.operators[-1].name == "SIN"


def test_an_operator_that_tflite_lacks_is_blamed_on_its_layer() -> None:
    import keras

    inputs = keras.Input((4,), name="x")
    model = keras.Model(inputs, keras.ops.erfinv(keras.layers.Dense(3, name="hidden")(inputs)))
    with pytest.raises(ConversionError, match=r"no operator for tf.Erfinv \(Keras layer 'erfinv'\)"):
        tfcompress.convert(model, dtype="float32")


def test_a_runtime_without_the_kernel_refuses_the_file() -> None:
    import keras

    inputs = keras.Input((4, 4, 1), name="image")
    resized = keras.layers.UpSampling2D(interpolation="bilinear", name="up")(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 1, name="conv")(resized))
    samples = np.random.default_rng(0).normal(size=(40, 4, 4, 1)).astype(np.float32)
    assert tfcompress.convert(model, samples, dtype="int16x8").certificate.ok
    with pytest.raises(CertificateError, match=r"RESIZE_BILINEAR.*'up'.*(?i:tflm)"):
        tfcompress.convert(model, samples, dtype="int16x8", runtime="tflm")


def test_several_inputs_and_outputs_keep_their_names_and_order() -> None:
    import keras

    left, right = keras.Input((4,), name="zulu"), keras.Input((4,), name="alpha")
    total = keras.layers.Add(name="total")([left, right])
    model = keras.Model(
        [left, right], [keras.layers.Dense(2, name="yes")(total), keras.layers.Dense(3, name="no")(left)]
    )
    rng = np.random.default_rng(0)
    samples = {name: rng.normal(size=(40, 4)).astype(np.float32) for name in ("zulu", "alpha")}
    flatbuffer = tfcompress.convert(model, samples).flatbuffer
    assert [port.name for port in flatbuffer.inputs] == ["zulu", "alpha"]
    assert [port.name for port in flatbuffer.outputs] == ["yes", "no"]
    outputs = litert.run(flatbuffer.data, samples)
    expected = model.predict([samples["zulu"], samples["alpha"]], verbose=0)
    for output, reference in zip(outputs, expected, strict=True):
        assert np.max(np.abs(output - reference)) < 0.1


BAD_DATA: list[tuple[str, Any, str]] = [
    ("no data", None, "--calibration"),
    ("empty", np.zeros((0, 8, 8, 1), np.float32), "no samples|0 samples"),
    ("wrong shape", np.zeros((20, 28, 28, 1), np.float32), "28"),
    ("missing channel", np.random.default_rng(0).random((20, 8, 8)).astype(np.float32), "channel"),
    ("NaN", np.full((20, 8, 8, 1), np.nan, np.float32), "NaN"),
    ("constant", np.ones((20, 8, 8, 1), np.float32), "same|constant"),
    ("text", np.array(["a"] * 20), "numbers|dtype|type"),
    ("unknown name", {"picture": np.random.default_rng(0).random((20, 8, 8, 1)).astype(np.float32)}, "image"),
    ("two inputs", [np.zeros((20, 8, 8, 1), np.float32)] * 2, "image|input"),
]


@pytest.mark.parametrize(("data", "message"), [case[1:] for case in BAD_DATA], ids=[case[0] for case in BAD_DATA])
def test_calibration_data_that_cannot_be_meant_is_refused_in_one_line(digits: Digits, data: Any, message: str) -> None:
    with pytest.raises((DataError, UsageError), match=message) as caught:
        tfcompress.convert(digits.model, data)
    assert "\n" not in str(caught.value)


def test_data_on_another_scale_is_refused_and_can_be_insisted_on(digits: Digits) -> None:
    with pytest.raises(DataError, match="scale"):
        tfcompress.convert(digits.model, digits.data["x_train"] / 255)
    result = tfcompress.convert(digits.model, digits.data["x_train"] / 255, allow_unusual_data=True)
    assert any("scale" in note for note in result.notes)


def test_something_that_is_no_model_is_refused() -> None:
    with pytest.raises(CompressionError, match="expected a Keras 3 or tf_keras model"):
        tfcompress.convert(object(), np.zeros((1, 1), np.float32))


def test_sixteen_bit_activations_are_not_clipped_for_eight_bits(digits: Digits) -> None:
    samples = digits.data["x_train"].copy()
    samples[0, 0, 0, 0] = 100.0
    scales = [
        tfcompress.convert(digits.model, samples, dtype="int16x8", method=method).flatbuffer.inputs[0].scales[0]
        for method in ("minmax", "entropy")
    ]
    assert scales[0] == scales[1]


def dense_model() -> Any:
    import keras

    inputs = keras.Input((4,), name="x")
    return keras.Model(inputs, keras.layers.Dense(3, name="out")(inputs))


VECTORS = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)


def test_labels_beside_the_samples_are_not_calibrated_on() -> None:
    with pytest.raises(DataError, match="label"):
        tfcompress.convert(dense_model(), [(row, row * 100) for row in VECTORS])


@pytest.mark.parametrize("quantizer", ["tflite", "litert"])
def test_a_range_for_no_tensor_is_refused_by_both_quantizers(quantizer: Any) -> None:
    with pytest.raises(ConversionError, match="nonsense"):
        tfcompress.convert(dense_model(), VECTORS, ranges={"nonsense": (-5.0, 5.0)}, quantizer=quantizer)


def test_a_range_may_name_an_output_as_the_file_does() -> None:
    result = tfcompress.convert(dense_model(), VECTORS, ranges={"out": (-2.55, 0.0)})
    assert float(result.flatbuffer.outputs[0].scales[0]) == pytest.approx(0.01)


def test_an_endless_generator_is_read_as_far_as_is_of_use() -> None:
    def endless() -> Any:
        for index in itertools.count():
            yield [VECTORS[index % len(VECTORS)]]

    result = tfcompress.convert(dense_model(), endless())
    assert any("left the rest" in note for note in result.notes)


def test_a_mixed_precision_model_is_refused_with_the_policy_named() -> None:
    import keras

    inputs = keras.Input((4,), name="x")
    model = keras.Model(inputs, keras.layers.Dense(3, name="half", dtype="mixed_float16")(inputs))
    with pytest.raises(CompressionError, match="'half' computes in float16.*policy"):
        tfcompress.convert(model, VECTORS)


def test_layers_of_nested_models_are_told_apart() -> None:
    import keras

    inputs = keras.Input((4,), name="x")
    left, right = (keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="fc")], name=n) for n in "ab")
    model = keras.Model(inputs, keras.layers.Add(name="sum")([left(inputs), right(inputs)]))
    flatbuffer = tfcompress.convert(model, dtype="float32").flatbuffer
    assert {operator.layer for operator in flatbuffer.operators} == {"a_fc", "b_fc", "sum"}


def test_an_input_that_nothing_reads_is_named() -> None:
    import keras

    used, unused = keras.Input((4,), name="used"), keras.Input((4,), name="unused")
    model = keras.Model([used, unused], keras.layers.Dense(3, name="out")(used))
    with pytest.raises(CertificateError, match="'unused'.*nothing in the model reads it"):
        tfcompress.convert(model, {"used": VECTORS, "unused": VECTORS})


def test_scale_is_refused_where_it_would_not_be_applied() -> None:
    with pytest.raises(UsageError, match="scale"):
        tfcompress.convert(dense_model(), VECTORS, scale="0..1")


def test_dict_inputs_and_outputs_and_odd_names_convert_and_evaluate(tmp_path: Path) -> None:
    import keras

    inputs = {"b": keras.Input((4,), name="b"), "a": keras.Input((4,), name="a")}
    layer = keras.layers.Dense(3, name="my dense")
    outputs = {"y": keras.layers.Subtract(name="minus")([layer(inputs["a"]), inputs["b"][:, :3]])}
    model = keras.Model(inputs, outputs, name="model with spaces")
    samples = {"a": VECTORS, "b": VECTORS[::-1].copy()}
    flatbuffer = tfcompress.convert(model, samples).flatbuffer
    expected = np.asarray(model(samples)["y"])
    by_name = {port.name: samples[port.name] for port in flatbuffer.inputs}
    assert np.max(np.abs(litert.run(flatbuffer.data, by_name)[0] - expected)) < 0.2
    assert "my dense" in {operator.layer for operator in flatbuffer.operators}
    assert model.name == "model with spaces" and layer.name == "my dense"
    path = tmp_path / "dict.keras"
    model.save(path)
    np.savez(tmp_path / "d.npz", x_test_a=samples["a"], x_test_b=samples["b"], y_test=expected)
    assert tfcompress.evaluate(path, tmp_path / "d.npz", metric="mse").value == pytest.approx(0, abs=1e-9)


def test_a_dense_model_is_benchmarked_although_tflm_dies_of_some_arenas(tmp_path: Path) -> None:
    import keras

    from tfcompress.benchmark.measure import measure
    from tfcompress.benchmark.plan import Plan

    inputs = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(16, activation="relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(1, name="out")(hidden))
    flatbuffer = tfcompress.convert(model, VECTORS, runtime="tflm").flatbuffer
    rows = {row.name: row.value for row in measure(flatbuffer, plan=Plan(runs=2, samples=2))}
    assert isinstance(rows["arena"], int) and isinstance(rows["arena_smallest"], int)
    assert rows["operators_supported"] == 2


def test_a_model_that_tells_no_scale_gets_a_note_with_the_range() -> None:
    notes = tfcompress.convert(dense_model(), VECTORS).notes
    assert any("range" in note and "training data" in note for note in notes)

"""What training chose arrives in the file: the integers of a codebook, and its scales bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codebook_models import CODEBOOK, Codebooks, every_kind_of_layer, on_codebook

from converters.errors import ConversionError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file
from converters.runtimes import litert, ports, tflm
from converters.verify import verify
from tfcompress.targets import runtime as find_runtime

QUANTIZERS = ("tflite", "litert")


@pytest.fixture(scope="module", params=["one scale", "one per unit"])
def everything(request: pytest.FixtureRequest) -> Codebooks:
    return on_codebook(every_kind_of_layer(), dense_per_unit=request.param == "one per unit")


def spec_for(codebooks: Codebooks, dtype: Any, quantizer: Any, runtime: str = "litert", io: Any = None) -> Any:
    per_unit = codebooks.scales["hidden/kernel"].size > 1
    dense = "per-channel" if per_unit else "per-tensor"
    return find_runtime(runtime).spec(dtype=dtype, quantizer=quantizer, dense=dense, io=io)


def simulated(codebooks: Codebooks, data: bytes) -> list[np.ndarray]:
    """Outputs of the Keras model for the input as the file rounds it, each on the file's own grid."""
    flatbuffer = FlatBuffer(data)
    (port,) = ports.inputs_of(flatbuffer)
    outputs = codebooks.model(port.from_file(port.to_file(codebooks.samples)))
    grids = ports.outputs_of(flatbuffer)
    return [grid.from_file(grid.to_file(output.numpy())) for grid, output in zip(grids, outputs, strict=True)]


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("dtype", ["int8", "int16x8"])
@pytest.mark.parametrize("runtime", ["litert", "tflm"])
def test_a_codebook_arrives_exactly_and_computes_what_keras_computes(
    everything: Codebooks, runtime: str, dtype: str, quantizer: str
) -> None:
    per_unit = everything.scales["hidden/kernel"].size > 1
    if per_unit and (runtime, dtype) == ("tflm", "int16x8"):
        pytest.skip("TFLM takes Dense weights of one scale only beside 16-bit activations")
    spec = spec_for(everything, dtype, quantizer, runtime)
    data = everything.quantized(spec)
    verify(FlatBuffer(data), spec)
    stored = kernels_in_file(FlatBuffer(data))
    assert set(stored) == set(everything.integers)
    for name, integers in everything.integers.items():
        np.testing.assert_array_equal(stored[name].values, integers, err_msg=name)
        assert stored[name].scales.tobytes() == everything.scales[name].tobytes()
        assert np.unique(stored[name].values).size <= CODEBOOK.size
    run = tflm.run if runtime == "tflm" else litert.run
    for port, made, expected in zip(
        FlatBuffer(data).outputs, run(data, [everything.samples]), simulated(everything, data), strict=True
    ):
        steps = np.abs(made.reshape(expected.shape) - expected) / port.scales[0]
        assert steps.max() <= 1.01, port.name
        if dtype == "int8":  # beside 16-bit activations the kernels scale with fewer bits than a step takes
            assert np.mean(steps > 0.5) < 0.02, port.name


# --- what operators share ---------------------------------------------------------------------------------------


def twice_called() -> Any:
    import tf_keras as keras

    image = keras.Input((4,), name="image")
    shared = keras.layers.Dense(4, activation="relu", name="shared")
    return keras.Model(image, shared(shared(image)))


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("dtype", ["int8", "int16x8"])
def test_a_layer_called_twice_keeps_one_kernel_and_gets_a_bias_per_call(dtype: Any, quantizer: Any) -> None:
    codebooks = on_codebook(twice_called(), dense_per_unit=True)
    spec = find_runtime("litert").spec(dtype=dtype, quantizer=quantizer, dense="per-channel")
    flatbuffer = FlatBuffer(codebooks.quantized(spec))
    (kernel,) = kernels_in_file(flatbuffer).values()
    assert len(kernel.operators) == 2
    assert len({operator.inputs[1] for operator in kernel.operators}) == 1
    biases = codebooks.model.get_layer("shared").bias.numpy()
    for operator in kernel.operators:
        data, _, bias = (flatbuffer.tensors[index] for index in operator.inputs)
        real = flatbuffer.constant(bias) * (data.scales * kernel.scales)
        np.testing.assert_allclose(real, biases, atol=float((data.scales * kernel.scales).max()))
    (outputs,) = litert.run(flatbuffer.data, [codebooks.samples])
    expected = codebooks.model(codebooks.samples).numpy()
    assert np.abs(outputs - expected).max() <= (3 if dtype == "int8" else 20) * flatbuffer.outputs[0].scales[0]


@pytest.mark.parametrize("quantizer", QUANTIZERS)
@pytest.mark.parametrize("named", ["first/kernel", "second/kernel"])
def test_equal_kernels_that_the_converter_merged_are_parted_again(named: str, quantizer: Any) -> None:
    import tf_keras as keras

    image = keras.Input((8, 8, 4), name="image")
    x = keras.layers.Conv2D(4, 3, name="first")(image)
    x = keras.layers.Conv2D(4, 3, name="second")(x)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D(name="mean")(x))
    codebooks = on_codebook(model, equal=("first", "second"))
    assert len({kernel.tensor.index for kernel in kernels_in_file(FlatBuffer(codebooks.float_file)).values()}) == 1
    spec = find_runtime("litert").spec(dtype="int8", quantizer=quantizer)
    plain = kernels_in_file(FlatBuffer(codebooks.quantized(spec, {})))
    scales = codebooks.scales["first/kernel"]
    changed = kernels_in_file(FlatBuffer(codebooks.quantized(spec, {named: scales})))
    for name, kernel in changed.items():
        expected = codebooks.integers["first/kernel"] if name == named else plain[name].values
        np.testing.assert_array_equal(kernel.values, expected)
        np.testing.assert_array_equal(kernel.scales, scales.reshape(-1) if name == named else plain[name].scales)


# --- what cannot be ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small() -> Codebooks:
    import tf_keras as keras

    image = keras.Input((4, 4, 2), name="image")
    x = keras.layers.Flatten(name="flatten")(keras.layers.Conv2D(3, 3, name="conv")(image))
    return on_codebook(keras.Model(image, keras.layers.Dense(2, name="dense")(x)))


@pytest.mark.parametrize(
    ("name", "scales", "message"),
    [
        (
            "gone/kernel",
            [0.1],
            "weight scales are given for 'gone/kernel', but the file's kernels are conv/kernel, dense",
        ),
        ("conv/kernel", [0.1, 0.2], r"'conv/kernel' have shape \[2\], but the file has 3 for this kernel"),
        ("dense/kernel", [[0.1, 0.2]], r"'dense/kernel' have shape \[1, 2\], but the file has 1 for this kernel"),
        ("conv/kernel", [0.1, 0.0, 0.1], "'conv/kernel' hold a value that is not a positive number"),
        ("conv/kernel", [0.1, np.nan, 0.1], "'conv/kernel' hold a value that is not a positive number"),
        ("conv/kernel", [0.1, 1e-9, 0.1], "the bias of channel 1 of 'conv/kernel' is too large for a weight scale"),
    ],
)
def test_scales_that_do_not_fit_are_refused_by_name(small: Codebooks, name: str, scales: Any, message: str) -> None:
    spec = find_runtime("litert").spec(dtype="int8", dense="per-tensor")
    with pytest.raises(ConversionError, match=message):
        small.quantized(spec, {name: np.array(scales)})


def test_one_scale_fills_a_vector_and_equal_ones_make_one(small: Codebooks) -> None:
    spec = find_runtime("litert").spec(dtype="int8", dense="per-tensor")
    asked = {"conv/kernel": np.full((1, 1, 1, 1), 0.02), "dense/kernel": np.full((1, 2), 0.03)}
    stored = kernels_in_file(FlatBuffer(small.quantized(spec, asked)))
    assert stored["conv/kernel"].scales.tolist() == [np.float32(0.02)] * 3
    assert stored["dense/kernel"].scales.tolist() == [np.float32(0.03)]


def test_a_channel_of_zeros_may_have_any_scale_and_keeps_its_bias() -> None:
    import tf_keras as keras

    image = keras.Input((4, 4, 2), name="image")
    codebooks = on_codebook(keras.Model(image, keras.layers.Conv2D(3, 3, name="conv")(image)), zero_channel=True)
    tiny = codebooks.scales["conv/kernel"].copy()
    tiny[..., 1] = 1e-12
    spec = find_runtime("litert").spec(dtype="int8")
    data = codebooks.quantized(spec, {"conv/kernel": tiny})
    (kernel,) = kernels_in_file(FlatBuffer(data)).values()
    np.testing.assert_array_equal(kernel.values, codebooks.integers["conv/kernel"])
    assert kernel.scales[[0, 2]].tolist() == tiny.reshape(-1)[[0, 2]].tolist()
    (outputs,) = litert.run(data, [codebooks.samples])
    bias = codebooks.model.get_layer("conv").bias.numpy()[1]
    np.testing.assert_allclose(outputs[..., 1], bias, atol=float(FlatBuffer(data).outputs[0].scales[0]))


def test_a_lookup_table_is_refused() -> None:
    import tf_keras as keras

    words = keras.Input((3,), name="image", dtype="int32")
    codebooks = on_codebook(keras.Model(words, keras.layers.Embedding(5, 4, name="embedding")(words)))
    with pytest.raises(ConversionError, match="'embedding/embeddings', which is a lookup table"):
        codebooks.quantized(find_runtime("litert").spec(dtype="int8"))

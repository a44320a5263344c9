"""Ranges by layer reach the tensors that the converter made of the layers, and the scales of the file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from converters import calibration, tflite
from converters.errors import ConversionError
from converters.flatbuffer import FlatBuffer
from converters.keras_models.tracing import freeze_keras
from converters.layer_ranges import by_tensor, certain
from converters.spec import ConversionSpec

RANGES = {
    "image": (0.0, 2.55), "conv": (-9.0, 6.0), "relu": (0.0, 6.0), "join": (-7.0, 7.0), "temporal": (-9.0, 9.0),
    "temporal_relu": (0.0, 3.5), "hidden": (0.0, 4.0), "scores": (-2.0, 2.5),
}  # fmt: skip
# Operator -> layer whose range its output must have. A convolution fused with the ReLU behind it has that one's;
# pooling, reshaping and repeating keep that of what they read; joining makes its inputs use its own.
EXPECTED = [
    ("CONV_2D", "relu"), ("MAX_POOL_2D", "relu"), ("CONV_2D", "join"), ("CONV_2D", "join"), ("CONCATENATION", "join"),
    ("RESHAPE", "join"), ("CONV_2D", "temporal_relu"), ("RESHAPE", "temporal_relu"), ("SPLIT", "temporal_relu"),
    ("CONCATENATION", "temporal_relu"), ("RESHAPE", "temporal_relu"), ("FULLY_CONNECTED", "hidden"),
    ("FULLY_CONNECTED", "scores"),
]  # fmt: skip


@pytest.fixture(scope="module")
def float_file() -> bytes:
    import tf_keras as keras

    layers = keras.layers
    image = keras.Input((8, 8, 3), name="image")
    x = layers.ReLU(name="relu")(layers.Conv2D(4, 3, padding="same", name="conv")(image))
    x = layers.MaxPool2D(name="pool")(x)
    sides = [layers.Conv2D(4, 1, name=f"side_{index}")(x) for index in range(2)]
    x = layers.Concatenate(name="join")(sides)
    x = layers.Conv1D(5, 3, name="temporal")(layers.Reshape((16, 8), name="rows")(x))
    x = layers.UpSampling1D(2, name="up")(layers.ReLU(name="temporal_relu")(x))
    x = layers.Dense(4, activation="relu", name="hidden")(layers.Flatten(name="flatten")(x))
    scores = layers.Dense(3, name="scores")(x)
    model = keras.Model(image, [layers.Softmax(name="probabilities")(scores)])
    return tflite.float_file(freeze_keras(model, unroll=True), for_integers=True)


@pytest.mark.parametrize("quantizer", ["tflite", "litert"])
@pytest.mark.parametrize("dtype", ["int8", "int16x8"])
def test_the_scales_of_the_file_are_those_of_the_ranges(float_file: bytes, dtype: Any, quantizer: Any) -> None:
    samples = np.random.default_rng(0).random((8, 8, 8, 3)).astype(np.float32)
    measured = calibration.collect(float_file, {"image": samples})
    spec = ConversionSpec(dtype=dtype, quantizer=quantizer)
    data = tflite.quantize(float_file, measured | by_tensor(float_file, RANGES), spec)
    flatbuffer = FlatBuffer(tflite.finish(data))

    def scale(low: float, high: float) -> float:
        return (high - low) / 255 if dtype == "int8" else max(-low, high) / 32767

    *made, softmax = flatbuffer.operators
    assert softmax.name == "SOFTMAX"
    assert [operator.name for operator in made] == [name for name, _ in EXPECTED]
    for operator, (name, layer) in zip(made, EXPECTED, strict=True):
        found = float(flatbuffer.tensors[operator.outputs[0]].scales[0])
        assert found == pytest.approx(scale(*RANGES[layer]), rel=1e-5), (name, layer)
    assert float(flatbuffer.inputs[0].scales[0]) == pytest.approx(scale(*RANGES["image"]), rel=1e-5)


def test_a_fused_tensor_takes_the_common_part_of_both_layers(float_file: bytes) -> None:
    both = by_tensor(float_file, {"conv": (-9.0, 6.0), "relu": (0.0, 7.0)})
    assert set(both.values()) == {(0.0, 6.0)}
    with pytest.raises(ConversionError, match="leave 1 to -1; give one range per layer"):
        by_tensor(float_file, {"conv": (-9.0, -1.0), "relu": (1.0, 7.0)})


def test_a_name_that_nothing_has_is_refused(float_file: bytes) -> None:
    with pytest.raises(ConversionError, match="range is given for 'gone', which is no layer, input, output"):
        by_tensor(float_file, {"gone": (0.0, 1.0)})


def test_every_call_of_a_shared_layer_has_its_range() -> None:
    import tf_keras as keras

    image = keras.Input((4,), name="image")
    shared = keras.layers.Dense(4, name="shared")
    x = keras.layers.Dense(2, name="last")(shared(shared(image)))
    data = tflite.float_file(freeze_keras(keras.Model(image, x), unroll=True), for_integers=True)
    assert len(by_tensor(data, {"shared": (-1.0, 1.0)})) == 2
    assert list(by_tensor(data, {"last": (-1.0, 1.0)})) == ["last/output"]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_a_range_of_a_convolution_is_not_that_of_the_activation_behind_it(activation: str) -> None:
    import tf_keras as keras

    signal = keras.Input((16, 3), name="signal")
    x = keras.layers.Activation(activation, name="bent")(keras.layers.Conv1D(4, 3, name="conv")(signal))
    model = keras.Model(signal, keras.layers.Dense(2, name="last")(x))
    data = tflite.float_file(freeze_keras(model, unroll=True), for_integers=True)
    graph = FlatBuffer(data).graphs[0]
    by_name = {graph.tensors[operator.outputs[0]].name: operator.name for operator in graph.operators}
    assert [by_name[name] for name in by_tensor(data, {"conv": (-3.0, 3.0)})] == ["CONV_2D"]


def test_what_a_quantizer_must_take_over_leaves_out_fixed_and_contested_grids(float_file: bytes) -> None:
    ranges = {**RANGES, "probabilities": (0.0, 1.0), "pool": (0.0, 9.0)}
    found = {name: pair for name, _, pair in certain(float_file, ranges)}
    # The two of "relu" and "pool" are to be one; "temporal" and its ReLU are one tensor.
    assert found == {name: RANGES[name] for name in RANGES if name not in ("conv", "relu")} | {
        "temporal": RANGES["temporal_relu"]
    }

"""Errors per layer of an integer file against the float file it was made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tfcompress
from converters.conversion import Conversion
from converters.errors import DataError, ModelError, UsageError
from converters.flatbuffer.kernels import kernels_in_file
from converters.runtimes import litert
from converters.runtimes.layer_errors import layer_errors

SAMPLES = np.random.default_rng(0).random((16, 8, 8, 3)).astype(np.float32)
SCALES = {"conv/kernel": np.full((1, 1, 1, 4), 1 / 127), "dense/kernel": np.full((1, 1), 0.5)}
RANGES = {"conv": (0.0, 12.0)}


def converted(io: Any = None, **options: Any) -> Conversion:
    import tf_keras as keras

    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    model = keras.Model(image, keras.layers.Dense(3, name="dense")(x))
    return tfcompress.convert(model, SAMPLES, io=io, dense="per-tensor", keep_float=True, **options)


@pytest.fixture(scope="module")
def coarse() -> Conversion:
    """Converted with Dense weights on so coarse a grid that all of them are 0, or nearly."""
    return converted(weight_scales=SCALES, ranges=RANGES)


def test_scales_and_ranges_pass_through_the_child(coarse: Conversion) -> None:
    stored = kernels_in_file(coarse.flatbuffer)
    assert stored["conv/kernel"].scales.tolist() == [np.float32(1 / 127)] * 4
    assert stored["dense/kernel"].scales.tolist() == [0.5]
    output = coarse.flatbuffer.tensors[stored["conv/kernel"].operators[0].outputs[0]]
    assert float(output.scales[0]) == pytest.approx(12 / 255)
    assert coarse.float_flatbuffer is not None
    assert len(coarse.float_flatbuffer.data) == coarse.float_bytes


def test_the_layer_with_the_coarse_weights_is_the_one_that_errs(coarse: Conversion) -> None:
    assert coarse.float_flatbuffer is not None
    errors = layer_errors(coarse.float_flatbuffer.data, coarse.named.data, {"image": SAMPLES})
    assert [error.layer for error in errors] == ["image", "conv", "mean", "dense"]
    by_layer = {error.layer: error for error in errors}
    step = 1 / 255
    assert by_layer["image"].rms_error == pytest.approx(step / np.sqrt(12), rel=0.1)
    assert by_layer["conv"].relative_error < 0.05
    assert by_layer["dense"].relative_error > 0.1
    expected = litert.run(coarse.float_flatbuffer.data, [SAMPLES])[0] - litert.run(coarse.named.data, [SAMPLES])[0]
    assert by_layer["dense"].rms_error == pytest.approx(np.sqrt(np.mean(expected**2)), rel=0.05)


def test_float_doors_and_the_other_width_are_compared_too() -> None:
    result = converted("float32", dtype="int16x8")
    assert result.float_flatbuffer is not None
    errors = layer_errors(result.float_flatbuffer.data, result.named.data, {"image": SAMPLES})
    assert [error.layer for error in errors] == ["image", "conv", "mean", "dense"]
    assert errors[0].rms_error == 0.0
    assert all(error.relative_error < 0.02 for error in errors)


def test_files_and_samples_that_do_not_fit_are_refused(coarse: Conversion) -> None:
    assert coarse.float_flatbuffer is not None
    both = coarse.float_flatbuffer.data, coarse.named.data
    with pytest.raises(DataError, match="the data names an input 'sound'"):
        layer_errors(*both, {"sound": SAMPLES})
    with pytest.raises(DataError, match="has samples of shape"):
        layer_errors(*both, {"image": SAMPLES[:, :4]})
    with pytest.raises(ModelError, match="damaged|no .tflite"):
        layer_errors(both[0], b"nothing", {"image": SAMPLES})


def test_weight_scales_are_for_integer_files() -> None:
    with pytest.raises(UsageError, match="float16 has no integers"):
        tfcompress.convert("model.keras", dtype="float16", weight_scales=SCALES)

"""What users of a compressed file rely on: it has the grids that were trained, or the run says which layer has not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import tfcompress
from converters.errors import CertificateError
from converters.flatbuffer.kernels import kernels_in_file
from converters.spec import ConversionSpec
from tfcompress.model import CompressedModel, Ranges
from tfcompress.pipeline import converted
from tfcompress.proof import proven
from tfcompress.recipe import Conversion, Recipe
from tfcompress.registry import find
from tfcompress.task import Task
from tfcompress.training import Trainer


def task() -> Task:
    random = np.random.default_rng(0)
    x = random.normal(size=(64, 16, 2)).astype(np.float32)
    return Task(x_train=x, y_train=random.integers(0, 4, 64), source="random")


@pytest.fixture(scope="module")
def trained() -> CompressedModel:
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    x = inputs = layers.Input((16, 2), name="signal")
    x = layers.Activation("tanh", name="bent")(layers.Conv1D(8, 3, name="conv")(x))
    x = layers.ReLU(name="relu")(layers.Conv1D(8, 3, name="second")(x))
    x = layers.Dense(4, name="scores")(layers.Flatten(name="flat")(x))
    model = tf_keras.Model(inputs, layers.Softmax(name="probabilities")(x))
    return find("qat")(epochs=1, batch_size=32).apply(CompressedModel(model), Trainer(task()))


def file_of(compressed: CompressedModel, **options: Any) -> Any:
    ranges = compressed.ranges
    options = {"ranges": ranges.activations, "weight_scales": ranges.weights, **options}
    return tfcompress.convert(compressed.model, np.asarray(task().x_train), keep_float=True, **options)


@pytest.mark.parametrize("io", ["int8", "float32"])
def test_a_file_with_the_trained_grids_is_proven(trained: CompressedModel, io: Any) -> None:
    assert set(trained.ranges.activations) == {"signal", "conv", "relu", "scores"}
    proven(file_of(trained, io=io), trained, ConversionSpec(io=io))


def test_other_weights_than_those_of_the_model_are_found(trained: CompressedModel) -> None:
    without = file_of(trained, weight_scales={**trained.ranges.weights, "second/kernel": np.full((1, 1, 1), 0.01)})
    with pytest.raises(CertificateError, match=r"% of the weights of second/kernel are not those of the Keras model"):
        proven(without, trained, ConversionSpec())


def test_a_kernel_without_exact_promise_may_be_half_a_step_away(trained: CompressedModel) -> None:
    from converters.keras_models.rebuilding import clone

    moved = dataclasses.replace(trained, model=clone(trained.model), history=())
    kernel, scales = moved.model.get_layer("second").kernel, trained.ranges.weights["second/kernel"]
    kernel.assign(kernel + 0.4 * scales)
    proven(file_of(trained), moved, ConversionSpec())
    kernel.assign(kernel + 0.4 * scales)
    with pytest.raises(CertificateError, match="second/kernel"):
        proven(file_of(trained), moved, ConversionSpec())


@pytest.mark.parametrize(("io", "layer"), [("int8", "signal"), ("int8", "conv"), ("float32", "signal")])
@pytest.mark.parametrize("dtype", ["int8", "int16x8"])
def test_another_range_than_the_trained_one_is_found(trained: CompressedModel, io: Any, layer: str, dtype: Any) -> None:
    io = "int16" if dtype == "int16x8" and io == "int8" else io
    other = file_of(trained, ranges={**trained.ranges.activations, layer: (-20.0, 20.0)}, io=io, dtype=dtype)
    with pytest.raises(CertificateError, match=f"the output of layer '{layer}' has steps of .*quantizer"):
        proven(other, trained, ConversionSpec(io=io, dtype=dtype))


def test_a_run_ends_with_the_proof(trained: CompressedModel, monkeypatch: Any) -> None:
    recipe = Recipe(steps=(find("qat")(),), conversion=Conversion())
    converted(trained, recipe, task(), lambda *_: None)
    wrong = {name: scales * np.float32(1.01) for name, scales in trained.ranges.weights.items()}
    broken = dataclasses.replace(trained, ranges=Ranges(trained.ranges.activations, wrong))
    with pytest.raises(CertificateError, match="are not those of the Keras model"):
        converted(broken, recipe, task(), lambda *_: None)


def test_one_scale_of_a_dense_layer_fills_the_vector_that_was_asked_for_and_the_notes_say_so(
    trained: CompressedModel,
) -> None:
    assert trained.ranges.weights["scores/kernel"].size == 1
    recipe = Recipe(steps=(find("qat")(),), conversion=Conversion(dense="per-channel"))
    conversion = converted(trained, recipe, task(), lambda *_: None)
    scales = kernels_in_file(conversion.flatbuffer)["scores/kernel"].scales
    assert scales.tolist() == [trained.ranges.weights["scores/kernel"].item()] * 4
    assert any("the scales of scores are equal" in note for note in conversion.notes)

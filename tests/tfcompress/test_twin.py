"""What a user's code relies on: a compressed model has the names of the model that came."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tf_keras

import tfcompress
from converters.child import no_progress
from converters.flatbuffer import FlatBuffer, objects
from converters.flatbuffer.kernels import kernels_in_file
from tfcompress import pipeline, steps, twin
from tfcompress.recipe import Recipe
from tfcompress.task import Task
from tfcompress.training import Trainer

CLUSTER = {"technique": "cluster", "epochs": 0, "minimum_weights": 2, "clusters": 2}


def output_names(file: FlatBuffer) -> list[str]:
    """In order; the tensors and the signature agree."""
    found = [tensor.name for tensor in file.outputs]
    (signature,) = objects.unpack(file.data).signatureDefs
    named = {entry.tensorIndex: entry.name.decode() for entry in signature.outputs}
    assert [named[tensor.index] for tensor in file.outputs] == found
    return found


def branched(package: Any) -> Any:
    """An output of a nested model, one of a normalization that is folded away, one with its activation split off."""
    layers = package.layers
    inside = package.Input((8, 8, 1))
    inner = package.Model(inside, layers.Conv2D(2, 3, activation="tanh", name="conv")(inside), name="inner")
    x = package.Input((8, 8, 1), name="image")
    norm = layers.BatchNormalization(name="norm")(layers.Conv2D(2, 1, name="last")(x))
    dense = layers.Dense(2, activation="softmax", name="dense")(layers.Flatten(name="flat")(x))
    return package.Model(x, [inner(x), norm, dense])


@pytest.mark.parametrize("package", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_outputs_have_the_names_that_convert_gives_them_and_layers_keep_theirs(package: Any) -> None:
    model, recipe = branched(package), Recipe(steps=(CLUSTER,))
    task = Task(x_train=np.random.default_rng(0).uniform(size=(40, 8, 8, 1)).astype(np.float32))
    compressed = steps.run(pipeline.prepare(model, recipe, task)[0], recipe, Trainer(task), None)
    file = pipeline.converted(compressed, recipe, task, no_progress, like=model).flatbuffer
    plain = tfcompress.convert(model, dtype="float32").flatbuffer
    assert output_names(file) == output_names(plain) == ["inner", "norm", "dense"]
    assert kernels_in_file(file).keys() == {"inner_conv/kernel", "last/kernel", "dense/kernel"}
    back = twin.back(compressed.model, like=model)
    assert {layer.name for layer in back.layers} == {"image", "inner_conv", "last", "flat", "dense"}
    assert isinstance(back, package.Model)

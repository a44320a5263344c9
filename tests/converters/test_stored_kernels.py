"""Kernels of a file by their Keras names, as Keras keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from codebook_models import every_kind_of_layer
from small_tflite import G, Op, T, build, small_file

from converters import tflite
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import find, kernels_in_file
from converters.keras_models.kernels import kernels
from converters.keras_models.tracing import freeze_keras


def stored_in_float_file(model: Any) -> Any:
    return kernels_in_file(FlatBuffer(tflite.float_file(freeze_keras(model, unroll=True))))


def test_every_kind_of_layer_is_found_as_keras_keeps_it() -> None:
    model = every_kind_of_layer()
    stored = stored_in_float_file(model)
    assert set(stored) == {kernel.name for kernel in kernels(model)}
    for kernel in kernels(model):
        assert stored[kernel.name].layer_class == kernel.layer_class
        np.testing.assert_array_equal(stored[kernel.name].values, kernel.variable.numpy())
        assert stored[kernel.name].scales.size == 0


@pytest.mark.parametrize("framework", ["keras", "tf_keras"])
def test_layers_whose_equal_weights_were_merged_are_told_apart(framework: str) -> None:
    keras = __import__(framework)
    layers = keras.layers
    image = keras.Input((8, 8, 2), name="image")
    x = image
    for index in range(3):
        x = layers.Conv2D(2, 3, kernel_initializer="ones", name=f"twin_{index}")(x)
    slash = "_" if framework == "keras" else "/"  # Keras 3 allows none in a name
    name = f"inner{slash}depthwise"
    x = layers.DepthwiseConv2D(1, depthwise_initializer="ones", activation="relu", name=name)(x)
    x = layers.Conv2D(4, 1, groups=2, kernel_initializer="ones", bias_initializer="ones", name="grouped")(x)
    model = keras.Model(image, layers.Dense(2, name="dense")(layers.Flatten(name="flatten")(x)))
    stored = stored_in_float_file(model)
    assert list(stored) == [
        *(f"twin_{index}/kernel" for index in range(3)),
        *("inner_depthwise/depthwise_kernel", "grouped/kernel", "dense/kernel"),
    ]
    assert len({stored[f"twin_{index}/kernel"].tensor.index for index in range(3)}) == 1
    assert find(stored, "inner/depthwise/depthwise_kernel") is stored["inner_depthwise/depthwise_kernel"]
    assert find(stored, "grouped/depthwise_kernel") is stored["grouped/kernel"]
    assert find(stored, "grouped_2/kernel") is None


def test_integers_come_with_their_scales() -> None:
    stored = kernels_in_file(FlatBuffer(small_file()))
    assert {name: (kernel.values.shape, len(kernel.scales)) for name, kernel in stored.items()} == {
        "conv/kernel": ((3, 3, 2, 3), 3),
        "dense/kernel": ((48, 5), 1),
    }


@pytest.mark.parametrize(
    ("weight", "data"),
    [((1, 3, 3, 5), (1, 4, 4, 2)), ((1, 3, 3, 5), (0,)), ((3, 3), (1, 4, 4, 2)), ((1, 1, 1, 1), ())],
)
def test_shapes_that_do_not_fit_an_operator_raise_nothing(weight: Any, data: Any) -> None:
    tensors = [
        T("x", data, scales=(0.1,)),
        T("dw/depthwise", weight, values=1, scales=(0.1,)),
        T("dw/out", data, scales=(0.1,)),
    ]
    graph = G(tensors, [Op("DEPTHWISE_CONV_2D", ["x", "dw/depthwise", None], ["dw/out"])], ["x"], ["dw/out"])
    assert len(kernels_in_file(FlatBuffer(build(graph)))) == (len(weight) == 4)

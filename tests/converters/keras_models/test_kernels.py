"""What techniques and the converter rely on: which kernels a model has, and how they lie in a file."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tf_keras import layers as L  # noqa: N812

from converters.errors import UsageError
from converters.flatbuffer.file import FlatBuffer
from converters.keras_models.kernels import LAYER_CLASSES, Kernel, from_file_layout, kernels, to_file_layout

# Layer class -> (input shape, layer, shape of the scales per channel, operator in the file)
CASES = {
    "Conv1D": ((8, 3), lambda: L.Conv1D(5, 2, name="k"), (1, 1, 5)),
    "Conv2D": ((8, 8, 3), lambda: L.Conv2D(5, (2, 3), name="k"), (1, 1, 1, 5)),
    "DepthwiseConv1D": ((8, 3), lambda: L.DepthwiseConv1D(2, depth_multiplier=2, name="k"), (1, 3, 2)),
    "DepthwiseConv2D": ((8, 8, 3), lambda: L.DepthwiseConv2D((2, 3), depth_multiplier=2, name="k"), (1, 1, 3, 2)),
    "Conv2DTranspose": ((4, 4, 3), lambda: L.Conv2DTranspose(5, (2, 3), strides=2, name="k"), (1, 1, 5, 1)),
    "Dense": ((7,), lambda: L.Dense(5, name="k"), (1, 5)),
    "Embedding": ((4,), lambda: L.Embedding(9, 6, name="k"), (1, 1)),
}


def model_of(layer_class: str) -> tf_keras.Model:
    shape, layer, _ = CASES[layer_class]
    x = tf_keras.Input(shape)
    return tf_keras.Model(x, layer()(x))


def test_every_class_has_a_case() -> None:
    assert set(CASES) == set(LAYER_CLASSES)


@pytest.mark.parametrize("layer_class", CASES)
def test_kernel_of_each_class(layer_class: str) -> None:
    model = model_of(layer_class)
    (kernel,) = kernels(model)
    layer = model.get_layer("k")
    assert kernel.variable is getattr(layer, kernel.attribute)
    assert kernel.name == f"k/{kernel.attribute}" and kernel.layer_class == layer_class
    assert kernel.scale_shape(per_tensor=False) == CASES[layer_class][2]
    assert kernel.scale_shape(per_tensor=True) == (1,) * len(kernel.shape)
    assert np.broadcast_shapes(kernel.scale_shape(), kernel.shape) == kernel.shape


def test_dense_has_one_scale_unless_asked() -> None:
    (dense,), (conv,) = kernels(model_of("Dense")), kernels(model_of("Conv2D"))
    assert dense.scale_shape() == (1, 1) and conv.scale_shape() == (1, 1, 1, 5)


@pytest.mark.parametrize("layer_class", CASES)
def test_layout_is_that_of_the_file(layer_class: str) -> None:
    model = model_of(layer_class)
    (kernel,) = kernels(model)
    values = np.random.default_rng(0).normal(size=kernel.shape).astype(np.float32)
    kernel.variable.assign(values)
    expected = to_file_layout(layer_class, values)
    file = FlatBuffer(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    found = [file.constant(tensor) for tensor in file.tensors if tensor.is_constant]
    assert any(np.array_equal(array, expected) for array in found), [array.shape for array in found]


@pytest.mark.parametrize("layer_class", CASES)
def test_layouts_undo_each_other(layer_class: str) -> None:
    (kernel,) = kernels(model_of(layer_class))
    values = np.arange(np.prod(kernel.shape)).reshape(kernel.shape)
    multiplier = kernel.shape[-1] if layer_class.startswith("Depthwise") else 1
    there = to_file_layout(layer_class, values)
    np.testing.assert_array_equal(from_file_layout(layer_class, there, depth_multiplier=multiplier), values)


@pytest.mark.parametrize("layer_class", [name for name in CASES if name != "Embedding"])
def test_flattened_scales_are_in_the_order_of_the_files_channels(layer_class: str) -> None:
    (kernel,) = kernels(model_of(layer_class))
    shape = kernel.scale_shape(per_tensor=False)
    scales = np.arange(1, 1 + np.prod(shape)).reshape(shape)
    in_file = to_file_layout(layer_class, np.broadcast_to(scales, kernel.shape).copy())
    axis = in_file.ndim - 1 if layer_class.startswith("Depthwise") else 0
    np.testing.assert_array_equal(np.moveaxis(in_file, axis, 0).reshape(scales.size, -1)[:, 0], scales.ravel())


def test_order_shared_layers_and_what_has_no_kernel() -> None:
    class Mine(L.Dense):
        pass

    x = tf_keras.Input((8, 4))
    shared = L.Dense(4, name="shared")
    y = L.LSTM(4, return_sequences=True)(shared(L.Conv1D(4, 3, padding="same", name="first")(x)))
    y = L.Dense(2, name="last")(Mine(4, name="mine")(shared(y)))
    model = tf_keras.Model(x, y)
    assert [kernel.name for kernel in kernels(model)] == ["first/kernel", "shared/kernel", "last/kernel"]


def test_bad_arrays_are_named() -> None:
    with pytest.raises(UsageError, match="'LSTM' is no class of layer with a known kernel; use one of Conv1D, Conv2D"):
        to_file_layout("LSTM", np.zeros((2, 2)))
    with pytest.raises(UsageError, match=r"a Conv2D kernel has 4 axes in Keras, got an array of shape \(2, 2\)"):
        to_file_layout("Conv2D", np.zeros((2, 2)))
    with pytest.raises(UsageError, match="has 4 axes in the file"):
        from_file_layout("DepthwiseConv2D", np.zeros((2, 2)))
    with pytest.raises(UsageError, match="depth_multiplier=4 does not divide a DepthwiseConv2D kernel's 6 channels"):
        from_file_layout("DepthwiseConv2D", np.zeros((1, 3, 3, 6)), depth_multiplier=4)


def test_kernels_are_values() -> None:
    one, other = (Kernel("a", "kernel", object(), (1,), "Dense") for _ in range(2))
    assert one == other and hash(one) == hash(other) and "object" not in repr(one)


def test_no_tensorflow_at_import() -> None:
    code = "import sys, converters.keras_models.kernels; print('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"

"""What happens between layers crosses: Keras 3 operations become layers, TensorFlow functions become operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from bridge_checks import assert_same_outputs, round_trip
from keras import ops

from converters.errors import BridgeError
from converters.keras_models import bridge
from converters.keras_models.bridge.layers import class_name
from converters.keras_models.bridge.operators import Operator

# what is computed on x (6, 6, 4) and y (6, 6, 4) -> the tf_keras layer that it becomes
OPERATIONS: dict[str, tuple[Any, str]] = {
    "x * 2": (lambda x, y: x * 2, "Operator"),
    "2 - x": (lambda x, y: 2 - x, "Operator"),
    "x / array": (lambda x, y: x / np.array([1.0, 2.0, 3.0, 4.0], "float32"), "Operator"),
    "-x": (lambda x, y: -x, "Operator"),
    "x + y": (lambda x, y: x + y, "Add"),
    "x - y": (lambda x, y: x - y, "Subtract"),
    "x * y": (lambda x, y: x * y, "Multiply"),
    "x + x": (lambda x, y: x + x, "Add"),
    "x > y": (lambda x, y: x > y, "Operator"),
    "broadcast": (lambda x, y: x + ops.mean(y, axis=0), "Operator"),
    "slice": (lambda x, y: x[:, 1:5:2, ..., None, 0], "Operator"),
    "maximum": (lambda x, y: ops.maximum(x, y), "Maximum"),
    "concatenate": (lambda x, y: ops.concatenate([x, y], axis=-1), "Concatenate"),
    "stack": (lambda x, y: ops.stack([x, y], axis=1), "Operator"),
    "where": (lambda x, y: ops.where(x > 0, x, y), "Operator"),
    "matmul": (lambda x, y: ops.matmul(x, y[:, :, :4]), "Operator"),
    "einsum": (lambda x, y: ops.einsum("bijc,bkjc->bik", x, y), "Operator"),
    "reshape": (lambda x, y: ops.reshape(x, (-1, 9, 16)), "Reshape"),
    "reshape mixes batch": (lambda x, y: ops.reshape(x, (-1, 16)), "Operator"),
    "expand_dims": (lambda x, y: ops.expand_dims(x, -2), "Reshape"),
    "squeeze": (lambda x, y: ops.squeeze(x[:, :, :1], 2), "Reshape"),
    "transpose": (lambda x, y: ops.transpose(x, (0, 3, 1, 2)), "Permute"),
    "pad": (lambda x, y: ops.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]]), "ZeroPadding2D"),
    "pad with ones": (lambda x, y: ops.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], constant_values=1.0), "Operator"),
    "mean over space": (lambda x, y: ops.mean(x, axis=(1, 2), keepdims=True), "GlobalAveragePooling2D"),
    "mean over channels": (lambda x, y: ops.mean(x, axis=-1), "Operator"),
    "max over space": (lambda x, y: ops.max(x, axis=[-3, -2]), "GlobalMaxPooling2D"),
    "average_pool": (lambda x, y: ops.average_pool(x, 2, strides=1, padding="same"), "AveragePooling2D"),
    "max_pool": (lambda x, y: ops.max_pool(x, (3, 2)), "MaxPooling2D"),
    "relu": (lambda x, y: ops.relu(x), "ReLU"),
    "relu6": (lambda x, y: ops.relu6(x * 9), "ReLU"),
    "leaky_relu": (lambda x, y: ops.leaky_relu(x, 0.13), "LeakyReLU"),
    "softmax": (lambda x, y: ops.softmax(x, axis=1), "Softmax"),
    "softmax over all": (lambda x, y: ops.softmax(x, axis=None), "Operator"),
    "sigmoid": (lambda x, y: ops.sigmoid(x), "Activation"),
    "hard_sigmoid": (lambda x, y: ops.hard_sigmoid(x), "Activation"),
    "hard_silu": (lambda x, y: ops.hard_silu(x), "Activation"),
    "gelu": (lambda x, y: ops.gelu(x, approximate=False), "Activation"),
    "gelu by tanh": (lambda x, y: ops.gelu(x), "Operator"),
    "clip": (lambda x, y: ops.clip(x, -0.5, 0.25), "Operator"),
    "one_hot of argmax": (lambda x, y: ops.one_hot(ops.argmax(x, axis=-1), 4), "Operator"),
    "cast": (lambda x, y: ops.cast(x, "int32"), "Operator"),
    "image.resize": (lambda x, y: ops.image.resize(x, (9, 3), interpolation="nearest"), "Operator"),
    "rms_normalization": (lambda x, y: ops.rms_normalization(x), "Operator"),
    "layer_normalization": (lambda x, y: ops.layer_normalization(x), "Operator"),
}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_operation_crosses_as_the_layer_that_tfmot_knows_best(name: str) -> None:
    compute, layer = OPERATIONS[name]
    x, y = keras.Input((6, 6, 4)), keras.Input((6, 6, 4))
    used = compute(x, y)
    twin, _ = round_trip(keras.Model([x, y], used))
    assert type(twin.layers[-1]).__name__ == layer
    assert not [each for each in twin.layers if "OpLambda" in type(each).__name__]


def test_operation_with_several_outputs_crosses() -> None:
    x = keras.Input((6, 4))
    first, second = ops.split(x, [1], axis=-1)
    mean, variance = ops.moments(x, axes=[1])
    round_trip(keras.Model(x, [second, mean, first, variance]))


def test_operator_layer_survives_cloning_and_saving(tmp_path: Path) -> None:
    x = keras.Input((4, 2))
    model = keras.Model(x, ops.flip(x * np.array([2.0, -1.0], "float32"), axis=1)[:, ::2])
    twin = bridge.to_tf_keras(model)
    assert_same_outputs(model, tf_keras.models.clone_model(twin))
    twin.save(tmp_path / "twin.keras")
    assert_same_outputs(model, tf_keras.models.load_model(tmp_path / "twin.keras"))


def test_operation_on_a_variable_is_named() -> None:
    x = keras.Input((3,))
    scale = keras.Variable(np.ones(3), name="scale")
    with pytest.raises(BridgeError, match=r"'multiply.*Variable.*put it inside a layer"):
        bridge.to_tf_keras(keras.Model(x, x * scale))


TF_FUNCTIONS: dict[str, Any] = {
    "operators": lambda x, y: -(x + y) * 2.0 - (1.0 / (y * y + 1.0)) ** 2,
    "comparison": lambda x, y: tf.where(x > y, x, tf.zeros_like(1.0)),
    "slice": lambda x, y: x[:, 1:5:2, tf.newaxis] + y[:, ::2, :1][:, :2, tf.newaxis],
    "ellipsis": lambda x, y: x[..., -1],
    "reshape": lambda x, y: tf.reshape(x, (-1, 4, 6)),
    "concat": lambda x, y: tf.concat([x, y], 2),
    "stack": lambda x, y: tf.stack([x, y], axis=1),
    "mean": lambda x, y: tf.reduce_mean(x, axis=[1]),
    "sum of max": lambda x, y: tf.reduce_sum(x, -1, keepdims=True) + tf.reduce_max(y, axis=-1, keepdims=True),
    "nn": lambda x, y: tf.nn.relu6(x) + tf.nn.silu(y) + tf.nn.sigmoid(x) + tf.nn.softmax(y) + tf.nn.relu(y),
    "nn 2": lambda x, y: (
        tf.nn.leaky_relu(x, alpha=0.3) + tf.nn.gelu(y) + tf.nn.gelu(x, approximate=True) + tf.nn.elu(y)
    ),
    "math": lambda x, y: tf.math.sqrt(tf.abs(x)) * tf.math.exp(y) + tf.tanh(x) + tf.math.log(tf.square(y) + 1.0),
    "transpose": lambda x, y: tf.transpose(x, [0, 2, 1]) @ y,
    "shape": lambda x, y: tf.expand_dims(tf.squeeze(x[:, :, :1], axis=[2]), 1),
    "pad": lambda x, y: tf.pad(x, [[0, 0], [1, 2], [0, 0]]),
    "clip": lambda x, y: tf.clip_by_value(x, -0.5, 0.5),
    "cast": lambda x, y: tf.cast(tf.argmax(x, axis=-1), tf.float32),
    "gather": lambda x, y: tf.gather(x, [2, 0], axis=1),
    "minimum": lambda x, y: tf.minimum(x, y) + tf.maximum(x, 0.5),
    "tile": lambda x, y: tf.tile(x, [1, 2, 1]),
    "unstack": lambda x, y: tf.unstack(x, axis=2)[1],
}


@pytest.mark.parametrize("name", sorted(TF_FUNCTIONS))
def test_tensorflow_function_in_a_tf_keras_model_crosses(name: str) -> None:
    x, y = tf_keras.Input((6, 4)), tf_keras.Input((6, 4))
    model = tf_keras.Model([x, y], TF_FUNCTIONS[name](x, y))
    assert_same_outputs(model, bridge.to_keras(model))
    copy = bridge.to_tf_keras(model)
    assert_same_outputs(model, copy)
    assert not [each for each in copy.layers if "OpLambda" in type(each).__name__]


def test_unknown_tensorflow_function_is_named_and_still_copied() -> None:
    x = tf_keras.Input((6, 4))
    model = tf_keras.Model(x, tf.math.bessel_i0(x))
    with pytest.raises(BridgeError, match=r"tf.math.bessel_i0.*TFOpLambda.*not known in keras.ops; use a layer"):
        bridge.to_keras(model)
    assert_same_outputs(model, bridge.to_tf_keras(model))


def test_operator_layers_are_no_layers_of_the_table() -> None:
    assert class_name(Operator("abs", {"args": [], "kwargs": {"$dict": [["x", {"$tensor": 0}]]}})) is None


@pytest.mark.parametrize("name", ["__class__", "nn.__loader__", "numpy.np", "nowhere"])
def test_operator_reaches_only_functions_of_keras_ops(name: str) -> None:
    with pytest.raises(BridgeError, match="has no function"):
        Operator(name, {"args": [], "kwargs": {"$dict": []}})

"""Whoever promises grids of kernels relies on knowing beforehand which of them the converter changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tf_keras
from bridge_checks import randomize
from tf_keras import layers as L  # noqa: N812

from converters import tflite
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import find, kernels_in_file
from converters.keras_models.absorbed import absorbing
from converters.keras_models.bridge.operators import Operator
from converters.keras_models.folding import fold_batch_norm
from converters.keras_models.kernels import kernels
from converters.keras_models.tracing import freeze_keras

IMAGE, SIGNAL = (8, 8, 3), (16, 3)


def conv(**options: Any) -> Any:
    return L.Conv2D(3, 3, **{"name": "k", **options})


BY_CHANNEL = {"$array": [1.0, 2.0, 3.0], "dtype": "float32", "shape": [3]}


def times(constant: Any = 2.0) -> Any:
    arguments = {"args": {"$tuple": [{"$tensor": 0}, constant]}, "kwargs": {"$dict": []}}
    return Operator("multiply", arguments, name="twice")


def chain(shape: tuple[int, ...], *layers: Any) -> Any:
    y = x = tf_keras.Input(shape)
    for layer in layers:
        y = layer(y)
    return tf_keras.Model(x, y)


def shared_conv() -> Any:
    x, k = tf_keras.Input(IMAGE), conv(padding="same")
    return tf_keras.Model(x, L.Add()([L.BatchNormalization()(k(x)), L.BatchNormalization()(k(L.ReLU()(x)))]))


def shared_norm() -> Any:
    x, norm = tf_keras.Input(IMAGE), L.BatchNormalization()
    return tf_keras.Model(x, L.Add()([norm(conv()(x)), norm(conv(name="other")(x))]))


def used_twice() -> Any:
    x = tf_keras.Input(IMAGE)
    y = conv()(x)
    return tf_keras.Model(x, L.Add()([L.BatchNormalization()(y), y]))


def rescaled_twice() -> Any:
    x = tf_keras.Input(IMAGE)
    y = L.Rescaling(1 / 255)(x)
    return tf_keras.Model(x, [conv()(y), y])


CHANGED: dict[str, Callable[[], Any]] = {
    "one layer, two norms": shared_conv,
    "two layers, one norm": shared_norm,
    "norm of one channel before": lambda: chain((8, 8, 1), L.BatchNormalization(), conv()),
    "rescaling before": lambda: chain(IMAGE, L.Rescaling(1 / 255), conv()),
    "rescaling before padding": lambda: chain(IMAGE, L.Rescaling(1 / 255), L.ZeroPadding2D(1), conv()),
    "rescaling before depthwise": lambda: chain(IMAGE, L.Rescaling(1 / 255, -1), L.DepthwiseConv2D(3, name="k")),
    "rescaling before dense": lambda: chain((5,), L.Rescaling(1 / 255), L.Dense(3, name="k")),
    "normalization before": lambda: chain(IMAGE, L.Normalization(axis=None, mean=1.0, variance=2.0), conv()),
    "rescaling behind": lambda: chain(IMAGE, conv(), L.Rescaling(2.0, 1.0)),
    "rescaling behind dropout": lambda: chain(IMAGE, conv(), L.Dropout(0.5), L.Rescaling(2.0)),
    "rescaling behind flatten": lambda: chain(IMAGE, conv(), L.Flatten(), L.Rescaling(2.0)),
    "rescaling behind conv1d": lambda: chain(SIGNAL, L.Conv1D(4, 3, name="k"), L.Rescaling(2.0)),
    "rescaling that others read": rescaled_twice,
    "multiplication behind": lambda: chain(IMAGE, conv(), times()),
    "multiplication before": lambda: chain(IMAGE, times(), conv()),
}  # fmt: skip
# What `fold_batch_norm` leaves to the converter.
UNFOLDED = {"one layer, two norms", "two layers, one norm", "rescaling that others read"}
SAME: dict[str, Callable[[], Any]] = {
    "used twice": used_twice,
    "norm of the input": lambda: chain(IMAGE, L.BatchNormalization(), conv()),
    "norm behind an activation": lambda: chain(IMAGE, conv(activation="relu"), L.BatchNormalization(), L.ReLU()),
    "norm behind pooling": lambda: chain(IMAGE, conv(), L.MaxPooling2D(), L.BatchNormalization()),
    "norm behind flatten": lambda: chain(IMAGE, conv(), L.Flatten(), L.BatchNormalization()),
    "offset before same padding": lambda: chain(IMAGE, L.Rescaling(1 / 255, -1), conv(padding="same")),
    "offset before a padding layer": lambda: chain(IMAGE, L.Rescaling(1 / 255, -1), L.ZeroPadding2D(1), conv()),
    "rescalings before same padding": lambda: chain(
        IMAGE, L.Rescaling(2.0), L.Rescaling(1.0, -1), conv(padding="same")
    ),
    "multiplication by channel before": lambda: chain(IMAGE, times(BY_CHANNEL), conv()),
    "rescaling before conv1d": lambda: chain(SIGNAL, L.Rescaling(1 / 255), L.Conv1D(4, 3, name="k")),
}  # fmt: skip


def changed(model: Any) -> set[str]:
    """The layers whose kernels are others in the float file."""
    data = tflite.float_file(freeze_keras(model, unroll=True), for_integers=True)
    stored = kernels_in_file(FlatBuffer(data))
    found = set()
    for kernel in kernels(model):
        same = find(stored, kernel.name)
        if same is None or not np.array_equal(same.values.reshape(kernel.shape), kernel.variable.numpy()):
            found.add(kernel.layer)
    return found


def built(case: str) -> Any:
    model = (CHANGED | SAME)[case]()
    randomize(model, 0)
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.moving_variance.assign(abs(layer.moving_variance) + 0.5)
    return model


@pytest.mark.parametrize("case", [*CHANGED, *SAME])
def test_the_kernels_that_the_converter_changes_are_known_before(case: str) -> None:
    model = built(case)
    assert set(absorbing(model)) == changed(model)
    assert bool(changed(model)) == (case in CHANGED)


@pytest.mark.parametrize("case", [*CHANGED, *SAME])
def test_once_constants_are_folded_the_converter_changes_only_kernels_of_several_calls_or_readers(case: str) -> None:
    model = fold_batch_norm(built(case)).model
    assert set(absorbing(model)) == changed(model)
    assert bool(changed(model)) == (case in UNFOLDED)

"""Rescaling and other constants go into a kernel beside them where that is exact, and stay where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from bridge_checks import assert_same_outputs, inputs_for, outputs_of, randomize, snapshot
from tf_keras import layers as L  # noqa: N812

from converters.keras_models.bridge import to_tf_keras
from converters.keras_models.bridge.operators import Operator
from converters.keras_models.folding import Folded, fold_batch_norm
from converters.keras_models.kernels import kernels

IMAGE, SIGNAL, ROW = (8, 8, 3), (16, 3), (5,)
BYTES, SIGNED = {"scale": 1 / 255}, {"scale": 1 / 127.5, "offset": -1.0}


def chain(shape: tuple[int, ...], *layers: Any) -> Any:
    y = x = tf_keras.Input(shape, name="x")
    for layer in layers:
        y = layer(y)
    return tf_keras.Model(x, y)


def rescaling(**constants: Any) -> Any:
    return L.Rescaling(name="rescaling", **constants)


def operator(operation: str, *arguments: Any) -> Any:
    given = [{"$tensor": 0} if each is None else each for each in arguments]
    return Operator(operation, {"args": {"$tuple": given}, "kwargs": {"$dict": []}}, name="rescaling")


def conv(**options: Any) -> Any:
    return L.Conv2D(4, 3, **{"name": "k", **options})


def check(model: Any) -> Folded:
    """Folds; outputs equal, the model untouched, and `factors` tell how each kernel came about."""
    randomize(model)
    before = snapshot(model)
    folded = fold_batch_norm(model)
    assert snapshot(model) == before
    assert_same_outputs(model, folded.model)
    old, new = ({kernel.name: kernel.variable.numpy() for kernel in kernels(each)} for each in (model, folded.model))
    for name, values in new.items():
        factor = folded.factors.get(name, np.float32(1))
        np.testing.assert_allclose(values, old[name] * factor, rtol=1e-5)
    return folded


FOLDED: dict[str, Callable[[], Any]] = {
    "conv2d": lambda: chain(IMAGE, rescaling(**BYTES), conv(padding="same", activation="relu")),
    "conv2d, offset": lambda: chain(IMAGE, rescaling(**SIGNED), conv(activation="relu")),
    "conv2d without bias, offset": lambda: chain(IMAGE, rescaling(**SIGNED), conv(use_bias=False)),
    "grouped, offset": lambda: chain((8, 8, 4), rescaling(**SIGNED), conv(groups=2)),
    "through padding": lambda: chain(IMAGE, rescaling(**BYTES), L.ZeroPadding2D(1), conv()),
    "through dropout and cropping": lambda: chain(
        IMAGE, rescaling(**SIGNED), L.Dropout(0.5), L.Cropping2D(1), conv()
    ),
    "depthwise, offset": lambda: chain(
        IMAGE, rescaling(**SIGNED), L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, name="k")
    ),
    "conv1d, offset": lambda: chain(SIGNAL, rescaling(**SIGNED), L.Conv1D(4, 3, name="k")),
    "conv1d, causal": lambda: chain(SIGNAL, rescaling(**BYTES), L.Conv1D(4, 3, padding="causal", name="k")),
    "depthwise1d, offset": lambda: chain(SIGNAL, rescaling(**SIGNED), L.DepthwiseConv1D(3, name="k")),
    "transpose": lambda: chain(IMAGE, rescaling(**BYTES), L.Conv2DTranspose(4, 3, strides=2, name="k")),
    "dense, offset": lambda: chain(ROW, rescaling(**SIGNED), L.Dense(3, name="k")),
    "dense of a sequence": lambda: chain(SIGNAL, rescaling(**SIGNED), L.Dense(3, name="k")),
    "flatten": lambda: chain(IMAGE, rescaling(**SIGNED), L.Flatten(), L.Dense(3, name="k")),
    "negative": lambda: chain(IMAGE, rescaling(scale=-2.0), conv(padding="same", activation="relu")),
    "normalization of one number": lambda: chain(
        IMAGE, L.Normalization(axis=None, mean=100.0, variance=2500.0, name="rescaling"), conv()
    ),
    "inverted normalization": lambda: chain(
        ROW, L.Normalization(axis=None, mean=0.5, variance=4.0, invert=True, name="rescaling"), L.Dense(3, name="k")
    ),
    "batch norm of one channel": lambda: chain((8, 8, 1), L.BatchNormalization(name="rescaling"), conv()),
    "activation that is a layer": lambda: chain(ROW, rescaling(**SIGNED), L.Dense(3, activation=L.PReLU(), name="k")),
    "multiply": lambda: chain(IMAGE, operator("multiply", None, 2.0), conv(padding="same")),
    "multiply, the other way": lambda: chain(IMAGE, operator("multiply", 2, None), conv(padding="same")),
    "divide": lambda: chain(IMAGE, operator("true_divide", None, 255.0), conv(padding="same")),
    "subtract": lambda: chain(IMAGE, operator("subtract", None, 0.5), conv()),
    "subtract from": lambda: chain(IMAGE, operator("subtract", 1.0, None), conv()),
    "behind": lambda: chain(IMAGE, conv(padding="same"), rescaling(scale=2.0, offset=1.0)),
    "behind, one each": lambda: chain(IMAGE, conv(), rescaling(scale=[1.0, 2.0, -3.0, 0.5], offset=0.5)),
    "behind, an array": lambda: chain(
        IMAGE, conv(), operator("multiply", None, {"$array": [1, 2, 3, 4.0], "dtype": "float32", "shape": [1, 1, 1, 4]})
    ),
    "behind flatten": lambda: chain(IMAGE, conv(), L.Flatten(), rescaling(scale=2.0, offset=1.0)),
    "behind dense": lambda: chain(ROW, L.Dense(3, name="k"), operator("divide", None, 4.0)),
    "normalization behind": lambda: chain(
        IMAGE, conv(), L.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 16], name="rescaling")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FOLDED)
def test_constants_go_into_the_kernel_beside_them(case: str) -> None:
    folded = check(FOLDED[case]())
    assert "rescaling" not in {layer.name for layer in folded.model.layers}
    assert folded.unfolded == () and list(folded.factors)[0].startswith("k/")


def test_constants_before_and_batch_norm_behind_fold_into_one_kernel() -> None:
    first, second = L.Rescaling(1 / 255), L.Rescaling(2.0, -1.0)
    folded = check(chain(IMAGE, first, second, conv(), L.BatchNormalization(), L.ReLU(), L.Rescaling(3.0), L.Flatten()))
    assert [layer.name for layer in folded.model.layers][:2] == ["x", "k"]
    assert folded.factors["k/kernel"].shape == (1, 1, 1, 4)


def test_a_dense_kernel_gets_one_factor_where_all_its_channels_get_the_same() -> None:
    folded = check(chain(ROW, rescaling(**BYTES), L.Dense(3, name="k")))
    assert folded.factors["k/kernel"].shape == (1, 1) and folded.model.get_layer("k").use_bias
    assert not check(chain(ROW, rescaling(**BYTES), L.Dense(3, use_bias=False, name="k"))).model.get_layer("k").use_bias


def test_all_that_reads_the_constants_takes_them() -> None:
    x = tf_keras.Input(IMAGE, name="x")
    y = rescaling(**SIGNED)(x)
    one, two = conv(activation="relu")(y), conv(name="two")(L.Dropout(0.1)(y))
    folded = check(tf_keras.Model(x, L.Add()([one, two])))
    assert set(folded.factors) == {"k/kernel", "two/kernel"} and not folded.unfolded


def test_what_keras_3_calls_without_a_layer() -> None:
    x = keras.Input(IMAGE, name="x")
    y = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="k")(x / 255.0)
    y = keras.layers.Conv2D(4, 1, name="two")(y) * np.array([1.0, -2.0, 3.0, 4.0], np.float32)
    folded = check(to_tf_keras(keras.Model(x, y)))
    assert [layer.name for layer in folded.model.layers] == ["x", "k", "two"]


def also_an_output() -> Any:
    x = tf_keras.Input(IMAGE)
    y = rescaling(**BYTES)(x)
    return tf_keras.Model(x, [conv()(y), y])


def shared_kernel() -> Any:
    x, k = tf_keras.Input(IMAGE), conv()
    return tf_keras.Model(x, L.Add()([k(rescaling(**BYTES)(x)), k(x)]))


def shared_constants() -> Any:
    x, z, one = tf_keras.Input(IMAGE), tf_keras.Input(IMAGE), rescaling(**BYTES)
    return tf_keras.Model([x, z], [conv()(one(x)), conv(name="two")(one(z))])


def bytes_input() -> Any:
    x = tf_keras.Input(IMAGE, dtype="uint8")
    return tf_keras.Model(x, conv()(rescaling(**BYTES)(x)))


STAYS: dict[str, tuple[Callable[[], Any], str]] = {
    "offset before same padding": (
        lambda: chain(IMAGE, rescaling(**SIGNED), conv(padding="same")),
        "what it adds is not there where 'k' (Conv2D) behind it pads with zeros",
    ),
    "offset before a padding layer": (
        lambda: chain(IMAGE, rescaling(**SIGNED), L.ZeroPadding2D(1, name="pad"), conv()),
        "what it adds is not there where 'pad' behind it pads with zeros",
    ),
    "offset before a transposed convolution": (
        lambda: chain(IMAGE, rescaling(**SIGNED), L.Conv2DTranspose(4, 3, name="k")),
        "what it adds is not there where 'k' (Conv2DTranspose) behind it pads with zeros",
    ),
    "one for each channel": (
        lambda: chain(IMAGE, rescaling(scale=[1.0, 2.0, 3.0]), conv()),
        "it comes directly after an input",
    ),
    "one for each pixel": (
        lambda: chain((8, 8, 1), rescaling(scale=np.ones((8, 8, 1)).tolist()), conv()),
        "its constants are not one number, nor one for each channel",
    ),
    "channels first": (
        lambda: chain((3, 8, 8), L.Conv2D(6, 3, data_format="channels_first", name="k"), rescaling(scale=[1.0] * 6)),
        "it normalizes along axes [3], which are not the channels of 'k' (Conv2D)",
    ),
    "an output": (also_an_output, "it is an output"),
    "shared kernel": (shared_kernel, "'k' (Conv2D) behind it is called at several places"),
    "shared constants": (shared_constants, "it is called at several places"),
    "no kernel": (
        lambda: chain(IMAGE, rescaling(**BYTES), L.MaxPooling2D(name="pool"), conv()),
        "'pool' (MaxPooling2D) behind it has no kernel to fold it into",
    ),
    "zero": (lambda: chain(IMAGE, rescaling(scale=0.0), conv()), "it multiplies by 0"),
    "casts": (bytes_input, "its constants are not one number, nor one for each channel"),
    "divided by": (
        lambda: chain(IMAGE, operator("divide", 1.0, None), conv()),
        "its constants are not one number, nor one for each channel",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STAYS)
def test_what_cannot_be_folded_stays_and_is_listed(case: str) -> None:
    build, reason = STAYS[case]
    model = randomize(build())
    folded = fold_batch_norm(model)
    ((layer, found),) = folded.unfolded
    assert layer == "rescaling" and reason in found and not folded.factors
    assert "rescaling" in {each.name for each in folded.model.layers}
    if case != "channels first":  # which TensorFlow cannot compute on a CPU
        feeds = inputs_for(model)
        for left, right in zip(outputs_of(model, feeds), outputs_of(folded.model, feeds), strict=True):
            np.testing.assert_allclose(right, left, rtol=1e-5)

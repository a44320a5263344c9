"""Whatever small model is built from the layers people use, its tf_keras twin and the way back compute the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from bridge_checks import randomize, round_trip
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers as L  # noqa: N812
from keras import ops

Tensor = Any
Step = Callable[[Tensor, int], Tensor]

ACTIVATIONS = ("relu", "relu6", "hard_silu", None)

# Steps from an image to an image of the same height and width; the number chooses among variants.
SAME_SIZE: dict[str, Step] = {
    "conv": lambda x, n: L.Conv2D(2 + n, 1 + n % 3, padding="same", activation=ACTIVATIONS[n], use_bias=n > 1)(x),
    "depthwise": lambda x, n: L.DepthwiseConv2D(3, padding="same", depth_multiplier=1 + n % 2)(x),
    "separable": lambda x, n: L.SeparableConv2D(3 + n, 3, padding="same", activation=ACTIVATIONS[n])(x),
    "transposed": lambda x, n: L.Conv2DTranspose(2 + n, 3, padding="same")(x),
    "dense": lambda x, n: L.Dense(2 + n, activation=ACTIVATIONS[n])(x),
    "norm": lambda x, n: (L.BatchNormalization, L.LayerNormalization)[n % 2](epsilon=0.01)(x),
    "relu": lambda x, n: (L.ReLU(6.0), L.LeakyReLU(0.2), L.PReLU(shared_axes=[1, 2]), L.ELU())[n](x),
    "activation": lambda x, n: (ops.relu6, ops.silu, ops.hard_silu, ops.sigmoid)[n](x),
    "arithmetic": lambda x, n: (x * 2, 1 - x, -x / 3, x + np.ones(x.shape[-1], "float32"))[n],
    "branch": lambda x, n: (L.Add, L.Multiply, L.Maximum, L.Average)[n]()([x, L.DepthwiseConv2D(1)(x)]),
    "operator branch": lambda x, n: (x + ops.tanh(x), x * ops.sigmoid(x), x - ops.abs(x), ops.maximum(x, 0.1 * x))[n],
    "concatenate": lambda x, n: L.Concatenate()([x, L.Conv2D(1 + n, 1)(x)]),
    "squeeze and excite": lambda x, n: x * L.Dense(x.shape[-1])(ops.mean(x, axis=(1, 2), keepdims=True)),
    "pad and crop": lambda x, n: L.Cropping2D(((n, 0), (0, 1)))(L.ZeroPadding2D(((0, n), (1, 0)))(x)),
    "dropout": lambda x, n: (L.Dropout, L.SpatialDropout2D, L.GaussianNoise, L.GaussianDropout)[n](0.3)(x),
    "pool in place": lambda x, n: (L.MaxPooling2D, L.AveragePooling2D)[n % 2](2 + n // 2, strides=1, padding="same")(x),
    "reshape and back": lambda x, n: (
        L.Reshape(x.shape[1:])((L.Flatten()(x), ops.reshape(x, (-1, x.shape[-1] * 64)))[n % 2])
        if x.shape[1] == 8
        else L.Permute((2, 1, 3))(x)
    ),
    "shared": lambda x, n: _twice(L.Conv2D(x.shape[-1], 1 + n, padding="same"), x),
    "nested": lambda x, n: _nested(x, n)(x),
    "nested twice": lambda x, n: _twice(_nested(x, n), x),
}
NEW_SIZE: dict[str, Step] = {
    "pool": lambda x, n: (L.MaxPooling2D, L.AveragePooling2D)[n % 2](2, padding=("same", "valid")[n // 2])(x),
    "stride": lambda x, n: L.Conv2D(2 + n, 3, strides=2, padding="same")(x),
    "up": lambda x, n: L.UpSampling2D(2, interpolation=("nearest", "bilinear")[n % 2])(x[:, :3, :3]),
    "slice": lambda x, n: (x[:, 1:], x[:, :, ::2], x[:, :-1, 1:], x[:, ::-1])[n],
    "resize": lambda x, n: L.Resizing(3 + n, 4, interpolation="nearest")(x),
}
HEADS: dict[str, Callable[[Tensor], Tensor]] = {
    "flatten": lambda x: L.Flatten()(x),
    "pool": lambda x: L.GlobalAveragePooling2D()(x),
    "operator": lambda x: ops.max(x, axis=(1, 2)),
    "image": lambda x: x,
}

steps = st.lists(
    st.tuples(st.sampled_from([*SAME_SIZE, *NEW_SIZE]), st.integers(0, 3)),
    min_size=1,
    max_size=6,
)


def _twice(layer: Any, x: Tensor) -> Tensor:
    return layer(layer(x))


def _nested(x: Tensor, variant: int) -> keras.Model:
    inner = keras.Input(x.shape[1:])
    y = L.Conv2D(x.shape[-1], 1, activation="relu")(inner)
    return keras.Model(inner, [y, y * 0.5, y + inner, L.BatchNormalization()(y)][variant])


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(steps, st.sampled_from(sorted(HEADS)), st.booleans())
def test_generated_functional_model_crosses_and_comes_back(
    chosen: list[tuple[str, int]], head: str, two_outputs: bool
) -> None:
    image = keras.Input((8, 8, 3), name="image")
    x = image
    for name, variant in chosen:
        small = min(x.shape[1:3]) < 4
        step = SAME_SIZE.get(name) or (SAME_SIZE["relu"] if small else NEW_SIZE[name])
        x = step(x, variant)
    y = L.Dense(3)(HEADS[head](x))
    round_trip(randomize(keras.Model(image, [y, x] if two_outputs else y)))


LAYERS: dict[str, Callable[[int], Any]] = {
    "conv": lambda n: L.Conv1D(2 + n, 3, padding=("same", "causal")[n % 2], activation=ACTIVATIONS[n]),
    "dense": lambda n: L.Dense(2 + n, activation=ACTIVATIONS[n], use_bias=n < 3),
    "norm": lambda n: (L.BatchNormalization(), L.LayerNormalization(), L.UnitNormalization(), L.BatchNormalization())[
        n
    ],
    "recurrent": lambda n: (
        L.GRU(3, return_sequences=True, reset_after=n > 1, unroll=True)
        if n % 2
        else L.SimpleRNN(2, return_sequences=True, unroll=True)
    ),
    "up": lambda n: L.UpSampling1D(1 + n % 2),
    "pad": lambda n: L.ZeroPadding1D((n, 1)),
    "pool": lambda n: (L.MaxPooling1D, L.AveragePooling1D)[n % 2](2, strides=1),
    "softmax": lambda n: L.Softmax(axis=1 + n % 2),
    "rescaling": lambda n: L.Rescaling(0.5 * n, offset=-n),
}


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(sorted(LAYERS)), st.integers(0, 3)), min_size=1, max_size=5))
def test_generated_sequential_model_crosses_and_comes_back(chosen: list[tuple[str, int]]) -> None:
    model = keras.Sequential([keras.Input((6, 4)), *(LAYERS[name](variant) for name, variant in chosen)])
    twin, back = round_trip(randomize(model))
    assert [type(layer) for layer in back.layers[1:]] == [type(layer) for layer in model.layers]

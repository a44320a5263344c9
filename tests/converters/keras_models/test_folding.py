"""Folding batch normalization keeps the function, and says what it multiplied kernels by and what it left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tf_keras
from bridge_checks import assert_same_outputs, randomize, snapshot
from tf_keras import layers as L  # noqa: N812

from converters.keras_models.folding import Folded, fold_batch_norm
from converters.keras_models.kernels import kernels
from converters.keras_models.simplify import simplify


def with_hard_statistics(model: Any, seed: int = 0) -> Any:
    """Random weights; gammas of both signs and one of zero, variances over five decades."""
    randomize(model, seed)
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            size = int(layer.moving_mean.shape[0])
            layer.moving_variance.assign(10.0 ** generator.uniform(-3, 2, size))
            layer.moving_mean.assign(generator.normal(0, 2, size))
            if layer.gamma is not None:
                layer.gamma.assign([0.0, *generator.normal(0, 1, size - 1)])
    return model


def check(model: Any) -> Folded:
    """Folds; outputs equal, the model untouched, and `factors` tell how each kernel came about."""
    with_hard_statistics(model)
    before = snapshot(model)
    folded = fold_batch_norm(model)
    assert snapshot(model) == before
    assert_same_outputs(model, folded.model)
    old, new = ({kernel.name: kernel for kernel in kernels(each)} for each in (model, folded.model))
    assert list(old) == list(new)
    for name, kernel in new.items():
        factor = folded.factors.get(name, np.float32(1))
        np.testing.assert_allclose(kernel.variable.numpy(), old[name].variable.numpy() * factor, rtol=1e-5)
    return folded


CASES: dict[str, tuple[tuple[int | None, ...], Callable[[], Any]]] = {
    "conv1d": ((8, 3), lambda: L.Conv1D(5, 3, name="k")),
    "conv1d_causal": ((8, 3), lambda: L.Conv1D(5, 3, padding="causal", dilation_rate=2, name="k")),
    "conv2d": ((8, 8, 3), lambda: L.Conv2D(5, 3, strides=2, padding="same", use_bias=False, name="k")),
    "conv2d_1x1": ((8, 8, 3), lambda: L.Conv2D(5, 1, name="k")),
    "conv2d_grouped": ((8, 8, 4), lambda: L.Conv2D(6, 3, groups=2, name="k")),
    "depthwise": ((8, 8, 3), lambda: L.DepthwiseConv2D(3, use_bias=False, name="k")),
    "depthwise_multiplier": ((8, 8, 3), lambda: L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="k")),
    "depthwise1d": ((8, 3), lambda: L.DepthwiseConv1D(3, depth_multiplier=2, name="k")),
    "transpose": ((4, 4, 3), lambda: L.Conv2DTranspose(5, 3, strides=2, padding="same", name="k")),
    "dense": ((7,), lambda: L.Dense(5, name="k")),
    "dense_on_a_sequence": ((None, 7), lambda: L.Dense(5, use_bias=False, name="k")),
}


@pytest.mark.parametrize("norm", [{}, {"scale": False, "epsilon": 1e-2}, {"center": False}], ids=str)
@pytest.mark.parametrize("case", CASES)
def test_each_kernel_takes_its_normalization(case: str, norm: dict[str, Any]) -> None:
    shape, layer = CASES[case]
    x = tf_keras.Input(shape, name="x")
    model = tf_keras.Model(x, L.ReLU(name="relu")(L.BatchNormalization(name="norm", **norm)(layer()(x))))
    folded = check(model)
    assert [each.name for each in folded.model.layers] == ["x", "k", "relu"]
    assert folded.unfolded == () and folded.model.get_layer("k").use_bias
    (kernel,) = kernels(folded.model)
    assert folded.factors[kernel.name].shape == kernel.scale_shape(per_tensor=False)


def test_zero_gamma_makes_a_zero_channel() -> None:
    x = tf_keras.Input((4, 4, 3))
    folded = check(tf_keras.Model(x, L.BatchNormalization()(L.DepthwiseConv2D(3, depth_multiplier=2, name="k")(x))))
    (kernel,) = kernels(folded.model)
    assert not kernel.variable.numpy()[..., 0, 0].any() and kernel.variable.numpy()[..., 0, 1].any()


def test_two_normalizations_in_a_row_fold_into_one_kernel() -> None:
    x = tf_keras.Input((4, 4, 3))
    y = L.BatchNormalization()(L.BatchNormalization()(L.Conv2D(4, 2, name="k")(x)))
    folded = check(tf_keras.Model(x, y))
    assert [layer.name for layer in folded.model.layers[1:]] == ["k"] and set(folded.factors) == {"k/kernel"}


@pytest.mark.parametrize(
    "between",
    [L.Dropout(0.5), L.SpatialDropout2D(0.5), L.GaussianNoise(1.0), L.Activation("linear"), L.ActivityRegularization()],
    ids=lambda layer: type(layer).__name__,
)
def test_folds_through_layers_that_do_nothing_in_inference(between: Any) -> None:
    folded = check(chain(L.Conv2D(4, 3, name="k"), between, NORM)())
    assert set(folded.factors) == {"k/kernel"} and not folded.unfolded


def test_dropout_that_is_always_on_is_not_passed() -> None:
    x = tf_keras.Input((4, 4, 3))
    y = L.Dropout(0.5, name="drop")(L.Conv2D(3, 3, name="k")(x), training=True)
    folded = fold_batch_norm(tf_keras.Model(x, L.BatchNormalization(name="norm")(y)))
    assert [layer for layer, _ in folded.unfolded] == ["norm"]


class AlwaysDropping(L.Dropout):  # type: ignore[misc]
    """Monte Carlo dropout."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        return super().call(inputs, training=True)


class HalfNorm(L.BatchNormalization):  # type: ignore[misc]
    """Another function than batch normalization."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        return 0.5 * super().call(inputs, training=training)


def test_a_class_of_the_users_own_is_neither_folded_nor_passed() -> None:
    x = tf_keras.Input((4, 4, 3))
    for layers in ((AlwaysDropping(0.5), L.BatchNormalization(name="norm")), (HalfNorm(name="norm"),)):
        y = L.Conv2D(3, 3, name="k")(x)
        for layer in layers:
            y = layer(y)
        assert [layer for layer, _ in fold_batch_norm(tf_keras.Model(x, y)).unfolded] == ["norm"]


def test_the_folded_layer_has_no_constraint_and_no_regularizer() -> None:
    limits = {"kernel_constraint": "max_norm", "bias_constraint": "non_neg", "kernel_regularizer": "l2"}
    folded = check(chain(L.Conv2D(4, 3, name="k", activity_regularizer="l1", **limits), NORM)())
    assert set(folded.factors) == {"k/kernel"} and not folded.unfolded
    layer = folded.model.get_layer("k")
    assert layer.kernel.constraint is None and not folded.model.losses
    assert [getattr(layer, name) for name in (*limits, "activity_regularizer")] == [None] * 4


def test_residual_blocks() -> None:
    x = tf_keras.Input((6, 6, 4), name="x")
    y = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same", name="one")(x)))
    y = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", name="two")(y))
    z = L.BatchNormalization()(L.Conv2D(4, 1, name="short")(x))
    model = tf_keras.Model(x, [L.Dense(2, name="head")(L.GlobalAveragePooling2D()(L.Add(name="sum")([y, z]))), z])
    folded = check(model)
    assert set(folded.factors) == {"one/kernel", "two/kernel", "short/kernel"} and not folded.unfolded


def test_separable_1d_folds_through_its_reshape() -> None:
    x = tf_keras.Input((8, 3))
    model = with_hard_statistics(tf_keras.Model(x, L.BatchNormalization()(L.SeparableConv1D(4, 3, name="s")(x))))
    folded = check(simplify(model).model)
    assert set(folded.factors) == {"s/kernel"} and not folded.unfolded


def shared_layer() -> Any:
    x, y = tf_keras.Input((4, 4, 3)), tf_keras.Input((4, 4, 3))
    conv = L.Conv2D(3, 3, name="k")
    return tf_keras.Model([x, y], [L.BatchNormalization(name="norm")(conv(x)), L.BatchNormalization()(conv(y))])


def shared_norm() -> Any:
    x, norm = tf_keras.Input((4, 4, 3)), L.BatchNormalization(name="norm")
    return tf_keras.Model(x, [norm(L.Conv2D(3, 3, name="k")(x)), norm(x)])


def used_twice() -> Any:
    x = tf_keras.Input((4, 4, 3))
    y = L.Conv2D(3, 3, name="k")(x)
    return tf_keras.Model(x, L.Add()([L.BatchNormalization(name="norm")(y), y]))


def an_output() -> Any:
    x = tf_keras.Input((4, 4, 3))
    y = L.Conv2D(3, 3, name="k")(x)
    return tf_keras.Model(x, [L.BatchNormalization(name="norm")(y), y])


def chain(*layers: Any) -> Callable[[], Any]:
    def build() -> Any:
        y = x = tf_keras.Input((6, 6, 3))
        for layer in layers:
            y = type(layer).from_config(layer.get_config())(y)
        return tf_keras.Model(x, y)

    return build


NORM = L.BatchNormalization(name="norm")
UNFOLDED = {
    "shared layer": (shared_layer, "'k' (Conv2D) before it is called at several places"),
    "shared norm": (shared_norm, "it is called at several places"),
    "used twice": (used_twice, "what 'k' makes is used at other places too"),
    "an output": (an_output, "what 'k' makes is used at other places too"),
    "input": (chain(NORM), "it comes directly after an input"),
    "activation": (
        chain(L.Conv2D(3, 3, activation="relu", name="k"), NORM),
        "'k' (Conv2D) before it has an activation",
    ),
    "no kernel": (
        chain(L.MaxPooling2D(name="pool"), NORM),
        "it comes after 'pool' (MaxPooling2D), which has no kernel to fold it into",
    ),
    "reshape of channels": (
        chain(L.Conv2D(4, 3, name="k"), L.Reshape((4, 8, 2), name="r"), NORM),
        "it comes after 'r' (Reshape), which has no kernel to fold it into",
    ),
    "other axis": (
        chain(L.Conv2D(4, 3, name="k"), L.BatchNormalization(axis=1, name="norm")),
        "it normalizes along axes [1], which are not the channels of 'k' (Conv2D)",
    ),
}


@pytest.mark.parametrize("case", UNFOLDED)
def test_what_cannot_be_folded_stays_and_is_listed(case: str) -> None:
    build, reason = UNFOLDED[case]
    folded = check(build())
    assert ("norm", reason) in folded.unfolded and not folded.factors
    assert "norm" in [layer.name for layer in folded.model.layers]


def test_training_mode_stays() -> None:
    x = tf_keras.Input((4, 4, 3))
    y = L.BatchNormalization(name="norm")(L.Conv2D(3, 3, name="k")(x), training=True)
    assert fold_batch_norm(tf_keras.Model(x, y)).unfolded == (
        ("norm", "it is called with training=True, so it has no fixed statistics"),
    )


def test_frozen_layers_stay_frozen() -> None:
    x = tf_keras.Input((4, 4, 3))
    model = tf_keras.Model(x, L.Dense(2, name="d")(L.BatchNormalization()(L.Conv2D(3, 3, name="k")(x))))
    model.get_layer("k").trainable = False
    folded = check(model)
    assert not folded.model.get_layer("k").trainable and folded.model.get_layer("d").trainable

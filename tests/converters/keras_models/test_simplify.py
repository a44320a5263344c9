"""Simplifying keeps the function, the names and the weights; TF-MOT takes what comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from bridge_checks import assert_same_outputs, randomize, snapshot
from tf_keras import layers as L  # noqa: N812

from converters.errors import ModelError
from converters.keras_models import bridge
from converters.keras_models.bridge import attachments
from converters.keras_models.simplify import Simplified, clone, fold_batch_norm, simplify


def check(model: Any) -> Simplified:
    randomize(model)
    before = snapshot(model)
    simplified = simplify(model)
    assert snapshot(model) == before
    assert_same_outputs(model, simplified.model)
    again = simplify(simplified.model)
    assert not again.notes and names(again.model) == names(simplified.model)
    return simplified


def names(model: Any) -> list[str]:
    return [layer.name for layer in model.layers]


def through(*layers: Any, shape: tuple[int | None, ...] = (8, 8, 3)) -> Any:
    y = x = tf_keras.Input(shape, name="x")
    for layer in layers:
        y = layer(y)
    return tf_keras.Model(x, y, name="m")


# --- clone --------------------------------------------------------------------------------------------------------


def everything() -> Any:
    """A twin with operators between layers, a shared layer, a mask, two inputs and two named outputs."""
    image, words = keras.Input((8, 8, 3), name="image"), keras.Input((5,), dtype="int32", name="words")
    shared = keras.layers.Dense(4, activation="hard_silu", name="shared")
    y = keras.layers.Conv2D(4, 3, activation="relu6", name="conv")(image)
    y = keras.ops.mean(y * 2 + 1, axis=(1, 2))
    z = keras.layers.LSTM(4, name="lstm")(keras.layers.Embedding(4, 3, mask_zero=True, name="table")(words))
    z = keras.layers.BatchNormalization(name="norm")(z)
    model = keras.Model({"image": image, "words": words}, {"a": shared(y), "b": shared(z) - keras.ops.abs(y)})
    return bridge.to_tf_keras(randomize(model))


def test_clone_is_equal_and_independent() -> None:
    model = everything()
    model.get_layer("conv").trainable = False
    before = snapshot(model)
    copy = clone(model)
    assert names(copy) == names(model) and copy.name == model.name
    assert copy.input_names == model.input_names and copy.output_names == model.output_names
    assert [each.name for each in copy.weights] == [each.name for each in model.weights]
    assert [each.trainable for each in copy.layers] == [each.trainable for each in model.layers]
    assert_same_outputs(model, copy, tolerance=0)
    assert not {id(layer) for layer in model.layers} & {id(layer) for layer in copy.layers}
    for weight in copy.weights:
        weight.assign(tf.ones_like(weight))
    copy.compile("sgd", "mse")
    assert snapshot(model) == before


def test_clone_of_a_frozen_sequential() -> None:
    model = tf_keras.Sequential([tf_keras.Input((4,)), L.Dense(3, name="one"), L.Dropout(0.5), L.Dense(2, name="two")])
    model.trainable = False
    copy = clone(randomize(model))
    assert not copy.trainable and not copy.trainable_weights and len(copy.weights) == 4
    assert_same_outputs(model, copy, tolerance=0)


def test_what_is_no_flat_tf_keras_model_is_refused() -> None:
    with pytest.raises(ModelError, match=r"expected a tf_keras model, got Sequential; make its twin with bridge"):
        clone(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))
    with pytest.raises(ModelError, match="has the model 'inner' inside, expected layers only"):
        simplify(through(tf_keras.Sequential([L.Dense(2)], name="inner")))


# --- separable convolutions ---------------------------------------------------------------------------------------

SEPARABLE: dict[str, tuple[tuple[int | None, ...], Callable[[], Any]]] = {
    "2d": ((8, 8, 3), lambda: L.SeparableConv2D(4, 3, name="s")),
    "2d_strided": (
        (8, 8, 3),
        lambda: L.SeparableConv2D(4, (3, 3), strides=2, padding="same", depth_multiplier=2, name="s"),
    ),
    "2d_dilated": ((None, None, 3), lambda: L.SeparableConv2D(4, (2, 3), dilation_rate=2, use_bias=False, name="s")),
    "2d_activation": ((8, 8, 3), lambda: L.SeparableConv2D(4, 3, activation="relu", name="s")),
    "1d": ((8, 3), lambda: L.SeparableConv1D(4, 3, depth_multiplier=2, name="s")),
    "1d_strided": ((9, 3), lambda: L.SeparableConv1D(4, 3, strides=2, padding="same", activation="relu", name="s")),
    "1d_dilated_free": ((None, 3), lambda: L.SeparableConv1D(4, 3, dilation_rate=2, padding="same", name="s")),
    "1d_causal": ((8, 3), lambda: L.SeparableConv1D(4, 3, dilation_rate=2, padding="causal", name="s")),
    "1d_causal_free": ((None, 3), lambda: L.SeparableConv1D(4, 3, padding="causal", use_bias=False, name="s")),
}


@pytest.mark.parametrize("case", SEPARABLE)
def test_separable_convolutions_are_split(case: str) -> None:
    shape, layer = SEPARABLE[case]
    model = through(layer(), shape=shape)
    simplified = check(model)
    kinds = {each.name: type(each).__name__ for each in simplified.model.layers[1:]}
    pad = {"s_pad": "ZeroPadding1D"} if "causal" in case else {}
    around = {"s_expand": "Reshape"}, {"s_squeeze": "Reshape"}
    first, last = around if case.startswith("1d") else ({}, {})
    assert kinds == {**pad, **first, "s_depthwise": "DepthwiseConv2D", "s": "Conv2D", **last}
    assert simplified.notes == (("s", "its depthwise half became the layer 's_depthwise'"),)
    assert simplified.model.output_shape == model.output_shape


def test_settings_and_flags_go_to_the_halves() -> None:
    layer = L.SeparableConv2D(
        4, 3, depthwise_regularizer="l1", pointwise_constraint="max_norm", bias_regularizer="l2", name="s"
    )
    layer.trainable = False
    model = simplify(through(layer, L.Conv2D(2, 1, name="s_depthwise"))).model
    assert names(model) == ["x", "s_depthwise_1", "s", "s_depthwise"]
    depthwise, pointwise = model.get_layer("s_depthwise_1"), model.get_layer("s")
    assert not depthwise.trainable and not pointwise.trainable and model.get_layer("s_depthwise").trainable
    assert depthwise.depthwise_regularizer is not None and not depthwise.use_bias
    assert pointwise.kernel_constraint is not None and pointwise.bias_regularizer is not None


def test_shared_separable_stays_shared() -> None:
    shared, x, y = (
        L.SeparableConv2D(3, 3, padding="same", activation="tanh", name="s"),
        *(tf_keras.Input((8, 8, 3), name=name) for name in "xy"),
    )
    simplified = check(tf_keras.Model([x, y], L.Subtract()([shared(shared(x)), shared(y)])))
    assert sorted(names(simplified.model)) == sorted(["x", "y", "s_depthwise", "s", "s_tanh", "subtract"])
    assert len(simplified.model.weights) == 3


# --- activations --------------------------------------------------------------------------------------------------


def test_only_activations_that_no_kernel_fuses_are_split_off() -> None:
    model = through(
        L.Conv2D(4, 3, activation="relu", name="a"),
        L.DepthwiseConv2D(3, activation="relu6", name="b"),
        L.Conv2DTranspose(4, 3, name="c"),
        L.Conv2D(4, 3, activation="tanh", name="d"),
        L.Flatten(name="f"),
        L.Dense(4, activation=attachments.hard_silu, name="g"),
        L.Dense(4, activation=L.PReLU(name="slope"), name="h"),
        L.Dense(3, activation="softmax", name="i"),
    )
    simplified = check(model)
    expected = ["x", "a", "b", "c", "d", "d_tanh", "f", "g", "g_hard_silu", "h", "h_slope", "i", "i_softmax"]
    assert names(simplified.model) == expected
    assert simplified.notes[-1] == ("i", "recipes know its activation as the layer 'i_softmax'")
    assert simplified.model.output_names == ["i_softmax"]


def test_order_of_outputs_stays() -> None:
    x = tf_keras.Input((5,), name="x")
    outputs = [L.Dense(2, activation="sigmoid", name="b")(x), L.Dense(3, name="a")(x)]
    simplified = check(tf_keras.Model(x, outputs))
    assert simplified.model.output_names == ["b_sigmoid", "a"] and simplified.model.input_names == ["x"]
    structured = check(tf_keras.Model({"x": x}, {"q": outputs[0], "p": [outputs[1]]}))
    assert set(structured.model(tf.zeros((1, 5)))) == {"p", "q"}


def test_an_activity_regularizer_keeps_its_activation() -> None:
    simplified = simplify(through(L.Dense(2, activation="tanh", activity_regularizer="l2", name="d")))
    assert names(simplified.model) == ["x", "d"]
    assert simplified.notes == (
        ("d", "keeps its activation, because its activity_regularizer sees what comes out of it"),
    )


def test_recurrent_layers_keep_their_activations() -> None:
    assert check(through(L.LSTM(3), L.Dense(2), shape=(4, 3))).notes == ()


def test_half_precision_policy_stays() -> None:
    layer = L.SeparableConv2D(4, 3, activation="tanh", dtype="mixed_float16", name="s")
    model = simplify(through(layer)).model
    assert {each.dtype_policy.name for each in model.layers[1:]} == {"mixed_float16"}


def test_operators_of_a_twin_come_along() -> None:
    model = everything()
    simplified = simplify(model)
    assert_same_outputs(model, simplified.model)
    assert {"shared", "shared_hard_silu"} <= set(names(simplified.model))


# --- TF-MOT -------------------------------------------------------------------------------------------------------


def small_model() -> Any:
    x = tf_keras.Input((8, 8, 3), name="x")
    y = L.ReLU(name="r")(L.BatchNormalization(name="n")(L.SeparableConv2D(4, 3, padding="same", name="s")(x)))
    z = L.ReLU(6.0, name="r6")(L.BatchNormalization(name="m")(L.Conv2D(4, 3, padding="same", name="c")(y)))
    y = L.Flatten(name="f")(L.Add(name="sum")([y, z]))
    return randomize(tf_keras.Model(x, L.Dense(3, activation="softmax", name="d")(y)))


@pytest.mark.parametrize("fold", [False, True], ids=["simplified", "folded"])
def test_tf_mot_takes_the_result(fold: bool) -> None:
    mot = pytest.importorskip("tensorflow_model_optimization")
    model = simplify(small_model()).model
    model = fold_batch_norm(model).model if fold else model
    before = snapshot(model)
    quantizing = mot.quantization.keras
    annotated = tf_keras.models.clone_model(clone(model), clone_function=quantizing.quantize_annotate_layer)
    with quantizing.quantize_scope():
        quantized = quantizing.quantize_apply(annotated)
    pruned = mot.sparsity.keras.prune_low_magnitude(clone(model))
    clustered = mot.clustering.keras.cluster_weights(
        clone(model),
        number_of_clusters=2,
        cluster_centroids_init=mot.clustering.keras.CentroidInitialization.LINEAR,
    )
    image = np.random.default_rng(0).uniform(size=(2, 8, 8, 3)).astype("float32")
    for wrapped in (quantized, pruned, clustered):
        assert np.isfinite(wrapped(image, training=False)).all()
    stripped = mot.sparsity.keras.strip_pruning(pruned)
    assert names(clone(stripped)) == names(model)
    assert snapshot(model)[0] == before[0]

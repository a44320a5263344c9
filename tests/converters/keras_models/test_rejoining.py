"""What users of a compressed model rely on: its activations are back in the layers that had them."""

from __future__ import annotations

import keras
import pytest
import tf_keras
from bridge_checks import assert_same_outputs, randomize, snapshot
from tf_keras import layers as L  # noqa: N812

from converters.keras_models.bridge import to_tf_keras
from converters.keras_models.rejoining import rejoin
from converters.keras_models.simplify import fold_batch_norm, simplify


@pytest.mark.parametrize("package", [keras, tf_keras], ids=["keras", "tf_keras"])
def test_layers_have_the_names_and_activations_of_the_original_again(package: object) -> None:
    layers = package.layers  # type: ignore[attr-defined]
    x = package.Input((8, 8, 3), name="x")  # type: ignore[attr-defined]
    y = layers.Conv2D(4, 3, activation="tanh", name="conv")(x)
    y = layers.Conv2D(4, 3, name="plain")(y)
    y = layers.Activation("sigmoid", name="own")(layers.BatchNormalization(name="norm")(y))
    shared = layers.Dense(4, activation="softmax", name="shared")
    y = layers.Add(name="sum")([shared(shared(y)), shared(y)])
    model = package.Model(x, layers.Dense(3, activation="softmax", name="dense")(y))  # type: ignore[attr-defined]
    twin = randomize(to_tf_keras(model))
    folded = fold_batch_norm(simplify(twin).model).model
    folded.get_layer("conv").trainable = False
    before = snapshot(folded)
    joined = rejoin(folded, model)
    assert snapshot(folded) == before
    assert_same_outputs(folded, joined)
    expected = {layer.name: layer for layer in twin.layers if layer.name != "norm"}
    assert [layer.name for layer in joined.layers] == list(expected)
    assert joined.output_names == twin.output_names
    assert {layer.name for layer in joined.layers if not layer.trainable} == {"conv"}
    for name in ("conv", "plain", "own", "shared", "dense"):
        assert joined.get_layer(name).activation is expected[name].activation


def test_what_is_read_in_between_stays_apart() -> None:
    x = tf_keras.Input((5,), name="x")
    model = tf_keras.Model(x, L.Dense(3, activation="softmax", name="d")(x))
    simple = simplify(randomize(model)).model
    both = tf_keras.Model(simple.inputs, [*simple.outputs, simple.get_layer("d").output])
    assert rejoin(both, model) is both


def test_an_activation_with_weights_stays_a_layer() -> None:
    x = tf_keras.Input((5,), name="x")
    model = randomize(tf_keras.Model(x, L.Dense(3, activation=L.PReLU(name="slope"), name="d")(x)))
    simple = simplify(model).model
    assert rejoin(simple, model) is simple

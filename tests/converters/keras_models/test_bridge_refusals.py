"""A model that cannot cross is refused in one line that names the layer, the reason and a way out."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from bridge_checks import round_trip
from keras import layers as L  # noqa: N812
from keras import ops

from converters.errors import BridgeError
from converters.keras_models import bridge
from converters.keras_models.bridge import attachments, comparison


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__(name="mine")
        self.dense = L.Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.dense(inputs)


def test_subclassed_model_is_named_with_a_way_out() -> None:
    model = Subclassed()
    model(np.ones((1, 3), "float32"))
    with pytest.raises(BridgeError, match=r"'mine' \(Subclassed\) is a subclassed model.*functional model"):
        bridge.to_tf_keras(model)


def test_subclassed_model_inside_a_functional_one_is_named() -> None:
    x = keras.Input((3,))
    with pytest.raises(BridgeError, match=r"'mine' \(Subclassed\) is a subclassed model"):
        bridge.to_tf_keras(keras.Model(x, Subclassed()(x)))


def test_unbuilt_sequential_model_is_told_to_be_built() -> None:
    for package, cross in ((keras, bridge.to_tf_keras), (tf_keras, bridge.to_keras)):
        with pytest.raises(BridgeError, match=r"does not know its input shape.*model.build"):
            cross(package.Sequential([package.layers.Dense(3)]))


class Custom(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (lambda: Custom(name="own"), r"'own' \(Custom\).*custom layer, whose code only runs in its own Keras"),
        (lambda: L.RMSNormalization(), r"RMSNormalization.*use keras.ops.rms_normalization"),
        (lambda: L.GRU(3, stateful=True), r"GRU.*stateful=True has no counterpart; set it to False"),
        (lambda: L.BatchNormalization(renorm=True), r"BatchNormalization.*renorm=True has no counterpart"),
        (lambda: L.Dense(3, activation=lambda x: x * 2), r"Dense.*activation '<lambda>' is not one of Keras's own"),
        (lambda: L.AdaptiveAveragePooling1D(2), r"AdaptiveAveragePooling1D.*no such layer"),
    ],
)
def test_layer_that_cannot_cross_is_named_with_reason_and_way_out(layer: Any, message: str) -> None:
    x = keras.Input(batch_shape=(2, 4, 3))
    with pytest.raises(BridgeError, match=message) as caught:
        bridge.to_tf_keras(keras.Model(x, layer()(x)))
    assert "\n" not in str(caught.value)


def test_custom_regularizer_is_not_dropped_in_silence() -> None:
    class Odd(keras.regularizers.Regularizer):
        def __call__(self, x: Any) -> Any:
            return ops.sum(x)

    x = keras.Input((3,))
    with pytest.raises(BridgeError, match=r"regularizer 'Odd' does not exist in tf_keras"):
        bridge.to_tf_keras(keras.Model(x, L.Dense(2, kernel_regularizer=Odd())(x)))


def test_string_input_is_refused() -> None:
    x = keras.Input((1,), dtype="string")
    with pytest.raises(BridgeError, match="input .* takes strings"):
        bridge.to_tf_keras(keras.Model(x, L.Identity()(x)))


def test_what_is_no_model_is_refused() -> None:
    for thing in (L.Dense(3), tf_keras.layers.Dense(3), "model.keras", None):
        with pytest.raises(BridgeError, match="expected a Keras model"):
            bridge.to_tf_keras(thing)


def test_wrong_twin_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    # A bug is planted: relu6 crosses as relu. The final softmax hides nothing: the layer is named.
    wrong = dict(attachments.ACTIVATIONS) | {"relu6": (keras.activations.relu6, tf_keras.activations.relu)}
    monkeypatch.setattr(attachments, "ACTIVATIONS", wrong)
    x = keras.Input((4,))
    y = L.Dense(8, activation="relu6", kernel_initializer=keras.initializers.RandomNormal(0, 20, seed=1), name="bad")(x)
    model = keras.Model(x, L.Dense(1, activation="softmax")(y))
    with pytest.raises(BridgeError, match=r"does not compute the same.*they part at 'bad' \(Dense\)"):
        bridge.to_tf_keras(model)


def test_difference_is_relative_and_sees_nan_and_shapes() -> None:
    assert comparison.difference([0.0, 100.0], [0.0, 101.0]) == pytest.approx(0.01)
    assert comparison.difference([np.nan, np.inf], [np.nan, np.inf]) == 0.0
    assert comparison.difference([1.0, np.nan], [1.0, 1.0]) == np.inf
    assert comparison.difference([1.0], [1.0, 1.0]) == np.inf


def test_nested_model_called_on_a_constant_is_refused() -> None:
    a, b = tf_keras.Input((3,)), tf_keras.Input((3,))
    inner = tf_keras.Model([a, b], a + b, name="inner")
    with pytest.raises(BridgeError, match="'inner' is called on a constant"):
        bridge.to_keras(tf_keras.Model(a, inner([a, tf.ones((1, 3))])))


def test_model_whose_code_does_more_than_its_graph_is_refused() -> None:
    class Louder(keras.Model):
        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            return 2 * super().call(inputs, training=training, mask=mask)

    x = keras.Input((3,))
    with pytest.raises(BridgeError, match="each layer agrees, so the model itself does more than its layers"):
        bridge.to_tf_keras(Louder(x, L.Dense(2)(x)))


def test_names_that_tensorflow_cannot_hold_are_replaced() -> None:
    x = keras.Input((3,), name="the input")
    twin, _ = round_trip(keras.Model(x, L.Dense(2, name="größe; (2)")(L.Dense(2, name="_under")(x))))
    assert [layer.name for layer in twin.layers] == ["the_input", "layer_under", "gr__e___2_"]

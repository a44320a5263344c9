"""What a user relies on when a model crosses between Keras 3 and tf_keras."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from bridge_checks import assert_same_outputs, inputs_for, outputs_of, randomize, round_trip, snapshot
from keras import layers as L  # noqa: N812
from keras import ops

from converters.errors import BridgeError
from converters.keras_models import bridge
from converters.keras_models.bridge import attachments
from converters.keras_models.bridge.kinds import KERAS, TF_KERAS


def small_convolutional() -> keras.Model:
    return randomize(
        keras.Sequential(
            [
                keras.Input((8, 8, 3), name="image"),
                L.Conv2D(8, 3, padding="same", use_bias=False, name="conv"),
                L.BatchNormalization(name="norm"),
                L.ReLU(6.0, name="relu"),
                L.GlobalAveragePooling2D(name="pool"),
                L.Dense(4, activation="softmax", name="dense"),
            ],
            name="small",
        )
    )


# --- structure ----------------------------------------------------------------------------------------------------


def test_sequential_becomes_functional_with_the_same_names() -> None:
    twin, back = round_trip(small_convolutional())
    for model in (twin, back):
        assert model.name == "small"
        assert [layer.name for layer in model.layers] == ["image", "conv", "norm", "relu", "pool", "dense"]


def test_nested_models_are_flattened_and_keep_recognisable_names() -> None:
    backbone = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(4, 3, name="conv"), L.ReLU(name="relu")], name="inner"
    )
    x = keras.Input((8, 8, 3), name="image")
    middle_in = keras.Input((8, 8, 3))
    middle = keras.Model(middle_in, backbone(middle_in) * 2, name="middle")
    model = keras.Model(x, L.Conv2D(2, 1, name="conv")(middle(L.Conv2D(3, 1, name="inner_conv")(x))))
    twin, _ = round_trip(randomize(model))
    names = [layer.name for layer in twin.layers]
    assert names[:4] == ["image", "inner_conv", "middle_inner_conv", "middle_inner_relu"]
    assert names[4].startswith("middle_multiply") and names[5:] == ["conv"]
    assert not any(isinstance(layer, tf_keras.Model) for layer in twin.layers)


def test_flattened_names_stay_unique() -> None:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(4, name="dense")], name="a")
    x = keras.Input((4,))
    twin, _ = round_trip(randomize(keras.Model(x, L.Dense(3, name="a_dense")(inner(x)))))
    assert sorted(layer.name for layer in twin.layers[1:]) == ["a_dense", "a_dense_1"]


def test_shared_layer_stays_one_layer() -> None:
    shared, x, y = L.Dense(5, name="shared"), keras.Input((5,)), keras.Input((5,))
    model = randomize(keras.Model([x, y], L.Subtract()([shared(x), shared(shared(y))])))
    twin, back = round_trip(model)
    for each in (twin, back):
        assert [layer.name for layer in each.layers].count("shared") == 1
        assert len(each.weights) == 2


def test_shared_nested_model_stays_shared() -> None:
    tower = keras.Sequential([keras.Input((6,)), L.Dense(4, activation="relu"), L.BatchNormalization()], name="tower")
    x, y = keras.Input((6,)), keras.Input((6,))
    twin, _ = round_trip(randomize(keras.Model([x, y], ops.abs(tower(x) - tower(y)))))
    assert len(twin.weights) == len(tower.weights)


def test_several_inputs_and_outputs_keep_their_order_and_names() -> None:
    a, b, c = keras.Input((3,), name="a"), keras.Input((4,), name="b"), keras.Input((5,), name="c")
    left, right = L.Dense(2, name="left")(L.Concatenate()([b, a])), L.Dense(3, name="right")(c)
    twin, back = round_trip(randomize(keras.Model([c, a, b], [right, left, a])))
    assert twin.input_names == ["c", "a", "b"]
    assert twin.output_names[:2] == ["right", "left"]
    assert [tensor.name for tensor in back.inputs] == ["c", "a", "b"]


def test_dicts_of_inputs_and_outputs_stay_dicts() -> None:
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    model = keras.Model({"b": b, "a": a}, {"late": L.Dense(2)(b), "early": L.Dense(3)(a)})
    twin, back = round_trip(randomize(model))
    feeds = dict(zip("ab", inputs_for(model), strict=True))
    assert set(twin(feeds)) == set(back(feeds)) == {"late", "early"}


def test_static_batch_and_input_types_are_kept() -> None:
    tokens, image = keras.Input(batch_shape=(1, 7), dtype="int32"), keras.Input((4, 4, 1), dtype="uint8")
    pooled = L.GlobalMaxPooling2D()(L.Rescaling(1 / 255)(image))
    model = keras.Model([tokens, image], [L.Embedding(9, 3)(tokens), pooled])
    twin, back = round_trip(model)
    for each in (twin, back):
        assert [tuple(tensor.shape) for tensor in each.inputs] == [(1, 7), (None, 4, 4, 1)]
        assert [getattr(tensor.dtype, "name", tensor.dtype) for tensor in each.inputs] == ["int32", "uint8"]


def test_free_axes_stay_free() -> None:
    x = keras.Input((None, None, 3))
    twin, _ = round_trip(randomize(keras.Model(x, L.GlobalAveragePooling2D()(L.Conv2D(4, 3)(x)))))
    assert tuple(twin.inputs[0].shape) == (None, None, None, 3)


def test_inner_model_called_with_training_false_keeps_its_batch_norm_frozen() -> None:
    inner = randomize(keras.Sequential([keras.Input((4,)), L.BatchNormalization()], name="inner"))
    x = keras.Input((4,))
    twin = bridge.to_tf_keras(keras.Model(x, inner(x, training=False)))
    feeds = inputs_for(twin)[0]
    np.testing.assert_allclose(twin(feeds, training=True), twin(feeds, training=False))


def test_dropout_still_drops_in_training() -> None:
    x = keras.Input((100,))
    twin = bridge.to_tf_keras(keras.Model(x, L.Dropout(0.5)(x)))
    assert (np.asarray(twin(np.ones((1, 100)), training=True)) == 0).any()


# --- recurrent and attention --------------------------------------------------------------------------------------


def test_masks_reach_the_recurrent_layer() -> None:
    x = keras.Input((6,), dtype="int32")
    y = L.GRU(3, return_sequences=True)(L.Embedding(4, 5, mask_zero=True)(x))
    model = randomize(keras.Model(x, L.Bidirectional(L.LSTM(2))(y)))
    twin, _ = round_trip(model)
    assert [type(layer).__name__ for layer in twin.layers] == ["InputLayer", "Embedding", "GRU", "Bidirectional"]


def test_explicit_mask_and_causal_attention_cross() -> None:
    x, mask = keras.Input((5, 8)), keras.Input((5, 5), dtype="bool")
    y = L.MultiHeadAttention(2, 4)(x, x, attention_mask=mask)
    y = L.MultiHeadAttention(2, 4, name="causal")(query=y, value=x, use_causal_mask=True)
    round_trip(randomize(keras.Model([x, mask], L.LayerNormalization()(x + y))))


def test_states_of_a_recurrent_layer_cross() -> None:
    x = keras.Input((5, 3))
    y, h, c = L.LSTM(4, return_sequences=True, return_state=True)(x)
    z = L.LSTM(4)(y, initial_state=[h, c])
    round_trip(randomize(keras.Model(x, [z, h])))


def test_unmerged_bidirectional_keeps_both_outputs() -> None:
    x = keras.Input((4, 3))
    forward, backward = L.Bidirectional(L.SimpleRNN(2), merge_mode=None)(x)
    round_trip(randomize(keras.Model(x, [forward, backward])))


# --- settings -----------------------------------------------------------------------------------------------------


def test_trainable_flags_cross() -> None:
    model = small_convolutional()
    model.get_layer("conv").trainable = False
    model.get_layer("norm").trainable = False
    for each in round_trip(model):
        assert [layer.trainable for layer in each.layers[1:]] == [False, False, True, True, True]
        assert len(each.trainable_weights) == 2


def test_frozen_model_stays_frozen() -> None:
    model = small_convolutional()
    model.trainable = False
    for each in round_trip(model):
        assert not each.trainable_weights and not each.trainable


def test_initializers_regularizers_and_constraints_cross() -> None:
    x = keras.Input((3,))
    layer = L.Dense(
        4,
        kernel_initializer=keras.initializers.HeNormal(seed=3),
        bias_initializer=keras.initializers.Constant(0.5),
        kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2),
        kernel_constraint=keras.constraints.MaxNorm(1.5),
        activity_regularizer="l2",
    )
    for each in round_trip(keras.Model(x, layer(x))):
        dense = each.layers[-1]
        assert (type(dense.kernel_initializer).__name__, dense.kernel_initializer.seed) == ("HeNormal", 3)
        assert dense.bias_initializer.get_config() == {"value": 0.5}
        assert dense.kernel_regularizer.get_config() == pytest.approx({"l1": 0.1, "l2": 0.2})
        assert dense.kernel_constraint.max_value == 1.5
        assert type(dense.activity_regularizer).__name__ == "L2"


def test_mixed_precision_policy_crosses() -> None:
    x = keras.Input((6, 6, 3))
    y = L.Conv2D(4, 3, dtype="mixed_float16", name="half")(x)
    y = ops.relu(y) + 1
    model = randomize(keras.Model(x, L.Dense(2, dtype="float32")(L.Flatten(dtype="float32")(y))))
    twin, _ = round_trip(model, tolerance=5e-3)
    assert twin.get_layer("half").dtype_policy.name == "mixed_float16"


@pytest.mark.parametrize("name", sorted(attachments.ACTIVATIONS))
def test_activation_means_the_same_on_both_sides(name: str) -> None:
    here, there = attachments.ACTIVATIONS[name]
    x = np.random.default_rng(0).normal(0, 3, (4, 10)).astype("float32")
    np.testing.assert_allclose(there(keras.ops.convert_to_tensor(x)), here(x), atol=1e-6)
    assert attachments.activation(here, TF_KERAS) is there
    assert attachments.activation(there, KERAS) is here


@pytest.mark.parametrize("name", ["hard_sigmoid", "hard_silu", "relu6", "silu", "leaky_relu", "log_softmax", "celu"])
def test_activation_keeps_its_meaning_when_tf_keras_clones_the_layer(name: str) -> None:
    x = keras.Input((10,))
    model = randomize(keras.Model(x, L.Dense(10, activation=name)(x)))
    twin = bridge.to_tf_keras(model)
    clone = tf_keras.models.clone_model(twin)
    clone.set_weights(twin.get_weights())
    assert_same_outputs(model, clone)


def test_hard_sigmoid_of_tf_keras_keeps_its_own_meaning_in_keras() -> None:
    x = tf_keras.Input((5, 3))
    model = randomize(tf_keras.Model(x, tf_keras.layers.GRU(4, recurrent_activation="hard_sigmoid")(x)))
    assert_same_outputs(model, bridge.to_keras(model))


def test_adapted_normalization_keeps_its_statistics_through_a_clone() -> None:
    layer = L.Normalization()
    layer.adapt(np.random.default_rng(0).normal(3, 2, (50, 4)))
    x = keras.Input((4,))
    model = keras.Model(x, layer(x))
    twin, _ = round_trip(model)
    assert_same_outputs(model, tf_keras.models.clone_model(twin))
    assert_same_outputs(twin, bridge.to_tf_keras(twin))


# --- independence -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cross", [bridge.to_keras, bridge.to_tf_keras])
def test_a_model_of_the_wanted_kind_is_copied(cross: Any) -> None:
    model = small_convolutional()
    if cross is bridge.to_tf_keras:
        model = bridge.to_tf_keras(model)
    before = snapshot(model)
    copy = cross(model)
    assert type(copy).__module__.split(".")[0] == type(model).__module__.split(".")[0]
    for weight in copy.weights:
        weight.assign(weight.numpy() + 1)
    assert snapshot(model) == before
    assert not {id(layer) for layer in model.layers} & {id(layer) for layer in copy.layers}


def test_custom_layers_are_copied_within_their_own_keras() -> None:
    class Twice(tf_keras.layers.Dense):
        def call(self, inputs: Any) -> Any:
            return 2 * super().call(inputs)

    x = tf_keras.Input((3,))
    model = randomize(tf_keras.Model(x, Twice(4)(x)))
    assert_same_outputs(model, bridge.to_tf_keras(model))
    with pytest.raises(BridgeError, match=r"'twice' \(Twice\).*custom layer.*build it from Keras layers"):
        bridge.to_keras(model)


# --- what it is for -----------------------------------------------------------------------------------------------


def test_tfmot_prunes_and_quantizes_twins() -> None:
    tfmot = pytest.importorskip("tensorflow_model_optimization")
    model = small_convolutional()
    before = outputs_of(model, inputs_for(model))
    with pytest.raises(ValueError, match="can only either be a keras Sequential or Functional"):
        tfmot.quantization.keras.quantize_model(model)
    quantized = tfmot.quantization.keras.quantize_model(bridge.to_tf_keras(model))
    assert outputs_of(quantized, inputs_for(model))[0].shape == before[0].shape

    x = keras.Input((8, 8, 3))
    y = L.Conv2D(4, 3, padding="same")(x)
    y = ops.relu6(y + 3) * (1 / 6) * y
    operators = randomize(keras.Model(x, L.Dense(2)(ops.mean(y, axis=(1, 2)))))
    pruned = tfmot.sparsity.keras.prune_low_magnitude(bridge.to_tf_keras(operators))
    stripped = tfmot.sparsity.keras.strip_pruning(pruned)
    assert_same_outputs(operators, bridge.to_keras(stripped))

"""Real architectures cross to tf_keras and back; random weights, small images, nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest
import tf_keras
from bridge_checks import assert_same_outputs, randomize, round_trip
from keras import layers as L  # noqa: N812
from keras import ops

from converters.keras_models import bridge

APPLICATIONS: dict[str, dict[str, Any]] = {
    "MobileNet": {"alpha": 0.25},
    "MobileNetV2": {"alpha": 0.35},
    "MobileNetV3Small": {"alpha": 0.75},
    "MobileNetV3Large": {"alpha": 0.75},
    "EfficientNetB0": {},
    "ResNet50": {},
}


@pytest.mark.parametrize("name", list(APPLICATIONS))
def test_application_crosses_and_comes_back(name: str) -> None:
    application = getattr(keras.applications, name)
    model = application(weights=None, input_shape=(64, 64, 3), classes=10, **APPLICATIONS[name])
    twin, back = round_trip(randomize(model))
    layers = {layer.name for layer in model.layers}
    assert layers <= {layer.name for layer in twin.layers}
    assert len(twin.layers) == len(model.operations)
    assert twin.count_params() == back.count_params() == sum(weight.numpy().size for weight in twin.weights)
    assert not [layer for layer in twin.layers if "OpLambda" in type(layer).__name__]


def test_application_inside_a_transfer_model_is_flattened() -> None:
    backbone = keras.applications.MobileNetV2(
        weights=None, input_shape=(32, 32, 3), alpha=0.35, include_top=False, name="backbone"
    )
    backbone.trainable = False
    image = keras.Input((32, 32, 3), name="image")
    augmented = keras.Sequential([L.RandomFlip("horizontal"), L.RandomRotation(0.1)], name="augment")(image)
    features = backbone(L.Rescaling(1 / 127.5, offset=-1)(augmented), training=False)
    model = keras.Model(image, L.Dense(5)(L.Dropout(0.2)(L.GlobalAveragePooling2D()(features))))
    twin, _ = round_trip(randomize(model))
    assert "backbone_Conv1" in [layer.name for layer in twin.layers]
    assert len(twin.trainable_weights) == 2


def test_model_from_an_old_h5_file_crosses_to_keras_and_back(real_data: Path) -> None:
    model = tf_keras.models.load_model(real_data / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", compile=False)
    back = bridge.to_keras(model)
    assert_same_outputs(model, back)
    assert_same_outputs(model, bridge.to_tf_keras(back))
    assert [layer.name for layer in back.layers] == [layer.name for layer in model.layers]


def test_gru_over_words_crosses() -> None:
    words = keras.Input((12,), dtype="int32", name="words")
    x = L.Embedding(30, 8, mask_zero=True)(words)
    x = L.GRU(12, return_sequences=True)(x)
    x = L.GRU(8, reset_after=False, recurrent_activation="hard_sigmoid")(x)
    model = keras.Model(words, L.Dense(3, activation="softmax")(x))
    round_trip(randomize(model), below=30)


def test_transformer_crosses() -> None:
    tokens = keras.Input((10,), dtype="int32", name="tokens")
    positions = L.Embedding(10, 16)(ops.broadcast_to(ops.arange(10), (1, 10)))
    x = L.Embedding(30, 16)(tokens) + ops.convert_to_numpy(positions)
    for _ in range(2):
        attention = L.MultiHeadAttention(num_heads=2, key_dim=8, dropout=0.1)
        x = L.LayerNormalization(epsilon=1e-6)(x + attention(x, x))
        x = L.LayerNormalization(epsilon=1e-6)(L.Dense(16)(L.Dense(32, activation="gelu")(x)) + x)
    model = keras.Model(tokens, L.Dense(4, activation="softmax")(ops.mean(x, axis=1)))
    twin, _ = round_trip(randomize(model), below=30)
    assert [type(layer).__name__ for layer in twin.layers].count("MultiHeadAttention") == 2

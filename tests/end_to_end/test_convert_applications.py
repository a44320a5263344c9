"""What users rely on: the models that people have become int8 files that compute what the Keras model does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from bridge_checks import randomize

import tfcompress
from converters.runtimes import litert

SIZE = (64, 64, 3)


def application(name: str, **options: Any) -> Callable[[], Any]:
    def build() -> Any:
        make = getattr(keras.applications, name)
        return make(weights=None, input_shape=SIZE, classes=10, classifier_activation=None, **options)

    return build


def gru(library: Any) -> Any:
    inputs = library.Input((12, 6), name="steps")
    hidden = library.layers.GRU(8, return_sequences=True, name="gru_1")(inputs)
    return library.Model(inputs, library.layers.Dense(4, name="out")(library.layers.GRU(8, name="gru_2")(hidden)))


def transformer(library: Any) -> Any:
    layers = library.layers
    inputs = layers.Input((12, 16), name="tokens")
    attended = layers.MultiHeadAttention(2, 8, name="attention")(inputs, inputs)
    hidden = layers.LayerNormalization(name="norm_1")(layers.Add(name="add_1")([inputs, attended]))
    wide = layers.Dense(32, activation="gelu", name="wide")(hidden)
    hidden = layers.Add(name="add_2")([hidden, layers.Dense(16, name="narrow")(wide)])
    hidden = layers.LayerNormalization(name="norm_2")(hidden)
    return library.Model(inputs, layers.Dense(4, name="out")(layers.GlobalAveragePooling1D(name="mean")(hidden)))


MODELS: dict[str, tuple[Callable[[], Any], tuple[float, float]]] = {
    "MobileNet": (application("MobileNet", alpha=0.25), (-1, 1)),
    "MobileNetV2": (application("MobileNetV2", alpha=0.35), (-1, 1)),
    "MobileNetV3Small": (application("MobileNetV3Small"), (0, 255)),
    "EfficientNetB0": (application("EfficientNetB0"), (0, 255)),
    "ResNet50": (application("ResNet50"), (-100, 150)),
    "GRU": (lambda: gru(keras), (-1, 1)),
    "GRU of tf_keras": (lambda: gru(tf_keras), (-1, 1)),
    "Transformer": (lambda: transformer(keras), (-1, 1)),
    "Transformer of tf_keras": (lambda: transformer(tf_keras), (-1, 1)),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_becomes_a_verified_int8_file_close_to_it(name: str) -> None:
    build, (low, high) = MODELS[name]
    keras.utils.set_random_seed(0)
    tf_keras.utils.set_random_seed(0)
    # Batch norms that are no identities, so that a deep network's output keeps a size.
    model = randomize(build())
    samples = np.random.default_rng(0).uniform(low, high, (24, *model.inputs[0].shape[1:])).astype(np.float32)
    result = tfcompress.convert(model, samples)
    assert result.flatbuffer.integer_only
    names = {layer.name for layer in model._flatten_layers()} | {op.name for op in getattr(model, "operations", [])}
    assert {operator.layer for operator in result.flatbuffer.operators} <= names
    (outputs,) = litert.run(result.flatbuffer.data, [samples])
    expected = np.asarray(model(samples, training=False))
    error = np.sqrt(np.mean((outputs.reshape(expected.shape) - expected) ** 2))
    # Random weights give outputs that hardly differ between samples, so the yardstick is their size.
    assert error <= 0.1 * np.sqrt(np.mean(expected**2))

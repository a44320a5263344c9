"""A Keras 3 model as a tf_keras model, and back, by walking its nodes."""

from converters.keras_models.bridge.cross import to_keras, to_tf_keras

__all__ = ["to_keras", "to_tf_keras"]

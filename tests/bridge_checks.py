"""What every crossing must hold, checked without the bridge's own comparison."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from converters.keras_models import bridge


def randomize(model: Any, seed: int = 0) -> Any:
    """The model, every weight a random value, so that no batch norm is an identity and no bias is zero."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        name, shape = weight.name.split("/")[-1], tuple(weight.shape)
        if np.issubdtype(np.dtype(tf.as_dtype(weight.dtype).as_numpy_dtype), np.integer):
            continue
        values = generator.normal(0, 1 / np.sqrt(np.prod(shape[:-1], initial=1) or 1), shape)
        if "variance" in name or "gamma" in name:
            values = generator.uniform(0.5, 1.5, shape)
        weight.assign(values.astype("float32"))
    return model


def inputs_for(model: Any, *, below: int = 4, seed: int = 1) -> Any:
    """Random values for a model's inputs, in its structure: integers under `below` for integer inputs."""
    generator = np.random.default_rng(seed)

    def values(tensor: Any) -> Any:
        dtype = tf.as_dtype(tensor.dtype)
        shape = [3 if place == 0 else 6 for place, _ in enumerate(tensor.shape)]
        shape = [size or other for size, other in zip(tuple(tensor.shape), shape, strict=True)]
        if dtype.is_floating:
            return tf.constant(generator.uniform(-2, 2, shape), dtype)
        return tf.constant(generator.integers(0, below, shape), dtype)

    return [values(tensor) for tensor in model.inputs]


def outputs_of(model: Any, feeds: list[Any]) -> list[np.ndarray]:
    """The model's outputs, flat, for flat inputs."""
    is_keras = isinstance(model, keras.Model)
    structure = getattr(model, "_inputs_struct", None) if is_keras else model._nested_inputs
    packed = feeds[0] if len(feeds) == 1 else feeds
    if isinstance(structure, dict):
        packed = dict(zip(sorted(structure), feeds, strict=True))
    return [np.asarray(output) for output in keras.tree.flatten(model(packed, training=False))]


def snapshot(model: Any) -> tuple[list[bytes], list[int]]:
    """Every weight's bytes and every layer's number of nodes."""
    weights = [weight.numpy().tobytes() for weight in model.weights]
    return weights, [len(layer._inbound_nodes) for layer in model.layers]


def assert_same_outputs(one: Any, other: Any, *, tolerance: float = 1e-5, below: int = 4) -> None:
    """The two models give equal outputs on equal inputs, relative to the largest value."""
    feeds = inputs_for(one, below=below)
    expected, found = outputs_of(one, feeds), outputs_of(other, feeds)
    assert len(expected) == len(found)
    for left, right in zip(expected, found, strict=True):
        assert left.shape == right.shape
        assert left.dtype.kind == right.dtype.kind
        np.testing.assert_allclose(right, left, rtol=0, atol=tolerance * max(1.0, float(np.abs(left).max())))


def round_trip(model: keras.Model, *, tolerance: float = 1e-5, below: int = 4) -> tuple[Any, Any]:
    """Keras 3 -> tf_keras -> Keras 3; outputs equal each time, the model untouched, nothing shared."""
    before = snapshot(model)
    twin = bridge.to_tf_keras(model)
    assert isinstance(twin, tf_keras.Model) and twin._is_graph_network
    assert_same_outputs(model, twin, tolerance=tolerance, below=below)
    assert snapshot(model) == before
    twin_before = snapshot(twin)
    back = bridge.to_keras(twin)
    assert isinstance(back, keras.Model)
    assert_same_outputs(model, back, tolerance=tolerance, below=below)
    assert snapshot(twin) == twin_before
    assert not {id(layer) for layer in model.layers} & {id(layer) for layer in back.layers}
    return twin, back

"""Where codewords start: TF-MOT's centroid initializers on scaled weights, then Lloyd's algorithm until they settle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from converters.keras_models.tf_mot import tf_mot
from tfcompress.clustering.moving import Book, MovingCodebook
from tfcompress.invariants import Array

Initialization = Literal["linear", "random", "density", "kmeans++"]

_NAMES: Mapping[str, str] = {
    "linear": "LINEAR",
    "density": "DENSITY_BASED",
    "kmeans++": "KMEANS_PLUS_PLUS",
}
# Rounds before training. ResNet-8's kernels change by less than 0.1 % of their error after 20.
_ROUNDS = 40


def start(
    kernels: Sequence[Array],
    scales: Sequence[Array],
    *,
    clusters: int,
    initialization: Initialization,
    holds_zero: bool,
    seed: int,
) -> tuple[MovingCodebook, ...]:
    """One settled book for these kernels.

    Args:
        kernels: the weights.
        scales: signed largest magnitude per channel of each kernel, not 0.
        clusters: how many codewords there are at most.
        initialization: of the codewords.
        holds_zero: whether 0 is one of them; it counts.
        seed: of `random`.

    Returns:
        Each kernel's view of the book.
    """
    scaled = [weights / scale for weights, scale in zip(kernels, scales, strict=True)]
    flat = np.concatenate([one.ravel() for one in scaled]).astype(np.float32)
    book = Book(_codewords(flat, clusters, initialization, holds_zero, seed), holds_zero=holds_zero)
    moving = tuple(MovingCodebook(book, scale, weights.shape) for weights, scale in zip(kernels, scales, strict=True))
    for round_number in range(_ROUNDS):
        if round_number < _ROUNDS // 2:
            _revive(book, flat)
        for weights, one in zip(kernels, moving, strict=True):
            one.project(weights)
    return moving


def largest(weights: Array, shape: Sequence[int]) -> npt.NDArray[np.float64]:
    """The largest magnitude of each channel, in the shape of the scales; 1 for a channel of zeros."""
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    found = np.abs(weights.astype(np.float64)).max(axis=axes, keepdims=True)
    return np.where(found > 0, found, 1.0)


def _codewords(flat: Array, clusters: int, initialization: Initialization, holds_zero: bool, seed: int) -> Array:
    distinct = np.unique(np.append(flat, np.float32(0.0)) if holds_zero else flat)
    if len(distinct) <= clusters:
        return distinct
    initializer = _initializer(initialization, seed)(tf.constant(flat), clusters, preserve_sparsity=holds_zero)
    found = np.asarray(initializer.get_cluster_centroids(), np.float64)
    return np.clip(found[np.isfinite(found)], distinct[0], distinct[-1])


def _initializer(initialization: Initialization, seed: int) -> Any:
    tf_mot()  # first, so that importing its parts leaves nothing behind
    from tensorflow_model_optimization.python.core.clustering.keras import clustering_centroids as centroids
    from tensorflow_model_optimization.python.core.clustering.keras.cluster_config import CentroidInitialization

    if initialization != "random":
        found = CentroidInitialization[_NAMES[initialization]]
        return centroids.CentroidsInitializerFactory.get_centroid_initializer(found)
    generator = np.random.default_rng(seed)

    class Seeded(centroids.AbstractCentroidsInitialisation):  # type: ignore[misc]
        """TF-MOT's own draws from TensorFlow's global generator, so that no two runs are alike."""

        def _calculate_centroids_for_interval(self, interval: Any, count: Any) -> Any:
            values = np.asarray(interval)
            drawn = generator.uniform(values.min(initial=0), values.max(initial=0), max(int(count), 0))
            return tf.constant(drawn, tf.float32)

    return Seeded


def _revive(book: Book, flat: Array) -> None:
    """Moves codewords that nothing is assigned to into the clusters with the largest errors."""
    codewords = book.codewords.value
    assigned = np.searchsorted((codewords[1:] + codewords[:-1]) / 2, flat)
    counts = np.bincount(assigned, minlength=len(codewords))
    errors = np.bincount(assigned, np.square(flat - codewords[assigned]), len(codewords))
    unused = counts == 0
    if book.holds_zero:
        unused[np.abs(codewords).argmin()] = False
    dead, costly = np.flatnonzero(unused), np.argsort(-errors)
    count = min(len(dead), int((errors > 0).sum()))
    spread = np.sqrt(errors[costly] / np.maximum(counts[costly], 1))
    moved = codewords.copy()
    moved[dead[:count]] = (codewords[costly] + spread)[:count]
    book.codewords.assign(np.sort(moved))

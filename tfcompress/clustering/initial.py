"""Where codewords start: TF-MOT's centroid initializers on scaled weights, then Lloyd's algorithm until they settle."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from converters.keras_models.kernels import Kernel
from converters.keras_models.tf_mot import tf_mot
from tfcompress.clustering.following import inverted
from tfcompress.clustering.moving import Book, MovingCodebook
from tfcompress.clustering.rate import Rate
from tfcompress.invariants import Array, Invariant, project

Initialization = Literal["linear", "random", "density", "kmeans++"]

_NAMES: Mapping[str, str] = {
    "linear": "LINEAR",
    "density": "DENSITY_BASED",
    "kmeans++": "KMEANS_PLUS_PLUS",
}
# Rounds before training. ResNet-8's kernels change by less than 0.1 % of their error after 20.
_ROUNDS = 40


@dataclass(frozen=True)
class Reader:
    """A kernel that is going to use a codebook.

    Attributes:
        name: `<layer>/<attribute>`.
        weights: under the promises made before.
        scales: signed, per channel, broadcastable; the largest of weights / scales is 1.
        tie: see `MovingCodebook`; None where each channel has its own scale.
        needs_zero: whether weights are zero that must stay so.
    """

    name: str
    weights: Array
    scales: Array
    tie: Array | None
    needs_zero: bool


def reader(
    kernel: Kernel, factors: Mapping[str, Array], promises: Sequence[Invariant], *, one_scale: bool = False
) -> Reader:
    """A kernel as it is at the start.

    Args:
        kernel: of the model, batch normalization not folded yet.
        factors: kernel name -> what folding will multiply it by.
        promises: made before.
        one_scale: whether all channels shall have the same scale in the file.
    """
    weights = project(kernel.variable.numpy(), promises)
    shape, tie = kernel.scale_shape(per_tensor=one_scale or None), None
    factor = factors.get(kernel.name, np.ones(shape, np.float32))
    if math.prod(shape) < factor.size:
        tie = inverted(factor)
        scales = tie * _largest(weights / tie, shape)
    else:
        scales = _largest(weights, shape) * np.where(factor < 0, -1.0, 1.0)
    # A dead channel, in a codebook that all channels share, takes a 0 too.
    channels = _largest(weights * factor, factor.shape, of_zeros=0.0)
    has_zeros = any(promise.kind == "zeros" for promise in promises) or bool(np.any(channels == 0))
    return Reader(kernel.name, weights, scales, tie, has_zeros)


def start(
    readers: Sequence[Reader], *, clusters: int, initialization: Initialization, seed: int, rate: Rate | None = None
) -> dict[str, MovingCodebook]:
    """One settled codebook for these kernels.

    Args:
        readers: the kernels.
        clusters: how many codewords there are at most; 0 counts.
        initialization: of the codewords.
        seed: of `random`.
        rate: what holds the kernels to a number of bits.

    Returns:
        kernel name -> its view of the codebook.
    """
    holds_zero = any(one.needs_zero for one in readers)
    flat = np.concatenate([(one.weights / one.scales).ravel() for one in readers]).astype(np.float32)
    codewords = _codewords(flat, clusters, initialization, holds_zero, seed)
    book = Book(codewords, holds_zero=holds_zero, pins_zero=rate is not None)
    moving = {one.name: MovingCodebook(book, one.scales, one.weights.shape, tie=one.tie, rate=rate) for one in readers}
    for number in range(_ROUNDS):
        if number < _ROUNDS // 2:
            _revive(book, flat)
        for one in readers:
            moving[one.name].project(one.weights)
    return moving


def _largest(weights: Array, shape: Sequence[int], *, of_zeros: float = 1.0) -> npt.NDArray[np.float64]:
    """The largest magnitude of each channel, in the shape of the scales; `of_zeros` for a channel of zeros."""
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    found = np.abs(weights.astype(np.float64)).max(axis=axes, keepdims=True)
    return np.where(found > 0, found, of_zeros)


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

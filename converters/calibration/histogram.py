"""A histogram of signed values that grows while it is filled, and the ranges that are read off it.

One pass over the activations is enough: bins are `[k * width, (k + 1) * width)` for whole `k`, the width is a power
of two, and whenever the values no longer fit into `BINS` bins, neighbours are merged and the width doubles. So between
`BINS / 2` and `BINS` bins lie between the smallest and the largest value, and 0 is always an edge.

Exact zeros are counted apart: every range here holds 0 and every grid represents it exactly, so zeros (half of what a
ReLU gives) bear no error and must not outvote the values that do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Range = tuple[float, float]

# Entropy can narrow a range down to 2^8 of these bins, and no further: to 1/16 at worst (BINS / 2 bins are in use).
BINS = 8192
# Values below this are zeros to every quantizer; it keeps 1 / width within float32.
_TINY = 2.0**-90
# Values are binned in blocks that stay in the processor's second-level cache.
_BLOCK = 1 << 16
# Thresholds that `entropy_range` compares, less than 2 % apart.
_THRESHOLDS = 256
# Edges on either side of 0 that `mse_range` compares at first; the neighbourhood of the best pair follows.
_EDGES = 512


@dataclass
class Histogram:
    """Counts of one tensor's values.

    Attributes:
        counts: int64 [BINS]; `counts[i]` values lie in bin `first + i`.
        first: number of the first bin.
        width: width of a bin, a power of two; 0 while only zeros were seen.
        zeros: how many of the values are exactly 0 (they are in `counts` too, once there is a width).
        minimum: smallest value.
        maximum: largest value.
    """

    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))
    first: int = 0
    width: float = 0.0
    zeros: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf

    def add(self, values: Array, low: float, high: float) -> None:
        """Counts `values`.

        Args:
            values: float32, one-dimensional, finite.
            low: their minimum.
            high: their maximum.
        """
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        if max(-low, high) < _TINY:
            self.zeros += values.size
            if self.width:
                self.counts[self._place(0.0)] += values.size
            return
        self._grow(low, high)
        self.zeros += values.size - int(np.count_nonzero(values))
        scale, offset = np.float32(1.0 / self.width), np.float32(self.first)
        for start in range(0, values.size, _BLOCK):
            scaled = values[start : start + _BLOCK] * scale
            # Not below 0 here, so that cutting off the fraction is rounding down.
            scaled -= offset
            found = np.bincount(scaled.astype(np.intp), minlength=BINS)
            self.counts += found[:BINS]
            # float32 may round the largest value up into the bin behind the last one.
            self.counts[-1] += found[BINS:].sum()

    def _place(self, value: float) -> int:
        return math.floor(value / self.width) - self.first

    def _grow(self, low: float, high: float) -> None:
        """Makes room for values from `low` to `high`, and for 0."""
        low, high = min(low, 0.0), max(high, 0.0)
        if not self.width:
            self.width = 2.0 ** math.ceil(math.log2((high - low) / (BINS - 1)))
            self.first = math.floor(low / self.width)
            if self.zeros:
                self.counts[self._place(0.0)] = self.zeros
        used = np.flatnonzero(self.counts)
        first, last = (self.first + int(used[0]), self.first + int(used[-1])) if used.size else (0, 0)
        while True:
            lowest = min(first, math.floor(low / self.width))
            highest = max(last, math.floor(high / self.width))
            if highest - lowest < BINS:
                break
            self._merge()
            first, last = first // 2, last // 2
        if lowest < self.first or highest >= self.first + BINS:
            self.counts = np.roll(self.counts, self.first - lowest)
            self.first = lowest

    def _merge(self) -> None:
        numbers = (self.first + np.arange(BINS)) // 2
        self.first = int(numbers[0])
        self.counts = np.bincount(numbers - self.first, weights=self.counts, minlength=BINS).astype(np.int64)
        self.width *= 2.0


def percentile_range(histogram: Histogram, percentile: float) -> Range:
    """The central `percentile` percent of all values: (100 - percentile) / 2 percent are cut off at either end.

    The share is cut as by ONNX Runtime's calibrator for an unsymmetric range (`percent_to_cut_one_side` in
    onnxruntime/python/tools/quantization/calibrate.py), which stops at bin edges; here a quantile is interpolated.
    """
    if not histogram.width:
        return histogram.minimum, histogram.maximum
    cumulative = np.concatenate([[0], np.cumsum(histogram.counts)])
    edges = (histogram.first + np.arange(BINS + 1)) * histogram.width
    cut = (100.0 - percentile) / 200.0 * cumulative[-1]
    # Empty bins repeat a cumulative count; np.interp needs it once: the last edge before, the first edge after values.
    low_at = int(np.searchsorted(cumulative, cut, side="right")) - 1
    high_at = int(np.searchsorted(cumulative, cumulative[-1] - cut, side="left"))
    low = _interpolate(edges, cumulative, min(low_at, BINS - 1), cut)
    high = _interpolate(edges, cumulative, max(high_at - 1, 0), cumulative[-1] - cut)
    return max(low, histogram.minimum), min(high, histogram.maximum)


def _interpolate(edges: Array, cumulative: Array, index: int, wanted: float) -> float:
    inside = cumulative[index + 1] - cumulative[index]
    share = (wanted - cumulative[index]) / inside if inside else 0.0
    return float(edges[index] + share * (edges[index + 1] - edges[index]))


def mse_range(histogram: Histogram, bits: int) -> Range:
    """The clipping range with the smallest expected squared error, among all pairs of bin edges around 0.

    A value x inside [low, high] is rounded to a grid of step s = (high - low) / (2^bits - 1), with an error spread
    evenly over a step, so s^2 / 12 on average; one outside is off by its distance to the range:

        E(low, high) = s^2 / 12 * N_inside + sum_{x > high} (x - high)^2 + sum_{x < low} (low - x)^2

    The trade of rounding noise against clipping is that of R. Banner et al., "Post-training 4-bit quantization of
    convolution networks for rapid-deployment", arXiv 1810.05723, with sums over the histogram where they fit a
    distribution.
    """
    if not histogram.width:
        return histogram.minimum, histogram.maximum
    counts, zero = _without_zeros(histogram)
    positive, negative = counts[zero:], counts[:zero][::-1]
    high_edges, high_error, high_inside = _clipping(positive, histogram.width, max(histogram.maximum, 0.0))
    low_edges, low_error, low_inside = _clipping(negative, histogram.width, max(-histogram.minimum, 0.0))

    def best(low_at: Array, high_at: Array) -> tuple[int, int]:
        rows, columns = low_at[:, None], high_at[None, :]
        step = (low_edges[rows] + high_edges[columns]) / (2.0**bits - 1.0)
        error = step**2 / 12.0 * (low_inside[rows] + high_inside[columns]) + low_error[rows] + high_error[columns]
        row, column = np.unravel_index(int(np.argmin(error)), error.shape)
        return int(low_at[row]), int(high_at[column])

    def near(index: int, edges: Array) -> Array:
        reach = len(edges) // _EDGES + 1
        return np.arange(max(index - reach, 0), min(index + reach + 1, len(edges)))

    coarse = best(_spread(len(low_edges)), _spread(len(high_edges)))
    low, high = best(near(coarse[0], low_edges), near(coarse[1], high_edges))
    return -float(low_edges[low]), float(high_edges[high])


def _spread(count: int) -> Array:
    return np.unique(np.linspace(0, count - 1, min(count, _EDGES)).round().astype(np.intp))


def _clipping(counts: Array, width: float, extreme: float) -> tuple[Array, Array, Array]:
    """For one side of 0: edges to clip at, summed squared distance of what is clipped, count of what is not.

    Args:
        counts: float64 [bins], from 0 outwards.
        width: width of a bin.
        extreme: the largest magnitude seen; the last edge is drawn in to it.
    """
    used = np.flatnonzero(counts)
    counts = counts[: int(used[-1]) + 1] if used.size else counts[:0]
    edges = np.arange(len(counts) + 1) * width
    centers = edges[:-1] + width / 2.0

    def beyond(weights: Array) -> Array:
        return np.concatenate([np.cumsum(weights[::-1])[::-1], [0.0]])

    error = beyond(counts * centers**2) - 2.0 * edges * beyond(counts * centers) + edges**2 * beyond(counts)
    edges[-1] = min(edges[-1], extreme)
    return edges, np.maximum(error, 0.0), np.concatenate([[0.0], np.cumsum(counts)])


def entropy_range(histogram: Histogram, bits: int) -> Range:
    """The range whose quantized distribution is closest to the real one, by Kullback-Leibler divergence.

    For thresholds T on the magnitude, P is the histogram within [-T, T] with what lies outside added to the bins at
    the ends, Q the same bins merged into 2^bits levels, each level's count spread evenly over its non-empty bins; the
    T with the smallest sum P log(P / Q) wins. S. Migacz, "8-bit inference with TensorRT", GTC 2017. Both
    signs share T, and the range ends where the values end; ONNX Runtime does the latter after T is chosen, here it is
    done before, so that a one-sided or skewed tensor gives all of its levels to values it has.

    With no more bins than levels (always so for 16 bits) there is nothing to gain: the full range comes back.
    """
    if not histogram.width:
        return histogram.minimum, histogram.maximum
    counts, zero = _without_zeros(histogram)
    used = np.flatnonzero(counts)
    below, above = max(zero - int(used[0]), 0), max(int(used[-1]) + 1 - zero, 0)
    levels, full = 2**bits, max(below, above)
    smallest = _smallest_threshold(below, above, levels)
    best, best_divergence = full, math.inf
    thresholds = np.geomspace(min(smallest, full), full, _THRESHOLDS).round().astype(int)
    for threshold in np.unique(thresholds)[::-1].tolist():
        start, stop = zero - min(threshold, below), zero + min(threshold, above)
        divergence = _divergence(counts, start, stop, levels)
        if divergence < best_divergence:
            best, best_divergence = threshold, divergence
    reach = best * histogram.width
    return max(-reach, min(histogram.minimum, 0.0)), min(reach, max(histogram.maximum, 0.0))


def _smallest_threshold(below: int, above: int, levels: int) -> int:
    """The smallest threshold, in bins, whose range has as many bins as there are levels."""
    narrow = min(below, above)
    return max(1, (levels + 1) // 2 if 2 * narrow >= levels else levels - narrow)


def _divergence(counts: Array, start: int, stop: int, levels: int) -> float:
    """Sum of P log(P / Q) for the bins from `start` to `stop`; infinite where nothing lies there."""
    inside = counts[start:stop]
    bins = stop - start
    filled = inside > 0
    if not filled.any():
        return math.inf
    reference = inside.copy()
    reference[0] += counts[:start].sum()
    reference[-1] += counts[stop:].sum()
    level = np.arange(bins) * levels // bins if bins > levels else np.arange(bins)
    mass = np.bincount(level, weights=inside, minlength=levels)
    share = mass / np.maximum(np.bincount(level, weights=filled, minlength=levels), 1.0)
    spread = np.where(filled, share[level], 0.0)
    # A bin that only clipped values fill has P > 0 and Q = 0, an infinite divergence that would forbid most
    # thresholds; half a count in Q stands for "not seen", where MXNet and ONNX Runtime smooth both distributions.
    spread = np.where((reference > 0) & (spread == 0), 0.5, spread)
    p, q = reference / reference.sum(), spread / spread.sum()
    seen = p > 0
    return float(np.sum(p[seen] * np.log(p[seen] / q[seen])))


def _without_zeros(histogram: Histogram) -> tuple[Array, int]:
    """Counts (float64) without the exact zeros, and the index of the bin that starts at 0."""
    counts = histogram.counts.astype(np.float64)
    zero = -histogram.first
    counts[zero] -= histogram.zeros
    return counts, zero

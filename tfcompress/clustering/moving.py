"""A codebook that moves while its kernels are trained, on the integer grid of the file from the first step on.

Each projection is one round of Lloyd's algorithm (1982, "Least squares quantization in PCM", IEEE Transactions on
Information Theory 28:2) for weights w = s c with a scale s per channel and one codebook c for all channels:

    assign    k(w) = the codeword nearest to w / s
    scale     s = sum(c_k w) / sum(c_k^2)               over the weights of a channel
    codeword  c_k = sum(s w) / sum(s^2)                 over the weights of a cluster, in all channels

both being the least squares of sum (w - s c_k)^2. Codewords are rounded to integers with the largest at 127, so that
training sees what the file will hold. Weights wander by the straight-through estimation of `tfcompress.training`; that
their codeword follows them equals a gradient step of the centroid (Han et al., "Deep Compression", 2016,
arXiv:1510.00149, section 3). No TensorFlow here.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tfcompress.clustering.cell import Cell
from tfcompress.clustering.rate import Rate, best_codewords, cheapest, huffman_bits, prices
from tfcompress.invariants import Array, Codebook, nearest

_LARGEST = 127  # of a symmetric int8 weight; see `tfcompress.invariants.Codebook`
# Rounds without training that lead to a rate; and how often codewords are looked for anew in the first half of them.
_ROUNDS, _RENEWED_EVERY = 400, 25


@dataclass(frozen=True)
class _Sums:
    """What Lloyd's algorithm needs to know of a kernel: of each channel and codeword, [channels, k].

    Attributes:
        weights: sum of the weights.
        counts: how many there are.
    """

    weights: Array
    counts: Array


class Book:
    """The codewords that one kernel, or several, share.

    Attributes:
        codewords: ascending, float64 [k], in any unit: scales make up for it.
        holds_zero: whether one of them is 0 and stays 0.
        pins_zero: whether one that is 0 stays 0, if there is one.
    """

    def __init__(self, codewords: Array, *, holds_zero: bool, pins_zero: bool = False) -> None:
        self.holds_zero, self.pins_zero = holds_zero, pins_zero
        self.codewords = Cell(np.sort(np.asarray(codewords, np.float64)))
        self._readers: list[MovingCodebook] = []
        self._reports: dict[int, tuple[Array, Array]] = {}
        self._lock = threading.Lock()

    @property
    def unit(self) -> float:
        """One integer step in the unit of the codewords."""
        return float(np.abs(self.codewords.value).max() or 1.0) / _LARGEST

    @property
    def integers(self) -> npt.NDArray[np.float32]:
        """The codewords as whole numbers, ascending, the largest 127 or -127; some may be equal. float32 [k]."""
        return np.rint(self.codewords.value / self.unit).astype(np.float32)

    def join(self, reader: MovingCodebook) -> int:
        """Lets one more kernel use it; returns the kernel's number."""
        self._readers.append(reader)
        return len(self._readers) - 1

    def report(self, number: int, sums: Array, weights: Array) -> None:
        """Takes a kernel's share of each codeword's mean; once all kernels reported, the codewords move.

        Kernels of one training step are projected in any order, also at the same time; the result is the same.

        Args:
            number: the kernel's.
            sums: sum(s w), [k].
            weights: sum(s^2), [k].
        """
        with self._lock:
            self._reports[number] = (sums, weights)
            if len(self._reports) == len(self._readers):
                ordered = [self._reports[index] for index in range(len(self._readers))]
                self._move(np.sum([one for one, _ in ordered], axis=0), np.sum([one for _, one in ordered], axis=0))
                self._reports = {}

    def forget(self, used: Array) -> None:
        """Leaves out what nothing uses: those codewords become equal to their nearest that is used, or 0."""
        codewords, used = self.codewords.value, used.copy()
        if self.holds_zero:
            used[np.abs(codewords).argmin()] = True
        kept = codewords[used]
        self.codewords.assign(kept[np.abs(codewords[:, np.newaxis] - kept).argmin(axis=1)])

    def _move(self, sums: Array, weights: Array) -> None:
        moved = np.where(weights > 0, sums / np.where(weights > 0, weights, 1.0), self.codewords.value)
        if self.holds_zero:
            moved[np.abs(self.codewords.value).argmin()] = 0.0
        if self.pins_zero:
            moved[self.codewords.value == 0.0] = 0.0
        self.codewords.assign(np.sort(moved))


class MovingCodebook:
    """One kernel's view of a book: a promise for `Trainer.fit` whose codewords and scales follow the weights.

    Attributes:
        book: the codewords.
        scales: signed scale per channel, broadcastable to the kernel. A negative one mirrors the codebook: that of a
            channel whose batch normalization turns signs when it is folded.
        tie: what the scales are multiples of, where the file has one scale for all channels and batch normalization
            stands between; else empty. Its factors, inverted.
        rate: what holds it to a number of bits; None for nothing.
        counts: how often each codeword was used in the last projection, [k].
    """

    kind: ClassVar[str] = "codebook"

    def __init__(
        self, book: Book, scales: Array, shape: Sequence[int], *, tie: Array | None = None, rate: Rate | None = None
    ) -> None:
        self.book = book
        self.rate = rate
        self.counts = Cell(np.zeros(len(book.codewords.value)))
        self.scales = Cell(np.asarray(scales, np.float64))
        self.tie = Cell(np.zeros(0) if tie is None else np.asarray(tie, np.float64))
        channel = np.broadcast_to(np.arange(scales.size).reshape(scales.shape), tuple(shape))
        self._places = np.ascontiguousarray(channel, np.int64).ravel() * len(book.codewords.value)
        self._number = book.join(self)
        self._number_of_rate = rate.join() if rate else 0

    @property
    def state(self) -> tuple[Cell, ...]:
        """What a checkpoint must keep; kernels of one book all name it."""
        cells = (self.book.codewords, self.scales, self.tie)
        return (*cells, self.counts, self.rate.multiplier) if self.rate else cells

    @property
    def bits(self) -> int:
        """Bits of a Huffman code for the last projection."""
        return huffman_bits(self.counts.value)

    def follow(self, tie: Array) -> None:
        """Takes over what batch normalization learned meanwhile."""
        self.scales.assign(self.scales.value * tie / self.tie.value)
        self.tie.assign(tie)

    def project(self, weights: Array) -> Array:
        """The weights on the codebook, after which codebook and scales move to where they fit the weights better."""
        if self.rate and self.rate.renews and np.isfinite(weights).all():
            self._renew(weights, self.rate)
        integers, steps = self.book.integers, self.scales.value * self.book.unit
        assigned = self._assign(integers, weights / steps.astype(np.float32))
        sums = self._sums(assigned.ravel(), weights)
        steps = _refit(sums, integers.astype(np.float64), steps, self.tie.value)
        self.scales.assign(steps / self.book.unit)
        scales = self.scales.value.reshape(-1, 1)
        self.book.report(
            self._number, (scales * sums.weights).sum(axis=0), (np.square(scales) * sums.counts).sum(axis=0)
        )
        if self.rate:
            self.counts.assign(sums.counts.sum(axis=0))
            self.rate.report(self._number_of_rate, self.counts.value)
        return (integers[assigned] * steps.astype(np.float32)).astype(weights.dtype)

    def _renew(self, weights: Array, rate: Rate) -> None:
        """Takes the best codewords for these weights at the present price, the last of them repeated up to k."""
        k = len(self.book.codewords.value)
        numbers, multiplier = weights / self.scales.value, float(rate.multiplier.value)
        found, counts = best_codewords(numbers, multiplier, k, needs_zero=self.book.holds_zero)
        self.book.codewords.assign(np.append(found, np.repeat(found[-1:], k - len(found))))
        self.counts.assign(np.append(counts, np.zeros(k - len(found))))

    def _assign(self, integers: Array, numbers: Array) -> Array:
        """Which codeword each number of integer steps gets."""
        if self.rate is None or not self.counts.value.any():
            return nearest(integers, numbers)
        energy = float(np.square(numbers, dtype=np.float64).sum())
        price = float(self.rate.multiplier.value) * energy * prices(self.counts.value)
        return cheapest(integers, price, numbers)

    def settled(self, weights: Array) -> Array:
        """The weights on the codebook as it is now, which does not move."""
        integers, steps = self.book.integers, (self.scales.value * self.book.unit).astype(np.float32)
        return (integers[nearest(integers, weights / steps)] * steps).astype(weights.dtype)

    def _sums(self, assigned: Array, weights: Array) -> _Sums:
        channels, k = self.scales.value.size, len(self.book.codewords.value)
        places = assigned + self._places
        sums = np.bincount(places, weights.ravel(), channels * k).reshape(channels, k)
        return _Sums(sums, np.bincount(places, minlength=channels * k).reshape(channels, k))

    def holds(self, integers: Array) -> bool:
        """Whether every integer is in the codebook as it is now."""
        return bool(np.isin(integers, self.book.integers).all())

    def describe(self) -> str:
        """For people."""
        return f"at most {len(self.book.codewords.value)} values, which still move"

    def as_arrays(self) -> dict[str, Array]:
        """The fields of the codebook as it is now."""
        return self.fixed().as_arrays()

    def fixed(self, factors: Any = 1.0) -> Codebook:
        """The codebook as it is now, for a kernel that was multiplied by `factors`, which broadcast to the scales."""
        values = np.unique(self.book.integers).astype(np.int8)
        steps = np.abs(self.scales.value * self.book.unit * factors)
        if self.tie.value.size:
            one = self.scales.value.flat[0] / self.tie.value.flat[0] * self.book.unit
            steps = np.full([1] * steps.ndim, np.abs(one))
        # A channel of zeros takes any scale; one like the others' keeps its bias as exact as theirs.
        usual = float(np.median(steps[steps > 0])) if np.any(steps > 0) else 1.0
        return Codebook(values, np.where(steps > 0, steps, usual).astype(np.float32))


def _refit(sums: _Sums, integers: Array, steps: Array, tie: Array) -> Array:
    """Least squares of each channel's scale; what has no codeword but 0, or would turn its sign, stays."""
    products = (sums.weights * integers).sum(axis=1).reshape(steps.shape)
    squares = (sums.counts * np.square(integers)).sum(axis=1).reshape(steps.shape)
    if tie.size:
        products, squares = np.sum(products * tie) * tie, np.sum(squares * np.square(tie))
    fits = products * steps > 0
    return np.where(fits, products / np.where(fits, squares, 1.0), steps)


def average_bits(codebooks: Collection[MovingCodebook]) -> float:
    """Bits a weight, over all kernels, in Huffman codes for their last projection."""
    return sum(one.bits for one in codebooks) / float(sum(one.counts.value.sum() for one in codebooks))


def reach(rate: Rate, codebooks: Mapping[str, MovingCodebook], weights: Mapping[str, Array]) -> dict[str, Array]:
    """The weights at the rate's target, without training; nothing for those that are below it already.

    Args:
        rate: of these codebooks, which have projected something.
        codebooks: by kernel name.
        weights: by kernel name.
    """
    start, number = average_bits(codebooks.values()), 0
    projected: dict[str, Array] = {}
    while average_bits(codebooks.values()) > rate.target or 0 < number < _ROUNDS:
        rate.want(start, number / _ROUNDS, renews=number % _RENEWED_EVERY == 0)
        projected = {name: codebook.project(weights[name]) for name, codebook in codebooks.items()}
        number += 1
    return projected


def forget_unused(codebooks: Collection[MovingCodebook]) -> None:
    """Leaves out codewords that no kernel of their book used in its last projection."""
    for book in {id(one.book): one.book for one in codebooks}.values():
        book.forget(np.sum([one.counts.value for one in codebooks if one.book is book], axis=0) > 0)

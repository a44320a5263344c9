"""How many bits the weights of a file take, and how training is held to a number of them.

A weight goes to the codeword with the smallest sum of error and price, not to the nearest one (entropy-constrained
vector quantization: Chou, Lookabaugh, Gray 1989, IEEE Transactions on Acoustics, Speech, and Signal Processing 37:1):

    k(u) = argmin_k  (u - c_k)^2 / sum(u^2)  +  lambda bits_k          u = w / s, sums over the kernel

`bits_k` are lengths of a Huffman code for the codewords as they were used in the step before. One lambda serves all
kernels and rises until their average is what was asked for. Errors are relative to the kernel's own energy, summed and
not averaged, so a kernel's relative error counts the same whatever its size: small kernels get more bits a weight, as
a bit for each of their weights costs less. Rare codewords die out, and zeros come by themselves (compare Marban et al.
2020, "Learning Sparse & Ternary Neural Networks with Entropy-Constrained Trained Ternarization", arXiv:2004.01077).
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tfcompress.clustering.cell import Cell
from tfcompress.invariants import Array

# The first multiplier, times the weights of the largest kernel: a thirtieth of what changes anything at 16 codewords.
_FIRST = 3.6864e-5
# Of the controller: change of log(lambda) for a bit too many, and at most in a step. A bit answers to about a tenfold
# lambda, so that the loop's own gain is far below 1.
_GAIN, _LARGEST_CHANGE = 0.1, 0.05
# The controller aims a little lower, so that what it scatters stays below the target.
_AIM = 0.995
# Share of the steps in which the bits fall.
_FALLING = 0.5
# Bins of a histogram on each side of 0, and rounds until the share of the most frequent codeword has settled.
_HALF, _ROUNDS = 100, 4


def huffman_lengths(counts: Array) -> npt.NDArray[np.int64]:
    """Bits of each symbol's word in a Huffman code (1952); 1 for a symbol alone, 0 for what does not occur."""
    lengths = np.zeros(len(counts), np.int64)
    heap: list[tuple[int, int, tuple[int, ...]]]
    heap = [(int(count), index, (index,)) for index, count in enumerate(counts) if count]
    if len(heap) == 1:
        lengths[heap[0][1]] = 1
    heapq.heapify(heap)
    while len(heap) > 1:
        few, number, one = heapq.heappop(heap)
        more, _, other = heapq.heappop(heap)
        lengths[[*one, *other]] += 1
        heapq.heappush(heap, (few + more, number, (*one, *other)))
    return lengths


def huffman_bits(counts: Array) -> int:
    """Bits of all symbols together."""
    return int((huffman_lengths(counts) * counts).sum())


def prices(counts: Array) -> npt.NDArray[np.float64]:
    """Bits of each codeword, as a smooth function of the counts.

    The length of a word is -log2 of its share, but a Huffman code gives none less than one bit. So a codeword with
    more than half of the weights costs 1, and the others 1 more than in a code of their own. One that is not used costs
    more than any error: a single weight on it can make all others longer.
    """
    shares = np.asarray(counts, np.float64) / np.sum(counts)
    top = shares.argmax()
    with np.errstate(divide="ignore"):
        found: npt.NDArray[np.float64] = -np.log2(shares)
        if shares[top] > 0.5:
            found = 1.0 - np.log2(shares / max(1.0 - shares[top], 1e-9))
            found[top] = 1.0
    return found


def cheapest(values: Array, costs: Array, numbers: Array) -> npt.NDArray[np.intp]:
    """Which of some integers has the smallest squared distance and cost together, to a half step.

    Args:
        values: integers of -127..127.
        costs: of each, in squared steps.
        numbers: any shape.

    Returns:
        indices into `values`, in the shape of `numbers`; without costs those of `tfcompress.invariants.nearest`.
    """
    halves = np.arange(-255, 256) / 2.0
    answers = np.argmin(np.square(halves[:, np.newaxis] - values) + costs, axis=1)
    doubled = np.clip(np.ceil(numbers * 2.0), -255, 255)
    with np.errstate(invalid="ignore"):  # training says in words that the loss is NaN
        found: npt.NDArray[np.intp] = answers.take(doubled.astype(np.int32) + 255, mode="clip")
    return found


def best_codewords(numbers: Array, multiplier: float, codewords: int, *, needs_zero: bool) -> tuple[Array, Array]:
    """The codewords with the smallest error and price of all; not just a local minimum.

    Codewords that die one after the other leave others at odd places. But the price of a codeword depends on its own
    count alone (and on the share of the most frequent one, which is found by iteration), so that dynamic programming
    over a histogram finds the best cells: cost(a, b) of a cell from bin a to bin b, at most k cells from end to end
    (Muresan and Effros 2008, "Quantization as Histogram Segmentation", IEEE Transactions on Information Theory 54:1).

    Args:
        numbers: w / s of a kernel.
        multiplier: lambda.
        codewords: how many at most.
        needs_zero: whether one of them is 0 in any case; else it is where there are more than two.

    Returns:
        ascending codewords in the unit of the numbers, and how often each is used; fewer where fewer are best.
    """
    cells = _Cells.of(numbers)
    price = multiplier * cells.energy
    best, top, found = np.inf, 0.0, (np.zeros(1), np.array([cells.total]))
    if not needs_zero:
        middle = int((cells.free[0] + cells.free[:, -1]).argmin())
        used, sums = cells.counts[[0, middle], [middle, -1]], cells.sums[[0, middle], [middle, -1]]
        if used.min() > 0:
            best = cells.free[0, middle] + cells.free[middle, -1] + price * cells.total
            found = sums / used, used
    for _ in range(_ROUNDS):
        for edges in _shortest(cells.errors + price * cells.counts * cells.bits(top), codewords):
            place = edges[:-1], edges[1:]
            used = cells.counts[place]
            cost = cells.errors[place].sum() + price * huffman_bits(used)
            if cost < best:
                best, top, found = cost, used.max() / cells.total, (cells.means[place], used)
    means, used = found
    kept = (used > 0) | (needs_zero & (means == 0))
    return means[kept], used[kept]


@dataclass(frozen=True)
class _Cells:
    """All cells that a histogram of numbers can be divided into, by the edges where they begin and end, [edges, edges].

    Attributes:
        energy: sum of all squares.
        total: how many numbers there are.
        counts: numbers in a cell.
        sums: their sum.
        has_zero: whether the bin of 0 is in it.
        free: squared error with the best codeword.
        errors: squared error with the codeword that it gets, which is 0 for a cell that has zero.
        means: this codeword.
    """

    energy: float
    total: int
    counts: Array
    sums: Array
    has_zero: Array
    free: Array
    errors: Array
    means: Array

    @classmethod
    def of(cls, numbers: Array) -> _Cells:
        """The cells for these numbers, of any shape."""
        flat = numbers.astype(np.float64).ravel()
        bins = np.rint(flat * (_HALF / (np.abs(flat).max() or 1.0))).astype(np.int64) + _HALF
        heaps = [np.bincount(bins, weights, 2 * _HALF + 1) for weights in (None, flat, np.square(flat))]
        totals = [np.concatenate([[0.0], heap.cumsum()]) for heap in heaps]
        counts, sums, squares = (one - one[:, np.newaxis] for one in totals)
        edges = np.arange(2 * _HALF + 2)
        has_zero = (edges[:, np.newaxis] <= _HALF) & (edges > _HALF)
        free = squares - np.square(sums) / np.maximum(counts, 0.5)
        errors = np.where(has_zero, squares, free)
        for one in (free, errors):
            one[edges[:, np.newaxis] >= edges] = np.inf
        means = np.where(has_zero, 0.0, sums / np.maximum(counts, 0.5))
        return cls(float(totals[2][-1]), flat.size, counts, sums, has_zero, free, errors, means)

    def bits(self, top: float) -> Array:
        """Price of a number in each cell, as `prices`, where the most frequent codeword has the share `top`."""
        shares = np.maximum(self.counts, 0.5) / self.total
        if top <= 0.5:
            return -np.log2(shares)
        return np.where(self.has_zero, 1.0, 1.0 - np.log2(np.minimum(shares / (1.0 - top), 1.0)))


def _shortest(cost: Array, longest: int) -> Iterator[Array]:
    """The cheapest way from the first edge to the last in one cell, in two, ...: the edges on it."""
    reached, ways = cost[0], []
    for number in range(longest):
        if number:
            through = reached[:, np.newaxis] + cost
            ways.append(through.argmin(axis=0))
            reached = through.min(axis=0)
        if np.isfinite(reached[-1]):
            path = [len(cost) - 1]
            for way in reversed(ways):
                path.append(int(way[path[-1]]))
            yield np.array([0, *reversed(path)])


class Rate:
    """Holds all kernels of one training to an average number of bits.

    Args:
        target: bits a weight, on average, in the end.
        largest: weights of the largest kernel.

    Attributes:
        target: as given.
        wanted: bits a weight now; None while codewords are only looked for.
        multiplier: lambda.
        renews: whether codewords are looked for anew in this step.
    """

    def __init__(self, target: float, largest: int) -> None:
        self.target = target
        self.wanted: float | None = None
        self.renews = False
        self.multiplier = Cell(np.array(_FIRST / largest))
        self._smallest = _FIRST / largest
        self._counts: dict[int, Array] = {}
        self._kernels = 0
        self._lock = threading.Lock()

    def want(self, start: float, share: float, *, renews: bool) -> None:
        """Sets what is wanted for the next step.

        Args:
            start: bits a weight at the start.
            share: of the steps that are done; the bits fall in the first half, by the curve of Zhu and Gupta 2017
                (arXiv:1710.01878).
            renews: whether codewords are looked for anew, which is done only meanwhile.
        """
        left = max(1.0 - share / _FALLING, 0.0)
        self.wanted = self.target + max(start - self.target, 0.0) * left**3
        self.renews = renews and left > 0

    def join(self) -> int:
        """One more kernel; returns its number."""
        self._kernels += 1
        return self._kernels - 1

    def report(self, number: int, counts: Array) -> None:
        """Takes how often a kernel used each codeword; once all kernels reported, lambda moves.

        Kernels of one training step are projected in any order, also at the same time; the result is the same.
        """
        if self.wanted is None:
            return
        with self._lock:
            self._counts[number] = counts
            if len(self._counts) == self._kernels:
                bits = sum(huffman_bits(one) for one in self._counts.values())
                average = bits / sum(int(one.sum()) for one in self._counts.values())
                change = np.clip(_GAIN * (average - _AIM * self.wanted), -_LARGEST_CHANGE, _LARGEST_CHANGE)
                self.multiplier.assign(np.maximum(self.multiplier.value * np.exp(change), self._smallest))
                self._counts = {}

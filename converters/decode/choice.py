"""Which tensors are worth encoding, how, and which of them share a Huffman code.

A DECODE operator takes two tensors, their buffers and an operator of its own, and every table a tensor and a buffer:
bytes that a small weight must save first. Tensors with the same table share it, so Huffman codes are merged, two groups
of tensors at a time, while a common code costs less than two (agglomerative clustering): the longer codes against a
table less. Small tensors that would not pay for a table of their own often pay in company.

The order of channels does not matter to these encodings: bitmaps, places in a table and codes cost the same in any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from converters.decode import encodings, huffman
from converters.decode.format import Array, Encoded, Layout

# Bytes in a file, with rows stored once each (`converters.flatbuffer.writer`): the encoded tensor (24), its shape (8),
# its buffer (12); a DECODE operator (20) with inputs (12) and outputs (8).
_PER_TENSOR, _PER_READER = 44, 40
# The same for a table, without its content: tensor (24), shape (8), buffer (12), count (4).
_PER_TABLE = 48

# Groups between which sharing is looked for, and counts of values in all of them: half a minute at the most.
_MOST_MERGED, _MOST_COUNTS = 1024, 1 << 23


@dataclass(frozen=True, eq=False)
class Candidate:
    """A constant that may be encoded.

    Attributes:
        values: as stored.
        layout: as TFLM will see it decoded.
        readers: operators that read it; each gets a DECODE operator of its own.
    """

    values: Array
    layout: Layout
    readers: int = 1


@dataclass(eq=False)
class _Form:
    """A candidate and its best form alone; None is the plain one."""

    candidate: Candidate
    encoded: Encoded | None
    cost: int


@dataclass(eq=False)
class _Group:
    """Candidates in one Huffman code.

    Attributes:
        members: their numbers.
        counts: value -> how often it occurs in all of them.
        code: best for these counts.
        cost: bytes of all, with table and operators.
        worth: what the members cost without other groups: each alone in its best form, if that is less.
    """

    members: tuple[int, ...]
    counts: Counter[int]
    code: huffman.Code
    cost: int
    worth: int


def choose(candidates: Sequence[Candidate], allowed: Sequence[str]) -> list[Encoded | None]:
    """The smallest form of each candidate; None where the plain one is.

    Args:
        candidates: constants of one file; equal ones come once.
        allowed: names of encodings.
    """
    forms = [_alone(candidate, [name for name in allowed if name != "huffman"]) for candidate in candidates]
    chosen = [form.encoded for form in forms]
    if "huffman" not in allowed:
        return chosen
    tallies = {
        number: Counter(huffman.counts_of(form.candidate.values))
        for number, form in enumerate(forms)
        if huffman.fits(form.candidate.values, form.candidate.layout)
    }
    for group in _merged(forms, tallies):
        together = sum(forms[number].cost for number in group.members)
        if group.cost < together:
            for number in group.members:
                chosen[number] = huffman.encode_with(group.code, forms[number].candidate.values)
    return chosen


def _alone(candidate: Candidate, allowed: Sequence[str]) -> _Form:
    best = _Form(candidate, None, candidate.values.nbytes)
    for name in allowed:
        encoded = encodings()[name].encode(candidate.values, candidate.layout)
        if encoded is not None:
            cost = len(encoded.stream) + len(encoded.table) + _PER_TABLE + _operators(candidate)
            if cost < best.cost:
                best = _Form(candidate, encoded, cost)
    return best


def _operators(candidate: Candidate) -> int:
    return _PER_TENSOR + _PER_READER * candidate.readers


def _merged(forms: Sequence[_Form], tallies: Mapping[int, Counter[int]]) -> list[_Group]:
    """Groups such that no two are better as one, as far as trying the most promising pair first can tell."""

    def group(members: tuple[int, ...]) -> _Group:
        counts: Counter[int] = sum((tallies[number] for number in members), Counter())
        code = huffman.best_code(counts, forms[members[0]].candidate.layout.dtype)
        cost = len(code.table) + _PER_TABLE
        for number in members:
            cost += code.stream_bytes(tallies[number]) + _operators(forms[number].candidate)
        return _Group(members, counts, code, cost, min(cost, sum(forms[number].cost for number in members)))

    groups = [group((number,)) for number in tallies]
    pairs = _Pairs(groups)
    while (pair := pairs.best()) is not None:
        one, other = (pairs.groups[place] for place in pair)
        both = group(one.members + other.members)
        if both.cost < one.worth + other.worth:
            pairs.merge(pair, both)
        else:
            pairs.refuse(pair)
    return [*pairs.groups.values(), *groups[pairs.size :]]


class _Pairs:
    """What merging two groups should save, by the entropy of their counts instead of a code; kept for all pairs.

    Attributes:
        size: how many of the groups given take part: the first ones, as many as time and memory allow.
        groups: those left, by their places.
    """

    def __init__(self, groups: Sequence[_Group]) -> None:
        values = sorted({value for group in groups for value in group.counts})
        self.size = min(len(groups), _MOST_MERGED, max(_MOST_COUNTS // max(len(values), 1), 1))
        self.groups = dict(enumerate(groups[: self.size]))
        columns = {value: column for column, value in enumerate(values)}
        self._counts = np.zeros((self.size, len(values)))
        self._gains = np.full((self.size, self.size), -np.inf)  # above the diagonal
        for row, group in self.groups.items():
            self._counts[row, [columns[value] for value in group.counts]] = list(group.counts.values())
        for row in range(self.size - 1):
            self._look(row, range(row + 1, self.size))

    def best(self) -> tuple[int, int] | None:
        """The places of the pair to try next; None if no merging should save anything."""
        if self.size < 2:
            return None
        row, column = divmod(int(self._gains.argmax()), self.size)
        return (row, column) if self._gains[row, column] > 0 else None

    def merge(self, pair: tuple[int, int], both: _Group) -> None:
        """Puts one group in the place of two."""
        row, gone = pair
        self._gains[gone] = self._gains[:, gone] = -np.inf
        self._counts[row] += self._counts[gone]
        self.groups[row] = both
        del self.groups[gone]
        self._look(row, [place for place in self.groups if place != row])

    def refuse(self, pair: tuple[int, int]) -> None:
        """Notes that merging these two was tried and saves nothing."""
        self._gains[pair] = -np.inf

    def _look(self, row: int, others: Sequence[int]) -> None:
        group = self.groups[row]
        alike = [place for place in others if self.groups[place].code.dtype == group.code.dtype]
        if not alike:
            return
        counts = self._counts[alike]
        both = counts + self._counts[row]
        gains = np.array([self._parts(self.groups[place]) for place in alike]) + self._parts(group)
        # A merged table is about as large as that of the values of both.
        gains = gains - (_PER_TABLE + 2 * np.count_nonzero(both, axis=1))
        gains = gains + _entropy_bytes(counts) + _entropy_bytes(self._counts[row]) - _entropy_bytes(both)
        for place, gain in zip(alike, gains.tolist(), strict=True):
            self._gains[min(row, place), max(row, place)] = gain

    @staticmethod
    def _parts(group: _Group) -> int:
        """What the group is worth, without its codes and operators: what its table costs, or less."""
        return group.worth - group.cost + len(group.code.table) + _PER_TABLE


def _entropy_bytes(counts: Array) -> Array:
    """Bytes of ideal codes for rows of counts: sum n log2(total / n) / 8."""
    total = counts.sum(axis=-1, keepdims=True)
    bits = np.where(counts > 0, counts * (np.log2(np.maximum(total, 1)) - np.log2(np.maximum(counts, 1))), 0.0)
    return np.asarray(bits.sum(axis=-1) / 8)

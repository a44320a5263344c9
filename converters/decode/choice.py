"""Which tensors are worth encoding, how, and which of them share a Huffman code.

A DECODE operator takes two tensors, their buffers and an operator of its own, and every table a tensor and a buffer:
bytes that a small weight must save first. Tensors with the same table share it, so Huffman codes are merged, two groups
of tensors at a time, while a common code costs less than two (agglomerative clustering): the longer codes against a
table less. Small tensors that would not pay for a table of their own often pay in company.

The order of channels does not matter to these encodings: bitmaps, places in a table and codes cost the same in any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from converters.decode import encodings, huffman
from converters.decode.format import Array, Encoded, Layout

# Bytes in a file, with rows stored once each (`converters.flatbuffer.writer`): the encoded tensor (24), its shape (8),
# its buffer (12); a DECODE operator (20) with inputs (12) and outputs (8).
_PER_TENSOR, _PER_READER = 44, 40
# The same for a table, without its content: tensor (24), shape (8), buffer (12), count (4).
_PER_TABLE = 48


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
    """

    members: tuple[int, ...]
    counts: Counter[int]
    code: huffman.Code
    cost: int
    refused: set[int] = field(default_factory=set)


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
        return _Group(members, counts, code, cost)

    groups = {number: group((number,)) for number in tallies}
    while len(groups) > 1:
        pair = _most_promising(groups, forms)
        if pair is None:
            break
        one, other = groups[pair[0]], groups[pair[1]]
        both = group(one.members + other.members)
        if both.cost < _worth(one, forms) + _worth(other, forms):
            groups[pair[0]] = both
            del groups[pair[1]]
        else:
            one.refused.add(id(other))
            other.refused.add(id(one))
    return list(groups.values())


def _worth(group: _Group, forms: Sequence[_Form]) -> int:
    """What the members cost without each other: alone in their best form, if that is smaller than the group."""
    return min(group.cost, sum(forms[number].cost for number in group.members))


def _most_promising(groups: Mapping[int, _Group], forms: Sequence[_Form]) -> tuple[int, int] | None:
    """The pair whose merging should save most, by the entropy of counts instead of a code; None if none should."""
    keys = list(groups)
    dtypes = [forms[groups[key].members[0]].candidate.layout.dtype for key in keys]
    values = sorted({value for key in keys for value in groups[key].counts})
    places = {value: place for place, value in enumerate(values)}
    counts = np.zeros((len(keys), len(values)))
    for row, key in enumerate(keys):
        for value, count in groups[key].counts.items():
            counts[row, places[value]] = count
    entropy = _entropy_bytes(counts)
    best: tuple[float, tuple[int, int]] | None = None
    for row, key in enumerate(keys[:-1]):
        merged = _entropy_bytes(counts[row] + counts[row + 1 :])
        for offset, other in enumerate(keys[row + 1 :]):
            column = row + 1 + offset
            if dtypes[row] != dtypes[column] or id(groups[other]) in groups[key].refused:
                continue
            # A merged table is about as large as that of the values of both.
            elements = np.count_nonzero(counts[row] + counts[column])
            table = _PER_TABLE + 2 * elements
            together = merged[offset] - entropy[row] - entropy[column] - table
            together += groups[key].cost + groups[other].cost
            tables = len(groups[key].code.table) + len(groups[other].code.table) + 2 * _PER_TABLE
            gain = _worth(groups[key], forms) + _worth(groups[other], forms) - (together - tables + 2 * table)
            if gain > 0 and (best is None or gain > best[0]):
                best = gain, (key, other)
    return best[1] if best else None


def _entropy_bytes(counts: Array) -> Array:
    """Bytes of ideal codes for rows of counts: sum n log2(total / n) / 8."""
    total = counts.sum(axis=-1, keepdims=True)
    bits = np.where(counts > 0, counts * (np.log2(np.maximum(total, 1)) - np.log2(np.maximum(counts, 1))), 0.0)
    return np.asarray(bits.sum(axis=-1) / 8)


Measure = Callable[[bytes], int]

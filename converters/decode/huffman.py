"""Huffman: frequent values get short codes; the tables through which TFLM reads the codes are as small as can be.

A table has 2^w elements; the next w bits of the stream are the place in it. An element is a value and how many of the w
bits belong to its code, the rest goes back; or the way to a further table and that one's w (decode_state_huffman.cc).
One table of all codes has 2^(longest code) elements, more than a small tensor. So the tree of codes is cut into tables
of two or more levels such that their elements are fewest,

    size(node) = min over w of 2^w + sum of size(n) over the inner nodes n that lie w levels below

and codes are limited in length (package-merge; Larmore and Hirschberg 1990, "A fast algorithm for optimal
length-limited Huffman codes", Journal of the ACM 37:3) wherever that saves more of the table than it costs in the
stream. The codes of equal length are handed out in ascending order of the values, so that equal lengths give equal
tables, which tensors can share. A tensor of one value has a code of no bits.
"""

from __future__ import annotations

import functools
import heapq
import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from converters.decode.format import HEADER_BYTES, MOST_ELEMENTS, Array, Encoded, Layout, header
from converters.errors import ModelError

NUMBER = 1
_WORD_BITS = 32  # the stream is read in big-endian words
_MOST_WIDTH = 15  # of a table: an element counts up to 15 bits of it
# Longer codes cost more in the tables than they can save in any tensor of a real model; TFLM reads up to 31 bits.
_MOST_LENGTH = 16
_WINDOW_BITS = 64  # that the reader here takes at once; whoever reads codes takes 31 at most


@dataclass(frozen=True)
class _Format:
    """How an element of a table is packed: bit "found", four bits of count, the rest value or way."""

    code: str
    shift: int
    is_wide: bool

    @property
    def found(self) -> int:
        """The bit that says that the element holds a value."""
        return 1 << (self.shift + 4)

    @property
    def bytes(self) -> int:
        """Size of an element."""
        return struct.calcsize(self.code)


_FORMATS = {"int8": _Format("<H", 11, is_wide=False), "int16": _Format("<I", 27, is_wide=True)}


@dataclass(frozen=True)
class Code:
    """A code and its tables.

    Attributes:
        dtype: of the values.
        lengths: value -> bits of its code.
        table: the DECODE operator's second input, header included.
    """

    dtype: str
    lengths: Mapping[int, int]
    table: bytes

    def stream_bytes(self, counts: Mapping[int, int]) -> int:
        """Size of the stream of a tensor with these counts, but for what the reader looks ahead."""
        bits = sum(count * self.lengths[value] for value, count in counts.items())
        return max(-(-bits // _WORD_BITS), 1) * _WORD_BITS // 8


def encode(values: Array, layout: Layout) -> Encoded | None:
    """With a code of its own; None for what cannot have one."""
    if not fits(values, layout):
        return None
    return encode_with(best_code(counts_of(values), layout.dtype), values)


def fits(values: Array, layout: Layout) -> bool:
    """Whether the values can have a code: int8 or int16, and not too many."""
    return layout.dtype in _FORMATS and 0 < values.size <= MOST_ELEMENTS


def counts_of(values: Array) -> dict[int, int]:
    """Value -> how often it occurs, ascending."""
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def best_code(counts: Mapping[int, int], dtype: str) -> Code:
    """The code with which stream and table together are smallest."""
    if len(counts) == 1:
        return _code(dict.fromkeys(counts, 0), dtype)
    unlimited = max(_limited(counts, _MOST_LENGTH).values())
    shortest = (len(counts) - 1).bit_length()
    codes = [_code(_limited(counts, limit), dtype) for limit in range(shortest, max(unlimited, shortest) + 1)]
    return min(codes, key=lambda code: code.stream_bytes(counts) + len(code.table))


def encode_with(code: Code, values: Array) -> Encoded:
    """The values in a code that has all of them."""
    flat = values.reshape(-1)
    words = _codewords(code.lengths)
    lowest = min(words)
    lengths, bits = np.zeros((2, max(words) - lowest + 1), np.int64)
    for value, (length, word) in words.items():
        lengths[value - lowest], bits[value - lowest] = length, word
    places = flat.astype(np.int64) - lowest
    ends = np.cumsum(lengths[places])
    total = int(ends[-1])
    # Bit i of the stream is bit (end - 1 - i) of the code that covers it.
    owner = np.repeat(np.arange(len(flat)), lengths[places])
    stream = np.zeros(_padded(code, flat, ends), np.uint8)
    stream[:total] = bits[places][owner] >> (ends[owner] - 1 - np.arange(total)) & 1
    return Encoded("huffman", np.packbits(stream).tobytes(), code.table)


def _padded(code: Code, flat: Array, ends: Array) -> int:
    """Bits of the stream: whole words, at least one, up to where the reader looks before it puts bits back."""
    looks = _Reader(code.table).looked_at
    # Only codes near the end can reach behind it.
    near = range(max(len(flat) - 2 * _MOST_LENGTH * _WORD_BITS, 0), len(flat))
    furthest = max(int(ends[i]) - code.lengths[int(flat[i])] + looks[int(flat[i])] for i in near)
    return -(-max(int(ends[-1]), furthest, 1) // _WORD_BITS) * _WORD_BITS


# --- lengths ----------------------------------------------------------------------------------------------------


def _limited(counts: Mapping[int, int], limit: int) -> dict[int, int]:
    """Optimal code lengths of at most `limit` bits, by package-merge."""
    coins = sorted((count, (value,)) for value, count in counts.items())
    packages: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(limit):
        merged = list(heapq.merge(coins, packages))
        pairs = zip(merged[::2], merged[1::2], strict=False)
        packages = [(one[0] + other[0], one[1] + other[1]) for one, other in pairs]
    lengths = dict.fromkeys(counts, 0)
    for _, values in packages[: len(counts) - 1]:
        for value in values:
            lengths[value] += 1
    return lengths


def _codewords(lengths: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Value -> (length, bits) of its canonical code: shorter ones first, equal ones by value."""
    words: dict[int, tuple[int, int]] = {}
    word, before = 0, 0
    for length, value in sorted((length, value) for value, length in lengths.items()):
        word <<= length - before
        words[value] = length, word
        word, before = word + 1, length
    return words


# --- tables -----------------------------------------------------------------------------------------------------


def _code(lengths: dict[int, int], dtype: str) -> Code:
    packing = _FORMATS[dtype]
    tree = _Tree(_codewords(lengths))
    elements: list[int] = []
    _fill(elements, tree, "", packing)
    first = tree.width("")
    parameters = (first - 1) << 4 | packing.is_wide
    table = b"".join(struct.pack(packing.code, element) for element in elements)
    return Code(dtype, lengths, header(NUMBER, parameters) + table)


class _Tree:
    """The tree of a code; a node is the text of the bits that lead to it."""

    def __init__(self, words: Mapping[int, tuple[int, int]]) -> None:
        self.values = {format(word, f"0{length}b") if length else "": value for value, (length, word) in words.items()}
        self.inner = {bits[:end] for bits in self.values for end in range(len(bits))}
        self._best: dict[str, tuple[int, int]] = {}

    def width(self, node: str) -> int:
        """Bits of the table at an inner node, or at the root, with which it and those below have fewest elements."""
        return self._cut(node)[1]

    def _cut(self, node: str) -> tuple[int, int]:
        """Number of elements at and below the node, and the width."""
        if node not in self._best:
            options = []
            level = [node]
            for width in range(1, _MOST_WIDTH + 1):
                level = [child for parent in level for child in (parent + "0", parent + "1") if child in self.inner]
                # Of equal sizes, the wider table: fewer steps for the reader.
                options.append(((1 << width) + sum(self._cut(child)[0] for child in level), -width))
                if not level:
                    break
            size, width = min(options)
            self._best[node] = size, -width
        return self._best[node]


def _fill(elements: list[int], tree: _Tree, node: str, packing: _Format) -> None:
    """Appends the table of `node` and then those that it leads to."""
    width, start = tree.width(node), len(elements)
    elements += [0] * (1 << width)
    mask = 0xFFFF if packing.is_wide else 0xFF
    for place in range(1 << width):
        bits = node + format(place, f"0{width}b")
        if bits in tree.inner:
            way = len(elements) - (start + place)
            elements[start + place] = (tree.width(bits) - 1) << packing.shift | way
            _fill(elements, tree, bits, packing)
            continue
        end = next((end for end in range(len(node), len(bits) + 1) if bits[:end] in tree.values), None)
        if end is not None:  # else a code that no value has
            used = end - len(node)
            elements[start + place] = packing.found | used << packing.shift | tree.values[bits[:end]] & mask


# --- reading ----------------------------------------------------------------------------------------------------


class _Reader:
    """A table as TFLM reads it, every step checked.

    Raises:
        ModelError: the table is too short for what it says.
    """

    def __init__(self, table: bytes) -> None:
        packing = next(one for one in _FORMATS.values() if one.is_wide == bool(table[5] & 1))
        count = (len(table) - HEADER_BYTES) // packing.bytes
        self._elements = struct.unpack_from(f"<{count}{packing.code[1]}", table, HEADER_BYTES)
        self._packing = packing
        self._width = (table[5] >> 4) + 1

    def next(self, window: int, bits: int) -> tuple[int, int, int]:
        """Value of the code at the start of a window, its length, and the bits looked at.

        Args:
            window: the next bits of the stream as a number.
            bits: how many they are.
        """
        used, width, base = 0, self._width, 0
        while True:
            if used + width > bits:
                raise ModelError("the codes of a Huffman-coded tensor end before its values; the file is damaged")
            place = base + (window >> (bits - used - width) & ((1 << width) - 1))
            if place >= len(self._elements):
                raise ModelError("a Huffman table leads to a place behind its end; the file is damaged")
            element = self._elements[place]
            count = element >> self._packing.shift & 15
            value = element & ((1 << self._packing.shift) - 1)
            if element & self._packing.found:
                if count > width:
                    raise ModelError("a Huffman table has a code longer than its table is wide; the file is damaged")
                return value, used + count, used + width
            if not value:
                raise ModelError("a Huffman table leads back to itself; the file is damaged")
            used, width, base = used + width, count + 1, place + value

    @functools.cached_property
    def looked_at(self) -> dict[int, int]:
        """Value -> bits that are looked at to find it; int8 and int16 values signed."""
        found: dict[int, int] = {}
        kind = np.int16 if self._packing.is_wide else np.int8
        waiting = [(0, self._width, 0)]
        while waiting:
            base, width, used = waiting.pop()
            for place in range(base, base + (1 << width)):
                element = self._elements[place]
                count = element >> self._packing.shift & 15
                value = element & ((1 << self._packing.shift) - 1)
                if element & self._packing.found:
                    found[int(np.array(value & (0xFFFF if kind is np.int16 else 0xFF)).astype(kind))] = used + width
                elif value:
                    waiting.append((place + value, count + 1, used + width))
        return found


def decode(stream: bytes, table: bytes, layout: Layout) -> Array:
    """See `decode_state_huffman.cc`.

    Raises:
        ModelError: the codes or the table are not whole.
    """
    if layout.dtype not in _FORMATS:
        raise ModelError(f"a Huffman code cannot stand for {layout.dtype}; expected int8 or int16")
    if layout.dtype == "int16" and not table[5] & 1:
        raise ModelError("a Huffman code of int16 values has a table of 16-bit elements; the file is damaged")
    reader = _Reader(table)
    total = len(stream) * 8
    values = np.empty(min(layout.elements, total), np.int64)
    padded = stream + bytes(16)
    position = 0
    for index in range(len(values)):
        start, skipped = divmod(position, 8)
        left = max(min(_WINDOW_BITS, total - position), 0)
        window = int.from_bytes(padded[start : start + _WINDOW_BITS // 8 + 1], "big") >> (8 - skipped)
        window = (window & ((1 << _WINDOW_BITS) - 1)) >> (_WINDOW_BITS - left)
        values[index], length, _ = reader.next(window, left)
        position += length
    if len(values) < layout.elements:
        # Codes of no bits are left: the place in the stream stays, and with it the value.
        if position or not total:
            raise ModelError(f"{len(stream)} bytes of codes stand for {layout.elements:,} values; the file is damaged")
        return np.full(layout.elements, values[-1].astype(layout.dtype))
    return values.astype(layout.dtype)  # the low bits count, as in TFLM's assignment

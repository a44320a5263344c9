"""Rows to the bytes of a flatbuffer, with every repeated part stored once.

The generated writer stores each vector, string and table anew: the zero points alone of MLPerf Tiny's DS-CNN are 9,480
bytes. The format does not ask for that: an offset may lead to an object that others refer to as well. Here equal
objects, whatever table they are in, are one object, found from the leaves upwards (hash consing).

Then they are placed. Offsets are unsigned and lead forward, so that a parent comes before what it refers to; vtables
may lie anywhere. What refers to others comes first, the leaves (vectors of numbers, strings, vtables) follow in an
order in which small ones fill the gaps that the alignment of large ones leaves.

Format: https://flatbuffers.dev/internals. `Buffer.data` is aligned to 16 bytes, as the schema asks for (`force_align`).
"""

from __future__ import annotations

import struct
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters.flatbuffer.schema import SCALARS, TABLES, UNIONS, Field
from converters.flatbuffer.walk import Row

_IDENTIFIER = b"TFL3"
_HEADER = 8  # offset of the root table, identifier
_ALIGNED = {("Buffer", "data"): 16, ("CustomQuantization", "custom"): 16}
_ALIGNMENT = 16  # the largest that occurs


@dataclass(frozen=True)
class _Leaf:
    """An object without offsets.

    Attributes:
        data: its bytes, the count of a vector included.
        align: what the position of `point` must be a multiple of.
        point: where in `data` the aligned part begins: 4 behind a count.
    """

    data: bytes
    align: int
    point: int = 4


@dataclass(frozen=True)
class _Branch:
    """An object that refers to others.

    Attributes:
        data: its bytes, with zeros for the offsets.
        align: alignment of its first byte.
        children: (position of the offset in `data`, number of the object).
        vtable: number of a table's vtable; None for a vector.
    """

    data: bytes
    align: int
    children: tuple[tuple[int, int], ...]
    vtable: int | None


def write(model: Row) -> bytes:
    """The bytes of a file whose root table `Model` is `model`; equal rows give equal bytes."""
    objects = _Objects()
    root = objects.table(model, "Model")
    return objects.placed(root)


class _Objects:
    """All objects of a file by number; children have smaller numbers than their parents, equal objects the same."""

    def __init__(self) -> None:
        self._numbers: dict[_Leaf | _Branch, int] = {}

    def _number(self, one: _Leaf | _Branch) -> int:
        return self._numbers.setdefault(one, len(self._numbers))

    def table(self, row: Row, name: str) -> int:
        """The number of a table; fields that have their default are left out."""
        scalars, children = self._fields(row, name)
        # Larger fields first, so that none needs a gap before it.
        order = sorted([*scalars, *children], key=lambda slot: (-len(scalars.get(slot, b"1234")), slot))
        wide = bool(order) and len(scalars.get(order[0], b"")) == 8
        body = bytearray(8 if wide else 4)
        places: dict[int, int] = {}
        for slot in order:
            places[slot] = len(body)
            body += scalars.get(slot, bytes(4))
        entries = [places.get(slot, 0) for slot in range(max(places, default=-1) + 1)]
        vtable = struct.pack(f"<{2 + len(entries)}H", 4 + 2 * len(entries), len(body), *entries)
        offsets = tuple((places[slot], number) for slot, number in sorted(children.items()))
        return self._number(_Branch(bytes(body), 8 if wide else 4, offsets, self._number(_Leaf(vtable, 2, point=0))))

    def _fields(self, row: Row, name: str) -> tuple[dict[int, bytes], dict[int, int]]:
        """Slot -> bytes of its scalar, and slot -> number of the object it refers to."""
        scalars: dict[int, bytes] = {}
        children: dict[int, int] = {}
        for field in TABLES[name]:
            value = row[field.name]
            if field.kind == "scalar":
                packed, default = (np.asarray(one, SCALARS[field.type][0]).tobytes() for one in (value, field.default))
                if packed != default:
                    scalars[field.slot] = packed
            elif value is not None:
                children[field.slot] = self._child(row, name, field, value)
        return scalars, children

    def _child(self, row: Row, table: str, field: Field, value: Any) -> int:
        if field.kind == "table":
            return self.table(value, field.type)
        if field.kind == "union":
            return self.table(value, UNIONS[table, field.name][row[f"{field.name}_type"]])
        if field.kind == "tables":
            return self._vector_of_tables([self.table(item, field.type) for item in value])
        if field.kind == "string":
            text = value.encode()
            return self._number(_Leaf(struct.pack("<I", len(text)) + text + b"\0", 4))
        if field.kind == "bytes":
            return self._number(_Leaf(struct.pack("<I", len(value)) + value, _ALIGNED.get((table, field.name), 4)))
        kind, size = SCALARS[field.type]
        numbers = np.asarray(value, kind)
        return self._number(_Leaf(struct.pack("<I", len(numbers)) + numbers.tobytes(), max(4, size)))

    def _vector_of_tables(self, numbers: Sequence[int]) -> int:
        data = struct.pack("<I", len(numbers)) + bytes(4 * len(numbers))
        return self._number(_Branch(data, 4, tuple((4 + 4 * i, one) for i, one in enumerate(numbers)), None))

    def placed(self, root: int) -> bytes:
        """The file: the header, then what refers to others, parents first, then the leaves."""
        objects = list(self._numbers)
        places: dict[int, int] = {}
        end = _HEADER
        for number in range(len(objects) - 1, -1, -1):
            one = objects[number]
            if isinstance(one, _Branch):
                places[number] = end + -end % one.align
                end = places[number] + len(one.data)
        leaves = [(number, one) for number, one in enumerate(objects) if isinstance(one, _Leaf)]
        end = _place_leaves(leaves, places, end)
        file = bytearray(end)
        file[:_HEADER] = struct.pack("<I", places[root]) + _IDENTIFIER
        for number, place in places.items():
            file[place : place + len(objects[number].data)] = objects[number].data
        for number, place in places.items():
            one = objects[number]
            if isinstance(one, _Leaf):
                continue
            if one.vtable is not None:
                struct.pack_into("<i", file, place, place - places[one.vtable])
            for position, child in one.children:
                struct.pack_into("<I", file, place + position, places[child] - place - position)
        return bytes(file)


def _place_leaves(leaves: Sequence[tuple[int, _Leaf]], places: dict[int, int], end: int) -> int:
    """Gives every leaf a place from `end` on, and returns where the last one ends.

    At each position the leaf that leaves the smallest gap comes next, the largest of these first. Where every
    much-aligned leaf would leave a gap, a small one that ends where such a leaf can begin goes before it.
    """
    # Which leaves fit without a gap depends on the position modulo 16 only; so leaves wait in a list for each
    # (alignment, point), largest last.
    waiting: dict[tuple[int, int], list[tuple[int, int]]] = {}
    data = dict(leaves)
    for number, leaf in leaves:
        insort(waiting.setdefault((leaf.align, leaf.point), []), (len(leaf.data), -number))
    while waiting:
        gap, kind = min((-(end + point) % align, (-align, -point)) for align, point in waiting)
        align, point = -kind[0], -kind[1]
        index = _best(waiting, (align, point), end)
        _, number = waiting[align, point].pop(index)
        if not waiting[align, point]:
            del waiting[align, point]
        places[-number] = end + gap
        end += gap + len(data[-number].data)
    return end


def _best(waiting: dict[tuple[int, int], list[tuple[int, int]]], kind: tuple[int, int], end: int) -> int:
    """Which leaf of a kind comes next: the largest, or the smallest after which a more aligned leaf fits exactly."""
    wider = [(align, point) for align, point in waiting if align > kind[0]]
    start = end + -(end + kind[1]) % kind[0]
    if wider:
        align, point = max(wider)
        for index, (size, _) in enumerate(waiting[kind]):
            if (start + size + point) % align == 0:
                return index
        return 0
    return -1

"""Flatbuffers checked as the official C++ verifier does, alignment included, and rows at random to write them from.

Rules: https://flatbuffers.dev/internals, and `Verifier` in flatbuffers/verifier.h. What each table holds comes from the
schema that `test_flatbuffer_schema.py` holds against the official one; every position is worked out anew here.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from converters.flatbuffer.schema import SCALARS, TABLES, UNIONS, Field

Row = dict[str, Any]
FORCED = {("Buffer", "data"): 16, ("CustomQuantization", "custom"): 16}  # force_align in schema.fbs


class Checked:
    """A file walked from its root; AssertionError where it breaks a rule.

    Args:
        data: the file.
        aligned: whether contents of buffers must lie on 16 bytes, which the official Python writer does not see to.

    Attributes:
        claimed: (start, end) of everything that is referred to.
    """

    def __init__(self, data: bytes, *, aligned: bool = True) -> None:
        self.data = data
        self._forced = FORCED if aligned else {}
        self.claimed: set[tuple[int, int]] = {(0, 8)}
        assert data[4:8] == b"TFL3"
        self._done: set[tuple[int, str]] = set()
        self._table(self._offset(0), "Model")

    def wasted(self) -> int:
        """Bytes between and behind all that is referred to."""
        used = np.zeros(len(self.data), bool)
        for start, end in self.claimed:
            used[start:end] = True
        return int(np.count_nonzero(~used))

    def overlaps(self) -> bool:
        """Whether two different objects share bytes."""
        places = sorted(self.claimed)
        return any(one[1] > other[0] for one, other in zip(places, places[1:], strict=False))

    def _offset(self, position: int) -> int:
        assert position % 4 == 0
        (way,) = struct.unpack_from("<I", self.data, position)
        assert 0 < way < 1 << 31
        assert position + way + 4 <= len(self.data)
        return position + way

    def _table(self, position: int, name: str) -> None:
        if (position, name) in self._done:
            return
        self._done.add((position, name))
        assert position % 4 == 0
        vtable = position - struct.unpack_from("<i", self.data, position)[0]
        assert vtable % 2 == 0 and 8 <= vtable <= len(self.data) - 4
        vtable_size, size = struct.unpack_from("<HH", self.data, vtable)
        assert vtable_size % 2 == 0 and vtable_size >= 4 and vtable + vtable_size <= len(self.data)
        assert size >= 4 and position + size <= len(self.data)
        self.claimed |= {(vtable, vtable + vtable_size), (position, position + size)}
        slots = struct.unpack_from(f"<{vtable_size // 2 - 2}H", self.data, vtable + 4)
        fields = {field.slot: field for field in TABLES[name]}
        taken = np.zeros(size, bool)
        taken[:4] = True
        types: dict[str, int] = {}
        for slot, offset in enumerate(slots):
            if not offset:
                continue
            field = fields[slot]
            width = SCALARS[field.type][1] if field.kind == "scalar" else 4
            assert (position + offset) % width == 0, f"{name}.{field.name} at {position + offset}"
            assert not taken[offset : offset + width].any() and offset + width <= size
            taken[offset : offset + width] = True
            self._field(name, field, position + offset, types)

    def _field(self, table: str, field: Field, position: int, types: dict[str, int]) -> None:
        if field.kind == "scalar":
            types[field.name] = self.data[position]
        elif field.kind == "table":
            self._table(self._offset(position), field.type)
        elif field.kind == "union":
            self._table(self._offset(position), UNIONS[table, field.name][types[f"{field.name}_type"]])
        elif field.kind == "tables":
            start, count = self._vector(position, 4, 4)
            for place in range(start, start + 4 * count, 4):
                self._table(self._offset(place), field.type)
        else:
            width = 1 if field.kind in ("string", "bytes") else SCALARS[field.type][1]
            start, count = self._vector(position, width, self._forced.get((table, field.name), width))
            if field.kind == "string":
                assert self.data[start + count] == 0
                self.claimed.remove((start - 4, start + count))
                self.claimed.add((start - 4, start + count + 1))

    def _vector(self, position: int, width: int, align: int) -> tuple[int, int]:
        place = self._offset(position)
        (count,) = struct.unpack_from("<I", self.data, place)
        assert place % 4 == 0 and (place + 4) % align == 0
        assert place + 4 + width * count <= len(self.data)
        self.claimed.add((place, place + 4 + width * count))
        return place + 4, count


# --- rows at random -------------------------------------------------------------------------------------------------

# What `rows.read` refuses, since it lies outside of the file, and the deepest way down.
_KEPT_DEFAULT = {
    *(("Buffer", "offset"), ("Buffer", "size"), ("Operator", "large_custom_options_offset")),
    *(("Model", "external_buffers"), ("Model", "external_buffer_groups")),
}


def random_row(table: str, rng: np.random.Generator, *, present: float) -> Row:
    """A row whose fields are there with a probability of `present`, each with a value of its own type."""
    row: Row = {}
    for field in TABLES[table]:
        there = rng.random() < present and (table, field.name) not in _KEPT_DEFAULT
        if field.kind == "union":
            number = row[f"{field.name}_type"] % len(UNIONS[table, field.name])
            row[f"{field.name}_type"] = number
            inner = UNIONS[table, field.name][number]
            row[field.name] = random_row(inner, rng, present=present) if number else None
        elif field.kind == "scalar":
            row[field.name] = _numbers(field.type, 1, rng)[0].item() if there else field.default
            if there and field.name.endswith("_type") and (table, field.name.removesuffix("_type")) in UNIONS:
                row[field.name] = int(rng.integers(256))
        else:
            row[field.name] = _value(field, rng, present) if there else None
    return row


def _value(field: Field, rng: np.random.Generator, present: float) -> Any:
    count = int(rng.integers(0, 4))
    if field.kind == "table":
        return random_row(field.type, rng, present=present)
    if field.kind == "tables":
        return [random_row(field.type, rng, present=present) for _ in range(count)]
    if field.kind == "string":
        return "".join(rng.choice(list("aé/\u20ac:0"), count))
    if field.kind == "bytes":
        return rng.bytes(int(rng.integers(0, 40)))
    return _numbers(field.type, count, rng)


def _numbers(kind: str, count: int, rng: np.random.Generator) -> Any:
    dtype = np.dtype(SCALARS[kind][0])
    if dtype.kind == "f":
        return rng.normal(size=count).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, count).astype(dtype)
    info = np.iinfo(dtype)
    return rng.choice(np.array([0, 1, info.min, info.max, 7], dtype), count)


def same(one: Any, other: Any) -> bool:
    """Whether two rows say the same."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    return (one is None) == (other is None) and bool(one == other)  # a default of a flag is 0

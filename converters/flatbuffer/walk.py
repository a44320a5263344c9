"""The checked walk over a flatbuffer: every offset, vtable, length and string is verified before it is believed.

The same walk notes what each byte is for, which gives the size ledger. Nothing here knows what a tensor means: the
tables are read as dicts, after `flatbuffer.schema`.

Format: https://flatbuffers.dev/internals. A table starts with a signed offset back to its vtable; a vtable holds its
own size, the table's size, then one offset per field (0: absent); vectors and strings start with a count.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.decode import encodings
from converters.errors import ModelError
from converters.flatbuffer.schema import SCALARS, TABLES, UNIONS, Field

# What bytes are for. Encoded constants, biases among them, and their tables count under the name of the encoding.
CATEGORIES = ("weights", *encodings(), "biases", "quantization", "names", "metadata", "graph", "padding")

# One flatbuffer may refer to an object many times. What all references together make a reader do is bounded by this
# many times the file's size (honest files: below 2), and the tables by a number no real model comes near.
_WORK_PER_BYTE = 16
_WORK_FREE = 1 << 16
_MAX_TABLES = 1 << 17

_TABLE_CATEGORIES: dict[str, str] = {
    "QuantizationParameters": "quantization",
    "CustomQuantization": "quantization",
    "BlockwiseQuantization": "quantization",
    "MultiAxisQuantization": "quantization",
    "SparsityParameters": "weights",
    "DimensionMetadata": "weights",
    "Int32Vector": "weights",
    "Uint16Vector": "weights",
    "Uint8Vector": "weights",
    "Metadata": "metadata",
    "SignatureDef": "metadata",
    "TensorMap": "metadata",
}
_FIELD_CATEGORIES: dict[tuple[str, str], str] = {
    ("Tensor", "name"): "names",
    ("SubGraph", "name"): "names",
    ("Model", "description"): "metadata",
    ("Model", "metadata"): "metadata",
    ("Model", "metadata_buffer"): "metadata",
    ("Model", "signature_defs"): "metadata",
}

_U16 = struct.Struct("<H")
_U32 = struct.Struct("<I")
_VTABLE_HEAD = struct.Struct("<HH")
_I32 = struct.Struct("<i")
_CODES = {
    "bool": "?",
    "int8": "b",
    "uint8": "B",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
}
_SCALAR_READERS = {name: struct.Struct("<" + code) for name, code in (_CODES | {"float32": "f"}).items()}

Row = dict[str, Any]


class Walk:
    """One pass over one file.

    Attributes:
        data: the file.
        spent: bytes read so far, every reference to an object counted.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spent = 0
        self._limit = _WORK_FREE + _WORK_PER_BYTE * len(data)
        self._tables = 0
        self._seen: dict[tuple[int, str], tuple[Row, int, int]] = {}  # row, bytes, tables below
        self._owners = np.full(len(data), CATEGORIES.index("padding"), np.uint8)

    def root(self, identifier: bytes) -> Row:
        """The root table `Model`.

        Args:
            identifier: the four bytes that must stand at offset 4.

        Raises:
            ModelError: the file is of another kind, or damaged.
        """
        if len(self.data) < 8 or self.data[4:8] != identifier:
            raise ModelError(f"this is no .tflite file: expected {identifier.decode()} at byte 4; check the path")
        self.claim(0, 8, "graph")
        return self._table(self._target(0, 0), "Model")

    def charge(self, size: int) -> None:
        """Counts `size` bytes of work.

        Raises:
            ModelError: the objects of the file refer to each other more often than any real model does.
        """
        self.spent += size
        if self.spent > self._limit:
            raise ModelError("the file is damaged: its parts share their content far too often; make the file again")

    def claim(self, start: int, size: int, category: str) -> None:
        """Notes that the bytes from `start` belong to `category`; a later claim wins over an earlier one."""
        self._owners[start : start + size] = CATEGORIES.index(category)

    def ledger(self) -> dict[str, int]:
        """Bytes per category, encodings only where they occur; their sum is the file's size."""
        # One pass per category: np.bincount would widen every byte to eight.
        found = {name: int(np.count_nonzero(self._owners == number)) for number, name in enumerate(CATEGORIES)}
        return {name: size for name, size in found.items() if size or name not in encodings()}

    def damaged(self, position: int, problem: str) -> ModelError:
        """The error for a file that breaks its own format at byte `position`."""
        return ModelError(f"the file is damaged at byte {position}: {problem}; copy or make the file again")

    def _table(self, position: int, name: str) -> Row:
        known = self._seen.get((position, name))
        if known is not None:
            self._count(known[1], known[2])
            return known[0]
        before = self.spent, self._tables
        vtable, vtable_size, size = self._layout(position, name)
        self._count(size, 1)
        category = _TABLE_CATEGORIES.get(name, "graph")
        self.claim(vtable, vtable_size, category)
        self.claim(position, size, category)
        row: Row = {}
        for field in TABLES[name]:
            entry = 4 + 2 * field.slot
            offset = _U16.unpack_from(self.data, vtable + entry)[0] if entry < vtable_size else 0
            if not offset:
                row[field.name] = field.default if field.kind == "scalar" else None
                continue
            if offset + (SCALARS[field.type][1] if field.kind == "scalar" else 4) > size:
                raise self.damaged(position, f"field {field.name} lies outside of its table {name}")
            row[field.name] = self._field(name, field, position + offset, row)
        self._seen[position, name] = row, self.spent - before[0], self._tables - before[1]
        return row

    def _count(self, size: int, tables: int) -> None:
        self._tables += tables
        self.charge(size)
        if self._tables > _MAX_TABLES:
            raise ModelError(
                f"the file holds more than {_MAX_TABLES} tables; no real model has as many, so it is refused"
            )

    def _layout(self, position: int, name: str) -> tuple[int, int, int]:
        """Where the table's vtable is, the vtable's size and the table's size, all inside of the file."""
        if position + 4 > len(self.data):
            raise self.damaged(position, f"the table {name} starts behind the end of the file")
        vtable = position - _I32.unpack_from(self.data, position)[0]
        if not 0 <= vtable <= len(self.data) - 4:
            raise self.damaged(position, f"the table {name} has its layout outside of the file")
        vtable_size, size = _VTABLE_HEAD.unpack_from(self.data, vtable)
        if vtable_size < 4 or vtable_size % 2 or vtable + vtable_size > len(self.data):
            raise self.damaged(vtable, f"the layout of a table {name} has an impossible size")
        if size < 4 or position + size > len(self.data):
            raise self.damaged(position, f"the table {name} reaches behind the end of the file")
        return vtable, vtable_size, size

    def _field(self, table: str, field: Field, position: int, row: Row) -> Any:
        if field.kind == "scalar":
            return _SCALAR_READERS[field.type].unpack_from(self.data, position)[0]
        category = _FIELD_CATEGORIES.get((table, field.name)) or _TABLE_CATEGORIES.get(table, "graph")
        if field.kind == "union":
            return self._union(table, field, position, row)
        target = self._target(position, position)
        if field.kind == "table":
            return self._table(target, field.type)
        if field.kind == "string":
            return self._string(target, category)
        start, count = self._vector(target, 4 if field.kind == "tables" else SCALARS[field.type][1], category)
        if field.kind == "bytes":
            return slice(start, start + count)
        if field.kind == "tables":
            return [self._table(self._target(at, at), field.type) for at in range(start, start + 4 * count, 4)]
        return np.frombuffer(self.data, SCALARS[field.type][0], count, start)

    def _union(self, table: str, field: Field, position: int, row: Row) -> Row | None:
        tables = UNIONS[table, field.name]
        number = row[f"{field.name}_type"]
        if number >= len(tables):
            raise self.damaged(position, f"{field.name} of a {table} is of the unknown kind {number}")
        return self._table(self._target(position, position), tables[number]) if number else None

    def _target(self, position: int, base: int) -> int:
        """Follows the unsigned offset stored at `position`; the reader of the target checks what lies there."""
        target: int = base + _U32.unpack_from(self.data, position)[0]
        if target == base or target + 4 > len(self.data):
            raise self.damaged(position, "an offset leads out of the file")
        return target

    def _vector(self, position: int, item_size: int, category: str) -> tuple[int, int]:
        """Where the items start and how many there are."""
        count = _U32.unpack_from(self.data, position)[0]
        size = 4 + count * item_size
        if position + size > len(self.data):
            raise self.damaged(position, f"a vector of {count} items is longer than the rest of the file")
        self.charge(size)
        self.claim(position, size, category)
        return position + 4, count

    def _string(self, position: int, category: str) -> str:
        start, count = self._vector(position, 1, category)
        if start + count >= len(self.data) or self.data[start + count] != 0:
            raise self.damaged(position, "a string does not end with a zero byte")
        self.claim(start + count, 1, category)
        return self.data[start : start + count].decode(errors="replace")


def as_tuple(vector: NDArray[Any] | None) -> tuple[int, ...]:
    """The integers of a vector that may be absent."""
    return () if vector is None else tuple(vector.tolist())

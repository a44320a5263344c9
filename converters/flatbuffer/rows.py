"""A `.tflite` file as rows that can be edited, and back to bytes as small as the format allows.

    model = rows.read(data)                  dicts after `flatbuffer.schema`: model["subgraphs"][0]["tensors"]
    data = rows.write(model)

A row has every field of its table: None for an absent string, vector or table, the default for an absent scalar. Byte
vectors are `bytes`, other vectors NumPy arrays, tables are dicts that nothing else refers to.
"""

from __future__ import annotations

from typing import Any

from converters.errors import ModelError
from converters.flatbuffer.schema import TABLES, UNIONS, Field
from converters.flatbuffer.walk import Row, Walk
from converters.flatbuffer.writer import write

__all__ = ["Row", "new", "read", "write"]

IDENTIFIER = b"TFL3"


def read(data: bytes) -> Row:
    """The root table `Model` of a file, every offset checked; nothing in it is shared.

    Raises:
        ModelError: the file is damaged, or keeps data behind its flatbuffer (files above 2 GB).
    """
    model = _own(Walk(data).root(IDENTIFIER), "Model", data)
    outside = any(buffer["offset"] > 1 for buffer in model["buffers"] or ())
    outside = outside or any(
        operator["large_custom_options_offset"] > 1
        for graph in model["subgraphs"] or ()
        for operator in graph["operators"] or ()
    )
    if outside or model["external_buffers"]:
        raise ModelError("this file keeps data outside of its flatbuffer and cannot be edited; give one below 2 GB")
    return model


def new(table: str, **fields: Any) -> Row:
    """A row of a table: the given fields, and the defaults of the others."""
    defaults = {field.name: field.default if field.kind == "scalar" else None for field in TABLES[table]}
    if unknown := sorted(fields.keys() - defaults.keys()):
        raise KeyError(f"{table} has no field {unknown[0]}")
    return defaults | fields


def _own(row: Row, table: str, data: bytes) -> Row:
    return {field.name: _value(row, table, field, data) for field in TABLES[table]}


def _value(row: Row, table: str, field: Field, data: bytes) -> Any:
    value = row[field.name]
    if value is None or field.kind in ("scalar", "string"):
        return value
    if field.kind == "bytes":
        return data[value]
    if field.kind == "vector":
        return value.copy()
    if field.kind == "tables":
        return [_own(item, field.type, data) for item in value]
    inner = UNIONS[table, field.name][row[f"{field.name}_type"]] if field.kind == "union" else field.type
    return _own(value, inner, data)

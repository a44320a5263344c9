"""Look-up table: each element is a number of 1 to 7 bits, the place of its value in a table.

One table for the tensor, or one for each channel where channels have fewer values each than all together. Values lie in
the table in ascending order, so that tensors with the same values have the same table. A table for all channels has
stride 0: TFLM adds the stride after each channel (decode_state_lut.cc).
"""

from __future__ import annotations

import math

import numpy as np

from converters.decode.format import HEADER_BYTES, Array, Encoded, Layout, bits_of, header, packed, words
from converters.errors import ModelError

NUMBER = 0
_MOST_BITS = 7
_DTYPES = frozenset({"int8", "int16", "int32", "int64", "float32"})


def encode(values: Array, layout: Layout) -> Encoded | None:
    """The smaller of one table and tables per channel; None for too many values or an unknown type."""
    if layout.dtype not in _DTYPES or not layout.is_supported or not values.size:
        return None
    forms = [form for form in (_one_table(values), _tables(values, layout)) if form]
    return min(forms, key=lambda form: len(form.stream) + len(form.table), default=None)


def _one_table(values: Array) -> Encoded | None:
    table, places = np.unique(words(values), return_inverse=True)
    if len(table) > 1 << _MOST_BITS:
        return None
    width = _width(len(table))
    return Encoded("lut", packed(places, width), header(NUMBER, width, 0) + table.tobytes())


def _tables(values: Array, layout: Layout) -> Encoded | None:
    if layout.channels < 2:
        return None
    rows = layout.by_channel(words(values))
    found = [np.unique(row, return_inverse=True) for row in rows]
    stride = max(len(table) for table, _ in found)
    if stride > 1 << _MOST_BITS:
        return None
    width = _width(stride)
    tables = np.zeros((len(found), stride), rows.dtype)
    for row, (table, _) in zip(tables, found, strict=True):
        row[: len(table)] = table
    places = layout.in_order(np.array([places for _, places in found]))
    return Encoded("lut", packed(places, width), header(NUMBER, width, stride) + tables.tobytes())


def _width(values: int) -> int:
    return max(1, math.ceil(math.log2(values)))


def decode(stream: bytes, table: bytes, layout: Layout) -> Array:
    """See `decode_state_lut.cc`.

    Raises:
        ModelError: stream or table is too short.
    """
    width, stride = table[5] & 7, table[6]
    if not width or layout.dtype not in _DTYPES:
        raise ModelError(f"a look-up table for {layout.dtype} with numbers of {width} bits; expected 1 to 7 bits")
    kind = np.dtype(layout.dtype).newbyteorder("<")
    entries = np.frombuffer(table, kind, (len(table) - HEADER_BYTES) // kind.itemsize, HEADER_BYTES)
    places = bits_of(stream, layout.elements, width)
    if stride:
        if layout.elements % layout.channels:
            raise ModelError(f"{layout.elements} values are to be {layout.channels} channels; the file is damaged")
        channels = np.broadcast_to(np.arange(layout.channels)[:, None], layout.by_channel(places).shape)
        places = places + layout.in_order(channels) * stride
    if places.size and places.max() >= len(entries):
        raise ModelError(f"a look-up table has {len(entries)} values, and value {int(places.max())} is asked for")
    return entries[places]

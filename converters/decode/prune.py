"""Prune bitmap: one bit for each element, and the values of those that are not zero.

"Zero" is the zero point: of the tensor, or of the element's channel (int8 only; other types must have zero points 0).
The first element is the highest bit of the first byte (decode_state_prune.cc).
"""

from __future__ import annotations

import numpy as np

from converters.decode.format import HEADER_BYTES, Array, Encoded, Layout, header, words
from converters.errors import ModelError

NUMBER = 2
_DTYPES = frozenset({"int8", "int16", "int32", "int64", "float32"})


def encode(values: Array, layout: Layout) -> Encoded | None:
    """Bitmap and values; None for an unknown type."""
    if not _fits(layout) or not values.size:
        return None
    flat = words(values)
    kept = flat != words(_zeros(layout))
    return Encoded("prune", np.packbits(kept).tobytes(), header(NUMBER) + flat[kept].tobytes())


def decode(stream: bytes, table: bytes, layout: Layout) -> Array:
    """See `decode_state_prune.cc`.

    Raises:
        ModelError: stream or table is too short.
    """
    if not _fits(layout):
        raise ModelError(f"a prune bitmap cannot stand for {layout.dtype} with zero points {layout.zero_points[:4]}")
    if len(stream) * 8 < layout.elements:
        raise ModelError(f"a prune bitmap has {len(stream)} bytes, too few for {layout.elements:,} values")
    kept = np.unpackbits(np.frombuffer(stream, np.uint8), count=layout.elements).astype(bool)
    kind = np.dtype(layout.dtype).newbyteorder("<")
    entries = np.frombuffer(table, kind, (len(table) - HEADER_BYTES) // kind.itemsize, HEADER_BYTES)
    if (count := int(kept.sum())) > len(entries):
        raise ModelError(f"a prune bitmap asks for {count:,} values, and {len(entries):,} are there")
    values = _zeros(layout).copy()
    values[kept] = entries[:count]
    return values


def _fits(layout: Layout) -> bool:
    if layout.dtype not in _DTYPES or not layout.is_supported:
        return False
    points = layout.zero_points
    if layout.dtype != "int8":
        return not any(points)
    return len(points) in (0, 1, layout.channels) and all(-128 <= point <= 127 for point in points)


def _zeros(layout: Layout) -> Array:
    """The tensor if nothing were kept, in one dimension."""
    points = layout.zero_points
    if len(set(points)) < 2:
        return np.full(layout.elements, points[0] if points else 0, layout.dtype)
    shape = layout.by_channel(np.empty(layout.elements, np.int8)).shape
    rows = np.broadcast_to(np.array(points, np.int8)[:, None], shape)
    return np.ascontiguousarray(layout.in_order(rows))

"""The values that cross between a process and its child: JSON plus raw arrays, never pickles.

A child may have executed a hostile file; what it sends must not be able to run code in its parent.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any, cast

import numpy as np


def write_message(stream: IO[bytes], value: Any) -> None:
    """Writes one value: a length, JSON in which arrays are numbered, then each array's bytes."""
    blobs: list[memoryview] = []
    text = json.dumps(_to_json(value, blobs)).encode()
    stream.write(struct.pack("<QQ", len(text), len(blobs)))
    stream.write(text)
    for blob in blobs:
        stream.write(struct.pack("<Q", blob.nbytes))
        stream.write(blob)
    stream.flush()


def read_message(stream: IO[bytes]) -> Any:
    """Reads one value written by `write_message`; None where the stream ends before it is whole."""
    head = stream.read(16)
    if len(head) < 16:
        return None
    text_bytes, blob_count = struct.unpack("<QQ", head)
    text = stream.read(text_bytes)
    blobs: list[bytearray] = []
    for _ in range(blob_count):
        size = stream.read(8)
        if len(size) < 8:
            return None
        blob = bytearray(struct.unpack("<Q", size)[0])
        if cast("Any", stream).readinto(blob) < len(blob):
            return None
        blobs.append(blob)
    return _from_json(json.loads(text), blobs) if len(text) == text_bytes else None


def _to_json(value: Any, blobs: list[memoryview]) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise TypeError(f"an array of {value.dtype} cannot cross to a child process; use numbers or strings")
        blobs.append(np.ascontiguousarray(value).reshape(-1).view(np.uint8).data)
        return {"$array": len(blobs) - 1, "dtype": value.dtype.str, "shape": list(value.shape)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        blobs.append(memoryview(value).cast("B"))
        return {"$bytes": len(blobs) - 1}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [_to_json(item, blobs) for item in value]
    if isinstance(value, dict):
        return {"$dict": [[key, _to_json(item, blobs)] for key, item in value.items()]}
    return value


def _from_json(value: Any, blobs: list[bytearray]) -> Any:
    if isinstance(value, list):
        return [_from_json(item, blobs) for item in value]
    if isinstance(value, dict):
        if "$array" in value:
            return np.ndarray(value["shape"], np.dtype(value["dtype"]), buffer=blobs[value["$array"]])
        if "$bytes" in value:
            return bytes(blobs[value["$bytes"]])
        return {key: _from_json(item, blobs) for key, item in value["$dict"]}
    return value

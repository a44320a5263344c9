"""The values that cross between a process and its child: JSON plus raw arrays, never pickles.

A child may have executed a hostile file; what it sends must not be able to run code in its parent.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any, cast

import numpy as np

MAXIMUM_BLOB_BYTES = 1 << 36
# Numbers, strings and raw bytes; never objects, whose bytes are pointers.
_KINDS = "biufcSUV"


class MessageError(ValueError):
    """What arrived is no message: the sender is damaged or hostile."""


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
    """Reads one value written by `write_message`; None where the stream ends before it is whole.

    Raises:
        MessageError: what arrived is no such message.
    """
    head = stream.read(16)
    if len(head) < 16:
        return None
    text_bytes, blob_count = struct.unpack("<QQ", head)
    text = _read_blob(stream, text_bytes)
    blobs: list[bytearray] = []
    while text is not None and len(blobs) < blob_count:
        size = stream.read(8)
        blob = _read_blob(stream, struct.unpack("<Q", size)[0]) if len(size) == 8 else None
        if blob is None:
            return None
        blobs.append(blob)
    if text is None:
        return None
    try:
        return _from_json(json.loads(text), blobs)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise MessageError(f"a damaged message came: {type(error).__name__}") from error


def _read_blob(stream: IO[bytes], size: int) -> bytearray | None:
    if size > MAXIMUM_BLOB_BYTES:
        raise MessageError(f"a message of {size} bytes was announced")
    try:
        blob = bytearray(size)
    except MemoryError as error:
        raise MessageError(f"a message of {size} bytes was announced") from error
    return blob if cast("Any", stream).readinto(blob) == size else None


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
    if isinstance(value, tuple):
        return {"$tuple": [_to_json(item, blobs) for item in value]}
    if isinstance(value, list):
        return [_to_json(item, blobs) for item in value]
    if isinstance(value, dict):
        return {"$dict": [[key, _to_json(item, blobs)] for key, item in value.items()]}
    return value


def _from_json(value: Any, blobs: list[bytearray]) -> Any:
    if isinstance(value, list):
        return [_from_json(item, blobs) for item in value]
    if isinstance(value, dict):
        if "$array" in value:
            dtype = np.dtype(value["dtype"])
            if dtype.kind not in _KINDS or dtype.hasobject:
                raise MessageError(f"an array of {dtype} came")
            return np.ndarray(value["shape"], dtype, buffer=blobs[value["$array"]])
        if "$bytes" in value:
            return bytes(blobs[value["$bytes"]])
        if "$tuple" in value:
            return tuple(_from_json(item, blobs) for item in value["$tuple"])
        return {key: _from_json(item, blobs) for key, item in value["$dict"]}
    return value

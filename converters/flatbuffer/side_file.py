"""The side file of a `.tflite`: the names of its tensors, which no runtime reads and which would take flash.

`model.tflite` has `model.tflite.names.json` beside it: `{"format": 1, "sha256": "...", "names": [["conv/Conv2D"]]}`, a
list for each graph. It belongs to the file with that hash. Any other is left alone: the model is read without it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converters import output
from converters.errors import FileError

_FORMAT = 1
# A model has some hundred names; what is larger than this was not written by `write`.
_MAX_BYTES = 1 << 26

Names = Sequence[Sequence[str]]


def place(path: Path) -> Path:
    """Where the side file of `path` lies."""
    return path.with_name(f"{path.name}.names.json")


def content(data: bytes, names: Names) -> bytes:
    """What the side file of the file `data` says."""
    told = {"format": _FORMAT, "sha256": hashlib.sha256(data).hexdigest(), "names": [list(one) for one in names]}
    return (json.dumps(told) + "\n").encode()


def write(path: Path, data: bytes, names: Names | None) -> None:
    """Writes the side file of `path`; without names, takes away what an earlier file left.

    Raises:
        FileError: it cannot be written, or what is there is not ours.
    """
    check_free(path)
    if names is not None:
        output.write_whole(place(path), content(data, names), force=True)
    elif place(path).is_file():
        with contextlib.suppress(OSError):
            place(path).unlink()


def check_free(path: Path) -> None:
    """Raises FileError if where the side file of `path` belongs is something else than a side file."""
    if place(path).exists() and _told(path) is None:
        raise FileError(f"{place(path)} exists and is no side file of a model; move it, or give another name")


def read(path: Path, data: bytes) -> tuple[tuple[str, ...], ...] | None:
    """The names of the file `data` at `path`; None if there is no side file, or it belongs to another file."""
    told = _told(path)
    if told is None or told.get("sha256") != hashlib.sha256(data).hexdigest():
        return None
    names = told.get("names")
    if not isinstance(names, list) or not all(isinstance(graph, list) for graph in names):
        return None
    if not all(isinstance(name, str) for graph in names for name in graph):
        return None
    return tuple(tuple(graph) for graph in names)


def _told(path: Path) -> dict[str, Any] | None:
    """What the side file of `path` says; None if there is none."""
    try:
        if not place(path).is_file() or place(path).stat().st_size > _MAX_BYTES:
            return None
        told: Any = json.loads(place(path).read_bytes())
        json.dumps(told, ensure_ascii=False).encode()  # halves of characters are no names: no file could hold them
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and told.get("format") == _FORMAT else None

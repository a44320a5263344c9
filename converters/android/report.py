"""A report.json of `tfcompress compress`: what it promises of a file, if it is of that file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from converters.android.manifest import Promise
from converters.errors import FileError

_KEYS = ("name", "value", "unit", "how", "runtime", "target", "source")
_LARGEST = 4 << 20


def read(content: bytes, sha256: str, what: str) -> Promise:
    """Rows, recipe and notes of a report.

    Args:
        content: the file.
        sha256: of the `.tflite` file that is exported.
        what: the report's name, for messages.

    Raises:
        FileError: it is no such report, or one of another file.
    """
    if len(content) > _LARGEST:
        raise FileError(f"{what} has {len(content):,} bytes; expected a report.json of at most {_LARGEST:,}")
    try:
        told = json.loads(content)
        # What could not be written again: NaN, infinity, halves of characters.
        json.dumps(told, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise FileError(f"{what} is no JSON; name the report.json that tfcompress compress made") from error
    hashes = told.get("hashes") if isinstance(told, dict) else None
    if not isinstance(hashes, dict) or not isinstance(hashes.get("file"), str):
        raise FileError(f"{what} does not tell which file it is of; expected a report.json of tfcompress compress")
    if hashes["file"].lower() != sha256:
        raise FileError(
            f"{what} is of a file with SHA-256 {hashes['file'][:12]}..., and this one has {sha256[:12]}...; name the "
            "report of this file"
        )
    rows, notes = told.get("rows"), told.get("notes", [])
    if not isinstance(rows, list) or not all(map(_is_row, rows)):
        raise FileError(f"{what} has rows without {', '.join(_KEYS)}; expected a report.json of tfcompress compress")
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise FileError(f"{what} has notes that are no texts; expected a report.json of tfcompress compress")
    return Promise(tuple(rows), told.get("recipe"), tuple(notes))


def _is_row(row: Any) -> bool:
    if not isinstance(row, Mapping) or not all(isinstance(row.get(key), str) for key in _KEYS if key != "value"):
        return False
    return isinstance(row.get("value"), (int, float, str)) and not isinstance(row.get("value"), bool)

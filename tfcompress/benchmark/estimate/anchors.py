"""Measurements of the user's own on a board, which anchor the cost model there.

`--anchor` takes, once or several times:

    measured.json     {"measurements": [{"file": "kws.tflite", "latency_ms": 98.2}]}, paths beside it
    a device's log    as the bundle's `main` writes it, or what `tfcompress device-log --json` made of it
    report.json       of `tfcompress compress`, after `device-log --report`

A log names its model by a hash; the file of that hash is looked for beside the log, and may be the one asked about.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from converters.errors import DeviceError, FileError, ModelError
from converters.flatbuffer import FlatBuffer
from tfcompress.benchmark import device
from tfcompress.benchmark.estimate.cost_model.predict import Anchor
from tfcompress.benchmark.estimate.cost_model.systems import why_unlike
from tfcompress.benchmark.estimate.cost_model.work import work_of

_MOST_BYTES = 8 * 2**20
_MOST_FILES = 200
_LONGEST_MS = 1e9
_EXPECTED = 'expected {"measurements": [{"file": "model.tflite", "latency_ms": 12.3}]}, or the log of a board'


def read(paths: Iterable[Path], asked: FlatBuffer) -> tuple[Anchor, ...]:
    """The anchors that some files hold.

    Args:
        paths: of the files.
        asked: the model that is asked about; a log may be of it.

    Raises:
        FileError: a file cannot be read, holds no measurement, or the model that it is of is not there, or is none that
            the cost model knows the work of.
        DeviceError: a log is damaged.
        ModelError: a model is damaged.
    """
    return tuple(anchor for path in paths for anchor in _read(path, asked))


def _read(path: Path, asked: FlatBuffer) -> list[Anchor]:
    told = _json(path)
    if told is None:
        try:
            found = device.measure(str(path))
        except DeviceError as error:
            raise DeviceError(f"{path} is no JSON, and no whole log of a board: {error}") from error
        return [_of_log([row.as_dict() for row in found.rows], found.log.sha256, found.log.clock, path, asked)]
    if isinstance(told.get("measurements"), list):
        return [_of_entry(entry, path) for entry in told["measurements"]] or [_nothing(path)]
    sha256 = _hash(told.get("model"), "sha256") or _hash(told.get("hashes"), "file")
    if isinstance(told.get("rows"), list) and sha256:
        return [_of_log(told["rows"], sha256, told.get("clock"), path, asked)]
    return [_nothing(path)]


def _hash(table: object, key: str) -> str:
    """The SHA-256 of a model in a table of a log or a report; empty where there is none."""
    value = table.get(key) if isinstance(table, dict) else None
    return value if isinstance(value, str) and re.fullmatch("[0-9a-fA-F]{64}", value) else ""


def _json(path: Path) -> Mapping[str, Any] | None:
    """The file's JSON object; None where it is no JSON."""
    try:
        size = path.stat().st_size
        if not path.is_file():  # a serial port would be waited for
            raise FileError(f"{path} is a folder, a device or a pipe; {_EXPECTED}, as a file")
        if size > _MOST_BYTES:
            raise FileError(f"{path} is larger than {_MOST_BYTES:,} bytes; {_EXPECTED}")
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror or error}); {_EXPECTED}") from error
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        raise FileError(f"{path} is no JSON object; {_EXPECTED}")
    return told


def _of_entry(entry: Any, path: Path) -> Anchor:
    told = entry if isinstance(entry, dict) and set(entry) <= {"file", "latency_ms", "clock_hz"} else {}
    file, latency, clock = told.get("file"), told.get("latency_ms"), told.get("clock_hz")
    right_clock = clock is None or _is_time(clock)
    if not isinstance(file, str) or not file.isprintable() or not _is_time(latency) or not right_clock:
        shown = json.dumps(entry)[:80]
        raise FileError(
            f"{path}: a measurement is {shown}; expected a file's path, a latency_ms above 0, and clock_hz where the "
            "core did not run at the device's clock"
        )
    return _anchor(FlatBuffer.read(path.parent / file), float(latency), clock, f"{Path(file).name} in {path.name}")


def _of_log(rows: Sequence[Any], sha256: str, clock: Any, path: Path, asked: FlatBuffer) -> Anchor:
    found = [
        row
        for row in rows
        if isinstance(row, dict)
        and (row.get("name"), row.get("how")) == ("latency_ms", "measured")
        and _is_time(row.get("value"))
    ]
    if not found:
        raise FileError(f"{path} has no latency that a board measured (a simulator's is none); {_EXPECTED}")
    systems = sorted({f"{row.get('target')} with {row.get('runtime')}" for row in found})
    if len(systems) > 1:
        told = json.dumps(systems)[1:-1][:200]
        raise FileError(
            f"{path} has latencies of {len(systems)} boards or runtimes ({told}); give the log of the one asked"
        )
    return _anchor(
        _model(sha256.lower(), path, asked), float(found[-1]["value"]), clock if _is_time(clock) else None, path.name
    )


def _anchor(model: FlatBuffer, latency_ms: float, clock_hz: float | None, source: str) -> Anchor:
    if why := why_unlike(model):
        raise FileError(f"{source} is no anchor: {why}; give what the board needed for an int8 file")
    return Anchor(work_of(model), latency_ms, source, clock_hz)


def _model(sha256: str, path: Path, asked: FlatBuffer) -> FlatBuffer:
    """The model of that hash: the one asked about, or a file beside the log."""
    if hashlib.sha256(asked.data).hexdigest() == sha256:
        return asked
    for place in sorted(path.parent.glob("*.tflite"))[:_MOST_FILES]:
        try:
            found = FlatBuffer.read(place)
        except (FileError, ModelError):
            continue  # not the one that is looked for, as that one ran
        if hashlib.sha256(found.data).hexdigest() == sha256:
            return found
    raise FileError(
        f"{path} is of a model with SHA-256 {sha256[:12]}..., which is not beside it; put that .tflite there"
    )


def _is_time(value: object) -> TypeGuard[float]:
    """Whether it is a number above 0 that a float holds; JSON knows integers of any size, and NaN."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST_MS


def _nothing(path: Path) -> Anchor:
    raise FileError(f"{path} holds no measurement; {_EXPECTED}")

"""A board's rows put into the report of a compression: `report.json`, and a section at the end of `report.md`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from converters.errors import DeviceError, FileError, UsageError
from converters.output import write_whole
from tfcompress.benchmark.device import NAMES, DeviceResult
from tfcompress.report import sheet as sheets
from tfcompress.report.sheet import Sheet
from tfcompress.report.table import shown
from tfcompress.rows import Row

# The section is replaced as a whole; it is the last one, so nothing else can be taken for its end.
_BEGIN, _END = "<!-- devices -->", "<!-- end of devices -->"


def check_report(path: Path) -> None:
    """Finds out, before a board is waited for, whether rows could be put there.

    Raises:
        FileError: there is no report, or it is damaged.
    """
    _load(_json_of(path))


def merge(result: DeviceResult, path: Path) -> Path:
    """Puts rows into a report; earlier ones of the same board, runtime and `how` give way.

    `report.json` is replaced first, whole or not at all; then `report.md`, if there is one, from what it says.

    Args:
        result: what a board said.
        path: the folder of a compression, or its `report.json`.

    Returns:
        The `report.json`.

    Raises:
        DeviceError: the board ran another file than the report is of.
        UsageError: the board has no name.
        FileError: there is no report, it is damaged, or cannot be written.
    """
    place = _json_of(path)
    told = _load(place)
    log, ours = result.log, told["hashes"]["file"]
    if log.sha256 != ours.lower():
        raise DeviceError(
            f"the board runs {log.model} with SHA-256 {log.sha256[:12]}..., and {place} is of a file with {ours[:12]}"
            "...; export the bundle from the model.tflite beside it, or name the report of the file that the board runs"
        )
    if log.board is None:
        raise UsageError("the log does not tell the board, and a report needs its name; give it with --board NAME")
    told["rows"] = _merged(told["rows"], result.rows)
    # A link stays one: what it leads to is replaced.
    write_whole(place.resolve(), json.dumps(told, indent=2, allow_nan=False).encode(), force=True)
    page = place.with_name("report.md")
    if page.is_file():
        write_whole(page.resolve(), _with_section(page, told["rows"]).encode(), force=True)
    return place


def _merged(stored: Sequence[dict[str, Any]], rows: Sequence[Row]) -> list[dict[str, Any]]:
    new = {(row.target, row.runtime, row.how) for row in rows}
    kept = [one for one in stored if not _of_device(one) or (one["target"], one["runtime"], one["how"]) not in new]
    return [*kept, *(row.as_dict() for row in rows)]


def _of_device(row: dict[str, Any]) -> bool:
    return row["name"] in NAMES  # no other report has rows of these names


def _json_of(path: Path) -> Path:
    return path / "report.json" if path.is_dir() else path


def _load(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        # What could not be written again: NaN, infinity, halves of characters.
        json.dumps(told, allow_nan=False, ensure_ascii=False).encode()
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; name the folder that tfcompress compress made") from error
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is no JSON; name the report.json that tfcompress compress made") from error
    texts = {field.name for field in fields(Row)} - {"value"}
    rows = told.get("rows") if isinstance(told, dict) else None
    hashes = told.get("hashes") if isinstance(told, dict) else None
    if (
        not isinstance(rows, list)
        or not all(isinstance(row, dict) and all(isinstance(row.get(key), str) for key in texts) for row in rows)
        or not all(isinstance(row.get("value"), (int, float, str)) for row in rows if _of_device(row))
        or not isinstance(hashes, dict)
        or not isinstance(hashes.get("file"), str)
    ):
        raise FileError(f"{path} has no rows or no hash of the file; expected a report.json of tfcompress compress")
    return told  # type: ignore[no-any-return]


def _with_section(page: Path, rows: Sequence[dict[str, Any]]) -> str:
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise FileError(f"{page} cannot be read ({error}); report.json beside it has the rows") from error
    before, found, _ = text.rpartition(f"\n{_BEGIN}\n")
    section = sheets.as_markdown(_sheet([row for row in rows if _of_device(row)]))
    return f"{(before if found else text).rstrip()}\n\n{_BEGIN}\n{section}\n\n{_END}\n"


def _sheet(rows: Sequence[dict[str, Any]]) -> Sheet:
    """A line for each board, runtime and `how`."""
    columns = ("board", "vectors passed", "latency, median", "cycles, median", "arena", "how", "runtime", "source")
    boards: dict[tuple[str, ...], dict[str, Row]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("target", "runtime", "how", "source"))
        boards.setdefault(key, {})[row["name"]] = Row(**{field.name: row[field.name] for field in fields(Row)})
    lines = []
    for (target, runtime, how, source), found in boards.items():
        passed, used, given = (found.get(name) for name in ("vectors_passed", "arena_used", "arena_given"))
        told = (
            f"{shown(passed)} {passed.unit}" if passed else "",
            _spread(found, "latency_ms"),
            _spread(found, "cycles"),
            f"{shown(used)} of {shown(given)} bytes" if used and given else "",
        )
        lines.append((target, *told, how, runtime, source))
    return Sheet("On devices", columns, tuple(lines))


def _spread(found: dict[str, Row], name: str) -> str:
    middle, least, most = (found.get(f"{name}{end}") for end in ("", "_min", "_max"))
    if not (middle and least and most):
        return ""
    return f"{shown(middle)} {middle.unit} ({shown(least)} to {shown(most)})"

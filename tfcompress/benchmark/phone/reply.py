"""What the app on a phone wrote: checked in every part before it is believed or printed."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, get_args

from converters.errors import DeviceError
from tfcompress.benchmark.phone.bridge import clean
from tfcompress.rows import How, Row

MOST_BYTES = 2**20
MOST_ROWS = 500

# Most characters of each text; what is longer was not written by the app.
_TEXTS = {"name": 120, "unit": 40, "how": 40, "runtime": 200, "target": 200, "source": 200}
_KEYS = {*_TEXTS, "value"}
_MAY_BE_EMPTY = "target"  # ours stands there, from what the phone tells adb
_LONGEST_VALUE = 200
_LARGEST = 2**53  # of integers, what JSON's readers agree on


def rows(data: bytes, *, run: str, threads: int, target: str, day: str) -> list[Row]:
    """The rows of a phone's `{"id": ..., "rows": [...]}`.

    Args:
        data: the file as it came.
        run: the id that it must have.
        threads: what the run was asked to use; added to a runtime that does not tell.
        target: what to call the phone.
        day: when it was measured.

    Raises:
        DeviceError: it is not of this form, of another run, or says that the phone failed.
    """
    content = _content(data)
    if content.get("id") != run:
        told = clean(str(content.get("id")), 60)
        _refuse(f"has the id '{told}', not this run's '{run}'; two programs may be using the app, run this again")
    if "error" in content:
        _complain(content["error"])
    found = content.get("rows")
    if not isinstance(found, list) or not 0 < len(found) <= MOST_ROWS:
        _refuse(f"has no list of 1 to {MOST_ROWS} 'rows'")
    made = [_row(number, one, threads, target, day) for number, one in enumerate(found)]
    keys = [(row.name, row.runtime) for row in made]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        _refuse(f"has '{twice[0]}' of {twice[1]} twice")
    return made


def _content(data: bytes) -> dict[str, Any]:
    if len(data) > MOST_BYTES:
        _refuse(f"is larger than {MOST_BYTES:,} bytes")
    try:
        content = json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        _refuse(f"is no JSON ({clean(str(error), 120)}, in '{clean(data[:60].decode('utf-8', errors='replace'))}')")
    if not isinstance(content, dict):
        _refuse("is no JSON object")
    return content


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _complain(error: Any) -> NoReturn:
    words = clean(error, 300) if isinstance(error, str) and error.strip() else "it does not say why"
    if words.startswith("busy"):
        raise DeviceError(f"the app on the phone measures already ({words}); wait until it is done, and run this again")
    raise DeviceError(f"the phone could not measure: {words}")


def _row(number: int, given: Any, threads: int, target: str, day: str) -> Row:
    where = f"row {number}"
    if not isinstance(given, dict) or given.keys() != _KEYS:
        keys = sorted(given) if isinstance(given, dict) else type(given).__name__
        _refuse(f"has a {where} of {clean(str(keys), 100)}; expected the keys {', '.join(sorted(_KEYS))}")
    for key, most in _TEXTS.items():
        _check_text(f"'{key}' of {where}", given[key], most, may_be_empty=key == _MAY_BE_EMPTY)
    if given["how"] not in get_args(How):
        _refuse(f"has an unknown 'how' in {where}, '{clean(given['how'])}'")
    if given["how"] != "measured":
        _refuse(f"says '{given['how']}' in {where}, and a phone measures")
    _check_value(f"'value' of {where}", given["value"], given["unit"])
    runtime = given["runtime"]
    if "thread" not in runtime:  # else rows of several numbers of threads would look the same
        runtime += f", {threads} thread{'s' if threads > 1 else ''} asked for"
    source = f"{given['source']}; over adb, {day}"
    return Row(given["name"], given["value"], given["unit"], "measured", runtime, target, source)


def _check_text(what: str, text: Any, most: int, *, may_be_empty: bool = False) -> None:
    if not isinstance(text, str) or len(text) > most or not (text.strip() or may_be_empty):
        _refuse(f"has {clean(repr(text), 60)} as {what}; expected text of at most {most} characters")
    if not text.isprintable():
        _refuse(f"has control characters in {what}")


def _check_value(what: str, value: Any, unit: str) -> None:
    if isinstance(value, str):
        return _check_text(what, value, _LONGEST_VALUE)
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"has {clean(repr(value), 60)} as {what}; expected a number or a text")
    if not math.isfinite(value) or not 0 <= value <= _LARGEST or (unit == "ms" and value == 0):
        _refuse(f"has {clean(repr(value), 60)} {unit} as {what}, which nothing measures")
    return None


def _refuse(what: str) -> NoReturn:
    raise DeviceError(
        f"the result that the phone wrote {what}; nothing of it was used. Install the app anew if it stays so"
    )

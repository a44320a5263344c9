"""A user's TOML file is not trusted: read with a limit, checked key by key; an error is one line.

    keys = {"hz": Key("a clock in Hz such as 120_000_000", "integer", low=1e4, high=1e10, needed=True)}
    check(table, keys, "my_board.toml", section="clock")        {"hz": 120000000}

The line names the file, the key, what came and what was expected.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from converters.errors import FileError, brief

# Far above any description (the longest packaged one has 10 KB), and parsed in well under a second.
LARGEST_FILE_BYTES = 256 * 1024

Kind = Literal["text", "texts", "integer", "number", "boolean", "table", "any"]


@dataclass(frozen=True)
class Key:
    """What the value of one key must be.

    Attributes:
        expected: the same in words, for the error.
        kind: `texts` is a list of texts; an `integer` may be written as a whole float (64e6); a `number` is finite;
            `any` is checked by the caller.
        choices: the texts that are allowed; empty for any.
        low: smallest number.
        high: largest number.
        needed: whether the key must be there.
        pattern: what a text must match, whole.
    """

    expected: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    needed: bool = False
    pattern: str = ""


def is_path(text: str) -> bool:
    """Whether a text is the path of a file, not the name of something packaged."""
    return text.endswith(".toml") or any(mark in text for mark in "/\\")


def read(path: Path, what: str) -> str:
    """The text of a file; `what` says what it should hold, such as "a runtime".

    Raises:
        FileError: it cannot be read, is too large, or is not UTF-8.
    """
    if path.exists() and not path.is_file():  # a pipe would wait for ever
        raise FileError(f"{path} cannot be read (it is no file); expected a TOML file of {what}")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE_BYTES + 1)
        if len(data) > LARGEST_FILE_BYTES:
            raise FileError(f"{path} is larger than {LARGEST_FILE_BYTES // 1024} KiB; expected a TOML file of {what}")
        return data.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not a TOML file: byte {error.start} is not UTF-8") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} cannot be read ({reason}); expected a TOML file of {what}") from error


def parse(text: str, file: str) -> dict[str, Any]:
    """The file's table.

    Raises:
        FileError: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: TOMLDecodeError, or an integer of 5,000 digits
        raise FileError(f"{file} is not valid TOML: {error}") from error


def check(table: Mapping[str, Any], keys: Mapping[str, Key], file: str, *, section: str = "") -> dict[str, Any]:
    """The values of a table's known keys, in plain types: texts in one line, lists as tuples.

    Raises:
        FileError: an unknown key, one that is missing, a text that is not printable, or a value that is not as its
            `Key` says.
    """
    place = f"[{section}] " if section else ""
    for name in table:
        if name not in keys:
            raise FileError(f"{file}: {place}{unknown('key', name, keys)}")
        _line(name, f"{file}: {place}the key {name!a}")
    for name, key in keys.items():
        if key.needed and name not in table:
            raise FileError(f"{file}: {place}'{name}' is missing; expected {key.expected}")
    return {name: _value(table[name], keys[name], f"{file}: {place}{name}") for name in table}


def _value(value: Any, key: Key, place: str) -> Any:
    if key.kind == "texts":
        return _texts(value, key, place)
    if key.kind == "text":
        if not isinstance(value, str) or not value.strip():
            raise wrong(place, value, key.expected)
        if key.pattern and not re.fullmatch(key.pattern, value):
            raise wrong(place, value, key.expected)
        if key.choices and value not in key.choices:
            raise FileError(f"{place} holds an {unknown('name', value, key.choices)}")
        return _line(value, place)
    if key.kind == "any":  # the caller looks itself
        return value
    if key.kind in ("integer", "number"):
        return _number(value, key, place)
    if not isinstance(value, {"boolean": bool, "table": dict}[key.kind]):
        raise wrong(place, value, key.expected)
    return value


def _texts(value: Any, key: Key, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
        raise wrong(place, value, key.expected)
    for one in value:
        if key.choices and one not in key.choices:
            raise FileError(f"{place} holds an {unknown('name', one, key.choices)}")
    if len(set(value)) < len(value):
        double = next(one for one in value if value.count(one) > 1)
        raise FileError(f"{place} holds {brief(double)} twice; keep one")
    return tuple(_line(one, place) for one in value)


def _line(text: str, place: str) -> str:
    """The text in one line; refused where it would do something to a terminal, which shows it as it is."""
    line = " ".join(text.split())
    if not line.isprintable():
        bad = next(letter for letter in line if not letter.isprintable())
        raise FileError(f"{place} holds {bad!a}; expected a text without control or invisible characters")
    return line


def _number(value: Any, key: Key, place: str) -> int | float:
    """A finite number within the bounds; `true` is none, though Python counts it as 1."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and key.low <= value <= key.high
    if not good or (isinstance(value, float) and not math.isfinite(value)):
        raise wrong(place, value, key.expected)
    if key.kind == "number":
        return float(value)
    if value != int(value):
        raise wrong(place, value, key.expected)
    return int(value)


def wrong(place: str, value: object, expected: str) -> FileError:
    """The error for a value that is not what was expected; `place` names file and key."""
    return FileError(f"{place} is {brief(value)}; expected {expected}")


def unknown(kind: str, value: str, known: Iterable[str]) -> str:
    """Says that a name is unknown, what is near to it, and what there is."""
    names = sorted(known)
    near = difflib.get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(names) if len(names) <= 24 else f"{len(names)} names"
    return f"unknown {kind} {str(value)[:80]!r}{hint}; expected one of {listed}"

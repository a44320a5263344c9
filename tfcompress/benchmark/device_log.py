r"""What the `main` of a microcontroller bundle writes to its serial port: text in, `DeviceLog` out.

    tfcompress log 1
    model: <name> bytes=<n> sha256=<64 hex of the .tflite>
    runtime: TFLM <text, or unknown>
    board: <text, or unknown>
    clock: <hz>|unknown
    counter: cycles|us|none
    how: measured|simulated
    arena: used=<bytes> given=<bytes>
    tolerance: <n>                                      only where outputs may differ by that much
    vector <i>: PASS ticks=<n>
    vector <i>: FAIL ticks=<n> output=<k> byte=<j> expected=<v> got=<v>
    result: PASS|FAIL <passed>/<total>

A line `error: <what>` in place of vectors says why none was run. Text comes through a wire and other programs: lines
may end in \r\n, have a logger's prefix and colours, stand among boot messages, and start anew when the board resets;
the last complete run counts. What belongs to it must be whole and agree with itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from converters.errors import DeviceError

VERSION = 1
Counter = Literal["cycles", "us", "none"]
LogHow = Literal["measured", "simulated"]
SLOWEST_CLOCK, FASTEST_CLOCK = 1_000, 10_000_000_000  # Hz

_MOST_BYTES = 2**32  # no board of this kind addresses more
_MOST_TICKS = 10**15  # eleven days at 1 GHz
_LONGEST_LINE = 2000

_N, _SIGNED = r"(\d{1,20})", r"(-?\d{1,20})"
# A reset may come in the middle of a line, so anything may stand before this.
_START = re.compile(r"tfcompress log (\d{1,9})$", re.ASCII)
# These cannot be mistaken, whatever stands before them.
_STRICT = {
    name: re.compile(rf"(?<!\w){pattern}$", re.ASCII)
    for name, pattern in {
        "model": rf"model: (.*?) ?bytes={_N} sha256=([0-9a-fA-F]{{64}})",
        "clock": rf"clock: (?:{_N}|unknown)",
        "counter": r"counter: (cycles|us|none)",
        "how": r"how: (measured|simulated)",
        "arena": rf"arena: used={_N} given={_N}",
        "tolerance": rf"tolerance: {_N}",
        "vector": rf"vector {_N}: (?:PASS ticks={_N}|"
        rf"FAIL ticks={_N} output={_N} byte={_N} expected={_SIGNED} got={_SIGNED})",
        "result": rf"result: (PASS|FAIL) {_N}/{_N}",
    }.items()
}
# Anybody may write "error: ..." or "board: ..."; ours have no prefix, or that of the log's first line.
_KEY = re.compile(r"(?<!\w)(model|runtime|board|clock|counter|how|arena|tolerance|vector|result|error)( \d+)?:(?= |$)")
_FREE = ("runtime", "board", "error")
_NEEDED = ("model", "runtime", "board", "clock", "counter", "how", "arena")
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")  # colours and cursor, ECMA-48


@dataclass(frozen=True)
class Difference:
    """The first byte of a vector's outputs that is not what was expected."""

    output: int
    byte: int
    expected: int
    got: int


@dataclass(frozen=True)
class Vector:
    """One inference: how many ticks it took, and what differed; None for nothing."""

    ticks: int
    difference: Difference | None = None


@dataclass(frozen=True)
class DeviceLog:
    """What a board said of one model.

    Attributes:
        model: its name.
        model_bytes: size of the `.tflite` file.
        sha256: of that file, in lower case.
        runtime: name and version of what ran it; None where the board does not know.
        board: None where the board does not know.
        clock: of the processor, in Hz; None where the board does not know.
        counter: what ticks are.
        how: whether a board or a simulator ran it.
        arena: bytes used and given; None where an error came before.
        vectors: in order.
        total: vectors that there are; more than `vectors` only after an error.
        error: why the board could not run them all.
        tolerance: the difference that counts as equal; None for exact.
    """

    model: str
    model_bytes: int
    sha256: str
    runtime: str | None
    board: str | None
    clock: int | None
    counter: Counter
    how: LogHow
    arena: tuple[int, int] | None
    vectors: tuple[Vector, ...]
    total: int
    error: str | None = None
    tolerance: int | None = None

    @property
    def passed(self) -> int:
        """Vectors whose outputs were as expected."""
        return sum(vector.difference is None for vector in self.vectors)

    @property
    def failed(self) -> bool:
        """Whether any was not, or was not run."""
        return self.passed < self.total


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    found: tuple[str | None, ...] = ()

    def __str__(self) -> str:
        return f"line {self.number} of the log ('{self.text[:160]}')"


def parse(text: str) -> DeviceLog:
    """The last complete run of a log.

    Raises:
        DeviceError: there is none, it is of another version, or it contradicts itself.
    """
    told = re.split(r"\r*\n|\r+", text)
    lines = [_Line(number, cleaned) for number, line in enumerate(told, 1) if (cleaned := clean(line))]
    starts = [index for index, line in enumerate(lines) if version_begun(line.text) is not None]
    if not starts:
        raise DeviceError(
            f"no line 'tfcompress log {VERSION}' in {len(told)} lines; expected the serial output of the bundle's "
            "main: take the log again, from before the board starts"
        )
    for start, after in zip(reversed(starts), (None, *reversed(starts)), strict=False):
        check_version(lines[start].text)
        run = lines[start:after]
        end = next((index for index, line in enumerate(run) if ends(line.text)), None)
        if end is not None:
            return _understood(run[: end + 1])
    raise DeviceError(f"the log ends at {lines[-1]} before its 'result:' line; let the board finish, and take it again")


def clean(line: str) -> str:
    """A line without colours, control characters and the blanks around it; of a very long one, the end."""
    bare = _ESCAPE.sub("", line[-_LONGEST_LINE:])
    return "".join(letter for letter in bare if letter.isprintable()).strip()


def version_begun(line: str) -> int | None:
    """The version of the log that begins with this line, cleaned; None where none does."""
    match = _START.search(line)
    return int(match[1]) if match else None


def check_version(line: str) -> None:
    """Raises DeviceError where a log of another version begins with this line, cleaned."""
    version = version_begun(line)
    if version not in (None, VERSION):
        raise DeviceError(
            f"the board writes version {version} of the log, and this tfcompress reads version {VERSION}; "
            "export the bundle again with this one, or install the one that made it"
        )


def ends(line: str) -> bool:
    """Whether a log ends with this line, cleaned."""
    return _STRICT["result"].search(line) is not None


# --- one run ----------------------------------------------------------------------------------------------------


def _understood(run: Sequence[_Line]) -> DeviceLog:
    match = _START.search(run[0].text)
    own = _shape(run[0].text[: match.start()] if match else "")
    fields: dict[str, _Line] = {}
    vectors: list[_Line] = []
    for line in run[1:]:
        name, found = _recognized(line, own)
        told = _Line(line.number, line.text, found)
        if name == "vector":
            vectors.append(told)
        elif name in fields:
            raise DeviceError(
                f"{told} came before, as {fields[name]}; the board may have started anew in between: take the log again"
            )
        elif name:
            fields[name] = told
    missing = [name for name in _NEEDED if name not in fields and not (name == "arena" and "error" in fields)]
    if missing:
        raise DeviceError(f"the log has no line '{missing[0]}: ...' before {run[-1]}; a part was lost: take it again")
    log = _log(fields, _vectors(vectors, fields))
    _check_result(log, fields["result"])
    return log


def _recognized(line: _Line, own: str) -> tuple[str, tuple[str | None, ...]]:
    """Which line of the format it is, with what it tells; "" for one of somebody else."""
    for name, pattern in _STRICT.items():
        if match := pattern.search(line.text):
            return name, match.groups()
    for key in _KEY.finditer(line.text):
        prefix, rest = line.text[: key.start()], line.text[key.end() :].strip()
        if prefix and not own.endswith(_shape(prefix)):  # the log's first line may stand behind noise
            continue
        if key[1] not in _FREE or key[2] or not rest:
            raise DeviceError(f"{line} is damaged or unknown; check the wire, and take the log again")
        return key[1], (rest,)
    return "", ()


def _shape(prefix: str) -> str:
    # Of a logger's prefix, such as "I (324) main: ", only the numbers and their alignment change.
    return re.sub(r"\s+", " ", re.sub(r"\d+", "0", prefix)).strip()


def _log(fields: Mapping[str, _Line], vectors: tuple[Vector, ...]) -> DeviceLog:
    model, size, sha256 = _texts(fields["model"])
    return DeviceLog(
        model=model,
        model_bytes=_number(size, fields["model"], 1, _MOST_BYTES),
        sha256=sha256.lower(),
        runtime=_known(fields["runtime"]),
        board=_known(fields["board"]),
        clock=_clock(fields["clock"]),
        counter=_texts(fields["counter"])[0],  # type: ignore[arg-type]
        how=_texts(fields["how"])[0],  # type: ignore[arg-type]
        arena=_arena(fields.get("arena")),
        vectors=vectors,
        total=_number(_texts(fields["result"])[2], fields["result"], 1, _MOST_BYTES),
        error=_texts(fields["error"])[0] if "error" in fields else None,
        tolerance=_tolerance(fields.get("tolerance")),
    )


def _vectors(lines: Iterable[_Line], fields: Mapping[str, _Line]) -> tuple[Vector, ...]:
    # A counter of cycles that stands still is not running; one of microseconds may be coarse.
    least = 1 if fields["counter"].found == ("cycles",) else 0
    vectors = []
    for expected, line in enumerate(lines):
        index, passed, failed, *difference = line.found
        if _number(index, line) != expected:
            raise DeviceError(f"{line} stands where vector {expected} was expected; a part was lost: take it again")
        ticks = _number(failed if passed is None else passed, line, least, _MOST_TICKS)
        differs = None if passed is not None else Difference(*(_number(one, line, -(2**63)) for one in difference))
        vectors.append(Vector(ticks, differs))
    return tuple(vectors)


def _check_result(log: DeviceLog, line: _Line) -> None:
    verdict, passed, _ = _texts(line)
    ran = len(log.vectors)
    if _number(passed, line) != log.passed or log.total < ran or (log.total > ran and log.error is None):
        raise DeviceError(
            f"{line} does not fit the lines before it, in which {log.passed} of {ran} vectors passed; "
            "a part was lost: take the log again"
        )
    if (verdict == "FAIL") != log.failed:
        raise DeviceError(f"{line} contradicts itself: {passed} of {log.total} passed is no {verdict}")


def _arena(line: _Line | None) -> tuple[int, int] | None:
    if line is None:
        return None
    used, given = (_number(one, line, 0, _MOST_BYTES) for one in line.found)
    if used > given:
        raise DeviceError(f"{line} says that more of the arena was used than there is; take the log again")
    return used, given


def _clock(line: _Line) -> int | None:
    hertz = line.found[0]
    return None if hertz is None else _number(hertz, line, SLOWEST_CLOCK, FASTEST_CLOCK)


def _tolerance(line: _Line | None) -> int | None:
    return None if line is None else _number(line.found[0], line)


def _number(digits: str | None, line: _Line, least: int = 0, most: int = 2**63) -> int:
    number = int(digits or 0)
    if not least <= number <= most:
        raise DeviceError(f"{line} has the number {number}; expected {least:,} to {most:,}: check the board's main")
    return number


def _texts(line: _Line) -> list[str]:
    return [part or "" for part in line.found]


def _known(line: _Line) -> str | None:
    words = _texts(line)[0]
    return None if words == "unknown" else words

"""What a board measured: its log from a port, a file or standard input, as rows."""

from __future__ import annotations

import datetime
import hashlib
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from converters.errors import DeviceError, FileError, UsageError
from tfcompress.benchmark import device_log, serial_port
from tfcompress.benchmark.device_log import DeviceLog
from tfcompress.rows import Row

NAMES = (
    *("cycles", "cycles_min", "cycles_max"),
    *("latency_ms", "latency_ms_min", "latency_ms_max"),
    *("arena_used", "arena_given", "vectors_passed"),
)
UNKNOWN_BOARD, UNKNOWN_RUNTIME = "unknown board", "unknown runtime"

# Of a `.tflite`; and of a log, whose lines are objects here: a thousand vectors need a hundredth of it.
_MOST_BYTES, _MOST_LOG_BYTES = 64 * 2**20, 8 * 2**20
_STATISTICS = (("", median), ("_min", min), ("_max", max))


@dataclass(frozen=True)
class DeviceResult:
    """What a board said.

    Attributes:
        log: what it wrote, with what the user knew besides.
        rows: its numbers.
        notes: which numbers are missing, and why.
    """

    log: DeviceLog
    rows: tuple[Row, ...]
    notes: tuple[str, ...]

    @property
    def failure(self) -> str | None:
        """What went wrong on the board, in a line; None where every vector passed."""
        log = self.log
        if not log.failed:
            return None
        words = f"the board failed: {log.passed} of {log.total} vectors passed"
        if log.error:
            words += f"; it says: {log.error}"
        for number, vector in enumerate(log.vectors):
            if (found := vector.difference) is not None:
                words += (
                    f"; first in vector {number}, output {found.output}, byte {found.byte}: expected {found.expected}, "
                    f"got {found.got}. Kernels made for a processor may round in another way: try TFLM's own first"
                )
                break
        return words


def measure(
    source: str,
    *,
    baud: int = 115_200,
    timeout: float = 60.0,
    model: Path | None = None,
    board: str | None = None,
    clock: int | None = None,
    say: Callable[[str], None] = lambda words: None,
) -> DeviceResult:
    """Reads the log of a bundle's `main` and makes rows of it.

    Args:
        source: a serial port, a file, or `-` for standard input.
        baud: of a port, in bits per second.
        timeout: of a port, in seconds.
        model: the `.tflite` file that the log must be of; None to take any.
        board: its name, where the log does not tell.
        clock: in Hz, where the log does not tell.
        say: called with a sentence when a port is waited for.

    Raises:
        DeviceError: there is no complete log, it contradicts itself, or it is of another model.
        FileError: a file cannot be read.
        UsageError: `board` or `clock` contradict what the log tells.
    """
    expected = None if model is None else _content(model, _MOST_BYTES)
    log = device_log.parse(_text(source, baud, timeout, say))
    if model is not None and expected is not None:
        _check_model(log, model, expected)
    whole = _completed(log, board, clock)
    where = "standard input" if source == "-" else source if _is_port(source) else Path(source).name
    words = [f"serial log of {where}, {datetime.date.today().isoformat()}"]
    if whole.clock != log.clock:
        words.append(f"clock of {whole.clock:,} Hz as given")
    if log.tolerance is not None:
        words.append(f"outputs compared with a tolerance of {log.tolerance}")
    return DeviceResult(whole, tuple(_rows(whole, "; ".join(words))), tuple(_notes(whole)))


# --- the text ---------------------------------------------------------------------------------------------------


def _text(source: str, baud: int, timeout: float, say: Callable[[str], None]) -> str:
    if source == "-":
        data = sys.stdin.buffer.read(_MOST_LOG_BYTES + 1)
        if len(data) > _MOST_LOG_BYTES:
            raise FileError(f"standard input is longer than {_MOST_LOG_BYTES:,} bytes; expected the log of a board")
    elif _is_port(source):
        return serial_port.read(source, baud=baud, timeout=timeout, say=say)
    else:
        data = _content(Path(source), _MOST_LOG_BYTES)
    return data.decode("utf-8", errors="replace")


def _is_port(source: str) -> bool:
    try:
        return stat.S_ISCHR(Path(source).stat().st_mode)
    except (OSError, ValueError):
        return serial_port.looks_like_port(source)


def _content(path: Path, most: int) -> bytes:
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; name a file")
        with path.open("rb") as stream:
            data = stream.read(most + 1)
    except FileNotFoundError as error:
        raise FileError(f"{path} does not exist; name a file, or a serial port such as /dev/ttyACM0") from error
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(data) > most:
        raise FileError(f"{path} is larger than {most:,} bytes, which no board runs or writes")
    return data


# --- what the user knows ----------------------------------------------------------------------------------------


def _check_model(log: DeviceLog, path: Path, data: bytes) -> None:
    sha256 = hashlib.sha256(data).hexdigest()
    if (log.model_bytes, log.sha256) != (len(data), sha256):
        raise DeviceError(
            f"the board runs {log.model} of {log.model_bytes:,} bytes with SHA-256 {log.sha256[:12]}..., and {path} "
            f"has {len(data):,} bytes with {sha256[:12]}...; export the bundle from that file, or name the one it is of"
        )


def _completed(log: DeviceLog, board: str | None, clock: int | None) -> DeviceLog:
    if board is not None and log.board not in (None, board):
        raise UsageError(f"--board says '{board}' and the log says '{log.board}'; leave --board out")
    if clock is not None and log.clock not in (None, clock):
        raise UsageError(f"--clock says {clock:,} Hz and the log says {log.clock:,} Hz; leave --clock out")
    if clock is not None and not device_log.SLOWEST_CLOCK <= clock <= device_log.FASTEST_CLOCK:
        raise UsageError(f"--clock is {clock:,} Hz; expected the processor's clock in Hz, such as 168000000")
    return replace(log, board=log.board or board, clock=log.clock or clock)


# --- rows -------------------------------------------------------------------------------------------------------


def _rows(log: DeviceLog, source: str) -> list[Row]:
    def row(name: str, value: float | int | str, unit: str) -> Row:
        runtime, target = log.runtime or UNKNOWN_RUNTIME, log.board or UNKNOWN_BOARD
        return Row(name, value, unit, log.how, runtime, target, source)

    ticks = [vector.ticks for vector in log.vectors]
    rows = []
    if ticks and log.counter == "cycles":
        rows += [row(f"cycles{end}", _whole(take(ticks)), "cycles") for end, take in _STATISTICS]
    if times := _milliseconds(log, ticks):
        # A coarse counter of microseconds may stand still during a run.
        rows += [row(f"latency_ms{end}", take(times) or "below resolution", "ms") for end, take in _STATISTICS]
    if log.arena is not None:
        rows += [row("arena_used", log.arena[0], "bytes"), row("arena_given", log.arena[1], "bytes")]
    return [*rows, row("vectors_passed", log.passed, f"of {log.total} vectors")]


def _milliseconds(log: DeviceLog, ticks: Sequence[int]) -> list[float]:
    if log.counter == "us":
        return [one / 1000 for one in ticks]
    if log.counter == "cycles" and log.clock is not None:
        return [one * 1000 / log.clock for one in ticks]
    return []


def _notes(log: DeviceLog) -> list[str]:
    notes = []
    if log.counter == "none":
        notes.append(f"no latency: {'a simulator' if log.how == 'simulated' else 'the board'} that counts no time")
    elif log.counter == "cycles" and log.clock is None:
        notes.append("no latency: the log does not tell the processor's clock; give it with --clock HZ")
    if log.board is None:
        notes.append("the log does not tell the board; give it with --board NAME")
    if log.error and not log.failed:
        notes.append(f"among the log stands an error, though all vectors passed: {log.error}")
    return notes


def _whole(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number

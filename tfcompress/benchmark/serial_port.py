"""A board's log from the serial port that it is plugged into."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from converters.errors import DeviceError, UsageError
from tfcompress.benchmark import device_log

try:
    import termios
except ImportError:  # Windows has none
    _TROUBLE: tuple[type[Exception], ...] = (OSError, ValueError)
else:
    _TROUBLE = (OSError, ValueError, termios.error)  # pyserial lets some of the system's errors through as they are

_POLL_SECONDS = 0.1
_MOST_BYTES = 8 * 2**20  # of one log; a thousand vectors need a hundredth of it
_LONGEST_LINE = 65_536
_WINDOWS_PORT = re.compile(r"COM\d+", re.IGNORECASE)


def read(port: str, *, baud: int, timeout: float, say: Callable[[str], None]) -> str:
    """Waits for a log and returns its text, up to its `result:` line.

    Args:
        port: such as `/dev/ttyACM0` or `COM3`.
        baud: bits per second; ports over USB ignore it.
        timeout: seconds in which the log must be complete.
        say: called with a sentence once the port is open.

    Raises:
        DeviceError: the port is missing, busy, forbidden or goes away, or the log does not come in time.
        UsageError: the port cannot run at this speed.
    """
    arrived = _Arrived()
    with _open(port, baud) as stream:
        say(f"waiting up to {timeout:g} s for the log on {port} at {baud} baud; reset the board if it has run already")
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                chunk: bytes = stream.read(max(1, min(stream.in_waiting, _LONGEST_LINE)))
            except _TROUBLE as error:
                raise DeviceError(
                    f"{port} went away while its log was read ({_reason(error)}): it was unplugged, or the board "
                    "restarted its USB; plug it in and run this again"
                ) from error
            if arrived.add(chunk):
                return arrived.text
    if arrived.ended():
        return arrived.text
    raise DeviceError(f"no complete log came from {port} in {timeout:g} s: {arrived.story(baud)}")


def looks_like_port(name: str) -> bool:
    """Whether a name that is no file can only be that of a serial port."""
    return name.startswith("/dev/") or _WINDOWS_PORT.fullmatch(name) is not None


class _Arrived:
    """What came from a port since the last start of a log; what came before is only counted."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._begun = False
        self._pending = b""
        self._bytes = self._readable = self._kept = 0

    def add(self, chunk: bytes) -> bool:
        """Takes what came; true as soon as a log is complete, or one of another version has begun."""
        self._bytes += len(chunk)
        self._readable += sum(32 <= byte < 127 or byte in b"\r\n\t\x1b" for byte in chunk)
        *whole, pending = re.split(rb"[\r\n]+", self._pending + chunk)
        self._pending = pending[-_LONGEST_LINE:]
        return any(self._take(line.decode("utf-8", errors="replace")) for line in whole)

    def ended(self) -> bool:
        """Takes the last line, which may have no end; true if the log is complete by it."""
        return self._take(self._pending.decode("utf-8", errors="replace"))

    def _take(self, line: str) -> bool:
        cleaned = device_log.clean(line)
        if not cleaned:
            return False
        version = device_log.version_begun(cleaned)
        if version is not None or not self._begun:
            self._begun = version is not None
            self._lines, self._kept = [], 0
        self._lines.append(line)
        self._kept += len(line)
        if self._kept > _MOST_BYTES:
            raise DeviceError(f"the log is longer than {_MOST_BYTES:,} characters; export a bundle with fewer vectors")
        return self._begun and (version not in (None, device_log.VERSION) or device_log.ends(cleaned))

    @property
    def text(self) -> str:
        """The log as far as it came."""
        return "\n".join(self._lines)

    def story(self, baud: int) -> str:
        """What came instead of a complete log, and what to do."""
        if not self._bytes:
            return "nothing came at all; check port and wiring, and reset the board while this waits"
        if self._readable < 0.7 * self._bytes:
            return f"{self._bytes:,} bytes came that are no text; give the board's speed with --baud, not {baud}"
        last = device_log.clean(self._lines[-1]) if self._lines else ""
        if not self._begun:
            return (
                f"the last line was '{last[:160]}', and none said 'tfcompress log'; "
                "reset the board while this waits, and check that the bundle's main is on it"
            )
        return f"it stopped after '{last[:160]}'; give a slow board more time with --timeout, or look why it hangs"


def _open(port: str, baud: int) -> Any:
    import serial

    try:
        return serial.Serial(port, baud, timeout=_POLL_SECONDS, exclusive=True)
    except _TROUBLE as error:
        number = getattr(error, "errno", None)
        # Windows tells the kind only in words.
        if number == errno.ENOENT or "FileNotFoundError" in str(error):
            raise DeviceError(f"{port} is not there; plug the board in. {_ports()}") from error
        if number in (errno.EACCES, errno.EPERM):
            raise DeviceError(
                f"{port} may not be opened by this user; join the group that owns it (dialout or uucp on Linux), "
                "and log in again"
            ) from error
        if number in (errno.EBUSY, errno.EAGAIN) or "PermissionError" in str(error):
            raise DeviceError(f"{port} is used by another program; close the serial monitor that reads it") from error
        if isinstance(error, ValueError):
            raise UsageError(f"{port} cannot run at {baud} baud; give the board's speed with --baud") from error
        raise DeviceError(f"{port} cannot be opened as a serial port ({_reason(error)}). {_ports()}") from error


def _ports() -> str:
    from serial.tools import list_ports

    found: Sequence[str] = sorted(one.device for one in list_ports.comports())
    return f"Ports here: {', '.join(found)}" if found else "No serial port is here now"


def _reason(error: Exception) -> str:
    # pyserial's sentences are long; the system's own words stand at their end.
    return " ".join(str(error).split())[:160] or type(error).__name__

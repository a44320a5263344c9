"""Calls of `adb`, each with a limit of time and of output; what it complains of, as one line."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from converters.errors import DeviceError, NotAvailableError, UsageError, printable

CALL_SECONDS = 20.0  # the first call of a day starts adb's server, which takes a few seconds
MOST_OUTPUT = 4 * 2**20  # bytes of one call
_SLOWEST_PUSH = 2**20  # bytes per second, over a poor wireless connection

_DEBUGGING = "connect one by USB, turn on its developer options and USB debugging, and see that `adb devices` lists it"
_STATES = {
    "unauthorized": "has not authorized this computer; unlock it and accept 'Allow USB debugging'",
    "authorizing": "is still asking whether to trust this computer; unlock it and accept 'Allow USB debugging'",
    "offline": "is offline; unplug it and plug it in again, or run `adb reconnect offline`",
    "no permissions": "may not be opened by this user; add udev rules for it (Debian: apt install android-sdk-platform"
    "-tools-common), join the group plugdev, and run `adb kill-server`",
}


@dataclass(frozen=True)
class Answer:
    """What one call gave: exit status, standard output, standard error."""

    status: int
    out: bytes
    err: str

    @property
    def words(self) -> str:
        """Both outputs as text, for a message or to search in."""
        return f"{self.out.decode('utf-8', errors='replace')}\n{self.err}"


def clean(text: str, most: int = 200) -> str:
    """Text of a stranger on one line, without control characters, cut off after `most` characters."""
    line = printable(text)
    return line if len(line) <= most else f"{line[: most - 3]}..."


def last_line(text: str) -> str:
    """The last line that says something, cleaned; adb's and Android's reasons stand at the end."""
    lines = [line for line in text.splitlines() if line.strip()]
    return clean(lines[-1]) if lines else "it said nothing"


# --- adb itself -------------------------------------------------------------------------------------------------


def find() -> str:
    """Where adb is: on PATH, or in the Android SDK's own folder.

    Raises:
        NotAvailableError: it is not installed.
    """
    homes = [os.environ[name] for name in ("ANDROID_HOME", "ANDROID_SDK_ROOT") if os.environ.get(name)]
    places = os.pathsep.join(str(Path(home) / "platform-tools") for home in homes)
    found = shutil.which("adb") or (shutil.which("adb", path=places) if places else None)
    if found is None:
        raise NotAvailableError(
            "adb is neither on PATH nor in $ANDROID_HOME/platform-tools; install Android's platform tools "
            "(Debian: apt install adb; macOS: brew install android-platform-tools)"
        )
    return found


def call(adb: str, words: Sequence[str], *, seconds: float | None = None, what: str) -> Answer:
    """Runs adb once.

    Output goes to files: a server that adb starts may keep pipes open for ever, and a phone may send without end.

    Args:
        adb: the program.
        words: its arguments.
        seconds: limit of time; None for `CALL_SECONDS`.
        what: what is done, for messages: "listing phones".

    Raises:
        DeviceError: it ran out of time, was killed, or gave too much output.
        NotAvailableError: it does not start.
    """
    seconds = CALL_SECONDS if seconds is None else seconds
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen([adb, *words], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        except OSError as error:
            raise NotAvailableError(f"{adb} does not start ({error.strerror}); install adb again") from error
        try:
            status = _status(process, (out, err), seconds, what)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if status < 0:
            raise DeviceError(f"adb was killed by signal {-status} while {what}; run this again")
        return Answer(status, _content(out), _content(err).decode("utf-8", errors="replace"))


def _status(process: subprocess.Popen[bytes], streams: tuple[IO[bytes], ...], seconds: float, what: str) -> int:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.05)
        if any(os.fstat(stream.fileno()).st_size > MOST_OUTPUT for stream in streams):
            raise DeviceError(f"adb wrote more than {MOST_OUTPUT:,} bytes while {what}; something else answers there")
        if time.monotonic() > deadline:
            raise DeviceError(
                f"adb did not finish {what} within {seconds:g} s; plug the phone in again, or run `adb kill-server`"
            )


def _content(stream: IO[bytes]) -> bytes:
    stream.seek(0)
    return stream.read(MOST_OUTPUT)


# --- one phone --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phone:
    """A phone that answers.

    Attributes:
        adb: the program that reaches it.
        serial: what adb calls it.
    """

    adb: str
    serial: str

    def shell(self, *words: str, what: str, seconds: float | None = None) -> Answer:
        """Runs one command in the phone's shell, each word quoted, and gives its exit status and output.

        Raises:
            DeviceError: the phone is gone, or a limit was reached.
        """
        return self.script(shlex.join(words), what=what, seconds=seconds)

    def script(self, text: str, *, what: str, seconds: float | None = None) -> Answer:
        """The same of a line of shell, in which the caller has quoted what needs it.

        `adb shell` joins its arguments with spaces and gives the line to the phone's shell, so quoting for this
        computer's is of no use; a single argument is what the phone gets.
        """
        return self._answer(["shell", text], what, seconds)

    def push(self, data: bytes, path: str) -> Answer:
        """Copies bytes to a file of the phone; the caller looks at the status."""
        with tempfile.TemporaryDirectory(prefix="tfcompress-") as folder:
            # The name that the user gave the file never reaches adb or the phone.
            local = Path(folder) / "model.tflite"
            local.write_bytes(data)
            local.chmod(0o644)  # adb keeps the mode, and the app is another user than adb's
            seconds = CALL_SECONDS + len(data) / _SLOWEST_PUSH
            return self._answer(["push", str(local), path], "copying the model to the phone", seconds)

    def _answer(self, words: Sequence[str], what: str, seconds: float | None) -> Answer:
        answer = call(self.adb, ["-s", self.serial, *words], seconds=seconds, what=what)
        # `push` complains on standard output, which is the phone's own with `shell`.
        said = answer.err if words[0] == "shell" else answer.words
        complaint = next((clean(line) for line in said.splitlines() if _is_of_connection(line)), None)
        if answer.status != 0 and complaint is not None:
            raise DeviceError(
                f"the phone {clean(self.serial, 60)} was lost while {what} ({complaint}); check its cable, "
                "and that it is unlocked and still allows USB debugging"
            )
        return answer


def _is_of_connection(line: str) -> bool:
    """Whether adb speaks of the connection, and not of a file, or the phone's own programs of something else."""
    marks = ("failed to get feature set", "connect failed", "protocol fault", "EOF", "device offline", "no devices")
    return line.startswith("error: ") or (line.startswith("adb: ") and any(mark in line for mark in marks))


def connect(serial: str | None = None) -> Phone:
    """The phone with this serial, or the only one that answers.

    Args:
        serial: as `adb devices` lists it; None for `$ANDROID_SERIAL`, or the only phone.

    Raises:
        DeviceError: no phone is there, or it does not let adb in.
        NotAvailableError: adb is not installed.
        UsageError: there are several phones and none was chosen.
    """
    adb = find()
    states = _states(adb)
    serial = serial or os.environ.get("ANDROID_SERIAL") or None
    if not states:
        raise DeviceError(f"no phone is connected; {_DEBUGGING}")
    if serial is not None and serial not in states:
        raise DeviceError(f"no phone has the serial '{clean(serial, 60)}'; connected: {_listed(states)}")
    ready = [one for one, state in states.items() if state == "device"]
    if serial is None and len(ready) > 1:
        raise UsageError(f"{len(ready)} phones are connected; choose one with --serial: {_listed(states)}")
    if serial is None and not ready and len(states) > 1:
        raise DeviceError(f"none of the phones lets adb in: {_listed(states)}; unlock one, and allow USB debugging")
    chosen = serial or next(iter(ready or states))
    _check_state(chosen, states[chosen])
    return Phone(adb, chosen)


def _states(adb: str) -> Mapping[str, str]:
    answer = call(adb, ["devices"], what="listing phones")
    text = answer.out.decode("utf-8", errors="replace")
    if answer.status != 0 or "List of devices" not in text:
        raise DeviceError(f"adb cannot list phones ({last_line(answer.words)}); run `adb kill-server`, then again")
    return dict(_phones(text))


def _phones(text: str) -> Iterator[tuple[str, str]]:
    # "SERIAL<tab>STATE"; the serial of a wireless phone may hold spaces, and the first lines may tell of the server.
    for line in text.partition("List of devices")[2].splitlines()[1:]:
        serial, tab, state = line.rpartition("\t")
        if tab and serial.strip():
            yield serial.strip(), state.strip()


def _listed(states: Mapping[str, str]) -> str:
    return ", ".join(f"{clean(serial, 60)} ({clean(state, 60)})" for serial, state in list(states.items())[:20])


def _check_state(serial: str, state: str) -> None:
    if state == "device":
        return
    for known, words in _STATES.items():
        if state.startswith(known):
            raise DeviceError(f"the phone {clean(serial, 60)} {words}")
    raise DeviceError(f"the phone {clean(serial, 60)} is in the state '{clean(state, 60)}'; start Android on it")

"""Runs one function in a fresh process under limits, so that a native crash there is a one-line error here.

    outputs = child.call("converters.runtimes.litert:run_here", model_bytes, inputs, what="running the model")

The function is named as `module:function`. Arguments and results are None, bool, int, float, str, bytes, NumPy
arrays, and lists, tuples and string-keyed dicts of them. They cross as JSON plus raw
arrays, never as pickles: the child may have executed a hostile file, and must not be able to run code here.
The function receives one extra keyword argument, `progress(stage, done, total)`, to be called as often as it likes.
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import importlib
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from converters.errors import ChildDiedError, CompressionError, by_name
from converters.messages import MessageError, read_message, write_message

Progress = Callable[[str, int, int], None]
GIB = 1 << 30


def no_progress(stage: str, done: int, total: int) -> None:
    """Ignores progress."""


@dataclass(frozen=True)
class Limits:
    """What a child may use.

    Attributes:
        seconds: wall time until the child is killed.
        memory_bytes: bound on the child's private writable memory (RLIMIT_DATA; POSIX only); the machine's own
            memory bounds it too.
    """

    seconds: float = 600.0
    memory_bytes: int = 16 * GIB


def call(
    function: str,
    *arguments: Any,
    what: str,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> Any:
    """Calls `function` (`"package.module:name"`) with `arguments` in a child process and returns its result.

    Args:
        function: where the function is; it must accept a keyword argument `progress`.
        *arguments: what the module docstring allows.
        what: what is being done, for the error message ("converting the model").
        limits: time and memory of the child.
        progress: called in this process whenever the child reports progress.

    Raises:
        CompressionError: the error that the function raised, of the same class.
        ChildDiedError: the child crashed, was killed, or ran out of time or memory.
    """
    limits = limits or Limits()
    process, request_stream, reply_stream = _start(limits)
    complaints = _Tail(cast("IO[bytes]", process.stderr))
    timed_out = threading.Event()

    def give_up() -> None:
        timed_out.set()
        process.kill()

    timer = threading.Timer(limits.seconds, give_up)
    timer.daemon = True
    timer.start()
    try:
        with reply_stream:
            # A child that died already cannot read its request: its exit status tells why, below.
            with contextlib.suppress(BrokenPipeError), request_stream:
                write_message(request_stream, {"function": function, "arguments": arguments})
            reply = _read_reply(reply_stream, progress, what)
        process.wait()
    finally:
        timer.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        complaints.close()
    if reply is None:
        raise ChildDiedError(_epitaph(process, what, limits, timed_out.is_set()), details=complaints.text())
    if "error" in reply:
        error = reply["error"]
        raise by_name(error["kind"])(error["message"], details=error["details"] or complaints.text())
    return reply["result"]


def _start(limits: Limits) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
    """Starts the child; returns it with the stream to write its request to and the one to read its reply from."""
    request_read, request_write = os.pipe()
    reply_read, reply_write = os.pipe()
    try:
        process = subprocess.Popen(
            _command(request_read, reply_write, limits),
            pass_fds=(request_read, reply_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
    finally:
        os.close(request_read)
        os.close(reply_write)
    return process, open(request_write, "wb"), open(reply_read, "rb")  # noqa: SIM115


def _command(request: int, reply: int, limits: Limits) -> list[str]:
    # -P keeps the current folder off sys.path, so that a json.py lying there is not imported; the root of this
    # package goes before installed packages, so that the child runs the same code as its parent, and after the
    # standard library, which nothing installed beside this package may shadow.
    root = str(Path(__file__).resolve().parent.parent)
    start = (
        "import sys; place = next((i for i, p in enumerate(sys.path) if p.endswith('-packages')), len(sys.path)); "
        f"sys.path.insert(place, {root!r}); from converters import child; child.main()"
    )
    return [sys.executable, "-P", "-c", start, str(request), str(reply), str(int(limits.memory_bytes))]


def _environment() -> dict[str, str]:
    # Conversion is CPU work: a GPU would be grabbed whole, and the log lines of TensorFlow help nobody. Keras 3 must
    # not take another backend from the user's settings: only TensorFlow's graphs become .tflite files.
    return os.environ | {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "PYTHONWARNINGS": "ignore",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _read_reply(stream: IO[bytes], progress: Progress, what: str) -> dict[str, Any] | None:
    """The reply, or None where the child ended without one; what it says is checked, since it may be hostile."""
    try:
        while (message := read_message(stream)) is not None:
            match message:
                case {"result": _}:
                    return {"result": message["result"]}
                case {"error": {"kind": str(), "message": str(), "details": str()}}:
                    return {"error": message["error"]}
                case {"progress": [str() as stage, int() as done, int() as total]}:
                    progress(stage, done, total)
                case _:
                    raise MessageError("an unknown kind of message came")
    except MessageError as error:
        raise ChildDiedError(f"{what} gave no usable answer ({error}); do not trust the file") from error
    return None


def _epitaph(process: subprocess.Popen[bytes], what: str, limits: Limits, timed_out: bool) -> str:
    code = process.returncode
    if timed_out:
        return f"{what} took longer than {limits.seconds:g} s and was stopped; give it less work, or a smaller model"
    if -code == getattr(signal, "SIGPROF", None):
        return f"{what} was stuck in a native library and was stopped; the file is damaged"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"{what} crashed the native library ({name}); the file may be damaged, or the machine out of memory"
    return f"{what} ended without a result (exit status {code}); run with --debug to see what it printed"


class _Tail:
    """Reads a stream to its end in a thread and keeps the last 16 KiB."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._chunks: collections.deque[bytes] = collections.deque(maxlen=16)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            while chunk := os.read(self._stream.fileno(), 1024):
                self._chunks.append(chunk)

    def close(self) -> None:
        # A grandchild may hold the pipe open; its words are not worth waiting for.
        self._thread.join(timeout=1.0)
        self._stream.close()

    def text(self) -> str:
        return b"".join(self._chunks).decode(errors="replace")


# --- the child's side -------------------------------------------------------------------------------------------


def main() -> None:
    """Entry point of the child: reads one request, answers it, exits."""
    request, reply, memory_bytes = (int(argument) for argument in sys.argv[1:4])
    _limit_self(memory_bytes)
    with open(request, "rb") as request_stream:
        message = read_message(request_stream)
    if message is None:
        return
    with open(reply, "wb") as reply_stream:

        def progress(stage: str, done: int, total: int) -> None:
            write_message(reply_stream, {"progress": [stage, done, total]})

        write_message(reply_stream, _answer(message["function"], message["arguments"], progress))


def _answer(function: str, arguments: list[Any], progress: Progress) -> dict[str, Any]:
    try:
        module, name = function.split(":")
        return {"result": getattr(importlib.import_module(module), name)(*arguments, progress=progress)}
    except CompressionError as error:
        kind, message, details = type(error).__name__, str(error), error.details
    except MemoryError:
        kind, message, details = "ChildDiedError", "out of memory; use a smaller model or less data", ""
    except Exception as error:  # the edge of the process: whatever else went wrong must reach the parent as one line
        kind, details = "ChildDiedError", traceback.format_exc()
        message = f"unexpected {type(error).__name__}: {str(error)[:300]}; run with --debug for the whole story"
    return {"error": {"kind": kind, "message": message, "details": details}}


def _limit_self(memory_bytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    memory_bytes = min(memory_bytes, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or memory_bytes < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, hard))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG (prctl(2)): never outlive the parent

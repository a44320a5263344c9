"""A `.tflite` file's speed on a connected phone, through the demo app; docs/phones.md is the contract with the app."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import math
import secrets
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from converters.child import Progress, no_progress
from converters.errors import CompressionError, DeviceError, ModelError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer
from tfcompress.benchmark.phone import bridge as adb_bridge
from tfcompress.benchmark.phone import reply as phone_reply
from tfcompress.benchmark.phone.bridge import Answer, Phone, clean, last_line
from tfcompress.rows import Row

Delegate = Literal["cpu", "xnnpack", "nnapi"]
DELEGATES: tuple[Delegate, ...] = get_args(Delegate)

PACKAGE = "org.tfcompress.demo"
ACTIVITY = f"{PACKAGE}/.BenchmarkActivity"
FOLDER = f"/sdcard/Android/data/{PACKAGE}/files"
LOG_TAG = "tfcompress"

POLL_SECONDS = 1.0  # asking costs the phone a little of the time that is being measured
_FOLDER_SECONDS = 10.0
_CLEANING_SECONDS = 5.0  # of each call; a phone that is gone should not be waited for
_MOST_THREADS, _MOST_RUNS = 64, 100_000
_LONGEST_WAIT = 86_400.0
_RUNS, _GONE = 8, 9  # exit status of the question whether a result is there, and it is not
_INSTALL = "install the app's debug build: adb install -r app-debug.apk (docs/phones.md)"


@dataclass(frozen=True)
class _Request:
    """What the app is asked for; the fields of docs/phones.md."""

    run: str
    model: str
    threads: int
    runs: int
    delegate: str

    @property
    def result(self) -> str:
        return f"{FOLDER}/result-{self.run}.json"

    @property
    def words(self) -> tuple[str, ...]:
        return (
            *("--es", "model", self.model),
            *("--ei", "threads", str(self.threads)),
            *("--ei", "runs", str(self.runs)),
            *("--es", "delegate", self.delegate),
            *("--es", "id", self.run),
        )


def measure_on_phone(
    model: FlatBuffer | Path | str,
    *,
    serial: str | None = None,
    threads: Sequence[int] = (1,),
    runs: int = 50,
    delegate: str = "xnnpack",
    timeout: float = 120.0,
    say: Callable[[str], None] = lambda words: None,
    progress: Progress = no_progress,
) -> list[Row]:
    """Measures a file on an Android phone that adb reaches and that has the demo app's debug build.

    The model's copy and the result are removed from the phone afterwards, whatever happens.

    Args:
        model: the file, or its path.
        serial: which phone, as `adb devices` lists it; None for `$ANDROID_SERIAL`, or the only one.
        threads: numbers of threads; each is a run of its own.
        runs: timed inferences of each.
        delegate: `cpu` (built-in kernels), `xnnpack` or `nnapi`.
        timeout: seconds that each run may take.
        say: called with a sentence about what could not be cleaned up.
        progress: called with stage, done, total.

    Returns:
        The phone's rows, all `measured`; `target` is its model and Android version.

    Raises:
        DeviceError: no phone is there, it does not let adb in, or it gave no result or a wrong one.
        FileError: the file cannot be read.
        ModelError: it is damaged, or only TFLM runs it.
        NotAvailableError: adb or the app is not installed.
        UsageError: an impossible number or delegate, or several phones and none chosen.
    """
    _check(threads, runs, delegate, timeout)
    flatbuffer = model if isinstance(model, FlatBuffer) else FlatBuffer.read(Path(model))
    if reason := flatbuffer.only_tflm:
        raise ModelError(f"the app's TensorFlow Lite cannot run this file: {reason}; make it without --decode")
    phone = adb_bridge.connect(serial)
    target = _target(phone)
    _check_app(phone, target)
    counts = tuple(dict.fromkeys(threads))
    rows: list[Row] = []
    with _pushed(phone, target, flatbuffer.data, say) as name:
        for done, count in enumerate(counts):
            progress(f"measuring on {target}", done, len(counts))
            request = _Request(secrets.token_hex(16), name, count, runs, delegate)
            with _removed(phone, say, request.result, f"{request.result}.tmp"):
                data = _result(phone, target, request, timeout)
            day = datetime.date.today().isoformat()
            rows += phone_reply.rows(data, run=request.run, threads=count, target=target, day=day)
    return rows


def _check(threads: Sequence[int], runs: int, delegate: str, timeout: float) -> None:
    if not threads or not all(1 <= count <= _MOST_THREADS for count in threads):
        raise UsageError(f"threads is {list(threads)}; expected numbers from 1 to {_MOST_THREADS}")
    if not 1 <= runs <= _MOST_RUNS:
        raise UsageError(f"runs is {runs}; expected 1 to {_MOST_RUNS:,}")
    if delegate not in DELEGATES:
        raise UsageError(f"delegate is {delegate!r}; expected one of {', '.join(DELEGATES)}")
    if not math.isfinite(timeout) or not 0 < timeout <= _LONGEST_WAIT:
        raise UsageError(f"timeout is {timeout:g} s; expected more than 0 and at most {_LONGEST_WAIT:,.0f}")


# --- the phone --------------------------------------------------------------------------------------------------


def _target(phone: Phone) -> str:
    keys = ("ro.product.manufacturer", "ro.product.model", "ro.build.version.release")
    answer = phone.script("; ".join(f"getprop {key}" for key in keys), what="asking for its name")
    lines = [*answer.out.decode("utf-8", errors="replace").split("\n"), "", "", ""]
    maker, model, version = (clean(line, 60) for line in lines[: len(keys)])
    if model.lower().startswith(maker.lower()):
        maker = ""
    return f"{' '.join(filter(None, (maker, model))) or 'unknown phone'}, Android {version or 'unknown'}"


def _check_app(phone: Phone, target: str) -> None:
    """Sees that the app is there and its folder too, which the app alone can make with the rights that it needs."""
    answer = phone.shell("pm", "path", PACKAGE, what="looking for the app")
    if answer.status != 0 or b"package:" not in answer.out:
        raise NotAvailableError(f"{PACKAGE} is not installed on {target}; {_INSTALL}")
    if _has_folder(phone):
        return
    _start(phone, target)
    deadline = time.monotonic() + _FOLDER_SECONDS
    while not _has_folder(phone):
        if time.monotonic() > deadline:
            raise DeviceError(f"{FOLDER} is not on {target}, or adb may not see it; open the app once on the phone")
        time.sleep(POLL_SECONDS)


def _has_folder(phone: Phone) -> bool:
    return phone.shell("[", "-d", FOLDER, "]", what="looking for the app's folder").status == 0


@contextlib.contextmanager
def _pushed(phone: Phone, target: str, data: bytes, say: Callable[[str], None]) -> Iterator[str]:
    """The name of the model's copy in the app's folder, while it is there."""
    name = f"model-{hashlib.sha256(data).hexdigest()[:32]}-{secrets.token_hex(4)}.tflite"
    with _removed(phone, say, f"{FOLDER}/{name}"):
        answer = phone.push(data, f"{FOLDER}/{name}")
        if answer.status != 0:
            raise DeviceError(f"the model cannot be copied to {target}: {_why_not_copied(answer)}")
        yield name


def _why_not_copied(answer: Answer) -> str:
    if "Permission denied" in answer.words or "Operation not permitted" in answer.words:
        return f"permission denied; open the app once on the phone, or uninstall it and {_INSTALL}"
    if "No space left" in answer.words:
        return "no space is left on it; make room"
    # "adb: error: failed to copy 'HERE' to 'THERE': why", and after it a line that counts files.
    complaint = next((line for line in answer.words.splitlines() if "error" in line), "")
    return last_line(complaint.rpartition("': ")[2] or answer.words)


@contextlib.contextmanager
def _removed(phone: Phone, say: Callable[[str], None], *paths: str) -> Iterator[None]:
    """Removes files from the phone at the end; an error before counts more than one of removing."""
    try:
        yield
    finally:
        try:
            answer = phone.shell("rm", "-f", *paths, what="removing files", seconds=_CLEANING_SECONDS)
            gone = answer.status == 0
        except CompressionError:
            gone = False
        if not gone:
            say(f"could not remove {paths[0]} from the phone; the app does it a day later, or remove it yourself")


# --- one run ----------------------------------------------------------------------------------------------------


def _start(phone: Phone, target: str, words: Sequence[str] = ()) -> None:
    """Starts the activity; `am` tells of failures in words, and on some phones with the exit status 0."""
    answer = phone.shell("am", "start", "-n", ACTIVITY, *words, what="starting the app")
    text = answer.words
    if "does not exist" in text or "Error type 3" in text:
        raise NotAvailableError(f"{PACKAGE} on {target} has no BenchmarkActivity, as its release build; {_INSTALL}")
    if "Permission Denial" in text or "SecurityException" in text:
        raise DeviceError(
            f"{target} does not let adb start {ACTIVITY} ({_complaint(text)}); allow 'USB debugging (security "
            f"settings)' if it has that option, or {_INSTALL}"
        )
    if answer.status != 0 or any(line.startswith(("Error", "Exception")) for line in text.splitlines()):
        raise DeviceError(f"{target} cannot start {ACTIVITY}: {_complaint(text)}")


def _complaint(text: str) -> str:
    words = ("Permission Denial", "SecurityException", "Error", "Exception")
    lines = [line for line in text.splitlines() if any(word in line for word in words)]
    return clean(lines[0], 160) if lines else last_line(text)


def _result(phone: Phone, target: str, request: _Request, timeout: float) -> bytes:
    _start(phone, target, request.words)
    try:
        return _awaited(phone, target, request, timeout)
    except BaseException:
        # Interrupted too: the app would measure on, and write its result after all was removed.
        with contextlib.suppress(CompressionError):
            phone.shell("am", "force-stop", PACKAGE, what="stopping the app", seconds=_CLEANING_SECONDS)
        raise


def _awaited(phone: Phone, target: str, request: _Request, timeout: float) -> bytes:
    """The result's bytes, at most one more than are allowed."""
    path, most = shlex.quote(request.result), phone_reply.MOST_BYTES + 1
    question = f"if [ -e {path} ]; then head -c {most} {path}; exit $?; fi; "
    question += f"pidof {PACKAGE} > /dev/null; exit $(({_RUNS} + $?))"
    deadline = time.monotonic() + timeout
    was_seen, misses = False, 0
    while time.monotonic() < deadline:
        time.sleep(min(POLL_SECONDS, timeout / 4))
        answer = phone.script(question, what="waiting for the result")
        if answer.status == 0:
            return answer.out
        if "Permission denied" in answer.err:
            raise DeviceError(f"adb may not read {request.result} on {target}: {last_line(answer.err)}")
        was_seen = was_seen or answer.status == _RUNS
        misses = misses + 1 if answer.status == _GONE else 0
        if was_seen and misses > 1:
            raise DeviceError(f"the app ended without a result on {target}: {_log(phone, request)}")
    raise DeviceError(
        f"no result came from {target} in {timeout:g} s ({request.runs} runs, threads {request.threads}, "
        f"{request.delegate}; waited for {request.result}): {_log(phone, request)}; unlock the phone, or give it "
        "more time with --timeout"
    )


def _log(phone: Phone, request: _Request) -> str:
    """The last that the phone's log says of this run or of the app's end."""
    own = f"adb -s {clean(phone.serial, 60)} logcat -d -s {LOG_TAG} AndroidRuntime libc"
    tags = (f"{LOG_TAG}:V", "AndroidRuntime:E", "libc:F", "*:S")
    try:
        answer = phone.shell("logcat", "-d", "-v", "brief", "-t", "200", *tags, what="reading the phone's log")
    except CompressionError:
        return f"its log could not be read ({own})"
    lines = [line.partition("): ")[2] for line in answer.out.decode("utf-8", errors="replace").splitlines()]
    last = ""
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if f"Process: {PACKAGE}" in line and after:  # of an exception: the next line names it
            last = after
        elif request.run in line or ("Fatal signal" in line and "compress.demo" in line):
            last = line
    said = f"its log says last '{clean(last.replace(request.run, ''), 160)}'" if last else "its log says nothing of it"
    return f"{said} (all of it: {own})"

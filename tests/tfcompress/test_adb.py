"""What users with a phone rely on: its own numbers, clear words where something is missing, and nothing left on it."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import encoded_cases
import pytest
import small_files

from converters.decode import Layout
from converters.errors import CompressionError, DeviceError, FileError, ModelError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer
from tfcompress.benchmark.phone import adb
from tfcompress.benchmark.phone import bridge as adb_bridge
from tfcompress.benchmark.phone import reply as phone_reply
from tfcompress.benchmark.phone.adb import measure_on_phone
from tfcompress.cli import main
from tfcompress.rows import Row

FAKE = Path(__file__).resolve().parent.parent / "fake_adb.py"
TARGET = "Google Pixel 8, Android 14"
RUN = "0123456789abcdef" * 2


def row(**changes: Any) -> dict[str, Any]:
    one = {"name": "latency_p50", "value": 1.25, "unit": "ms", "how": "measured", "target": "Pixel 8"}
    one |= {"runtime": "TensorFlow Lite 2.16.1 (XNNPACK, @THREADS@ thread)", "source": "Google Tensor G3, app 0.1"}
    return one | changes


def reply(*rows: dict[str, Any], **changes: Any) -> str:
    return json.dumps({"id": "@ID@", "rows": rows or [row()], **changes})


@dataclass(frozen=True)
class FakePhone:
    """A folder that the stand-in takes for a phone."""

    folder: Path

    def behave(self, **scenario: Any) -> None:
        (self.folder / "scenario.json").write_text(json.dumps({"reply": reply(), **scenario}), encoding="utf-8")

    @property
    def files(self) -> list[str]:
        return [one.name for one in (self.folder / "sdcard").rglob("*") if one.is_file()]

    @property
    def seen(self) -> list[dict[str, Any]]:
        path = self.folder / "seen.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    @property
    def calls(self) -> list[list[str]]:
        path = self.folder / "calls.txt"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    @property
    def was_stopped(self) -> bool:
        return (self.folder / "stopped").exists()


def put_adb(folder: Path, phone: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("adb", "am", "pm", "getprop", "logcat", "pidof"):
        # The stand-in does what its own name says.
        place = folder / name
        place.write_text(f"#!{sys.executable} -IS\n{FAKE.read_text(encoding='utf-8')}", encoding="utf-8")
        place.chmod(0o755)


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePhone:
    """The stand-in on PATH, with a phone that has the app and answers."""
    folder = tmp_path / "phone"
    (folder / "sdcard" / "Android" / "data" / adb.PACKAGE / "files").mkdir(parents=True)
    (folder / "home").mkdir()
    (folder / "home" / "precious").touch()
    put_adb(folder / "bin", folder)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_ADB", str(folder))
    monkeypatch.delenv("ANDROID_SERIAL", raising=False)
    monkeypatch.setattr(adb, "POLL_SECONDS", 0.02)
    made = FakePhone(folder)
    made.behave()
    return made


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(small_files.int8_dense())
    return path


# --- what comes -------------------------------------------------------------------------------------------------


def test_the_phones_rows_come_with_its_name_and_how(phone: FakePhone, model: Path) -> None:
    memory = row(name="peak_memory", value=1_000_000, unit="bytes")
    note = row(name="nnapi", value="not on this phone", unit="text")
    phone.behave(reply=reply(row(), memory, note))
    found = measure_on_phone(model)
    assert [(one.name, one.value, one.unit) for one in found] == [
        ("latency_p50", 1.25, "ms"),
        ("peak_memory", 1_000_000, "bytes"),
        ("nnapi", "not on this phone", "text"),
    ]
    assert {(one.target, one.how, one.runtime) for one in found} == {
        (TARGET, "measured", "TensorFlow Lite 2.16.1 (XNNPACK, 1 thread)")
    }
    assert all(one.source.startswith("Google Tensor G3, app 0.1; over adb, 20") for one in found)


def test_the_app_is_asked_for_what_the_contract_says(phone: FakePhone, model: Path) -> None:
    measure_on_phone(model, threads=(1, 4, 1), runs=7, delegate="nnapi")
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    assert [(one["threads"], one["runs"], one["delegate"], one["sha256"]) for one in phone.seen] == [
        (1, 7, "nnapi", sha256),
        (4, 7, "nnapi", sha256),
    ]
    assert len({one["id"] for one in phone.seen}) == 2
    assert len({one["model"] for one in phone.seen}) == 1
    assert phone.seen[0]["model"].startswith(f"model-{sha256[:32]}-")
    # The model is copied once, and each run is started as the contract says.
    assert sum(call[3:4] == ["push"] for call in phone.calls) == 1
    started = [call for call in phone.calls if call[:2] == ["am", "start"]]
    assert [call[2:4] for call in started] == [["-n", "org.tfcompress.demo/.BenchmarkActivity"]] * 2
    assert [word for word in started[0] if word.startswith("--e")] == ["--es", "--ei", "--ei", "--es", "--es"]


def test_runs_with_several_numbers_of_threads_can_be_told_apart(phone: FakePhone, model: Path) -> None:
    phone.behave(reply=reply(row(runtime="TensorFlow Lite 2.16.1")))
    runtimes = [one.runtime for one in measure_on_phone(model, threads=(1, 2))]
    assert runtimes == ["TensorFlow Lite 2.16.1, 1 thread asked for", "TensorFlow Lite 2.16.1, 2 threads asked for"]


def test_nothing_is_left_on_the_phone_or_here(
    phone: FakePhone, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    measure_on_phone(FlatBuffer.read(model), threads=(1, 2))
    assert phone.files == []
    assert not phone.was_stopped
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    ["my model; rm -rf $HOME.tflite", "a'b\"c`id`$(id).tflite", "two\nlines.tflite", "Größe 模型.tflite", "-rf.tflite"],
)
def test_no_name_of_a_file_reaches_the_phone(phone: FakePhone, model: Path, name: str) -> None:
    hostile = model.rename(model.with_name(name))
    assert measure_on_phone(hostile)[0].value == 1.25
    assert (phone.folder / "home" / "precious").exists()
    words = [word for call in phone.calls for word in call]
    assert not any(name[:6] in word for word in words if not word.startswith(str(model.parent)))


@pytest.mark.parametrize(
    "word",
    ["a b", "it's", 'say "x"', "; touch pwned", "$(touch pwned)", "`touch pwned`", "a\nb", "Ö 模", "*", "\\", ""],
)
def test_words_for_the_phones_shell_arrive_as_they_are(phone: FakePhone, word: str) -> None:
    answer = adb_bridge.connect().shell("printf", "%s|%s", word, "end", what="trying")
    assert answer.out.decode() == f"{word}|end"
    assert not list(phone.folder.rglob("pwned"))


def test_exit_status_and_bytes_come_back_unchanged(phone: FakePhone) -> None:
    answer = adb_bridge.connect().script(r"printf '\000\r\n\377'; echo why >&2; exit 3", what="trying")
    assert (answer.status, answer.out, answer.err) == (3, b"\x00\r\n\xff", "why\n")


def test_a_maker_that_stands_in_the_models_name_is_not_said_twice(phone: FakePhone, model: Path) -> None:
    known = {
        "ro.product.manufacturer": "OnePlus",
        "ro.product.model": "OnePlus 9\x1b[2J",
        "ro.build.version.release": "",
    }
    phone.behave(properties=known)
    assert measure_on_phone(model)[0].target == "OnePlus 9?[2J, Android unknown"


def test_an_app_that_was_never_opened_is_started_to_make_its_folder(phone: FakePhone, model: Path) -> None:
    files = phone.folder / "sdcard" / "Android" / "data" / adb.PACKAGE / "files"
    files.rmdir()
    assert measure_on_phone(model)
    assert ["am", "start", "-n", adb.ACTIVITY] in phone.calls


# --- which adb, which phone -------------------------------------------------------------------------------------


def failure(kind: type[CompressionError], act: Callable[[], object]) -> str:
    with pytest.raises(kind) as caught:
        act()
    assert "\n" not in str(caught.value) and str(caught.value).isprintable()
    return str(caught.value)


def test_without_adb_it_says_what_to_install(model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ANDROID_HOME", raising=False)
    monkeypatch.delenv("ANDROID_SDK_ROOT", raising=False)
    assert "apt install adb" in failure(NotAvailableError, lambda: measure_on_phone(model))


def test_the_sdks_own_adb_is_found(phone: FakePhone, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_adb(phone.folder / "sdk" / "platform-tools", phone.folder)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("ANDROID_HOME", str(phone.folder / "sdk"))
    assert measure_on_phone(model)


def test_an_adb_that_is_no_program_is_an_error(phone: FakePhone, model: Path) -> None:
    (phone.folder / "bin" / "adb").write_bytes(b"\x7fELF broken")
    assert "does not start" in failure(NotAvailableError, lambda: measure_on_phone(model))


LISTED = "* daemon not running; starting now at tcp:5037\n* daemon started successfully\nList of devices attached\n"


@pytest.mark.parametrize(
    ("devices", "kind", "words"),
    [
        ("", DeviceError, "no phone is connected; connect one by USB"),
        ("A\tdevice\nB\tdevice\n", UsageError, "choose one with --serial: A (device), B (device)"),
        ("A\tunauthorized\n", DeviceError, "the phone A has not authorized this computer; unlock it"),
        ("A\toffline\n", DeviceError, "the phone A is offline; unplug it"),
        ("A\tno permissions (user in plugdev group); see [http://x]\n", DeviceError, "udev rules"),
        ("A\trecovery\n", DeviceError, "in the state 'recovery'; start Android on it"),
        ("A\toffline\nB\tunauthorized\n", DeviceError, "none of the phones lets adb in: A (offline), B (unauthorized)"),
        ("\x1b[2J\tweird\x07\n", DeviceError, "the phone ?[2J is in the state 'weird?'"),
    ],
)
def test_phones_that_cannot_be_used(
    phone: FakePhone, model: Path, devices: str, kind: type[CompressionError], words: str
) -> None:
    phone.behave(devices=LISTED + devices)
    assert words in failure(kind, lambda: measure_on_phone(model))
    assert not phone.seen


@pytest.mark.parametrize("given", ["--serial", "ANDROID_SERIAL"])
def test_one_of_several_phones_is_chosen(
    phone: FakePhone, model: Path, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = "adb-1 (2)._adb-tls-connect._tcp"
    phone.behave(devices=f"{LISTED}A\tdevice\n{serial}\tdevice\n")
    if given == "ANDROID_SERIAL":
        monkeypatch.setenv(given, serial)
    measure_on_phone(model, serial=serial if given == "--serial" else None)
    assert {call[2] for call in phone.calls if call[:2] == ["adb", "-s"]} == {serial}


def test_a_phone_that_lets_adb_in_is_taken_before_one_that_does_not(phone: FakePhone, model: Path) -> None:
    phone.behave(devices=f"{LISTED}emulator-5554\toffline\nA\tdevice\n")
    assert measure_on_phone(model)


def test_a_serial_that_is_not_there_names_those_that_are(phone: FakePhone, model: Path) -> None:
    assert "'X'; connected: PHONE1 (device)" in failure(DeviceError, lambda: measure_on_phone(model, serial="X"))


def test_a_server_that_does_not_start_is_an_error(phone: FakePhone, model: Path) -> None:
    phone.behave(devices="error: cannot connect to daemon", devices_status=1)
    assert "adb cannot list phones (error: cannot connect" in failure(DeviceError, lambda: measure_on_phone(model))


# --- what goes wrong on the way ---------------------------------------------------------------------------------

NO_ACTIVITY = f"Error type 3\nError: Activity class {{{adb.PACKAGE}/{adb.PACKAGE}.BenchmarkActivity}} does not exist."
DENIED = (
    "java.lang.SecurityException: Permission Denial: starting Intent { } requires android.permission.DUMP\n\tat a.b"
)


@pytest.mark.parametrize(
    ("scenario", "kind", "words"),
    [
        ({"installed": False}, NotAvailableError, "org.tfcompress.demo is not installed on Google Pixel 8, Android 14"),
        ({"start_error": NO_ACTIVITY}, NotAvailableError, "has no BenchmarkActivity, as its release build; install"),
        ({"start_error": DENIED, "start_status": 255}, DeviceError, "does not let adb start"),
        ({"start_error": "Error: Bad component name"}, DeviceError, "cannot start org.tfcompress.demo/.Benchmark"),
        ({"start_error": "cmd: Can't find service", "start_status": 20}, DeviceError, "Can't find service"),
        ({"push_error": "remote couldn't create file: Permission denied"}, DeviceError, "permission denied; open the"),
        ({"push_error": "remote No space left on device"}, DeviceError, "no space is left on it"),
        ({"push_error": "remote Is a directory"}, DeviceError, "remote Is a directory"),
        ({"lost": "push"}, DeviceError, "PHONE1 was lost while copying the model to the phone (adb: error: failed"),
        ({"lost": "pidof"}, DeviceError, "was lost while waiting for the result"),
        ({"killed": "push"}, DeviceError, "adb was killed by signal 9 while copying the model"),
        ({"killed": "am start"}, DeviceError, "adb was killed by signal 9 while starting the app"),
        ({"flood": "getprop"}, DeviceError, "adb wrote more than 4,194,304 bytes while asking for its name"),
    ],
)
def test_failures_are_told_in_one_line_and_nothing_is_left(
    phone: FakePhone, model: Path, scenario: dict[str, Any], kind: type[CompressionError], words: str
) -> None:
    phone.behave(**scenario)
    assert words in failure(kind, lambda: measure_on_phone(model))
    assert phone.files == []


@pytest.mark.parametrize("when", ["devices", "pm path", "push", "am start", "pidof"])
def test_an_adb_that_hangs_is_ended(phone: FakePhone, model: Path, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adb_bridge, "CALL_SECONDS", 3.0)
    phone.behave(hang=[when])
    assert "adb did not finish" in failure(DeviceError, lambda: measure_on_phone(model))
    assert phone.files == []


def test_a_result_that_does_not_come_is_waited_for_no_longer_than_asked(phone: FakePhone, model: Path) -> None:
    phone.behave(reply=None, log="I/tfcompress( 12): @ID@ run 3 of 50\nE/other( 9): noise")
    words = failure(DeviceError, lambda: measure_on_phone(model, timeout=0.3, runs=9, threads=(2,)))
    assert f"no result came from {TARGET} in 0.3 s (9 runs, threads 2, xnnpack; waited for /sdcard/" in words
    assert "its log says last 'run 3 of 50' (all of it: adb -s PHONE1 logcat -d -s tfcompress" in words
    assert phone.was_stopped and phone.files == []


def test_a_phone_with_nothing_to_say_is_told_so(phone: FakePhone, model: Path) -> None:
    phone.behave(reply=None)
    assert "its log says nothing of it" in failure(DeviceError, lambda: measure_on_phone(model, timeout=0.2))


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (f"E/AndroidRuntime( 1): Process: {adb.PACKAGE}, PID: 1\nE/AndroidRuntime( 1): java.lang.Oops: no", "Oops: no"),
        ("F/libc( 1): Fatal signal 11 (SIGSEGV) in tid 1, pid 1 (tfcompress.demo)\x1b[2J", "Fatal signal 11"),
    ],
)
def test_an_app_that_crashes_is_not_waited_for(phone: FakePhone, model: Path, log: str, words: str) -> None:
    phone.behave(reply=None, alive=1, log=log)
    told = failure(DeviceError, lambda: measure_on_phone(model, timeout=600))
    assert "the app ended without a result" in told and words in told
    assert phone.files == []


def test_an_interrupted_measurement_is_stopped_on_the_phone(phone: FakePhone, model: Path) -> None:
    phone.behave(reply=None)

    def interrupt(stage: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    def waiting(*_: object) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_on_phone(model, progress=interrupt)
    assert phone.files == [] and not phone.was_stopped
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(adb, "_awaited", waiting)
        measure_on_phone(model)
    assert phone.files == [] and phone.was_stopped


def test_what_cannot_be_removed_is_told(phone: FakePhone, model: Path) -> None:
    phone.behave(lost="rm -f")
    notes: list[str] = []
    assert measure_on_phone(model, say=notes.append)
    assert [note.partition("files/")[0] for note in notes] == [
        f"could not remove {adb.FOLDER.removesuffix('files')}"
    ] * 2


def test_a_folder_that_never_appears_is_told(phone: FakePhone, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (phone.folder / "sdcard" / "Android" / "data" / adb.PACKAGE / "files").rmdir()
    monkeypatch.setattr(adb, "_FOLDER_SECONDS", 0.1)
    phone.behave(no_folder_ever=True)
    assert "open the app once on the phone" in failure(DeviceError, lambda: measure_on_phone(model))


# --- what the phone writes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ('{"id": "@ID@", "rows": [{"na', "is no JSON"),
        ("\udcff\udcfe", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no JSON object"),
        (reply(row(value="@X@")).replace('"@X@"', "NaN"), "NaN is no number"),
        (reply(row(value="@X@")).replace('"@X@"', "-Infinity"), "-Infinity is no number"),
        (reply(row(value="@X@")).replace('"@X@"', "1e999"), "inf ms as 'value' of row 0, which nothing measures"),
        (reply(row(value="@X@")).replace('"@X@"', "9" * 5000), "is no JSON"),
        (reply(row(value=2**60, unit="bytes")), "which nothing measures"),
        (reply(row(value=-1)), "which nothing measures"),
        (reply(row(value=0)), "which nothing measures"),
        (reply(row(value=True)), "expected a number or a text"),
        (reply(row(value=None)), "expected a number or a text"),
        (reply(row(value=[1])), "expected a number or a text"),
        (reply(row(value="x" * 201)), "at most 200 characters"),
        (reply(row(value="\x1b[2J")), "has control characters in 'value' of row 0"),
        (reply(row(), row(name="a\u202eb")), "has control characters in 'name' of row 1"),
        (reply(row(runtime="\ud800")), "has control characters in 'runtime'"),
        (reply(row(name="")), "as 'name' of row 0; expected text"),
        (reply(row(name="x" * 121)), "at most 120 characters"),
        (reply(row(unit=3)), "has 3 as 'unit' of row 0"),
        (reply(row(how="guessed")), "has an unknown 'how' in row 0, 'guessed'"),
        (reply(row(how="published")), "says 'published' in row 0, and a phone measures"),
        (reply({key: value for key, value in row().items() if key != "how"}), "expected the keys how, name"),
        (reply(row(more=1)), "expected the keys how, name"),
        (reply("row"), "expected the keys how, name"),  # type: ignore[arg-type]
        (reply(row(), row()), "has 'latency_p50' of TensorFlow Lite 2.16.1 (XNNPACK, 1 thread) twice"),
        (json.dumps({"id": "@ID@", "rows": []}), "no list of 1 to 500 'rows'"),
        (json.dumps({"id": "@ID@", "rows": {"a": 1}}), "no list of 1 to 500 'rows'"),
        (json.dumps({"id": "@ID@"}), "no list of 1 to 500 'rows'"),
        (reply(*[row(name=f"n{number}") for number in range(501)]), "no list of 1 to 500 'rows'"),
        (reply(id="another\x1b"), "has the id 'another?', not this run's"),
        (json.dumps({"rows": [row()]}), "has the id 'None'"),
        (
            json.dumps({"id": "@ID@", "error": "no kernel for\nMystery \x1b[2J"}),
            "could not measure: no kernel for Mystery ?",
        ),
        (json.dumps({"id": "@ID@", "error": "x" * 9_999}), "xxx..."),
        (json.dumps({"id": "@ID@", "error": 7}), "it does not say why"),
        (json.dumps({"id": "@ID@", "error": "busy with another run"}), "measures already"),
        (reply() + " " * phone_reply.MOST_BYTES, "is larger than 1,048,576 bytes"),
    ],
)
def test_results_that_break_the_form_are_not_believed(text: str, words: str) -> None:
    data = text.replace("@ID@", RUN).replace("@THREADS@", "1").encode("utf-8", errors="surrogateescape")
    told = failure(DeviceError, lambda: phone_reply.rows(data, run=RUN, threads=1, target=TARGET, day="today"))
    assert words in told
    assert len(told) < 700


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (reply(row(), row(how="estimated")), "says 'estimated' in row 1"),
        (reply() + " " * phone_reply.MOST_BYTES, "is larger than 1,048,576 bytes"),
        (json.dumps({"id": "@ID@", "error": "no kernel for Mystery"}), "could not measure: no kernel for Mystery"),
    ],
)
def test_nothing_of_a_result_that_is_not_believed_is_left(phone: FakePhone, model: Path, text: str, words: str) -> None:
    phone.behave(reply=text)
    assert words in failure(DeviceError, lambda: measure_on_phone(model))
    assert phone.files == []


def test_a_result_that_adb_may_not_read_is_told(phone: FakePhone, model: Path) -> None:
    # Modes do not stop the superuser, as whom these tests may run.
    head = phone.folder / "bin" / "head"
    head.write_text('#!/bin/sh\necho "head: $3: Permission denied" >&2\nexit 1\n', encoding="utf-8")
    head.chmod(0o755)
    assert "adb may not read /sdcard" in failure(DeviceError, lambda: measure_on_phone(model))


# --- what goes to the phone -------------------------------------------------------------------------------------


def test_a_file_that_is_none_is_refused_before_the_phone_is_touched(phone: FakePhone, tmp_path: Path) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(small_files.int8_dense()[:-40])
    failure(ModelError, lambda: measure_on_phone(broken))
    failure(FileError, lambda: measure_on_phone(tmp_path / "missing.tflite"))
    assert phone.calls == []


def test_a_file_for_tflm_alone_is_refused_with_the_reason(phone: FakePhone) -> None:
    layout = Layout("int8", (8, 8), (0,))
    case = encoded_cases.filled(layout, "few", 1)
    (form, *_) = encoded_cases.encoded(case).values()
    only_tflm = FlatBuffer(encoded_cases.decode_file([(form, layout)]))
    told = failure(ModelError, lambda: measure_on_phone(only_tflm))
    assert "the app's TensorFlow Lite cannot run this file: it has encoded weights" in told
    assert phone.calls == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"threads": ()}, "threads is []"),
        ({"threads": (0,)}, "threads is [0]"),
        ({"threads": (65,)}, "expected numbers from 1 to 64"),
        ({"runs": 0}, "runs is 0"),
        ({"runs": 2**31}, "expected 1 to 100,000"),
        ({"delegate": "gpu"}, "expected one of cpu, xnnpack, nnapi"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"timeout": 0}, "timeout is 0"),
    ],
)
def test_impossible_wishes_are_refused(phone: FakePhone, model: Path, options: dict[str, Any], words: str) -> None:
    assert words in failure(UsageError, lambda: measure_on_phone(model, **options))
    assert phone.calls == []


# --- the command ------------------------------------------------------------------------------------------------


def run(*words: str) -> int:
    try:
        main(["benchmark", *words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_the_command_prints_json_only(phone: FakePhone, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(model), "--target", "adb", "--threads", "2", "--threads", "4", "--json", "--serial", "PHONE1") == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)["rows"]
    assert [Row(**one).runtime for one in found] == [
        f"TensorFlow Lite 2.16.1 (XNNPACK, {count} thread)" for count in (2, 4)
    ]
    assert {one["target"] for one in found} == {TARGET}
    assert printed.err == ""


def test_the_command_prints_a_table_that_names_the_phone(
    phone: FakePhone, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(model), "--target", "adb") == 0
    printed = capsys.readouterr().out
    assert "latency_p50" in printed and "1.25" in printed and f"On {TARGET}:" in printed
    assert "this machine" not in printed


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--target", "adb", "--runtime", "tflm"], 2, "--runtime cannot be used with --target adb"),
        (["--target", "adb", "--seed", "0"], 2, "--seed cannot be used with --target adb"),
        (["--target", "adb", "--per-operator"], 2, "--per-operator cannot be used with --target adb"),
        (["--target", "adb", "--runs", "200000"], 2, "runs is 200000"),
        (["--target", "adb", "--delegate", "gpu"], 2, "'gpu'"),
        (["--target", "toaster"], 2, "unknown device 'toaster'"),
        (["--serial", "A"], 2, "--serial is for --target adb alone"),
        (["--timeout", "120"], 2, "--timeout is for --target adb alone"),
        (["--delegate", "cpu"], 2, "--delegate is for --target adb alone"),
        (["--target", "adb", "--serial", "A"], 1, "no phone has the serial 'A'"),
    ],
)
def test_options_that_cannot_go_together(
    phone: FakePhone, model: Path, words: list[str], status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(model), *words) == status
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1
    assert told in printed.err
    assert not phone.seen

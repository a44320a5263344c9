"""The same as `test_adb.py` promises, with adb's own client: what it does to words, bytes, files and exit statuses."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import small_files
from fake_adbd import FakeAdbd

from converters.errors import DeviceError
from tfcompress.benchmark.phone import adb
from tfcompress.benchmark.phone import bridge as adb_bridge
from tfcompress.benchmark.phone.adb import measure_on_phone

pytestmark = pytest.mark.skipif(shutil.which("adb") is None, reason="adb is not installed (Debian: apt install adb)")

FAKE = Path(__file__).resolve().parent.parent / "fake_adb.py"
REPLY = (
    '{"id": "@ID@", "rows": [{"name": "latency_p50", "value": 1.5, "unit": "ms", "how": "measured", '
    '"runtime": "TensorFlow Lite 2.16.1 (XNNPACK, @THREADS@ threads)", "target": "", "source": "a processor"}]}'
)


@dataclass(frozen=True)
class Connected:
    """A stand-in phone that adb's own server is connected to."""

    folder: Path
    adbd: FakeAdbd

    @property
    def files(self) -> Path:
        return self.folder / "sdcard" / "Android" / "data" / adb.PACKAGE / "files"


@pytest.fixture
def connected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    folder = tmp_path / "phone"
    (folder / "bin").mkdir(parents=True)
    for name in ("am", "pm", "getprop", "logcat", "pidof"):
        place = folder / "bin" / name
        place.write_text(f"#!{sys.executable} -IS\n{FAKE.read_text(encoding='utf-8')}", encoding="utf-8")
        place.chmod(0o755)
    (folder / "scenario.json").write_text(json.dumps({"reply": REPLY}), encoding="utf-8")
    made = Connected(folder, FakeAdbd(folder))
    made.files.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    # A server of its own: the developer's, with the developer's phones and keys, is left alone.
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANDROID_SERIAL", f"127.0.0.1:{made.adbd.port}")
    monkeypatch.setattr(adb, "POLL_SECONDS", 0.05)
    run = subprocess.run(["adb", "connect", f"127.0.0.1:{made.adbd.port}"], capture_output=True, text=True, timeout=60)
    assert "connected to" in run.stdout, run.stdout + run.stderr
    yield made
    made.adbd.close()
    subprocess.run(["adb", "kill-server"], capture_output=True, timeout=60)


def test_a_phone_is_measured_and_nothing_is_left_on_it(connected: Connected, tmp_path: Path) -> None:
    model = tmp_path / "my model; rm -rf $HOME.tflite"
    model.write_bytes(small_files.int8_dense())
    rows = measure_on_phone(model, threads=(2, 4))
    assert [row.runtime for row in rows] == [f"TensorFlow Lite 2.16.1 (XNNPACK, {count} threads)" for count in (2, 4)]
    assert rows[0].target == "Google Pixel 8, Android 14"
    assert list(connected.files.iterdir()) == []


def test_words_bytes_and_exit_statuses_cross_unchanged(connected: Connected) -> None:
    phone = adb_bridge.connect()
    for word in (
        "a b",
        "it's",
        'say "x"',
        "; touch pwned",
        "$(touch pwned)",
        "`id`",
        "a\nb",
        "Ö 模",
        "*",
        "\\",
        "-e",
        "",
    ):
        assert phone.shell("printf", "%s|%s", word, "end", what="trying").out.decode() == f"{word}|end"
    answer = phone.script(r"printf '\000\r\n\377'; echo why >&2; exit 3", what="trying")
    assert (answer.status, answer.out, answer.err) == (3, b"\x00\r\n\xff", "why\n")


def test_a_large_model_arrives_whole(connected: Connected) -> None:
    data = bytes(range(256)) * 5_000
    assert adb_bridge.connect().push(data, f"{adb.FOLDER}/large.tflite").status == 0
    assert (connected.files / "large.tflite").read_bytes() == data


def test_a_folder_that_takes_no_file_is_told(connected: Connected, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(small_files.int8_dense())
    connected.files.rmdir()
    phone = adb_bridge.connect()
    with (
        pytest.raises(DeviceError, match="cannot be copied to P: remote couldn't create file: No such file"),
        adb._pushed(phone, "P", model.read_bytes(), print),
    ):
        pass


def test_a_phone_that_is_unplugged_is_told(connected: Connected) -> None:
    phone = adb_bridge.connect()
    connected.adbd.close()
    with pytest.raises(DeviceError, match="was lost while trying"):
        phone.shell("true", what="trying")
    with pytest.raises(DeviceError, match="was lost while copying the model"):
        phone.push(b"data", f"{adb.FOLDER}/model.tflite")

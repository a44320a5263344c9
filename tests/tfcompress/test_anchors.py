"""What users rely on: their board's own measurements count, in every form that a board's log has, or are refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from device_logs import PASSED, log, rendered
from packable_files import network
from small_tflite import build, small_file

from converters.errors import DeviceError, FileError, ModelError
from converters.flatbuffer import FlatBuffer
from tfcompress.benchmark import device
from tfcompress.benchmark.device_log import Vector
from tfcompress.benchmark.estimate.anchors import read
from tfcompress.benchmark.estimate.cost_model.work import work_of
from tfcompress.cli import group, main
from tfcompress.report import merging, table

NET, OTHER = build(network(width=8)), build(network(width=16))
BOARD = "nucleo-l4r5zi"
HUGE = "1" + "0" * 400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.tflite").write_bytes(NET)
    (tmp_path / "other.tflite").write_bytes(OTHER)
    (tmp_path / "float.tflite").write_bytes(small_file("float32"))
    (tmp_path / "damaged.tflite").write_bytes(NET[: len(NET) // 2])
    return tmp_path


def measured(folder: Path, *entries: Any, name: str = "measured.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"measurements": list(entries)}), encoding="utf-8")
    return path


def of(data: bytes = OTHER, **changed: Any) -> str:
    """A board's log of a model; its three runs take 1, 2 and 1.01 ms."""
    told = {"sha256": hashlib.sha256(data).hexdigest(), "model_bytes": len(data), "model": "net.tflite"}
    return rendered(log(**(told | changed)))


def estimated(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    """Name -> value of the rows of `benchmark --json` on one target."""
    words = ["benchmark", *map(str, arguments), "--json"]
    group.main(args=words, standalone_mode=False)
    return {row["name"]: row["value"] for row in json.loads(capsys.readouterr().out)["rows"]}


# --- forms ------------------------------------------------------------------------------------------------------


def test_measurements_name_files_beside_them_and_their_times(folder: Path) -> None:
    path = measured(folder, {"file": "net.tflite", "latency_ms": 1.5}, {"file": "other.tflite", "latency_ms": 2})
    found = read([path], FlatBuffer(NET))
    assert [anchor.latency_ms for anchor in found] == [1.5, 2.0]
    assert [anchor.works for anchor in found] == [work_of(FlatBuffer(NET)), work_of(FlatBuffer(OTHER))]
    assert found[0].source == "net.tflite in measured.json"


def test_several_files_give_all_of_their_measurements(folder: Path) -> None:
    one = measured(folder, {"file": "net.tflite", "latency_ms": 1.5})
    two = measured(folder, {"file": "other.tflite", "latency_ms": 2.5}, name="two.json")
    assert [anchor.latency_ms for anchor in read([one, two], FlatBuffer(NET))] == [1.5, 2.5]
    assert read([], FlatBuffer(NET)) == ()


def test_a_file_that_windows_wrote_is_read(folder: Path) -> None:
    path = folder / "measured.json"
    text = json.dumps({"measurements": [{"file": "net.tflite", "latency_ms": 1.5}]}, indent=1)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert read([path], FlatBuffer(NET))[0].latency_ms == 1.5


def test_a_log_of_the_board_is_of_the_file_beside_it_that_has_its_hash(folder: Path) -> None:
    (folder / "log.txt").write_text(of(OTHER), encoding="utf-8")
    (anchor,) = read([folder / "log.txt"], FlatBuffer(NET))
    assert anchor.works == work_of(FlatBuffer(OTHER)) and anchor.source == "log.txt"
    assert 1 <= anchor.latency_ms <= 2


def test_a_log_may_be_of_the_very_file_that_is_asked_about(tmp_path: Path) -> None:
    (tmp_path / "log.txt").write_text(of(NET), encoding="utf-8")
    assert read([tmp_path / "log.txt"], FlatBuffer(NET))[0].works == work_of(FlatBuffer(NET))


def test_the_json_of_a_log_counts_as_the_log_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "log.txt").write_text(of(OTHER), encoding="utf-8")
    group.main(args=["device-log", str(folder / "log.txt"), "--json"], standalone_mode=False)
    (folder / "log.json").write_text(capsys.readouterr().out, encoding="utf-8")
    one, two = (read([folder / name], FlatBuffer(NET))[0] for name in ("log.txt", "log.json"))
    assert (one.works, one.latency_ms) == (two.works, two.latency_ms)


def test_a_report_with_a_boards_rows_counts_as_its_log_does(folder: Path) -> None:
    (folder / "log.txt").write_text(of(OTHER), encoding="utf-8")
    rows = json.loads(table.as_json(list(device.measure(str(folder / "log.txt")).rows)))["rows"]
    host = {**rows[0], "name": "latency_p50", "value": 0.01, "target": "host"}
    told = {"rows": [host, *rows], "hashes": {"file": hashlib.sha256(OTHER).hexdigest().upper()}}
    (folder / "report.json").write_text(json.dumps(told), encoding="utf-8")
    one, two = (read([folder / name], FlatBuffer(NET))[0] for name in ("log.txt", "report.json"))
    assert (one.works, one.latency_ms) == (two.works, two.latency_ms)


def test_a_report_that_boards_were_merged_into_counts_for_one_board_and_not_for_several(folder: Path) -> None:
    report = folder / "report.json"
    report.write_text(json.dumps({"rows": [], "hashes": {"file": hashlib.sha256(OTHER).hexdigest()}}), encoding="utf-8")
    for number, name in enumerate(("Disco", "Nucleo")):
        text = of(OTHER, board=name, how="measured")
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        merging.merge(device.measure(str(folder / f"{name}.txt")), report)
        if number == 0:
            assert read([report], FlatBuffer(NET)) and read([report], FlatBuffer(NET))[0].latency_ms > 0
    with pytest.raises(FileError, match="2 boards or runtimes .*Disco.*Nucleo"):
        read([report], FlatBuffer(NET))


def test_an_anchor_moves_the_estimate_to_what_the_board_measured(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = estimated(capsys, folder / "net.tflite", "--target", BOARD)
    time = before["latency_estimate"] * 1.7
    path = measured(folder, {"file": "net.tflite", "latency_ms": time})
    after = estimated(capsys, folder / "net.tflite", "--target", BOARD, "--anchor", path)
    assert after["latency_estimate"] == pytest.approx(time, rel=0.03)
    assert after["latency_points"] == before["latency_points"] + 1
    assert after["latency_estimate_high"] / after["latency_estimate"] < 1.1
    assert after["energy_estimate"] / before["energy_estimate"] == pytest.approx(
        after["latency_estimate"] / before["latency_estimate"]
    )
    assert after["arena_on_device"] == before["arena_on_device"]


def test_an_anchor_leaves_the_engines_of_vendors_as_they_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = estimated(capsys, folder / "net.tflite", "--target", BOARD)
    path = measured(folder, {"file": "net.tflite", "latency_ms": before["latency_estimate"] * 3})
    after = estimated(capsys, folder / "net.tflite", "--target", BOARD, "--anchor", path)
    assert before["engine_latency_estimate"] == after["engine_latency_estimate"]


def test_an_anchor_that_cannot_be_used_is_told_and_not_silently_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = measured(folder, {"file": "net.tflite", "latency_ms": 1.5})
    group.main(
        args=["benchmark", str(folder / "float.tflite"), "--target", BOARD, "--anchor", str(path)],
        standalone_mode=False,
    )
    out = " ".join(capsys.readouterr().out.split())
    assert "latency: not known: the cost model is fitted on int8 files, and this one is float32" in out
    assert "your own measurements were not used" in out


# --- what is wrong with them ------------------------------------------------------------------------------------

DAMAGED: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "no JSON"),
    "half of a JSON": ('{"measurements": [{"file": "net.tflite",', "no JSON"),
    "no JSON": ("latency 12 ms", "no JSON"),
    "bytes": (bytes(range(256)), "no JSON"),
    "a list": ("[1, 2]", "no JSON object"),
    "a number": ("12.5", "no JSON object"),
    "null": ("null", "no JSON object"),
    "an empty object": ("{}", "holds no measurement"),
    "no measurements": ('{"measurements": []}', "holds no measurement"),
    "measurements as an object": ('{"measurements": {"file": "net.tflite"}}', "holds no measurement"),
    "an entry of null": ('{"measurements": [null]}', "a measurement is null"),
    "other keys": ('{"measurements": [{"model": "net.tflite", "ms": 1}]}', "expected a file's path"),
    "no time": ('{"measurements": [{"file": "net.tflite"}]}', "latency_ms above 0"),
    "no file": ('{"measurements": [{"latency_ms": 1}]}', "expected a file's path"),
    "a file as a number": ('{"measurements": [{"file": 1, "latency_ms": 1}]}', "expected a file's path"),
    **{
        f"a time of {value[:12]}": (f'{{"measurements": [{{"file": "net.tflite", "latency_ms": {value}}}]}}', "above 0")
        for value in ("NaN", "Infinity", "-1", "0", "-0.0", "true", '"12"', "null", "[1]", "1e999", HUGE)
    },
    "a missing file": ('{"measurements": [{"file": "none.tflite", "latency_ms": 1}]}', "does not exist"),
    "a folder as a file": ('{"measurements": [{"file": ".", "latency_ms": 1}]}', "folder"),
    "a damaged file": ('{"measurements": [{"file": "damaged.tflite", "latency_ms": 1}]}', "damaged.tflite"),
    "a text as a file": ('{"measurements": [{"file": "a.json", "latency_ms": 1}]}', "a.json"),
    "a float file": ('{"measurements": [{"file": "float.tflite", "latency_ms": 1}]}', "float32"),
    "a name with NUL": ('{"measurements": [{"file": "a\\u0000b", "latency_ms": 1}]}', "expected a file's path"),
    "half a surrogate": ('{"measurements": [{"file": "a\\ud800", "latency_ms": 1}]}', "expected a file's path"),
    "a name with an escape": (
        '{"measurements": [{"file": "\\u001b[31mx", "latency_ms": 1}]}',
        "expected a file's path",
    ),
    "a very long name": (f'{{"measurements": [{{"file": "{"x" * 5000}", "latency_ms": 1}}]}}', ""),
    "a deep nesting": ("[" * 100_000, "no JSON"),
    "a deep nesting that ends": (f'{{"measurements": [{"[" * 900}{"]" * 900}]}}', "a measurement is"),
    "rows without a model": ('{"rows": []}', "holds no measurement"),
    "hashes as a list": ('{"rows": [], "hashes": [1]}', "holds no measurement"),
    "a model as a text": ('{"rows": [], "model": "net.tflite"}', "holds no measurement"),
    "a hash that is none": ('{"rows": [], "model": {"sha256": "\\u001b[31m"}}', "holds no measurement"),
    "rows as numbers": (f'{{"rows": [1, null], "model": {{"sha256": "{"a" * 64}"}}}}', "no latency that a board"),
    "a log's time of many digits": (
        f'{{"rows": [{{"name": "latency_ms", "how": "measured", "value": {HUGE}}}], '
        f'"model": {{"sha256": "{"a" * 64}"}}}}',
        "no latency that a board",
    ),
    "a log of a model that is not there": (PASSED, "which is not beside it"),
    "half of a log": (PASSED[:80], "no JSON"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_in_one_line(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, expected = DAMAGED[name]
    path = folder / "a.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert expected in refused(capsys, folder, path)


def refused(capsys: pytest.CaptureFixture[str], folder: Path, path: Path | str, status: int = 1) -> str:
    """What stands on standard error, for an anchor that is to be refused."""
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", str(folder / "net.tflite"), "--target", BOARD, "--anchor", str(path)])
    told = capsys.readouterr()
    error = told.err.strip().splitlines()[-1]
    assert stopped.value.code == status and not told.out
    assert error.startswith("error: ") and told.err.count("error: ") == 1
    assert "unexpected" not in error and "Traceback" not in told.err
    assert len(error) < 500 + len(str(folder)) * 2 or "x" * 100 in error
    assert error.isprintable()
    return error


def test_a_file_that_is_not_there_a_folder_and_a_pipe_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "cannot be read" in refused(capsys, folder, folder / "none.json")
    assert "a folder, a device or a pipe" in refused(capsys, folder, folder)
    if hasattr(os, "mkfifo"):  # reading it would wait for ever
        os.mkfifo(folder / "pipe")
        assert "a folder, a device or a pipe" in refused(capsys, folder, folder / "pipe")
    if Path("/dev/zero").exists():
        assert "a folder, a device or a pipe" in refused(capsys, folder, "/dev/zero")


def test_a_huge_file_is_refused_before_it_is_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (folder / "huge.json").open("wb") as stream:
        stream.truncate(2**40)  # a hole: there is nothing on the disk
    assert "larger than" in refused(capsys, folder, folder / "huge.json")


@pytest.mark.parametrize(
    "make",
    [
        lambda: of(OTHER, how="simulated"),
        lambda: of(OTHER, counter="none", vectors=(Vector(0),)),
        lambda: of(OTHER, clock=None),
    ],
    ids=["simulated", "no counter", "no clock"],
)
def test_a_log_without_a_measured_time_is_no_anchor(make: Callable[[], str], folder: Path) -> None:
    (folder / "log.txt").write_text(make(), encoding="utf-8")
    with pytest.raises((FileError, DeviceError), match="no latency that a board measured"):
        read([folder / "log.txt"], FlatBuffer(NET))


def test_damaged_files_beside_a_log_are_passed_over(folder: Path) -> None:
    (folder / "a_text.tflite").write_text("no model", encoding="utf-8")
    (folder / "log.txt").write_text(of(OTHER), encoding="utf-8")
    assert read([folder / "log.txt"], FlatBuffer(NET))[0].works == work_of(FlatBuffer(OTHER))


@pytest.mark.parametrize("name", ["float.tflite", "damaged.tflite"])
def test_a_file_of_another_type_and_a_damaged_one_anchor_nothing(name: str, folder: Path) -> None:
    with pytest.raises((FileError, ModelError), match=name):
        read([measured(folder, {"file": name, "latency_ms": 1.0})], FlatBuffer(NET))

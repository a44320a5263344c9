"""What users rely on: a board is waited for as long as it makes sense, and what it measured comes into the report."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from device_logs import BOOT, FAILING, MODEL, PASSED, SHA, log, rendered

from converters.errors import DeviceError, FileError, UsageError
from tfcompress.benchmark import serial_port
from tfcompress.benchmark.device import NAMES, DeviceResult, measure
from tfcompress.benchmark.device_log import DeviceLog, Vector
from tfcompress.report import merging
from tfcompress.rows import Row

NULL_ROW = {**Row("cycles", 1, "cycles", "measured", "TFLM", "Disco", "a log").as_dict(), "value": None}


# --- the port ---------------------------------------------------------------------------------------------------


class Board:
    """The other end of a pseudo-terminal: what it writes comes out of a serial port."""

    def __init__(self) -> None:
        self.end, self._port = os.openpty()
        self.name = os.ttyname(self._port)
        self._writers: list[threading.Thread] = []

    def write_when_asked(self, *pieces: bytes, unplug: bool = False) -> Callable[[str], None]:
        """Something to call when the port is open."""

        def write() -> None:
            for piece in pieces:
                os.write(self.end, piece)
            if unplug:
                self.unplug()

        def begin(words: str) -> None:
            # The reader's is the only other end: with ours open too, it would see no hang-up.
            os.close(self._port)
            self._port = -1
            self._writers.append(threading.Thread(target=write))
            self._writers[-1].start()

        return begin

    def unplug(self) -> None:
        if self.end >= 0:
            os.close(self.end)
            self.end = -1

    def close(self) -> None:
        for writer in self._writers:
            writer.join()
        self.unplug()
        if self._port >= 0:
            os.close(self._port)


@pytest.fixture
def board() -> Iterator[Board]:
    if not hasattr(os, "openpty"):
        pytest.skip("this system has no pseudo-terminals")
    with contextlib.closing(Board()) as made:
        yield made


def pieces(text: bytes, size: int = 7) -> list[bytes]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def test_a_log_comes_in_pieces_after_boot_messages_and_a_reset(board: Board) -> None:
    wire = PASSED.replace("\n", "\r\n").encode()
    begin = board.write_when_asked(*pieces(BOOT + wire[:200] + BOOT + wire + b"and the board goes on\r\n"))
    result = measure(board.name, timeout=60, say=begin)
    assert result.log == log()
    assert result.rows[0].source.startswith(f"serial log of {board.name}, ")


STORIES = {
    "nothing": ((), "nothing came at all"),
    "garbage": ((b"\x80\xfe\x00\x9c" * 20,), "80 bytes came that are no text; give the board's speed with --baud"),
    "another program": ((b"hello\r\n",), "the last line was 'hello', and none said 'tfcompress log'"),
    "the end of a log": ((PASSED[-60:].encode(),), "the last line was 'result: PASS 3/3'"),
    "a hang": (
        (PASSED.partition("vector 2")[0].encode(),),
        "it stopped after 'vector 1: PASS ticks=336000'.*--timeout",
    ),
}


@pytest.mark.parametrize("case", STORIES)
def test_a_log_that_does_not_come_is_told_by_what_came(case: str, board: Board) -> None:
    written, message = STORIES[case]
    with pytest.raises(DeviceError, match=f"no complete log came from {board.name}.*{message}"):
        measure(board.name, timeout=1.0, say=board.write_when_asked(*written))


def test_a_log_of_another_version_is_not_waited_for(board: Board) -> None:
    with pytest.raises(DeviceError, match="version 7 of the log"):
        measure(board.name, timeout=60, say=board.write_when_asked(b"tfcompress log 7\r\n"))


def test_a_board_that_is_unplugged_is_told_so(board: Board) -> None:
    with pytest.raises(DeviceError, match=f"{board.name} went away"):
        measure(board.name, timeout=60, say=board.write_when_asked(PASSED[:90].encode(), unplug=True))


def test_a_port_that_somebody_reads_is_told_so(board: Board) -> None:
    import serial

    with serial.Serial(board.name, exclusive=True), pytest.raises(DeviceError, match="used by another program"):
        measure(board.name)


def test_a_port_that_is_not_there_is_told_so() -> None:
    with pytest.raises(DeviceError, match=r"/dev/ttyNOWHERE9 is not there; plug the board in. (Ports here|No serial)"):
        measure("/dev/ttyNOWHERE9")


def test_what_is_no_port_is_told_so() -> None:
    with pytest.raises(DeviceError, match="/dev/null cannot be opened as a serial port"):
        measure("/dev/null")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (PermissionError(errno.EACCES, "Permission denied"), DeviceError, "join the group that owns it"),
        (OSError("could not open port 'COM9': FileNotFoundError(2, 'x')"), DeviceError, "COM9 is not there"),
        (OSError("could not open port 'COM9': PermissionError(13, 'x')"), DeviceError, "used by another program"),
        (ValueError("Invalid baud rate: 1"), UsageError, "cannot run at 115200 baud; give the board's speed"),
    ],
)
def test_what_systems_say_of_ports_becomes_advice(
    error: Exception, kind: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("serial.Serial", refuse)
    with pytest.raises(kind, match=message):
        measure("COM9")


def test_an_endless_log_is_given_up(monkeypatch: pytest.MonkeyPatch, board: Board) -> None:
    monkeypatch.setattr(serial_port, "_MOST_BYTES", 100)
    with pytest.raises(DeviceError, match="longer than 100 characters"):
        measure(board.name, timeout=60, say=board.write_when_asked(PASSED.encode()))


# --- the report -------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a compression leaves, as far as it matters."""
    rows = [Row("arena", 4_000, "bytes", "measured", "TFLM", "host", "a processor").as_dict()]
    told = {"folder": "x", "rows": rows, "notes": ["é"], "hashes": {"model": "ab", "file": SHA}}
    (tmp_path / "report.json").write_text(json.dumps(told))
    (tmp_path / "report.md").write_text("# deep\n\nText.\n")
    return tmp_path


def said(told: DeviceLog, folder: Path) -> DeviceResult:
    (folder / "saved.txt").write_text(rendered(told))
    return measure(str(folder / "saved.txt"))


def stored(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "report.json").read_text())["rows"]
    return rows


def test_rows_are_put_into_the_report_and_replace_earlier_ones(folder: Path) -> None:
    before = json.loads((folder / "report.json").read_text())
    for told in (log(vectors=(Vector(1),)), log(board="a|b"), log(board="a|b"), log(how="simulated"), log()):
        merging.merge(said(told, folder), folder)
    after = json.loads((folder / "report.json").read_text())
    assert {**after, "rows": None} == {**before, "rows": None} and after["rows"][0] == before["rows"][0]
    found = [(row["target"], row["how"]) for row in after["rows"] if row["name"] == "vectors_passed"]
    assert found == [("a|b", "measured"), ("Disco", "simulated"), ("Disco", "measured")]
    assert [row["value"] for row in after["rows"] if row["name"] == "cycles"] == [170_000] * 3
    text = (folder / "report.md").read_text()
    assert text.startswith("# deep\n\nText.\n\n<!-- devices -->\n## On devices\n") and text.count("On devices") == 1
    measured = (
        "3 of 3 vectors | 1.012 ms (1 to 2) | 170,000 cycles (168,000 to 336,000) | 5,000 of 8,192 bytes | measured"
    )
    for board in ("Disco", r"a\|b"):
        assert f"| {board} | {measured} | TFLM 1.2 | serial log of saved.txt, " in text
    assert sorted(path.name for path in folder.iterdir()) == ["report.json", "report.md", "saved.txt"]


def test_the_report_may_be_named_itself_and_need_no_page(folder: Path) -> None:
    (folder / "report.md").unlink()
    merging.merge(said(log(), folder), folder / "report.json")
    assert len(stored(folder)) == 1 + len(NAMES) and not (folder / "report.md").exists()


def test_a_report_of_another_file_is_left_alone(folder: Path) -> None:
    before = (folder / "report.json").read_bytes()
    with pytest.raises(DeviceError, match=r"the board runs digits.tflite .* is of a file with"):
        merging.merge(said(log(sha256="0" * 64), folder), folder)
    with pytest.raises(UsageError, match="--board NAME"):
        merging.merge(said(log(board=None), folder), folder)
    assert (folder / "report.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("{", "is no JSON"),
        ('{"rows": [], "hashes": {"file": "00"}, "seed": NaN}', "is no JSON"),
        ('{"rows": [], "hashes": {"file": "00"}, "seed": "\\ud800"}', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "no rows or no hash"),
        ('{"rows": [], "hashes": {}}', "no rows or no hash"),
        ('{"rows": [{"name": "x"}], "hashes": {"file": "ab"}}', "no rows or no hash"),
        (json.dumps({"rows": [NULL_ROW], "hashes": {"file": "ab"}}), "no rows or no hash"),
    ],
)
def test_what_is_no_report_is_told_so(content: str | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    with pytest.raises(FileError, match=message):
        merging.check_report(tmp_path)


# --- the command ------------------------------------------------------------------------------------------------


def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tfcompress", "device-log", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, input=stdin, timeout=120)


def test_the_command_reads_a_pipe_prints_rows_and_puts_them_into_the_report(folder: Path) -> None:
    (folder / "model.tflite").write_bytes(MODEL)
    finished = run("-", "--report", folder, "--model", folder / "model.tflite", stdin=BOOT + PASSED.encode())
    assert finished.returncode == 0, finished.stderr
    printed = finished.stdout.decode()
    assert "digits.tflite on Disco" in printed and "TFLM 1.2, measured" in printed
    assert "On Disco: serial log of standard input" in printed
    assert len(stored(folder)) == 1 + len(NAMES)


def test_the_json_has_the_documented_keys_and_a_failure_is_a_line_and_a_status(tmp_path: Path) -> None:
    finished = run("-", "--json", stdin=rendered(FAILING).encode())
    told = json.loads(finished.stdout)
    assert list(told) == [
        *("rows", "model", "board", "runtime", "clock", "counter", "how", "passed", "total", "vectors", "error"),
        *("tolerance", "notes"),
    ]
    assert told["model"] == {"name": "digits.tflite", "bytes": len(MODEL), "sha256": SHA}
    assert told["vectors"][1] == {"ticks": 20, "difference": {"output": 0, "byte": 7, "expected": -3, "got": 5}}
    assert finished.returncode == 1
    (line,) = finished.stderr.decode().splitlines()
    assert line.startswith("error: the board failed: 1 of 3 vectors passed; first in vector 1")


def test_the_command_waits_for_a_port(board: Board) -> None:
    words = [sys.executable, "-m", "tfcompress", "device-log", board.name, "--baud", "9600", "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None and process.stdout is not None
        said = process.stderr.readline()
        board.write_when_asked(*pieces(PASSED.encode()))(said)
        told = json.loads(process.stdout.read())
        assert process.wait() == 0
    assert "reset the board" in said and "9600 baud" in said
    assert told["passed"] == told["total"] == 3


def test_a_missing_report_is_told_before_the_board_is_waited_for(board: Board, tmp_path: Path) -> None:
    finished = run(board.name, "--report", tmp_path)
    assert finished.returncode == 1 and finished.stdout == b""
    (line,) = finished.stderr.decode().splitlines()
    assert line.startswith("error: ") and "report.json does not exist" in line


def test_the_command_needs_neither_tensorflow_nor_numpy(tmp_path: Path) -> None:
    (tmp_path / "saved.txt").write_text(PASSED)
    code = (
        "import sys; from tfcompress.cli import main\n"
        f"try: main(['device-log', {str(tmp_path / 'saved.txt')!r}])\nfinally: "
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'serial') if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines()[-1] == "[]"

"""What users rely on: a board's log becomes rows however it came, and what is wrong with it is one line."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.errors import CompressionError, DeviceError, FileError, UsageError
from tfcompress.benchmark import serial_port
from tfcompress.benchmark.device import NAMES, DeviceResult, measure
from tfcompress.benchmark.device_log import DeviceLog, Difference, Vector, parse
from tfcompress.report import merging
from tfcompress.rows import Row

MODEL = b"the bytes of a model"
SHA = hashlib.sha256(MODEL).hexdigest()
BOOT = b"ets Jul 29 2019 12:21:46\r\n\xff\xfe\x00\x80rst:0x1 (POWERON),boot:0x13\r\nclock: 80 MHz\r\nerror: no card\r\n"
GOLDEN = sorted((Path(__file__).resolve().parents[1] / "golden").glob("device_log_*.txt"))


def log(**changed: Any) -> DeviceLog:
    vectors = (Vector(168_000), Vector(336_000), Vector(170_000))
    usual: dict[str, Any] = {
        **{"model": "digits.tflite", "model_bytes": len(MODEL), "sha256": SHA, "runtime": "TFLM 1.2", "board": "Disco"},
        **{"clock": 168_000_000, "counter": "cycles", "how": "measured", "arena": (5_000, 8_192)},
        **{"vectors": vectors, "total": len(changed.get("vectors", vectors))},
    }
    return DeviceLog(**(usual | changed))


def rendered(told: DeviceLog) -> str:
    lines = [
        "tfcompress log 1",
        f"model: {told.model} bytes={told.model_bytes} sha256={told.sha256}",
        f"runtime: {told.runtime or 'unknown'}",
        f"board: {told.board or 'unknown'}",
        f"clock: {told.clock or 'unknown'}",
        f"counter: {told.counter}",
        f"how: {told.how}",
    ]
    if told.arena:
        lines.append(f"arena: used={told.arena[0]} given={told.arena[1]}")
    if told.tolerance is not None:
        lines.append(f"tolerance: {told.tolerance}")
    if told.error:
        lines.append(f"error: {told.error}")
    for number, vector in enumerate(told.vectors):
        if (found := vector.difference) is None:
            lines.append(f"vector {number}: PASS ticks={vector.ticks}")
        else:
            differs = f"output={found.output} byte={found.byte} expected={found.expected} got={found.got}"
            lines.append(f"vector {number}: FAIL ticks={vector.ticks} {differs}")
    lines.append(f"result: {'FAIL' if told.failed else 'PASS'} {told.passed}/{told.total}")
    return "\n".join(lines) + "\n"


PASSED = rendered(log())
FAILING = log(vectors=(Vector(10), Vector(20, Difference(0, 7, -3, 5)), Vector(30, Difference(1, 2, 0, 1))))


# --- the text ---------------------------------------------------------------------------------------------------

words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12).filter(
    lambda text: text != "unknown"
)
counts = st.integers(1, 10**9)
differences = st.builds(Difference, st.integers(0, 3), counts, st.integers(-(2**31), 255), st.integers(-128, 2**31))


@st.composite
def logs(draw: st.DrawFn) -> DeviceLog:
    vectors = tuple(draw(st.lists(st.builds(Vector, counts, st.none() | differences), min_size=1, max_size=5)))
    error = draw(st.none() | words)
    used = draw(counts)
    return DeviceLog(
        model=draw(words),
        model_bytes=draw(counts),
        sha256=draw(st.binary(min_size=32, max_size=32)).hex(),
        runtime=draw(st.none() | words),
        board=draw(st.none() | words),
        clock=draw(st.none() | st.integers(1_000, 10**10)),
        counter=draw(st.sampled_from(["cycles", "us", "none"])),
        how=draw(st.sampled_from(["measured", "simulated"])),
        arena=None if error and draw(st.booleans()) else (used, used + draw(counts)),
        vectors=vectors,
        total=len(vectors) + (draw(counts) if error else 0),
        error=error,
        tolerance=draw(st.none() | counts),
    )


@given(logs(), st.sampled_from(["\n", "\r\n", "\r\r\n"]), st.sampled_from(["", "I ({}) main: ", "12:0{} -> "]))
def test_every_log_is_read_back_under_any_ends_of_lines_and_prefixes(told: DeviceLog, end: str, prefix: str) -> None:
    lines = [prefix.format(number) + line for number, line in enumerate(rendered(told).splitlines())]
    assert parse(end.join(lines)) == told


@given(st.text() | st.binary().map(lambda data: data.decode("utf-8", errors="replace")))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    refused_or_read(text)


@given(st.lists(st.sampled_from(PASSED.splitlines() + rendered(FAILING).splitlines()), max_size=30))
def test_any_order_of_lines_is_read_or_refused_in_one_line(lines: list[str]) -> None:
    refused_or_read("\n".join(lines))


@given(st.integers(0, len(PASSED)), st.integers(0, 40), st.text(max_size=30))
def test_any_damage_is_read_or_refused_in_one_line(place: int, length: int, instead: str) -> None:
    refused_or_read(PASSED[:place] + instead + PASSED[place + length :])


def refused_or_read(text: str) -> None:
    try:
        assert isinstance(parse(text), DeviceLog)
    except CompressionError as error:
        assert "\n" not in str(error)


def test_boot_messages_colours_and_other_tasks_do_not_matter() -> None:
    lines = [f"\x1b[0;32mI ({number}) main: {line}\x1b[0m" for number, line in enumerate(PASSED.splitlines(), 995)]
    others = ["W (1) wifi: error: no network", "I (2) radio: board: another", "\x00\ufffd", "board of the task"]
    mixed = [line for pair in zip(lines, others * 9, strict=False) for line in pair]
    assert parse(BOOT.decode(errors="replace") + "\n".join(mixed)) == log()


def test_what_a_windows_shell_saves_is_read() -> None:
    text = "\ufeff" + PASSED.replace("\n", "\r\n")
    assert parse(text.encode("utf-16-le").decode("utf-8", errors="replace")) == log()


def test_the_last_complete_run_counts() -> None:
    first, second, third = (rendered(log(vectors=(Vector(ticks),))) for ticks in (1, 2, 3))
    assert parse(first[:-30] + first + second + third[:-20]).vectors == (Vector(2),)
    # The board may reset in the middle of a line, of a word even.
    assert parse(first[:-3].replace("result", "resu") + second).vectors == (Vector(2),)


WRONG = {
    "nothing": (lambda text: "", "no line 'tfcompress log 1'"),
    "another version": (lambda text: text.replace("log 1", "log 2"), "version 2 of the log.*reads version 1"),
    "no end": (lambda text: text.partition("result")[0], r"ends at line 11 .*'vector 2: PASS ticks=170000'"),
    "no board": (lambda text: text.replace("board: Disco\n", ""), "no line 'board: ...'"),
    "no arena": (lambda text: re.sub("arena: .*\n", "", text), "no line 'arena: ...'"),
    "a vector lost": (lambda text: text.replace("vector 1: PASS ticks=336000\n", ""), "line 10 .*vector 1 was"),
    "the last vector lost": (lambda text: text.replace("vector 2: PASS ticks=170000\n", ""), "does not fit.* 2 of 2"),
    "a damaged vector": (lambda text: text.replace("1: PASS ticks=336", "1: PASS tic"), "line 10 .*is damaged"),
    "a failure without what": (lambda text: text.replace("1: PASS", "1: FAIL"), "line 10 .*is damaged"),
    "another unit": (lambda text: text.replace("168000000\n", "168 MHz\n"), "line 5 .*'clock: 168 MHz'.*is damaged"),
    "another counter": (lambda text: text.replace("cycles", "ms"), "line 6 .*is damaged"),
    "a count that does not fit": (lambda text: text.replace("3/3", "2/3"), "line 12 .*does not fit"),
    "a total that does not fit": (lambda text: text.replace("3/3", "3/9"), "line 12 .*does not fit"),
    "a verdict that does not fit": (lambda text: text.replace("result: PASS", "result: FAIL"), "contradicts itself"),
    "no vectors": (lambda text: re.sub("vector.*\n", "", text).replace("3/3", "0/0"), "has the number 0; expected 1"),
    "a clock that stands": (lambda text: text.replace("clock: 168000000", "clock: 0"), "line 5 .*has the number 0"),
    "a counter that stands": (lambda text: text.replace("ticks=336000", "ticks=0"), "line 10 .*has the number 0"),
    "an underflow": (lambda text: text.replace("=336000", "=18446744073709551615"), "line 10 .*has the number 18446"),
    "more used than given": (lambda text: text.replace("used=5000", "used=9000"), "line 8 .*more of the arena"),
    "a line twice": (lambda text: text.replace("how:", "board: Other\nhow:"), "line 7 .*came before, as line 4"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_log_lacks_is_told_by_its_line(case: str) -> None:
    damage, message = WRONG[case]
    with pytest.raises(DeviceError, match=message):
        parse(damage(PASSED))


@pytest.mark.parametrize("path", GOLDEN or [None], ids=lambda path: path.name if path else "none is there")
def test_logs_of_real_runs_are_read(path: Path | None) -> None:
    assert path is not None, "tests/golden has no device_log_*.txt: keep what a bundle's main wrote in a real run"
    told = measure(str(path), board="named here" if "board: unknown" in path.read_text(errors="replace") else None)
    assert told.failure is None and told.log.passed == told.log.total >= 1
    assert {"arena_used", "arena_given", "vectors_passed"} <= {row.name for row in told.rows}


# --- rows -------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[DeviceLog], str]:
    def save(told: DeviceLog) -> str:
        path = tmp_path / "saved.txt"
        path.write_text(rendered(told))
        return str(path)

    return save


def values(result: DeviceResult) -> dict[str, Any]:
    return {row.name: row.value for row in result.rows}


def test_cycles_become_times_by_the_boards_clock(saved: Callable[[DeviceLog], str]) -> None:
    result = measure(saved(log(tolerance=1)))
    assert list(values(result)) == list(NAMES) and not result.notes
    expected = {"cycles": 170_000, "cycles_min": 168_000, "cycles_max": 336_000, "latency_ms_min": 1.0}
    assert values(result).items() >= {**expected, "latency_ms_max": 2.0, "arena_used": 5_000}.items()
    assert {(row.how, row.runtime, row.target) for row in result.rows} == {("measured", "TFLM 1.2", "Disco")}
    assert re.fullmatch(
        r"serial log of saved.txt, \d{4}-\d\d-\d\d; outputs may differ by 1", result.rows[0].source
    ) and result.rows[-1] == replace(result.rows[0], name="vectors_passed", value=3, unit="of 3 vectors")


def test_microseconds_need_no_clock_and_may_be_coarse(saved: Callable[[DeviceLog], str]) -> None:
    vectors = (Vector(0), Vector(0), Vector(5_000))
    told = values(measure(saved(log(counter="us", clock=None, vectors=vectors))))
    assert "cycles" not in told
    assert (told["latency_ms"], told["latency_ms_max"]) == ("below resolution", 5.0)


def test_what_the_board_does_not_know_can_be_given(saved: Callable[[DeviceLog], str]) -> None:
    source = saved(log(board=None, clock=None, runtime=None))
    bare = measure(source)
    assert "latency_ms" not in values(bare) and values(bare)["cycles"] == 170_000
    assert bare.rows[0].target == "unknown board" and bare.rows[0].runtime == "unknown runtime"
    assert ["--clock HZ" in bare.notes[0], "--board NAME" in bare.notes[1]] == [True, True]
    given = measure(source, board="Mine", clock=84_000_000)
    assert values(given)["latency_ms_min"] == 2.0 and not given.notes
    assert given.rows[0].target == "Mine" and "clock of 84,000,000 Hz as given" in given.rows[0].source


def test_what_contradicts_the_board_is_refused(saved: Callable[[DeviceLog], str]) -> None:
    source = saved(log())
    assert measure(source, board="Disco", clock=168_000_000).rows == measure(source).rows
    with pytest.raises(UsageError, match="--board says 'Mine' and the log says 'Disco'"):
        measure(source, board="Mine")
    with pytest.raises(UsageError, match="--clock says 84,000,000 Hz and the log says 168,000,000 Hz"):
        measure(source, clock=84_000_000)


def test_a_simulator_that_counts_nothing_gives_no_time(saved: Callable[[DeviceLog], str]) -> None:
    result = measure(saved(log(how="simulated", counter="none", vectors=(Vector(0),))))
    assert list(values(result)) == ["arena_used", "arena_given", "vectors_passed"]
    assert {row.how for row in result.rows} == {"simulated"} and result.notes[0].startswith("no latency: a simulator")


def test_the_first_difference_is_told(saved: Callable[[DeviceLog], str]) -> None:
    result = measure(saved(FAILING))
    assert values(result)["vectors_passed"] == 1 and values(result)["cycles"] == 20
    assert re.search("1 of 3.*vector 1, output 0, byte 7: expected -3, got 5", result.failure or "")


def test_a_board_that_ran_nothing_says_why(saved: Callable[[DeviceLog], str]) -> None:
    result = measure(saved(log(error="arena too small by 2032 bytes", arena=None, vectors=(), total=10)))
    assert values(result) == {"vectors_passed": 0}
    assert "0 of 10 vectors passed; it says: arena too small by 2032 bytes" in (result.failure or "")


def test_the_log_must_be_of_the_named_model(saved: Callable[[DeviceLog], str], tmp_path: Path) -> None:
    same, other = tmp_path / "same.tflite", tmp_path / "other.tflite"
    same.write_bytes(MODEL)
    other.write_bytes(MODEL + b"!")
    assert measure(saved(log()), model=same).failure is None
    for told, model in ((log(), other), (log(model_bytes=19), same), (log(sha256="0" * 64), same)):
        with pytest.raises(DeviceError, match=f"the board runs digits.tflite.*{model.name} has"):
            measure(saved(told), model=model)


@pytest.mark.parametrize(
    ("source", "message"), [("nowhere.txt", "does not exist"), (".", "is a folder"), ("a\0b", "cannot be read")]
)
def test_files_that_cannot_be_read_are_one_line(source: str, message: str) -> None:
    with pytest.raises(FileError, match=message):
        measure(source)


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


def stored(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "report.json").read_text())["rows"]
    return rows


def test_rows_are_put_into_the_report_and_replace_earlier_ones(folder: Path, saved: Callable[[DeviceLog], str]) -> None:
    before = json.loads((folder / "report.json").read_text())
    for told in (log(vectors=(Vector(1),)), log(board="a|b"), log(how="simulated"), log()):
        merging.merge(measure(saved(told)), folder)
    after = json.loads((folder / "report.json").read_text())
    assert {**after, "rows": None} == {**before, "rows": None} and after["rows"][0] == before["rows"][0]
    found = [(row["target"], row["how"]) for row in after["rows"] if row["name"] == "vectors_passed"]
    assert found == [("a|b", "measured"), ("Disco", "simulated"), ("Disco", "measured")]
    assert [row["value"] for row in after["rows"] if row["name"] == "cycles"] == [170_000] * 3
    text = (folder / "report.md").read_text()
    assert text.startswith("# deep\n\nText.\n\n<!-- devices -->\n## On devices\n") and text.count("On devices") == 1
    assert re.search(r"\| Disco \| latency_ms \| 1.012 ms \| measured \| TFLM 1.2 \| serial log of saved.txt", text)
    assert r"| a\|b | cycles |" in text
    assert sorted(path.name for path in folder.iterdir()) == ["report.json", "report.md", "saved.txt"]


def test_the_report_may_be_named_itself_and_need_no_page(folder: Path, saved: Callable[[DeviceLog], str]) -> None:
    (folder / "report.md").unlink()
    merging.merge(measure(saved(log())), folder / "report.json")
    assert len(stored(folder)) == 1 + len(NAMES) and not (folder / "report.md").exists()


def test_a_report_of_another_file_is_left_alone(folder: Path, saved: Callable[[DeviceLog], str]) -> None:
    before = (folder / "report.json").read_bytes()
    with pytest.raises(DeviceError, match=r"the board runs digits.tflite .* is of a file with"):
        merging.merge(measure(saved(log(sha256="0" * 64))), folder)
    with pytest.raises(UsageError, match="--board NAME"):
        merging.merge(measure(saved(log(board=None))), folder)
    assert (folder / "report.json").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "no rows or no hash"),
        ('{"rows": [], "hashes": {}}', "no rows or no hash"),
        ('{"rows": [{"name": "x"}], "hashes": {"file": "ab"}}', "no rows or no hash"),
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

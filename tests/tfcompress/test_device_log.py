"""What users rely on: a board's log becomes rows however it came, and what is wrong with it is one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from device_logs import BOOT, FAILING, MODEL, PASSED, log, rendered
from hypothesis import given
from hypothesis import strategies as st

from converters.errors import CompressionError, DeviceError, FileError, UsageError
from tfcompress.benchmark.device import NAMES, DeviceResult, measure
from tfcompress.benchmark.device_log import DeviceLog, Difference, Vector, parse

GOLDEN = sorted((Path(__file__).resolve().parents[1] / "golden").glob("device_log_*.txt"))


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
    for noise in (BOOT.decode(errors="replace"), "\ufffd\ufffd"):
        assert parse(noise + "\n".join(mixed)) == log()


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
    names = {row.name for row in told.rows}
    if "too_small" in path.stem:
        assert "0 of 5 vectors passed; it says: AllocateTensors failed" in str(told.failure)
        assert names == {"vectors_passed"}
    else:
        assert told.failure is None and told.log.passed == told.log.total >= 1
        assert {"arena_used", "arena_given", "vectors_passed"} <= names


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
        r"serial log of saved.txt, \d{4}-\d\d-\d\d; outputs compared with a tolerance of 1", result.rows[0].source
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


def test_a_board_that_stops_midway_keeps_what_it_measured(saved: Callable[[DeviceLog], str]) -> None:
    result = measure(saved(log(error="Invoke failed", vectors=(Vector(10), Vector(20)), total=10)))
    assert values(result)["cycles"] == 15 and values(result)["vectors_passed"] == 2
    assert "2 of 10 vectors passed; it says: Invoke failed" in (result.failure or "")


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

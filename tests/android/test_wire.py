"""What the app answers by wire is what the toolkit reads: its Java tests hold tests/golden/wire_answers.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import small_files

from converters.errors import DeviceError
from tfcompress.benchmark.phone import reply
from tfcompress.rows import Row

ROOT = Path(__file__).parents[2]
RUN = "0123456789abcdef0123456789abcdef"
ANSWERS: dict[str, str] = json.loads((ROOT / "tests/golden/wire_answers.json").read_text(encoding="utf-8"))

# How each error begins, in the order of docs/phones.md.
ERRORS = {
    "no model": "model is missing, expected text",
    "name": "model is '../größer .tflite', expected a name of 1 to 100 letters",
    "missing": "no file model-other.tflite is in the app's folder",
    "link": "model-link.tflite is a link out of the app's folder",
    "threads": "threads is 65, expected 1 to 64",
    "runs": "runs is 0, expected 1 to 100000",
    "type": "runs is '5' of type String, expected a number",
    "delegate": "delegate is 'gpu', expected cpu, xnnpack or nnapi",
    "nnapi": "This machine has no NNAPI",
    "operator": "The file needs the custom operator Mystery",
    "broken": "The file is no TFLite model",
    "behind": "the app did not come to the foreground",
    "left": "the app left the foreground while it measured",
}


def read(what: str) -> list[Row]:
    return reply.rows(ANSWERS[what].encode(), run=RUN, threads=1, target="Some Phone 8, Android 14", day="2026-01-31")


def test_the_apps_rows_are_believed_as_they_come() -> None:
    rows = read("rows")
    assert [(row.name, row.value, row.unit) for row in rows] == [
        ("latency_p50", 0.125, "ms"),
        ("latency_p90", 0.125, "ms"),
        ("latency_p99", 0.125, "ms"),
        ("latency_runs", 5, "count"),
        ("peak_memory", 1_000_000, "bytes"),
    ]
    assert {row.source for row in rows} == {"Some Processor, demo app 0.1.0; over adb, 2026-01-31"}
    assert all("1 thread)" in row.runtime for row in rows)


def test_a_phone_that_measures_already_is_told_as_such() -> None:
    with pytest.raises(DeviceError, match="measures already"):
        read("busy")


@pytest.mark.parametrize(("what", "begins"), ERRORS.items())
def test_the_apps_reason_is_shown_whole(what: str, begins: str) -> None:
    with pytest.raises(DeviceError) as caught:
        read(what)
    error: str = json.loads(ANSWERS[what])["error"]
    assert error.startswith(begins)
    assert str(caught.value) == f"the phone could not measure: {error}"


def test_no_form_of_answer_is_left_out() -> None:
    assert set(ANSWERS) == {"rows", "busy", *ERRORS}


def test_the_files_that_the_java_tests_measure_are_those_that_this_toolkit_knows() -> None:
    folder = ROOT / "android_demo/app/src/test/resources/wire"
    assert (folder / "dense.tflite").read_bytes() == small_files.int8_dense()
    assert (folder / "mystery.tflite").read_bytes() == small_files.one_float_operator("CUSTOM", custom="Mystery")

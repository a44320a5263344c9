"""What the app on the phone writes is what the toolkit reads.

The app's own tests hold that its Java code writes exactly the two files in tests/golden.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from converters.errors import DeviceError
from tfcompress.benchmark.phone import reply
from tfcompress.rows import Row

GOLDEN = Path(__file__).parents[1] / "golden"
RUN = "0123456789abcdef0123456789abcdef"
KEYS = [field.name for field in dataclasses.fields(Row)]
NAMES = ["latency_p50", "latency_p90", "latency_p99", "latency_runs", "peak_memory"]


def test_the_answer_by_wire_is_believed_as_it_comes() -> None:
    rows = reply.rows(_bytes("phone_answer.json"), run=RUN, threads=1, target="a phone", day="2026-01-31")
    assert [row.name for row in rows] == NAMES * 2
    first, memory, no_memory = rows[0], rows[4], rows[9]
    assert (first.value, first.unit, first.how) == (1.205, "ms", "measured")
    assert first.runtime == "TensorFlow Lite 2.16.1 (XNNPACK, 1 thread)"
    assert first.source == "Some Processor, demo app 0.1.0; over adb, 2026-01-31"
    assert memory.value == 278_528
    assert no_memory.value == "this phone does not let an app read its own memory"


def test_the_answer_to_another_run_is_refused() -> None:
    with pytest.raises(DeviceError, match="not this run's"):
        reply.rows(_bytes("phone_answer.json"), run=RUN[::-1], threads=1, target="a phone", day="2026-01-31")


def test_a_shared_report_has_the_rows_of_a_report() -> None:
    report = json.loads(_bytes("phone_report.json"))
    assert [list(row) for row in report["rows"]] == [KEYS] * len(NAMES) * 2
    assert [Row(**row).as_dict() for row in report["rows"]] == report["rows"]
    assert report["model"] == {"name": "Digits \u00fc", "bytes": 4208, "sha256": "a" * 64}
    assert report["notes"] == ["NNAPI, 1 thread: this phone has no NNAPI"]


def test_rows_of_a_shared_report_are_those_of_an_answer_by_wire() -> None:
    assert _rows("phone_report.json") == _rows("phone_answer.json")


def _rows(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(_bytes(name))["rows"]
    return rows


def _bytes(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()

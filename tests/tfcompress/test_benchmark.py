"""What users rely on: every number has a unit, a how and a runtime; runtimes are compared; a host is no device."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_files
from rich.console import Console

from converters.errors import ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from tfcompress.benchmark import parity
from tfcompress.benchmark.measure import measure
from tfcompress.benchmark.plan import NOT_AVAILABLE, Plan
from tfcompress.report import table
from tfcompress.rows import Row

QUICK = Plan(runs=3, samples=3, threads=(1,))


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    plan = Plan(runtimes=("litert", "litert-builtin", "tflm"), threads=(1, 2), runs=4, samples=5, per_operator=True)
    return measure(FlatBuffer(small_files.int8_dense()), plan=plan)


def named(rows: list[Row], name: str) -> list[Row]:
    return [row for row in rows if row.name == name]


def test_the_promised_rows_are_there(rows: list[Row]) -> None:
    assert {"arena", "arena_smallest", "file_bytes", "gzip_bytes", "latency_p50", "latency_p90", "latency_p99"} <= {
        row.name for row in rows
    }
    assert {"peak_memory", "tflm_latency_p50", "operators_supported"} <= {row.name for row in rows}
    assert named(rows, "file_bytes")[0].value == len(small_files.int8_dense())


def test_every_row_says_its_unit_how_and_source(rows: list[Row]) -> None:
    for row in rows:
        assert row.unit and row.source and row.target == "host"
        assert row.runtime or row.how == "read from the file"


def test_every_kernel_set_and_thread_count_is_named(rows: list[Row]) -> None:
    runtimes = [row.runtime for row in named(rows, "latency_p50")]
    assert len(runtimes) == len(set(runtimes)) == 4
    assert sum("2 threads" in runtime for runtime in runtimes) == 2


def test_outputs_of_tflm_equal_those_of_the_reference_kernels(rows: list[Row]) -> None:
    (row,) = [row for row in named(rows, "parity_samples_differing") if "reference" in row.runtime]
    assert row.value == 0
    assert row.unit == "of 5 samples"
    assert len(named(rows, "parity_largest_difference")) == 3


def test_all_operators_are_supported_and_timed(rows: list[Row]) -> None:
    for row in named(rows, "operators_supported"):
        assert (row.value, row.unit) == (2, "of 2 operators")
    timed = [row for row in rows if row.name.startswith("operator_latency/")]
    assert [row.name.split("/")[1:3] for row in timed] == [["0", "FULLY_CONNECTED"], ["1", "RELU"]]
    for row in timed:
        assert row.how == "measured by difference"
        assert row.value == "below resolution" or float(row.value) > 0


def test_a_file_that_tflm_refuses_gets_rows_that_name_the_operator() -> None:
    rows = measure(FlatBuffer(small_files.one_float_operator("GELU")), plan=QUICK)
    assert "TFLM has no kernel for GELU" in str(named(rows, "arena")[0].value)
    assert [row.value for row in named(rows, "operator_refused")] == ["1 GELU (layer odd)"]
    assert [row.value for row in named(rows, "operators_supported")] == [2, 1]
    assert named(rows, "latency_p50")


def test_a_file_that_no_runtime_takes_is_an_error() -> None:
    with pytest.raises(ModelError, match="Mystery"):
        measure(FlatBuffer(small_files.one_float_operator("CUSTOM", custom="Mystery")), plan=QUICK)


def test_a_platform_without_tflm_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise tflm._not_available()

    monkeypatch.setattr(tflm, "available", lambda: False)
    monkeypatch.setattr(tflm, "call", missing)
    rows = measure(FlatBuffer(small_files.int8_dense()), plan=QUICK)
    assert named(rows, "arena")[0].value == NOT_AVAILABLE
    assert named(rows, "latency_p50")


def test_differences_are_counted_per_sample_in_steps_and_in_classes() -> None:
    left = [np.array([[1, 2], [5, 4], [9, 0]], np.int8)]
    right = [np.array([[1, 2], [5, 7], [8, 0]], np.int8)]
    assert parity.compare(left, right) == parity.Differences(2, 3.0, 1, True)
    assert parity.compare(left, left) == parity.Differences(0, 0.0, 0, True)


def test_float_outputs_may_differ_in_their_last_bits() -> None:
    left = np.array([[1.0], [2.0]], np.float32)
    found = parity.compare([left], [left * np.array([[1.000001], [1.01]], np.float32)])
    assert (found.samples, found.classes, found.is_integer) == (1, None, False)


@pytest.mark.parametrize(
    ("plan", "message"),
    [({"runs": 0}, "runs is 0"), ({"runtimes": ()}, "no runtime"), ({"runtimes": ("fast",)}, "expected one of litert")],
)
def test_plans_that_measure_nothing_are_refused(plan: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Plan(**plan)  # type: ignore[arg-type]


def test_the_table_says_that_times_are_no_devices(rows: list[Row]) -> None:
    page = io.StringIO()
    table.show(rows, title="model", console=Console(file=page, width=80))
    text = page.getvalue()
    assert "Times are this machine's, not a device's" in text
    assert max(len(line) for line in text.splitlines()) <= 80
    for row in rows:
        assert row.runtime in text


def test_the_table_prints_hostile_names_as_they_are() -> None:
    page = io.StringIO()
    row = Row("operator/0/[red]\x1b[2J/[/bold]", 1, "ms", "measured", "TFLM", "host", "here")
    table.show([row], console=Console(file=page, width=120))
    assert "[red]?[2J/[/bold]" in page.getvalue()


def test_numbers_are_shown_with_units_people_read() -> None:
    shown = [
        table.shown(Row("", value, "", "measured", "", "", ""))
        for value in (55984, 0.0123456, 12.0, "below resolution")
    ]
    assert shown == ["55,984", "0.01235", "12", "below resolution"]


def test_the_command_prints_json_only_and_never_loads_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(small_files.int8_dense())
    words = ["benchmark", str(tmp_path / "model.tflite"), "--runs", "2", "--samples", "2", "--threads", "1", "--json"]
    code = (
        f"import sys; from tfcompress.cli import main\ntry: main({words!r})\nfinally: "
        "print([name for name in ('tensorflow', 'keras', 'tf_keras') if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)["rows"]
    assert found and all(row.keys() == {"name", "value", "unit", "how", "runtime", "target", "source"} for row in found)
    assert ran.stderr.splitlines()[-1] == "[]"


def test_the_resnets_arena_and_parity_are_what_was_probed(real_data: Path) -> None:
    plan = Plan(runtimes=("tflm",), runs=1, samples=20)
    rows = measure(real_data / "mlperf_tiny" / "ic" / "pretrainedResnet_quant.tflite", plan=plan)
    assert named(rows, "arena")[0].value == 55_984
    assert abs(int(named(rows, "arena_smallest")[0].value) - 55_984) <= 64
    differing = {row.runtime.split("(")[-1]: row.value for row in named(rows, "parity_samples_differing")}
    assert int(differing["XNNPACK)"]) > int(differing["reference kernels)"])

"""What users rely on: a command does its work, or says in one line why not, exits 1 or 2, and leaves no file behind."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from trained_digits import Digits

TOOL = [sys.executable, "-m", "tfcompress"]


def run(*arguments: object, prepare: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    command = [*TOOL, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, preexec_fn=prepare)


def one_line_error(finished: subprocess.CompletedProcess[str], status: int = 1) -> str:
    assert finished.returncode == status, finished.stderr
    assert finished.stdout == ""
    lines = [line for line in finished.stderr.splitlines() if line.strip()]
    assert len(lines) == 1 and lines[0].startswith("error: "), finished.stderr
    return lines[0]


@pytest.fixture(scope="module")
def converted(digits: Digits) -> Path:
    output = digits.folder / "converted.tflite"
    arguments = ["--calibration", digits.folder / "digits.npz", "--runtime", "tflm", "--json"]
    finished = run("convert", digits.model, "-o", output, *arguments)
    assert finished.returncode == 0, finished.stderr
    summary = json.loads(finished.stdout)
    assert summary["file_bytes"] == output.stat().st_size
    assert summary["integer_only"] is True
    assert [port["dtype"] for port in summary["inputs"] + summary["outputs"]] == ["int8", "int8"]
    return output


def test_the_main_path_keeps_the_accuracy_on_both_runtimes(digits: Digits, converted: Path) -> None:
    data = digits.folder / "digits.npz"
    results = {}
    for name, model, options in [
        ("keras", digits.model, []),
        ("litert", converted, []),
        ("tflm", converted, ["--runtime", "tflm"]),
    ]:
        finished = run("evaluate", model, "--data", data, "--json", *options)
        assert finished.returncode == 0, finished.stderr
        results[name] = json.loads(finished.stdout)
        assert set(results[name]) >= {"metric", "value", "samples", "runtime"}
        assert results[name]["samples"] == len(digits.data["y_test"])
    assert results["keras"]["value"] == pytest.approx(digits.accuracy)
    assert results["litert"]["value"] >= digits.accuracy - 0.015
    assert results["tflm"]["value"] >= digits.accuracy - 0.015
    assert "TFLM" in results["tflm"]["runtime"]


def test_benchmark_rows_have_the_documented_keys(converted: Path) -> None:
    finished = run("benchmark", converted, "--runs", 3, "--samples", 3, "--json")
    assert finished.returncode == 0, finished.stderr
    rows = json.loads(finished.stdout)["rows"]
    assert {"file_bytes", "tflm_latency_p50", "arena"} <= {row["name"] for row in rows}
    for row in rows:
        assert list(row) == ["name", "value", "unit", "how", "runtime", "target", "source"]
        assert row["unit"] and row["how"] and row["source"], row


def test_inspect_prints_the_documented_keys_and_a_ledger_that_sums(converted: Path) -> None:
    finished = run("inspect", converted, "--json")
    report = json.loads(finished.stdout)
    documented = "file_bytes gzip_bytes integer_only macs parameters ledger inputs outputs operators tensors"
    assert list(report) == documented.split()
    assert sum(report["ledger"].values()) == report["file_bytes"] == converted.stat().st_size
    assert set(report["operators"][0]) >= {"name", "layer", "inputs", "outputs", "macs"}
    keys = {"name", "layer", "shape", "dtype", "bytes", "scale", "zero_point", "sparsity", "distinct_values"}
    assert set(report["tensors"][0]) >= keys


def test_an_existing_output_is_kept_unless_forced(digits: Digits, converted: Path) -> None:
    before = converted.read_bytes()
    error = one_line_error(run("convert", digits.model, "-o", converted, "--calibration", digits.folder / "digits.npz"))
    assert "--force" in error
    assert converted.read_bytes() == before


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "random": lambda data: np.random.default_rng(0).bytes(5000),
    "corrupt": lambda data: data[:1000] + bytes(200) + data[1200:],
    "text": lambda data: b"this is no model",
}


@pytest.fixture(scope="module")
def saved_as_h5(digits: Digits) -> None:
    """The same model as `.h5`, and the proof that it converts while it is whole."""
    import keras

    keras.models.load_model(digits.model).save(digits.folder / "digits.h5")
    output = digits.folder / "from_h5.tflite"
    finished = run("convert", digits.folder / "digits.h5", "-o", output, "--dtype", "float32")
    assert finished.returncode == 0, finished.stderr


@pytest.mark.usefixtures("saved_as_h5")
@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_damaged_model_is_one_line_and_no_file(digits: Digits, tmp_path: Path, damage: str, suffix: str) -> None:
    source = (digits.folder / f"digits.{suffix}").read_bytes()
    model = tmp_path / f"model.{suffix}"
    model.write_bytes(DAMAGES[damage](source))
    output = tmp_path / "out.tflite"
    error = one_line_error(run("convert", model, "-o", output, "--calibration", digits.folder / "digits.npz"))
    assert str(model.name) in error
    assert not output.exists() and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("command", ["convert", "inspect", "evaluate", "benchmark"])
def test_a_missing_file_is_one_line(digits: Digits, tmp_path: Path, command: str) -> None:
    options = {
        "convert": ["-o", tmp_path / "out.tflite", "--calibration", digits.folder / "digits.npz"],
        "evaluate": ["--data", digits.folder / "digits.npz"],
    }
    error = one_line_error(run(command, tmp_path / "missing.tflite", *options.get(command, [])))
    assert "missing.tflite" in error


def test_missing_calibration_data_is_named(digits: Digits, tmp_path: Path) -> None:
    error = one_line_error(run("convert", digits.model, "-o", tmp_path / "m.tflite", "--calibration", "nowhere.npz"))
    assert "nowhere.npz" in error
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage_exits_2(digits: Digits, tmp_path: Path) -> None:
    assert "--output" in one_line_error(run("convert", digits.model), status=2)
    assert "int7" in one_line_error(run("convert", digits.model, "-o", tmp_path / "m", "--dtype", "int7"), status=2)
    assert "nonsense" in one_line_error(run("nonsense"), status=2)
    error = one_line_error(run("convert", digits.model, "-o", tmp_path / "m.tflite"), status=2)
    assert "calibration" in error
    impossible = ["--dtype", "float32", "--io", "int8"]
    assert "cannot go with" in one_line_error(run("convert", digits.model, "-o", tmp_path / "m.tflite", *impossible), 2)


def test_debug_tells_the_story_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    for words in (
        ["--debug", "inspect", tmp_path / "broken.tflite"],
        ["inspect", tmp_path / "broken.tflite", "--debug"],
    ):
        assert run(*words).returncode == 1


def test_a_name_that_looks_like_markup_is_printed_as_it_is(digits: Digits, tmp_path: Path) -> None:
    output = tmp_path / "model[v2][bold].tflite"
    finished = run("convert", digits.model, "-o", output, "--dtype", "float32")
    assert finished.returncode == 0, finished.stderr
    assert output.exists() and finished.stdout.startswith(f"{output}: ")


def test_a_full_disk_is_one_line_and_no_file(digits: Digits, tmp_path: Path) -> None:
    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    arguments = ["-o", tmp_path / "m.tflite", "--calibration", digits.folder / "digits.npz"]
    error = one_line_error(run("convert", digits.model, *arguments, prepare=no_room))
    assert "could not be written" in error
    assert list(tmp_path.iterdir()) == []


def test_a_killed_child_is_one_line_and_no_file(digits: Digits, tmp_path: Path) -> None:
    arguments = ["-o", tmp_path / "m.tflite", "--calibration", digits.folder / "digits.npz"]
    command = [*TOOL, "convert", str(digits.model), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        parent = psutil.Process(process.pid)
        deadline = time.monotonic() + 60
        while not (children := parent.children()) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(children[0].pid, signal.SIGKILL)
        out, err = process.communicate(timeout=60)
    finished = subprocess.CompletedProcess(command, process.returncode, out, err)
    assert "SIGKILL" in one_line_error(finished)
    assert list(tmp_path.iterdir()) == []


def test_the_demo_prints_one_table_and_leaves_files_to_try(tmp_path: Path) -> None:
    finished = run("demo", "-o", tmp_path / "demo")
    assert finished.returncode == 0, finished.stderr
    assert "int8" in finished.stdout and "not a device's" in finished.stdout
    assert {path.name for path in (tmp_path / "demo").iterdir()} == {
        "digits.keras",
        "digits.npz",
        "digits_float32.tflite",
        "digits_float32.tflite.names.json",
        "digits_int8.tflite",
        "digits_int8.tflite.names.json",
    }


def test_every_command_has_help_with_an_example() -> None:
    from tfcompress.cli import group

    context = __import__("click").Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None and command.help and "Example: tfcompress" in command.help, name

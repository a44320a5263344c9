"""What users rely on: one command leaves a verified file and a report of what it was worth, or says why not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_tflite import small_file

from converters.conversion import Conversion
from converters.flatbuffer import FlatBuffer
from converters.verify import Certificate
from tfcompress.cli._progress import progress_bar
from tfcompress.model import Skipped, Step
from tfcompress.outcome import LayerReport, Outcome, Plan, PlannedStep
from tfcompress.recipe import Recipe, from_toml, load
from tfcompress.report import compression
from tfcompress.rows import Row

RECIPE = """
name = "short | [v1]"
description = "A *short* one."

[[steps]]
technique = "prune"
sparsity = 0.5
epochs = 1
"""
FILES = ["model.keras", "model.tflite", "model.tflite.names.json", "recipe.toml", "report.json", "report.md"]
KEYS = ["folder", "rows", "layers", "history", "recipe", "notes", "versions", "hashes"]


# --- the report -------------------------------------------------------------------------------------------------


def row(name: str, value: Any, unit: str, source: str = "the file", runtime: str = "") -> Row:
    how = "measured" if runtime else "read from the file"
    return Row(name, value, unit, how, runtime, "host", source)  # type: ignore[arg-type]


@pytest.fixture
def outcome() -> Outcome:
    flatbuffer = FlatBuffer(small_file())
    rows = (
        row("accuracy_before", 0.85, "fraction", "accuracy of 100 test samples", "Keras 3"),
        row("accuracy_after", 0.8421, "fraction", "accuracy of 100 test samples", "LiteRT 2"),
        row("file_bytes", 25_000, "bytes"),
        row("float_file_bytes", 100_000, "bytes"),
        row("plain_file_bytes", 24_000, "bytes", "the model as it came, in the same type"),
        row("sparsity", 0.601, "fraction"),
        row("distinct", 16, "count", "the file, kernels with a codebook"),
        row("arena", "not available on this platform", "bytes", "a processor", "TFLM"),
        row("latency_p50", 1.23456, "ms", "a processor", "LiteRT 2"),
        row("training_seconds", 61.2, "s"),
    )
    layers = (
        LayerReport("conv", "conv/kernel", 432, 0.6, 16, ("60.0% zero", "at most 16 values"), 1000, 432, 0.0123),
        LayerReport("a|b[bold]", "a|b[bold]/kernel", 4, 0.0, 4, (), 4, 4, float("nan")),
        LayerReport("plain", "plain/kernel", 4, 0.0, 4, (), 4, 4, None),
    )
    skipped = (Skipped("a|b[bold]", "kernel has 4 weights\nfewer than 256"),)
    history = (Step("prune", {"sparsity": 0.5}, 61.2, ({"loss": 0.5, "val_accuracy": 0.9},), skipped, ("a note",)),)
    conversion = Conversion(flatbuffer, Certificate((), ("certified",)), 100_000, ("the calibration is unusual",))
    hashes = {"model": "ab", "data": "cd"}
    return Outcome(conversion, rows, layers, from_toml(RECIPE), history, ("the loss was inferred",), hashes)


def test_the_json_has_the_documented_keys_and_is_strict_json(outcome: Outcome) -> None:
    told = json.loads(compression.as_json(outcome), parse_constant=pytest.fail)
    assert list(told) == KEYS
    assert [one["name"] for one in told["rows"]] == [one.name for one in outcome.report]
    assert list(told["layers"][0]) == [
        *(
            "layer",
            "kernel",
            "weights",
            "zeros",
            "distinct",
            "promised",
            "macs",
            "weight_bytes",
            "error",
            "shares_values",
        )
    ]
    assert [layer["error"] for layer in told["layers"]] == [0.0123, None, None]
    assert list(told["history"][0]) == ["technique", "fields", "seconds", "epochs", "skipped", "notes"]
    assert told["recipe"]["steps"][0]["technique"] == "prune" and told["recipe"]["steps"][0]["sparsity"] == 0.5
    assert set(told["hashes"]) == {"model", "data", "file"} and len(told["hashes"]["file"]) == 64
    assert set(told["versions"]) >= {"python", "tensorflow", "tfcompress"}
    assert told["notes"] == ["the loss was inferred", "certified", "the calibration is unusual"]


def test_the_recipe_in_the_json_makes_the_same_recipe(outcome: Outcome) -> None:
    for recipe in (outcome.recipe, load("deep")):
        told = json.loads(compression.as_json(replace(outcome, recipe=recipe)))["recipe"]
        assert Recipe(**told) == recipe


def test_the_markdown_says_before_and_after_each_kernel_what_was_skipped_and_why(outcome: Outcome) -> None:
    text = compression.as_markdown(outcome)
    assert text.startswith(
        r"# short \| \[v1\]: int8 for litert, 4.00x smaller, accuracy 0.8500 before and 0.8421 after"
    )
    for line in (
        "| accuracy | 0.8500 | 0.8421 | -0.79 points | measured, Keras 3 then LiteRT 2 |",
        "| file | 100,000 bytes | 25,000 bytes | 4.00x smaller | read from the file |",
        "| file, against no steps | 24,000 bytes | 25,000 bytes | 1.04x larger | read from the file |",
        "| distinct values of a kernel, at most |  | 16 |  | read from the file, kernels with a codebook |",
        "| zero weights |  | 60.1% |  | read from the file |",
        "| TFLM arena |  | not available on this platform |  | measured, TFLM |",
        "| latency, median |  | 1.235 ms |  | measured, LiteRT 2 |",
        "| conv/kernel | 432 | 60.0% | 16 | 432 | 1,000 | 0.012 | 60.0% zero, at most 16 values |",
        r"| prune | a\|b\[bold\] | kernel has 4 weights fewer than 256 |",
        "- the loss was inferred",
        "- Times are this machine's, not a device's; kernels and processor differ there.",
        'technique = "prune"',
        "| SHA-256 of model | ab |",
    ):
        assert f"{line}\n" in text
    assert "Measured on this machine: a processor." in text


def test_every_table_of_the_markdown_has_as_many_cells_as_heads(outcome: Outcome) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", compression.as_markdown(outcome), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


def test_a_run_without_test_data_or_steps_has_a_report_too(outcome: Outcome) -> None:
    bare = replace(outcome, report=outcome.report[2:3], layers=(), history=(), recipe=load("int8"))
    assert "| file |  | 25,000 bytes |" in compression.as_markdown(bare)
    assert "Steps" not in compression.as_markdown(bare) and "against" not in compression.as_markdown(bare)
    assert json.loads(compression.as_json(bare))["layers"] == []


def test_the_terminal_shows_names_as_they_are(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    compression.show(replace(outcome, folder=Path("out[v1]")))
    printed = capsys.readouterr().out
    for words in ("short | [v1]: int8", "a|b[bold]/kernel", "kernel has 4 weights fewer than 256", "-0.79 points"):
        assert words in printed
    assert f"Next: tfcompress benchmark {Path('out[v1]') / 'model.tflite'}" in printed


def test_a_plan_shows_what_differs_from_the_usual_and_what_would_be_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = from_toml(RECIPE)
    steps = tuple(PlannedStep(step.name, step.fields(), (Skipped("conv", "too small"),)) for step in recipe.steps)
    plan = Plan(recipe, steps, ("trained with a loss",))
    compression.show_plan(plan)
    printed = capsys.readouterr().out
    assert "1. prune: sparsity = 0.5\n" in printed and "note: trained with a loss" in printed
    assert re.search("prune +conv +too small", printed)
    told = json.loads(compression.plan_as_json(plan))
    assert list(told) == ["recipe", "steps", "notes"]
    assert told["steps"][0]["skipped"] == [{"layer": "conv", "reason": "too small"}]


# --- the command ------------------------------------------------------------------------------------------------


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tfcompress", "compress", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def one_line_error(finished: subprocess.CompletedProcess[str], status: int) -> str:
    assert finished.returncode == status, finished.stderr
    assert finished.stdout == ""
    # A slow machine may have said before how far it was.
    lines = [line for line in finished.stderr.splitlines() if line.strip() and not re.match(r"\d+ s: ", line)]
    assert len(lines) == 1 and lines[0].startswith("error: "), finished.stderr
    return lines[0]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model, digits to train it on, and a short recipe."""
    import keras
    from sklearn.datasets import load_digits

    folder = tmp_path_factory.mktemp("inputs")
    images, labels = load_digits(return_X_y=True)
    x = (images / 16).astype(np.float32).reshape(-1, 8, 8, 1)[:600]
    np.savez(folder / "digits.npz", x=x, y=labels[:600].astype(np.int64))
    np.savez(folder / "wide.npz", x=np.repeat(x, 2, axis=2)[:50], y=labels[:50])
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(8, 3, activation="relu", name="first"), keras.layers.Flatten(name="flatten")]
    digit = keras.layers.Dense(10, activation="softmax", name="digit")
    keras.Sequential([keras.Input((8, 8, 1)), *layers, digit]).save(folder / "digits.keras")
    (folder / "short.toml").write_text(RECIPE, encoding="utf-8")
    return folder


def given(inputs: Path, **changed: object) -> list[object]:
    words = {"recipe": inputs / "short.toml", "data": inputs / "digits.npz", **changed}
    return [inputs / "digits.keras", *(word for name, value in words.items() for word in (f"--{name}", value))]


def test_the_folder_holds_the_file_its_recipe_and_its_report(inputs: Path) -> None:
    folder = inputs / "result"
    finished = run(*given(inputs, runtime="tflm", seed=3, output=folder), "--json")
    assert finished.returncode == 0, finished.stderr
    told = json.loads(finished.stdout)
    assert sorted(path.name for path in folder.iterdir()) == FILES and not (inputs / "result.partial").exists()
    assert told == json.loads((folder / "report.json").read_text()) and list(told) == KEYS
    done = load(folder / "recipe.toml")
    assert (done.name, done.runtime, done.seed) == ("short | [v1]", "tflm", 3)
    assert told["recipe"]["runtime"] == "tflm" and 'runtime = "tflm"' in (folder / "report.md").read_text()
    rows = {one["name"]: one["value"] for one in told["rows"]}
    assert rows["file_bytes"] == (folder / "model.tflite").stat().st_size
    assert set(rows) >= {
        *("accuracy_before", "accuracy_after", "gzip_bytes", "float_file_bytes", "float_gzip_bytes", "sparsity"),
        *("distinct", "macs", "arena", "tflm_latency_p50", "training_seconds", "total_seconds"),
    }
    zeros = {layer["kernel"]: layer["zeros"] for layer in told["layers"]}
    assert zeros["digit/kernel"] >= 0.5 > zeros["first/kernel"]
    assert [one["layer"] for one in told["history"][0]["skipped"]] == ["first"]
    assert [output.name for output in FlatBuffer.read(folder / "model.tflite").outputs] == ["digit"]
    with zipfile.ZipFile(folder / "model.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
    came = [layer["config"]["name"] for layer in layers]
    assert came[1:] == ["first", "flatten", "digit"] and layers[-1]["config"]["activation"] == "softmax"

    before = (folder / "model.tflite").read_bytes()
    assert "--force" in one_line_error(run(*given(inputs, output=folder)), 1)
    assert (folder / "model.tflite").read_bytes() == before


def test_a_log_tells_each_stage_and_the_time_but_not_of_every_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress_bar(or_lines=True) as progress:
        for second in range(151):
            now[0] = float(second)
            progress("loading" if second < 20 else "step 1 of 1: qat", second, 1000)
    assert capsys.readouterr().err.splitlines() == [
        "10 s: loading 10 of 1000",
        "20 s: step 1 of 1: qat 20 of 1000",
        "80 s: step 1 of 1: qat 80 of 1000",
        "140 s: step 1 of 1: qat 140 of 1000",
    ]


def test_a_dry_run_lists_what_would_be_skipped_and_writes_nothing(inputs: Path) -> None:
    there = sorted(inputs.iterdir())
    finished = run(*given(inputs), "--dry-run", "--json")
    assert finished.returncode == 0, finished.stderr
    steps = json.loads(finished.stdout)["steps"]
    assert [one["layer"] for one in steps[0]["skipped"]] == ["first"]
    assert sorted(inputs.iterdir()) == there


WRONG: dict[str, tuple[dict[str, object], int, str]] = {
    "no such recipe": ({"recipe": "depe"}, 2, "no recipe 'depe'; expected one of clustered, deep"),
    "no such runtime": ({"runtime": "tflmm"}, 2, "unknown runtime 'tflmm'"),
    "negative seed": ({"seed": -1}, 2, "-1 is not in the range"),
    "no such data": ({"data": "nowhere.npz"}, 1, "nowhere.npz does not exist"),
    "images of another size": ({"data": "wide.npz"}, 1, r"shape \(8, 16, 1\).*\(8, 8, 1\)"),
    "no such folder": ({"output": "nowhere/result"}, 1, "nowhere does not exist"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_before_training_and_leaves_nothing(
    case: str, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, status, message = WRONG[case]
    monkeypatch.chdir(inputs)
    there = sorted(inputs.iterdir())
    error = one_line_error(run(*given(inputs, **{"output": "wrong", **changed})), status)
    assert re.search(message, error), error
    assert sorted(inputs.iterdir()) == there


def test_a_run_needs_a_folder(inputs: Path) -> None:
    assert "--output is missing" in one_line_error(run(*given(inputs)), 2)

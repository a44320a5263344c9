"""What users rely on: `evaluate` scores what the real interpreter answers, and says when data look wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_files

from converters.child import Limits, Progress
from converters.errors import DataError, FileError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import feeding
from tfcompress import evaluation
from tfcompress.evaluation import evaluate
from tfcompress.task import Task

X = np.random.default_rng(0).uniform(-2, 2, (60, 4)).astype(np.float32)
CLASSES = small_files.dense(X).argmax(1)
FLOAT = FlatBuffer(small_files.float_dense())
INT8 = FlatBuffer(small_files.int8_dense())


def test_a_right_model_scores_one_and_says_what_ran_it() -> None:
    result = evaluate(FLOAT, (X, CLASSES))
    assert result.as_dict().keys() == {"metric", "value", "samples", "runtime", "notes"}
    assert (result.metric, result.value, result.samples) == ("accuracy", 1.0, 60)
    assert result.runtime.startswith("LiteRT") and "XNNPACK" in result.runtime
    assert "3 outputs" in result.reason


@pytest.mark.parametrize("runtime", ["litert", "litert-builtin", "litert-reference", "tflm"])
def test_every_runtime_scores_real_numbers(runtime: str) -> None:
    target = np.maximum(small_files.dense(X), 0)
    result = evaluate(INT8, (X, target), metric="mse", runtime=runtime, jobs=1)  # type: ignore[arg-type]
    assert 0 < result.value < small_files.OUTPUT_SCALE**2


def test_runtimes_have_different_names() -> None:
    results = [evaluate(INT8, (X, CLASSES), runtime=name) for name in ("litert-builtin", "tflm")]
    assert len({result.runtime for result in results}) == 2


def test_data_in_other_units_are_pointed_out() -> None:
    assert evaluate(INT8, (X, CLASSES)).notes == ()
    (wide,) = evaluate(INT8, (X * 10, CLASSES)).notes
    assert "beyond: is it scaled as in training" in wide
    (narrow,) = evaluate(INT8, (X / 255, CLASSES)).notes
    assert "a sliver of that" in narrow


def test_not_a_number_in_the_outputs_is_an_error() -> None:
    # Zero times infinity inside the model.
    with pytest.raises(ModelError, match="gave NaN or infinity for 60 of 60 samples"):
        evaluate(FLOAT, (np.full((60, 4), np.inf, np.float32), CLASSES))


def test_data_that_do_not_fit_are_one_line() -> None:
    with pytest.raises(DataError, match=r"samples of shape \[3\]; the model takes samples of shape \[4\]"):
        evaluate(FLOAT, (X[:, :3], CLASSES))
    with pytest.raises(DataError, match="labels go from 0 to 9"):
        evaluate(FLOAT, (X, np.arange(60) % 10))


def test_the_output_to_score_must_be_named_where_there_are_two() -> None:
    model = FlatBuffer(small_files.two_outputs())
    with pytest.raises(UsageError, match="has 2 outputs; say which one to score with --output: plus, minus"):
        evaluate(model, (X, -X))
    assert evaluate(model, (X, -X), output="minus").value == 0
    assert evaluate(model, (X, -X), output="0").value > 0
    with pytest.raises(UsageError, match="no output 'times'"):
        evaluate(model, (X, -X), output="times")


@pytest.mark.parametrize(
    ("running", "message"), [({"runtime": "fast"}, "expected one of litert"), ({"jobs": 0}, "jobs is 0")]
)
def test_unknown_ways_to_run_are_refused(running: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate(FLOAT, (X, CLASSES), **running)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [(X, CLASSES), Task(x_test=X, y_test=CLASSES)], ids=["pair", "Task"])
def test_a_scale_for_data_that_are_no_file_is_refused(data: Any) -> None:
    with pytest.raises(UsageError, match="scale is '0..1', and arrays are in the model's units already; leave scale"):
        evaluate(FLOAT, data, scale="0..1")


def test_a_part_that_fails_stops_the_others() -> None:
    finished = []

    def work(part: list[np.ndarray], tell: Progress) -> list[np.ndarray]:
        if part[0][0]:
            raise ModelError("the second half fails")
        for step in range(500):
            time.sleep(0.01)
            tell("running", step, 500)
        finished.append(True)
        return part

    with pytest.raises(ModelError, match="the second half fails"):
        feeding.in_parallel([[np.zeros(1)], [np.ones(1)]], work, lambda *_: None)
    assert not finished


def test_a_keras_file_has_time_for_any_data_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Limits] = []

    def note(*_: Any, limits: Limits, **__: Any) -> Any:
        given.append(limits)
        return {"outputs": [small_files.dense(X)], "names": ["scores"], "runtime": ""}, CLASSES, ""

    # To run into the limit itself would take hours.
    monkeypatch.setattr(evaluation.child, "call", note)
    (tmp_path / "model.keras").write_bytes(b"")
    assert evaluate(tmp_path / "model.keras", tmp_path / "data.npz").value == 1.0
    assert given[0].seconds >= 24 * 3600


def test_a_missing_model_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        evaluate(tmp_path / "none.tflite", (X, CLASSES))


def test_the_integer_models_score_as_published(real_data: Path) -> None:
    stored = np.load(real_data / "cifar10" / "cifar10_test_lossless500.npz")
    resnet = evaluate(real_data / "mlperf_tiny" / "ic" / "pretrainedResnet_quant.tflite", (stored["x"], stored["y"]))
    assert resnet.value == pytest.approx(0.88, abs=0.004)
    assert resnet.notes == ()
    words = np.load(real_data / "mlperf_tiny" / "kws" / "kws01_test_inputs_int8.npz")
    spoken = evaluate(
        real_data / "mlperf_tiny" / "kws" / "kws_ref_model.tflite",
        (words["x"], words["y"]),
        raw=True,
        runtime="litert-builtin",
    )
    assert spoken.value == pytest.approx(0.902, abs=0.002)


def test_an_old_keras_file_scores_as_published(real_data: Path, tmp_path: Path) -> None:
    stored = np.load(real_data / "cifar10" / "cifar10_test_lossless500.npz")
    np.savez(tmp_path / "data.npz", x_test=stored["x"], y_test=stored["y"])
    result = evaluate(real_data / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", tmp_path / "data.npz")
    assert result.value == 0.878
    assert result.runtime.startswith("tf_keras 2.")


CODE = """
import sys, types
import numpy as np
sys.modules["tensorflow"] = types.ModuleType("tensorflow")  # as if imported, four seconds sooner
print("hello")
def data():
    print("loading")
    with np.load(__file__.replace("data.py", "data.npz")) as stored:
        return dict(stored)
"""


@pytest.mark.parametrize("name", ["data.npz", "data.py:data"])
def test_the_command_prints_json_only_and_never_loads_tensorflow(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.tflite").write_bytes(FLOAT.data)
    np.savez(tmp_path / "data.npz", x_train=X, y_train=CLASSES, x_val=X, y_val=CLASSES, x_test=X, y_test=CLASSES)
    (tmp_path / "data.py").write_text(CODE)
    words = ["evaluate", str(tmp_path / "model.tflite"), "--data", str(tmp_path / name), "--json"]
    code = (
        f"import sys; from tfcompress.cli import main\ntry: main({words!r})\nfinally: "
        "print([name for name in ('tensorflow', 'keras', 'tf_keras') if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["value"] == 1.0
    assert "metric: accuracy, because" in ran.stderr
    assert ran.stderr.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("Task(x_test={'x': x}, y_test=y)", None),
        ("Task(x_test=x.astype(object), y_test=y)", "holds Python objects; give arrays of numbers"),
        ("1 / 0", "failed with ZeroDivisionError"),
    ],
)
def test_code_that_gives_the_data_runs_in_a_child(tmp_path: Path, returned: str, message: str | None) -> None:
    np.savez(tmp_path / "data.npz", x=X, y=CLASSES)
    (tmp_path / "mine.py").write_text(
        "import numpy as np\nfrom tfcompress.task import Task\n"
        f"x, y = np.load({str(tmp_path / 'data.npz')!r}).values()\n"
        f"def data():\n    return {returned}\n"
    )
    if message is None:
        assert evaluate(FLOAT, f"{tmp_path}/mine.py:data").value == 1.0
    else:
        with pytest.raises(DataError, match=message):
            evaluate(FLOAT, f"{tmp_path}/mine.py:data")


def test_the_command_ends_in_one_line_on_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(FLOAT.data[:200])
    np.savez(tmp_path / "data.npz", x_test=X, y_test=CLASSES, x_train=X, y_train=CLASSES, x_val=X, y_val=CLASSES)
    words = ["evaluate", str(tmp_path / "model.tflite"), "--data", str(tmp_path / "data.npz")]
    ran = subprocess.run(
        [sys.executable, "-c", "from tfcompress.cli import main; main()", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert len(ran.stderr.strip().splitlines()) == 1
    assert ran.stderr.startswith("error: ")

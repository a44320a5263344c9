"""What readers of a report rely on: each accuracy says on which interpreter it was got."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_files

from converters.child import no_progress
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from tfcompress import scorecard, targets
from tfcompress.task import Task

X = np.random.default_rng(0).uniform(-2, 2, (60, 4)).astype(np.float32)
TASK = Task(x_test=X, y_test=small_files.dense(X).argmax(1))
INT8 = FlatBuffer(small_files.int8_dense())


def scored(runtime: str) -> tuple[str, tuple[str, ...]]:
    found = scorecard.score(INT8, TASK, targets.runtime(runtime), no_progress)
    assert found is not None and found.value > 0.9
    return found.runtime.split()[0], found.notes


def test_a_runtime_that_runs_here_scores_the_file() -> None:
    assert scored("litert") == ("LiteRT", ())
    if tflm.available():
        assert scored("tflm") == ("TFLM", ())


def test_a_runtime_of_ones_own_is_scored_on_litert_and_the_report_says_so(tmp_path: Path) -> None:
    path = tmp_path / "my.toml"
    path.write_text('name = "npu"\ndtypes = ["int8"]\n[kernels]\nFULLY_CONNECTED = ["int8"]\n')
    assert scored(str(path)) == ("LiteRT", ("npu has no interpreter here: scored on LiteRT",))


def test_tflm_is_scored_on_litert_where_there_is_no_build_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflm, "available", lambda: False)
    assert scored("tflm") == ("LiteRT", ("tflm has no interpreter here: scored on LiteRT",))


def test_without_labelled_test_data_there_is_no_score() -> None:
    assert scorecard.score(INT8, Task(x_test=X), targets.runtime("litert"), no_progress) is None

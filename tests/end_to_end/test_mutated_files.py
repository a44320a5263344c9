"""What users rely on: a damaged `.tflite` ends in a result or in one line, never in a traceback, a signal or a hang.

By default a few files go through the real commands; `TFCOMPRESS_MUTANTS=500` runs as many as the number says.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from mutations import mutated
from trained_digits import Digits

import tfcompress

SEED = 20261122
COUNT = int(os.environ.get("TFCOMPRESS_MUTANTS", "12"))
TIMEOUT_SECONDS = 120


@pytest.fixture(scope="module")
def files(digits: Digits) -> list[bytes]:
    samples = digits.data["x_train"][:100]
    made = [tfcompress.convert(digits.model, samples, dtype=dtype) for dtype in ("int8", "dynamic", "float32")]
    return [result.flatbuffer.data for result in made]


def verdict(command: list[str]) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "tfcompress", *command], capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )
    assert finished.returncode in (0, 1), f"{command}: exit {finished.returncode}\n{finished.stderr}"
    assert "Traceback" not in finished.stderr and "this is a bug" not in finished.stderr, (
        f"{command}\n{finished.stderr}"
    )
    if finished.returncode == 1:
        errors = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
        assert len(errors) == 1 and finished.stdout == "", f"{command}\n{finished.stderr}"
        return "refused"
    return "result"


def test_damaged_files_end_in_a_result_or_one_line(digits: Digits, files: list[bytes], tmp_path: Path) -> None:
    data = tmp_path / "data.npz"
    np.savez(data, x_test=digits.data["x_test"][:10], y_test=digits.data["y_test"][:10])
    seen: Counter[tuple[str, str]] = Counter()
    for number, content in enumerate(mutated(files, COUNT, seed=SEED)):
        path = tmp_path / f"mutant_{number}.tflite"
        path.write_bytes(content)
        options = {
            "inspect": ["--json"],
            "evaluate": ["--data", str(data), "--json"],
            "benchmark": ["--runs", "2", "--samples", "2", "--threads", "1", "--json"],
        }
        for command, rest in options.items():
            seen[command, verdict([command, str(path), *rest])] += 1
        path.unlink()
    print(dict(seen))
    for command in ("inspect", "evaluate", "benchmark"):
        assert seen[command, "result"] + seen[command, "refused"] == COUNT
    assert seen["inspect", "refused"] > 0

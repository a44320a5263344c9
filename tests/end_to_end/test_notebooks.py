"""What readers of the notebooks rely on: each runs from top to bottom, and its results are what its text says."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])

# A path from the root of a file system, a home folder, a drive.
_MACHINE_PATH = re.compile(r"""(?:^|[\s"'(=])(?:/[A-Za-z][\w.-]*|~/|[A-Za-z]:\\|file:///)""")


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(path: Path, folder: Path, asked: dict[str, str]) -> tuple[Any, dict[str, Any]]:
    """Executes a notebook on the small budget.

    Returns:
        The notebook with its outputs, and the values that the expressions of `asked` had at its end.
    """
    notebook = read(path)
    (parameters,) = [cell for cell in code_of(notebook) if "parameters" in cell.metadata.get("tags", ())]
    assert 'BUDGET = "full"' in parameters.source
    parameters.source = 'BUDGET = "small"'
    question = "import json as _json\nprint(_json.dumps({" + ", ".join(f"{k!r}: {v}" for k, v in asked.items()) + "}))"
    notebook.cells.append(nbformat.v4.new_code_cell(question))
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=1200, kernel_name="python3", resources=resources).execute()
    answer = "".join(output.text for output in notebook.cells[-1].outputs if output.get("name") == "stdout")
    return notebook, json.loads(answer)


def check_first_compression(path: Path, folder: Path) -> None:
    asked = {
        "before": "outcome.value('accuracy_before')",
        "keras": "keras_accuracy",
        "plain": "plain_accuracy",
        "after": "outcome.value('accuracy_after')",
        "evaluated": "score.value",
        "by_hand": "float(by_hand)",
        "sizes": "sizes",
        "packed": "packed",
        "errors": "{layer.layer: layer.error for layer in shown}",
        "promised": "sorted(outcome.compressed.invariants)",
    }
    notebook, found = run(path, folder, asked)

    assert found["before"] == pytest.approx(found["keras"], abs=0.004) and found["before"] > 0.9
    assert found["after"] == found["evaluated"] == found["by_hand"] > found["before"] - 0.03
    assert found["plain"] > found["before"] - 0.02
    (float_bytes, int8_bytes, bytes_after), (float_packed, int8_packed, packed_after) = found["sizes"], found["packed"]
    assert max(int8_bytes, bytes_after) < 0.4 * float_bytes
    assert packed_after < 0.75 * int8_packed < 0.75 * 0.4 * float_packed
    assert all(0 < error < 0.2 for error in found["errors"].values()) and len(found["errors"]) == 5
    assert found["promised"] == ["conv_2/kernel", "conv_3/kernel", "digit/kernel"]

    file = FlatBuffer.read(folder / "digits_compressed" / "model.tflite")
    assert file.integer_only and len(file.data) == bytes_after
    kernels = kernels_in_file(file)
    for name in found["promised"]:
        integers = kernels[name].values
        assert integers.dtype == np.int8 and len(np.unique(integers)) <= 16
        assert np.count_nonzero(integers == 0) >= round(0.6 * integers.size)
    assert kernels.keys() - found["promised"] == {"conv_1/kernel", "conv_2_depthwise/depthwise_kernel"}

    outputs = [output for cell in code_of(notebook) for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    text = "".join(output.get("text", "") for output in outputs)
    assert "WARNING" not in text and "this file: False" not in text and text.count("plain int8: False") == 6


# A notebook without an entry fails: "it raised nothing" says little.
CHECKS: dict[str, Callable[[Path, Path], None]] = {"01_first_compression": check_first_compression}


@each_notebook
def test_the_notebook_runs_and_shows_what_its_text_says(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The kernel of this environment, without the settings and start-up files of whoever runs the tests.
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / "jupyter" / variable.lower()))
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "jupyter").mkdir()
    CHECKS[path.stem](path, folder)


@each_notebook
def test_the_notebook_is_valid_stored_without_outputs_and_opens_in_colab(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.metadata.kernelspec.name) == (4, "python3")
    assert notebook.metadata.colab.name == path.name
    assert all(not cell.outputs and cell.execution_count is None for cell in code_of(notebook))


@each_notebook
def test_no_code_cell_holds_a_path_of_some_machine(path: Path) -> None:
    for cell in code_of(read(path)):
        assert not _MACHINE_PATH.search(cell.source), cell.source


@each_notebook
def test_the_first_code_cell_installs_only_what_is_missing(path: Path) -> None:
    source = code_of(read(path))[0].source
    plain = source.replace("%pip", "pip = 0  #")  # IPython's, and the only line that is not Python
    statements = ast.parse(plain).body
    *before, guard = statements
    assert all(isinstance(statement, ast.Import | ast.Assign) for statement in before)
    assert isinstance(guard, ast.If) and "find_spec('tfcompress') is None" in ast.unparse(guard.test)
    assert "%pip install" in source


def test_there_are_notebooks() -> None:
    assert set(CHECKS) == {path.stem for path in NOTEBOOKS}

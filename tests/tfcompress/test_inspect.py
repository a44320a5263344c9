"""`tfcompress inspect`: promised JSON keys, tables, one-line errors, and a start without TensorFlow."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import mutated
from small_tflite import G, T, build, model, pack, small_file, small_graph

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from tfcompress.cli import main
from tfcompress.report.inspection import describe
from tfcompress.report.inspection_tables import conversion_snippet, show

GOLDEN = Path(__file__).parents[1] / "golden"
KEYS = [
    "file_bytes", "gzip_bytes", "integer_only", "macs", "parameters", "ledger", "inputs", "outputs", "operators",
    "tensors",
]  # fmt: skip
TENSOR_KEYS = [
    "name",
    "layer",
    "shape",
    "dtype",
    "bytes",
    "encoding",
    "stored_bytes",
    "scale",
    "zero_point",
    "sparsity",
    "distinct_values",
]
OPERATOR_KEYS = ["name", "layer", "inputs", "outputs", "macs"]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("small.tflite").write_bytes(small_file())
    return Path("small.tflite")


def exit_status(*words: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return int(caught.value.code or 0)


# --- JSON ---------------------------------------------------------------------------------------------------------


def test_json_has_exactly_the_promised_keys(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", str(small), "--json"])
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert captured.err == ""
    assert list(told) == KEYS
    assert list(told["ledger"]) == ["weights", "biases", "quantization", "names", "metadata", "graph", "padding"]
    assert sum(told["ledger"].values()) == told["file_bytes"] == small.stat().st_size
    assert all(list(item) == OPERATOR_KEYS for item in told["operators"])
    assert all(list(item) == TENSOR_KEYS for side in ("tensors", "inputs", "outputs") for item in told[side])


def test_json_values_are_those_of_the_file() -> None:
    told = describe(FlatBuffer(small_file()))
    assert told["integer_only"] is True
    assert (told["macs"], told["parameters"]) == (1104, 302)
    convolution = told["operators"][0]
    assert convolution == {"name": "CONV_2D", "layer": "conv", "inputs": [0, 1, 2], "outputs": [3], "macs": 864}
    (image,) = told["inputs"]
    assert (image["name"], image["shape"], image["dtype"], image["zero_point"]) == ("image", [1, 4, 4, 2], "int8", 3)
    assert image["scale"] == pytest.approx(0.05)
    assert (image["sparsity"], image["distinct_values"]) == (None, None)
    kernel = told["tensors"][1]
    assert (kernel["name"], kernel["layer"], kernel["bytes"]) == ("conv/kernel", "conv", 54)
    assert kernel["scale"] == pytest.approx([0.01, 0.02, 0.03])
    assert kernel["zero_point"] == [0, 0, 0]


def facts(tensor: T) -> tuple[float | None, int | None]:
    told = describe(FlatBuffer(build(G([tensor], [], [], [tensor.name]))))["tensors"][0]
    return told["sparsity"], told["distinct_values"]


def test_sparsity_counts_what_stands_for_zero_and_distinct_values_what_is_stored() -> None:
    assert facts(T("w", (4,), values=[0, 0, 1, 2])) == (0.5, 3)
    assert facts(T("w", (4,), "uint8", values=[128, 0, 128, 128], scales=(0.1,), zero_points=(128,))) == (0.75, 2)
    per_channel = T("w", (2, 3), values=[[1, 1, 0], [2, 2, 2]], scales=(0.1, 0.1), zero_points=(1, 2))
    assert facts(per_channel) == (pytest.approx(5 / 6), 3)
    by_column = T("w", (2, 2), values=[[5, 7], [5, 0]], scales=(0.1, 0.1), zero_points=(5, 7), axis=1)
    assert facts(by_column) == (0.75, 3)
    assert facts(T("w", (4,), "float32", values=[0.0, -0.0, 1.5, math.nan])) == (0.5, 4)
    assert facts(T("w", (3,), "int4", raw=bytes([0x9F, 0x00]))) == (pytest.approx(1 / 3), 3)
    assert facts(T("w", (4,), "float64", values=[1, 2, 2, 1])) == (0.0, 2)
    assert facts(T("x", (4,))) == (None, None)


def test_distinct_values_equal_numpys_on_random_weights() -> None:
    rng = np.random.default_rng(0)
    for dtype in ("int8", "int16", "int32", "float32", "float16"):
        values = rng.integers(-90, 90, 500).astype(dtype)
        assert facts(T("w", (500,), dtype, values=values))[1] == len(np.unique(values))


def test_json_stays_valid_when_a_damaged_file_has_scales_that_are_no_numbers() -> None:
    tree = model(small_graph())
    tree.subgraphs[0].tensors[1].quantization.scale = [math.nan, math.inf, 0.5]
    told = describe(FlatBuffer(pack(tree)))
    assert told["tensors"][1]["scale"] == [None, None, 0.5]
    json.dumps(told, allow_nan=False)


# --- tables -------------------------------------------------------------------------------------------------------


def test_the_tables_read_as_they_did(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["inspect", str(small), "--tensors"])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert "\n".join([*lines, ""]) == (GOLDEN / "inspect_small.txt").read_text()


def run_snippet(snippet: list[str], **names: Any) -> Any:
    (line,) = snippet
    name, _, expression = line.partition(" = ")
    return eval(expression, {"np": np}, names)  # the printed line is what users will paste


@pytest.mark.parametrize(("dtype", "point"), [("int8", -7), ("uint8", 128), ("int16", 0), ("int8", 5)])
def test_the_printed_snippets_quantize_and_dequantize(dtype: str, point: int) -> None:
    tensor = T("x", (1, 4), dtype, scales=(0.03,), zero_points=(point,))
    (port,) = FlatBuffer(build(G([tensor], [], ["x"], ["x"]))).inputs
    real = np.array([0.0, 0.3, -0.31, 1e9])
    stored = run_snippet(conversion_snippet(port, is_input=True), real=real)
    assert stored.dtype == np.dtype(dtype)
    assert stored.tolist() == [point, point + 10, max(np.iinfo(dtype).min, point - 10), np.iinfo(dtype).max]
    back = run_snippet(conversion_snippet(port, is_input=False), q=stored)
    assert back[:2] == pytest.approx([0.0, 0.3], abs=1e-6)


def test_markup_and_control_characters_in_a_file_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    name = "[red]x[/red][/]\x1b[31m"
    show(FlatBuffer(build(G([T(name, (1,), values=1)], [], [name], [name]))), Path("[b]m.tflite"), tensors=True)
    printed = capsys.readouterr().out
    assert "[red]x[/red][/]?[31m" in printed
    assert "\x1b" not in printed
    assert "[b]m.tflite" in printed


def test_tables_of_damaged_files_print(capsys: pytest.CaptureFixture[str]) -> None:
    shown = 0
    for data in mutated([small_file()], 120, seed=11):
        try:
            flatbuffer = FlatBuffer(data)
        except ModelError:
            continue
        show(flatbuffer, Path("m.tflite"), tensors=True)
        shown += 1
    assert shown >= 5
    assert capsys.readouterr().out.count("What the bytes are spent on") == shown


# --- errors, and what is not loaded -------------------------------------------------------------------------------


def test_errors_are_one_line_and_exit_1(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty.tflite").touch()
    Path("noise.tflite").write_bytes(np.random.default_rng(0).bytes(5000))
    Path("cut.tflite").write_bytes(small.read_bytes()[:1000])
    Path("folder.tflite").mkdir()
    for name in ("missing", "empty", "noise", "cut", "folder"):
        for options in ([], ["--json"]):
            assert exit_status("inspect", f"{name}.tflite", *options) == 1
            captured = capsys.readouterr()
            assert captured.out == ""
            assert captured.err.startswith(f"error: {name}.tflite")
            assert captured.err.count("\n") == 1


def test_no_framework_is_loaded(small: Path) -> None:
    code = (
        "import sys; from tfcompress.cli import main; main(sys.argv[1:]); "
        "heavy = {'tensorflow', 'keras', 'tf_keras', 'ai_edge_litert', 'tflite_micro', 'sklearn', 'h5py', 'PIL'}; "
        "print('LOADED', *sorted(heavy & {name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    for options in (["--json"], ["--tensors"]):
        done = subprocess.run(
            [sys.executable, "-c", code, "inspect", str(small), *options], capture_output=True, text=True, check=True
        )
        assert done.stderr == "LOADED\n"


def test_real_files_are_described(real_data: Path) -> None:
    told = describe(FlatBuffer.read(real_data / "mlperf_tiny" / "ic" / "pretrainedResnet_quant.tflite"))
    assert told["ledger"]["weights"] == 77360
    assert (told["macs"], told["integer_only"], told["file_bytes"]) == (12501632, True, 98496)
    assert all(operator["layer"] for operator in told["operators"])

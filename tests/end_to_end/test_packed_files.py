"""What users rely on: `tfcompress convert` makes a `.tflite` smaller, or says in one line why not, without a trace."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packable_files import BOTH, network
from small_files import one_float_operator
from small_tflite import build

from converters.flatbuffer import FlatBuffer
from converters.runtimes import litert, tflm, tflm_arena
from converters.shrink import shrink
from tfcompress.cli import main

needs_tflm = pytest.mark.skipif(not tflm.available(), reason="tflite-micro has no wheel for this platform")


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of 13 KB with names, in a folder of its own that is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("old.tflite").write_bytes(build(network(width=32)))
    return Path("old.tflite")


class Cli:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> str:
        try:
            main([str(word) for word in words])
        except SystemExit as stop:
            assert not stop.code, self._capsys.readouterr().err
        return self._capsys.readouterr().out

    def error(self, *words: object, status: int) -> str:
        """The one line on standard error of a call that fails and leaves no file."""
        before = sorted(Path().rglob("*"))
        with pytest.raises(SystemExit) as stop:
            main([str(word) for word in words])
        captured = self._capsys.readouterr()
        assert stop.value.code == status, captured.err
        lines = [line for line in captured.err.splitlines() if line.strip()]
        assert len(lines) == 1 and lines[0].startswith("error: "), captured.err
        assert captured.out == ""
        assert sorted(Path().rglob("*")) == before
        return lines[0]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capsys)


def layers(report: str) -> list[str]:
    return [operator["layer"] for operator in json.loads(report)["operators"]]


def test_a_file_for_litert_gets_smaller_and_inspect_still_blames_the_layers(old: Path, cli: Cli) -> None:
    told = json.loads(cli("convert", old, "-o", "new.tflite", "--json"))
    assert told["file_bytes"] == Path("new.tflite").stat().st_size < old.stat().st_size
    assert told["packing"]["bytes"] == old.stat().st_size and told["packing"]["samples"] > 0
    assert sorted(one.name for one in Path().iterdir()) == ["new.tflite", "new.tflite.names.json", "old.tflite"]
    assert layers(cli("inspect", "new.tflite", "--json")) == layers(cli("inspect", old, "--json"))
    # The file is for every runtime, and needs no side file.
    Path("new.tflite.names.json").unlink()
    assert set(layers(cli("inspect", "new.tflite", "--json"))) == {""}
    assert not FlatBuffer.read("new.tflite").only_tflm


@needs_tflm
def test_a_file_for_tflm_is_encoded_and_stays_so_when_converted_again(old: Path, cli: Cli) -> None:
    told = json.loads(cli("convert", old, "-o", "new.tflite", "--runtime", "tflm", "--json"))
    assert told["packing"]["encoded"] and told["packing"]["arena_bytes"] > told["packing"]["plain_arena_bytes"]
    new = FlatBuffer.read("new.tflite")
    assert new.is_encoded and told["file_bytes"] == len(new.data)
    report = json.loads(cli("inspect", "new.tflite", "--json"))
    named = {layer for layer in layers(cli("inspect", old, "--json")) if layer != "flatten"}
    assert {operator["layer"] for operator in report["operators"]} >= named
    assert sum(report["ledger"].values()) == len(new.data)
    cli("convert", "new.tflite", "-o", "again.tflite", "--runtime", "tflm")
    assert Path("again.tflite").read_bytes() == new.data


@needs_tflm
@pytest.mark.parametrize("decode", ["off", "lut", "prune", "huffman"])
def test_the_encoding_asked_for_is_the_one_that_is_used(old: Path, cli: Cli, decode: str) -> None:
    cli("convert", old, "-o", "new.tflite", "--runtime", "tflm", "--decode", decode)
    new = FlatBuffer.read("new.tflite")
    assert {tensor.encoding for tensor in new.tensors} == ({""} if decode == "off" else {"", decode})
    if decode == "off":
        assert new.data == shrink(FlatBuffer.read(old), engine="tflm").data


@needs_tflm
def test_the_arena_keeps_to_the_bound_that_was_given(old: Path, cli: Cli) -> None:
    plain = tflm_arena.total_bytes(old.read_bytes())
    cli("convert", old, "-o", "new.tflite", "--runtime", "tflm", "--max-arena", plain)
    assert tflm_arena.total_bytes(Path("new.tflite").read_bytes()) <= plain
    message = cli.error("convert", old, "-o", "n.tflite", "--runtime", "tflm", "--max-arena", 600, status=2)
    assert "--max-arena is 600 bytes" in message


def test_no_shrink_for_litert_changes_no_byte(old: Path, cli: Cli) -> None:
    cli("convert", old, "-o", "new.tflite", "--no-shrink")
    assert Path("new.tflite").read_bytes() == old.read_bytes()
    assert not Path("new.tflite.names.json").exists()


@needs_tflm
def test_no_shrink_for_tflm_keeps_the_names_in_the_file(old: Path, cli: Cli) -> None:
    cli("convert", old, "-o", "new.tflite", "--runtime", "tflm", "--no-shrink")
    new = FlatBuffer(Path("new.tflite").read_bytes())
    assert new.is_encoded
    assert {tensor.name for tensor in new.tensors} >= {tensor.name for tensor in FlatBuffer.read(old).tensors}


REFUSED: dict[str, tuple[list[str], int, str]] = {
    "encoding for litert": (["old.tflite", "--decode", "lut"], 2, "DECODE"),
    "unknown encoding": (["old.tflite", "--runtime", "tflm", "--decode", "zip"], 2, "huffman"),
    "a type": (["old.tflite", "--dtype", "int8"], 2, "a .tflite keeps its types, and dtype was given"),
    "types at the doors": (["old.tflite", "--io", "float32"], 2, "a .tflite keeps its types, and io was given"),
    "a bound without encoding": (["old.tflite", "--max-arena", "9999"], 2, "--max-arena"),
    "a bound of nothing": (["old.tflite", "--runtime", "tflm", "--max-arena", "0"], 2, "--max-arena"),
    "missing": (["missing.tflite"], 1, "missing.tflite"),
    "a text": (["text.tflite"], 1, "text.tflite"),
    "empty": (["empty.tflite"], 1, "empty.tflite"),
    "cut": (["cut.tflite"], 1, "cut.tflite"),
    "missing data": (["old.tflite", "--calibration", "missing.npz"], 1, "missing.npz"),
    "onto itself": (["old.tflite", "-o", "old.tflite"], 1, "--force"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_said_in_one_line_and_leaves_no_file(old: Path, cli: Cli, case: str) -> None:
    Path("text.tflite").write_text("this is no model")
    Path("empty.tflite").write_bytes(b"")
    Path("cut.tflite").write_bytes(old.read_bytes()[:5000])
    words, status, expected = REFUSED[case]
    output = [] if "-o" in words else ["-o", "new.tflite"]
    assert expected in cli.error("convert", *words, *output, status=status)


@needs_tflm
def test_an_encoded_file_does_not_become_one_for_litert(old: Path, cli: Cli) -> None:
    cli("convert", old, "-o", "new.tflite", "--runtime", "tflm")
    message = cli.error("convert", "new.tflite", "-o", "back.tflite", status=2)
    assert "--runtime tflm" in message


def test_an_operator_that_tflm_lacks_is_named(old: Path, cli: Cli) -> None:
    Path("odd.tflite").write_bytes(one_float_operator("GELU"))
    message = cli.error("convert", "odd.tflite", "-o", "new.tflite", "--runtime", "tflm", status=1)
    assert "GELU" in message


def test_an_earlier_output_stays_whole_when_a_forced_conversion_fails(old: Path, cli: Cli) -> None:
    cli("convert", old, "-o", "new.tflite")
    before = {path: path.read_bytes() for path in Path().iterdir()}
    Path("cut.tflite").write_bytes(old.read_bytes()[:5000])
    cli.error("convert", "cut.tflite", "-o", "new.tflite", "--force", status=1)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_forced_conversion_leaves_no_names_of_the_file_before(old: Path, cli: Cli) -> None:
    cli("convert", old, "-o", "new.tflite")
    Path("other.tflite").write_bytes(BOTH["two doors"]())
    cli("convert", "other.tflite", "-o", "new.tflite", "--force", "--no-shrink")
    assert not Path("new.tflite.names.json").exists()
    assert Path("new.tflite").read_bytes() == Path("other.tflite").read_bytes()


def test_a_file_that_was_moved_without_its_side_file_is_still_read(old: Path, cli: Cli) -> None:
    cli("convert", old, "-o", "new.tflite")
    Path("elsewhere").mkdir()
    shutil.move("new.tflite", "elsewhere/model.tflite")
    assert json.loads(cli("inspect", "elsewhere/model.tflite", "--json"))["file_bytes"] > 0


# --- MLPerf Tiny ----------------------------------------------------------------------------------------------------


def real(data: Path, name: str) -> tuple[Path, np.ndarray]:
    """A file of MLPerf Tiny and some of the inputs it is scored on, as its own integers."""
    if name == "kws":
        inputs = np.load(data / "mlperf_tiny" / "kws" / "kws01_test_inputs_int8.npz")["x"][::10]
        return data / "mlperf_tiny" / "kws" / "kws_ref_model.tflite", inputs
    images = np.load(data / "cifar10" / "cifar10_test_lossless500.npz")["x"][::12].astype(np.int16)
    return data / "mlperf_tiny" / "ic" / "pretrainedResnet_quant.tflite", (images - 128).astype(np.int8)


@pytest.mark.parametrize(("name", "bytes_before", "most"), [("kws", 53_936, 33_500), ("ic", 98_496, 87_000)])
def test_mlperf_tiny_files_shrink_and_compute_the_same(
    name: str, bytes_before: int, most: int, old: Path, cli: Cli, real_data: Path
) -> None:
    path, inputs = real(real_data, name)
    told: dict[str, Any] = json.loads(cli("convert", path, "-o", "new.tflite", "--json"))
    assert told["packing"]["bytes"] == path.stat().st_size == bytes_before
    assert told["file_bytes"] <= most
    files = [path.read_bytes(), Path("new.tflite").read_bytes()]
    for kernels in ("default", "builtin"):
        one, other = (litert.run(data, [inputs], kernels=kernels, raw=True)[0] for data in files)
        assert one.tobytes() == other.tobytes() and len(one) == len(inputs) >= 40
    if tflm.available():
        cli("convert", path, "-o", "small.tflite", "--runtime", "tflm")
        files.append(Path("small.tflite").read_bytes())
        assert len(files[2]) < told["file_bytes"]
        outputs = [tflm.run(data, [inputs], raw=True)[0].tobytes() for data in files]
        assert outputs[0] == outputs[1] == outputs[2]

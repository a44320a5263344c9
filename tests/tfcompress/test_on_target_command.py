"""What users of the command `benchmark --target` rely on: its table, its JSON, and what it refuses."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packable_files import network, skewed
from small_tflite import G, Op, T, build

from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from tfcompress.cli import group, main

pytestmark = pytest.mark.skipif(not tflm.available(), reason="no TFLM for this platform")

BOARD = """name = "toy"
title = "Toy"
kind = "board"
soc = "CHIP-1"
core = "cortex-m4"
runtime = "tflm-cmsis-nn"
[clock]
hz = 64_000_000
source = "its data sheet"
[flash]
bytes = 1_000_000
source = "its data sheet"
[ram]
bytes = 100_000
source = "its data sheet"
"""
NET = build(network(width=8))
DOCUMENTED = (Path(__file__).resolve().parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.tflite"
    path.write_bytes(NET)
    return path


def shown(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    group.main(args=["benchmark", *map(str, arguments)], standalone_mode=False)
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shown(capsys, *arguments, "--json"))
    return found


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A board of one's own."""
    path = tmp_path / "toy.toml"
    path.write_text(BOARD, encoding="utf-8")
    return path


# --- what is shown ------------------------------------------------------------------------------------------------


def test_a_table_of_targets_with_verdicts_and_what_stands_behind_them(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    out = shown(capsys, file, "--target", "nucleo-l4r5zi", "--target", "esp32-s3-devkitc-1", "--target", "galaxy-a54")
    assert "net.tflite: estimated, nothing ran on a device" in out
    heads = re.split(r"\s{2,}", next(line for line in out.splitlines() if "80 % interval" in line).strip())
    assert heads == ["target", "latency", "80 % interval", "energy", "flash", "arena", "verdict"]
    lines = [line for line in out.splitlines() if re.match(r"\s+(nucleo-l4r5zi|esp32-s3-devkitc-1|galaxy-a54)\s", line)]
    assert [line.split()[0] for line in lines] == ["nucleo-l4r5zi", "esp32-s3-devkitc-1", "galaxy-a54"]
    assert re.search(r"ms +\S+ to \S+ +\S+ mJ +[\d,]+ +[\d,]+ +fits \(flash \d+ %, RAM \d+ %\)", lines[0])
    assert lines[2].count("not known") == 4 and "unknown" in lines[2]
    assert "nucleo-l4r5zi latency with tflm-cmsis-nn: from " in out
    assert "galaxy-a54 latency: not known: " in out and "--target adb" in out
    assert "for comparison only" not in out
    alone = shown(capsys, file, "--target", "nucleo-l4r5zi")
    assert "plumerai" in alone and "for comparison only" in " ".join(alone.split())


def test_the_table_is_whole_in_eighty_columns(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    out = shown(capsys, file, "--target", "nucleo-l4r5zi", "--target", "esp32-s3-devkitc-1", "--per-operator")
    tables = out.split("nucleo-l4r5zi latency with")[0]
    assert all(len(line) <= 80 for line in tables.splitlines())
    assert "…" not in out and "verdict" in out and "fits" in out
    assert "nucleo-l" in tables and "esp32-s3" in tables


def test_a_piped_table_folds_no_name(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = shown(capsys, file, "--target", "nucleo-l4r5zi:tflm", "--target", "esp32-s3-devkitc-1")
    assert re.search(r"^ +nucleo-l4r5zi:tflm .* fits \(flash \d+ %, RAM \d+ %\) *$", out, re.M)
    assert re.search(r"^ +esp32-s3-devkitc-1 .* fits ", out, re.M)


def test_json_has_the_documented_keys_and_rows_of_every_target(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, file, "--target", "nucleo-l4r5zi", "--target", "galaxy-a54")
    assert set(found) == {"rows", "targets"}
    assert [one["target"] for one in found["targets"]] == ["nucleo-l4r5zi", "galaxy-a54"]
    for one in found["targets"]:
        assert set(one) == {"target", "device", "runtime", "verdict", "reasons", "missing", "notes"}
    assert found["targets"][0]["verdict"] == "fits" and set(found["targets"][0]["missing"]) == set()
    assert set(found["targets"][1]["missing"]) == {"latency", "energy", "flash", "arena"}
    assert {row["target"] for row in found["rows"]} == {"nucleo-l4r5zi", "galaxy-a54"}
    for row in found["rows"]:
        assert set(row) == {"name", "value", "unit", "how", "runtime", "target", "source"}
        assert row["name"].endswith("_missing") == (row["source"] == "why it is not known")
        stem = re.sub(r"_(low|high)$", "", row["name"].split("/")[0])
        missing = re.sub(r"^(latency|energy|flash|arena)_missing$", "missing", stem)
        assert stem in DOCUMENTED or missing in DOCUMENTED, row["name"]


def test_operators_are_told_with_their_shares_when_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, file, "--target", "nucleo-l4r5zi", "--per-operator")
    shares = [row for row in found["rows"] if row["name"].startswith("operator_share_estimate/")]
    assert [row["name"].split("/")[1:3] for row in shares] == [
        [str(one.index), one.name] for one in FlatBuffer(NET).operators
    ]
    assert sum(row["value"] for row in shares) == pytest.approx(1)
    out = shown(capsys, file, "--target", "nucleo-l4r5zi", "--per-operator")
    assert "where the time goes" in out and "CONV_2D" in out and "%" in out
    plain = told(capsys, file, "--target", "nucleo-l4r5zi")
    assert not any(row["name"].startswith("operator_") for row in plain["rows"])


def test_a_target_that_is_named_twice_is_told_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, file, "--target", "nucleo-l4r5zi", "--target", "nucleo-l4r5zi")
    assert len(found["targets"]) == 1


def test_a_board_of_ones_own_is_a_target_by_its_path(file: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, file, "--target", own)
    assert found["targets"][0]["target"] == "toy" and found["targets"][0]["verdict"] == "fits"


def many(count: int) -> bytes:
    """`count` layers in a row."""
    scales = {"scales": (0.05,), "zero_points": (1,)}
    tensors, operators = [T("x0", (1, 8), **scales)], []
    for number in range(count):
        tensors.append(T(f"w{number}", (8, 8), values=skewed((8, 8), number), scales=(0.02,)))
        tensors.append(T(f"b{number}", (8,), "int32", values=np.arange(8), scales=(0.001,)))
        tensors.append(T(f"x{number + 1}", (1, 8), **scales))
        operators.append(Op("FULLY_CONNECTED", [f"x{number}", f"w{number}", f"b{number}"], [f"x{number + 1}"]))
    return build(G(tensors, operators, ["x0"], [f"x{count}"]))


def test_of_a_deep_network_the_largest_operators_are_shown_and_json_has_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deep.tflite").write_bytes(many(50))
    out = shown(capsys, tmp_path / "deep.tflite", "--target", "nucleo-l4r5zi", "--per-operator")
    assert "the 40 largest of 50 operators" in " ".join(out.split()) and out.count("FULLY_CONNECTED") == 40
    found = told(capsys, tmp_path / "deep.tflite", "--target", "nucleo-l4r5zi", "--per-operator")
    assert sum(row["name"].startswith("operator_share_estimate/") for row in found["rows"]) == 50


def test_hostile_names_of_layers_and_files_reach_the_terminal_as_plain_text(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    evil = "\x1b]0,owned\x07[red]x[blue]\u202e"
    graph = network(width=8)
    renamed = {one.name: evil + one.name for one in graph.tensors}
    for one in graph.tensors:
        one.name = renamed[one.name]
    for one in graph.operators:
        one.inputs, one.outputs = [renamed[str(name)] for name in one.inputs], [renamed[name] for name in one.outputs]
    made = G(
        graph.tensors, graph.operators, [renamed[one] for one in graph.inputs], [renamed[one] for one in graph.outputs]
    )
    path = tmp_path / "[bold]a[green]\x1b[31m.tflite"
    path.write_bytes(build(made))
    for arguments in ((), ("--per-operator",)):
        out = shown(capsys, path, "--target", "nucleo-l4r5zi", "--target", own, *arguments)
        assert all(letter.isprintable() for letter in out.replace("\n", "")), arguments
        assert "[bold]a[green]" in out
    assert "?]0,owned?[red]x[blue]?" in out


# --- what is refused --------------------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Exit status and the one line of an error."""
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", *map(str, arguments)])
    streams = capsys.readouterr()
    assert not streams.out and streams.err.count("error: ") == 1 and "Traceback" not in streams.err
    assert "unexpected" not in streams.err
    return int(stopped.value.code or 0), " ".join(streams.err.split())


def test_an_unknown_target_is_refused_with_the_one_that_was_meant(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, words = refused(capsys, file, "--target", "nucleo-l4r5z")
    assert status == 2 and "did you mean 'nucleo-l4r5zi'?" in words
    status, words = refused(capsys, file, "--target", "nucleo-l4r5zi:litert")
    assert status == 2 and "tflm-cmsis-nn" in words


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--target", "adb", "--target", "nucleo-l4r5zi"), "one by one"),
        (("--target", "nucleo-l4r5zi", "--target", "teensy-4-1", "--anchor", "a.json"), "name one --target"),
        (("--anchor", "a.json"), "name it with --target"),
        (("--target", "adb", "--anchor", "a.json"), "--anchor cannot be used with --target adb"),
        (("--target", "adb", "--per-operator"), "--per-operator cannot be used with --target adb"),
        (("--target", "nucleo-l4r5zi", "--runs", "5"), "--runs says how to measure"),
        (("--target", "nucleo-l4r5zi", "--runs", "50"), "--runs says how to measure"),
        (("--target", "nucleo-l4r5zi", "--threads", "2"), "--threads says how to measure"),
        (("--target", "nucleo-l4r5zi", "--runtime", "tflm"), "--runtime says how to measure"),
        (("--target", "nucleo-l4r5zi", "--samples", "3"), "--samples says how to measure"),
        (("--target", "nucleo-l4r5zi", "--seed", "3"), "--seed says how to measure"),
        (("--target", "nucleo-l4r5zi", "--serial", "x"), "--serial says how to measure"),
        (("--target", "nucleo-l4r5zi", "--delegate", "cpu"), "--delegate says how to measure"),
        (("--target", "nucleo-l4r5zi", "--timeout", "5"), "--timeout says how to measure"),
        (("--target", ""), ""),
    ],
)
def test_options_that_say_nothing_are_refused_as_wrong_usage(
    arguments: tuple[str, ...], expected: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, words = refused(capsys, file, *arguments)
    assert status == 2 and expected in words


def test_a_missing_and_a_damaged_file_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, words = refused(capsys, tmp_path / "none.tflite", "--target", "nucleo-l4r5zi")
    assert status == 1 and "does not exist" in words
    (tmp_path / "half.tflite").write_bytes(NET[: len(NET) // 2])
    status, words = refused(capsys, tmp_path / "half.tflite", "--target", "nucleo-l4r5zi")
    assert status == 1 and "half.tflite" in words
    (tmp_path / "bad.toml").write_text("name = 3", encoding="utf-8")
    (tmp_path / "net.tflite").write_bytes(NET)
    status, words = refused(capsys, tmp_path / "net.tflite", "--target", tmp_path / "bad.toml")
    assert status == 1 and "bad.toml" in words


def test_estimating_loads_no_tensorflow(file: Path) -> None:
    code = (
        "import sys\nfrom tfcompress.cli import main\n"
        f"try: main(['benchmark', {str(file)!r}, '--target', 'nucleo-l4r5zi', '--json'])\nexcept SystemExit: pass\n"
        "assert not {'tensorflow', 'keras', 'tf_keras', 'scipy'} & set(sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    values = [row["value"] for row in json.loads(ran.stdout)["rows"] if not isinstance(row["value"], str)]
    assert values and all(map(math.isfinite, values))

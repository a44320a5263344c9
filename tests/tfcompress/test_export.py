"""What users of `tfcompress export` rely on: a project that appears whole, or one line that says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from small_files import one_float_operator
from small_tflite import G, Op, T, build, small_graph

import tfcompress
from converters.errors import CompressionError, DataError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.microcontroller import catalogue
from converters.microcontroller.bundle import Bundle
from converters.runtimes import ports, tflm
from tfcompress.cli import main
from tfcompress.export import export

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "My Net-2.tflite"
    path.write_bytes(build(small_graph("int8")))
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    try:
        main([str(word) for word in words])
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    said = capsys.readouterr()
    return status, said.out, said.err


def refused(capsys: pytest.CaptureFixture[str], *words: object, status: int = 1) -> str:
    got, out, errors = run(capsys, "export", *words)
    lines = errors.splitlines()
    assert (got, out, len(lines)) == (status, "", 1) and lines[0].startswith("error: "), (got, out, errors)
    return lines[0]


def test_a_folder_appears_and_its_facts_are_json(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(
        capsys, "export", model, "--for", "cmake", "-o", tmp_path / "firmware", "--vectors", 2, "--json"
    )
    assert status == 0
    facts = json.loads(out)
    assert set(facts) == {
        "output", "namespace", "format", "files", "operators", "arena", "vectors", "model_bytes", "sha256", "encoded",
    }  # fmt: skip
    assert (facts["namespace"], facts["vectors"], facts["encoded"]) == ("model_my_net_2", 2, False)
    found = [path for path in (tmp_path / "firmware").rglob("*") if path.is_file()]
    assert sorted(path.relative_to(tmp_path / "firmware").as_posix() for path in found) == facts["files"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_in_the_way_is_replaced_with_force_only(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [model, "--for", "zephyr", "-o", tmp_path / "firmware", "--vectors", 1]
    assert run(capsys, "export", *command)[0] == 0
    assert "exists; give another name, or --force" in refused(capsys, *command)
    status, out, _ = run(capsys, "export", *command, "--force", "--name", "key_words")
    assert status == 0 and "namespace key_words" in out
    assert (tmp_path / "firmware" / "src" / "key_words_data.cpp").exists()
    assert not (tmp_path / "firmware" / "src" / "model_my_net_2_data.cpp").exists()


def custom(name: str) -> bytes:
    return one_float_operator("CUSTOM", custom=name)


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (custom("TFLM_DECODE"), ["--for", "arduino"], "no TFLM for Arduino is known to have that operator"),
        (custom("TFLM_DECODE"), ["--for", "android"], "LiteRT on Android has no DECODE operator"),
        (
            custom("FlexErf"),
            ["--for", "cmake"],
            "operator 1 (FlexErf) is a custom operator that TFLM has no kernel for",
        ),
        (b"no model at all", ["--for", "cmake"], "tflite"),
    ],
    ids=["encoded-arduino", "encoded-android", "custom", "damaged"],
)
def test_what_cannot_run_there_is_refused_in_one_line_and_leaves_nothing(
    content: bytes, options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.tflite").write_bytes(content)
    assert said in refused(capsys, tmp_path / "x.tflite", *options, "-o", tmp_path / "firmware")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tflite"]


def test_wrong_usage_is_refused_in_one_line(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["-o", tmp_path / "firmware"]
    assert "--labels is for android" in refused(capsys, model, "--for", "cmake", *out, "--labels", model, status=2)
    assert "cannot be a namespace" in refused(capsys, model, "--for", "cmake", *out, "--name", "int", status=2)
    assert "'avr' is not one of" in refused(capsys, model, "--for", "avr", *out, status=2)
    assert "for data files" in refused(capsys, model, "--for", "cmake", *out, "--scale", "0..1", status=2)
    assert "does not exist" in refused(capsys, model, "--for", "cmake", *out, "--data", tmp_path / "no.npz")
    assert "does not exist" in refused(capsys, tmp_path / "no.tflite", "--for", "cmake", *out)
    assert "does not exist" in refused(capsys, model, "--for", "cmake", "-o", tmp_path / "no" / "firmware")
    with pytest.raises(UsageError, match="no format 'avr'"):
        export(model, "avr")


def vectors_of(made: Bundle, side: str) -> list[bytes]:
    text = next(content.decode() for path, content in made.files.items() if path.endswith("_vectors.cpp"))
    arrays = [part.partition("};")[0] for part in text.split(f"{side}0[] = {{")[1:]]
    return [bytes(int(word, 16) for word in array.replace(",", " ").split()) for array in arrays]


def test_vectors_come_from_the_users_test_samples_through_the_files_own_scale(model: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-6, 6, (20, 4, 4, 2)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x_train=x[:15], x_test=x[15:])
    made = export(model, "cmake", data=tmp_path / "data.npz", vectors=3, seed=4)
    chosen = x[15:][np.sort(np.random.default_rng(4).permutation(5)[:3])]
    (port,) = ports.inputs_of(FlatBuffer.read(model))
    raw = port.to_file(chosen)
    (outputs,) = tflm.run(model.read_bytes(), raw, raw=True)
    assert vectors_of(made, "Input") == [row.tobytes() for row in raw]
    assert vectors_of(made, "Output") == [row.tobytes() for row in outputs]
    assert made.vectors == 3 and b"the user's data, quantized with the file's own scale" in made.files["README.md"]


def test_arrays_a_task_and_code_give_vectors_too(model: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(0).uniform(-6, 6, (3, 4, 4, 2)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "mine.py").write_text(f"import numpy\ndef data(): return numpy.load({str(tmp_path / 'x.npy')!r})\n")
    expected = vectors_of(export(model, "cmake", data=x, vectors=3), "Input")
    assert len(expected) == 3
    for data in (tfcompress.Task(x_test=x), tmp_path / "x.npy", f"{tmp_path / 'mine.py'}:data"):
        assert vectors_of(export(model, "cmake", data=data, vectors=3), "Input") == expected
    assert export(model, "cmake", data=x, vectors=9).vectors == 3


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros((3, 5, 4, 2), np.float32), "takes samples of shape"),
        (np.full((3, 4, 4, 2), np.nan, np.float32), "NaN"),
        (np.full((3, 4, 4, 2), np.inf, np.float32), "infinity"),
        (np.zeros((0, 4, 4, 2), np.float32), "no sample"),
    ],
)
def test_data_that_do_not_fit_are_refused(model: Path, x: np.ndarray, said: str) -> None:
    with pytest.raises(DataError, match=said):
        export(model, "cmake", data=x)


def test_a_file_with_a_batch_of_two_takes_two_samples_a_run() -> None:
    tensors = [T("x", (2, 3), "int8", scales=(0.1,)), T("y", (2, 3), "int8", scales=(0.1,))]
    data = build(G(tensors, [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))
    x = np.arange(-6, 9, dtype=np.float32).reshape(5, 3)
    made = export(FlatBuffer(data), "cmake", data=x, vectors=9)
    rows = np.concatenate([x, x[-1:]]).reshape(3, 2, 3) * 10
    assert vectors_of(made, "Input") == [row.astype(np.int8).tobytes() for row in rows]
    assert vectors_of(made, "Output") == [row.clip(0).astype(np.int8).tobytes() for row in rows]


def test_types_that_no_firmware_can_feed_are_refused() -> None:
    tensors = [T("x", (1, 3), "float16"), T("y", (1, 3), "float16")]
    data = build(G(tensors, [Op("RESHAPE", ["x"], ["y"])], ["x"], ["y"]))
    with pytest.raises(ModelError, match="float16, which TFLM's C"):
        export(FlatBuffer(data), "cmake")
    scaled = [T("x", (1, 3), "int8", scales=(1, 2, 3), axis=1), T("y", (1, 3), "int8", scales=(0.1,))]
    data = build(G(scaled, [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))
    with pytest.raises(CompressionError, match="one scale for all"):
        export(FlatBuffer(data), "cmake")
    far = [T("x", (1, 3), "int8", scales=(1,), zero_points=(2**40,)), T("y", (1, 3), "int8", scales=(0.1,))]
    data = build(G(far, [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))
    with pytest.raises(ModelError, match="beyond int8"):
        export(FlatBuffer(data), "cmake")


def test_help_lists_every_format_without_tensorflow_or_numpy() -> None:
    code = (
        "import sys; from tfcompress.cli import main\n"
        "try: main(['export', '--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('tensorflow', 'numpy', 'jinja2') if name in sys.modules])"
    )
    wide = {**os.environ, "COLUMNS": "200"}
    out = subprocess.run([sys.executable, "-c", code], env=wide, capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"
    assert all(name in out for name in [*catalogue.names(), "android"])


def test_an_installed_wheel_has_the_templates(tmp_path: Path) -> None:
    wheel = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-q", "-w", "wheels"]
    subprocess.run(wheel, cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("*.whl"))) as archive:
        packed = set(archive.namelist())
    parts = [ROOT / "converters" / name for name in ("microcontroller", "android")]
    needed = [path for part in parts for kind in ("*.j2", "*.toml", "*.py") for path in part.rglob(kind)]
    assert len(needed) > 30
    assert {path.relative_to(ROOT).as_posix() for path in needed} <= packed

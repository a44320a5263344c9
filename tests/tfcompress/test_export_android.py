"""What users of `tfcompress export --for android` rely on: a folder for the app, or a line that says why not."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from android_models import classifier, png, report_of, wav, words, written
from PIL import Image
from small_files import integers_in, one_float_operator, two_inputs
from small_tflite import G, Op, T, build, model, pack

from converters.errors import CompressionError
from converters.flatbuffer import FlatBuffer
from converters.inputs import parse
from converters.runtimes import litert, ports
from tfcompress.cli import main
from tfcompress.cli.export import command as export_command
from tfcompress.export import Beside, export, export_android

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "android_model.json"
LABELS = "cat\ndog\nTraffic light\n"
AUDIO = """
kind = "audio"
sample_rate = 8000
samples = 800
features = "log_mel"
frame_length = 200
frame_step = 100
fft_length = 256
power = 2
mel_bins = 16
lower_hz = 100
upper_hz = 3800
log_offset = 1e-6
"""
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """The command as a user calls it: status, standard output, standard error."""

    def call(*words: object) -> tuple[int, str, str]:
        try:
            main(["export", *(str(word) for word in words)])
            status = 0
        except SystemExit as stop:
            status = int(stop.code or 0)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with what may come along."""
    (tmp_path / "in").mkdir()
    written(
        tmp_path / "in",
        {
            "pets.tflite": classifier(),
            "float.tflite": classifier("float32"),
            "labels.txt": LABELS,
            "cat_2.png": png(9, 12),
            "licence.txt": "CC0\r\n",
        },
    )
    return tmp_path / "in"


def model_json(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def test_a_whole_folder_is_written(place: Path, tmp_path: Path, run: Run) -> None:
    (place / "report.json").write_bytes(report_of(classifier()))
    out = tmp_path / "pets"
    status, said, _ = run(
        place / "pets.tflite", "--for", "android", "-o", out, "--labels", place / "labels.txt",
        "--title", "Pets & lights", "--sample", place / "cat_2.png", "--compare", place / "float.tflite",
        "--licence", place / "licence.txt",
        "--drawing", "white-on-black",
    )  # fmt: skip
    assert status == 0
    first, *notes = said.splitlines()
    size = (place / "pets.tflite").stat().st_size
    assert first.startswith(f"{out}: Pets & lights, int8, {size:,} bytes, input image, 3 labels, 1 sample, a model to")
    assert "1 test vector (the samples of this folder) by LiteRT" in first
    assert notes[0] == "note: 4 x 4 pixels, gray, (pixel - 0) / 255 as the file's own input range tells"
    assert notes[1].endswith("report.json is of this file and comes along") and len(notes) == 2
    told = model_json(out)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert files == told["files"] == [
        "LICENSE.txt", "README.md", "compare.tflite", "labels.txt", "model.json", "model.tflite", "samples/cat_2.png",
        "vectors.json",
    ]  # fmt: skip
    assert (out / "model.tflite").read_bytes() == classifier() and (out / "LICENSE.txt").read_text() == "CC0\n"
    assert (out / "labels.txt").read_text() == LABELS and (out / "compare.tflite").read_bytes() == classifier("float32")
    report = json.loads(report_of(classifier()))
    assert told["report"] == {key: report[key] for key in ("rows", "recipe", "notes")}
    vectors = json.loads((out / "vectors.json").read_text())
    assert vectors["sha256"] == told["sha256"] == hashlib.sha256(classifier()).hexdigest()
    with Image.open(io.BytesIO(png(9, 12))) as image:
        pixels = np.asarray(image.convert("L").resize((4, 4), Image.Resampling.BILINEAR)).astype(int) - 128
    raw = np.frombuffer(base64.b64decode(vectors["vectors"][0]["inputs"][0]), np.int8)
    assert np.array_equal(raw.reshape(4, 4), pixels)
    assert "# Pets & lights" in (out / "README.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "pets"]


def test_model_json_is_as_the_app_reads_it(place: Path) -> None:
    (place / "report.json").write_bytes(report_of(classifier()))
    beside = Beside(place / "labels.txt", [place / "cat_2.png"], title="Pets", drawing="white on black")
    made = export_android(place / "pets.tflite", beside)
    assert made.files["model.json"].decode() == GOLDEN.read_text(encoding="utf-8")
    again = export_android(place / "pets.tflite", beside)
    assert again.files == made.files


def test_the_facts_are_json(place: Path, tmp_path: Path, run: Run) -> None:
    status, said, _ = run(place / "pets.tflite", "--for", "android", "-o", tmp_path / "pets", "--vectors", 2, "--json")
    facts = json.loads(said)
    assert status == 0 and set(facts) == {
        "output", "format", "title", "files", "model_bytes", "sha256", "dtype", "input", "labels", "output_kind",
        "samples", "compare", "report", "vectors", "runtime", "origin", "notes",
    }  # fmt: skip
    assert facts["input"] == model_json(tmp_path / "pets")["input"]
    assert (facts["title"], facts["output_kind"], facts["vectors"]) == ("Pets", "classes", 2)
    assert facts["origin"] == "random, from seed 0" and facts["compare"] is facts["report"] is False


# --- every type -------------------------------------------------------------------------------------------------


FORMS = GOLDEN.parents[2] / "android_demo" / "app" / "src" / "test" / "resources" / "models"


def real_ends() -> bytes:
    """Integers, with an input and an output of real numbers: [1, 8, 8, 1] -> QUANTIZE ... DEQUANTIZE -> [1, 10]."""
    tensors = [
        T("x", (1, 8, 8, 1), "float32"),
        T("q", (1, 8, 8, 1), "int8", scales=(1 / 255,), zero_points=(-128,)),
        T("kernel", (10, 64), "int8", scales=(0.05,), values=np.arange(-320, 320).reshape(10, 64) // 3),
        T("bias", (10,), "int32", scales=(0.05 / 255,), values=np.arange(10)),
        T("r", (1, 10), "int8", scales=(0.5,)),
        T("y", (1, 10), "float32"),
    ]
    dense = Op("FULLY_CONNECTED", ["q", "kernel", "bias"], ["r"], ("FullyConnectedOptions", {}))
    operators = [Op("QUANTIZE", ["x"], ["q"]), dense, Op("DEQUANTIZE", ["r"], ["y"])]
    return build(G(tensors, operators, ["x"], ["y"]))


@pytest.mark.parametrize("name", ["float32", "float16", "dynamic", "int8", "int16x8", "uint8", "int8 inside"])
def test_files_of_every_type_go_into_the_app(name: str, tmp_path: Path, run: Run) -> None:
    data = real_ends() if name == "int8 inside" else (FORMS / f"{name}.tflite").read_bytes()
    written(tmp_path, {"m.tflite": data, "l.txt": "\n".join("0123456789")})
    scale = [] if name in ("int8", "uint8") else ["--scale", "0..1"]
    status, said, errors = run(
        tmp_path / "m.tflite", "--for", "android", "-o", tmp_path / "out", "--labels", tmp_path / "l.txt",
        "--compare", FORMS / "float32.tflite", "--vectors", 8, "--json", *scale,
    )  # fmt: skip
    assert status == 0, errors
    facts, told = json.loads(said), json.loads((tmp_path / "out" / "vectors.json").read_text())
    assert facts["dtype"] == {"int8 inside": "int8"}.get(name, name)
    assert (facts["input"]["mean"], facts["input"]["std"]) == ([0.0], [255.0])
    flatbuffer = FlatBuffer(data)
    (port,), (out,) = ports.inputs_of(flatbuffer), ports.outputs_of(flatbuffer)
    (allowed,) = told["tolerance"].values()
    assert list(told["tolerance"]) == [out.dtype]
    pairs = [(base64.b64decode(row["inputs"][0]), base64.b64decode(row["outputs"][0])) for row in told["vectors"]]
    raw = np.stack([np.frombuffer(one, port.dtype).reshape(port.shape) for one, _ in pairs])
    expected = np.stack([np.frombuffer(one, out.dtype).reshape(out.shape) for _, one in pairs]).astype(np.float64)
    # The app checks its vectors with the same kernels: others round otherwise, which a softmax stretches.
    assert told["kernels"] == ("xnnpack" if facts["dtype"] in ("int8", "uint8") else "cpu")
    kernels = "default" if told["kernels"] == "xnnpack" else "builtin"
    found = litert.run(data, [raw], kernels=kernels, raw=True)[0].astype(np.float64)
    assert np.ptp(expected) > 0 and np.abs(found - expected).max() <= allowed


def test_what_only_runtimes_newer_than_the_apps_take_is_refused(tmp_path: Path, run: Run) -> None:
    models = Path(__file__).resolve().parents[2] / "android_demo/app/src/test/resources/models"
    status, _, errors = run(models / "dynamic_per_channel.tflite", "--for", "android", "-o", tmp_path / "out")
    assert status == 1 and errors.splitlines() == [
        "error: operator FULLY_CONNECTED has version 12, and the app's TensorFlow Lite 2.16.1 takes versions "
        "1 to 11; convert with --dense per-tensor"
    ]
    assert run(models / "dynamic.tflite", "--for", "android", "--scale", "0..1", "-o", tmp_path / "out")[0] == 0
    compare = models / "dynamic_per_channel.tflite"
    status, _, errors = run(models / "int8.tflite", "--for", "android", "-o", tmp_path / "two", "--compare", compare)
    assert status == 1 and "the model to compare with: operator FULLY_CONNECTED" in errors


def test_operators_that_the_apps_runtime_lacks_are_named_with_their_layer(tmp_path: Path) -> None:
    tensors = [T(name, (1, 4), "float32") for name in ("x", "waves/Sin", "y")]
    operators = [Op("SIN", ["x"], ["waves/Sin"]), Op("NEG", ["waves/Sin"], ["y"])]
    later = model(G(tensors, operators, ["x"], ["y"]))
    later.operatorCodes[0].version = 2
    files = {"later.tflite": pack(later)}
    later.operatorCodes[0].deprecatedBuiltinCode, later.operatorCodes[0].builtinCode = 127, 207  # newer than 2.16.1
    written(tmp_path, files | {"missing.tflite": pack(later)})
    with pytest.raises(CompressionError, match=r"SIN of layer 'waves' has version 2, .* takes version 1; convert"):
        export_android(tmp_path / "later.tflite")
    with pytest.raises(CompressionError, match=r"the app's .* 2\.16\.1 has no operator \w+ of layer 'waves'"):
        export_android(tmp_path / "missing.tflite")


# --- inputs -----------------------------------------------------------------------------------------------------


def spectrograms() -> bytes:
    return classifier("float32", (1, 7, 16, 1))


def test_a_sound_comes_with_its_front_end(tmp_path: Path) -> None:
    from tfcompress.data.audio import AudioFrontEnd, audio_features

    tone = (8000 * np.sin(np.arange(800) / 3)).astype(np.int16)
    files = {"m.tflite": spectrograms(), "i.toml": AUDIO, "yes.wav": wav(tone), "no.wav": wav(tone, 16000)}
    paths = written(tmp_path, files)
    made = export_android(
        tmp_path / "m.tflite", Beside(samples=[paths["no.wav"], paths["yes.wav"]], input=paths["i.toml"])
    )
    assert made.manifest.input.kind == "audio" and made.notes == (
        "no.wav has 16,000 samples a second; the app resamples it to 8,000",
    )
    (row,) = made.vectors.inputs
    front_end = AudioFrontEnd.read(paths["i.toml"])
    assert np.array_equal(np.frombuffer(row[0], np.float32), audio_features([tone], front_end).ravel())
    wrapped = written(tmp_path, {"w.toml": "[input]\n" + AUDIO})["w.toml"]
    assert export_android(tmp_path / "m.tflite", Beside(input=wrapped)).manifest.input == made.manifest.input
    table = json.loads(made.files["model.json"])["input"]
    assert export_android(tmp_path / "m.tflite", Beside(input=table)).manifest.input == made.manifest.input


def test_a_text_comes_with_its_vocabulary(tmp_path: Path) -> None:
    files = {
        "m.tflite": words(),
        "i.toml": 'kind = "text"\n',
        "v.txt": "\n[UNK]\ngood\nbad\nfilm\n",
        "l.txt": "bad\ngood\n",
        "good.txt": "Good, GOOD film indeed!",
    }
    paths = written(tmp_path, files)
    beside = Beside(paths["l.txt"], [paths["good.txt"]], None, paths["i.toml"], paths["v.txt"])
    made = export_android(tmp_path / "m.tflite", beside)
    assert made.manifest.input.as_table() == {
        "kind": "text", "length": 4, "mode": "int", "standardize": "lower_and_strip_punctuation",
    }  # fmt: skip
    assert np.frombuffer(made.vectors.inputs[0][0], np.int32).tolist() == [2, 2, 4, 1]
    assert made.files["vocabulary.txt"] == b"\n[UNK]\ngood\nbad\nfilm\n"
    assert made.manifest.samples == (("samples/good.txt", "good"),)


def test_numbers_and_a_regression_need_nothing_else(tmp_path: Path) -> None:
    files = {
        "m.tflite": classifier("float32", (1, 4), classes=1, softmax=False),
        "row.csv": "1,2,3,4\n",
        "i.toml": 'kind = "features"\nnames = ["a", "b", "c", "d"]\nmean = 2.5\nstd = [1, 1, 1, 2.0]\n',
    }
    paths = written(tmp_path, files)
    made = export_android(tmp_path / "m.tflite", Beside(samples=[paths["row.csv"]], input=paths["i.toml"]))
    assert made.manifest.output == "values" and "labels.txt" not in made.files
    assert np.frombuffer(made.vectors.inputs[0][0], np.float32).tolist() == [-1.5, -0.5, 0.5, 0.75]
    plain = export_android(tmp_path / "m.tflite")
    assert plain.notes == ("4 plain numbers, as its shape [1, 4] tells",)
    two = export_android(tmp_path / "m.tflite", Beside(labels=written(tmp_path, {"l.txt": "no\nyes\n"})["l.txt"]))
    assert (two.labels, two.manifest.output) == (2, "classes")


def test_data_of_the_user_are_preferred_to_samples(place: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 1)).astype(np.uint8)
    np.savez(place / "d.npz", x_test=x)
    beside = Beside(samples=[place / "cat_2.png"])
    made = export_android(place / "float.tflite", beside, data=place / "d.npz", scale="0..1", vectors=4, seed=3)
    chosen = x[np.sort(np.random.default_rng(3).permutation(9)[:4])] / np.float32(255)
    assert len(made.vectors.inputs) == 4 and made.vectors.origin == "the user's data"
    assert np.allclose([np.frombuffer(row[0], np.float32) for row in made.vectors.inputs], chosen.reshape(4, 16))
    given = export_android(place / "pets.tflite", data=x[:2] / np.float32(255))
    assert [np.frombuffer(row[0], np.int8).tolist() for row in given.vectors.inputs] == [
        (row.astype(int) - 128).ravel().tolist() for row in x[:2]
    ]


def test_several_inputs_are_measured_and_checked_only(tmp_path: Path, run: Run) -> None:
    written(tmp_path, {"m.tflite": two_inputs()})
    made = export_android(tmp_path / "m.tflite")
    assert made.manifest.input.kind == "features" and made.manifest.output == "values"
    assert [len(row) for row in made.vectors.inputs] == [2] * 5
    assert made.notes == ("the file has 2 inputs: the app measures it and checks its test vectors",)
    written(tmp_path, {"row.csv": "1,2,3"})
    command = [tmp_path / "m.tflite", "--for", "android", "-o", tmp_path / "out"]
    for more in (["--sample", tmp_path / "row.csv"], ["--drawing", "white-on-black"]):
        assert "leave --input, --sample and --drawing out" in run(*command, *more)[2]
    assert "--scale is for images, and the file has 2 inputs" in run(*command, "--scale", "0..1")[2]


def test_a_report_beside_the_file_is_taken_only_if_it_is_of_the_file(place: Path) -> None:
    (place / "report.json").write_bytes(report_of(b"another"))
    made = export_android(place / "pets.tflite")
    assert made.manifest.report is None
    assert "report.json is of a file with SHA-256" in made.notes[1] and made.notes[1].endswith("; it was left out")
    (place / "own.json").write_bytes(report_of(classifier()))
    named = export_android(place / "pets.tflite", Beside(report=place / "own.json"))
    assert named.manifest.report is not None and len(named.notes) == 1


def test_titles_come_from_names(tmp_path: Path) -> None:
    (tmp_path / "spoken_digits-int8").mkdir()
    for path, title in (
        ("spoken_digits-int8/model.tflite", "Spoken digits"), ("keyWords.tflite", "KeyWords"),
        ("digits8.int8.tflite", "Digits8"), ("cats_float32.tflite", "Cats"), ("int8.tflite", "Int8"),
        ("point8.tflite", "Point8"),
    ):  # fmt: skip
        (tmp_path / path).write_bytes(two_inputs())
        assert export_android(tmp_path / path).manifest.title == title


def test_the_documented_examples_are_taken() -> None:
    text = (GOLDEN.parents[2] / "docs" / "android.md").read_text(encoding="utf-8")
    (table,) = (tomllib.loads(part.partition("```")[0]) for part in text.split("```toml\n")[1:])
    assert parse(table, (1, 49, 32, 1), where="docs").kind == "audio"
    told = json.loads(text.split("```json\n")[1].partition("```")[0])
    assert parse(told["input"], (1, 28, 28, 1), where="docs").as_table() == told["input"]
    assert set(told) | {"files"} == set(json.loads(GOLDEN.read_text(encoding="utf-8")))
    for parameter in export_command.params:
        name = parameter.opts[0]
        assert name in ("file", "--for", "-o", "--name", "--arena-margin", "--force", "--json") or f"`{name} " in text


# --- what is refused --------------------------------------------------------------------------------------------


def custom(name: str) -> bytes:
    return one_float_operator("CUSTOM", custom=name)


def half() -> bytes:
    tensors = [T("x", (1, 3), "float16"), T("y", (1, 3), "float16")]
    return build(G(tensors, [Op("NEG", ["x"], ["y"])], ["x"], ["y"]))


def per_channel() -> bytes:
    tensors = [T("x", (1, 3), "int8", scales=(1, 2, 3), axis=1), T("y", (1, 3), "int8", scales=(0.1,))]
    return build(G(tensors, [Op("RELU", ["x"], ["y"])], ["x"], ["y"]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (custom("TFLM_DECODE"), "LiteRT on Android has no DECODE operator; export a plain file"),
        (custom("Mystery\x1b[2J"), "operator Mystery?[2J is a custom one, which LiteRT on Android does not have"),
        (one_float_operator("CUSTOM", custom="FlexErf"), "operator FlexErf is a custom one"),
        (one_float_operator("SKIP_GRAM"), "LiteRT cannot run this file"),
        (b"no model at all", "tflite"),
        (classifier()[:700], "m.tflite"),
        (half(), "input 'x' is of type float16, which LiteRT for Java has no array for"),
        (per_channel(), "input 'x' has a scale per channel"),
        (integers_in("float64"), "float64"),
    ],
    ids=["encoded", "custom", "flex", "no kernel", "text", "cut", "float16", "per channel", "float64"],
)
def test_a_file_that_cannot_run_there_is_refused_in_a_line(content: bytes, said: str, tmp_path: Path, run: Run) -> None:
    written(tmp_path, {"m.tflite": content})
    status, out, errors = run(tmp_path / "m.tflite", "--for", "android", "-o", tmp_path / "out")
    assert (status, out, len(errors.splitlines())) == (1, "", 1) and said in errors, errors
    assert errors.rstrip("\n").isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["m.tflite"]


REFUSED: list[tuple[int, list[object], dict[str, bytes | str], str]] = [
    (1, ["--labels", "l.txt"], {"l.txt": "a\nb\n"}, "2 labels came, and output 'shares' of shape [1, 3] has 3"),
    (1, ["--labels", "l.txt"], {"l.txt": "a\na\nb\n"}, "line 2 is 'a', as line 1 is"),
    (1, ["--labels", "no.txt"], {}, "no.txt does not exist"),
    (1, ["--labels", "."], {}, "is no file"),
    (1, ["--sample", "a.png"], {"a.png": "no picture"}, "the sample a.png is no picture that the app knows"),
    (1, ["--sample", "a.wav"], {"a.wav": wav(np.zeros(9, np.int16))}, "is one of sounds, and this model takes"),
    (1, ["--sample", "a.mp3"], {"a.mp3": b"x"}, "unknown kind"),
    (1, ["--sample", "no.mp3"], {}, "unknown kind"),
    (1, ["--sample", "."], {}, "the sample . is a folder; name the files in it, each with --sample"),
    (1, ["--sample", "no.png"], {}, "no.png does not exist"),
    (2, ["--sample", "cat_2.png", "--sample", "../in/cat_2.png"], {}, "cat_2.png came twice; name it once"),
    (1, ["--compare", "c.tflite"], {"c.tflite": classifier("float32", (1, 5, 4, 1))}, "has inputs [1, 5, 4, 1], and"),
    (1, ["--compare", "c.tflite"], {"c.tflite": classifier(classes=4)}, "has outputs [1, 4], and this one [1, 3]"),
    (1, ["--compare", "c.tflite"], {"c.tflite": custom("TFLM_DECODE")}, "to compare with: the file is encoded"),
    (1, ["--compare", "c.tflite"], {"c.tflite": "x"}, "c.tflite"),
    (1, ["--report", "r.json"], {"r.json": report_of(b"other")}, "is of a file with SHA-256"),
    (1, ["--report", "r.json"], {"r.json": "[1"}, "is no JSON"),
    (1, ["--report", "r.json"], {"r.json": '{"hashes": {"file": "\\u001b[2J"}}'}, "a file with SHA-256 ?[2J..."),
    (1, ["--sample", "\x1b[2J.png"], {"\x1b[2J.png": "x"}, "the sample ?[2J.png is no picture"),
    (1, ["--input", "i.toml"], {"i.toml": "kind = "}, "is not valid TOML"),
    (1, ["--input", "i.toml"], {"i.toml": 'kind = "image"\nmean = 0\nstd = 0'}, "std is [0.0]; expected"),
    (1, ["--input", "i.toml"], {"i.toml": AUDIO}, "log_mel features of a clip are 7 frames of 16 values"),
    (1, ["--input", "i.toml"], {"i.toml": b"\xff"}, "is not a TOML file: byte 0 is not UTF-8"),
    (2, ["--input", "i.toml", "--scale", "0..1"], {"i.toml": 'kind = "image"\nmean = 0\nstd = 1'}, "leave --scale out"),
    (2, ["--input", "i.toml", "--scale", "0..1", "--data", "i.toml"], {"i.toml": 'kind = "image"\nmean = 0\nstd = 1'},
     "--input says already how values become the model's units; leave --scale out"),
    (2, ["--input", "i.toml", "--drawing", "white-on-black"], {"i.toml": ""}, "--drawing goes without --input"),
    (2, ["--vocabulary", "v.txt"], {"v.txt": "\n[UNK]\na\n"}, "--vocabulary is for models of text"),
    (2, ["--scale", "0..255"], {}, "the file's input takes 0 to 1"),
    (2, ["--title", ""], {}, "the title is ''"),
    (2, ["--title", "a\x1b[2Jb"], {}, "expected a line of 1 to 80 printable characters"),
    (1, ["--licence", "l.txt"], {"l.txt": b"\xff\xfe"}, "is not UTF-8"),
    (1, ["--licence", "l.txt"], {"l.txt": " \n"}, "l.txt is empty"),
    (1, ["--data", "no.npz"], {}, "does not exist"),
    (2, ["--label", "y"], {}, "name one with --data"),
    (2, ["--name", "a_b"], {}, "--name is for firmware, and --for android came; leave it out"),
    (2, ["--arena-margin", "3"], {}, "--arena-margin is for firmware"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "options", "files", "said"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_does_not_fit_is_refused_in_a_line_and_leaves_nothing(
    status: int, options: list[object], files: dict[str, bytes | str], said: str, place: Path, tmp_path: Path,
    run: Run, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    written(place, files)
    monkeypatch.chdir(place)
    got, out, errors = run("pets.tflite", "--for", "android", "-o", tmp_path / "out", *options)
    assert (got, out, len(errors.splitlines())) == (status, "", 1), errors
    assert errors.startswith("error: ") and said in errors and errors.rstrip("\n").isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize(
    "option", [one.opts[0] for one in export_command.params if "Android:" in str(one.to_info_dict())]
)
def test_firmware_has_no_use_for_what_the_app_shows(option: str, place: Path, tmp_path: Path, run: Run) -> None:
    given = {"--drawing": "white-on-black"}.get(option, place / "labels.txt")
    status, _, errors = run(place / "pets.tflite", "--for", "cmake", "-o", tmp_path / "out", option, given)
    assert status == 2 and f"{option} is for android, and --for cmake came; leave it out" in errors


@pytest.mark.parametrize(
    ("beside", "options", "said"),
    [
        (Beside(drawing="red"), {}, "drawing is 'red'; expected white on black or black on white"),  # type: ignore[arg-type]
        (Beside(samples="cat.png"), {}, "samples is 'cat.png'; expected a list of files"),
        (Beside(), {"vectors": 0}, "0 test vectors were asked for"),
        (Beside(), {"vectors": 10**9}, "ask for fewer"),
        (Beside(), {"seed": -1}, "the seed is -1; expected 0 or more"),
        (Beside(), {"scale": "0-1"}, "scale is '0-1'; expected one of"),
        (Beside(), {"data": np.zeros((2, 5))}, "reshape or resize the data"),
        (Beside(), {"data": np.full((1, 4, 4, 1), np.inf)}, "holds infinity"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_values_in_python_are_refused_as_on_the_command_line(
    beside: Beside, options: dict[str, Any], said: str, place: Path
) -> None:
    with pytest.raises(CompressionError) as error:
        export_android(place / "pets.tflite", beside, **options)
    assert said in str(error.value)


def test_a_text_model_needs_its_vocabulary(tmp_path: Path) -> None:
    written(tmp_path, {"m.tflite": words()})
    with pytest.raises(CompressionError, match="needs its vocabulary; give it with --vocabulary"):
        export_android(tmp_path / "m.tflite", Beside(input={"kind": "text"}))
    vocabulary = written(tmp_path, {"v.txt": "[UNK]\na\nb\n"})["v.txt"]
    with pytest.raises(CompressionError, match=r"has 3 words, \[UNK\] among them, and the model takes 4"):
        table = {"kind": "text", "mode": "multi_hot"}
        export_android(tmp_path / "m.tflite", Beside(input=table, vocabulary=vocabulary))
    longer = written(tmp_path, {"w.txt": "[UNK]\na\nb\nc\nd\n", "d.txt": "d"})
    with pytest.raises(CompressionError, match="has 5 words, .* and the model takes 4"):
        beside = Beside(input=table, vocabulary=longer["w.txt"], samples=[longer["d.txt"]])
        export_android(tmp_path / "m.tflite", beside)


def test_labels_are_of_one_row_of_values(tmp_path: Path) -> None:
    tensors = [T("x", (1, 2, 3), "float32"), T("y", (1, 2, 3), "float32")]
    negated = build(G(tensors, [Op("NEG", ["x"], ["y"])], ["x"], ["y"]))
    paths = written(tmp_path, {"m.tflite": negated, "l.txt": LABELS})
    with pytest.raises(CompressionError, match=r"has shape \[1, 2, 3\]; the app names the values of an output"):
        export_android(tmp_path / "m.tflite", Beside(paths["l.txt"]))


def test_a_folder_in_the_way_is_replaced_only_by_force_and_only_a_model_folder(
    place: Path, tmp_path: Path, run: Run
) -> None:
    command = [place / "pets.tflite", "--for", "android", "-o", tmp_path / "out"]
    assert run(*command)[0] == 0
    assert "exists; give another name, or --force" in run(*command)[2]
    assert run(*command, "--force", "--title", "Again")[0] == 0
    assert model_json(tmp_path / "out")["title"] == "Again"
    (tmp_path / "out" / "mine.txt").write_text("x")
    assert "holds mine.txt, which is no part of a model folder" in run(*command, "--force")[2]
    assert run(place / "pets.tflite", "--for", "cmake", "-o", tmp_path / "firmware", "--vectors", 1)[0] == 0
    command[-1] = tmp_path / "firmware"
    assert "no part of a model folder" in run(*command, "--force")[2]
    assert (tmp_path / "firmware" / "bundle.json").exists()


def test_the_other_function_has_no_android() -> None:
    with pytest.raises(CompressionError, match="no format 'android'"):
        export(FlatBuffer(classifier()), "android")

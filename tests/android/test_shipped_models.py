"""What a user of the demo app relies on: the models that come with it are what their folders say."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import tfcompress
from converters.flatbuffer import FlatBuffer
from converters.inputs import parse
from converters.runtimes import litert, ports
from tfcompress.data import front_end
from tfcompress.export import Beside, export_android

Array = npt.NDArray[Any]

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "android_demo" / "app" / "src" / "main" / "assets" / "models"
EXAMPLES = ROOT / "examples"
README = (ROOT / "android_demo" / "README.md").read_text(encoding="utf-8")
# The least accuracy on the test data that a model ships with.
FLOORS = {"handwritten_digits": 0.99, "spoken_digits": 0.97, "spam": 0.97, "ten_things": 0.87}
LICENCES = {
    "handwritten_digits": "https://creativecommons.org/licenses/by-sa/3.0/",
    "spoken_digits": "https://creativecommons.org/licenses/by-sa/4.0/",
    "spam": "hold the copyrigth (c) for the SMS Spam Collection",
    "ten_things": "Apache License",
}
shipped = pytest.mark.parametrize("name", list(FLOORS))


def told(name: str, file: str = "model.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MODELS / name / file).read_text(encoding="utf-8"))
    return found


def lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text(encoding="utf-8").split("\n")[:-1])


def example(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module(name)


def answers(name: str, x: Array, file: str = "model.tflite") -> Array:
    """Real-valued outputs [n, classes] of inputs [n, ...] in the float model's units."""
    return litert.run((MODELS / name / file).read_bytes(), x, kernels="builtin")[0]


@shipped
def test_the_folder_is_what_the_exporter_makes_of_its_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, manifest = MODELS / name, told(name)
    vocabulary, compare = folder / "vocabulary.txt", folder / "compare.tflite"
    beside = Beside(
        labels=folder / "labels.txt",
        samples=[folder / sample["file"] for sample in manifest["samples"]],
        compare=compare if compare.exists() else None,
        input=manifest["input"],
        vocabulary=vocabulary if vocabulary.exists() else None,
        licence=folder / "LICENSE.txt",
        title=manifest["title"],
    )
    made = export_android(folder / "model.tflite", beside).files
    again = json.loads(made["model.json"])
    for key in ("format", "title", "sha256", "input", "output", "samples", "files"):
        assert again[key] == manifest[key], key
    for path in set(made) - {"model.json", "vectors.json", "README.md"}:
        assert made[path] == (folder / path).read_bytes(), path
    assert sorted(manifest["files"]) == sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )
    assert 1 <= len(manifest["samples"]) <= 6


@shipped
def test_report_and_vectors_are_of_this_very_file(name: str) -> None:
    content = (MODELS / name / "model.tflite").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert told(name)["sha256"] == told(name, "vectors.json")["sha256"] == digest
    rows = {row["name"]: row["value"] for row in told(name)["report"]["rows"]}
    assert rows["file_bytes"] == len(content)
    steps = [step["technique"] for step in told(name)["report"]["recipe"]["steps"]]
    assert steps == ([] if name == "ten_things" else ["prune", "cluster", "qat"])


@shipped
def test_the_vectors_are_what_litert_gives_today(name: str) -> None:
    flatbuffer = FlatBuffer.read(MODELS / name / "model.tflite")
    source, sink = ports.inputs_of(flatbuffer)[0], ports.outputs_of(flatbuffer)[0]
    vectors = told(name, "vectors.json")
    pairs = [
        (base64.b64decode(vector["inputs"][0]), base64.b64decode(vector["outputs"][0])) for vector in vectors["vectors"]
    ]
    assert len(pairs) >= 20
    x = np.stack([np.frombuffer(given, source.dtype).reshape(source.shape) for given, _ in pairs])
    expected = np.stack([np.frombuffer(made, sink.dtype) for _, made in pairs]).astype(np.int64)
    assert vectors["kernels"] == "xnnpack" and "(XNNPACK, " in vectors["runtime"]
    found = litert.run(flatbuffer.data, [x], kernels="default", raw=True)[0].reshape(expected.shape).astype(np.int64)
    assert np.abs(found - expected).max() <= vectors["tolerance"]["int8"] == 1
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    assert len(set(expected.argmax(axis=1))) >= min(4, len(lines(MODELS / name / "labels.txt")))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        *((name, "model.tflite") for name in FLOORS),
        *((name, "compare.tflite") for name in FLOORS if name != "ten_things"),
    ],
)
def test_every_sample_is_recognized(name: str, file: str) -> None:
    folder, manifest = MODELS / name, told(name)
    labels, vocabulary = lines(folder / "labels.txt"), folder / "vocabulary.txt"
    words = lines(vocabulary) if vocabulary.exists() else ()
    shape = FlatBuffer.read(folder / file).inputs[0].shape
    spec = parse(manifest["input"], shape, where="model.json")
    files = [(folder / sample["file"]).read_bytes() for sample in manifest["samples"]]
    rows = [front_end.from_file(content, spec, shape, words) for content in files]
    found = answers(name, np.concatenate([row for row in rows if row is not None]), file)
    assert [labels[best] for best in found.argmax(axis=1)] == [sample["label"] for sample in manifest["samples"]]


@shipped
def test_the_promised_accuracy_is_high_and_kept_by_compression(name: str) -> None:
    rows = {row["name"]: row for row in told(name)["report"]["rows"]}
    before, after = rows["accuracy_before"], rows["accuracy_after"]
    assert after["value"] >= FLOORS[name] and after["value"] >= before["value"] - 0.01
    assert before["how"] == after["how"] == "measured"


@shipped
def test_the_readme_has_the_reports_numbers(name: str) -> None:
    rows = {row["name"]: row for row in told(name)["report"]["rows"]}
    cells = f"| {rows['file_bytes']['value']:,} | {rows['accuracy_before']['value']:.4f} "
    cells += f"| {rows['accuracy_after']['value']:.4f} |"
    line = next(line for line in README.splitlines() if line.startswith(f"| `{name}` |"))
    assert cells in line
    samples = rows["accuracy_after"]["source"].split()[2]
    assert f" {int(samples):,} " in line


@shipped
def test_the_promised_accuracy_is_measured_again(name: str, real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFCOMPRESS_DATA", str(real_data))
    promised = next(row for row in told(name)["report"]["rows"] if row["name"] == "accuracy_after")
    measured = tfcompress.evaluate(MODELS / name / "model.tflite", f"{EXAMPLES / name}.py:task", metric="accuracy")
    assert promised["source"] == f"accuracy of {measured.samples} test samples"
    # Another processor's kernels may round a sample or two to the other side.
    assert measured.value == pytest.approx(promised["value"], abs=2.5 / measured.samples)


def test_digits_that_were_written_elsewhere_are_read_too() -> None:
    # scikit-learn's digits are from other people, and came 8 x 8: drawn large, they go the way of a drawing in the app.
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()

    def drawn(values: Array) -> Array:
        ink = np.clip(values * 16, 0, 255).astype(np.uint8)
        large = np.asarray(Image.fromarray(ink).resize((200, 200), Image.Resampling.BICUBIC))
        rows, columns = np.flatnonzero(large.max(1) > 20), np.flatnonzero(large.max(0) > 20)
        box = large[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        size = [max(1, round(side * 20 / max(box.shape))) for side in box.shape]
        small = np.asarray(Image.fromarray(box).resize((size[1], size[0]), Image.Resampling.BILINEAR)).astype(float)
        # MNIST's own form: a box of 20 pixels in a picture of 28, its centre of mass in the middle.
        place = [
            min(max(round(14 - 0.5 - float((small.sum(1 - axis) @ np.arange(side)) / small.sum())), 0), 28 - side)
            for axis, side in enumerate(small.shape)
        ]
        picture = np.zeros((28, 28))
        picture[place[0] : place[0] + size[0], place[1] : place[1] + size[1]] = small
        return picture / 255

    x = np.stack([drawn(image) for image in digits.images])[..., None]
    right = answers("handwritten_digits", x).argmax(axis=1) == digits.target
    assert right.mean() == pytest.approx(0.957, abs=0.003)  # what android_demo/README.md says


@shipped
def test_a_licence_lies_beside_the_model(name: str) -> None:
    text = (MODELS / name / "LICENSE.txt").read_text(encoding="utf-8")
    assert LICENCES[name] in text
    assert text == (EXAMPLES / "licences" / f"{name}.txt").read_text(encoding="utf-8")


def test_all_of_them_are_small_and_name_no_machine() -> None:
    files = [path for name in FLOORS for path in (MODELS / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    for path in files:
        if path.suffix in (".json", ".md", ".txt"):
            text = path.read_text(encoding="utf-8")
            assert not any(part in text for part in ("/tmp", "/home", "/work", "/root")), path


def test_the_phone_hears_what_the_model_was_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    spoken = example("spoken_digits", monkeypatch)
    assert tfcompress.AudioFrontEnd.from_table(told("spoken_digits")["input"]) == spoken.FRONT_END
    assert lines(MODELS / "spoken_digits" / "labels.txt") == spoken.CLASSES


@pytest.mark.parametrize("name", ["handwritten_digits", "spoken_digits", "spam"])
def test_the_example_builds_the_model_that_ships(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    built = example(name, monkeypatch).model()
    inputs, outputs = (
        getattr(FlatBuffer.read(MODELS / name / "model.tflite"), side)[0].shape for side in ("inputs", "outputs")
    )
    assert (1, *built.input_shape[1:]) == tuple(inputs) and (1, *built.output_shape[1:]) == tuple(outputs)
    assert len(lines(MODELS / name / "labels.txt")) == outputs[-1]


def test_varied_digits_are_digits_still(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = example("handwritten_digits", monkeypatch)
    vectors = told("handwritten_digits", "vectors.json")["vectors"]
    x = np.stack([np.frombuffer(base64.b64decode(vector["inputs"][0]), np.int8) for vector in vectors])
    x = ((x.astype(np.float32) + 128) / 255).reshape(-1, 28, 28, 1)
    before = answers("handwritten_digits", x).argmax(axis=1)
    varied = np.asarray(digits.augment(np.tile(x, (8, 1, 1, 1))))
    assert varied.shape == (8 * len(x), 28, 28, 1) and varied.min() >= 0 and varied.max() <= 1
    after = answers("handwritten_digits", varied).argmax(axis=1)
    assert not np.array_equal(varied[: len(x)], x)
    assert np.mean(after == np.tile(before, 8)) >= 0.9


def test_a_voice_is_heard_wherever_it_comes_in_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    from converters.android import wav

    spoken, rng = example("spoken_digits", monkeypatch), np.random.default_rng(0)
    labels, folder = lines(MODELS / "spoken_digits" / "labels.txt"), MODELS / "spoken_digits"
    said, heard = [], []
    for sample in told("spoken_digits")["samples"]:
        clip = np.round(wav.read((folder / sample["file"]).read_bytes(), "the clip").samples * 32768)
        heard += [spoken.microphone(clip, rng) for _ in range(10)]
        said += [labels.index(sample["label"])] * 10
    assert all(len(second) == 8000 for second in heard)
    found = answers("spoken_digits", spoken.features(heard)).argmax(axis=1)
    assert np.mean(found == np.array(said)) >= 0.9
    quiet = answers("spoken_digits", spoken.features([rng.normal(size=8000) / 1000 for _ in range(20)])).argmax(axis=1)
    assert np.mean(quiet == labels.index("silence")) >= 0.9

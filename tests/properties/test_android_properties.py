"""Whatever names, texts and numbers a model folder is given, it holds them as they were."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import tomlkit
from android_models import png
from android_models import wav as wav_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters.android import samples, texts, wav
from converters.android.manifest import Manifest, Promise
from converters.errors import CompressionError
from converters.inputs import AudioInput, FeaturesInput, ImageInput, InputSpec, TextInput, parse
from tfcompress.data.front_end import word_numbers

LETTERS = st.characters(exclude_categories=("C", "Z"), include_characters=" ")
PRINTABLE = st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
NUMBER = st.floats(-1e6, 1e6, width=32)
STEP = st.floats(2**-10, 1e6, width=32)
# The machine may be busy, and the first text reads tables of characters.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SHAPE = (1, 6, 5, 3)
PICTURE = png(2, 2)


@st.composite
def inputs(draw: st.DrawFn) -> tuple[InputSpec, tuple[int, ...]]:
    """An input and the shape of a model that takes it."""
    kind = draw(st.sampled_from(["image", "audio", "text", "features"]))
    if kind == "text":
        length = draw(st.integers(1, 500))
        return TextInput(length=length, mode=draw(st.sampled_from(["int", "multi_hot"]))), (1, length)
    if kind == "features":
        names = draw(st.lists(PRINTABLE, min_size=3, max_size=3) | st.just([]))
        mean = tuple(draw(st.lists(NUMBER, min_size=3, max_size=3)))
        return FeaturesInput(names=tuple(names), mean=mean, std=(draw(STEP),)), (1, 3)
    if kind == "image":
        size = draw(st.sampled_from([1, 3]))
        mean, std = (tuple(draw(st.lists(one, min_size=size, max_size=size))) for one in (NUMBER, STEP))
        drawing = draw(st.sampled_from([None, "white on black", "black on white"]))
        return ImageInput(channels=draw(st.sampled_from(["rgb", "bgr"])), mean=mean, std=std, drawing=drawing), SHAPE
    samples_of_clip, length, step = draw(st.integers(600, 9000)), draw(st.integers(2, 600)), draw(st.integers(1, 400))
    frames = {"frame_length": length, "frame_step": step, "fft_length": 600, "power": draw(st.sampled_from([1, 2]))}
    spec = AudioInput(sample_rate=8000, samples=samples_of_clip, features="spectrogram", **frames, mean=draw(NUMBER))
    return spec, (1, *spec.feature_shape, 1)


@patient
@given(inputs())
def test_an_input_is_the_same_after_json_and_toml(case: tuple[InputSpec, tuple[int, ...]]) -> None:
    spec, shape = case
    table = spec.as_table()
    assert parse(json.loads(json.dumps(table)), shape, where="x") == spec
    written = {key: value for key, value in table.items() if value is not None}
    assert parse(tomlkit.parse(tomlkit.dumps(written)).unwrap(), shape, where="x") == spec


@patient
@given(inputs(), PRINTABLE, st.lists(PRINTABLE, max_size=4), st.dictionaries(PRINTABLE, PRINTABLE | NUMBER))
def test_a_manifest_keeps_what_it_is_told(
    case: tuple[InputSpec, tuple[int, ...]], title: str, names: list[str], row: dict[str, Any]
) -> None:
    spec, _ = case
    given_samples = (*((f"samples/{number}.png", name) for number, name in enumerate(names)), ("samples/x.png", None))
    report = Promise((row,), {"steps": names}, tuple(names))
    made = Manifest(title, "ab" * 32, "tfcompress", spec, "classes", given_samples, report, ("model.json",))
    told = json.loads(made.as_json())
    assert (told["title"], told["input"]) == (title, json.loads(json.dumps(spec.as_table())))
    assert [(sample["file"], sample["label"]) for sample in told["samples"]] == list(given_samples)
    assert told["report"] == {"rows": [row], "recipe": {"steps": names}, "notes": names}


@patient
@given(st.lists(PRINTABLE, min_size=1, max_size=20, unique=True), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_label_survives(labels: list[str], end: str, ended: bool) -> None:
    content = (end.join(labels) + (end if ended else "")).encode()
    assert texts.labels(content, "x") == tuple(labels)
    assert texts.labels(texts.joined(tuple(labels)), "x") == tuple(labels)


@patient
@given(st.binary(max_size=60))
def test_any_bytes_are_labels_or_one_line_of_refusal(content: bytes) -> None:
    try:
        found = texts.labels(content, "x")
    except CompressionError as error:
        assert str(error).isprintable()
    else:
        assert found and len(set(found)) == len(found) and all(label and label.isprintable() for label in found)


@patient
@given(st.binary(max_size=80), st.integers(0, 60))
def test_any_bytes_are_a_clip_or_one_line_of_refusal(noise: bytes, place: int) -> None:
    whole = bytearray(wav_file(np.zeros(8, np.int16)))
    whole[place : place + len(noise)] = noise
    try:
        clip = wav.read(bytes(whole), "x")
    except CompressionError as error:
        assert str(error).isprintable()
    else:
        assert clip.samples.size and np.isfinite(clip.samples).all()


@patient
@given(st.text(max_size=30))
def test_a_cell_is_a_number_that_java_reads_too_or_none(cell: str) -> None:
    value = samples.number(cell)
    assert value is None or (math.isfinite(value) and value == float(cell) and cell.isascii() and "_" not in cell)


@patient
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_may_stand_in_a_row(value: float) -> None:
    assert samples.number(repr(value)) == value and samples.number(f" {value:.17e} ") == value


@patient
@given(st.text(max_size=80), st.integers(1, 12), st.sampled_from(["int", "multi_hot"]))
def test_any_text_becomes_numbers_within_the_vocabulary(text: str, length: int, mode: str) -> None:
    vocabulary = ("", "[UNK]", *(f"w{number}" for number in range(length - 1)))
    numbers = word_numbers(text, TextInput(length=length, mode=mode), vocabulary)  # type: ignore[arg-type]
    assert numbers.shape == (length,) and numbers.min() >= 0 and numbers.max() < len(vocabulary)


@patient
@given(st.text(min_size=1, max_size=60).filter(lambda name: not name.endswith("/")))
def test_any_name_of_a_sample_stays_in_its_folder(name: str) -> None:
    spec = ImageInput(channels="rgb", mean=(0.0,), std=(1.0,))
    (found,) = samples.checked([(f"{name}.png", PICTURE)], spec, (1, 2, 2, 3), ())
    folder, _, file = found.file.partition("/")
    assert folder == "samples" and file.isascii() and "/" not in file and not file.startswith(".")
    assert file.endswith(".png") and len(file) <= 64

"""A `.tflite` file as a model folder of the demo app: everything that comes with it is read and checked here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import tfcompress
from converters.android import bundle, report, samples, texts, vocabulary
from converters.android.bundle import ModelFolder, Parts
from converters.android.manifest import Promise
from converters.android.samples import Sample
from converters.child import Progress, no_progress
from converters.errors import FileError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.guess import SCALES, guess
from converters.inputs import Drawing, FeaturesInput, ImageInput, InputSpec, TextInput, parse
from converters.runtimes.ports import Port
from tfcompress import task
from tfcompress.data import front_end, input_file
from tfcompress.export.draws import Draw, stem_of

_LARGEST = 64 << 20
# At the end of a file's name.
_TYPE = re.compile(r"([-. ](int8|uint8|int16|int16x8|float16|float32|fp16|fp32|dynamic))+$", re.IGNORECASE)


@dataclass(frozen=True)
class Beside:
    """The files that go with a model, and what is said of it.

    Attributes:
        labels: a name per class, one a line.
        samples: inputs to try.
        compare: another `.tflite` file with the same inputs and outputs.
        input: a TOML file, or a table, that says what the input is, with the keys of docs/android.md.
        vocabulary: of a text model.
        report: report.json of the compression; that beside the file where it is of this file.
        licence: a text that is shown with the model.
        title: what people call the model; by default from the file's name.
        drawing: how drawings by hand look that the model knows.
    """

    labels: Path | str | None = None
    samples: Sequence[Path | str] = ()
    compare: Path | str | None = None
    input: Path | str | dict[str, Any] | None = None
    vocabulary: Path | str | None = None
    report: Path | str | None = None
    licence: Path | str | None = None
    title: str | None = None
    drawing: Drawing | None = None


def export_android(
    file: Path | str,
    beside: Beside | None = None,
    *,
    data: Any = None,
    vectors: int = 5,
    scale: str = "none",
    seed: int = 0,
    label: str | None = None,
    progress: Progress = no_progress,
) -> ModelFolder:
    """Makes the model folder; `converters.folder.write` puts its files in place.

    Args:
        file: the `.tflite` file.
        beside: what goes with it.
        data: for the test vectors, as for `export`; None: the samples, or random inputs where there are none.
        vectors: how many test vectors at most.
        scale: how pixels become the model's units. `none`: as a quantized input's range tells. Images of a data file
            are scaled alike, unless they are in the model's units already; see `tfcompress.export.pixels`.
        seed: draws the samples, or random inputs.
        label: label column of a `.csv`.
        progress: called with stage, done, total.

    Raises:
        CompressionError: the message says what came, what was expected and what to do.
    """
    beside = beside or Beside()
    draw = _checked_draw(Draw(data, vectors, scale, seed, label), beside)
    flatbuffer = FlatBuffer.read(file)
    inputs, _ = bundle.check(flatbuffer)
    spec, how = _input(inputs, beside, draw, scale)
    labels = () if beside.labels is None else texts.labels(_content(beside.labels), str(beside.labels))
    words = _vocabulary(beside.vocabulary, spec)
    given = _samples(beside.samples, spec, inputs, labels)
    promise, noted = _report(Path(file), beside.report, flatbuffer)
    parts = Parts(
        bundle.checked_title(beside.title if beside.title is not None else _title(Path(file))),
        f"tfcompress {tfcompress.__version__}",
        labels,
        words,
        given,
        None if beside.compare is None else FlatBuffer.read(beside.compare),
        promise,
        b"" if beside.licence is None else texts.licence(_content(beside.licence), str(beside.licence)),
    )
    rows, origin = _rows(draw, flatbuffer, spec, parts, progress)
    options = bundle.Options(vectors, seed, origin)
    made = bundle.make(flatbuffer, spec, parts, rows, options=options, progress=progress)
    remarks = [how, *noted, *(sample.remark for sample in given), *made.notes]
    return replace(made, notes=tuple(remark for remark in remarks if remark))


def _checked_draw(draw: Draw, beside: Beside) -> Draw:
    """What is drawn."""
    if draw.scale not in task.SCALES:
        raise UsageError(f"scale is {draw.scale!r}; expected one of {', '.join(task.SCALES)}")
    if beside.input is not None and beside.drawing is not None:
        raise UsageError('--drawing goes without --input; write drawing = "white on black" in that file')
    asked = draw if draw.is_file else replace(draw, scale="none")
    asked.check()
    return asked


def _input(inputs: Sequence[Port], beside: Beside, draw: Draw, scale: str) -> tuple[InputSpec, str]:
    """What goes in, and a remark on it; a scale that is not of the data drawn is of the pixels."""
    if len(inputs) > 1:
        if beside.input is not None or beside.samples or beside.drawing is not None:
            raise UsageError(
                f"the file has {len(inputs)} inputs, and the app can feed one; leave --input, --sample and --drawing "
                "out"
            )
        if scale != "none" and not draw.is_file:
            raise UsageError(f"--scale is for images, and the file has {len(inputs)} inputs; leave it out")
        return (
            FeaturesInput(),
            f"the file has {len(inputs)} inputs: the app measures it and checks its test vectors",
        )
    if beside.input is None:
        return guess(inputs[0], scale if scale in SCALES else None, beside.drawing)
    if isinstance(beside.input, dict):
        spec = parse(beside.input, inputs[0].shape, where="the input")
    else:
        spec = parse(input_file.read(beside.input), inputs[0].shape, where=str(beside.input))
    if scale != "none" and (isinstance(spec, ImageInput) or not draw.is_file):
        raise UsageError("--input says already how values become the model's units; leave --scale out")
    return spec, ""


def _vocabulary(path: Path | str | None, spec: InputSpec) -> tuple[str, ...]:
    words: tuple[str, ...] = ()
    if path is not None:
        mode = spec.mode if isinstance(spec, TextInput) else "int"
        words = texts.vocabulary(_content(path), str(path), mode=mode)
    vocabulary.check(words, spec)  # before a sample is put into its numbers
    return words


def _samples(
    paths: Sequence[Path | str], spec: InputSpec, inputs: Sequence[Port], labels: Sequence[str]
) -> tuple[Sample, ...]:
    if isinstance(paths, (str, Path)):
        raise UsageError(f"samples is {str(paths)!r}; expected a list of files")
    seen: set[Path] = set()
    for path in map(Path, paths):
        if path.is_dir():
            raise FileError(f"the sample {path} is a folder; name the files in it, each with --sample")
        samples.kind_of(path.name)
        if (real := path.resolve()) in seen:
            raise UsageError(f"the sample {path} came twice; name it once")
        seen.add(real)
    files = ((Path(path).name, _content(path)) for path in paths)
    return tuple(samples.checked(files, spec, inputs[0].shape, labels))


def _report(file: Path, path: Path | str | None, flatbuffer: FlatBuffer) -> tuple[Promise | None, list[str]]:
    """The report that was named, or that lies beside the file and is of it; and a remark on the latter."""
    digest = hashlib.sha256(flatbuffer.data).hexdigest()
    if path is not None:
        return report.read(_content(path), digest, str(path)), []
    found = file.with_name("report.json")
    if not found.is_file():
        return None, []
    try:
        return report.read(_content(found), digest, str(found)), [f"{found} is of this file and comes along"]
    except FileError as error:
        return None, [f"{error}; it was left out"]


def _rows(draw: Draw, flatbuffer: FlatBuffer, spec: InputSpec, parts: Parts, progress: Progress) -> tuple[Any, str]:
    """Samples for the vectors, or None, and where they come from."""
    if draw.data is not None:
        scaling = spec if isinstance(spec, ImageInput) else None
        own = draw if scaling is None else replace(draw, scale="none")
        return own.samples(flatbuffer, progress, scaling), "the user's data"
    shape = flatbuffer.inputs[0].shape
    made = [front_end.from_file(sample.content, spec, shape, parts.vocabulary) for sample in parts.samples]
    usable = [row for row in made if row is not None][: draw.count]
    return (np.stack(usable) if usable else None), "the samples of this folder"


def _title(file: Path) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in stem_of(file)).replace("_", " ")
    words = _TYPE.sub("", words) or words  # the app shows the type beside the title
    title = " ".join(words.replace("-", " ").split())[:60] or "Model"
    return title[:1].upper() + title[1:]


def _content(path: Path | str) -> bytes:
    """A file's bytes.

    Raises:
        FileError: it is missing, no file, too large, or cannot be read.
    """
    place = Path(path)
    try:
        if not place.exists():
            raise FileError(f"{path} does not exist; check the name")
        if not place.is_file():
            raise FileError(f"{path} is no file; check the name")
        if place.stat().st_size > _LARGEST:
            raise FileError(f"{path} has more than {_LARGEST >> 20} MiB; name a smaller file")
        return place.read_bytes()
    except OSError as error:
        raise FileError(
            f"{path} cannot be read ({error.strerror or error}); check the name and its permissions"
        ) from error

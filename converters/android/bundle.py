"""A `.tflite` file as a model folder of the demo app: the file to read first.

    made = bundle.make(flatbuffer, spec, Parts(title="Digits", labels=("0", "1", ...)), data)
    folder.write(Path("digits"), made.files, bundle.FOLDER)

Same file, options and version: same bytes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jinja2
import numpy as np

from converters import decode, verify
from converters.android import manifest, operators, texts, vectors, vocabulary
from converters.android.manifest import Manifest, Promise
from converters.android.samples import Sample
from converters.android.vectors import Vectors
from converters.child import Progress, no_progress
from converters.errors import CompressionError, DataError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.graph import shown
from converters.folder import Kind
from converters.inputs import InputSpec
from converters.runtimes import litert, ports
from converters.runtimes.ports import Array, Inputs, Port

FOLDER = Kind("model folder", manifest.NAME, "digits")
# What LiteRT for Java has arrays of.
_TYPES = frozenset({"float32", "int8", "uint8", "int16", "int32", "int64", "bool"})
# Custom operators that it has all the same.
_CUSTOM = frozenset({"TFLite_Detection_PostProcess", "NumericVerify", "Mfcc", "AudioSpectrogram"})
_TEMPLATES = Path(__file__).resolve().parent / "templates"
_LONGEST_TITLE = 80
# How far a share's range may lie outside 0 to 1.
_OFF = 0.1


@dataclass(frozen=True)
class Parts:
    """What goes with a model.

    Attributes:
        title: what people call it.
        made_by: program and version.
        labels: names of classes; none for a regression.
        vocabulary: of a text model.
        samples: inputs to try.
        compare: another file with the same inputs and outputs.
        report: of its compression.
        licence: a text that is shown with it.
    """

    title: str
    made_by: str
    labels: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    samples: tuple[Sample, ...] = ()
    compare: FlatBuffer | None = None
    report: Promise | None = None
    licence: bytes = b""


@dataclass(frozen=True)
class Options:
    """How the test vectors are made.

    Attributes:
        count: how many.
        seed: of random ones.
        origin: of given ones.
    """

    count: int = 5
    seed: int = 0
    origin: str = "given arrays"


@dataclass(frozen=True)
class ModelFolder:
    """The files of a model folder, and what is in them.

    Attributes:
        manifest: its model.json.
        files: path -> content.
        dtype: type of the file.
        model_bytes: size of the `.tflite`.
        labels: number of classes named.
        compare: whether another model came along.
        vectors: the test vectors.
        notes: what is to be known.
    """

    manifest: Manifest
    files: Mapping[str, bytes]
    dtype: str
    model_bytes: int
    labels: int
    compare: bool
    vectors: Vectors
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The folder with its documented JSON keys; of the files, the names."""
        return {
            "format": "android",
            "title": self.manifest.title,
            "files": sorted(self.files),
            "model_bytes": self.model_bytes,
            "sha256": self.manifest.sha256,
            "dtype": self.dtype,
            "input": self.manifest.input.as_table(),
            "labels": self.labels,
            "output_kind": self.manifest.output,
            "samples": len(self.manifest.samples),
            "compare": self.compare,
            "report": self.manifest.report is not None,
            "vectors": len(self.vectors.inputs),
            "runtime": self.vectors.runtime,
            "origin": self.vectors.origin,
            "notes": list(self.notes),
        }


def check(flatbuffer: FlatBuffer) -> tuple[list[Port], list[Port]]:
    """Whether the app can run the file, as far as reading it tells: its inputs and outputs.

    Raises:
        ModelError: it cannot.
    """
    if flatbuffer.is_encoded:
        raise ModelError(
            f"the file is encoded (operator {decode.OPERATOR}), and LiteRT on Android has no DECODE operator; "
            "export a plain file, made with --decode off"
        )
    if flatbuffer.only_tflm:
        raise ModelError(
            f"LiteRT on Android cannot run the file: {flatbuffer.only_tflm}; "
            "export one made for LiteRT (--runtime litert)"
        )
    every = [operator for graph in flatbuffer.graphs for operator in graph.operators]
    if custom := next((one.name for one in every if one.is_custom and one.name not in _CUSTOM), None):
        raise ModelError(
            f"operator {shown(custom)} is a custom one, which LiteRT on Android does not have; replace it in the model"
        )
    operators.check(flatbuffer)
    sides = ports.inputs_of(flatbuffer), ports.outputs_of(flatbuffer)
    for side, found in zip(("input", "output"), sides, strict=True):
        if not found:
            raise ModelError(f"the file has no {side}; nothing can be shown of it")
        for port in found:
            if port.dtype not in _TYPES:
                raise ModelError(
                    f"{side} '{shown(port.name)}' is of type {port.dtype}, which LiteRT for Java has no array for"
                )
            if port.scales.size > 1:
                raise ModelError(
                    f"{side} '{shown(port.name)}' has a scale per channel; the app takes one scale for all"
                )
    return sides


def checked_title(title: str) -> str:
    """A title that a user gave.

    Raises:
        UsageError: it is empty, too long or not printable.
    """
    line = title.strip()
    if not line or not line.isprintable() or len(line) > _LONGEST_TITLE:
        raise UsageError(f"the title is {title[:90]!r}; expected a line of 1 to {_LONGEST_TITLE} printable characters")
    return line


def make(
    flatbuffer: FlatBuffer,
    spec: InputSpec,
    parts: Parts,
    data: Inputs | Array | None = None,
    *,
    options: Options | None = None,
    progress: Progress = no_progress,
) -> ModelFolder:
    """The files of a model folder, after the file was run.

    Args:
        flatbuffer: the file.
        spec: what its input is; of several inputs, the first.
        parts: what goes with it.
        data: samples `[n, ...]` in the float model's units for the test vectors; None for random ones.
        options: how many vectors, and where `data` comes from.
        progress: called with stage, done, total.

    Raises:
        ModelError: the app or LiteRT cannot run the file, or the one that it is compared with.
        DataError: labels or a vocabulary of another length than the model's.
        UsageError: parts that do not go together.
    """
    options = options or Options()
    inputs, outputs = check(flatbuffer)
    _check_labels(parts.labels, outputs[0])
    vocabulary.check(parts.vocabulary, spec)
    rows = vocabulary.check_rows(flatbuffer, parts.vocabulary, spec)
    _check_compared((inputs, outputs), parts, spec)
    progress("running the test vectors on LiteRT", 0, 0)
    runs, real = vectors.make(
        flatbuffer, data, count=options.count, seed=options.seed, origin=options.origin, spec=spec, progress=progress
    )
    if parts.compare is not None:
        progress("running the model to compare with", 0, 0)
        _run_compared(parts.compare, real)
    output: Literal["classes", "values"] = "classes" if parts.labels or _is_distribution(outputs[0], runs) else "values"
    digest = hashlib.sha256(flatbuffer.data).hexdigest()
    files = _files(flatbuffer, parts, runs.as_json(digest))
    told = Manifest(
        checked_title(parts.title),
        digest,
        parts.made_by,
        spec,
        output,
        tuple((sample.file, sample.label) for sample in parts.samples),
        parts.report,
        tuple(sorted([*files, manifest.NAME, "README.md"])),
    )
    dtype = _dtype(flatbuffer, inputs)
    files |= {manifest.NAME: told.as_json(), "README.md": _readme(told, parts, runs, dtype, len(inputs))}
    compared = parts.compare is not None
    sorted_files = dict(sorted(files.items()))
    notes = tuple(note for note in (rows, _on_share(parts.labels, outputs[0], runs)) if note)
    return ModelFolder(told, sorted_files, dtype, len(flatbuffer.data), len(parts.labels), compared, runs, notes)


def _dtype(flatbuffer: FlatBuffer, inputs: Sequence[Port]) -> str:
    dtype = verify.dtype_of(flatbuffer)
    return "uint8" if dtype == "int8" and inputs[0].dtype == "uint8" else dtype


def _files(flatbuffer: FlatBuffer, parts: Parts, runs: bytes) -> dict[str, bytes]:
    files = {"model.tflite": flatbuffer.data, "vectors.json": runs}
    if parts.labels:
        files["labels.txt"] = texts.joined(parts.labels)
    if parts.vocabulary:
        files["vocabulary.txt"] = texts.joined(parts.vocabulary)
    if parts.compare is not None:
        files["compare.tflite"] = parts.compare.data
    if parts.licence:
        files["LICENSE.txt"] = parts.licence
    return files | {sample.file: sample.content for sample in parts.samples}


def _check_labels(labels: Sequence[str], output: Port) -> None:
    wanted, elements = output.shape[-1] if output.shape else 1, math.prod(output.shape)
    if labels and wanted != elements:
        raise DataError(
            f"labels came, and output '{shown(output.name)}' has shape {list(output.shape)}; the app names the "
            "values of an output [1, classes]: leave --labels out"
        )
    if wanted == 1 and len(labels) == 2 and output.is_quantized:
        low, high = output.real_range
        # A 16-bit range is symmetric, whatever the values are.
        if high > 1 + _OFF or (low < -_OFF and output.dtype != "int16"):
            raise DataError(
                f"two labels came, and output '{shown(output.name)}' is one value from {low:.4g} to {high:.4g}, which "
                "is no share from 0 to 1; leave --labels out, or give one name for the value"
            )
    if not labels or len(labels) == wanted or (wanted == 1 and len(labels) == 2):
        return
    raise DataError(
        f"{len(labels)} labels came, and output '{shown(output.name)}' of shape {list(output.shape)} has {wanted}; "
        + "expected one "
        + ("name, or two: that of 0, then that of 1" if wanted == 1 else f"name per class, {wanted} lines")
    )


def _check_compared(sides: tuple[Sequence[Port], Sequence[Port]], parts: Parts, spec: InputSpec) -> None:
    compare = parts.compare
    if compare is None:
        return
    try:
        theirs = check(compare)
    except CompressionError as error:
        raise ModelError(f"the model to compare with: {error}", details=error.details) from error
    for side, own, other in zip(("inputs", "outputs"), sides, theirs, strict=True):
        if [port.shape for port in own] != [port.shape for port in other]:
            shapes = [" ".join(str(list(port.shape)) for port in found) for found in (other, own)]
            raise ModelError(
                f"the model to compare with has {side} {shapes[0]}, and this one {shapes[1]}; give one with the same"
            )
    try:
        vocabulary.check_rows(compare, parts.vocabulary, spec)
    except DataError as error:
        raise DataError(f"the model to compare with: {error}", details=error.details) from error


def _run_compared(compare: FlatBuffer, real: Sequence[Array]) -> None:
    try:
        litert.run(compare.data, [array[:1] for array in real], kernels="builtin")
    except CompressionError as error:
        raise type(error)(f"the model to compare with: {error}", details=error.details) from error


def _on_share(labels: Sequence[str], output: Port, runs: Vectors) -> str:
    """A remark where two labels are to name a single value that is no share."""
    if len(labels) != 2 or math.prod(output.shape) != 1:
        return ""
    values = [float(output.from_file(np.frombuffer(row[0], output.dtype)).ravel()[0]) for row in runs.outputs]
    low, high = min(values), max(values)
    if low >= -_OFF and high <= 1 + _OFF:
        return ""
    return (
        f"two labels came, and output '{shown(output.name)}' is one value, {low:.4g} to {high:.4g} in the test "
        "vectors; the app shows it as a share from 0 to 1: end the model with a sigmoid, or leave --labels out"
    )


def _is_distribution(output: Port, runs: Vectors) -> bool:
    """Whether the first output is shares of a whole in every run: what a softmax makes."""
    if not output.shape or output.shape[-1] < 2 or output.shape[-1] != math.prod(output.shape):
        return False
    for row in runs.outputs:
        values = output.from_file(np.frombuffer(row[0], output.dtype).reshape(output.shape))
        if values.min() < 0 or np.abs(values.sum(axis=-1) - 1).max() > 0.05:
            return False
    return True


def _readme(told: Manifest, parts: Parts, runs: Vectors, dtype: str, inputs: int) -> bytes:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(_TEMPLATES)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, no HTML; titles are single printable lines
    )
    values = {"told": told, "parts": parts, "runs": runs, "dtype": dtype, "inputs": inputs}
    return environment.get_template("README.md.j2").render(values).encode()

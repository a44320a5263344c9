"""`tfcompress.evaluate`: how well a Keras model or a `.tflite` does on data, through a real interpreter."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters import child
from converters.child import GIB, Limits, Progress, no_progress
from converters.errors import DataError, FileError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import choice, feeding, keras, ports
from converters.runtimes.choice import Runtime
from converters.runtimes.ports import Array
from tfcompress import metrics
from tfcompress.data import function

# Data that a child opens itself: how many samples there are, and what the user's code does to get them, is not known
# here, so this bounds only what hangs.
_DATA_LIMITS = Limits(seconds=24 * 3600.0)
# A share of samples beyond the file's input range that no well-scaled data reaches: a quantizer's own range comes from
# calibration data of the same kind, so only rare outliers saturate.
_TELLING_SHARE = 0.05


@dataclass(frozen=True)
class Evaluation:
    """How well a model did.

    Attributes:
        metric: `accuracy`, `top-K`, `auc`, `f1` or `mse`.
        value: a fraction; for `mse` an error in squared units of the labels.
        samples: how many were scored.
        runtime: name and version of what ran the model.
        reason: why this metric, where it was not asked for.
        notes: what to know about the value.
    """

    metric: str
    value: float
    samples: int
    runtime: str
    reason: str = ""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The value with its documented JSON keys."""
        names = ("metric", "value", "samples", "runtime")
        return {name: getattr(self, name) for name in names} | {"notes": list(self.notes)}


def evaluate(
    model: Any,
    data: Any,
    *,
    metric: str | None = None,
    split: str = "test",
    scale: str = "none",
    seed: int = 0,
    label: str | None = None,
    runtime: Runtime | None = None,
    raw: bool = False,
    jobs: int | None = None,
    output: str | None = None,
    allow_code: bool = False,
    progress: Progress = no_progress,
) -> Evaluation:
    """Scores a model on data.

    Args:
        model: a path (`.tflite`, `.keras`, `.h5`, SavedModel folder), a `FlatBuffer`, or a Keras model in memory.
        data: a Task, a pair `(x, y)`, or the path of a data file as in `tfcompress evaluate`.
        metric: `accuracy`, `top-K`, `auc`, `f1` or `mse`; by default the Task's, else what labels and outputs call for.
        split: `train`, `val` or `test` part of the data.
        scale: how the images of a data file become the model's units; arrays and a Task are in them already.
        seed: splits a data file that is not split.
        label: name of a `.csv`'s label column.
        runtime: `litert` (XNNPACK), `litert-builtin`, `litert-reference` or `tflm`; by default `litert`, or `tflm` for
            a file that TFLM alone takes. A Keras model runs on Keras.
        raw: the data are the `.tflite` file's own integers.
        jobs: processes that share the samples of a `.tflite`; by default one per core.
        output: which output is scored, by name or number, where there are several.
        allow_code: let a Keras model file run code of its own.
        progress: called with stage, done, total.

    Raises:
        CompressionError: the message says what came, what was expected and what to do.
    """
    if runtime is not None:
        choice.checked(runtime)
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs is {jobs}; expected at least 1")
    chosen = metrics.Metric(metric) if metric else None
    part = _Part(data, split, scale, seed, label)
    flatbuffer = _flatbuffer(model)
    if flatbuffer is not None:
        answers = _run_file(flatbuffer, part, _Running(runtime, raw, jobs), progress)
    elif raw:
        raise UsageError("raw integers are for .tflite files; a Keras model takes data in its own units")
    else:
        answers = _run_keras(model, part, allow_code, progress)
    scores = answers.outputs[_chosen_output(answers.names, output)]
    _check_finite(scores)
    if chosen is None and answers.metric:
        chosen = metrics.Metric(answers.metric, "the task asks for it")
    chosen = chosen or metrics.infer(answers.labels, scores)
    value = metrics.score(chosen, answers.labels, scores)
    return Evaluation(chosen.name, value, len(answers.labels), answers.runtime, chosen.reason, answers.notes)


@dataclass(frozen=True)
class _Running:
    runtime: Runtime | None
    raw: bool
    jobs: int | None


@dataclass(frozen=True)
class _Answers:
    """What a model said about some samples, and what is true."""

    outputs: list[Array]
    names: list[str]
    labels: Array
    metric: str
    runtime: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Samples:
    """Inputs, labels, and the metric that a Task asks for."""

    x: Any
    y: Array
    metric: str = ""


@dataclass(frozen=True)
class _Part:
    """One split of some data."""

    data: Any
    split: str
    scale: str
    seed: int
    label: str | None

    def __post_init__(self) -> None:
        if self.split not in ("train", "val", "test"):
            raise UsageError(f"split is {self.split!r}; expected train, val or test")
        if self.scale != "none" and not self.is_file:
            raise UsageError(
                f"scale is {self.scale!r}, and arrays are in the model's units already; "
                "leave scale out, or give the path of a data file"
            )

    @property
    def is_file(self) -> bool:
        return isinstance(self.data, (str, Path))

    @property
    def is_code(self) -> bool:
        """Whether the data is `file.py:function`, which may import or print anything."""
        return self.is_file and function.parse(str(self.data)) is not None

    def as_plain(self) -> dict[str, Any]:
        """Plain values that can cross to a child process: `_Part(**plain)` is the inverse, for data of a path."""
        return dataclasses.asdict(self) | {"data": str(self.data)}

    def samples(self, shapes: Sequence[Sequence[int | None]]) -> _Samples:
        """Inputs and labels; images of a folder get the size of the model's input, whose shapes lack the batch."""
        if isinstance(self.data, tuple) and len(self.data) == 2:
            return _Samples(_as_inputs(self.data[0]), np.asarray(self.data[1]))
        task = self._load(shapes) if self.is_file else self.data
        x, y = getattr(task, f"x_{self.split}", None), getattr(task, f"y_{self.split}", None)
        if x is None or y is None:
            raise DataError(f"the data has no {self.split} part with labels; choose another --split")
        return _Samples(_as_inputs(x), np.asarray(y), getattr(task, "metric", ""))

    def _load(self, shapes: Sequence[Sequence[int | None]]) -> Any:
        from tfcompress import task

        image_size = None
        if len(shapes) == 1 and len(shapes[0]) == 3:
            image_size = tuple(size for size in shapes[0] if size is not None)
        return task.load(
            self.data,
            scale=self.scale,
            seed=self.seed,
            image_size=image_size if image_size and len(image_size) == 3 else None,
            label=self.label,
            parts=(self.split,),
        )


def _as_inputs(x: Any) -> Any:
    return x if isinstance(x, (Mapping, list, tuple)) else np.asarray(x)


def _flatbuffer(model: Any) -> FlatBuffer | None:
    if isinstance(model, FlatBuffer):
        return model
    if isinstance(model, (str, Path)):
        path = Path(model)
        if not path.exists():
            raise FileError(f"{path} does not exist; name a .tflite, .keras or .h5 file or a SavedModel folder")
        return FlatBuffer.read(path) if path.suffix == ".tflite" or FlatBuffer.is_one(path) else None
    return None


def _run_file(flatbuffer: FlatBuffer, part: _Part, running: _Running, progress: Progress) -> _Answers:
    runtime, why = choice.for_file(flatbuffer, running.runtime)
    progress("loading the data", 0, 0)
    inputs = ports.inputs_of(flatbuffer)
    shapes = [port.shape[1:] for port in inputs]
    samples = _samples_apart(part, shapes, progress) if part.is_code else part.samples(shapes)
    arrays = ports.arrange(inputs, samples.x)
    outputs = choice.run(
        flatbuffer.data,
        arrays,
        runtime=runtime,
        jobs=running.jobs or os.cpu_count() or 1,
        raw=running.raw,
        limits=feeding.limits(arrays, seconds=60.0, memory_bytes=4 * GIB),
        progress=progress,
    )
    names = [port.name for port in ports.outputs_of(flatbuffer)]
    notes = () if running.raw else _notes(inputs, arrays)
    notes = (why, *notes) if why else notes
    return _Answers(outputs, names, samples.y, samples.metric, choice.describe(runtime), notes)


def _samples_apart(part: _Part, shapes: Sequence[Sequence[int | None]], progress: Progress) -> _Samples:
    """Samples that the user's code makes, in a child: the code may import TensorFlow, which has no place here."""
    name = "tfcompress.evaluation:samples_here"
    what = f"running {part.data}"
    x, y, metric = child.call(name, part.as_plain(), shapes, what=what, limits=_DATA_LIMITS, progress=progress)
    return _Samples(x, y, metric)


def samples_here(part: dict[str, Any], shapes: list[list[int | None]], *, progress: Progress) -> tuple[Any, Array, str]:
    """Inputs, labels and metric of some data, opened in this (child) process."""
    progress("loading the data", 0, 0)
    samples = _Part(**part).samples(shapes)
    x = samples.x
    if isinstance(x, Mapping):
        x = {name: _crossing(rows) for name, rows in x.items()}
    else:
        x = [_crossing(rows) for rows in x] if isinstance(x, (list, tuple)) else _crossing(x)
    return x, samples.y, samples.metric


def _crossing(rows: Any) -> Array:
    array = np.asarray(rows)
    if array.dtype.hasobject:
        raise DataError("the data holds Python objects; give arrays of numbers, all samples of the same shape")
    return array


def _run_keras(model: Any, part: _Part, allow_code: bool, progress: Progress) -> _Answers:
    if not isinstance(model, (str, Path)):
        samples = part.samples(keras.input_shapes(model))
        said = keras.predict(model, samples.x, progress=progress)
    elif part.is_file:
        # The model says what size images should have, so both are opened in the child.
        plain, labels, metric = child.call(
            "tfcompress.evaluation:run_keras_here",
            *(str(model), allow_code, part.as_plain()),
            what="running the Keras model",
            limits=_DATA_LIMITS,
            progress=progress,
        )
        samples, said = _Samples(None, labels, metric), keras.Prediction(**plain)
    else:
        samples = part.samples([])
        said = keras.run(model, samples.x, allow_code=allow_code, progress=progress)
    return _Answers(said.outputs, said.names, samples.y, samples.metric, said.runtime)


def run_keras_here(
    model: str, allow_code: bool, part: dict[str, Any], *, progress: Progress
) -> tuple[dict[str, Any], Array, str]:
    """Prediction, labels and metric of a Keras model file on a data file, both opened in this (child) process."""
    loaded = keras.open_here(model, allow_code=allow_code, progress=progress)
    progress("loading the data", 0, 0)
    samples = _Part(**part).samples(keras.input_shapes(loaded))
    return keras.predict(loaded, samples.x, progress=progress).as_plain(), samples.y, samples.metric


def _chosen_output(names: list[str], wanted: str | None) -> int:
    if wanted is None:
        if len(names) == 1:
            return 0
        raise UsageError(
            f"the model has {len(names)} outputs; say which one to score with --output: {', '.join(names)}"
        )
    if wanted in names:
        return names.index(wanted)
    if wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    raise UsageError(f"the model has no output {wanted!r}; its outputs are {', '.join(names)}, or their numbers from 0")


def _check_finite(outputs: Array) -> None:
    if outputs.dtype.kind == "f" and not np.isfinite(outputs).all():
        broken = int(np.sum(~np.isfinite(outputs.reshape(len(outputs), -1)).all(axis=1)))
        raise ModelError(
            f"the model gave NaN or infinity for {broken} of {len(outputs)} samples; "
            "check its weights and the data's scale"
        )


def _notes(inputs: Sequence[ports.Port], arrays: Sequence[Array]) -> tuple[str, ...]:
    """What the input range says about the data: wrong scaling is the commonest silent failure."""
    notes = []
    for port, array in zip(inputs, arrays, strict=True):
        low, high = port.real_range
        if not np.isfinite([low, high]).all():
            continue
        beyond = float(np.mean(np.less(array, low) | np.greater(array, high)))
        shown = f"the file's input '{port.name}' takes {low:.4g} to {high:.4g}; the data goes from {array.min():.4g} to"
        if beyond > _TELLING_SHARE:
            notes.append(
                f"{shown} {array.max():.4g}, {beyond:.0%} of it beyond: is it scaled as in training (--scale)?"
            )
        elif float(array.max()) - float(array.min()) < 0.02 * (high - low):
            notes.append(f"{shown} {array.max():.4g}, a sliver of that: is it scaled as in training (--scale)?")
    return tuple(notes)

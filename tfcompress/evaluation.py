"""`tfcompress.evaluate`: how well a Keras model or a `.tflite` does on data, through a real interpreter."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from converters.child import GIB, Limits, Progress, no_progress
from converters.errors import DataError, FileError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import keras, litert, ports, tflm
from converters.runtimes.litert import Kernels
from converters.runtimes.ports import Array
from tfcompress import metrics

Runtime = Literal["litert", "litert-builtin", "litert-reference", "tflm"]
_KERNELS: dict[str, Kernels] = {"litert": "default", "litert-builtin": "builtin", "litert-reference": "reference"}

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
        return {"metric": self.metric, "value": self.value, "samples": self.samples, "runtime": self.runtime}


@dataclass(frozen=True)
class Running:
    """How a model file is run.

    Attributes:
        runtime: `litert` (XNNPACK), `litert-builtin`, `litert-reference` or `tflm`; a Keras model runs on Keras.
        raw: the data are the file's own integers.
        jobs: processes that share the samples; by default one per core.
        output: which output is scored, by name or number, where there are several.
        allow_code: let a Keras model file run code of its own.
    """

    runtime: Runtime = "litert"
    raw: bool = False
    jobs: int | None = None
    output: str | None = None
    allow_code: bool = False

    def __post_init__(self) -> None:
        if self.runtime not in get_args(Runtime):
            raise UsageError(f"runtime is {self.runtime!r}; expected one of {', '.join(get_args(Runtime))}")
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"jobs is {self.jobs}; expected at least 1")


def evaluate(
    model: Any,
    data: Any,
    *,
    metric: str | None = None,
    split: str = "test",
    scale: str = "none",
    seed: int = 0,
    running: Running | None = None,
    progress: Progress = no_progress,
) -> Evaluation:
    """Scores a model on data.

    Args:
        model: a path (`.tflite`, `.keras`, `.h5`, SavedModel folder), a `FlatBuffer`, or a Keras model in memory.
        data: a Task, a pair `(x, y)`, or the path of a data file as in `tfcompress evaluate`.
        metric: `accuracy`, `top-K`, `auc`, `f1` or `mse`; by default what labels and outputs call for.
        split: `train`, `val` or `test` part of the data.
        scale: how the images of a data file become the model's units.
        seed: splits a data file that is not split.
        running: how the model is run; see `Running`.
        progress: called with stage, done, total.

    Raises:
        CompressionError: the message says what came, what was expected and what to do.
    """
    running = running or Running()
    chosen = metrics.Metric(metric) if metric else None
    flatbuffer = _flatbuffer(model)
    x, y = _samples(data, split, scale, seed, flatbuffer)
    if flatbuffer is not None:
        outputs, runtime = _run_file(flatbuffer, x, running, progress)
        names = [port.name for port in ports.outputs_of(flatbuffer)]
        notes = _notes(flatbuffer, x, running)
    else:
        outputs, runtime = _run_keras(model, x, running, progress)
        names, notes = [str(index) for index in range(len(outputs))], ()
    scores = outputs[_chosen_output(names, running.output)]
    _check_finite(scores)
    labels = np.asarray(y)
    chosen = chosen or metrics.infer(labels, scores)
    value = metrics.score(chosen, labels, scores)
    return Evaluation(chosen.name, value, len(labels), runtime, chosen.reason, notes)


def _flatbuffer(model: Any) -> FlatBuffer | None:
    if isinstance(model, FlatBuffer):
        return model
    if isinstance(model, (str, Path)):
        path = Path(model)
        if not path.exists():
            raise FileError(f"{path} does not exist; name a .tflite, .keras or .h5 file or a SavedModel folder")
        return FlatBuffer.read(path) if path.suffix == ".tflite" or _is_flatbuffer(path) else None
    return None


def _is_flatbuffer(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(8)[4:] == b"TFL3"


def _samples(data: Any, split: str, scale: str, seed: int, flatbuffer: FlatBuffer | None) -> tuple[Any, Any]:
    if split not in ("train", "val", "test"):
        raise UsageError(f"split is {split!r}; expected train, val or test")
    if isinstance(data, tuple) and len(data) == 2:
        x, y = data
    else:
        task = _load(data, scale, seed, flatbuffer) if isinstance(data, (str, Path)) else data
        x, y = getattr(task, f"x_{split}"), getattr(task, f"y_{split}")
    if x is None or y is None:
        raise DataError(f"the data has no {split} part with labels; choose another --split")
    return x, y


def _load(path: str | Path, scale: str, seed: int, flatbuffer: FlatBuffer | None) -> Any:
    from tfcompress import task

    shapes = [tensor.shape for tensor in flatbuffer.inputs] if flatbuffer else []
    image_size = tuple(shapes[0][1:3]) if len(shapes) == 1 and len(shapes[0]) == 4 else None
    return task.load(path, scale=scale, seed=seed, image_size=image_size)


def _run_file(flatbuffer: FlatBuffer, x: Any, running: Running, progress: Progress) -> tuple[list[Array], str]:
    inputs = x if isinstance(x, (Mapping, list, tuple)) else np.asarray(x)
    jobs = running.jobs or os.cpu_count() or 1
    # Five seconds a sample is more than any model for small devices takes, even on TFLM's reference kernels.
    limits = Limits(seconds=60.0 + 5.0 * _count(inputs), memory_bytes=4 * GIB)
    if running.runtime == "tflm":
        runtime = tflm.describe()
        outputs = tflm.run(flatbuffer.data, inputs, jobs=jobs, raw=running.raw, limits=limits, progress=progress)
        return outputs, runtime
    kernels = _KERNELS[running.runtime]
    outputs = litert.run(
        flatbuffer.data, inputs, kernels=kernels, jobs=jobs, raw=running.raw, limits=limits, progress=progress
    )
    return outputs, litert.describe(kernels)


def _count(inputs: Mapping[str, Array] | Sequence[Array] | Array) -> int:
    arrays = inputs.values() if isinstance(inputs, Mapping) else [inputs] if isinstance(inputs, np.ndarray) else inputs
    return max((len(array) for array in arrays), default=0)


def _run_keras(model: Any, x: Any, running: Running, progress: Progress) -> tuple[list[Array], str]:
    if running.raw:
        raise UsageError("raw integers are for .tflite files; a Keras model takes data in its own units")
    inputs = x if isinstance(x, (Mapping, list, tuple)) else np.asarray(x)
    if isinstance(model, (str, Path)):
        return keras.run(model, inputs, allow_code=running.allow_code, progress=progress)
    return keras.predict(model, inputs if isinstance(inputs, Mapping) else _listed(inputs), progress=progress)


def _listed(inputs: Sequence[Array] | Array) -> list[Array]:
    return [inputs] if isinstance(inputs, np.ndarray) else list(inputs)


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


def _notes(flatbuffer: FlatBuffer, x: Any, running: Running) -> tuple[str, ...]:
    """What the input range says about the data: wrong scaling is the commonest silent failure."""
    if running.raw:
        return ()
    notes = []
    inputs = ports.inputs_of(flatbuffer)
    arrays = ports.arrange(inputs, x if isinstance(x, (Mapping, list, tuple)) else np.asarray(x))
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

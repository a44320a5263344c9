"""A Keras model's own outputs, which a converted file's are compared with; files run in a child process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from converters import child
from converters.child import GIB, Limits, Progress, no_progress
from converters.errors import DataError, ModelError
from converters.runtimes import feeding
from converters.runtimes.ports import Array, Inputs

_BATCH = 64
# A large model may take minutes to load and trace.
_START_SECONDS = 3600.0


@dataclass(frozen=True)
class Prediction:
    """What a Keras model said.

    Attributes:
        outputs: one array `[n, ...]` per output.
        names: of the outputs.
        runtime: name and version of what ran the model.
    """

    outputs: list[Array]
    names: list[str]
    runtime: str

    def as_plain(self) -> dict[str, Any]:
        """Plain values that can leave a child process: `Prediction(**plain)` is the inverse."""
        return {"outputs": self.outputs, "names": self.names, "runtime": self.runtime}


def run(
    path: Path | str,
    inputs: Inputs | Array,
    *,
    allow_code: bool = False,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> Prediction:
    """Outputs of a model file for given samples.

    Args:
        path: `.keras`, `.h5` or a SavedModel folder; checked as data before it is loaded.
        inputs: arrays `[n, ...]`, by input name, in the model's order, or one array.
        allow_code: let the file run code of its own.
        limits: time and memory of the process; by default they grow with the samples.
        progress: told the samples done.

    Raises:
        ModelError: the file is damaged, of an unknown kind, or cannot be run.
        UnsafeModelError: it holds code and `allow_code` is off.
        DataError: the data does not fit the model.
        ChildDiedError: TensorFlow crashed or ran out of time or memory.
    """
    given: dict[str, Array] | list[Array]
    if isinstance(inputs, Mapping):
        given = {name: np.asarray(array) for name, array in inputs.items()}
    else:
        given = [inputs] if isinstance(inputs, np.ndarray) else [np.asarray(array) for array in inputs]
    if limits is None:
        arrays = list(given.values()) if isinstance(given, dict) else given
        limits = feeding.limits(arrays, seconds=_START_SECONDS, memory_bytes=16 * GIB)
    arguments = (str(path), given, allow_code)
    function, what = "converters.runtimes.keras:run_here", "running the Keras model"
    return Prediction(**child.call(function, *arguments, what=what, limits=limits, progress=progress))


def run_here(
    path: str, given: dict[str, Array] | list[Array], allow_code: bool, *, progress: Progress
) -> dict[str, Any]:
    """The child's part of `run`."""
    return predict(open_here(path, allow_code=allow_code, progress=progress), given, progress=progress).as_plain()


def open_here(path: str | Path, *, allow_code: bool, progress: Progress = no_progress) -> Any:
    """A checked and loaded Keras model or SavedModel graph, in this (child) process; see `run` for the errors."""
    from converters.keras_models import load, safety

    progress("loading the Keras model", 0, 0)
    return load.load(safety.check(Path(path), allow_code=allow_code), allow_code=allow_code)


def input_shapes(model: Any) -> list[tuple[int | None, ...]]:
    """The inputs' shapes without the batch, None for what is open, of what `open_here` gave."""
    return [port.shape for port in _inputs(model)]


def predict(
    model: Any, given: Mapping[str, Array] | Sequence[Array] | Array, *, progress: Progress = no_progress
) -> Prediction:
    """Outputs of a Keras 3 or tf_keras model, or of what `open_here` gave, in this process; see `run`."""
    inputs = _inputs(model)
    if _is_graph(model):

        def outputs_of(batch: list[Array]) -> list[Array]:
            results = model.function(**{port.name: array for port, array in zip(inputs, batch, strict=True)})
            return [np.asarray(results[name]) for name in model.outputs]

        # A call makes a session of its own: few large batches.
        outputs = _in_batches(inputs, given, outputs_of, 8 * _BATCH, progress)
        return Prediction(outputs, list(model.outputs), f"TensorFlow {version('tensorflow')}")

    from converters.keras_models.tracing import pack_inputs, scope_names

    def predicted(batch: list[Array]) -> list[Array]:
        return _flat(model.predict_on_batch(pack_inputs(model, batch)))

    with scope_names(model):
        outputs = _in_batches(inputs, given, predicted, _BATCH, progress)
    # Keras 3 leaves a Sequential model's output unnamed until it is asked for in another way; a number will do.
    names = [str(name) for name in getattr(model, "output_names", None) or range(len(outputs))]
    return Prediction(outputs, names, _package(model))


@dataclass(frozen=True)
class _Input:
    """One input: its shape without the batch, None for what is open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def _is_graph(model: Any) -> bool:
    # A `LoadedSavedModel`, told apart without importing TensorFlow; any Keras model has layers.
    return hasattr(model, "signature") and not hasattr(model, "layers")


def _inputs(model: Any) -> list[_Input]:
    if _is_graph(model):
        return [_Input(spec.name, spec.shape, spec.dtype) for spec in model.inputs]
    _package(model)
    return [_Input(_name(tensor), tuple(tensor.shape)[1:], _dtype(tensor)) for tensor in model.inputs]


def _in_batches(
    inputs: Sequence[_Input],
    given: Mapping[str, Array] | Sequence[Array] | Array,
    outputs_of: Callable[[list[Array]], list[Array]],
    size: int,
    progress: Progress,
) -> list[Array]:
    arrays = _ordered(inputs, given)
    _check_shapes(inputs, arrays)
    count, collected = len(arrays[0]), []
    for start in range(0, count, size):
        batch = [array[start : start + size].astype(port.dtype) for array, port in zip(arrays, inputs, strict=True)]
        collected.append(outputs_of(batch))
        progress("running", min(start + size, count), count)
    return [np.concatenate(pieces) for pieces in zip(*collected, strict=True)]


def _flat(outputs: Any) -> list[Array]:
    if isinstance(outputs, Mapping):
        return [np.asarray(value) for value in outputs.values()]
    if isinstance(outputs, (list, tuple)):
        return [np.asarray(value) for value in outputs]
    return [np.asarray(outputs)]


def _ordered(inputs: Sequence[_Input], given: Mapping[str, Array] | Sequence[Array] | Array) -> list[Array]:
    names = [port.name for port in inputs]
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise DataError(f"the data names the inputs {sorted(given)}; the model's inputs are {names}")
        arrays = [np.asarray(given[name]) for name in names]
    else:
        arrays = [given] if isinstance(given, np.ndarray) else [np.asarray(array) for array in given]
    if len(arrays) != len(names):
        raise DataError(f"the data has {len(arrays)} inputs and the model {len(names)}: {', '.join(names)}")
    if len({len(array) for array in arrays}) != 1 or not len(arrays[0]):
        raise DataError("the inputs need the same number of samples, at least one, along their first axis")
    return arrays


def _name(tensor: Any) -> str:
    return str(tensor.name).partition(":")[0]


def _dtype(tensor: Any) -> str:
    return str(getattr(tensor.dtype, "name", tensor.dtype))


def _check_shapes(inputs: Sequence[_Input], arrays: list[Array]) -> None:
    for port, array in zip(inputs, arrays, strict=True):
        wanted, sample = port.shape, array.shape[1:]
        fits = len(wanted) == len(sample) and all(size in (None, got) for size, got in zip(wanted, sample, strict=True))
        if not fits:
            shown = ", ".join("any" if size is None else str(size) for size in wanted)
            raise DataError(
                f"the data for input '{port.name}' has samples of shape {list(sample)}; "
                f"the model takes samples of shape [{shown}]; reshape or resize the data"
            )
        if array.dtype.kind not in "fiub":
            raise DataError(f"the data for input '{port.name}' is of type {array.dtype}; give numbers")
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise DataError(f"the data for input '{port.name}' holds NaN; remove those samples or fill the gaps")


def _package(model: Any) -> str:
    for base in type(model).__mro__:
        package = base.__module__.partition(".")[0]
        if package in ("keras", "tf_keras") and hasattr(model, "inputs"):
            return f"{'Keras' if package == 'keras' else package} {version(package)}"
    raise ModelError(f"a {type(model).__name__} is no Keras model; give a Keras 3 or tf_keras model, or a file")

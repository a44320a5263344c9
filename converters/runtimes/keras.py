"""A Keras model's own outputs, which a converted file's are compared with; files run in a child process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from converters import child
from converters.child import Limits, Progress, no_progress
from converters.errors import DataError, ModelError
from converters.runtimes.ports import Array, Inputs

_BATCH = 64


def run(
    path: Path | str,
    inputs: Inputs | Array,
    *,
    allow_code: bool = False,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> tuple[list[Array], str]:
    """Outputs of a model file for given samples.

    Args:
        path: `.keras`, `.h5` or a SavedModel folder; checked as data before it is loaded.
        inputs: arrays `[n, ...]`, by input name, in the model's order, or one array.
        allow_code: let the file run code of its own.
        limits: time and memory of the process.
        progress: told the samples done.

    Returns:
        One array `[n, ...]` per output, and the name and version of what ran it.

    Raises:
        ModelError: the file is damaged, of an unknown kind, or cannot be run.
        UnsafeModelError: it holds code and `allow_code` is off.
        DataError: the data does not fit the model.
        ChildDiedError: TensorFlow crashed or ran out of time or memory.
    """
    given = (
        dict(inputs) if isinstance(inputs, Mapping) else [inputs] if isinstance(inputs, np.ndarray) else list(inputs)
    )
    outputs, runtime = child.call(
        "converters.runtimes.keras:run_here",
        *(str(path), given, allow_code),
        what="running the Keras model",
        limits=limits,
        progress=progress,
    )
    return outputs, runtime


def run_here(
    path: str, given: dict[str, Array] | list[Array], allow_code: bool, *, progress: Progress
) -> tuple[list[Array], str]:
    """The child's part of `run`."""
    from converters.keras_models import load, safety

    progress("loading the Keras model", 0, 0)
    model_file = safety.check(Path(path), allow_code=allow_code)
    model = load.load(model_file, allow_code=allow_code)
    if isinstance(model, load.LoadedSavedModel):
        return _predict_signature(model, given, progress=progress)
    return predict(model, given, progress=progress)


def predict(
    model: Any, given: Mapping[str, Array] | Sequence[Array], *, progress: Progress = no_progress
) -> tuple[list[Array], str]:
    """Outputs of a loaded Keras 3 or tf_keras model, in this process; see `run`."""
    runtime = _version(model)
    inputs = [_Input(_name(tensor), tuple(tensor.shape)[1:], _dtype(tensor)) for tensor in model.inputs]

    def outputs_of(batch: list[Array]) -> list[Array]:
        return _flat(model.predict_on_batch(batch if len(batch) > 1 else batch[0]))

    return _in_batches(inputs, given, outputs_of, _BATCH, progress), runtime


def _predict_signature(
    model: Any, given: Mapping[str, Array] | Sequence[Array], *, progress: Progress
) -> tuple[list[Array], str]:
    """Outputs of a SavedModel's graph."""
    inputs = [_Input(spec.name, spec.shape, spec.dtype) for spec in model.inputs]

    def outputs_of(batch: list[Array]) -> list[Array]:
        named = {spec.name: array for spec, array in zip(model.inputs, batch, strict=True)}
        results = model.function(**named)
        return [np.asarray(results[name]) for name in model.outputs]

    # A call makes a session of its own: few large batches.
    return _in_batches(inputs, given, outputs_of, 8 * _BATCH, progress), f"TensorFlow {metadata.version('tensorflow')}"


@dataclass(frozen=True)
class _Input:
    """One input: its shape without the batch, None for what is open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


def _in_batches(
    inputs: Sequence[_Input],
    given: Mapping[str, Array] | Sequence[Array],
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


def _ordered(inputs: Sequence[_Input], given: Mapping[str, Array] | Sequence[Array]) -> list[Array]:
    names = [port.name for port in inputs]
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise DataError(f"the data names the inputs {sorted(given)}; the model's inputs are {names}")
        arrays = [np.asarray(given[name]) for name in names]
    else:
        arrays = [np.asarray(array) for array in given]
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


def _version(model: Any) -> str:
    package = type(model).__module__.partition(".")[0]
    for base in type(model).__mro__:
        if base.__module__.partition(".")[0] in ("keras", "tf_keras"):
            package = base.__module__.partition(".")[0]
            break
    else:
        raise ModelError(f"a {type(model).__name__} is no Keras model; give a Keras 3 or tf_keras model, or a file")
    return f"{'Keras' if package == 'keras' else package} {metadata.version(package)}"

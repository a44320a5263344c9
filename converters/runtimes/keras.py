"""A Keras model's own outputs, which a converted file's are compared with; files run in a child process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    return predict(load.load(model_file, allow_code=allow_code), given, progress=progress)


def predict(
    model: Any, given: Mapping[str, Array] | Sequence[Array], *, progress: Progress = no_progress
) -> tuple[list[Array], str]:
    """Outputs of a loaded Keras 3 or tf_keras model, in this process; see `run`."""
    arrays = _ordered(list(model.inputs), given)
    _check_shapes(list(model.inputs), arrays)
    dtypes = [str(getattr(tensor.dtype, "name", tensor.dtype)) for tensor in model.inputs]
    count, collected = len(arrays[0]), []
    for start in range(0, count, _BATCH):
        stop = start + _BATCH
        batch = [array[start:stop].astype(dtype) for array, dtype in zip(arrays, dtypes, strict=True)]
        outputs = model.predict_on_batch(batch if len(batch) > 1 else batch[0])
        collected.append(_flat(outputs))
        progress("running", min(start + _BATCH, count), count)
    return [np.concatenate(pieces) for pieces in zip(*collected, strict=True)], _version(model)


def _flat(outputs: Any) -> list[Array]:
    if isinstance(outputs, Mapping):
        return [np.asarray(value) for value in outputs.values()]
    if isinstance(outputs, (list, tuple)):
        return [np.asarray(value) for value in outputs]
    return [np.asarray(outputs)]


def _ordered(inputs: list[Any], given: Mapping[str, Array] | Sequence[Array]) -> list[Array]:
    names = [_name(tensor) for tensor in inputs]
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


def _check_shapes(inputs: list[Any], arrays: list[Array]) -> None:
    for tensor, array in zip(inputs, arrays, strict=True):
        wanted = tuple(tensor.shape)[1:]
        sample = array.shape[1:]
        fits = len(wanted) == len(sample) and all(size in (None, got) for size, got in zip(wanted, sample, strict=True))
        if not fits:
            shown = ", ".join("any" if size is None else str(size) for size in wanted)
            raise DataError(
                f"the data for input '{_name(tensor)}' has samples of shape {list(sample)}; "
                f"the model takes samples of shape [{shown}]; reshape or resize the data"
            )
        if array.dtype.kind not in "fiub":
            raise DataError(f"the data for input '{_name(tensor)}' is of type {array.dtype}; give numbers")
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise DataError(f"the data for input '{_name(tensor)}' holds NaN; remove those samples or fill the gaps")


def _version(model: Any) -> str:
    package = type(model).__module__.partition(".")[0]
    for base in type(model).__mro__:
        if base.__module__.partition(".")[0] in ("keras", "tf_keras"):
            package = base.__module__.partition(".")[0]
            break
    else:
        raise ModelError(f"a {type(model).__name__} is no Keras model; give a Keras 3 or tf_keras model, or a file")
    from importlib import metadata

    return f"{'Keras' if package == 'keras' else package} {metadata.version(package)}"

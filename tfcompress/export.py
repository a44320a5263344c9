"""`tfcompress.export`: a `.tflite` file as a project for a microcontroller, with test vectors from the user's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converters import child, decode
from converters.child import Limits, Progress, no_progress
from converters.errors import DataError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.microcontroller import bundle, catalogue, identifiers
from converters.microcontroller.bundle import Bundle
from converters.runtimes import ports
from tfcompress import task

ANDROID = "android"
# What the user's code does to get its data is not known here: this bounds only what hangs.
_DATA_LIMITS = Limits(seconds=24 * 3600.0)


def formats() -> list[str]:
    """What a file can be exported for."""
    return [*catalogue.names(), ANDROID]


def export(
    file: Path | str | FlatBuffer,
    format_name: str,
    *,
    data: Any = None,
    name: str | None = None,
    vectors: int = 5,
    arena_margin: int = 10,
    scale: str = "none",
    seed: int = 0,
    label: str | None = None,
    progress: Progress = no_progress,
) -> Bundle:
    """Makes the project; `converters.microcontroller.folder.write` puts its files in place.

    Args:
        file: the `.tflite` file.
        format_name: one of `formats()`.
        data: for the test vectors: arrays `[n, ...]` in the float model's units (one, or one per input by name or in
            order), a Task, or the path of a data file; test samples are taken where there are any. None: random.
        name: namespace of the C++; by default from the file's name.
        vectors: how many test vectors.
        arena_margin: percent of the measured arena that is given on top.
        scale: how images of a data file become the model's units.
        seed: draws the samples, or random inputs.
        label: label column of a `.csv`.
        progress: called with stage, done, total.

    Raises:
        CompressionError: the message says what came, what was expected and what to do.
    """
    if format_name not in formats():
        raise UsageError(f"there is no format {format_name!r}; expected one of {', '.join(formats())}")
    is_path = isinstance(data, (str, Path))
    if not is_path and (scale != "none" or label is not None):
        raise UsageError("--scale and --label are for data files; name one with --data, or leave them out")
    if is_path:
        task.check_there(str(data))
    flatbuffer = file if isinstance(file, FlatBuffer) else FlatBuffer.read(file)
    if format_name == ANDROID:
        raise _no_android(flatbuffer)
    bundle.check(flatbuffer, catalogue.find(format_name))
    stem = "network" if isinstance(file, FlatBuffer) else _stem(Path(file))
    loading = {"path": str(data), "scale": scale, "label": label, "count": vectors, "seed": seed}
    options = bundle.Options(vectors, seed, arena_margin, "the user's data" if data is not None else "")
    return bundle.make(
        flatbuffer,
        format_name,
        _samples(flatbuffer, loading, data, progress),
        name=name or identifiers.namespace_of(stem),
        options=options,
        progress=progress,
    )


def _stem(path: Path) -> str:
    """The name of the file; of its folder where it is called `model`, as every result of `compress` is."""
    return (path.resolve().parent.name or path.stem) if path.stem == "model" else path.stem


def _no_android(flatbuffer: FlatBuffer) -> ModelError | UsageError:
    if flatbuffer.is_encoded:
        return ModelError(
            f"the file is encoded (operator {decode.OPERATOR}), and LiteRT on Android has no DECODE operator; "
            "export a plain file, made with --decode off"
        )
    return UsageError(f"this version cannot export for android yet; expected one of {', '.join(catalogue.names())}")


def _samples(flatbuffer: FlatBuffer, loading: Mapping[str, Any], data: Any, progress: Progress) -> Any:
    """Arrays for the vectors, or None."""
    count = int(loading["count"])
    if isinstance(data, (str, Path)):
        shapes = [list(port.shape[1:]) for port in ports.inputs_of(flatbuffer)]
        what = f"loading {data}"
        arguments = (dict(loading), shapes)
        return child.call(
            "tfcompress.export:samples_here", *arguments, what=what, limits=_DATA_LIMITS, progress=progress
        )
    if isinstance(data, task.Task):
        return _drawn(data, count, int(loading["seed"]))
    return data


def samples_here(loading: Mapping[str, Any], shapes: Sequence[Sequence[int]], *, progress: Progress) -> Any:
    """Samples of a data file, opened in this (child) process: it may be code."""
    progress("loading the data", 0, 0)
    image_size = tuple(shapes[0]) if len(shapes) == 1 and len(shapes[0]) == 3 else None
    loaded = task.load(
        loading["path"], scale=loading["scale"], seed=loading["seed"], image_size=image_size, label=loading["label"]
    )
    return _drawn(loaded, loading["count"], loading["seed"])


def _drawn(loaded: task.Task, count: int, seed: int) -> Any:
    """Samples of the test split, else of validation, else of training; in stored order."""
    split = next((name for name in ("test", "val", "train") if loaded.count(name)), None)
    if split is None:
        raise DataError("the data has no samples; give x, or x_test")
    chosen = np.sort(np.random.default_rng(seed).permutation(loaded.count(split))[:count])
    found = {name: np.asarray(rows[chosen]) for name, rows in loaded.inputs(split).items()}
    return found["x"] if list(found) == ["x"] else found

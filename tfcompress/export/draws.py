"""Samples for test vectors: of a data file, which may be code, of a Task, or given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters import child
from converters.child import Limits, Progress
from converters.errors import DataError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.inputs import ImageInput
from converters.runtimes import ports
from tfcompress import task
from tfcompress.export import pixels

# What the user's code does to get its data is not known here: this bounds only what hangs.
_LIMITS = Limits(seconds=24 * 3600.0)


@dataclass(frozen=True)
class Draw:
    """What is drawn of which data.

    Attributes:
        data: arrays `[n, ...]` in the float model's units (one, or one per input by name or in order), a Task, or the
            path of a data file; test samples are taken where there are any. None: random inputs.
        count: how many test vectors.
        scale: how images of a data file become the model's units.
        seed: draws the samples, or random inputs.
        label: label column of a `.csv`.
    """

    data: Any = None
    count: int = 5
    scale: str = "none"
    seed: int = 0
    label: str | None = None

    @property
    def is_file(self) -> bool:
        """Whether the data are those of a file."""
        return isinstance(self.data, (str, Path))

    def check(self) -> None:
        """Refuses what cannot be drawn, before any work is done.

        Raises:
            UsageError: an option that goes with a data file, and none; no vectors, or a seed below 0.
            FileError: the data file is not there.
        """
        if self.count < 1:
            raise UsageError(f"{self.count} test vectors were asked for; ask for one at least")
        if self.seed < 0:
            raise UsageError(f"the seed is {self.seed}; expected 0 or more")
        if not self.is_file and (self.scale != "none" or self.label is not None):
            raise UsageError("--scale and --label are for data files; name one with --data, or leave them out")
        if self.is_file:
            task.check_there(str(self.data))

    def samples(self, flatbuffer: FlatBuffer, progress: Progress, scaling: ImageInput | None = None) -> Any:
        """Arrays in the float model's units for the inputs of a file, or None.

        Args:
            flatbuffer: the file.
            progress: called with stage, done, total.
            scaling: how pixels of a data file become the model's units; see `pixels.in_units`.
        """
        if self.is_file:
            shapes = [list(port.shape[1:]) for port in ports.inputs_of(flatbuffer)]
            loading = asdict(self) | {"data": str(self.data)}
            function, table = "tfcompress.export.draws:samples_here", scaling and scaling.as_table()
            what = f"loading {self.data}"
            return child.call(function, loading, shapes, table, what=what, limits=_LIMITS, progress=progress)
        return _drawn(self.data, self.count, self.seed) if isinstance(self.data, task.Task) else self.data


def samples_here(
    loading: dict[str, Any], shapes: Sequence[Sequence[int]], table: dict[str, Any] | None, *, progress: Progress
) -> Any:
    """Samples of a data file, opened in this (child) process: it may be code."""
    progress("loading the data", 0, 0)
    asked = Draw(**loading)
    image_size = tuple(shapes[0]) if len(shapes) == 1 and len(shapes[0]) == 3 else None
    loaded = task.load(asked.data, scale=asked.scale, seed=asked.seed, image_size=image_size, label=asked.label)
    if table is None:
        return _drawn(loaded, asked.count, asked.seed)
    spec = ImageInput(**table)
    return _drawn(
        loaded, asked.count, asked.seed, lambda rows, some: pixels.in_units(rows, spec, str(asked.data), some)
    )


def _drawn(loaded: task.Task, count: int, seed: int, made_of: Callable[[Any, Any], Any] | None = None) -> Any:
    """Samples of the test split, else of validation, else of training; in stored order."""
    split = next((name for name in ("test", "val", "train") if loaded.count(name)), None)
    if split is None:
        raise DataError("the data has no samples; give x, or x_test")
    chosen = np.sort(np.random.default_rng(seed).permutation(loaded.count(split))[:count])
    of_split = loaded.inputs(split)
    found = {name: np.asarray(rows[chosen]) for name, rows in of_split.items()}
    if made_of is not None:
        first = np.arange(min(loaded.count(split), pixels.LOOKED_AT))
        found = {name: made_of(rows, np.asarray(of_split[name][first])) for name, rows in found.items()}
    return found["x"] if list(found) == ["x"] else found


def stem_of(path: Path) -> str:
    """The name of a model's file; of its folder where it is called `model`, as every result of `compress` is."""
    return (path.resolve().parent.name or path.stem) if path.stem == "model" else path.stem

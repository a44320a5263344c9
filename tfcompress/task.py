"""What a model is compressed, calibrated and judged with: data in three splits, their origin, loss and metric.

    task = load("digits.npz")                                  arrays x_train, y_train, x_val, ...
    task = load("photos/", scale="-1..1", image_size=(96, 96, 3))
    samples = task.calibration_samples(100, seed=0)            from the training data, for converters.calibration
    for x, y in task.batches("test"): ...

Samples stay as they are stored (bytes, a mapped file, images on disk) until a batch or `numpy.asarray` asks for them;
then they come in the model's units. No TensorFlow is imported here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from converters.errors import DataError, FileError, UsageError
from tfcompress.data import arrays, function, images, table
from tfcompress.data.labels import check_classes, check_labels, name_classes, scaled
from tfcompress.data.lazy import Rows
from tfcompress.data.splits import given_splits, is_known, made_splits, split_of

Array = npt.NDArray[Any]
Inputs = Rows | Mapping[str, Rows]
Scale = Literal["none", "0..1", "-1..1", "0..255"]
Split = Literal["train", "val", "test"]

SPLITS: tuple[str, ...] = get_args(Split)
SCALES: tuple[str, ...] = get_args(Scale)


@dataclass(frozen=True)
class Task:
    """Data in splits, and what is asked of a model on them.

    Attributes:
        x_train: samples to train with and to calibrate from, [n, ...]; a dict by input name for several inputs.
        y_train: their labels [n, ...]: class numbers, one-hot rows, or real numbers.
        x_val: samples that techniques may look at to decide.
        y_val: their labels.
        x_test: samples that are scored once, at the end.
        y_test: their labels.
        loss: name of a Keras loss, a Keras loss, or a function of (labels, outputs); empty: inferred from the labels
            and the model's last activation.
        metric: name of a metric of `tfcompress evaluate`; empty: inferred.
        metrics: Keras metrics, or their names, that are watched while training.
        optimizer: name of a Keras optimizer, or a Keras optimizer, of which each training step makes a fresh copy.
        callbacks: Keras callbacks that take part in every training.
        augment: function of a batch of inputs, as TensorFlow tensors, that varies training samples; None for none.
        classes: class names, by class number; empty where there are none.
        source: where the data came from, how it was split and scaled.

    Raises:
        DataError: a split whose inputs and labels differ in count, or labels that are not finite.
        UsageError: a callback that is none.
    """

    x_train: Inputs | None = None
    y_train: Array | None = None
    x_val: Inputs | None = None
    y_val: Array | None = None
    x_test: Inputs | None = None
    y_test: Array | None = None
    loss: Any = ""
    metric: str = ""
    metrics: tuple[Any, ...] = ()
    optimizer: Any = "adam"
    callbacks: tuple[Any, ...] = ()
    augment: Callable[[Any], Any] | None = None
    classes: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        for split in SPLITS:
            x, y = self.inputs(split), getattr(self, f"y_{split}")
            for name, rows in (x if y is None else {**x, "y": y}).items():
                if not hasattr(rows, "shape"):
                    came = type(rows).__name__
                    raise DataError(f"{name} of the {split} split is of type {came}; give a numpy array")
            counts = {name: len(rows) for name, rows in x.items()} | ({} if y is None else {f"y_{split}": len(y)})
            if len(set(counts.values())) > 1:
                said = ", ".join(f"{name}: {count}" for name, count in counts.items())
                raise DataError(f"the {split} split has different counts ({said}); give one label per sample")
            if y is not None and not x:
                raise DataError(f"y_{split} is given without x_{split}; give both")
            if y is not None:
                check_labels(np.asarray(y), split)
        for callback in self.callbacks:
            if not callable(getattr(callback, "set_model", None)):
                raise UsageError(f"a callback of type {type(callback).__name__} came; expected a Keras callback")

    def inputs(self, split: str) -> dict[str, Rows]:
        """The inputs of a split by name; a single input is called `x`; none for a split that is not there."""
        x = getattr(self, f"x_{split}")
        if x is None:
            return {}
        return dict(x) if isinstance(x, Mapping) else {"x": x}

    def count(self, split: str) -> int:
        """How many samples a split has."""
        return next((len(rows) for rows in self.inputs(split).values()), 0)

    def calibration_samples(self, count: int = 100, *, seed: int = 0) -> Any:
        """Up to `count` training samples, drawn without replacement, in the model's units.

        Returns:
            An array [count, ...]; a dict of arrays by name for several inputs.

        Raises:
            DataError: there is no training data.
        """
        available = self.count("train")
        if not available:
            raise DataError(
                f"the data ({self.source or 'no source'}) has no training samples to calibrate with; "
                "expected x_train, or x alone"
            )
        if count < 1:
            raise UsageError(f"{count} calibration samples were asked for; expected 1 or more, usually 100")
        chosen = np.random.default_rng(seed).permutation(available)[:count]
        # In stored order a mapped file is read from front to back.
        return self._rows("train", np.sort(chosen))

    def batches(self, split: str, size: int = 256) -> Iterator[tuple[Any, Array | None]]:
        """The split in order, `size` samples at a time: (inputs in the model's units, labels or None).

        Raises:
            DataError: the split is not there.
        """
        if not self.count(split):
            raise DataError(f"the data ({self.source or 'no source'}) has no {split} samples; give x_{split}")
        several = isinstance(getattr(self, f"x_{split}"), Mapping)
        for x, y in self.named_batches(split, size):
            yield x if several else x["x"], y

    def named_batches(self, split: str, size: int) -> Iterator[tuple[dict[str, Array], Array | None]]:
        """As `batches`, but always by name, as in `inputs`; nothing for a split that is not there."""
        total, y = self.count(split), getattr(self, f"y_{split}")
        for start in range(0, total, size):
            indices = np.arange(start, min(start + size, total))
            yield self._named(split, indices), None if y is None else np.asarray(y[indices])

    def training_batches(self, epoch: int, *, size: int, seed: int = 0) -> Iterator[tuple[Any, Array]]:
        """One epoch of the training split, shuffled by seed and epoch: (inputs in the model's units, labels).

        The same seed and epoch give the same order, so an interrupted training goes on with the data it would have had.

        Raises:
            DataError: there are no training samples with labels.
        """
        total = self.count("train")
        if not total or self.y_train is None:
            raise DataError(
                f"the data ({self.source or 'no source'}) has no training samples with labels; training needs x_train "
                "and y_train, or x and y"
            )
        order = np.random.default_rng((seed, epoch)).permutation(total)
        labels = np.asarray(self.y_train)
        for start in range(0, total, size):
            chosen = order[start : start + size]
            yield self._rows("train", chosen), labels[chosen]

    def _named(self, split: str, indices: Array) -> dict[str, Array]:
        return {name: np.asarray(rows[indices]) for name, rows in self.inputs(split).items()}

    def _rows(self, split: str, indices: Array) -> Any:
        found = self._named(split, indices)
        return found if isinstance(getattr(self, f"x_{split}"), Mapping) else found["x"]


def load(
    spec: str | Path | Task,
    *,
    scale: str = "none",
    seed: int = 0,
    image_size: tuple[int, ...] | None = None,
    label: str | None = None,
    parts: tuple[str, ...] = SPLITS,
) -> Task:
    """Reads DATA in any of its forms.

    - `.npz` with `x_train`, `y_train`, `x_val`, `y_val`, `x_test`, `y_test`, or `x` and `y`, or `x` alone (for
      calibration). Several inputs: `x_train_<input>` or `x_<input>`. Class names may come along as `classes`.
    - `.npy`: one array, for calibration; mapped, not read.
    - a folder of images (see `tfcompress.data.images`), or a `.csv` (see `tfcompress.data.table`).
    - `file.py:function`, which returns a Task, or what an `.npz` would hold as a dict, or (x, y), or x.

    `x` with `y` is split 80/10/10, classes in equal shares, by `seed`; where only validation is missing, a tenth of
    the training data becomes it. `x` without `y` is all training data.

    Args:
        spec: where the data is.
        scale: how stored images become the model's units. `none`: they are in these units, whatever they are.
            `0..1`, `-1..1`: bytes 0..255 are divided accordingly. `0..255`: bytes become floats of the same value; data
            that was divided already is refused. Of several inputs, those with two axes or more per sample are scaled.
        seed: of the split.
        image_size: (height, width) or (height, width, channels) that the model takes; for a folder of images.
        label: name of a `.csv`'s label column; empty for none.
        parts: splits that are needed; those of an `.npz` that are not stay unread, and None.

    Raises:
        FileError: nothing is there.
        DataError: damaged, of an unknown form, refused (pickles, absurd sizes), or at odds with `scale`.
        UsageError: an unknown scale, or one for a Task.
    """
    if scale not in SCALES:
        raise UsageError(f"scale is {scale!r}; expected one of {', '.join(SCALES)}")
    if not isinstance(spec, (str, Path, Task)):
        raise DataError(
            f"data of type {type(spec).__name__} came; expected a tfcompress Task, such as Task(x_train=x, y_train=y), "
            "or the path of a data file"
        )
    found = spec if isinstance(spec, Task) else _read(str(spec), image_size, label, parts)
    if isinstance(found, Task):
        if scale != "none":
            origin = "the data is" if isinstance(spec, Task) else f"{spec} returns"
            raise UsageError(f"{origin} a Task, which is in the model's units already; leave --scale out")
        return found
    return _assemble(_as_mapping(found, str(spec)), str(spec), scale, seed, parts)


def check_there(spec: str) -> None:
    """Raises FileError where DATA names no file or folder that there is; nothing is read."""
    code = function.parse(spec)
    path = code[0] if code else Path(spec)
    if not path.exists():
        raise FileError(
            f"{path} does not exist; name a .npz, .npy or .csv file, a folder of images, or file.py:function"
        )


def _read(spec: str, image_size: tuple[int, ...] | None, label: str | None, parts: tuple[str, ...]) -> Any:
    if code := function.parse(spec):
        return function.call(*code)
    check_there(spec)
    path = Path(spec)
    if path.is_dir():
        return images.read_folder(path, image_size)
    if not path.stat().st_size:
        raise FileError(f"{path} is empty; make it again")
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return arrays.read_npz(path, lambda key: _is_needed(key, parts))
    if suffix == ".npy":
        return arrays.read_npy(path)
    if suffix in (".csv", ".tsv"):
        return table.read_csv(path, label)
    if suffix == ".py":
        raise UsageError(f"{path} is code; name the function that returns the data: {path}:function")
    raise DataError(
        f"{path} is of an unknown kind; expected a .npz, .npy or .csv file, a folder of images, or file.py:function"
    )


def _is_needed(key: str, parts: tuple[str, ...]) -> bool:
    split = split_of(key)
    # Validation may have to be taken from the training data.
    return not split or split in parts or (split == "train" and "val" in parts)


def _as_mapping(found: Any, spec: str) -> dict[str, Any]:
    if isinstance(found, Mapping):
        return {str(key): value for key, value in found.items()}
    if isinstance(found, tuple) and len(found) == 2:
        x = {f"x_{name}": rows for name, rows in found[0].items()} if isinstance(found[0], Mapping) else {"x": found[0]}
        return x | {"y": np.asarray(found[1])}
    if hasattr(found, "__array__"):
        return {"x": np.asarray(found)}
    raise DataError(
        f"{spec} returned {type(found).__name__}; expected a tfcompress Task, a dict of arrays such as x_train and "
        "y_train, a pair (x, y), or an array"
    )


def _assemble(found: dict[str, Any], spec: str, scale: str, seed: int, parts: tuple[str, ...]) -> Task:
    classes = tuple(str(name) for name in np.asarray(found.pop("classes", ())).ravel())
    is_split = any(split_of(key) for key in found)
    unknown = [key for key in found if not is_known(key, is_split)]
    if unknown or not any(key.startswith("x") for key in found):
        raise DataError(
            f"{spec} holds {', '.join(map(str, list(found)[:8])) or 'nothing'}; expected x_train, y_train, x_val, "
            "y_val, x_test, y_test, or x, y (several inputs: x_train_<input> or x_<input>)"
            + (f"; {unknown[0]} is not among these" if unknown else "")
        )
    splits, note = given_splits(found, parts, seed) if is_split else made_splits(found, parts, seed)
    if not classes:
        classes = name_classes(splits)
    check_classes(splits, classes)
    values: dict[str, Any] = {}
    for split, (x, y) in splits.items():
        units = {name: scaled(rows, scale, several=len(x) > 1, what=f"{name} in {spec}") for name, rows in x.items()}
        values[f"x_{split}"] = units["x"] if set(units) == {"x"} else (units or None)
        values[f"y_{split}"] = y
    source = "; ".join(part for part in (spec, note, "" if scale == "none" else f"scaled to {scale}") if part)
    return Task(**values, classes=classes, source=source)

"""Named arrays become splits: train, validation and test, given as such or cut from one whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError
from tfcompress.data.labels import flat
from tfcompress.data.lazy import Rows, Selection

Array = npt.NDArray[Any]
Part = tuple[dict[str, Rows], Array | None]

SPLITS = ("train", "val", "test")
_VALIDATION_SHARE = 0.1
_TEST_SHARE = 0.1


def split_of(key: str) -> str:
    """`train` of `x_train_image`; empty where a key names no split."""
    words = key.split("_")
    return words[1] if len(words) > 1 and words[0] in ("x", "y") and words[1] in SPLITS else ""


def is_known(key: str, is_split: bool) -> bool:
    """Whether a key is one of those that a data file may have."""
    if is_split:
        split = split_of(key)
        return bool(split) and (key.startswith("x_") or key == f"y_{split}")
    return key in ("x", "y") or key.startswith("x_")


def given_splits(found: dict[str, Any], parts: tuple[str, ...], seed: int) -> tuple[dict[str, Part], str]:
    """Splits of keys that name them, and what was done: a tenth of the training data may become validation."""
    splits: dict[str, Part] = {}
    present = {split_of(key) for key in found}
    for split in present:
        x = {
            key[len(f"x_{split}_") :] or "x": value
            for key, value in found.items()
            if split_of(key) == split and key.startswith("x_")
        }
        if x:
            labels = found.get(f"y_{split}")
            splits[split] = x, None if labels is None else flat(labels)
        elif split in parts:
            raise DataError(f"the data has y_{split} without x_{split}; give both")
    note = ""
    # Where labels are, somebody may want to train: techniques see validation data and never test data.
    if "val" not in present and "val" in parts and splits.get("train", ({}, None))[1] is not None:
        x, y = splits["train"]
        train, val, _ = _cut(_length(x), y, seed, test=0.0)
        splits |= {"train": _select((x, y), train), "val": _select((x, y), val)}
        note = f"a tenth of the training data is validation (seed {seed})"
    return {split: part for split, part in splits.items() if split in parts}, note


def made_splits(found: dict[str, Any], parts: tuple[str, ...], seed: int) -> tuple[dict[str, Part], str]:
    """Splits of `x` and `y`, 80/10/10 by seed; without labels all of it is for calibration."""
    x = {"x" if key == "x" else key.removeprefix("x_"): value for key, value in found.items() if key != "y"}
    if "y" not in found:
        return {"train": (x, None)}, "no labels: for calibration only"
    y = flat(found["y"])
    if _length(x) != len(y):
        raise DataError(f"there are {_length(x)} samples and {len(y)} labels; give one label per sample")
    chosen = dict(zip(SPLITS, _cut(len(y), y, seed, test=_TEST_SHARE), strict=True))
    splits = {split: _select((x, y), chosen[split]) for split in SPLITS if split in parts}
    return splits, f"split 80/10/10 (seed {seed})"


def _length(x: Mapping[str, Rows]) -> int:
    return len(next(iter(x.values())))


def _select(part: Part, indices: Array) -> Part:
    x, y = part
    return {name: Selection(rows, indices) for name, rows in x.items()}, None if y is None else y[indices]


def _cut(count: int, y: Array | None, seed: int, *, test: float) -> tuple[Array, Array, Array]:
    """Indices of train, validation and test in stored order, each class in equal shares as far as it divides.

    The samples of each class are shuffled and placed evenly on 0..1; the line is then cut where the shares end.
    """
    random = np.random.default_rng(seed)
    position = np.empty(count)
    kinds = _kinds(y, count)
    for kind in range(int(kinds.max(initial=0)) + 1):
        members = np.flatnonzero(kinds == kind)
        position[members] = (random.permutation(len(members)) + 0.5) / max(len(members), 1)
    order = np.lexsort((random.random(count), position))
    val_count, test_count = round(_VALIDATION_SHARE * count), round(test * count)
    train_count = count - val_count - test_count
    train, val, rest = np.split(order, [train_count, train_count + val_count])
    return np.sort(train), np.sort(val), np.sort(rest)


def _kinds(y: Array | None, count: int) -> Array:
    """A class number per sample; one class for all where the labels are none, real numbers, or mostly different."""
    if y is None or y.ndim != 1 or y.dtype.kind not in "iuUSb":
        return np.zeros(count, np.intp)
    classes, kinds = np.unique(y, return_inverse=True)
    return kinds.ravel() if len(classes) <= max(2, count // 2) else np.zeros(count, np.intp)

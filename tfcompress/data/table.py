"""DATA as `.csv`: a line of column names, then numbers.

The column named `label`, `y`, `target` or `class` holds the labels (words or numbers), otherwise the last one does.
"""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError

Array = npt.NDArray[Any]

LABELS = ("label", "y", "target", "class")
_MAXIMUM_BYTES = 4 << 30


def read_csv(path: Path, label: str | None) -> dict[str, Any]:
    """Features as float32 [n, columns] under `x`, labels under `y`; no `y` where `label` is empty.

    Args:
        path: the file; columns parted by commas, semicolons or tabs.
        label: name of the label column; empty for none; None to find it as the module docstring says.

    Raises:
        DataError: no header, no rows, a cell that is no number, or no such label column.
    """
    if path.stat().st_size > _MAXIMUM_BYTES:
        raise DataError(f"{path} is larger than {_MAXIMUM_BYTES:,} bytes; convert it to .npy or .npz")
    names, delimiter = _header(path)
    column = _label_column(names, label, path)
    features = [index for index in range(len(names)) if index != column]
    if not features:
        raise DataError(f"{path} has only the label column {names[0]}; expected columns of features too")
    x = _load(path, delimiter, features, np.float32)
    if not len(x):
        raise DataError(f"{path} has a header and no rows; expected one sample per line")
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):
        row, place = (int(number) for number in bad[0])
        raise DataError(f"{path} holds no finite number in line {row + 2}, column {names[features[place]]}; repair it")
    if column is None:
        return {"x": x}
    return {"x": x, "y": _labels(_load(path, delimiter, [column], str)[:, 0])}


def _header(path: Path) -> tuple[list[str], str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline(1 << 20)
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(f"{path} is no readable .csv text: {error}; save it as UTF-8") from error
    delimiter = max(",;\t", key=first.count)
    names = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    if not names or not any(names):
        raise DataError(f"{path} is empty; expected a line of column names, then numbers")
    if all(_is_number(name) for name in names):
        raise DataError(f"{path} starts with numbers; expected a line of column names first, such as f1,f2,label")
    return names, delimiter


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _label_column(names: list[str], label: str | None, path: Path) -> int | None:
    if label == "":
        return None
    if label is not None:
        if label not in names:
            raise DataError(f"{path} has no column {label}; its columns are {', '.join(names[:20])}")
        return names.index(label)
    return next((names.index(name) for name in names if name.lower() in LABELS), len(names) - 1)


def _load(path: Path, delimiter: str, columns: list[int], dtype: Any) -> Array:
    try:
        with warnings.catch_warnings():
            # A table without rows is an error of our own, not NumPy's warning.
            warnings.simplefilter("ignore", UserWarning)
            array: Array = np.loadtxt(
                path,
                dtype=dtype,
                delimiter=delimiter,
                skiprows=1,
                usecols=columns,
                ndmin=2,
                comments=None,
                quotechar='"',
                encoding="utf-8-sig",
            )
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path} cannot be read as numbers: {' '.join(str(error).split())[:200]} (rows count from 0 after the "
            "header); expected the same number of numeric columns in every line"
        ) from error
    return array


def _labels(words: Array) -> Array:
    """Whole numbers, numbers, or the words as they are."""
    words = np.char.strip(words)
    try:
        numbers = words.astype(np.float64)
    except ValueError:
        return words
    if np.isfinite(numbers).all() and (numbers == np.trunc(numbers)).all() and np.abs(numbers).max(initial=0) < 2**53:
        return numbers.astype(np.int64)
    return numbers.astype(np.float32)

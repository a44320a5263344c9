"""Labels become class numbers and are checked; stored images become the model's units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError
from tfcompress.data.lazy import Rows, Scaled

Array = npt.NDArray[Any]
Part = tuple[dict[str, Rows], Array | None]

# factor and offset that take 0..255 to each scale
_FACTORS = {"0..1": (1 / 255, 0.0), "-1..1": (1 / 127.5, -1.0), "0..255": (1.0, 0.0)}
_LOOKED_AT = 256


def flat(labels: Any) -> Array:
    """Class numbers often come as a column [n, 1]."""
    y = np.asarray(labels)
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 and y.dtype.kind in "iuUS" else y


def are_class_numbers(labels: Array, outputs: Sequence[int | None]) -> bool:
    """Whether labels are whole numbers, of any type, one for each vector of scores.

    Args:
        labels: `[n, ...]`.
        outputs: shape of the scores, `[n, ..., classes]`; `[n]` is one score each. None: of any length.
    """
    vectors = outputs[: max(1, len(outputs) - 1)]
    if labels.dtype.kind not in "iubf" or not one_number_each(labels.shape, vectors):
        return False
    return labels.dtype.kind != "f" or bool(np.array_equal(labels, np.trunc(labels)))


def one_number_each(labels: Sequence[int], outputs: Sequence[int | None]) -> bool:
    """Whether two shapes agree but for axes of length 1; None agrees with any length."""

    # Anything but axes of length 1 reshaped would compare channels-first labels with channels-last outputs.
    def agree(given: Sequence[int], wanted: Sequence[int | None]) -> bool:
        return len(given) == len(wanted) and all(b in (None, a) for a, b in zip(given, wanted, strict=True))

    longer = [size for size in labels if size != 1], [size for size in outputs if size != 1]
    return agree(labels, outputs) or agree(*longer)


def name_classes(splits: dict[str, Part]) -> tuple[str, ...]:
    """Turns labels that are words into class numbers, in place, and returns the sorted words."""
    words = [y for _, y in splits.values() if y is not None and y.dtype.kind in "US"]
    if not words:
        return ()
    classes = np.unique(np.concatenate(words))
    for split, (x, y) in splits.items():
        if y is not None and y.dtype.kind in "US":
            splits[split] = x, np.searchsorted(classes, y)
    return tuple(str(name) for name in classes)


def check_classes(splits: dict[str, Part], classes: tuple[str, ...]) -> None:
    """Raises DataError for a class number that has no name."""
    for split, (_, y) in splits.items():
        if not classes or y is None or y.ndim != 1 or y.dtype.kind not in "iu" or not len(y):
            continue
        if y.min() < 0 or y.max() >= len(classes):
            raise DataError(
                f"y_{split} reaches from {y.min()} to {y.max()}, there are {len(classes)} class names; "
                f"number the classes from 0 to {len(classes) - 1}"
            )


def check_labels(y: Array, split: str) -> None:
    """Raises DataError for labels that are no numbers, or not finite."""
    if y.dtype.kind not in "iufb":
        raise DataError(f"y_{split} has type {y.dtype}; expected class numbers, one-hot rows or real numbers")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        row = int(np.argwhere(~np.isfinite(y))[0][0])
        raise DataError(f"y_{split} holds NaN or infinity in row {row}; remove that sample")


def scaled(rows: Any, scale: str, *, several: bool, what: str) -> Rows:
    """Rows that come in the model's units, once they are asked for; raises DataError where `scale` cannot be meant."""
    shape = tuple(rows.shape) if hasattr(rows, "shape") else np.shape(rows)
    rows = rows if hasattr(rows, "shape") else np.asarray(rows)
    if not shape:
        raise DataError(f"{what} is a single number; expected samples along the first axis")
    kept: Rows = rows
    if rows.dtype.kind not in "iufb":
        raise DataError(f"{what} has type {rows.dtype}; expected numbers")
    if scale == "none" or (several and len(shape) < 3):
        return Scaled(kept, 1.0, 0.0) if rows.dtype == np.float64 else kept
    some = np.asarray(rows[np.arange(min(len(rows), _LOOKED_AT))])
    low, high = (float(some.min()), float(some.max())) if some.size else (0.0, 0.0)
    if low < 0 or high > 255 or (some.dtype.kind == "f" and 0 < high <= 1.5):
        raise DataError(
            f"{what} reaches from {low:.4g} to {high:.4g}, and scale {scale} is for images of 0..255; "
            "use --scale none if the data is in the model's units already"
        )
    return Scaled(kept, *_FACTORS[scale])

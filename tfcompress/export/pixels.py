"""Images of a data file in a model's units: pixels are scaled as the app scales them, what is scaled already is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError
from converters.inputs import ImageInput

Array = npt.NDArray[Any]

LOOKED_AT = 256  # rows that tell what the data are
# How far data in the model's units may lie outside what pixels become, as a share of that range.
_OFF = 0.1


def in_units(rows: Array, spec: ImageInput, what: str, some: Array) -> Array:
    """Rows in the model's units.

    Floats within what pixels of 0 to 255 become are in these units already; whole numbers of 0 to 255, and floats that
    reach as far, are pixels.

    Args:
        rows: `[n, ...]`, laid out as the model's input is.
        spec: how pixels become the model's units.
        what: the data's name, for messages.
        some: more rows of these data, which tell what they are.

    Raises:
        DataError: they are neither, or may be both.
    """
    both = np.concatenate([np.ravel(rows), np.ravel(some)])
    if both.dtype.kind not in "iufb" or not both.size or not np.isfinite(both).all():
        return rows  # refused where they meet the model
    mean, std = np.asarray(spec.mean), np.asarray(spec.std)
    lowest, highest = float(((0 - mean) / std).min()), float(((255 - mean) / std).max())
    low, high = float(both.min()), float(both.max())
    margin = _OFF * (highest - lowest)
    is_within = lowest - margin <= low and high <= highest + margin
    is_whole = both.dtype.kind != "f"
    # Divided by 255, or drawn with 0 and 1, and the model's units are others; or whole numbers that may be either.
    is_of_one = low >= 0 and high <= 1 and (is_whole or lowest < -margin or highest > 1 + margin)
    if is_within and not is_of_one and (not is_whole or low < 0 or (lowest, highest) == (0, 255)):
        return rows
    if low < 0 or high > 255 or (is_of_one and high > 0):
        raise DataError(
            f"{what} reaches from {low:.4g} to {high:.4g}{' in whole numbers' if is_whole else ''}; expected pixels of "
            f"0 to 255, or floats in the model's units, {lowest:.4g} to {highest:.4g}: save them so, or leave --data "
            "out"
        )
    if len(mean) > 1 or len(std) > 1:
        axis = 1 if spec.layout == "nchw" else -1
        if rows.ndim != 4 or rows.shape[axis] != spec.depth:
            return rows  # refused by its shape
        along = (-1, 1, 1) if axis == 1 else (-1,)
        mean, std = mean.reshape(along), std.reshape(along)
    made: Array = ((rows.astype(np.float64) - mean) / std).astype(np.float32)
    return made

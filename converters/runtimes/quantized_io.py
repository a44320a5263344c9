"""Float data to a file's own integers and back, with the scales that the file itself states.

    q = round(x / scale) + zero_point, saturated to the integer type          real = (q - zero_point) * scale

This is the affine scheme of the LiteRT quantization specification (https://ai.google.dev/edge/litert/models/
quantization_spec). Ties are rounded away from zero, as the reference QUANTIZE kernels of LiteRT and TFLM do
(`TfLiteRound`); XNNPACK's own QUANTIZE rounds ties to even, which can move a value that lies exactly between two steps
by one step.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError

Array = npt.NDArray[Any]


def quantize(
    values: Array, dtype: str, scales: Array, zero_points: Array, *, axis: int = 0
) -> npt.NDArray[np.signedinteger | np.unsignedinteger]:
    """Integers of type `dtype` nearest to `values`, saturated at the type's ends.

    Args:
        values: any shape, in the model's float units; infinities saturate.
        dtype: `int8`, `uint8`, `int16` or another integer type.
        scales: one positive number, or one per index of `axis`.
        zero_points: as many as `scales`.
        axis: which dimension the scales belong to when there are several.

    Raises:
        DataError: a value is NaN, or the number of scales is not 1 and not the size of `axis`.
    """
    # The runtimes divide in float32; a double would round some values to the other side of a step.
    reals = np.asarray(values, np.float32)
    if np.isnan(reals).any():
        raise DataError("the data holds NaN, which no integer can stand for; remove those samples")
    scale, zero_point = _along_axis(reals.ndim, reals.shape, scales, zero_points, axis)
    # A quotient beyond float32 saturates like any other value beyond the integers.
    with np.errstate(over="ignore"):
        steps = reals / scale
    whole = np.trunc(steps)
    # Infinity minus infinity is NaN, which is not >= 0.5: an infinite quotient stays infinite.
    with np.errstate(invalid="ignore"):
        whole += np.copysign((np.abs(steps - whole) >= 0.5).astype(np.float32), steps)
    limits = np.iinfo(dtype)
    shifted = whole.astype(np.float64) + zero_point
    clipped: npt.NDArray[np.signedinteger | np.unsignedinteger] = np.clip(shifted, limits.min, limits.max).astype(dtype)
    return clipped


def dequantize(values: Array, scales: Array, zero_points: Array, *, axis: int = 0) -> npt.NDArray[np.float32]:
    """The real numbers that integers stand for, as float32; the arguments are those of `quantize`.

    Raises:
        DataError: the number of scales is not 1 and not the size of `axis`.
    """
    scale, zero_point = _along_axis(values.ndim, values.shape, scales, zero_points, axis)
    return ((values.astype(np.int64) - zero_point).astype(np.float32) * scale).astype(np.float32)


def real_range(dtype: str, scales: Array, zero_points: Array) -> tuple[float, float]:
    """Smallest and largest real number that the integers of `dtype` can stand for with these scales."""
    limits = np.iinfo(dtype)
    scale = np.asarray(scales, np.float64)
    offset = np.asarray(zero_points, np.float64)
    return float(((limits.min - offset) * scale).min()), float(((limits.max - offset) * scale).max())


def _along_axis(
    rank: int, shape: tuple[int, ...], scales: Array, zero_points: Array, axis: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    scale = np.asarray(scales, np.float32).reshape(-1)
    zero_point = np.asarray(zero_points, np.int64).reshape(-1)
    if scale.size == 1:
        return scale.reshape(()), zero_point[:1].reshape(())
    if not 0 <= axis < rank or scale.size != shape[axis] or zero_point.size != scale.size:
        raise DataError(
            f"{scale.size} scales and {zero_point.size} zero points do not fit axis {axis} of shape {list(shape)}; "
            "the file needs one of each, or one of each per index of that axis"
        )
    column = [1] * rank
    column[axis] = -1
    return scale.reshape(column), zero_point.reshape(column)

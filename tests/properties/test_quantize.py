"""For any scale and any numbers: quantizing is off by half a step at most inside the range, and saturates outside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from converters.errors import DataError
from converters.runtimes.quantized_io import dequantize, quantize, real_range

TYPES = st.sampled_from(["int8", "uint8", "int16"])
SCALES = st.floats(2.0**-20, 2.0**10, width=32)


@st.composite
def grids(draw: st.DrawFn, channels: int = 1) -> tuple[str, np.ndarray, np.ndarray]:
    dtype = draw(TYPES)
    limits = np.iinfo(dtype)
    scales = np.array([draw(SCALES) for _ in range(channels)], np.float32)
    zeros = np.array([draw(st.integers(limits.min, limits.max)) for _ in range(channels)])
    return dtype, scales, zeros


@given(grids(), st.lists(st.floats(-0.25, 1.25, width=32), min_size=1, max_size=20))
def test_error_is_half_a_step_inside_and_saturation_outside(
    grid: tuple[str, np.ndarray, np.ndarray], places: list[float]
) -> None:
    dtype, scales, zeros = grid
    low, high = real_range(dtype, scales, zeros)
    values = (low + (high - low) * np.array(places)).astype(np.float32)
    back = dequantize(quantize(values, dtype, scales, zeros), scales, zeros)
    rounding = 4 * np.finfo(np.float32).eps * np.abs(values).max(initial=0)
    error = np.abs(back.astype(np.float64) - np.clip(values.astype(np.float64), low, high))
    assert (error <= scales[0] / 2 + rounding).all()


@given(grids())
def test_numbers_beyond_the_range_become_its_ends(grid: tuple[str, np.ndarray, np.ndarray]) -> None:
    dtype, scales, zeros = grid
    limits = np.iinfo(dtype)
    far = np.array([-np.inf, np.inf, np.finfo(np.float32).min, np.finfo(np.float32).max], np.float32)
    assert quantize(far, dtype, scales, zeros).tolist() == [limits.min, limits.max] * 2


@given(grids(channels=3))
def test_every_integer_of_every_channel_survives_the_round_trip(grid: tuple[str, np.ndarray, np.ndarray]) -> None:
    dtype, scales, zeros = grid
    limits = np.iinfo(dtype)
    column = np.unique(np.linspace(limits.min, limits.max, 257).astype(dtype))
    integers = np.stack([column] * 3, axis=1)
    reals = dequantize(integers, scales, zeros, axis=1)
    np.testing.assert_array_equal(quantize(reals, dtype, scales, zeros, axis=1), integers)


@given(grids(channels=2), hnp.arrays(np.float32, (2, 5), elements=st.floats(-1e3, 1e3, width=32)))
def test_a_channel_is_quantized_as_if_it_were_alone(
    grid: tuple[str, np.ndarray, np.ndarray], values: np.ndarray
) -> None:
    dtype, scales, zeros = grid
    together = quantize(values, dtype, scales, zeros, axis=0)
    for channel in (0, 1):
        alone = quantize(values[channel], dtype, scales[channel : channel + 1], zeros[channel : channel + 1])
        np.testing.assert_array_equal(together[channel], alone)


@given(grids(), hnp.arrays(np.float32, 8, elements=st.floats(-1e3, 1e3, width=32)))
def test_larger_numbers_never_get_smaller_integers(
    grid: tuple[str, np.ndarray, np.ndarray], values: np.ndarray
) -> None:
    dtype, scales, zeros = grid
    integers = quantize(np.sort(values), dtype, scales, zeros).astype(int)
    assert (np.diff(integers) >= 0).all()


def test_ties_go_away_from_zero_and_near_ties_do_not() -> None:
    below = np.nextafter(np.float32(0.5), np.float32(0))
    values = np.array([0.5, 1.5, 2.5, -0.5, -1.5, below, -below])
    assert quantize(values, "int8", np.ones(1), np.array([0])).tolist() == [1, 2, 3, -1, -2, 0, 0]


def test_nan_and_misfitting_scales_are_refused() -> None:
    with pytest.raises(DataError, match="NaN"):
        quantize(np.array([np.nan]), "int8", np.ones(1), np.zeros(1))
    with pytest.raises(DataError, match="2 scales and 2 zero points do not fit axis 0"):
        quantize(np.zeros((3, 2)), "int8", np.ones(2), np.zeros(2), axis=0)

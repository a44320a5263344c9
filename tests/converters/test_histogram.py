from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.calibration.histogram import BINS, Histogram, entropy_range, mse_range, percentile_range


def chunks(seed: int, count: int, exponent: int) -> list[np.ndarray]:
    """Chunks of values whose scale, sign and share of zeros change wildly from one to the next."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        values = random.normal(random.normal(), 1.0, random.integers(1, 400)) * 2.0 ** random.integers(
            -exponent, exponent
        )
        values[random.random(values.size) < random.random()] = 0.0
        made.append(values.astype(np.float32))
    return made


def filled(parts: list[np.ndarray]) -> Histogram:
    histogram = Histogram()
    for part in parts:
        histogram.add(part, float(part.min()), float(part.max()))
    return histogram


cases = given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 30))
few = settings(max_examples=30, deadline=None)


@few
@cases
def test_a_histogram_filled_in_parts_equals_one_of_all_values(seed: int, count: int, exponent: int) -> None:
    parts = chunks(seed, count, exponent)
    values, histogram = np.concatenate(parts).astype(np.float64), filled(parts)
    assert (histogram.minimum, histogram.maximum) == (values.min(), values.max())
    assert histogram.zeros == np.count_nonzero(values == 0)
    if not values.any():
        assert histogram.width == 0
        return
    assert histogram.counts.sum() == values.size
    edges = (histogram.first + np.arange(BINS + 1)) * histogram.width
    assert edges[0] <= values.min() and values.max() < edges[-1]
    # float32 may put a value that lies within 1e-3 bins of an edge on its other side.
    below = np.concatenate([[0], np.cumsum(histogram.counts)])
    slack = 4e-3 * histogram.width
    assert np.all(below <= np.searchsorted(np.sort(values), edges + slack))
    assert np.all(below >= np.searchsorted(np.sort(values), edges - slack))
    used = max(values.max(), 0) - min(values.min(), 0)
    assert used / histogram.width >= BINS / 2 - 4


@few
@cases
def test_every_range_lies_within_what_was_seen(seed: int, count: int, exponent: int) -> None:
    histogram = filled(chunks(seed, count, exponent))
    lowest, highest = min(histogram.minimum, 0.0), max(histogram.maximum, 0.0)
    for low, high in (
        percentile_range(histogram, 99.0),
        mse_range(histogram, 8),
        mse_range(histogram, 3),
        entropy_range(histogram, 8),
    ):
        assert lowest <= min(low, 0) and max(high, 0) <= highest


def test_values_too_small_for_any_quantizer_are_zeros() -> None:
    tiny = np.full(10, 1e-40, np.float32)
    histogram = filled([tiny, np.ones(5, np.float32), tiny])
    assert (histogram.zeros, histogram.counts.sum()) == (20, 25)

"""For any weights, mask and codebook: projecting twice changes nothing, and any order leads to the same weights."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tfcompress.invariants import Codebook, ZeroMask, from_arrays, holds, holds_exactly, project

SHAPES = st.sampled_from([(3, 3, 2, 4), (1, 1, 5, 3), (3, 3, 4, 1), (7, 5), (4, 2, 3)])
WEIGHTS = st.floats(-8, 8, width=32)
# A kernel with larger or smaller steps than these has no int32 bias and no float32 accumulator.
SCALES = st.floats(2.0**-30, 2.0**6, width=32)


@dataclass(frozen=True, eq=False)
class Promised:
    """A kernel and promises that can be kept together."""

    weights: np.ndarray
    mask: ZeroMask
    codebook: Codebook


@st.composite
def codebooks(draw: st.DrawFn, shape: tuple[int, ...], *, with_zero: bool) -> Codebook:
    values = set(draw(st.lists(st.integers(-127, 127), min_size=1, max_size=16)))
    values |= {0} if with_zero else set()
    per_channel = draw(st.booleans())
    scale_shape = (*(1 for _ in shape[:-1]), shape[-1] if per_channel else 1)
    return Codebook(np.array(sorted(values), np.int8), draw(hnp.arrays(np.float32, scale_shape, elements=SCALES)))


@st.composite
def promised(draw: st.DrawFn) -> Promised:
    shape = draw(SHAPES)
    return Promised(
        draw(hnp.arrays(np.float32, shape, elements=WEIGHTS)),
        ZeroMask(draw(hnp.arrays(np.bool_, shape))),
        draw(codebooks(shape, with_zero=True)),
    )


@given(promised())
def test_projecting_twice_changes_nothing(one: Promised) -> None:
    for promises in ((one.mask,), (one.codebook,), (one.mask, one.codebook)):
        once = project(one.weights, promises)
        assert once.dtype == one.weights.dtype
        assert holds_exactly(once, promises)


@given(promised())
def test_any_order_leads_to_the_same_weights_which_keep_every_promise(one: Promised) -> None:
    promises = (one.mask, one.codebook)
    found = [project(one.weights, order) for order in itertools.permutations(promises)]
    assert np.array_equal(found[0], found[1])
    assert all(holds_exactly(found[0], (promise,)) for promise in promises)


@given(promised())
def test_the_integers_of_projected_weights_keep_every_promise(one: Promised) -> None:
    promises = (one.mask, one.codebook)
    integers = np.rint(project(one.weights, promises) / one.codebook.scales)
    assert np.abs(integers).max() <= 127
    assert holds(integers.astype(np.int8), promises)


@given(promised())
def test_no_other_weights_on_the_codebook_are_nearer(one: Promised) -> None:
    found = project(one.weights, (one.codebook,))
    every = one.codebook.values.astype(np.float64).reshape(-1, *(1 for _ in found.shape)) * one.codebook.scales
    best = np.abs(every - one.weights).min(axis=0)
    rounding = 1e-6 * (np.abs(found) + np.abs(one.weights))
    assert (np.abs(found.astype(np.float64) - one.weights) <= best + rounding).all()


@given(st.data(), SHAPES)
def test_a_codebook_without_zero_is_kept_too(data: st.DataObject, shape: tuple[int, ...]) -> None:
    codebook = data.draw(codebooks(shape, with_zero=False))
    weights = codebook.project(data.draw(hnp.arrays(np.float32, shape, elements=WEIGHTS)))
    assert holds_exactly(weights, (codebook,))
    assert codebook.holds(np.rint(weights / codebook.scales).astype(np.int8))


@given(promised())
def test_a_promise_survives_being_written_as_arrays(one: Promised) -> None:
    for promise in (one.mask, one.codebook):
        again = from_arrays(promise.kind, promise.as_arrays())
        assert np.array_equal(again.project(one.weights), promise.project(one.weights))
        assert again.describe() == promise.describe()


@given(promised())
def test_integers_that_break_a_promise_are_told(one: Promised) -> None:
    integers = np.rint(project(one.weights, (one.mask, one.codebook)) / one.codebook.scales).astype(np.int8)
    strangers = np.setdiff1d(np.arange(-127, 128), one.codebook.values)
    integers.flat[0] = strangers[0]
    assert not one.codebook.holds(integers)
    if not one.mask.kept.all():
        first = np.flatnonzero(~one.mask.kept.ravel())[0]
        integers.flat[first] = 1
        assert not one.mask.holds(integers)
    assert not one.mask.holds(integers.ravel())

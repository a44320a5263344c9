"""For any network and board: more work never takes less time, parts sum up, and folds never see what they predict."""

from __future__ import annotations

import functools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.cost_model.held_out import Fold, HeldOut, anchored, unanchored
from benchmarks.cost_model.measurements import models
from tfcompress.benchmark.estimate.cost_model.instructions import coefficients_of, instructions
from tfcompress.benchmark.estimate.cost_model.kinship import Point, System, components, covariance
from tfcompress.benchmark.estimate.cost_model.predict import Anchor, predict
from tfcompress.benchmark.estimate.cost_model.prices import prices
from tfcompress.benchmark.estimate.cost_model.process import Measured, believe
from tfcompress.benchmark.estimate.cost_model.systems import system_of
from tfcompress.benchmark.estimate.cost_model.work import KINDS, Work, work_from_shapes
from tfcompress.targets import devices, target

CLOCK = 100e6
PRICES = prices()
SEEN = PRICES.measured
BOARDS = sorted({point.system.board for point in SEEN.points})


@functools.cache
def systems() -> tuple[System, ...]:
    """Every packaged device with each of its runtimes that kernels were counted or measured of."""
    pairs = [
        target(f"{name}:{runtime}")
        for name in devices()
        for runtime in (target(name).device.runtime, *target(name).device.also)
    ]
    families = {point.system.library for point in SEEN.points} | set(PRICES.counts)
    return tuple(system_of(one) for one in pairs if one.runtime.family in families)


some_system = st.sampled_from(systems())
some_models = st.sampled_from([models()[name] for name in ("ad", "ic", "kws", "vww")])


@st.composite
def layers(draw: st.DrawFn) -> Work:
    side, came, made = draw(st.integers(1, 32)), draw(st.integers(1, 64)), draw(st.integers(1, 64))
    name = draw(st.sampled_from(["CONV_2D", "1x1", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SOFTMAX"]))
    if name == "FULLY_CONNECTED":
        return work_from_shapes(name, [(1, side * came), (made, side * came), (made,)], [(1, made)])
    if name in ("CONV_2D", "1x1"):
        size = 1 if name == "1x1" else draw(st.sampled_from([3, 5]))
        kernel = (made, size, size, came)
        return work_from_shapes("CONV_2D", [(1, side, side, came), kernel, (made,)], [(1, side, side, made)])
    image = (1, side, side, came)
    return work_from_shapes(name, [image, (1, 3, 3, came), (came,)] if name[0] == "D" else [image, image], [image])


networks = st.lists(layers(), min_size=1, max_size=8).map(tuple)


# --- an estimate ------------------------------------------------------------------------------------------------


@given(networks, some_system)
@settings(deadline=None)
def test_any_network_has_an_estimate_in_an_interval_with_parts_that_sum_up(
    works: tuple[Work, ...], system: System
) -> None:
    found = predict(works, system, CLOCK)
    assert 0 < found.low_ms < found.latency_ms < found.high_ms < math.inf
    assert sum(cost.share for cost in found.operators) == pytest.approx(1)
    assert sum(cost.milliseconds for cost in found.operators) == pytest.approx(found.latency_ms)
    assert min(cost.share for cost in found.operators) >= 0
    assert found.points >= 0 and found.basis


@given(networks, some_system, st.floats(1e6, 1e9), st.floats(1.01, 50))
@settings(deadline=None)
def test_time_goes_with_the_inverse_of_the_clock_and_the_interval_stays(
    works: tuple[Work, ...], system: System, clock: float, times: float
) -> None:
    slow, fast = predict(works, system, clock), predict(works, system, clock * times)
    assert slow.latency_ms == pytest.approx(times * fast.latency_ms)
    assert slow.high_ms / slow.latency_ms == pytest.approx(fast.high_ms / fast.latency_ms)
    assert slow.cycles == pytest.approx(fast.cycles)


@given(
    some_system,
    st.sampled_from(["CONV_2D", "1x1", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"]),
    st.integers(1, 32),
    st.integers(1, 64),
    st.integers(1, 64),
)
@settings(deadline=None)
def test_a_layer_of_more_channels_never_takes_less_time(
    system: System, name: str, side: int, came: int, made: int
) -> None:
    def layer(inputs: int, outputs: int) -> Work:
        if name == "FULLY_CONNECTED":
            return work_from_shapes(name, [(1, side * inputs), (outputs, side * inputs)], [(1, outputs)])
        if name == "DEPTHWISE_CONV_2D":
            image = (1, side, side, inputs)
            return work_from_shapes(name, [image, (1, 3, 3, inputs)], [image])
        size = 1 if name == "1x1" else 3
        kernel = (outputs, size, size, inputs)
        return work_from_shapes("CONV_2D", [(1, side, side, inputs), kernel], [(1, side, side, outputs)])

    first = predict([layer(came, made)], system, CLOCK).latency_ms
    assert predict([layer(came + 1, made)], system, CLOCK).latency_ms >= first * (1 - 1e-9)
    assert predict([layer(came, made + 1)], system, CLOCK).latency_ms >= first * (1 - 1e-9)


@given(networks, layers(), some_system)
@settings(deadline=None)
def test_a_layer_more_never_takes_less_time(works: tuple[Work, ...], layer: Work, system: System) -> None:
    longer, shorter = predict((*works, layer), system, CLOCK), predict(works, system, CLOCK)
    assert longer.latency_ms >= shorter.latency_ms * (1 - 1e-9)


@given(networks, some_system)
@settings(deadline=None)
def test_the_order_of_layers_changes_no_share(works: tuple[Work, ...], system: System) -> None:
    there, back = predict(works, system, CLOCK), predict(works[::-1], system, CLOCK)
    assert there.latency_ms == pytest.approx(back.latency_ms)
    shares = [[cost.share for cost in one.operators] for one in (there, back)]
    assert shares[0] == pytest.approx(shares[1][::-1])


@given(networks, networks, some_system, st.floats(0.3, 3))
@settings(max_examples=15, deadline=None)
def test_a_measurement_of_ones_own_never_widens_an_interval(
    works: tuple[Work, ...], other: tuple[Work, ...], system: System, times: float
) -> None:
    anchor = Anchor(other, predict(other, system, CLOCK).latency_ms * times, "mine")
    before, after = predict(works, system, CLOCK), predict(works, system, CLOCK, anchors=[anchor])
    assert after.high_ms / after.latency_ms <= before.high_ms / before.latency_ms * (1 + 1e-6)
    again = predict(other, system, CLOCK, anchors=[anchor])
    assert again.latency_ms == pytest.approx(anchor.latency_ms, rel=0.1)


@given(layers(), st.sampled_from(sorted(PRICES.counts)), st.sampled_from(["cortex-m0plus", "cortex-m4", "rv32imc"]))
@settings(deadline=None)
def test_instructions_are_counted_for_every_layer(layer: Work, library: str, core: str) -> None:
    assert instructions(layer, coefficients_of(PRICES.counts, library, core)) > 0


# --- the process ------------------------------------------------------------------------------------------------


def test_the_covariance_is_symmetric_and_positive() -> None:
    total = covariance(SEEN.points, SEEN.points, PRICES.variances[0])
    assert np.allclose(total, total.T)
    assert np.linalg.eigvalsh(total).min() > -1e-9


@pytest.mark.parametrize("name", sorted(set(PRICES.variances[0]) - {"noise"}))
def test_each_part_of_the_covariance_is_one_by_itself(name: str) -> None:
    matrix = components(SEEN.points, SEEN.points)[name]
    assert np.allclose(matrix, matrix.T) and np.linalg.eigvalsh(matrix).min() > -1e-6


@given(st.lists(st.integers(0, len(SEEN.points) - 1), min_size=1, max_size=12, unique=True))
@settings(max_examples=10, deadline=None)
def test_the_closed_form_is_what_the_process_believes_with_the_points_really_removed(block: list[int]) -> None:
    folds = HeldOut(SEEN, PRICES.variances).block(block, block)
    told = believe(without(set(block)), [SEEN.points[index] for index in block], PRICES.variances)
    assert [fold.mean for fold in folds] == pytest.approx([one.mean for one in told], rel=1e-6, abs=1e-6)
    assert [fold.deviation**2 for fold in folds] == pytest.approx([one.variance for one in told], rel=1e-5)


@pytest.mark.parametrize("board", BOARDS)
def test_an_unanchored_fold_uses_no_point_of_its_board_and_covers_all_of_them(board: str) -> None:
    folds = unanchored(HeldOut(SEEN, PRICES.variances), SEEN, board)
    block = [index for index, point in enumerate(SEEN.points) if point.system.board == board]
    assert [fold.index for fold in folds] == block
    check(folds, [set(block)] * len(folds))


@pytest.mark.parametrize("board", BOARDS)
def test_an_anchored_fold_uses_of_its_board_only_other_models_of_the_same_system(board: str) -> None:
    folds = anchored(HeldOut(SEEN, PRICES.variances), SEEN, board)
    block = {index for index, point in enumerate(SEEN.points) if point.system.board == board}
    removed = []
    for fold in folds:
        system = SEEN.points[fold.index].system.name
        same = {index for index in block if SEEN.points[index].system.name == system}
        assert len(same) > 1
        removed.append((block - same) | {fold.index})
    check(folds, removed)


@given(st.sampled_from(BOARDS), st.floats(-2, 2))
@settings(max_examples=10, deadline=None)
def test_what_a_board_really_measured_changes_no_fold_of_it(board: str, change: float) -> None:
    block = {index for index, point in enumerate(SEEN.points) if point.system.board == board}
    other = tuple(value + change * (index in block) for index, value in enumerate(SEEN.residuals))
    before = unanchored(HeldOut(SEEN, PRICES.variances), SEEN, board)
    after = unanchored(HeldOut(Measured(SEEN.points, other), PRICES.variances), SEEN, board)
    assert [fold.mean for fold in after] == pytest.approx([fold.mean for fold in before], abs=1e-6)


@given(some_models, some_system)
@settings(deadline=None)
def test_a_measurement_makes_its_neighbours_likelier_in_the_order_of_their_kinship(
    works: tuple[Work, ...], system: System
) -> None:
    """The same board counts most, then the same core, then another one."""

    def point(one: System) -> Point:
        parts = [instructions(work, coefficients_of(PRICES.counts, one.library, one.counted)) for work in works]
        return Point(
            one,
            "",
            tuple(
                sum(part for part, work in zip(parts, works, strict=True) if work.kind == kind) / sum(parts)
                for kind in KINDS
            ),
        )

    board = replace(system, name="other")
    core = replace(board, board="other")
    far = replace(core, core="other")
    told = covariance([point(system)], [point(one) for one in (system, board, core, far)], PRICES.variances[0])[0]
    assert told[0] >= told[1] >= told[2] >= told[3]


def check(folds: list[Fold], removed: list[set[int]]) -> None:
    """That each fold is what the process believes without the points that were to be removed."""
    for fold, indices in list(zip(folds, removed, strict=True))[:: max(1, len(folds) // 3)]:
        (told,) = believe(without(indices), [SEEN.points[fold.index]], PRICES.variances)
        assert fold.mean == pytest.approx(told.mean, rel=1e-6, abs=1e-6)
        assert fold.deviation**2 == pytest.approx(told.variance, rel=1e-5)
        assert fold.error == pytest.approx(math.exp(told.mean - SEEN.residuals[fold.index]) - 1, abs=1e-6)


def without(indices: set[int]) -> Measured:
    rest = [index for index in range(len(SEEN.points)) if index not in indices]
    return Measured(tuple(SEEN.points[index] for index in rest), tuple(SEEN.residuals[index] for index in rest))

"""Which weights go: grains, budgets and the moments of pruning, without any training."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from converters.keras_models.kernels import Kernel, to_file_layout
from tfcompress.pruning import budgets, gradual, grains
from tfcompress.pruning.grains import Part

AXES = {"Conv2D": (3,), "DepthwiseConv2D": (2, 3), "Conv2DTranspose": (2,), "Dense": (1,), "Conv1D": (2,)}
SHAPES = {
    "Conv2D": (3, 3, 8, 6),
    "DepthwiseConv2D": (3, 3, 8, 2),
    "Conv2DTranspose": (2, 3, 5, 8),
    "Dense": (12, 10),
    "Conv1D": (5, 4, 6),
}
every_layer = pytest.mark.parametrize("layer_class", list(SHAPES))


def kernel_of(layer_class: str, name: str = "layer", shape: tuple[int, ...] | None = None) -> Kernel:
    variable = SimpleNamespace(shape=shape or SHAPES[layer_class])
    return Kernel(name, "kernel", variable, AXES[layer_class], layer_class)


def whole(layer_class: str = "Dense", **changed: Any) -> Part:
    kernel = kernel_of(layer_class, changed.pop("name", "layer"), changed.pop("shape", None))
    return grains.part_of(kernel, **{"block": (1, 1), "group": None, **changed})


def random_like(part: Part) -> Any:
    return np.random.default_rng(0).normal(size=part.kernel.shape)


# --- grains -----------------------------------------------------------------------------------------------------


@every_layer
@pytest.mark.parametrize("sparsity", [0.01, 0.5, 0.6, 0.99])
def test_single_weights_go_in_the_exact_number_and_the_smallest_first(layer_class: str, sparsity: float) -> None:
    part = whole(layer_class)
    weights = random_like(part)
    zeros = round(sparsity * part.weights)
    kept = grains.kept(part, part.averaged(np.abs(weights)), zeros)
    assert np.count_nonzero(~kept) == zeros
    assert np.abs(weights[~kept]).max() <= np.abs(weights[kept]).min()


@pytest.mark.parametrize("layer_class", ["Conv2D", "Conv2DTranspose", "Dense", "Conv1D"])
@pytest.mark.parametrize("block", [(1, 4), (2, 2), (4, 1), (3, 5)])
def test_blocks_are_whole_in_the_files_matrix(layer_class: str, block: tuple[int, int]) -> None:
    part = whole(layer_class, block=block)
    kept = grains.kept(part, part.averaged(np.abs(random_like(part))), part.weights // 2)
    file = to_file_layout(layer_class, kept)
    matrix = file.reshape(file.shape[0], -1)
    for row in range(0, matrix.shape[0], block[0]):
        for column in range(0, matrix.shape[1], block[1]):
            found = matrix[row : row + block[0], column : column + block[1]]
            assert found.all() or not found.any()
    assert part.weights // 2 <= np.count_nonzero(~kept) < part.weights // 2 + block[0] * block[1]


def test_blocks_of_a_depthwise_kernel_are_positions_by_channels() -> None:
    part = whole("DepthwiseConv2D", block=(1, 4))
    kept = grains.kept(part, part.averaged(np.abs(random_like(part))), part.weights // 2)
    rows = kept.reshape(9, 4, 4)
    assert (rows.all(-1) | ~rows.any(-1)).all()


@every_layer
def test_each_group_loses_n_of_m_on_the_files_last_axis(layer_class: str) -> None:
    part = whole(layer_class, group=2)
    weights = random_like(part)
    kept = grains.kept_in_groups(part, part.averaged(np.abs(weights)), 1)
    groups = to_file_layout(layer_class, kept).reshape(-1, 2)
    assert (groups.sum(1) == 1).all()
    sizes = np.abs(to_file_layout(layer_class, weights)).reshape(-1, 2)
    assert (sizes[groups] >= sizes[~groups]).all()


def test_groups_are_those_of_tf_mot() -> None:
    pytest.importorskip("tensorflow")
    import tensorflow as tf

    from converters.keras_models.tf_mot import tf_mot

    tf_mot()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils

    part = whole("Conv2D", group=4)
    weights = random_like(part)
    theirs = pruning_utils.m_by_n_sparsity_mask_prepare(
        pruning_utils.generate_m_by_n_mask(pruning_utils.weights_rearrange(tf.constant(weights)), (3, 4)),
        tf.constant(weights).shape,
    )
    ours = grains.kept_in_groups(part, part.averaged(np.abs(weights)), 3)
    np.testing.assert_array_equal(ours, theirs.numpy().astype(bool))


@every_layer
@pytest.mark.parametrize("block", [(1, 1), (1, 4)])
def test_zeros_of_an_earlier_step_stay_and_count(layer_class: str, block: tuple[int, int]) -> None:
    dead = np.random.default_rng(1).random(SHAPES[layer_class]) < 0.3
    part = whole(layer_class, dead=dead, block=block)
    zeros = part.weights // 2
    kept = grains.kept(part, np.ones(len(part.sizes)), zeros)
    assert not kept[dead].any()
    if block == (1, 1):
        assert np.count_nonzero(~kept) == zeros
    few = grains.kept(part, np.ones(len(part.sizes)), part.weights // 10)
    assert not few[dead].any()


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.float64, 30, elements=st.sampled_from([0.0, 0.5, 1.0, 2.0])), st.integers(0, 30))
def test_equal_scores_do_not_change_the_number(scores: Any, zeros: int) -> None:
    assert np.count_nonzero(grains.lowest(scores, np.ones(30, np.int64), zeros)) == zeros


# --- budgets ----------------------------------------------------------------------------------------------------


def two_parts(scale: float) -> tuple[list[Part], dict[str, Any]]:
    parts = [whole("Dense", name="small", shape=(20, 10)), whole("Dense", name="large", shape=(40, 25))]
    random = np.random.default_rng(0)
    weights = {"small/kernel": random.normal(size=200) * scale, "large/kernel": random.normal(size=1000)}
    return parts, weights


def shares(budget: budgets.Budget, scale: float, sparsity: float = 0.6) -> dict[str, int]:
    parts, weights = two_parts(scale)
    scores = {name: np.abs(array) for name, array in weights.items()}
    return budgets.zeros(budget, parts, scores, {name: array**2 for name, array in weights.items()}, sparsity)


def test_per_layer_gives_each_kernel_the_same_share() -> None:
    assert shares("per-layer", 100.0) == {"small/kernel": 120, "large/kernel": 600}


def test_global_takes_the_smallest_weights_of_the_whole_model() -> None:
    assert shares("global", 100.0)["small/kernel"] < 20
    assert sum(shares("global", 100.0).values()) == 720


def test_hierarchical_does_not_mind_the_scale_of_a_kernel_and_spares_small_ones() -> None:
    found = shares("hierarchical", 1.0)
    assert found == shares("hierarchical", 100.0)
    assert found["small/kernel"] / 200 < found["large/kernel"] / 1000
    assert sum(found.values()) == 720


@pytest.mark.parametrize("sparsity", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("budget", ["global", "hierarchical"])
def test_no_kernel_is_lost_as_a_whole(budget: budgets.Budget, sparsity: float) -> None:
    found = shares(budget, 1e-6, sparsity)
    assert found["small/kernel"] <= 200 - max(1, round((1 - sparsity) * 20))
    assert sum(found.values()) == math.ceil(sparsity * 1200 - 1e-6)


def test_lamp_is_the_share_in_what_is_not_smaller() -> None:
    # arXiv:2010.07611, equation 1, by hand: 4 / (4 + 9 + 16), 1 / 30, 16 / 16, 9 / 25.
    np.testing.assert_allclose(budgets.lamp(np.array([4.0, 1, 16, 9])), [4 / 29, 1 / 30, 1, 9 / 25])
    assert not budgets.lamp(np.zeros(3)).any()


# --- moments ----------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 5000), st.floats(0, 0.8), st.floats(0.05, 1), st.floats(0.001, 1))
def test_the_last_update_is_at_the_full_sparsity(steps: int, begin: float, share: float, frequency: float) -> None:
    end = min(1.0, begin + share * (1 - begin))
    when = gradual.timing(steps, begin=begin, end=end, frequency=frequency)
    assert when.is_turn(when.end)
    assert 1 <= when.begin < when.end
    assert when.end <= max(2, steps)
    assert abs(when.end - end * steps) <= max(3, when.frequency)

"""What a user of `cluster` with `bits_per_weight` relies on: the file's weights take no more bits than that."""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import ValidationError
from test_cluster import CLUSTERED, codebook_of, digits, pruned, trained, weights_of

import tfcompress
from converters.flatbuffer.kernels import kernels_in_file
from tfcompress.clustering import rate
from tfcompress.invariants import holds_exactly, nearest
from tfcompress.model import CompressedModel
from tfcompress.techniques.cluster import Cluster
from tfcompress.training import Trainer


def quick(bits: float, *, epochs: int = 0, layers: tuple[str, ...] = ("*",)) -> Cluster:
    return Cluster(bits_per_weight=bits, epochs=epochs, layers=layers, minimum_weights=100, learning_rate=3e-3)


def bits_of(integers: Any) -> int:
    """Bits of a Huffman code for these numbers, without its table."""
    return rate.huffman_bits(np.unique(integers, return_counts=True)[1])


@functools.cache
def clustered(bits: float, epochs: int) -> CompressedModel:
    return quick(bits, epochs=epochs).apply(CompressedModel(trained()), Trainer(digits()))


# --- the file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bits", "epochs"), [(2.5, 3), (1.5, 3), (2.5, 0), (1.2, 0)])
def test_the_integers_of_the_file_take_at_most_the_bits_asked_for_on_average(bits: float, epochs: int) -> None:
    compressed = clustered(bits, epochs)
    made = tfcompress.convert(
        compressed.model, digits().calibration_samples(100), weight_scales=compressed.ranges.weights
    )
    stored = {name: np.asarray(kernels_in_file(made.flatbuffer)[name].values) for name in CLUSTERED}
    average = sum(map(bits_of, stored.values())) / sum(values.size for values in stored.values())
    # A few steps of training end where they end; without training the target is met closely.
    assert (0.7 if epochs else 0.85) * bits < average <= bits
    assert f"{average:.3f} bits a weight" in " ".join(compressed.history[-1].notes)
    for name, weights in weights_of(compressed).items():
        assert holds_exactly(weights, compressed.invariants.get(name, ()))


def test_values_that_no_weight_has_are_not_in_the_codebook() -> None:
    compressed = clustered(1.5, 3)
    for name in CLUSTERED:
        codebook = codebook_of(compressed, name)
        used = np.unique(np.rint(weights_of(compressed)[name] / codebook.scales))
        assert np.array_equal(used, codebook.values), name


def test_training_brings_the_accuracy_back() -> None:
    trainer = Trainer(digits())
    assert trainer.score(clustered(2.5, 3).model) > trainer.score(clustered(2.5, 0).model)
    assert trainer.score(clustered(2.5, 3).model) > trainer.score(trained()) - 0.04


def test_norms_have_the_averages_of_the_final_weights_and_frozen_ones_stay() -> None:
    from converters.keras_models.simplify import clone

    class Plain(Cluster):
        """Only its settings count."""

    import tf_keras

    model, trainer, names = clone(trained()), Trainer(digits()), ("conv_norm", "pointwise_norm")
    before = [model.get_layer(name).get_weights() for name in names]
    trainer.refresh(model, Plain(epochs=1, freeze=("pointwise_norm",)))
    after = [model.get_layer(name).get_weights() for name in names]
    assert all(np.array_equal(one, other) for one, other in zip(before[1], after[1], strict=True))
    for old, new in zip(before[0][:2], after[0][:2], strict=True):
        assert np.array_equal(old, new)  # gamma and beta
    into = tf_keras.Model(model.inputs, model.get_layer("conv_norm").input)(digits().x_train).numpy()
    np.testing.assert_allclose(after[0][2], into.mean(axis=(0, 1, 2)), rtol=0.05, atol=0.01)
    np.testing.assert_allclose(after[0][3], into.var(axis=(0, 1, 2)), rtol=0.1)
    assert model.get_layer("conv_norm").momentum == trained().get_layer("conv_norm").momentum
    trainer.refresh(model, Plain(epochs=0))
    assert all(
        np.array_equal(one, other)
        for one, other in zip(after[0], model.get_layer("conv_norm").get_weights(), strict=True)
    )


def test_zeros_of_an_earlier_step_stay() -> None:
    compressed = quick(1.6, epochs=1).apply(pruned(), Trainer(digits()))
    for name in CLUSTERED:
        assert 0 in codebook_of(compressed, name).values
        assert holds_exactly(weights_of(compressed)[name], compressed.invariants[name])


def test_an_interrupted_step_goes_on_where_it_was(tmp_path: Path) -> None:
    import tf_keras

    class Interrupt(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise KeyboardInterrupt

    step, start = quick(2.0, epochs=3, layers=("conv", "pointwise")), CompressedModel(trained())
    with pytest.raises(KeyboardInterrupt):
        step.apply(start, Trainer(replace(digits(), callbacks=(Interrupt(),)), folder=tmp_path))
    continued = step.apply(start, Trainer(digits(), folder=tmp_path))
    whole = step.apply(start, Trainer(digits()))
    for name in ("conv/kernel", "pointwise/kernel"):
        assert np.array_equal(codebook_of(continued, name).values, codebook_of(whole, name).values)
        np.testing.assert_allclose(weights_of(continued)[name], weights_of(whole)[name], rtol=1e-4, atol=1e-5)


def test_one_codebook_for_all_kernels_and_a_rate_is_refused() -> None:
    with pytest.raises(ValidationError, match="codewords of its own; leave scope out"):
        Cluster(bits_per_weight=2.0, scope="model")


@pytest.mark.parametrize("bits", [1.0, 0.5, 9.0])
def test_bits_that_a_huffman_code_cannot_have_are_refused(bits: float) -> None:
    with pytest.raises(ValidationError):
        Cluster(bits_per_weight=bits)


# --- the arithmetic -----------------------------------------------------------------------------------------------

counts = some.lists(some.integers(0, 1000), min_size=2, max_size=12).map(np.array).filter(lambda one: one.sum() > 0)


@given(counts)
def test_a_huffman_code_is_complete_and_within_a_bit_of_the_entropy(counts: Any) -> None:
    lengths, used = rate.huffman_lengths(counts), counts > 0
    assert np.array_equal(lengths > 0, used)
    assert np.sum(0.5 ** lengths[used]) == (1.0 if used.sum() > 1 else 0.5)
    shares = counts[used] / counts.sum()
    entropy = -np.sum(shares * np.log2(shares))
    assert entropy - 1e-9 <= rate.huffman_bits(counts) / counts.sum() <= entropy + 1


@given(counts)
def test_prices_are_never_more_than_a_code_needs_and_at_least_a_bit_for_the_most_frequent(counts: Any) -> None:
    prices = rate.prices(counts)
    assert prices[counts.argmax()] >= 1.0
    assert np.all(np.isinf(prices[counts == 0]))
    used = counts > 0
    assert np.sum(prices[used] * counts[used]) <= rate.huffman_bits(counts) + 1e-6 * counts.sum()


@given(some.lists(some.integers(-127, 127), min_size=2, max_size=16, unique=True).map(sorted), some.integers(0, 99))
def test_without_prices_the_nearest_codeword_is_the_cheapest(values: list[int], seed: int) -> None:
    codewords, numbers = np.array(values), np.random.default_rng(seed).uniform(-140, 140, 200)
    chosen = codewords[rate.cheapest(codewords, np.zeros(len(codewords)), numbers)]
    expected = codewords[nearest(codewords, numbers)]
    # Both look at half steps, and differ where two codewords are equally near to one.
    assert np.all(np.abs(np.abs(chosen - numbers) - np.abs(expected - numbers)) <= 1.0)


@settings(max_examples=25, deadline=None)
@given(some.integers(0, 999), some.sampled_from([1e-5, 1e-3, 1e-2]), some.booleans())
def test_the_best_codewords_are_no_worse_than_any_others(seed: int, multiplier: float, needs_zero: bool) -> None:
    random = np.random.default_rng(seed)
    numbers = random.laplace(size=60)

    def cost(codewords: Any) -> float:
        assigned = np.abs(numbers[:, np.newaxis] - codewords).argmin(axis=1)
        error = np.square(numbers - codewords[assigned]).sum() / np.square(numbers).sum()
        return float(error + multiplier * rate.huffman_bits(np.bincount(assigned, minlength=len(codewords))))

    best, used = rate.best_codewords(numbers, multiplier, 3, needs_zero=needs_zero)
    assert used.sum() == numbers.size and len(best) <= 3
    if needs_zero or len(best) > 2:
        assert 0.0 in best
    tried = [np.array([0.0, *pair]) for pair in itertools.combinations(np.quantile(numbers, np.arange(0.1, 1, 0.1)), 2)]
    assert cost(best) <= 1.05 * min(map(cost, tried))

"""What a user of `prune` relies on: the zeros that were asked for, where they belong, and a model that works."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from converters.errors import CompressionError, TrainingError, UsageError
from converters.keras_models.kernels import kernels
from tfcompress.invariants import ZeroMask
from tfcompress.model import CompressedModel
from tfcompress.recipe import Recipe, from_toml
from tfcompress.task import Task
from tfcompress.techniques.prune import Prune
from tfcompress.training import Trainer

TRAINING = 600  # samples


@functools.cache
def digits() -> Task:
    from sklearn.datasets import load_digits

    found = load_digits()
    x, y = (found.images[..., np.newaxis] / 16).astype(np.float32), found.target
    return Task(x_train=x[:TRAINING], y_train=y[:TRAINING], x_val=x[1200:], y_val=y[1200:])


@functools.cache
def trained() -> CompressedModel:
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    x = inputs = layers.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="first")(x)
    x = layers.BatchNormalization(momentum=0.9, name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, activation="relu", name="depthwise")(x)
    x = layers.Conv2D(16, 1, activation="relu", name="pointwise")(x)
    x = layers.AveragePooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(10, activation="softmax", name="digit")(x)
    model = tf_keras.Model(inputs, x)
    Trainer(digits()).fit(model, Prune(epochs=12, batch_size=32, learning_rate=5e-3))
    return CompressedModel(model)


def prune_this(compressed: CompressedModel, **fields: Any) -> CompressedModel:
    settings = {"epochs": 2, "batch_size": 32, "minimum_weights": 100, **fields}
    return Prune(**settings).apply(compressed, Trainer(digits()))


@functools.cache
def prune(**fields: Any) -> CompressedModel:
    return prune_this(trained(), **fields)


def zeros(compressed: CompressedModel) -> dict[str, int]:
    return {kernel.layer: int(np.sum(kernel.variable.numpy() == 0)) for kernel in kernels(compressed.model)}


def masks(compressed: CompressedModel) -> dict[str, Any]:
    found = {}
    for name, promises in compressed.invariants.items():
        (mask,) = (one for one in promises if isinstance(one, ZeroMask))
        found[name.partition("/")[0]] = mask.kept
    return found


def score(compressed: CompressedModel) -> float:
    return Trainer(digits()).score(compressed.model)


# --- the zeros that were asked for ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"schedule": "constant"},
        {"criterion": "taylor", "samples": 64},
        {"criterion": "random"},
        {"mode": "one-shot", "criterion": "l2"},
        {"mode": "iterative", "rounds": 2},
        {"epochs": 1, "batch_size": TRAINING},
        {"epochs": 0},
    ],
    ids=lambda fields: " ".join(map(str, fields.values())) or "defaults",
)
def test_each_kernel_has_exactly_the_zeros_that_were_asked_for(fields: dict[str, Any]) -> None:
    after = prune(**fields)
    wanted = {"first": 87, "depthwise": 173, "pointwise": 308, "digit": 1536}  # at least 0.6 of 144, 288, 512, 2560
    assert {name: int(np.sum(~mask)) for name, mask in masks(after).items()} == wanted
    for kernel in kernels(after.model):
        assert not kernel.variable.numpy()[~masks(after)[kernel.layer]].any()
    assert len(after.history[-1].epochs) == fields.get("epochs", 2)
    assert after.history[-1].notes[0] == "60.0% of 3,504 weights of 4 kernels are zero"


def test_half_of_the_weights_cost_little_accuracy_and_magnitude_beats_chance() -> None:
    before = score(trained())
    assert before > 0.85
    assert score(prune(sparsity=0.5, epochs=3)) > before - 0.03
    untrained = {criterion: score(prune(criterion=criterion, epochs=0)) for criterion in ("l1", "taylor", "random")}
    assert min(untrained["l1"], untrained["taylor"]) > untrained["random"] + 0.1


def test_a_training_too_short_for_the_schedule_says_so_and_still_reaches_the_target() -> None:
    after = prune(epochs=1, batch_size=TRAINING)
    assert "training was too short for the schedule: 0.0% were zero" in after.history[-1].notes[1]


def test_pruning_ends_where_tf_mot_alone_would_end() -> None:
    """The same data in the same order through TF-MOT as its guide uses it: the same masks but for a few weights."""
    import tf_keras

    from converters.keras_models.simplify import clone
    from converters.keras_models.tf_mot import tf_mot

    sparse = tf_mot().sparsity.keras
    plain = clone(trained().model)
    plain.get_layer("depthwise").trainable = False  # which TF-MOT does not prune
    ours = prune_this(replace(trained(), model=plain), layers=("first", "pointwise", "digit"), end=1.0, frequency=0.25)
    steps = 2 * -(-TRAINING // 32)
    schedule = sparse.PolynomialDecay(0.0, 0.6, 1, 37, 3, 9)
    theirs = sparse.prune_low_magnitude(clone(plain), pruning_schedule=schedule)
    optimizer = tf_keras.optimizers.Adam(tf_keras.optimizers.schedules.CosineDecay(1e-3, steps))
    theirs.compile(optimizer, "sparse_categorical_crossentropy")
    callback = sparse.UpdatePruningStep()
    callback.set_model(theirs)
    callback.on_train_begin()
    for epoch in range(2):
        for x, y in digits().training_batches(epoch, size=32, seed=0):
            theirs.train_on_batch(x, y)
        callback.on_epoch_end(epoch)
    for kernel in kernels(sparse.strip_pruning(theirs)):
        if kernel.layer != "depthwise":
            assert np.mean((kernel.variable.numpy() != 0) == masks(ours)[kernel.layer]) > 0.97, kernel.name


def test_zeros_of_an_earlier_step_stay_and_count() -> None:
    first = prune(sparsity=0.3, epochs=1)
    second = prune_this(first, sparsity=0.5, epochs=1, criterion="random")
    for layer, kept in masks(second).items():
        assert not kept[~masks(first)[layer]].any()
        assert int(np.sum(~kept)) == math.ceil(0.5 * kept.size)
    assert [step.fields["sparsity"] for step in second.history] == [0.3, 0.5]


# --- where they were asked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["gradual", "one-shot"])
def test_n_of_m_holds_in_every_group_of_the_file(mode: str) -> None:
    after = prune(structure="n:m", pattern="3:4", mode=mode, epochs=1)
    found = masks(after)
    assert set(found) == {"depthwise", "pointwise", "digit"}
    for layer in ("pointwise", "digit"):
        groups = np.moveaxis(found[layer], -1, 0).reshape(-1, 4)  # the file has the output channels first
        assert (groups.sum(1) == 1).all()
    assert (found["depthwise"].reshape(9, 8, 4).sum(-1) == 1).all()
    assert [one.layer for one in after.history[-1].skipped] == ["first"]
    assert after.history[-1].skipped[0].reason == "kernel has 1 input channels, which groups of 4 do not divide"


def test_tf_mot_itself_agrees_that_groups_are_sparse() -> None:
    from converters.keras_models.tf_mot import tf_mot

    after = prune(structure="n:m", pattern="3:4", mode="gradual", epochs=1)
    tf_mot()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_utils

    for kernel in kernels(after.model):
        if kernel.layer in ("pointwise", "digit"):
            assert pruning_utils.is_pruned_m_by_n(kernel.variable, (3, 4))


def test_blocks_of_the_files_matrix_vanish_as_a_whole() -> None:
    found = masks(prune(structure="block", block=(1, 8), epochs=1))
    matrix = found["pointwise"].reshape(32, 16).T.reshape(16, 4, 8)
    assert (matrix.all(-1) | ~matrix.any(-1)).all()
    assert 0.6 <= 1 - found["pointwise"].mean() < 0.62


@pytest.mark.parametrize("budget", ["global", "hierarchical"])
@pytest.mark.parametrize("mode", ["gradual", "one-shot"])
def test_budgets_over_layers_give_the_model_its_zeros(budget: str, mode: str) -> None:
    after = prune(budget=budget, mode=mode, epochs=1)
    shares = {layer: 1 - mask.mean() for layer, mask in masks(after).items()}
    assert sum(int(np.sum(~mask)) for mask in masks(after).values()) == math.ceil(0.6 * 3504)
    assert max(shares.values()) - min(shares.values()) > 0.05
    assert f"digit/kernel {shares['digit']:.1%}" in after.history[-1].notes[0]


def test_what_is_skipped_is_listed_with_its_reason_before_training_too() -> None:
    settings = Prune(minimum_weights=200, layers=("first", "point*", "digit"), freeze=("digit",), epochs=1)
    planned = settings.plan(trained())
    assert {one.layer: one.reason for one in planned} == {
        "first": "kernel has 144 weights, fewer than minimum_weights = 200",
        "depthwise": "not among layers = first, point*, digit",
        "digit": "frozen by freeze = digit",
    }
    after = settings.apply(trained(), Trainer(digits()))
    assert after.history[-1].skipped == planned
    assert list(masks(after)) == ["pointwise"]
    for before, now in zip(trained().model.get_layer("digit").get_weights(),
                           after.model.get_layer("digit").get_weights(), strict=True):  # fmt: skip
        np.testing.assert_array_equal(before, now)


def test_a_layer_that_is_called_twice_is_pruned_on_schedule() -> None:
    import tf_keras

    layers = tf_keras.layers
    shared = layers.Dense(16, activation="relu", name="shared")
    x = inputs = layers.Input((16,), name="image")
    x = shared(shared(x))
    model = tf_keras.Model(inputs, layers.Dense(10, name="digit")(x))
    task = replace(
        digits(),
        x_train=digits().x_train.reshape(TRAINING, 64)[:, ::4],
        x_val=None,
        y_val=None,  # type: ignore[union-attr]
    )
    seen: list[float] = []

    class Watch(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            wrapper = next(layer for layer in self.model.layers if hasattr(layer, "pruning_vars"))
            seen.append(1 - float(np.mean(wrapper.pruning_vars[0][1])))

    settings = Prune(epochs=1, batch_size=32, begin=0.5, end=0.9, frequency=0.2)
    after = settings.apply(CompressedModel(model), Trainer(replace(task, callbacks=(Watch(),))))
    assert max(seen[:9]) == 0 and 0.2 < seen[14] < 0.6 and seen[18] == pytest.approx(0.6, abs=0.01)
    assert zeros(after)["shared"] == math.ceil(0.6 * 256)


# --- adaptive, resume -------------------------------------------------------------------------------------------


def test_adaptive_finds_a_sparse_model_within_the_allowed_loss() -> None:
    before = score(trained())
    after = prune(mode="adaptive", sparsity=0.95, maximum_loss=0.03, rounds=3, epochs=3)
    assert score(after) >= before - 0.03
    assert min(1 - mask.mean() for mask in masks(after).values()) > 0.4
    notes = after.history[-1].notes
    assert len(notes) == 5 and "zeros: validation" in notes[2]
    assert len(after.history[-1].epochs) == 3


def test_adaptive_tries_the_most_first_and_is_done_where_that_is_good_enough() -> None:
    after = prune(mode="adaptive", sparsity=0.5, maximum_loss=0.5, rounds=3, epochs=3)
    assert {layer: round(1 - float(mask.mean()), 2) for layer, mask in masks(after).items()} == dict.fromkeys(
        ("first", "depthwise", "pointwise", "digit"), 0.5
    )
    assert len(after.history[-1].epochs) == 1
    assert [note.partition(":")[0] for note in after.history[-1].notes[2:]] == ["50.0% zeros"]


def test_adaptive_says_when_no_model_is_good_enough() -> None:
    with pytest.raises(TrainingError, match=r"no model within maximum_loss = 0 was found.*allow more loss"):
        prune(mode="adaptive", sparsity=0.999, maximum_loss=0, rounds=1, epochs=1, learning_rate=1e-6)


def test_an_interrupted_training_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    import tf_keras

    class Interrupt(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            epochs.append(epoch)
            if len(epochs) == 2:
                raise KeyboardInterrupt

    epochs: list[int] = []
    settings = Prune(epochs=2, batch_size=32, minimum_weights=100)
    trainer = Trainer(replace(digits(), callbacks=(Interrupt(),)), folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        settings.apply(trained(), trainer)
    resumed = settings.apply(trained(), trainer)
    assert epochs == [0, 1, 1]
    assert len(resumed.history[-1].epochs) == 2
    whole = settings.apply(trained(), Trainer(digits()))
    for layer, mask in masks(whole).items():
        assert np.mean(mask == masks(resumed)[layer]) > 0.98


# --- bad input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sparsity": 1.5}, "sparsity is 1.5; input should be less than 1"),
        ({"sparsity": 0}, "sparsity is 0; input should be greater than 0"),
        ({"structure": "n:m", "pattern": "4:4"}, "pattern is '4:4'; expected zeros:group with fewer zeros"),
        (
            {"structure": "n:m", "pattern": "1:4", "sparsity": 0.75},
            "pattern 1:4 makes 1 of every 4 weights zero, which",
        ),
        ({"structure": "n:m", "budget": "global"}, "n:m fixes the sparsity of every layer"),
        ({"structure": "block", "block": [1, 1]}, "a block has at least 2 weights"),
        ({"begin": 0.8, "end": 0.5}, "begin is 0.8 and end 0.5; pruning must begin before it ends"),
        ({"initial_sparsity": 0.7}, "initial_sparsity 0.7 is above sparsity 0.6"),
        ({"mode": "iterative", "epochs": 2}, "give at least 4 epochs, or fewer rounds"),
        ({"criterion": "l3"}, "criterion is 'l3'; input should be 'l1', 'l2', 'taylor' or 'random'"),
    ],
)
def test_parameters_that_cannot_work_are_refused_in_one_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Recipe(steps=({"technique": "prune", **fields},))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(ValidationError):
        Prune(**fields)


def test_a_model_with_nothing_to_prune_is_refused_before_training() -> None:
    with pytest.raises(CompressionError, match="no kernel of the model can be pruned"):
        Prune(minimum_weights=10_000).plan(trained())
    with pytest.raises(UsageError, match="layers names 'conv_\\*', which no layer is called"):
        Prune(layers=("conv_*",)).plan(trained())


def test_a_lookup_table_is_not_pruned_for_its_zeros_would_be_other_integers_in_the_file() -> None:
    import tf_keras

    layers = tf_keras.layers
    inputs = layers.Input((5,), name="words")
    x = layers.GlobalAveragePooling1D(name="mean")(layers.Embedding(50, 16, name="table")(inputs))
    model = tf_keras.Model(inputs, layers.Dense(32, name="scores")(x))
    (left,) = Prune(minimum_weights=100).plan(CompressedModel(model))
    assert (left.layer, left.reason) == (
        "table",
        "an Embedding is a lookup table, whose zeros are not the integer 0 in the file",
    )


def test_n_of_m_sets_the_sparsity_and_survives_toml() -> None:
    recipe = Recipe(steps=({"technique": "prune", "structure": "n:m", "pattern": "1:4"},))
    assert recipe.steps[0].fields()["sparsity"] == 0.25
    assert from_toml(recipe.to_toml()) == recipe

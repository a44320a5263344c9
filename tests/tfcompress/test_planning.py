"""What users rely on: a recipe that cannot work on their model and data is refused before anything is trained."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tfcompress
from converters.errors import CompressionError, DataError, UsageError
from converters.keras_models.kernels import kernels
from tfcompress import pipeline, registry, selection, steps
from tfcompress.recipe import Recipe
from tfcompress.task import Task
from tfcompress.technique import Trained
from tfcompress.training import Trainer

TRAINED = [name for name in registry.names() if issubclass(registry.find(name), Trained)]


@functools.cache
def small_model() -> Any:
    import tf_keras

    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    x = inputs = layers.Input((6, 6, 2), name="image")
    x = layers.Conv2D(8, 3, use_bias=False, name="conv")(x)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = layers.Conv2D(8, 1, name="pointwise")(x)
    x = layers.Flatten(name="flat")(x)
    return tf_keras.Model(inputs, layers.Dense(3, activation="softmax", name="class")(x))


def small_task(**fields: Any) -> Task:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 64)
    x = random.normal(size=(64, 6, 6, 2)).astype(np.float32) + y[:, None, None, None]
    return replace(Task(x_train=x[:32], y_train=y[:32], x_val=x[32:], y_val=y[32:]), **fields)


def recipe(*steps: dict[str, Any]) -> Recipe:
    small = {"prune": {"minimum_weights": 32}, "cluster": {"minimum_weights": 32, "clusters": 8}}
    return Recipe(steps=[{**small.get(step["technique"], {}), **step} for step in steps])


def reasons(plan: Any, step: int) -> dict[str, str]:
    return {skipped.layer: skipped.reason for skipped in plan.steps[step].skipped}


# --- patterns ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRAINED)
def test_a_typo_in_freeze_is_found_before_the_training_of_any_step(name: str) -> None:
    earlier = [{"technique": "prune"}] if name != "prune" else []
    with pytest.raises(UsageError, match="freeze names 'conb', which no layer is called; layers are image, conv, norm"):
        tfcompress.plan(small_model(), recipe(*earlier, {"technique": name, "freeze": ["conv", "conb"]}), small_task())


def test_a_layer_may_be_named_as_in_the_model_where_its_twin_has_another_name() -> None:
    import keras

    inputs = keras.layers.Input((6, 6, 2))
    x = keras.layers.Conv2D(8, 3, name="größe: conv")(inputs)
    x = keras.layers.Conv2D(8, 3, name="next")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x)))
    plan = tfcompress.plan(model, recipe({"technique": "prune", "layers": ["größe: conv"]}), small_task())
    assert "gr__e__conv" not in reasons(plan, 0)
    assert "next" in reasons(plan, 0)


def test_freeze_may_name_batch_normalization_that_an_earlier_step_folds_away() -> None:
    both = ({"technique": name, "freeze": ["norm"]} for name in ("cluster", "qat"))
    outcome = tfcompress.compress(small_model(), recipe(*both), small_task())
    assert outcome.compressed is not None
    assert "norm" not in {layer.name for layer in outcome.compressed.model.layers}


def test_layers_may_name_batch_normalization_that_an_earlier_step_folds_away() -> None:
    first = {"technique": "cluster", "epochs": 0, "layers": ["conv"]}
    second = {"technique": "cluster", "epochs": 0, "layers": ["norm", "pointwise"]}
    chain, task = recipe(first, second), small_task()
    compressed = steps.run(pipeline.prepare(small_model(), chain, task)[0], chain, Trainer(task), None)
    assert set(compressed.invariants) == {"conv/kernel", "pointwise/kernel"}


def test_all_layers_of_a_small_model_are_named_where_a_pattern_matches_none() -> None:
    names = [layer.name for layer in small_model().layers]
    with pytest.raises(UsageError, match="layers are image, conv, norm, relu, pointwise, flat, class$"):
        selection.check("layers", ("Conv",), names)
    with pytest.raises(UsageError, match=r"layers are a, a, a, a, a, a, a, a \.\.\.$"):
        selection.check("layers", ("b",), ["a"] * 9)


# --- steps that depend on each other ----------------------------------------------------------------------------


def test_clustering_what_is_clustered_is_refused_before_training() -> None:
    repeated = recipe({"technique": "cluster"}, {"technique": "cluster", "clusters": 4})
    with pytest.raises(CompressionError, match="no kernel of the model can be clustered .conv: kernel has a codebook"):
        tfcompress.plan(small_model(), repeated, small_task())


def test_the_plan_of_a_step_knows_what_earlier_steps_will_have_made() -> None:
    chain = recipe({"technique": "prune"}, {"technique": "cluster", "layers": ["conv"]}, {"technique": "cluster"})
    planned = tfcompress.plan(small_model(), chain, small_task())
    assert reasons(planned, 1) == dict.fromkeys(("pointwise", "class"), "not among layers = conv")
    assert reasons(planned, 2) == {"conv": "kernel has a codebook from an earlier step, which stays"}


# --- data -------------------------------------------------------------------------------------------------------

ADAPTIVE = {"technique": "prune", "mode": "adaptive", "epochs": 2, "rounds": 2}


@pytest.mark.parametrize("without", [{"x_val": None, "y_val": None}, {"y_val": None}], ids=["no samples", "no labels"])
def test_a_search_on_validation_data_needs_some_before_training(without: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"prune .*decides by the metric on validation data.*give x_val and y_val"):
        tfcompress.plan(small_model(), recipe(ADAPTIVE), small_task(**without))


def test_what_does_not_look_at_validation_data_needs_none() -> None:
    fixed = {**ADAPTIVE, "mode": "iterative"}
    searching = tfcompress.plan(small_model(), recipe(ADAPTIVE), small_task())
    without = tfcompress.plan(small_model(), recipe(fixed), small_task(x_val=None, y_val=None))
    assert [plan.steps[0].fields["mode"] for plan in (searching, without)] == ["adaptive", "iterative"]
    assert reasons(searching, 0) == reasons(without, 0) == {}


# --- what is chosen ---------------------------------------------------------------------------------------------


def test_every_layer_with_weights_is_chosen_or_has_a_reason_in_the_models_order() -> None:
    chosen, skipped = selection.choose(
        small_model(),
        layers=("*",),
        freeze=("class",),
        minimum_weights=100,
        unfit=lambda kernel: "",
        done="shrunk",
    )
    assert [kernel.layer for kernel in chosen] == ["conv"]
    assert [(one.layer, one.reason) for one in skipped] == [
        ("pointwise", "kernel has 64 weights, fewer than minimum_weights = 100"),
        ("class", "frozen by freeze = class"),
    ]
    assert [kernel.layer for kernel in kernels(small_model())] == ["conv", "pointwise", "class"]

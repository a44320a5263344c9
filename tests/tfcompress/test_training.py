"""Training through the Trainer: the user's data, loss, optimizer and callbacks; promises; checkpoints; errors."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from small_training import small_model, some_task

import tfcompress
from converters.errors import DataError, TrainingError, UsageError
from converters.keras_models.kernels import kernels
from tfcompress import compatibility, fitting
from tfcompress.invariants import Codebook, ZeroMask, holds_exactly
from tfcompress.model import CompressedModel
from tfcompress.recipe import Recipe
from tfcompress.task import Task
from tfcompress.technique import Trained
from tfcompress.training import Trainer


class Plain(Trained):
    """Only trains."""

    def apply(self, compressed: Any, trainer: Trainer) -> Any:
        raise NotImplementedError


def weights_of(model: Any) -> list[Any]:
    return [np.array(array) for array in model.get_weights()]


def test_promises_hold_after_every_training_step_and_weights_still_move() -> None:
    model = small_model()
    kernel = next(one for one in kernels(model) if one.layer == "hidden")
    kept = np.random.default_rng(1).random(kernel.shape) < 0.5
    scales = np.full((1, 1), 0.01, np.float32)
    promises = (ZeroMask(kept), Codebook(np.array([-100, -40, -10, 0, 10, 40, 100], np.int8), scales))
    seen: list[Any] = []

    class Look(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(kernel.variable.numpy())

    logs = Trainer(some_task(callbacks=(Look(),))).fit(
        model, Plain(epochs=3, batch_size=16, learning_rate=0.05), invariants={"hidden/kernel": promises}
    )
    assert len(logs) == 3
    assert len(seen) == 15
    assert all(holds_exactly(weights, promises) for weights in seen)
    assert not np.array_equal(seen[0], seen[-1])


def test_an_interrupted_training_goes_on_from_the_last_whole_epoch_to_the_same_result(tmp_path: Path) -> None:
    settings = Plain(epochs=4, batch_size=16)
    whole = small_model()
    expected = Trainer(some_task(), folder=tmp_path / "whole").fit(whole, settings)

    class Stop(tf_keras.callbacks.Callback):  # type: ignore[misc]
        begun: list[int] = []  # noqa: RUF012

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.begun.append(epoch)
            if epoch == 2 and self.begun.count(2) == 1:
                raise KeyboardInterrupt

    task = some_task(callbacks=(Stop(),))
    with pytest.raises(KeyboardInterrupt):
        Trainer(task, folder=tmp_path / "cut").fit(small_model(), settings)
    resumed = small_model()
    logs = Trainer(task, folder=tmp_path / "cut").fit(resumed, settings)
    assert Stop.begun == [0, 1, 2, 2, 3]
    assert [one["loss"] for one in logs] == pytest.approx([one["loss"] for one in expected], rel=1e-4)
    for ours, theirs in zip(weights_of(resumed), weights_of(whole), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_users_optimizer_loss_metrics_callbacks_and_augmentation_are_used() -> None:
    called: list[str] = []

    def loss(y: Any, outputs: Any) -> Any:
        called.append("loss")
        return tf_keras.losses.sparse_categorical_crossentropy(y, outputs)

    def augment(x: Any) -> Any:
        called.append("augment")
        return x

    class Note(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_end(self, logs: Any = None) -> None:
            called.append(type(self.model.optimizer).__name__)
            called.append(str(float(self.model.optimizer.learning_rate)))

    optimizer = tf_keras.optimizers.SGD(0.125, momentum=0.5)
    task = some_task(
        loss=loss,
        augment=augment,
        callbacks=(Note(),),
        optimizer=optimizer,
        metrics=("sparse_top_k_categorical_accuracy",),
    )
    logs = Trainer(task).fit(small_model(), Plain(epochs=1, learning_rate=1e-3))
    assert {"loss", "augment", "SGD", "0.125"} <= set(called)
    assert "sparse_top_k_categorical_accuracy" in logs[0]
    assert not optimizer.variables or int(optimizer.iterations) == 0  # a copy was trained with


def test_a_keras_3_optimizer_is_understood() -> None:
    import keras

    seen: list[Any] = []

    class Note(tf_keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_end(self, logs: Any = None) -> None:
            seen.append(self.model.optimizer)

    task = some_task(optimizer=keras.optimizers.RMSprop(0.0625), callbacks=(Note(),))
    Trainer(task).fit(small_model(), Plain(epochs=1))
    assert isinstance(seen[0], tf_keras.optimizers.RMSprop)
    assert float(seen[0].learning_rate) == 0.0625


def test_a_keras_3_metric_is_understood() -> None:
    import keras

    given = keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="among_two")
    logs = Trainer(some_task(metrics=(given,))).fit(small_model(), Plain(epochs=1))
    assert 0 < logs[0]["among_two"] <= 1


def _keras_3_metric_of_the_users() -> Any:
    import keras

    class Strange(keras.metrics.Mean):  # type: ignore[misc]
        pass

    return Strange()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metrics": ("fine",)}, "the metric is 'fine'; expected the name of a Keras metric"),
        ({"metrics": (_keras_3_metric_of_the_users(),)}, "the metric Strange is not one of tf_keras"),
        ({"loss": "los"}, "the loss is 'los'; expected the name of a Keras loss"),
        ({"loss": "categorical_crossentropy"}, r"categorical_crossentropy, a metric .* labels of shape \(\)"),
    ],
)
def test_a_loss_or_metric_that_tf_keras_does_not_know_is_refused_before_training(
    fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        fitting.check(small_model(), some_task(**fields))


def test_a_model_of_two_outputs_is_refused_when_it_is_planned() -> None:
    model = small_model()
    two = tf_keras.Model(model.inputs, [model.outputs[0], model.layers[1].output])
    with pytest.raises(UsageError, match="a model of one output, this one has 2"):
        tfcompress.plan(two, Recipe(steps=({"technique": "qat", "epochs": 1},)), some_task())


@pytest.mark.parametrize(
    ("units", "activation", "labels", "expected"),
    [
        (3, "softmax", np.arange(80) % 3, "SparseCategoricalCrossentropy False"),
        (3, None, np.arange(80) % 3, "SparseCategoricalCrossentropy True"),
        (3, "softmax", np.eye(3)[np.arange(80) % 3], "CategoricalCrossentropy False"),
        (3, "softmax", np.arange(80) % 3.0, "SparseCategoricalCrossentropy False"),
        (1, "sigmoid", np.arange(80) % 2, "BinaryCrossentropy False"),
        (1, None, np.linspace(0, 9, 80), "MeanSquaredError None"),
    ],
)
def test_the_loss_follows_from_labels_and_last_activation(
    units: int, activation: str | None, labels: Any, expected: str
) -> None:
    loss = fitting.loss_of(some_task(y_train=labels), small_model(units, activation))
    assert f"{type(loss).__name__} {loss.get_config().get('from_logits')}" == expected


def test_a_softmax_of_keras_ops_is_seen() -> None:
    import keras

    inputs = keras.layers.Input((6,))
    twin = tfcompress.to_tf_keras(keras.Model(inputs, keras.ops.softmax(keras.layers.Dense(3)(inputs))))
    assert fitting.loss_of(some_task(), twin).get_config()["from_logits"] is False


def test_labels_are_all_looked_at() -> None:
    sorted_targets = np.concatenate([np.zeros(10_000), [0.5, 3.0]])
    task = some_task(x_train=np.zeros((10_002, 6), np.float32), y_train=sorted_targets)
    assert type(fitting.loss_of(task, small_model(1, None))).__name__ == "MeanSquaredError"


@pytest.mark.parametrize(
    ("augment", "why"),
    [(lambda x: tf_keras.backend.reshape(x, (7, 5)), "Reshape"), (lambda x: x.numpy()[:, ::-1], "numpy")],
    ids=["another size", "not in a graph"],
)
def test_a_broken_augmentation_is_one_line_before_training_and_leaves_nothing(
    augment: Any, why: str, tmp_path: Path
) -> None:
    recipe = Recipe(steps=({"technique": "qat", "epochs": 1},))
    with pytest.raises(UsageError, match=f"the augmentation fails on samples .*{why}") as refusal:
        tfcompress.compress(small_model(), recipe, some_task(augment=augment), output=tmp_path / "out")
    assert "\n" not in str(refusal.value) and not [*tmp_path.iterdir()]


class Breaks(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """A callback with a mistake."""

    def on_train_begin(self, logs: Any = None) -> None:
        raise ZeroDivisionError


def test_a_callback_that_fails_at_once_leaves_nothing_to_resume(tmp_path: Path) -> None:
    recipe = Recipe(steps=({"technique": "qat", "epochs": 1},))
    with pytest.raises(ZeroDivisionError):
        tfcompress.compress(small_model(), recipe, some_task(callbacks=(Breaks(),)), output=tmp_path / "out")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("loss", "labels"),
    [
        (tf_keras.losses.SparseCategoricalCrossentropy(ignore_class=255), np.tile([0, 1, 2, 255], 20)),
        (lambda y, outputs: tf.abs(tf.cast(y, tf.float32) - outputs[:, 0]), np.full(80, 23)),
    ],
    ids=["ignored class", "own function"],
)
def test_a_loss_of_your_own_may_want_any_labels(loss: Any, labels: Any) -> None:
    task = some_task(loss=loss, y_train=labels)
    compatibility.check(small_model(), task)
    assert len(Trainer(task).fit(small_model(), Plain(epochs=1))) == 1
    with pytest.raises(DataError, match="reach from"):
        compatibility.check(small_model(), some_task(loss="sparse_categorical_crossentropy", y_train=labels))


def test_lists_in_place_of_arrays_are_named() -> None:
    with pytest.raises(DataError, match="x of the train split is of type list; give a numpy array"):
        Task(x_train=[[0.0] * 6], y_train=np.zeros(1))  # type: ignore[arg-type]


def test_frozen_layers_stay_and_the_flags_are_put_back() -> None:
    model = small_model()
    before = weights_of(model)
    Trainer(some_task()).fit(model, Plain(epochs=1, freeze=("hid*",)))
    after = weights_of(model)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])
    assert all(layer.trainable for layer in model.layers)


@pytest.mark.parametrize("technique", ["prune", "qat"])
def test_a_wrapper_of_keras_is_frozen_by_its_own_name(technique: str) -> None:
    tf_keras.utils.set_random_seed(0)
    layers = tf_keras.layers
    inputs = layers.Input((6,))
    hidden = layers.TimeDistributed(layers.Dense(8, name="inside"), name="each")(layers.Reshape((6, 1))(inputs))
    model = tf_keras.Model(inputs, layers.Dense(3, activation="softmax", name="scores")(layers.Flatten()(hidden)))
    step = {"technique": technique, "epochs": 1, "learning_rate": 0.05, "freeze": ["each"]}
    step |= {"minimum_weights": 2} if technique == "prune" else {}
    (made,) = Recipe(steps=(step,)).steps
    trained = made.apply(CompressedModel(model), Trainer(some_task())).model
    before, after = model.get_layer("each").get_weights(), trained.get_layer("each").get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    assert not np.array_equal(model.get_layer("scores").get_weights()[0], trained.get_layer("scores").get_weights()[0])


def test_frozen_layers_stay_under_promises_too() -> None:
    model = small_model()
    kernel = next(one for one in kernels(model) if one.layer == "hidden")
    mask = ZeroMask(np.random.default_rng(1).random(kernel.shape) < 0.5)
    kernel.variable.assign(mask.project(kernel.variable.numpy()))
    before = weights_of(model)
    trained = Plain(epochs=2, learning_rate=0.05, freeze=("hidden",))
    Trainer(some_task()).fit(model, trained, invariants={"hidden/kernel": (mask,)})
    after = weights_of(model)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


def test_the_callers_random_numbers_go_on() -> None:
    model = small_model()
    random.seed(3)
    np.random.seed(3)
    tf.random.set_seed(3)
    expected = random.Random(3).random(), np.random.RandomState(3).random_sample()
    Trainer(some_task()).fit(model, Plain(epochs=1))
    assert (random.random(), np.random.random_sample()) == expected
    assert tf.compat.v1.get_seed(None)[0] == 3


def test_a_pattern_that_freezes_nothing_is_named() -> None:
    with pytest.raises(UsageError, match="'conv\\*', which no layer is called; layers are features, hidden, scores"):
        Plain(epochs=1, freeze=("conv*",)).check(small_model(), some_task())


def test_a_loss_that_becomes_nan_is_one_line_with_a_way_out() -> None:
    def broken(y: Any, outputs: Any) -> Any:
        return outputs[:, 0] * float("nan")

    with pytest.raises(TrainingError, match="the loss became nan in epoch 1 of training .*lower learning_rate"):
        Trainer(some_task(loss=broken)).fit(small_model(), Plain(epochs=2))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"x_train": np.zeros((80, 5), np.float32)}, r"shape \(5,\), the model's input \(6,\)"),
        ({"x_train": np.full((80, 6), np.nan, np.float32)}, "x_train holds NaN or infinity in sample 0"),
        ({"y_train": np.full(80, 3)}, "labels of the train split reach from 3 to 3, and the model has 3 outputs"),
        ({"y_train": np.linspace(0, 2, 80)}, r"labels of the train split have shape \(\), the model's output \(3,\)"),
        ({"y_train": None}, "no training samples with labels"),
        ({"x_val": np.zeros((20, 5), np.float32)}, r"val split have shape \(5,\), the model's input \(6,\)"),
        ({"y_test": np.full(20, 7.0)}, "labels of the test split reach from 7 to 7"),
        ({"x_test": np.full((20, 6), np.inf, np.float32)}, "x_test holds NaN or infinity in sample 0"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_training(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        tfcompress.compress(small_model(), Recipe(steps=({"technique": "qat", "epochs": 1},)), some_task(**fields))


def test_class_numbers_may_be_floats() -> None:
    task = some_task()
    floats = {name: getattr(task, name).astype(np.float32) for name in ("y_train", "y_val", "y_test")}
    outcome = tfcompress.compress(small_model(), "int8", some_task(**floats))
    assert len(repr(outcome)) < 200 and f"file_bytes={outcome.value('file_bytes')}" in repr(outcome)
    assert outcome.value("accuracy_before") == tfcompress.compress(small_model(), "int8", task).value("accuracy_before")


def test_a_callback_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="a callback of type int came; expected a Keras callback"):
        some_task(callbacks=(1,))


@pytest.mark.parametrize("given", [[{"technique": "qat"}], {"steps": []}, 42])
def test_what_is_no_recipe_is_named(given: Any) -> None:
    with pytest.raises(UsageError, match="a recipe of type .* came; expected a packaged one's name"):
        tfcompress.compress(small_model(), given, some_task())


def test_arrays_in_place_of_a_task_are_named() -> None:
    with pytest.raises(DataError, match="data of type tuple came; expected a tfcompress Task"):
        tfcompress.compress(small_model(), "int8", (np.zeros((2, 6)), np.zeros(2)))  # type: ignore[arg-type]


def test_an_unknown_optimizer_is_refused_before_training() -> None:
    with pytest.raises(UsageError, match="the optimizer is 'adem'; expected a Keras optimizer"):
        tfcompress.compress(
            small_model(), Recipe(steps=({"technique": "qat", "epochs": 1},)), some_task(optimizer="adem")
        )

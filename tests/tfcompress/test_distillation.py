"""What a user of `distill` relies on: a step also learns the outputs of the model as it came, or says why it cannot."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras
from small_training import small_model, some_task

import tfcompress
from converters.errors import UsageError
from tfcompress.distillation import Distillation, outputs_of
from tfcompress.recipe import Recipe
from tfcompress.technique import Trained
from tfcompress.training import Trainer


class Plain(Trained):
    """Only trains."""

    def apply(self, compressed: Any, trainer: Trainer) -> Any:
        raise NotImplementedError


def softmax(logits: Any) -> Any:
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def other_model(units: int = 3, activation: str | None = "softmax") -> Any:
    """The small model with other weights."""
    model = small_model(units, activation)
    draws = np.random.default_rng(5)
    model.set_weights([draws.normal(size=array.shape) for array in model.get_weights()])
    return model


def logits_of(model: Any, x: Any) -> Any:
    """What goes into the last activation."""
    *_, hidden, scores = model.layers
    kernel, bias = scores.get_weights()
    return tf_keras.Model(model.inputs, hidden.output)(x).numpy() @ kernel + bias


@pytest.mark.parametrize(
    ("units", "activation", "fields"),
    [
        (3, "softmax", {}),
        (3, None, {"loss": tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)}),
        (1, "sigmoid", {"y_train": np.arange(80) % 2}),
    ],
    ids=["softmax", "logits", "sigmoid"],
)
def test_the_loss_is_that_of_the_paper(units: int, activation: str | None, fields: dict[str, Any]) -> None:
    teacher, student = other_model(units, activation), small_model(units, activation)
    x = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32)
    made = Distillation(teacher, some_task(**fields), 0.25, 3.0)
    found = float(made.loss(x, student(x), 2.0))
    taught, learned = (logits_of(model, x) for model in (teacher, student))
    if units == 1:
        taught, learned = (np.concatenate([one, np.zeros_like(one)], -1) for one in (taught, learned))
    p, q = softmax(taught / 3.0), softmax(learned / 3.0)
    expected = 0.75 * 2.0 + 0.25 * 9.0 * np.mean(np.sum(p * np.log(p / q), -1))
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_student_that_equals_its_teacher_has_nothing_to_learn_even_where_it_is_certain() -> None:
    teacher = other_model()
    x = np.random.default_rng(1).normal(size=(7, 6)).astype(np.float32) * 1e3
    assert np.any(teacher(x).numpy() == 0)
    assert float(Distillation(teacher, some_task(), 1.0, 2.0).loss(x, teacher(x), 5.0)) == pytest.approx(0, abs=1e-4)


def test_a_student_learns_the_teacher_and_not_only_the_labels() -> None:
    task = some_task(y_train=np.random.default_rng(2).integers(0, 3, 80))  # labels say nothing
    teacher, x = other_model(), np.asarray(task.x_test)
    before = [np.array(array) for array in teacher.get_weights()]
    agreement = {}
    for share in (0.0, 1.0):
        student = small_model()
        Trainer(task, teacher=teacher).fit(student, Plain(epochs=60, batch_size=16, learning_rate=0.02, distill=share))
        agreement[share] = np.mean(student(x).numpy().argmax(-1) == teacher(x).numpy().argmax(-1))
    assert agreement[1.0] > max(0.8, agreement[0.0])
    assert all(np.array_equal(one, other) for one, other in zip(before, teacher.get_weights(), strict=True))


def test_the_loss_that_is_logged_is_that_of_the_labels() -> None:
    settings = Plain(epochs=1, batch_size=80, learning_rate=1e-6, distill=0.5)
    taught = Trainer(some_task(), teacher=other_model()).fit(small_model(), settings)
    plain = Trainer(some_task()).fit(small_model(), settings.model_copy(update={"distill": 0.0}))
    assert taught[0] == pytest.approx(plain[0], rel=1e-3)


def test_the_teacher_of_every_step_is_the_model_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    teachers: list[Any] = []
    made = Distillation.__init__

    def watched(self: Any, teacher: Any, *others: Any) -> None:
        teachers.append(teacher)
        made(self, teacher, *others)

    monkeypatch.setattr(Distillation, "__init__", watched)
    model = small_model()
    step = {"epochs": 1, "distill": 0.5, "learning_rate": 0.05}
    steps = ({"technique": "prune", "minimum_weights": 2, **step}, {"technique": "qat", **step})
    tfcompress.compress(model, Recipe(steps=steps), some_task())
    assert len(teachers) == 2
    for teacher in teachers:
        assert all(np.array_equal(a, b) for a, b in zip(teacher.get_weights(), model.get_weights(), strict=True))


def test_what_has_no_classes_is_refused_before_training() -> None:
    task = some_task(y_train=np.linspace(0, 9, 80), y_val=np.linspace(0, 9, 20), y_test=np.linspace(0, 9, 20))
    model = small_model(1, None)
    with pytest.raises(UsageError, match="distill needs a classifier, and this model ends in linear"):
        outputs_of(task, model)
    with pytest.raises(UsageError, match="distill needs a classifier"):
        tfcompress.plan(model, Recipe(steps=({"technique": "qat", "epochs": 1, "distill": 0.5},)), task)


def test_a_trainer_without_a_teacher_is_told_how_to_give_one() -> None:
    with pytest.raises(UsageError, match=r"no teacher; give Trainer\(task, teacher=model\)"):
        Trainer(some_task()).fit(small_model(), Plain(epochs=1, distill=0.5))

"""Keras' `fit` as `tfcompress.training` needs it. Imports TensorFlow: only while something is trained."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras

from converters.child import Progress
from converters.errors import TrainingError, UsageError, first_line
from converters.keras_models.bridge.operators import Operator
from tfcompress import compatibility
from tfcompress.checkpoint import NOTHING_DONE, Checkpoint, Done
from tfcompress.data.labels import are_class_numbers
from tfcompress.invariants import Invariant, project
from tfcompress.model import Logs
from tfcompress.task import Task
from tfcompress.technique import Trained

Projected = Sequence[tuple[Any, Sequence[Invariant]]]

_TOLD_EVERY = 0.2  # seconds between two reports of progress

# Names that Keras understands when it has seen labels.
_METRICS_BY_LABELS = frozenset({"accuracy", "acc", "crossentropy", "ce"})


@dataclass(frozen=True)
class Work:
    """One training: on what, how long, in which words."""

    task: Task
    settings: Trained
    seed: int
    progress: Progress
    stage: str
    teacher: Any = None


class _UnderPromises(tf_keras.Model):  # type: ignore[misc]
    """The same functional model, whose kernels are projected after every training step."""

    def keep(self, projected: Projected) -> None:
        """Sets the kernels to project."""
        made = [(kernel, tf.Variable(tf.zeros_like(kernel), trainable=False), kept) for kernel, kept in projected]
        # Past Keras, which would take the kernels of frozen layers for weights of this model and train them.
        object.__setattr__(self, "_kept", made)

    def learn_from(self, distillation: Any) -> None:
        """Sets what is trained on beside the labels; None for nothing."""
        object.__setattr__(self, "_distillation", distillation)  # past Keras, as in `keep`
        self._is_learning = False

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None) -> Any:
        """Keras' loss; with the teacher's share while training, not while validating."""
        loss = super().compute_loss(x, y, y_pred, sample_weight)
        is_taught = self._distillation is not None and self._is_learning
        return self._distillation.loss(x, y_pred, loss) if is_taught else loss

    @property
    def residuals(self) -> list[Any]:
        """What projection took from each kernel so far."""
        return [residual for _, residual, _ in self._kept]

    def train_step(self, data: Any) -> Any:
        """Keras' training step, then the projection; see `tfcompress.training`."""
        self._is_learning = True
        logs = super().train_step(data)
        self._is_learning = False
        for kernel, residual, kept in self._kept:
            latent = kernel + residual
            weights = _projection(latent, kept)
            kernel.assign(weights)
            residual.assign(latent - weights)
        return logs


def _projection(latent: Any, kept: Sequence[Invariant]) -> Any:
    # Stateful, because a moving codebook is: TensorFlow must neither leave calls out nor make one of two.
    weights = tf.numpy_function(lambda array: project(array, kept), [latent], latent.dtype, stateful=True)
    weights.set_shape(latent.shape)
    return weights


def fit(
    model: Any, work: Work, projected: Projected, *, callbacks: tuple[Any, ...], checkpoint: Checkpoint | None
) -> Logs:
    """Trains; see `tfcompress.training.Trainer.fit`."""
    task, settings = work.task, work.settings
    _check_outputs(model)
    steps = math.ceil(task.count("train") / settings.batch_size)
    if not steps:
        next(task.training_batches(0, size=1))  # which says what is missing
    compatibility.check(model, task, ("train", "val"))
    trained = _UnderPromises(model.inputs, model.outputs)
    trained.keep(projected)
    trained.learn_from(_distillation(work))
    for kernel, kept in projected:
        kernel.assign(project(kernel.numpy(), kept))
    optimizer = _optimizer(task.optimizer, settings.learning_rate, steps * settings.epochs)
    trained.compile(optimizer, loss=loss_of(task, model), metrics=_metrics(task, model))
    optimizer.build(trained.trainable_variables)
    # A promise that moves with the weights (`tfcompress.clustering.moving`) says what it needs to go on.
    moving = [cell for _, kept in projected for promise in kept for cell in getattr(promise, "state", ())]
    state = [*_unique([*trained.variables, *moving]), *trained.residuals, *_variables_of(optimizer)]
    done = checkpoint.restore(state) if checkpoint else NOTHING_DONE
    first = len(done.logs)
    if done.finished or first >= settings.epochs:
        return done.logs
    watch = _Watch(work, steps, state, checkpoint, done)
    with seeded(work.seed, first):
        trained.fit(
            _dataset(task, settings, work.seed, first=first),
            epochs=settings.epochs,
            initial_epoch=first,
            steps_per_epoch=steps,
            validation_data=_validation(task),
            callbacks=[*callbacks, *task.callbacks, watch],
            verbose=0,
        )
    if checkpoint:
        # A callback of the user's may have stopped it early; a resumed run must not train it on.
        checkpoint.save(state, watch.done(finished=True))
    return watch.logs


def _distillation(work: Work) -> Any:
    """What is learned from the teacher; None for nothing."""
    if not work.settings.distill:
        return None
    if work.teacher is None:
        raise UsageError("distill is set, and the trainer has no teacher; give Trainer(task, teacher=model)")
    from tfcompress.distillation import Distillation

    return Distillation(work.teacher, work.task, work.settings.distill, work.settings.temperature)


@contextlib.contextmanager
def seeded(seed: int, first: int) -> Iterator[None]:
    """Meanwhile, what dropout and augmentation draw depends on the seed and the first epoch.

    So a resumed training does not draw again what its first epochs drew. Afterwards the caller's random numbers go on;
    those of TensorFlow begin anew from the caller's seed, because it cannot say where they were.
    """
    before, numpy_before, tensorflow_before = random.getstate(), np.random.get_state(), tf.compat.v1.get_seed(None)[0]
    number = int(np.random.SeedSequence((seed, first)).generate_state(1)[0])
    random.seed(number)
    np.random.seed(number)
    tf.random.set_seed(number)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(numpy_before)
        tf.random.set_seed(tensorflow_before)


class _Watch(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Reports progress, stops at NaN, saves after each epoch."""

    def __init__(self, work: Work, steps: int, state: Sequence[Any], checkpoint: Checkpoint | None, done: Done) -> None:
        super().__init__()
        self.logs = done.logs
        self._work, self._steps, self._state, self._checkpoint = work, steps, state, checkpoint
        self._told = 0.0
        self._started = time.monotonic() - done.seconds

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = float((logs or {}).get("loss", 0.0))
        if not math.isfinite(loss):
            settings = self._work.settings
            raise TrainingError(
                f"the loss became {loss} in epoch {len(self.logs) + 1} of {self._work.stage} (learning rate "
                f"{settings.learning_rate:g}); lower learning_rate, or look for broken samples and a wrong --scale"
            )
        now = time.monotonic()
        if now - self._told > _TOLD_EVERY or batch + 1 == self._steps:
            self._told = now
            epoch, epochs = len(self.logs), self._work.settings.epochs
            stage = f"{self._work.stage}, epoch {epoch + 1} of {epochs}"
            self._work.progress(stage, epoch * self._steps + batch + 1, epochs * self._steps)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self.logs = (*self.logs, {name: float(value) for name, value in (logs or {}).items()})
        if self._checkpoint:
            self._checkpoint.save(self._state, self.done())

    def done(self, *, finished: bool = False) -> Done:
        """How far it is."""
        return Done(self.logs, time.monotonic() - self._started, finished)


# --- data -------------------------------------------------------------------------------------------------------


def _dataset(task: Task, settings: Trained, seed: int, *, first: int) -> Any:
    def stream() -> Iterator[Any]:
        for epoch in range(first, settings.epochs):
            yield from task.training_batches(epoch, size=settings.batch_size, seed=seed)

    return _augmented(task, _streamed(stream)).prefetch(2)


def _validation(task: Task) -> Any:
    if not task.count("val") or task.y_val is None:
        return None
    return _streamed(lambda: task.batches("val"))


def _streamed(batches: Callable[[], Iterator[tuple[Any, Any]]]) -> Any:
    signature = tf.nest.map_structure(_open_batch, next(floats(batches())))
    return tf.data.Dataset.from_generator(lambda: floats(batches()), output_signature=signature)


def _augmented(task: Task, dataset: Any) -> Any:
    augment = task.augment
    return dataset if augment is None else dataset.map(lambda x, y: (augment(x), y))


def floats(batches: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """The same batches, inputs as float32 where they came as bytes or in another float type."""
    for x, y in batches:
        yield tf.nest.map_structure(_as_float, x), y


def _as_float(array: Any) -> Any:
    # Images may stay bytes until they are used; token numbers of wider types stay what they are.
    narrow = array.dtype in (np.uint8, np.int8, np.float64, np.float16)
    return array.astype(np.float32) if narrow else array


def _open_batch(array: Any) -> Any:
    return tf.TensorSpec((None, *array.shape[1:]), array.dtype)


def check(model: Any, task: Task) -> str:
    """How the task was understood, in words: loss and metrics.

    Raises:
        DataError: there is nothing to train on, or samples or labels do not fit the model.
        UsageError: an unknown loss, metric or optimizer, or a model of several outputs.
    """
    _check_outputs(model)
    next(task.training_batches(0, size=1))
    loss = _known_loss(loss_of(task, model))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    optimizer, metrics = _optimizer(task.optimizer, 1e-3, 1), _metrics(task, model)
    tried = tf_keras.Model(model.inputs, model.outputs)
    tried.compile(optimizer, loss=loss, metrics=metrics)
    samples = _streamed(lambda: task.training_batches(0, size=2)).take(1)
    try:
        tried.evaluate(_augmented(task, samples), verbose=0)
    except Exception as error:  # the user's functions may raise anything
        raise UsageError(
            f"the loss {name}, a metric or the augmentation fails on samples with labels of shape "
            f"{samples.element_spec[1].shape[1:]} and outputs of shape {tuple(model.outputs[0].shape)[1:]} "
            f"({first_line(error)}); try it on two samples, in a tf.function"
        ) from error
    how = "as the task asks" if task.loss else "inferred from the labels and the last activation"
    return f"trained with the loss {name}, {how}"


def _check_outputs(model: Any) -> None:
    if len(model.outputs) != 1:
        raise UsageError(
            f"training takes a model of one output, this one has {len(model.outputs)}; train them yourself"
        )


# --- loss, metrics, optimizer -----------------------------------------------------------------------------------


def loss_of(task: Task, model: Any) -> Any:
    """The task's loss; else the one that the labels and the model's last activation call for."""
    if task.loss:
        return task.loss
    labels, units = np.asarray(task.y_train), int(model.outputs[0].shape[-1] or 1)
    activation = last_activation(model)
    losses = tf_keras.losses
    if units > 1 and are_class_numbers(labels, (len(labels), *model.outputs[0].shape[1:])):
        return losses.SparseCategoricalCrossentropy(from_logits=activation != "softmax")
    if units > 1 and labels.ndim == 2 and bool(np.all(labels.sum(-1) == 1)) and bool(np.all(labels >= 0)):
        return losses.CategoricalCrossentropy(from_logits=activation != "softmax")
    if bool(np.isin(labels, (0, 1)).all()):
        return losses.BinaryCrossentropy(from_logits=activation != "sigmoid")
    return losses.MeanSquaredError()


def last_activation(model: Any) -> str:
    """Name of the function that makes the model's output; empty where there is none."""
    layer = model.outputs[0]._keras_history.layer
    layer = getattr(layer, "layer", layer)
    if type(layer).__name__ == "Softmax":
        return "softmax"
    if isinstance(layer, Operator):  # a function of keras.ops
        return str(layer.operation)
    activation = getattr(layer, "activation", None)
    # TF-MOT puts an object around the function (QuantizeAwareActivation).
    activation = getattr(activation, "activation", activation)
    return getattr(activation, "__name__", "")


def _metrics(task: Task, model: Any) -> list[Any]:
    loss = loss_of(task, model)
    classifies = "Crossentropy" in type(loss).__name__ or "crossentropy" in str(loss)
    return [*(["accuracy"] if classifies else []), *map(_metric, task.metrics)]


def _metric(given: Any) -> Any:
    """A metric that tf_keras takes: a name, a function, or a copy of a metric object of Keras 3."""
    if isinstance(given, str):
        # For a name that it does not know, Keras gives the name back.
        if given not in _METRICS_BY_LABELS and isinstance(tf_keras.metrics.get(given), str):
            raise UsageError(f"the metric is {given!r}; expected the name of a Keras metric, or a tf_keras metric")
        return given
    if isinstance(given, tf_keras.metrics.Metric) or not hasattr(given, "update_state"):
        return given
    name = type(given).__name__
    try:
        return getattr(tf_keras.metrics, name).from_config(given.get_config())
    except Exception as error:  # there is no such class, or it takes other arguments: any of Keras' errors
        raise UsageError(
            f"the metric {name} is not one of tf_keras, and no such one can be made of it; give a tf_keras metric, a "
            "name or a function"
        ) from error


def _known_loss(loss: Any) -> Any:
    if isinstance(loss, str):
        try:
            tf_keras.losses.get(loss)
        except ValueError as error:
            raise UsageError(f"the loss is {loss!r}; expected the name of a Keras loss, or a Keras loss") from error
    return loss


def _optimizer(given: Any, learning_rate: float, steps: int) -> Any:
    """A fresh tf_keras optimizer: by name with a cosine schedule, or a copy of the user's own, of either Keras."""
    known = {name.lower(): kind for name, kind in vars(tf_keras.optimizers).items() if _is_optimizer(kind)}
    name = given if isinstance(given, str) else type(given).__name__
    if name.lower() not in known:
        names = ", ".join(sorted(known))
        raise UsageError(f"the optimizer is {name!r}; expected a Keras optimizer, or one of the names {names}")
    kind = known[name.lower()]
    if isinstance(given, str):
        return kind(learning_rate=tf_keras.optimizers.schedules.CosineDecay(learning_rate, steps))
    config = dict(given.get_config())
    for only_keras_3 in ("loss_scale_factor", "gradient_accumulation_steps"):
        if config.pop(only_keras_3, None) is not None:
            raise UsageError(f"the optimizer sets {only_keras_3}, which tf_keras has not; leave it out")
    return kind.from_config(config)


def _is_optimizer(kind: Any) -> bool:
    base = tf_keras.optimizers.Optimizer
    return isinstance(kind, type) and issubclass(kind, base) and kind is not base


def _unique(variables: Sequence[Any]) -> list[Any]:
    return list({id(variable): variable for variable in variables}.values())


def _variables_of(optimizer: Any) -> list[Any]:
    found = optimizer.variables
    return list(found() if callable(found) else found)

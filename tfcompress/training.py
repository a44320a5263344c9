"""The one place where models are trained: the task's data, its loss, every promise kept after each step, checkpoints.

    logs = trainer.fit(model, settings, invariants=compressed.invariants)

A kernel under promises is trained by straight-through estimation with error feedback: after each optimizer step the
weights are projected, and what the projection took away is kept in a residual and added before the next projection.

    latent = weights + residual;    weights = project(latent);    residual = latent - weights

So the loss is always that of weights which keep the promises, and a weight can still wander from one codeword to the
next in small steps (Courbariaux et al., "BinaryConnect", 2015, arXiv:1511.00363, keeps the latent weights likewise).
No wrapper and no callback has to be remembered: the projection is part of the training step.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.child import Progress, no_progress
from converters.errors import DataError
from tfcompress import metrics, selection
from tfcompress.checkpoint import Checkpoint
from tfcompress.invariants import Invariant
from tfcompress.model import Logs
from tfcompress.task import Task
from tfcompress.technique import Trained


@dataclass(frozen=True)
class Trainer:
    """Trains and scores models on a task.

    Attributes:
        task: data, loss, metrics, optimizer, callbacks.
        seed: of the order of the data.
        folder: where checkpoints are kept after each epoch; None for none.
        progress: told after each training step.
        stage: what is being done, for the progress: `step 2 of 3: cluster`.
        teacher: the model as it came, for steps that `distill`; only read.
    """

    task: Task
    seed: int = 0
    folder: Path | None = None
    progress: Progress = no_progress
    stage: str = "training"
    teacher: Any = None

    def part(self, name: str) -> Trainer:
        """A trainer for a part of this work: its own checkpoints and its own words for the progress."""
        return replace(self, folder=self.folder / name if self.folder else None, stage=f"{self.stage} ({name})")

    def fit(
        self,
        model: Any,
        settings: Trained,
        *,
        invariants: Mapping[str, Sequence[Invariant]] | None = None,
        variables: Mapping[str, Any] | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Logs:
        """Trains a tf_keras model in place, which the caller has cloned, under every promise.

        Args:
            model: a functional model; wrappers are welcome.
            settings: epochs, learning rate, batch size, frozen layers; a pattern that matches none is no error here:
                `Trained.check` asked about the model as it came, and batch normalization may be folded away by now.
            invariants: kernel name -> promises.
            variables: kernel name -> variable; needed where wrappers hide the kernels, else found in the layers.
            callbacks: the technique's own; those of the task come on top.

        Returns:
            per epoch what Keras logged: loss and metrics, of validation data too where there are some.

        Raises:
            DataError: there is nothing to train on, or the data does not fit the model.
            TrainingError: the loss became NaN or infinite.
        """
        from tfcompress import fitting

        if not settings.epochs:
            return ()
        projected = [(_variables(model, variables)[name], kept) for name, kept in (invariants or {}).items() if kept]
        work = fitting.Work(self.task, settings, self.seed, self.progress, self.stage, self.teacher)
        with _frozen(model, settings.freeze):
            checkpoint = Checkpoint(self.folder) if self.folder else None
            return fitting.fit(model, work, projected, callbacks=tuple(callbacks), checkpoint=checkpoint)

    def refresh(self, model: Any, settings: Trained) -> None:
        """Takes batch normalization's averages anew, in place, from training batches and the weights as they are.

        Args:
            model: what `fit` trained with these settings; without wrappers.
            settings: nothing is done where they train nothing, nor with layers that they freeze.
        """
        if settings.epochs:
            from tfcompress import norms

            norms.refresh(model, self.task, freeze=settings.freeze, seed=self.seed)

    def score(self, model: Any, split: str = "val") -> float:
        """The task's metric of a Keras model on a split; a technique may ask for `val`, never for `test`.

        Higher is better: a mean squared error comes negative.

        Raises:
            DataError: the split is not there, or has no labels.
        """
        import numpy as np

        outputs, labels = [], []
        for x, y in self.task.batches(split):
            if y is None:
                raise DataError(f"the {split} split has no labels to score against; give y_{split}")
            outputs.append(np.asarray(model(x, training=False)))
            labels.append(y)
        found, true = np.concatenate(outputs), np.concatenate(labels)
        metric = metrics.Metric(self.task.metric) if self.task.metric else metrics.infer(true, found)
        value = metrics.score(metric, true, found)
        return -value if metric.name == "mse" else value


def _variables(model: Any, given: Mapping[str, Any] | None) -> Mapping[str, Any]:
    from converters.keras_models.kernels import kernels

    return given if given is not None else {kernel.name: kernel.variable for kernel in kernels(model)}


@contextlib.contextmanager
def _frozen(model: Any, patterns: Sequence[str]) -> Iterator[None]:
    """Meanwhile, layers whose names match a pattern are not trained."""
    chosen = [layer for layer in model.layers if selection.matches(_own_name(layer), patterns)]
    before = [layer.trainable for layer in chosen]
    try:
        for layer in chosen:
            layer.trainable = False
        yield
    finally:
        for layer, trainable in zip(chosen, before, strict=True):
            layer.trainable = trainable


def _own_name(layer: Any) -> str:
    """The name of the model's own layer, which TF-MOT may have wrapped; Keras' wrappers are layers of the model."""
    kinds = (kind.__module__.partition(".")[0] for kind in type(layer).__mro__)
    is_wrapper = "tensorflow_model_optimization" in kinds and hasattr(layer, "layer")
    return str(layer.layer.name if is_wrapper else layer.name)

"""The steps of a recipe one after the other, each kept on disk, so that an interrupted run goes on where it was."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from converters.errors import TrainingError
from tfcompress import model as models
from tfcompress.checkpoint import seconds_in
from tfcompress.invariants import Invariant, ZeroMask, holds_exactly
from tfcompress.model import CompressedModel
from tfcompress.recipe import Recipe
from tfcompress.training import Trainer


def run(compressed: CompressedModel, recipe: Recipe, trainer: Trainer, work: Path | None) -> CompressedModel:
    """Applies every step.

    Args:
        compressed: where to begin.
        recipe: its steps.
        trainer: of the first step; each step gets one with its own folder, seed and words.
        work: where finished steps and checkpoints are, or shall be; None to keep nothing.

    Raises:
        CompressionError: a step failed, or broke a promise made before it; or what is on disk is damaged.
    """
    teacher = compressed.model
    for number, step in enumerate(recipe.steps, 1):
        folder = work / f"{number}-{step.name}" if work else None
        if folder and (folder / models.MARK).exists():
            compressed = models.load(folder, like=compressed.model)
            continue
        own = dataclasses.replace(
            trainer,
            seed=recipe.seed + number,
            folder=folder / "checkpoints" if folder else None,
            stage=f"step {number} of {len(recipe.steps)}: {step.name}",
            teacher=teacher,
        )
        own.progress(own.stage, 0, 0)
        earlier = seconds_in(own.folder) if own.folder else 0.0
        before, started = compressed, time.monotonic() - earlier
        compressed = step.apply(before, own)
        _check_promises(compressed, before, step.name)
        compressed = _timed(compressed, time.monotonic() - started)
        if folder:
            compressed.save(folder)
    return compressed


def _timed(compressed: CompressedModel, seconds: float) -> CompressedModel:
    *earlier, last = compressed.history
    return dataclasses.replace(compressed, history=(*earlier, dataclasses.replace(last, seconds=round(seconds, 2))))


def _check_promises(compressed: CompressedModel, before: CompressedModel, technique: str) -> None:
    """Raises TrainingError, rather than minutes later at the file, where a step lost a promise."""
    from converters.keras_models.kernels import kernels

    weights = {kernel.name: kernel.variable.numpy() for kernel in kernels(compressed.model)}
    missing = [
        name for name, kept in before.invariants.items() if not _still(kept, compressed.invariants.get(name, ()))
    ]
    forgotten = [name for name in before.ranges.weights if name not in compressed.ranges.weights]
    broken = [name for name, kept in compressed.invariants.items() if not holds_exactly(weights.get(name), kept)]
    for name in (*missing, *forgotten, *broken):
        raise TrainingError(
            f"{technique} broke what was promised of {name} before or by it; this is a fault of the technique: it must "
            "train under compressed.invariants and project at the end"
        )


def _still(before: Sequence[Invariant], now: Sequence[Invariant]) -> bool:
    """Whether each promise has one of its kind now, and every weight that was to be zero still is to be.

    A codebook may be replaced by another one: that is what clustering again is for.
    """
    if not {one.kind for one in before} <= {one.kind for one in now}:
        return False
    kept = [one.kept for one in now if isinstance(one, ZeroMask)]
    masks = [one.kept for one in before if isinstance(one, ZeroMask)]
    return all(any(new.shape == old.shape and not np.any(new & ~old) for new in kept) for old in masks)

"""The ways to the target: gradual, one-shot, iterative, adaptive. Each ends in exact masks and a plain model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from converters.errors import TrainingError
from converters.keras_models.kernels import kernels
from converters.keras_models.rebuilding import clone
from tfcompress.invariants import ZeroMask, project
from tfcompress.model import CompressedModel, Logs, Skipped
from tfcompress.pruning import budgets, gradual, grains, scores
from tfcompress.pruning.choice import choose_kernels, parts_of
from tfcompress.pruning.grains import Part
from tfcompress.training import Trainer

if TYPE_CHECKING:
    from tfcompress.techniques.prune import Prune

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Done:
    """What a way came to: a model with its promises, what Keras logged, what the user should know."""

    compressed: CompressedModel
    logs: Logs = ()
    notes: tuple[str, ...] = ()


def prune(settings: Prune, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
    """See `tfcompress.techniques.prune.Prune`."""
    skipped: tuple[Skipped, ...] = choose_kernels(settings, compressed)[1]
    ways = {"gradual": _gradual, "one-shot": _one_shot, "iterative": _iterative, "adaptive": _adaptive}
    start = replace(compressed, model=clone(compressed.model))
    done = ways[settings.mode](settings, start, trainer)
    notes = (*_told(settings, parts_of(settings, compressed), done.compressed), *done.notes)
    step = settings.record(epochs=done.logs, skipped=skipped, notes=notes)
    return replace(done.compressed, history=(*compressed.history, step))


# --- masks ------------------------------------------------------------------------------------------------------


def masked(settings: Prune, compressed: CompressedModel, trainer: Trainer, sparsity: float) -> CompressedModel:
    """The same model, pruned at once: new masks are promised, and a new model keeps them."""
    model, parts = compressed.model, parts_of(settings, compressed)
    found = scores.score(settings.criterion, model, parts, trainer, settings.samples)
    return _promised(compressed, _masks(settings, parts, found, _zeros(settings, model, parts, found, sparsity)))


def _zeros(
    settings: Prune, model: Any, parts: Sequence[Part], found: Mapping[str, Array], sparsity: float
) -> dict[str, int]:
    return budgets.zeros(settings.budget, parts, found, scores.energies(model, parts), sparsity)


def _masks(
    settings: Prune, parts: Sequence[Part], found: Mapping[str, Array], zeros: Mapping[str, int]
) -> dict[str, Array]:
    if settings.structure == "n:m":
        count = settings.pattern_numbers[0]
        return {part.name: grains.kept_in_groups(part, found[part.name], count) for part in parts}
    return {part.name: grains.kept(part, found[part.name], zeros[part.name]) for part in parts}


def _promised(compressed: CompressedModel, masks: Mapping[str, Array]) -> CompressedModel:
    for name, kept in masks.items():
        compressed = compressed.promise(name, ZeroMask(kept))
    return _projected(compressed)


def _projected(compressed: CompressedModel) -> CompressedModel:
    """A copy of the model that keeps every promise exactly."""
    model = clone(compressed.model)
    for kernel in kernels(model):
        promises = compressed.invariants.get(kernel.name, ())
        kernel.variable.assign(project(kernel.variable.numpy(), promises))
    return replace(compressed, model=model)


def _trained(settings: Prune, compressed: CompressedModel, trainer: Trainer, epochs: int) -> Done:
    """Trains under all promises; the model of `compressed` is this module's own copy."""
    part = settings.model_copy(update={"epochs": epochs})
    logs = trainer.fit(compressed.model, part, invariants=compressed.invariants)
    return Done(_projected(compressed), logs)


# --- one-shot, iterative, adaptive ------------------------------------------------------------------------------


def _one_shot(settings: Prune, start: CompressedModel, trainer: Trainer) -> Done:
    return _trained(settings, masked(settings, start, trainer, settings.sparsity), trainer, settings.epochs)


def _iterative(settings: Prune, start: CompressedModel, trainer: Trainer) -> Done:
    logs: Logs = ()
    for number, epochs in enumerate(_shared(settings.epochs, settings.rounds), 1):
        # Every round keeps the same share of what the one before kept.
        sparsity = 1 - (1 - settings.sparsity) ** (number / settings.rounds)
        part = trainer.part(f"round {number} of {settings.rounds}")
        done = _trained(settings, masked(settings, start, part, sparsity), part, epochs)
        start, logs = done.compressed, (*logs, *done.logs)
    return Done(start, logs)


def _adaptive(settings: Prune, start: CompressedModel, trainer: Trainer) -> Done:
    """Tries the most first, then bisects the density on a logarithmic scale.

    Each round starts from the sparsest model that was good enough. Where the most is, no later round has work.
    """
    wanted = trainer.score(start.model, "val") - settings.maximum_loss
    good, best, too_sparse, sparsity = start, 0.0, 1.0, settings.sparsity
    logs: Logs = ()
    notes = []
    for number, epochs in enumerate(_shared(settings.epochs, settings.rounds), 1):
        part = trainer.part(f"round {number} of {settings.rounds}")
        done = _trained(settings, masked(settings, good, part, sparsity), part, epochs)
        score, logs = trainer.score(done.compressed.model, "val"), (*logs, *done.logs)
        enough = score >= wanted
        notes.append(f"{sparsity:.1%} zeros: validation {score:.4f}, {'good' if enough else 'not'} enough")
        if enough:
            good, best = done.compressed, sparsity
        else:
            too_sparse = sparsity
        if best == settings.sparsity:
            break
        sparsity = 1 - math.sqrt((1 - best) * (1 - too_sparse))
    if not best:
        raise TrainingError(
            f"no model within maximum_loss = {settings.maximum_loss:g} was found, {wanted:.4f} was needed "
            f"({'; '.join(notes)}); allow more loss, more epochs, or more rounds"
        )
    return Done(good, logs, (f"validation had to stay at {wanted:.4f} or above", *notes))


def _shared(epochs: int, rounds: int) -> list[int]:
    """Epochs of each round: as even as possible."""
    return [(epochs * (number + 1)) // rounds - (epochs * number) // rounds for number in range(rounds)]


# --- gradual ----------------------------------------------------------------------------------------------------


def _gradual(settings: Prune, start: CompressedModel, trainer: Trainer) -> Done:
    parts = parts_of(settings, start)
    steps = settings.epochs * math.ceil(trainer.task.count("train") / settings.batch_size)
    if not steps:
        return _one_shot(settings, start, trainer)
    when = gradual.timing(steps, begin=settings.begin, end=settings.end, frequency=settings.frequency)
    found = scores.score(settings.criterion, start.model, parts, trainer, settings.samples)
    # A budget over layers is decided on the weights as they come; TF-MOT's schedules then have a target for each.
    zeros = _zeros(settings, start.model, parts, found, settings.sparsity)
    schedules = {
        part.name: gradual.schedule(
            zeros[part.name] / part.weights, settings.initial_sparsity, settings.power, when, settings.schedule
        )
        for part in parts
    }
    count = settings.pattern_numbers[0] if settings.structure == "n:m" else 0
    wrapped = gradual.wrap(start.model, parts, schedules, _choosers(settings, parts, found), count)
    logs = trainer.fit(
        wrapped.model,
        settings,
        invariants=start.invariants,
        variables=wrapped.variables,
        callbacks=_callbacks(settings, trainer, parts, wrapped, when, found),
    )
    return replace(_finish(settings, start, wrapped, parts, zeros, found), logs=logs)


def _choosers(settings: Prune, parts: Sequence[Part], found: Mapping[str, Array]) -> dict[str, gradual.Choose]:
    """What chooses the masks where TF-MOT cannot; `found` may change meanwhile."""

    def choose(part: Part, weights: Array, sparsity: float) -> Array:
        importance = _importance(settings, part, weights, found)
        if part.groups is not None:
            return grains.kept_in_groups(part, importance, settings.pattern_numbers[0])
        return grains.kept(part, importance, round(sparsity * part.weights))

    return {part.name: choose for part in parts if not _is_native(settings, part)}


def _is_native(settings: Prune, part: Part) -> bool:
    if settings.criterion not in ("l1", "l2") or settings.structure == "block":
        return False
    return settings.structure == "unstructured" or part.kernel.layer_class in ("Conv2D", "Dense")


def _importance(settings: Prune, part: Part, weights: Array, found: Mapping[str, Array]) -> Array:
    if settings.criterion == "l1" or settings.criterion == "l2":
        return scores.magnitude(settings.criterion, part, weights)
    return found[part.name]


def _callbacks(
    settings: Prune, trainer: Trainer, parts: Sequence[Part], wrapped: gradual.Wrapped, when: gradual.Timing, found: Any
) -> list[Any]:
    callbacks = [gradual.step_callback()]
    if settings.criterion == "taylor" and settings.structure != "n:m":
        measure = scores.taylor(wrapped.model, wrapped.variables, parts, trainer, settings.samples)
        callbacks.append(gradual.refresh_callback(when, lambda: found.update(measure())))
    return callbacks


def _finish(
    settings: Prune,
    start: CompressedModel,
    wrapped: gradual.Wrapped,
    parts: Sequence[Part],
    zeros: Mapping[str, int],
    found: Mapping[str, Array],
) -> Done:
    """Exact masks from those of training: rounding, and trainings too short for the schedule, left them inexact."""
    left = gradual.masks(wrapped)
    final = {}
    for part in parts:
        importance = _importance(settings, part, wrapped.variables[part.name].numpy(), found)
        final[part.name] = np.where(part.averaged(~left[part.name]) == 1, -0.5, importance)
    masks = _masks(settings, parts, final, zeros)
    trained = replace(start, model=gradual.unwrapped(wrapped, start.model))
    reached, target = grains.sparsity(list(left.values())), grains.sparsity(list(masks.values()))
    notes: tuple[str, ...] = ()
    if target - reached > 0.01:
        notes = (
            f"training was too short for the schedule: {reached:.1%} were zero at its end, the rest up to {target:.1%} "
            "became zero after it; train longer",
        )
    return Done(_promised(trained, masks), notes=notes)


# --- words ------------------------------------------------------------------------------------------------------


def _told(settings: Prune, parts: Sequence[Part], compressed: CompressedModel) -> tuple[str, ...]:
    masks = {part.name: _mask(compressed, part.name) for part in parts}
    weights = sum(mask.size for mask in masks.values())
    said = f"{grains.sparsity(list(masks.values())):.1%} of {weights:,} weights of {len(parts)} kernels are zero"
    if settings.budget == "per-layer":
        return (said,)
    return (f"{said}: {', '.join(f'{name} {grains.sparsity([mask]):.1%}' for name, mask in masks.items())}",)


def _mask(compressed: CompressedModel, name: str) -> Array:
    return next(one.kept for one in compressed.invariants[name] if isinstance(one, ZeroMask))

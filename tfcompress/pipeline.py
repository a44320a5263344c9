"""From a Keras model to a smaller one and a verified file. Read this first.

    model -> tf_keras twin -> one technique after the other, promises kept -> converter -> proof -> numbers

`tfcompress.compression` decides in which process this runs and what is left on disk.
"""

from __future__ import annotations

import functools
import time
from typing import Any

from converters import child
from converters.conversion import Conversion, packed, rename_outputs
from tfcompress import compatibility, fingerprint, scorecard, steps, twin
from tfcompress.benchmark.estimate import room
from tfcompress.benchmark.estimate.room import IfTooLarge
from tfcompress.conversion import convert
from tfcompress.model import CompressedModel, Skipped
from tfcompress.outcome import Outcome
from tfcompress.proof import proven
from tfcompress.recipe import Recipe
from tfcompress.result_folder import ResultFolder
from tfcompress.task import Task
from tfcompress.technique import Trained
from tfcompress.training import Trainer


def run(
    model: Any, recipe: Recipe, task: Task, folder: ResultFolder | None, progress: child.Progress, too_large: IfTooLarge
) -> Outcome:
    """Does what the recipe says, in this process; see `tfcompress.compress`.

    Args:
        model: a model of either Keras; unchanged.
        recipe: checked already.
        task: its data.
        folder: where the run's state and the Keras model are kept; None for nowhere.
        progress: called with stage, done, total.
        too_large: what becomes of a file that does not fit on the recipe's target.
    """
    started = time.monotonic()
    compressed, notes = prepare(model, recipe, task)
    hashes = fingerprint.hashes(compressed.model, task, recipe.to_toml())
    if folder:
        twin.back(compressed.model, like=model)  # so that a model that cannot go back is known now
    # Before hours of training: can this model become such a file at all?
    plain = converted(compressed, recipe, task, _prefixed(progress, "trying the model as it came"), like=model)
    room.check_before_training(plain, recipe.steps, too_large, notes)
    scoring, who = _prefixed(progress, "scoring"), recipe.place()[0]
    before = scorecard.score(compressed.model, task, who, scoring)
    if folder:
        folder.begin(hashes)
    training = time.monotonic()
    compressed = steps.run(compressed, recipe, Trainer(task, progress=progress), folder.work if folder else None)
    # Steps have the time of earlier sessions in them, of which preparation is not counted.
    trained = sum(step.seconds for step in compressed.history)
    started += time.monotonic() - training - trained
    conversion = converted(compressed, recipe, task, progress, like=model) if recipe.steps else plain
    conversion = room.require(conversion, too_large, resumable=bool(folder and recipe.steps))
    after = scorecard.score(conversion.flatbuffer, task, who, scoring)
    notes += after.notes if after else ("accuracy was not measured: the data has no test samples with labels",)
    layers = scorecard.layers(conversion, compressed, task, recipe.seed, notes)
    rows = scorecard.rows(plain, conversion, layers, (before, after), _prefixed(progress, "measuring the file"))
    if folder:
        folder.save_model(twin.back(compressed.model, like=model))
    rows += scorecard.times(total_seconds=time.monotonic() - started, training_seconds=trained)
    return Outcome(conversion, rows, layers, recipe, compressed.history, tuple(notes), hashes, compressed=compressed)


def plan(model: Any, recipe: Recipe, task: Task) -> tuple[list[tuple[Skipped, ...]], tuple[str, ...]]:
    """What each step would leave as it is, and how model and data were understood; nothing is trained."""
    compressed, notes = _understood(model, recipe, task)
    return _planned(compressed, recipe, task), tuple(notes)


def prepare(model: Any, recipe: Recipe, task: Task) -> tuple[CompressedModel, list[str]]:
    """The twin that techniques work on, after everything was asked that can be known before training.

    Raises:
        CompressionError: the model cannot cross to tf_keras, the data does not fit it, or a step cannot work on it.
    """
    compressed, notes = _understood(model, recipe, task)
    _planned(compressed, recipe, task)
    return compressed, notes


def _understood(model: Any, recipe: Recipe, task: Task) -> tuple[CompressedModel, list[str]]:
    """The twin, and how model and data were understood."""
    simplified = twin.of(model)
    notes = [f"{layer}: {what}" for layer, what in simplified.notes]
    compressed = CompressedModel(simplified.model)
    compatibility.check(compressed.model, task)
    compatibility.check_finite(task)
    notes += room.foreseen(compressed.model.count_params(), recipe.spec(), recipe.place()[1])
    if any(isinstance(step, Trained) and step.epochs for step in recipe.steps):
        from tfcompress import fitting

        notes.append(fitting.check(compressed.model, task))
    return compressed, notes


def _planned(compressed: CompressedModel, recipe: Recipe, task: Task) -> list[tuple[Skipped, ...]]:
    """What each step would leave as it is, after what the steps before it promise."""
    left = []
    for step in recipe.steps:
        step.check(compressed.model, task)
        left.append(step.plan(compressed))
        compressed = step.foresee(compressed, left[-1])
    return left


def converted(
    compressed: CompressedModel, recipe: Recipe, task: Task, progress: child.Progress, *, like: Any = None
) -> Conversion:
    """The file, with the grids that training fixed, and proof that it keeps every promise.

    Args:
        compressed: what the steps made.
        recipe: what the file shall be.
        task: its data, to calibrate on what training left open.
        progress: called with stage, done, total.
        like: the model whose names the file's outputs get; by default they are those of the twin.
    """
    asked, spec, ranges, (who, target) = recipe.conversion, recipe.spec(), compressed.ranges, recipe.place()
    conversion = convert(
        compressed.model,
        task if spec.is_integer else None,
        **asked.model_dump(include={"dtype", "io", "dense", "quantizer", "method", "samples"}),
        runtime=who.path or who.name,
        ranges=ranges.activations or None,
        weight_scales=ranges.weights or None,
        keep_float=True,
        seed=recipe.seed,
        # Packing comes after the outputs have their names and every promise was proven on the named kernels.
        shrink=False,
        decode="off",
        progress=progress,
    )
    if like is not None:
        conversion = rename_outputs(conversion, twin.output_names(compressed.model, like))
    proof = proven(conversion, compressed, spec, dense=asked.dense)
    pack = functools.partial(packed, proof, progress=progress)
    return room.placed(pack, spec, target, decode=asked.decode, progress=progress)


def _prefixed(progress: child.Progress, words: str) -> child.Progress:
    return lambda stage, done, total: progress(f"{words}: {stage}", done, total)

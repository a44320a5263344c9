"""`tfcompress.compress` and `tfcompress.plan`: where the work is done, and what is left on disk.

A model in memory is compressed in this process; a model file with a data file in a child, so that a command imports
no TensorFlow. The work itself is `tfcompress.pipeline`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from converters import child
from converters.conversion import finish
from converters.errors import ModelError
from converters.packing import Facts
from tfcompress import pipeline
from tfcompress import task as tasks
from tfcompress.benchmark.estimate.room import IfTooLarge, check_choice
from tfcompress.model import Skipped, step_from_plain
from tfcompress.outcome import LayerReport, Outcome, Plan, PlannedStep
from tfcompress.recipe import Recipe, from_toml
from tfcompress.recipe import load as load_recipe
from tfcompress.report.compression import as_json, as_markdown
from tfcompress.result_folder import ResultFolder
from tfcompress.rows import Row
from tfcompress.task import Task

# Training takes as long as it takes; this bounds only what hangs.
_LIMITS = child.Limits(seconds=14 * 24 * 3600.0, memory_bytes=64 * child.GIB)


def compress(
    model: Any,
    recipe: Recipe | str | Path,
    task: Task | str | Path,
    *,
    output: Path | str | None = None,
    resume: bool = False,
    force: bool = False,
    if_too_large: IfTooLarge = "refuse",
    scale: str = "none",
    label: str | None = None,
    allow_code: bool = False,
    progress: child.Progress = child.no_progress,
) -> Outcome:
    """Makes a model smaller as a recipe says, converts it, and proves on the file what was promised of it.

    Args:
        model: a Keras 3 or tf_keras model, which stays as it is, or the path of a `.keras`, `.h5` or SavedModel.
        recipe: a Recipe, the name of a packaged one, or the path of a TOML file.
        task: a Task, or the path of a data file as in `tfcompress compress`.
        output: folder for `model.tflite`, `model.keras`, `recipe.toml`, `report.json` and `report.md`; it appears
            whole at the end. Until then `<output>.partial` holds what `resume` needs.
        resume: go on with an interrupted run; at most one epoch is lost.
        force: replace an earlier result, and an interrupted run.
        if_too_large: `refuse` a file that does not fit on the recipe's target, which keeps the training for `resume`,
            or `warn`: a note says so.
        scale: how the images of a data file become the model's units.
        label: label column of a `.csv`.
        allow_code: let a model file run its own code.
        progress: called with stage, done, total.

    Returns:
        The file, its certificate, the numbers, and the Keras model if it was compressed in this process.

    Raises:
        CompressionError: the message says what came, what was expected and what to do; nothing is left at `output`.
    """
    chosen = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    _check(chosen, task)
    check_choice(if_too_large)
    folder = ResultFolder(Path(output), force=force, resume=resume) if output is not None else None
    data = {"spec": task, "scale": scale, "label": label}
    outcome = _made(model, allow_code, chosen, data, folder, progress, if_too_large)
    outcome = replace(outcome, folder=folder.path if folder else None)
    if folder:
        texts = {
            "recipe.toml": chosen.to_toml(),
            "report.json": as_json(outcome),
            "report.md": as_markdown(outcome),
        }
        files = {name: text.encode() for name, text in texts.items()}
        folder.finish({**outcome.conversion.flatbuffer.files("model.tflite"), **files})
    return outcome


def _made(
    model: Any,
    allow_code: bool,
    recipe: Recipe,
    data: Mapping[str, Any],
    folder: ResultFolder | None,
    progress: child.Progress,
    if_too_large: IfTooLarge,
) -> Outcome:
    """The outcome, made in a child where model and data are files."""
    if isinstance(model, (str, Path)) and isinstance(data["spec"], (str, Path)):
        told = child.call(
            "tfcompress.compression:compress_here",
            *(str(model), allow_code, recipe.to_toml(), {**data, "spec": str(data["spec"])}),
            *(folder.asked if folder else {}, if_too_large),
            what="compressing the model",
            limits=_LIMITS,
            progress=progress,
        )
        return _from_plain(told, recipe)
    opened = _open(model, allow_code) if isinstance(model, (str, Path)) else model
    found = _task(data["spec"], opened, data["scale"], data["label"])
    return _run(opened, recipe, found, folder, progress, if_too_large)


def _run(
    model: Any,
    recipe: Recipe,
    task: Task,
    folder: ResultFolder | None,
    progress: child.Progress,
    if_too_large: IfTooLarge,
) -> Outcome:
    """`pipeline.run`; a run that fails leaves nothing that nobody could go on with."""
    try:
        return pipeline.run(model, recipe, task, folder, progress, if_too_large)
    except Exception:  # also what the user's own functions raise
        if folder:
            folder.give_up()
        raise


def plan(
    model: Any,
    recipe: Recipe | str | Path,
    task: Task | str | Path,
    *,
    scale: str = "none",
    label: str | None = None,
    allow_code: bool = False,
    progress: child.Progress = child.no_progress,
) -> Plan:
    """What `compress` would do, and which layers it would leave as they are; nothing is trained.

    Raises:
        CompressionError: what `compress` would find wrong before training.
    """
    chosen = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    _check(chosen, task)
    if isinstance(model, (str, Path)) and isinstance(task, (str, Path)):
        data = {"spec": str(task), "scale": scale, "label": label}
        told = child.call(
            "tfcompress.compression:plan_here",
            *(str(model), allow_code, chosen.to_toml(), data),
            what="planning the compression",
            progress=progress,
        )
        skipped = [tuple(Skipped(**one) for one in entry) for entry in told["skipped"]]
        notes = tuple(told["notes"])
    else:
        opened = _open(model, allow_code) if isinstance(model, (str, Path)) else model
        skipped, notes = pipeline.plan(opened, chosen, _task(task, opened, scale, label))
    planned = zip(chosen.steps, skipped, strict=True)
    return Plan(chosen, tuple(PlannedStep(step.name, step.fields(), left) for step, left in planned), notes)


def _check(recipe: Recipe, task: Task | str | Path) -> None:
    """What can be known at once."""
    recipe.spec()
    if isinstance(task, (str, Path)):
        tasks.check_there(str(task))


# --- in the process that has TensorFlow -------------------------------------------------------------------------


def compress_here(
    model: str,
    allow_code: bool,
    recipe: str,
    data: Mapping[str, Any],
    folder: Mapping[str, Any],
    if_too_large: IfTooLarge,
    *,
    progress: child.Progress,
) -> dict[str, Any]:
    """Compresses a model file in this (child) process; see `compress`."""
    progress("loading the model", 0, 0)
    opened, chosen = _open(model, allow_code), from_toml(recipe)
    task = _task(data["spec"], opened, data["scale"], data["label"])
    place = ResultFolder(Path(folder["path"]), force=folder["force"], resume=folder["resume"]) if folder else None
    outcome = _run(opened, chosen, task, place, progress, if_too_large)
    made = outcome.conversion
    return {
        "data": made.flatbuffer.data,
        "names": made.flatbuffer.names,
        "float_bytes": made.float_bytes,
        "float_file": None,
        "samples": None,
        "packing": asdict(made.packing) if made.packing else None,
        "conversion_notes": list(made.notes),
        "report": [row.as_dict() for row in outcome.report],
        "layers": [asdict(layer) for layer in outcome.layers],
        "history": [asdict(step) for step in outcome.history],
        "notes": list(outcome.notes),
        "hashes": dict(outcome.hashes),
    }


def plan_here(
    model: str, allow_code: bool, recipe: str, data: Mapping[str, Any], *, progress: child.Progress
) -> dict[str, Any]:
    """Plans for a model file in this (child) process; see `plan`."""
    progress("loading the model", 0, 0)
    opened = _open(model, allow_code)
    task = _task(data["spec"], opened, data["scale"], data["label"])
    skipped, notes = pipeline.plan(opened, from_toml(recipe), task)
    return {"skipped": [[asdict(one) for one in entry] for entry in skipped], "notes": list(notes)}


def _from_plain(told: Mapping[str, Any], recipe: Recipe) -> Outcome:
    conversion = finish({**told, "notes": told["conversion_notes"]}, recipe.spec())
    if told["packing"]:
        conversion = replace(conversion, packing=Facts(**told["packing"]))
    return Outcome(
        conversion=conversion,
        report=tuple(Row(**row) for row in told["report"]),
        layers=tuple(LayerReport(**{**layer, "promised": tuple(layer["promised"])}) for layer in told["layers"]),
        recipe=recipe,
        history=tuple(step_from_plain(step) for step in told["history"]),
        notes=tuple(told["notes"]),
        hashes=told["hashes"],
    )


def _open(model: str | Path, allow_code: bool) -> Any:
    from converters.keras_models import load, safety

    loaded = load.load(safety.check(Path(model), allow_code=allow_code), allow_code=allow_code)
    load.require_layers(loaded, "compressing")
    return loaded


def _task(task: Task | str | Path, model: Any, scale: str, label: str | None) -> Task:
    from converters.keras_models.tracing import inputs_of, is_keras

    if isinstance(task, Task):
        return tasks.load(task, scale=scale)
    if not is_keras(model):
        raise ModelError(f"a model of type {type(model).__name__} came; expected a Keras model, or the path of one")
    inputs = inputs_of(model)
    image_size = tuple(inputs[0].shape) if len(inputs) == 1 and len(inputs[0].shape) == 3 else None
    # The split keeps its own seed, so that `evaluate` never scores what was trained on.
    return tasks.load(task, scale=scale, label=label, image_size=image_size)

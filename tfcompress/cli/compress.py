"""Compress a model by a recipe: prune, cluster, train for quantization, convert, verify, measure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from tfcompress.cli import _options

if TYPE_CHECKING:
    from tfcompress.benchmark.estimate.room import IfTooLarge
    from tfcompress.recipe import Recipe


@click.command("compress")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--recipe", "recipe_name", required=True, metavar="R", help="A packaged recipe's name, or a TOML file.")
@click.option("--data", required=True, help="Data: .npz, .csv, a folder of images by class, or file.py:function.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The folder to write; only --dry-run needs none.")
@click.option("--resume", is_flag=True, help="Go on with an interrupted run from its last finished epoch.")
@click.option("--force", is_flag=True, help="Replace the results of an earlier run.")
@click.option("--dry-run", is_flag=True, help="Only check recipe, model and data, and list what would be skipped.")
@click.option(
    "--runtime",
    help="Who runs the file: a runtime (tfcompress targets --runtimes) or a TOML file. [default: the recipe's]",
)
@_options.target
@_options.if_too_large
@_options.scale
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Of data order and draws. [default: the recipe's]")
@_options.label
@_options.allow_code
@_options.as_json
def command(
    model: Path,
    *,
    recipe_name: str,
    data: str,
    output: Path | None,
    resume: bool,
    force: bool,
    dry_run: bool,
    runtime: str | None,
    target: str | None,
    if_too_large: IfTooLarge | None,
    scale: str,
    seed: int | None,
    label: str | None,
    allow_code: bool,
    as_json: bool,
) -> None:
    """Compresses MODEL (.keras, .h5 or a SavedModel folder) by a recipe and proves the file to keep what it asks for.

    Packaged recipes: int8, qat, pruned, clustered, deep, tiny. What is given here wins over what the recipe says. The
    folder gets model.tflite, model.keras, recipe.toml (as it was carried out), report.json and report.md. With a target
    the file must also fit there: its flash with TFLM's code, and the arena in RAM.

    Example: tfcompress compress model.keras --recipe deep --data data.npz -o compressed

    Example: tfcompress compress model.keras --recipe tiny --data data.npz -o compressed --target nucleo-l4r5zi
    """
    if output is None and not dry_run:
        raise click.UsageError("--output is missing; name the folder for the results, or ask for a --dry-run.")
    from tfcompress.cli._progress import progress_bar
    from tfcompress.compression import compress, plan
    from tfcompress.report import compression as report

    recipe = _recipe(recipe_name, runtime, target, seed)
    if if_too_large and recipe.target is None:
        raise click.UsageError("--if-too-large says what becomes of a file that does not fit on a --target; name one.")
    if output is None or dry_run:
        with progress_bar() as progress:
            planned = plan(model, recipe, data, scale=scale, label=label, allow_code=allow_code, progress=progress)
        click.echo(report.plan_as_json(planned)) if as_json else report.show_plan(planned)
        return
    with _resumable(output), progress_bar(or_lines=True) as progress:
        outcome = compress(
            model,
            recipe,
            data,
            output=output,
            resume=resume,
            force=force,
            if_too_large=if_too_large or "refuse",
            scale=scale,
            label=label,
            allow_code=allow_code,
            progress=progress,
        )
    click.echo(report.as_json(outcome)) if as_json else report.show(outcome)


@contextlib.contextmanager
def _resumable(output: Path) -> Iterator[None]:
    """Says how to go on, where the user stops a run that has begun."""
    try:
        yield
    except KeyboardInterrupt as stop:
        partial = output.with_name(f"{output.name}.partial")
        words = f"stopped; the same command with --resume goes on with {partial}" if partial.exists() else ""
        raise click.Abort(words) from stop


def _recipe(name: str, runtime: str | None, target: str | None, seed: int | None) -> Recipe:
    """The recipe, with what the command line says in place of what it says."""
    from tfcompress.recipe import load

    _options.one_of_both(runtime, target)
    recipe = load(name).runs_on(runtime=runtime, target=target)
    return recipe if seed is None else recipe.model_copy(update={"seed": seed})

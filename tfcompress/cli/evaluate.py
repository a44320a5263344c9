"""Score a Keras model or a .tflite file on data."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from tfcompress.cli import _options


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", required=True, help="Data: .npz, .csv, a folder of images by class, or file.py:function.")
@click.option("--metric", help="accuracy, top-K (such as top-5), auc, f1 or mse; by default what the labels call for.")
@click.option(
    "--runtime",
    type=click.Choice(["litert", "litert-builtin", "litert-reference", "tflm"]),
    help="What runs a .tflite file: LiteRT with XNNPACK, its built-in or reference kernels, or TFLM. "
    "[default: litert, or tflm for a file that TFLM alone takes]",
)
@click.option("--split", default="test", show_default=True, type=click.Choice(["train", "val", "test"]))
@_options.scale
@click.option("--output", "output_name", help="Which output to score, by name or number from 0.")
@click.option("--raw", is_flag=True, help="The data are integers of the file's own type.")
@click.option("--jobs", type=click.IntRange(1), help="Processes that share the samples. [default: one per core]")
@_options.seed
@_options.label
@_options.allow_code
@_options.as_json
def command(
    model: Path,
    data: str,
    *,
    metric: str | None,
    runtime: str | None,
    split: str,
    scale: str,
    output_name: str | None,
    raw: bool,
    jobs: int | None,
    seed: int,
    label: str | None,
    allow_code: bool,
    as_json: bool,
) -> None:
    """Scores MODEL (.tflite, .keras, .h5 or a SavedModel folder) on DATA.

    Example: tfcompress evaluate model.tflite --data data.npz --runtime tflm
    """
    from tfcompress.cli._progress import progress_bar
    from tfcompress.evaluation import evaluate

    with progress_bar() as progress:
        result = evaluate(
            model,
            data,
            metric=metric,
            split=split,
            scale=scale,
            seed=seed,
            label=label,
            runtime=runtime,  # type: ignore[arg-type]
            raw=raw,
            jobs=jobs,
            output=output_name,
            allow_code=allow_code,
            progress=progress,
        )
    if result.reason:
        click.echo(f"metric: {result.metric}, because {result.reason}; --metric chooses another", err=True)
    for note in result.notes:
        click.echo(f"note: {note}", err=True)
    if as_json:
        click.echo(json.dumps(result.as_dict()))
    else:
        click.echo(f"{result.metric} {result.value:.4f} on {result.samples} samples ({result.runtime})")

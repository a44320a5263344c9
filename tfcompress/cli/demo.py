"""Train, convert, verify and measure a small model on real digits."""

from __future__ import annotations

from pathlib import Path

import rich_click as click


@click.command("demo")
@click.option(
    "-o",
    "--output",
    default="demo_output",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the model, its data and the .tflite files; made if missing.",
)
def command(output: Path) -> None:
    """Trains a small CNN on scikit-learn's digits in seconds, then takes it down the main path, in one table.

    Example: tfcompress demo
    """
    from tfcompress.cli._progress import progress_bar
    from tfcompress.demo import run
    from tfcompress.report.demo import show

    with progress_bar() as progress:
        results = run(output, progress=progress)
    show(results, output)

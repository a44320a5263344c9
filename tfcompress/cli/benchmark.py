"""Measure a .tflite file on this machine."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from tfcompress.cli import _options


@click.command("benchmark")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--runtime",
    "runtimes",
    multiple=True,
    type=click.Choice(["litert", "litert-builtin", "litert-reference", "tflm"]),
    help="What runs the file; may be given several times. [default: litert and tflm, or tflm alone where it alone can]",
)
@click.option(
    "--threads",
    multiple=True,
    type=click.IntRange(1),
    help="Threads of LiteRT; may be given several times. [default: 1 and one per core]",
)
@click.option("--runs", default=50, show_default=True, type=click.IntRange(1), help="Timed runs, for 10 s at most.")
@click.option("--samples", default=20, show_default=True, type=click.IntRange(1), help="Inputs to compare outputs on.")
@click.option("--seed", default=0, show_default=True, help="Of the random inputs.")
@click.option("--per-operator", is_flag=True, help="Time every operator, on TFLM if it is among the runtimes.")
@_options.as_json
def command(
    file: Path,
    *,
    runtimes: tuple[str, ...],
    threads: tuple[int, ...],
    runs: int,
    samples: int,
    seed: int,
    per_operator: bool,
    as_json: bool,
) -> None:
    """Measures FILE (.tflite): latency, memory, TFLM's arena, operators, and whether the runtimes agree.

    Example: tfcompress benchmark model.tflite --per-operator
    """
    from tfcompress.benchmark.measure import measure
    from tfcompress.benchmark.plan import Plan
    from tfcompress.cli._progress import progress_bar
    from tfcompress.report import table

    plan = Plan(
        runtimes=tuple(dict.fromkeys(runtimes)) or None,  # type: ignore[arg-type]
        threads=threads,
        runs=runs,
        samples=samples,
        seed=seed,
        per_operator=per_operator,
    )
    with progress_bar() as progress:
        rows = measure(file, plan=plan, progress=progress)
    if as_json:
        click.echo(table.as_json(rows))
    else:
        table.show(rows, title=str(file))

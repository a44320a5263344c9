"""Measure a .tflite file on this machine, or on a target."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from click.core import ParameterSource

from tfcompress.cli import _options

# Which options say something where: what is measured here, and what a phone measures.
_HERE = ("runtimes", "samples", "seed", "per_operator")
_ON_A_PHONE = ("serial", "delegate", "timeout")


@click.command("benchmark")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="T",
    help="Where to measure instead of here; may be given several times. adb: a connected phone (docs/phones.md).",
)
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
    help="Threads of LiteRT; may be given several times. [default: 1 and one per core; on a phone 1]",
)
@click.option(
    "--runs", default=50, show_default=True, type=click.IntRange(1), help="Timed runs, for 10 s at most here."
)
@click.option("--samples", default=20, show_default=True, type=click.IntRange(1), help="Inputs to compare outputs on.")
@click.option("--seed", default=0, show_default=True, help="Of the random inputs.")
@click.option("--per-operator", is_flag=True, help="Time every operator, on TFLM if it is among the runtimes.")
@click.option("--serial", help="With --target adb: which phone, as `adb devices` lists it.")
@click.option(
    "--delegate",
    default="xnnpack",
    show_default=True,
    type=click.Choice(["cpu", "xnnpack", "nnapi"]),
    help="With --target adb: what runs the operators; cpu are the built-in kernels.",
)
@click.option(
    "--timeout",
    default=120.0,
    show_default=True,
    type=click.FloatRange(0, 86_400, min_open=True),
    help="With --target adb: seconds that a phone may take for each number of threads.",
)
@_options.as_json
def command(
    file: Path,
    *,
    targets: tuple[str, ...],
    runtimes: tuple[str, ...],
    threads: tuple[int, ...],
    runs: int,
    samples: int,
    seed: int,
    per_operator: bool,
    serial: str | None,
    delegate: str,
    timeout: float,
    as_json: bool,
) -> None:
    """Measures FILE (.tflite): latency, memory, TFLM's arena, operators, and whether the runtimes agree.

    Example: tfcompress benchmark model.tflite --per-operator

    Example: tfcompress benchmark model.tflite --target adb --threads 1 --threads 4
    """
    from tfcompress.benchmark.adb import measure_on_phone
    from tfcompress.benchmark.measure import measure
    from tfcompress.benchmark.plan import Plan
    from tfcompress.cli._progress import progress_bar
    from tfcompress.report import table

    _check_options(targets)
    plan = Plan(
        runtimes=tuple(dict.fromkeys(runtimes)) or None,  # type: ignore[arg-type]
        threads=threads,
        runs=runs,
        samples=samples,
        seed=seed,
        per_operator=per_operator,
    )
    with progress_bar() as progress:
        if targets:
            rows = measure_on_phone(
                file,
                serial=serial,
                threads=threads or (1,),
                runs=runs,
                delegate=delegate,
                timeout=timeout,
                say=lambda words: click.echo(f"note: {words}", err=True),
                progress=progress,
            )
        else:
            rows = measure(file, plan=plan, progress=progress)
    if as_json:
        click.echo(table.as_json(rows))
    else:
        table.show(rows, title=str(file))


def _check_options(targets: Sequence[str]) -> None:
    """Raises UsageError for a target that is none, and for options that say nothing where it is measured."""
    from converters.errors import UsageError

    if unknown := next((target for target in targets if target != "adb"), None):
        raise UsageError(f"--target is '{unknown}'; expected adb, for a connected phone")
    given = _given(_HERE if targets else _ON_A_PHONE)
    if given and targets:
        raise UsageError(f"{given} cannot be used with --target adb: the phone's app does not do that; leave it out")
    if given:
        raise UsageError(f"{given} is for --target adb alone; add that, or leave it out")


def _given(names: Sequence[str]) -> str:
    """The first of these parameters that the user gave, as it is typed; empty for none."""
    context: click.Context = click.get_current_context()  # type: ignore[assignment]
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            return parameter.opts[0]
    return ""

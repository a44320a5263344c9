"""Measure a .tflite file on this machine or a phone, or estimate it on other devices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click.core import ParameterSource

from tfcompress.cli import _options

if TYPE_CHECKING:
    from tfcompress.benchmark.plan import Plan
    from tfcompress.rows import Row

# Which options say something where: what is measured here, what a phone measures, what is estimated.
_HERE = ("runtimes", "samples", "seed")
_TIMED = ("threads", "runs")
_ON_A_PHONE = ("serial", "delegate", "timeout")
_ESTIMATED = ("anchors",)
_PHONE = "adb"


@click.command("benchmark")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="T",
    help="A device to estimate for, by name or .toml (see tfcompress targets), several times; adb: a connected phone.",
)
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="JSON",
    help="With one device: what it measured, of this or other files (docs/latency.md); may be given several times.",
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
@click.option("--per-operator", is_flag=True, help="Time every operator, or estimate its share of a device's time.")
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
    anchors: tuple[Path, ...],
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
    """Measures FILE (.tflite) here: latency, memory, TFLM's arena, operators, and whether the runtimes agree.

    With --target it tells instead what FILE takes on a device: latency with an interval, energy, flash, arena, and
    whether it fits. Such numbers are estimates; a phone measures.

    Example: tfcompress benchmark model.tflite --per-operator

    Example: tfcompress benchmark model.tflite --target nucleo-l4r5zi --target esp32-s3-devkitc-1

    Example: tfcompress benchmark model.tflite --target adb --threads 1 --threads 4
    """
    from tfcompress.benchmark.plan import Plan
    from tfcompress.report import table

    _check_options(targets)
    if targets and _PHONE not in targets:
        _estimate(file, targets, anchors, per_operator=per_operator, as_json=as_json)
        return
    if targets:
        rows = _on_a_phone(file, serial=serial, threads=threads or (1,), runs=runs, delegate=delegate, timeout=timeout)
    else:
        plan = Plan(
            runtimes=tuple(dict.fromkeys(runtimes)) or None,  # type: ignore[arg-type]
            threads=threads,
            runs=runs,
            samples=samples,
            seed=seed,
            per_operator=per_operator,
        )
        rows = _here(file, plan)
    if as_json:
        click.echo(table.as_json(rows))
    else:
        table.show(rows, title=str(file))


def _estimate(
    file: Path, targets: Sequence[str], anchors: Sequence[Path], *, per_operator: bool, as_json: bool
) -> None:
    from converters.flatbuffer import FlatBuffer
    from tfcompress import targets as catalogue
    from tfcompress.benchmark.estimate import anchors as anchor_files
    from tfcompress.benchmark.estimate.on_target import on_targets
    from tfcompress.cli._progress import progress_bar
    from tfcompress.report import on_target as report

    chosen = [catalogue.target(name) for name in dict.fromkeys(targets)]
    flatbuffer = FlatBuffer.read(file)
    with progress_bar() as progress:
        found = anchor_files.read(anchors, flatbuffer)
        results = on_targets(flatbuffer, chosen, anchors=found, progress=progress)
    if as_json:
        click.echo(report.as_json(results, per_operator=per_operator))
    else:
        report.show(results, title=file.name, per_operator=per_operator)


def _on_a_phone(
    file: Path, *, serial: str | None, threads: tuple[int, ...], runs: int, delegate: str, timeout: float
) -> list[Row]:
    from tfcompress.benchmark.phone.adb import measure_on_phone
    from tfcompress.cli._progress import progress_bar

    with progress_bar() as progress:
        return measure_on_phone(
            file,
            serial=serial,
            threads=threads,
            runs=runs,
            delegate=delegate,
            timeout=timeout,
            say=lambda words: click.echo(f"note: {words}", err=True),
            progress=progress,
        )


def _here(file: Path, plan: Plan) -> list[Row]:
    from tfcompress.benchmark.measure import measure
    from tfcompress.cli._progress import progress_bar

    with progress_bar() as progress:
        return measure(file, plan=plan, progress=progress)


def _check_options(targets: Sequence[str]) -> None:
    """Raises UsageError for targets that do not go together, and for options that say nothing where it is measured."""
    from converters.errors import UsageError

    if _PHONE in targets and len(set(targets)) > 1:
        raise UsageError("--target adb measures on a phone, and other targets are estimated; ask for them one by one")
    if _PHONE in targets:
        if given := _given((*_HERE, *_ESTIMATED, "per_operator")):
            raise UsageError(
                f"{given} cannot be used with --target adb: the phone's app does not do that; leave it out"
            )
    elif targets:
        if given := _given((*_HERE, *_TIMED, *_ON_A_PHONE)):
            raise UsageError(f"{given} says how to measure, and {targets[0]} is estimated; leave it out")
        if _given(_ESTIMATED) and len(set(targets)) > 1:
            raise UsageError("--anchor is what one device measured, and several came; name one --target")
    elif given := _given(_ON_A_PHONE):
        raise UsageError(f"{given} is for --target adb alone; add that, or leave it out")
    elif given := _given(_ESTIMATED):
        raise UsageError(f"{given} is what a device measured; name it with --target, or leave it out")


def _given(names: Sequence[str]) -> str:
    """The first of these parameters that the user gave, as it is typed; empty for none."""
    context: click.Context = click.get_current_context()  # type: ignore[assignment]
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE:
            return parameter.opts[0]
    return ""

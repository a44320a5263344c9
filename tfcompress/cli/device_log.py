"""Put what a board measured into a table or a report."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from tfcompress.cli import _options


@click.command("device-log")
@click.argument("source")
@click.option("--baud", default=115_200, show_default=True, type=click.IntRange(1), help="Speed of a serial port.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=click.FloatRange(0, 86_400, min_open=True),
    help="Seconds to wait for the log on a serial port.",
)
@click.option("--model", type=click.Path(path_type=Path), help="The .tflite file that the board must have run.")
@click.option("--report", type=click.Path(path_type=Path), help="Put the rows there: a folder of compress.")
@click.option("--board", help="The board's name, where the log does not tell.")
@click.option("--clock", metavar="HZ", type=click.IntRange(1), help="Its clock, where the log does not tell.")
@_options.as_json
def command(
    source: str,
    *,
    baud: int,
    timeout: float,
    model: Path | None,
    report: Path | None,
    board: str | None,
    clock: int | None,
    as_json: bool,
) -> None:
    """Reads what an exported bundle writes on its board: cycles, latency, arena, and whether the outputs are right.

    SOURCE is a serial port, a file with a saved log, or - for standard input. The exit status is 1 where the board
    failed.

    Example: tfcompress device-log /dev/ttyACM0 --report compressed
    """
    from converters.errors import DeviceError
    from tfcompress.benchmark.device import measure
    from tfcompress.report import device, merging

    def say(words: str) -> None:
        click.echo(words, err=True)

    if report is not None:
        merging.check_report(report)
    result = measure(source, baud=baud, timeout=timeout, model=model, board=board, clock=clock, say=say)
    for note in result.notes:
        say(f"note: {note}")
    click.echo(device.as_json(result)) if as_json else device.show(result)
    if report is not None:
        say(f"the rows are in {merging.merge(result, report)}")
    if result.failure:
        raise DeviceError(result.failure)

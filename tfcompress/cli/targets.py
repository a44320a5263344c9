"""List the devices and runtimes that files can be made and measured for."""

from __future__ import annotations

import rich_click as click

from tfcompress.cli import _options


@click.command("targets")
@click.argument("name", required=False, metavar="[NAME]")
@click.option("--kind", type=click.Choice(["board", "phone", "simulator"]), help="Only devices of that kind.")
@click.option("--core", metavar="CORE", help="Only devices with that core, such as cortex-m4.")
@click.option("--runtime", metavar="RUNTIME", help="Only devices that can run it, such as tflm.")
@click.option("--min-ram", type=click.IntRange(min=1), metavar="BYTES", help="Only devices with so much RAM.")
@click.option("--min-flash", type=click.IntRange(min=1), metavar="BYTES", help="Only devices with so much flash.")
@click.option("--runtimes", "of_runtimes", is_flag=True, help="List the runtimes instead.")
@_options.as_json
def command(
    name: str | None,
    *,
    kind: str | None,
    core: str | None,
    runtime: str | None,
    min_ram: int | None,
    min_flash: int | None,
    of_runtimes: bool,
    as_json: bool,
) -> None:
    """Lists the devices that `--target` takes; with NAME that one, in full, each number with its source.

    NAME is a device (nucleo-l4r5zi), a device with another of its runtimes (nucleo-l4r5zi:tflm), or the path of a TOML
    file of your own; docs/targets.md tells how to write one. A device whose RAM or flash nobody knows does not match
    --min-ram or --min-flash.

    Example: tfcompress targets --core cortex-m4 --min-ram 300000
    """
    from tfcompress import targets
    from tfcompress.report import targets as report

    asked = {"kind": kind, "core": core, "runtime": runtime, "min_ram": min_ram, "min_flash": min_flash}
    asked = {option: value for option, value in asked.items() if value is not None}
    if (name is not None or of_runtimes) and asked:
        raise click.UsageError(f"--{next(iter(asked)).replace('_', '-')} filters the list of devices; leave it out.")
    if of_runtimes:
        if name is not None:
            raise click.UsageError("--runtimes lists all runtimes; leave NAME out.")
        every = [targets.runtime(one) for one in targets.runtimes()]
        click.echo(report.as_json(runtimes=every)) if as_json else report.show_runtimes(every)
    elif name is not None:
        found = targets.target(name)
        told = report.as_json(devices=[found.device], runtimes=[found.runtime])
        click.echo(told) if as_json else report.show_target(found)
    else:
        matching = targets.matching(**asked)  # type: ignore[arg-type]
        click.echo(report.as_json(devices=matching)) if as_json else report.show(matching)

"""Export a .tflite file as a project for a microcontroller."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from converters.microcontroller import catalogue, folder
from tfcompress.cli import _options


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "format_name",
    required=True,
    type=click.Choice([*catalogue.names(), "android"]),
    help="The build system of the firmware.",
)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The folder to make.")
@click.option(
    "--data", help="Data of the test vectors: .npz, .npy, .csv, folder, or file.py:function. [default: random]"
)
@click.option("--vectors", default=5, show_default=True, type=click.IntRange(1, 1000), help="Test vectors to make.")
@click.option(
    "--arena-margin",
    default=10,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Percent that the arena gets on top of what was measured.",
)
@click.option("--name", help="Namespace of the C++. [default: from the file's name]")
@_options.scale
@_options.seed
@_options.label
@click.option("--force", is_flag=True, help="Replace a bundle that is there.")
@_options.as_json
def command(
    file: Path,
    output: Path,
    *,
    format_name: str,
    data: str | None,
    vectors: int,
    arena_margin: int,
    name: str | None,
    scale: str,
    seed: int,
    label: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Exports FILE (.tflite) as a C++ project: model data, quantization, test vectors, and a main that checks them.

    Example: tfcompress export model.tflite --for cmake -o firmware
    """
    folder.check_free(output, force=force)
    from tfcompress.cli._progress import progress_bar
    from tfcompress.export import export

    with progress_bar() as progress:
        made = export(
            file,
            format_name,
            data=data,
            name=name,
            vectors=vectors,
            arena_margin=arena_margin,
            scale=scale,
            seed=seed,
            label=label,
            progress=progress,
        )
    folder.write(output, made.files, force=force)
    if as_json:
        click.echo(json.dumps(made.as_dict() | {"output": str(output)}))
        return
    click.echo(
        f"{output}: {made.format}, namespace {made.namespace}, {made.model_bytes:,} bytes, "
        f"{len(made.operators)} operators, arena {made.arena.given_bytes:,} bytes "
        f"({made.arena.measured_bytes:,} on this host by {made.arena.runtime} + {made.arena.margin_percent} %), "
        f"{made.vectors} test vectors; {output / 'README.md'} says how to build it"
    )

"""Show what a .tflite file holds."""

from __future__ import annotations

import json
from pathlib import Path

import rich_click as click

from tfcompress.cli import _options


@click.command("inspect")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--tensors", is_flag=True, help="Also list every tensor.")
@_options.as_json
def command(file: Path, *, tensors: bool, as_json: bool) -> None:
    """Shows the operators of FILE.tflite with their Keras layers, and what its bytes are spent on.

    Nothing is run: the file is read as data, and a damaged one is refused in one line.

    Example: tfcompress inspect model.tflite
    """
    from converters.flatbuffer import FlatBuffer, side_file
    from tfcompress.report import inspection, inspection_tables

    flatbuffer = FlatBuffer.read(file)
    if flatbuffer.names is None and side_file.place(file).exists():
        click.echo(f"note: {side_file.place(file)} belongs to another file, so layers have no names", err=True)
    if as_json:
        click.echo(json.dumps(inspection.describe(flatbuffer)))
    else:
        inspection_tables.show(flatbuffer, file, tensors=tensors)

"""Export a .tflite file as a project for a microcontroller, or as a model of the demo app for Android."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from click.core import ParameterSource

from converters import folder
from converters.errors import printable
from converters.microcontroller import catalogue
from tfcompress.cli import _options

if TYPE_CHECKING:
    from converters.android.bundle import ModelFolder
    from converters.inputs import Drawing
    from converters.microcontroller.bundle import Bundle

_ANDROID = "android"
# Names that the app's build takes under assets/models on every computer.
_PLAIN = re.compile("[A-Za-z0-9._-]+")
_OTHER_NAME = (
    "the folder is called '{}'; before it is copied into the app, rename it to letters of English, digits, '.', '_' "
    "and '-', which every build takes"
)
_FILE = click.Path(path_type=Path)
_DRAWINGS: dict[str, Drawing] = {"white-on-black": "white on black", "black-on-white": "black on white"}
_OF_FIRMWARE = ("--arena-margin", "--name")
_OF_APP = (
    "--labels", "--sample", "--compare", "--input", "--vocabulary", "--report", "--title", "--licence", "--drawing",
)  # fmt: skip


@click.command("export")
@click.argument("file", type=_FILE)
@click.option(
    "--for",
    "format_name",
    required=True,
    type=click.Choice([*catalogue.names(), _ANDROID]),
    help="The build system of the firmware, or android for the demo app.",
)
@click.option("-o", "--output", required=True, type=_FILE, help="The folder to make.")
@click.option(
    "--data",
    help="Data of the test vectors: .npz, .npy, .csv, folder, or file.py:function. [default: the samples, else random]",
)
@click.option("--vectors", default=5, show_default=True, type=click.IntRange(1, 1000), help="Test vectors to make.")
@click.option(
    "--arena-margin",
    default=10,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="Firmware: percent that the arena gets on top of what was measured.",
)
@click.option("--name", help="Firmware: namespace of the C++. [default: from the file's name]")
@click.option("--labels", type=_FILE, help="Android: names of the classes, one a line.")
@click.option(
    "--sample",
    "samples",
    multiple=True,
    type=_FILE,
    help="Android: an input to try, .png, .jpg, .jpeg, .bmp, .gif, .webp, .wav, .txt or .csv; may be given again. One "
    "named as a label, such as cat.png or cat_2.png, is shown as that label's.",
)
@click.option("--compare", type=_FILE, help="Android: a .tflite to compare with, such as the float model.")
@click.option(
    "--input",
    "input_file",
    type=_FILE,
    help="Android: a TOML file that says what the input is, with the keys of docs/android.md; for audio and text. "
    "[default: an image or plain numbers, by the shape]",
)
@click.option("--vocabulary", type=_FILE, help="Android: the words of a text model, one a line.")
@click.option(
    "--report",
    type=_FILE,
    help="Android: report.json of the compression. [default: that beside FILE, if it is of FILE]",
)
@click.option("--title", help="Android: what people call the model. [default: from the file's name]")
@click.option("--licence", type=_FILE, help="Android: a text that is shown with the model.")
@click.option(
    "--drawing",
    type=click.Choice(list(_DRAWINGS)),
    help="Android: the model knows drawings by hand that look so; the app has a pad for them.",
)
@_options.scale
@_options.seed
@_options.label
@click.option("--force", is_flag=True, help="Replace a folder that such an export made.")
@_options.as_json
@click.pass_context
def command(
    context: click.Context,
    file: Path,
    output: Path,
    *,
    format_name: str,
    data: str | None,
    vectors: int,
    arena_margin: int,
    name: str | None,
    labels: Path | None,
    samples: tuple[Path, ...],
    compare: Path | None,
    input_file: Path | None,
    vocabulary: Path | None,
    report: Path | None,
    title: str | None,
    licence: Path | None,
    drawing: str | None,
    scale: str,
    seed: int,
    label: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Exports FILE (.tflite) as a C++ project for a microcontroller, or as a model of the demo app for Android.

    The project has the model's data, quantization, test vectors, and a main that checks them. A model folder of the app
    has what the file cannot tell: labels, how pixels or sounds become its input, samples; and test vectors.

    Example: tfcompress export model.tflite --for cmake -o firmware

    Example: tfcompress export model.tflite --for android --labels labels.txt --sample seven.png -o digits
    """
    _refuse_others(context, format_name)
    from converters.android import bundle as app
    from converters.microcontroller import bundle as firmware
    from tfcompress.cli._progress import progress_bar
    from tfcompress.export import Beside, export, export_android

    kind = app.FOLDER if format_name == _ANDROID else firmware.FOLDER
    folder.check_free(output, kind, force=force)
    drawn: dict[str, Any] = {"data": data, "vectors": vectors, "scale": scale, "seed": seed, "label": label}
    made: ModelFolder | Bundle
    with progress_bar() as progress:
        if format_name == _ANDROID:
            look = _DRAWINGS[drawing] if drawing else None
            beside = Beside(labels, samples, compare, input_file, vocabulary, report, licence, title, look)
            made = export_android(file, beside, progress=progress, **drawn)
        else:
            made = export(file, format_name, name=name, arena_margin=arena_margin, progress=progress, **drawn)
    if isinstance(made, app.ModelFolder) and not _PLAIN.fullmatch(output.resolve().name):
        made = replace(made, notes=(*made.notes, _OTHER_NAME.format(printable(output.resolve().name))))
    folder.write(output, made.files, kind, force=force)
    if as_json:
        click.echo(json.dumps(made.as_dict() | {"output": str(output)}))
        return
    for line in _said_of_firmware(made, output) if isinstance(made, firmware.Bundle) else _said_of_app(made, output):
        click.echo(line)


def _refuse_others(context: click.Context, format_name: str) -> None:
    """Raises UsageError for an option that the chosen format has no use for."""
    others, whose = (_OF_FIRMWARE, "firmware") if format_name == _ANDROID else (_OF_APP, "android")
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.opts[0] in others:
            raise click.UsageError(f"{parameter.opts[0]} is for {whose}, and --for {format_name} came; leave it out.")


def _said_of_firmware(made: Bundle, output: Path) -> list[str]:
    return [
        f"{output}: {made.format}, namespace {made.namespace}, {made.model_bytes:,} bytes, "
        f"{len(made.operators)} operators, arena {made.arena.given_bytes:,} bytes "
        f"({made.arena.measured_bytes:,} on this host by {made.arena.runtime} + {made.arena.margin_percent} %), "
        f"{made.vectors} test vectors; {output / 'README.md'} says how to build it"
    ]


def _said_of_app(made: ModelFolder, output: Path) -> list[str]:
    told = made.manifest
    parts = [
        f"{output}: {told.title}, {made.dtype}, {made.model_bytes:,} bytes",
        f"input {told.input.kind}",
        _counted(made.labels, "label") if made.labels else f"output {told.output}",
        *([_counted(len(told.samples), "sample")] if told.samples else []),
        *(["a model to compare with"] if made.compare else []),
        *(["its report"] if told.report else []),
        f"{_counted(len(made.vectors.inputs), 'test vector')} ({made.vectors.origin}) by {made.vectors.runtime}",
    ]
    where = "copy it to android_demo/app/src/main/assets/models, or zip it and open it in the app"
    return [f"{', '.join(parts)}; {where}", *(f"note: {printable(note)}" for note in made.notes)]


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

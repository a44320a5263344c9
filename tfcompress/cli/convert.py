"""Convert a model to a verified .tflite file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from converters.output import check_free
from converters.spec import DenseGranularity, DType, IoType, Quantizer
from tfcompress.cli import _options

if TYPE_CHECKING:
    from tfcompress.benchmark.estimate.room import IfTooLarge


@click.command("convert")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The .tflite file to write.")
@click.option("--calibration", metavar="DATA", help="Training inputs: .npz, .npy, .csv, folder, or file.py:function.")
@click.option(
    "--dtype",
    type=click.Choice(["int8", "int16x8", "float16", "dynamic", "float32"]),
    help="Type of the file; a .tflite keeps its own. [default: int8]",
)
@click.option("--io", type=click.Choice(["int8", "uint8", "int16", "float32"]), help="Type of inputs and outputs.")
@click.option(
    "--runtime",
    help="Who runs the file: a runtime (tfcompress targets --runtimes) or a TOML file. [default: litert]",
)
@_options.target
@_options.if_too_large
@click.option("--dense", type=click.Choice(["per-channel", "per-tensor"]), help="Scales of Dense weights.")
@click.option("--quantizer", default="tflite", show_default=True, type=click.Choice(["tflite", "litert"]))
@click.option(
    "--method",
    default="minmax",
    show_default=True,
    type=click.Choice(["minmax", "percentile", "mse", "entropy"]),
    help="How activation ranges are chosen.",
)
@click.option("--samples", default=200, show_default=True, type=click.IntRange(1), help="Calibration samples to use.")
@click.option("--shrink/--no-shrink", default=True, help="Leave out what the runtime does not read.")
@_options.decode
@_options.max_arena
@_options.scale
@_options.seed
@_options.label
@_options.allow_code
@click.option("--allow-unusual-data", is_flag=True, help="Accept calibration data that look wrongly scaled.")
@click.option("--force", is_flag=True, help="Replace an existing output file.")
@_options.as_json
def command(
    model: Path,
    output: Path,
    *,
    calibration: str | None,
    dtype: DType | None,
    io: IoType | None,
    runtime: str | None,
    target: str | None,
    if_too_large: IfTooLarge | None,
    dense: DenseGranularity | None,
    quantizer: Quantizer,
    method: str,
    samples: int,
    shrink: bool,
    decode: str | None,
    max_arena: int | None,
    scale: str,
    seed: int,
    label: str | None,
    allow_code: bool,
    allow_unusual_data: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Converts MODEL (.keras, .h5, a SavedModel folder, or an existing .tflite) and proves the file to be as asked for.

    A .tflite keeps its types and becomes smaller, with the same outputs bit for bit. With --target the file must also
    fit there: its flash with TFLM's code, and the arena in RAM.

    Example: tfcompress convert model.keras -o model.tflite --calibration data.npz --runtime tflm

    Example: tfcompress convert model.keras -o model.tflite --calibration data.npz --target nucleo-l4r5zi
    """
    _options.one_of_both(runtime, target)
    if if_too_large and not target:
        raise click.UsageError("--if-too-large says what becomes of a file that does not fit on a --target; name one.")
    check_free(output, force=force)
    from tfcompress.cli._progress import progress_bar
    from tfcompress.conversion import convert
    from tfcompress.report.conversion import as_json as report_json
    from tfcompress.report.conversion import show

    with progress_bar() as progress:
        result = convert(
            model,
            calibration,
            dtype=dtype,
            io=io,
            runtime=runtime,
            target=target,
            if_too_large=if_too_large or "refuse",
            dense=dense,
            quantizer=quantizer,
            method=method,
            samples=samples,
            shrink=shrink,
            decode=decode,
            max_arena=max_arena,
            scale=scale,
            seed=seed,
            label=label,
            allow_code=allow_code,
            allow_unusual_data=allow_unusual_data,
            progress=progress,
        )
    result.flatbuffer.save(output, force=force)
    if as_json:
        click.echo(report_json(result, output))
    else:
        show(result, output)

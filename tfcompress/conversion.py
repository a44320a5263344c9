"""`tfcompress.convert`: a model and calibration data become a verified `.tflite` for a runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from converters import child
from converters.conversion import LIMITS, Calibrating, Conversion, finish, packed
from converters.conversion import convert as convert_model
from converters.conversion import convert_file_here as convert_model_file_here
from converters.errors import UsageError
from converters.flatbuffer import FlatBuffer
from converters.keras_models.tracing import inputs_of, is_keras
from converters.spec import ConversionSpec, Decode, DenseGranularity, DType, IoType, Quantizer
from tfcompress import task
from tfcompress.benchmark.estimate.room import IfTooLarge, check_choice, placed, require
from tfcompress.repacking import repack
from tfcompress.targets.aim import aimed

CALIBRATION_SAMPLES = 200


def convert(
    model: Any,
    calibration: Any = None,
    *,
    dtype: DType | None = None,
    io: IoType | None = None,
    runtime: str | None = None,
    target: str | Path | None = None,
    if_too_large: IfTooLarge = "refuse",
    dense: DenseGranularity | None = None,
    quantizer: Quantizer = "tflite",
    shrink: bool = True,
    decode: Decode | None = None,
    max_arena: int | None = None,
    method: str = "minmax",
    ranges: Mapping[str, tuple[float, float]] | None = None,
    weight_scales: Mapping[str, Any] | None = None,
    keep_float: bool = False,
    samples: int = CALIBRATION_SAMPLES,
    scale: str = "none",
    seed: int = 0,
    label: str | None = None,
    allow_code: bool = False,
    allow_unusual_data: bool = False,
    progress: child.Progress = child.no_progress,
) -> Conversion:
    """Converts a model to a `.tflite` file and proves that it is what was asked for.

    Args:
        model: a Keras 3 or tf_keras model, or the path of a `.keras`, `.h5` or SavedModel. Also a `FlatBuffer` or the
            path of a `.tflite`, which keeps its types, and is shrunk and encoded as asked.
        calibration: for integer files: arrays `[n, ...]` in the float model's units (one, or one per input by name
            or in order), an iterable of samples, a Task, or the path of a data file as in `tfcompress convert`.
        dtype: `int8` (the default), `int16x8`, `float16`, `dynamic` or `float32`.
        io: type of inputs and outputs; by default that of the activations.
        runtime: who will run the file, `litert` by default; its table of kernels is checked.
        target: the device that the file is for, in place of a runtime: a name, `device:runtime`, or the path of a TOML
            file. The file is made for its runtime, and must have room there; the result is a
            `tfcompress.benchmark.estimate.room.Placed`, whose `room` tells flash and arena.
        if_too_large: `refuse` a file that does not fit on the target, or `warn`: a note says so.
        dense: granularity of Dense weights; by default what the runtime's kernels take.
        quantizer: `tflite` or `litert`.
        shrink: leave out what the runtime does not read: tensor names (they go to a side file), metadata, repetitions.
        decode: how weights are encoded for TFLM's DECODE operator: `off`, `auto` (whatever is smallest), `lut`, `prune`
            or `huffman`; by default `auto` where the runtime has that operator. With a target, `auto` is the form
            that has room there.
        max_arena: bytes that TFLM's arena may take with encoded weights.
        method: `minmax`, `percentile`, `mse` or `entropy`.
        ranges: name of a layer (its output), an input, an output or a tensor -> (minimum, maximum), known already.
        weight_scales: kernel name (`conv2d_3/kernel`) -> scales that broadcast against the Keras kernel and that its
            integers must have; known already.
        keep_float: keep the float32 file that an integer file was made from, as `Conversion.float_flatbuffer`.
        samples: how many samples of a data file or Task to calibrate on.
        scale: how the images of a data file become the model's units.
        seed: draws the samples from the training part of a data file or Task.
        label: label column of a `.csv`.
        allow_code: let a model file run its own code.
        allow_unusual_data: accept calibration data that look wrongly scaled.
        progress: called with stage, done, total.

    Raises:
        CompressionError: the message says what came, what was expected and what to do.
    """
    check_choice(if_too_large)
    who, device = aimed(runtime, target)
    packing: dict[str, Any] = {"shrink": shrink, "decode": decode, "max_arena": max_arena}
    data = {"path": str(calibration), "samples": samples, "scale": scale, "seed": seed, "label": label}
    if isinstance(model, FlatBuffer) or (isinstance(model, (str, Path)) and _is_tflite(Path(model))):
        asked: dict[str, Any] = {"dtype": dtype, "io": io, "dense": dense, "ranges": ranges}
        asked |= {"weight_scales": weight_scales, "method": None if method == "minmax" else method}
        asked |= {"quantizer": None if quantizer == "tflite" else quantizer}
        if given := [name for name, value in asked.items() if value is not None]:
            raise UsageError(f"a .tflite keeps its types, and {given[0]} was given; leave it out, or give the model")
        packed_file = repack(model, who, packing, calibration, data, target=device, progress=progress)
        return require(packed_file, if_too_large)
    spec = who.spec(dtype=dtype or "int8", io=io, quantizer=quantizer, dense=dense, **packing)
    calibrating = Calibrating(method, ranges, allow_unusual_data, weight_scales, keep_float)
    calibration = _checked(calibration, spec, calibrating, scale)
    # Packing comes last, as it may be tried in several forms.
    bare = replace(spec, shrink=False, decode=(), max_arena=None)
    made = _unpacked(model, bare, calibration, data, calibrating, allow_code=allow_code, progress=progress)
    result = placed(lambda form: packed(made, form, progress=progress), spec, device, decode=decode, progress=progress)
    return require(result, if_too_large)


def _checked(calibration: Any, spec: ConversionSpec, calibrating: Calibrating, scale: str) -> Any:
    """The calibration data, if they are there and go with what is asked for; None where nothing is to calibrate."""
    if spec.is_integer and calibration is None:
        raise UsageError(
            f"{spec.dtype} needs calibration data: give --calibration DATA (some hundred training inputs), "
            "or ask for --dtype dynamic or float16, which need none"
        )
    if isinstance(calibration, (str, Path)):
        task.check_there(str(calibration))
    if not spec.is_integer and (calibrating.method != "minmax" or calibrating.ranges or calibrating.weight_scales):
        raise UsageError(f"{spec.dtype} has no integers; method, ranges and weight_scales are for int8 and int16x8")
    if not spec.is_integer:
        return None  # a call may keep its data while it tries types
    if scale != "none" and not isinstance(calibration, (str, Path)):
        raise UsageError(f"scale {scale!r} is for data files; scale the arrays yourself, to the model's units")
    return calibration


def _unpacked(
    model: Any,
    spec: ConversionSpec,
    calibration: Any,
    data: Mapping[str, Any],
    calibrating: Calibrating,
    *,
    allow_code: bool,
    progress: child.Progress,
) -> Conversion:
    """The certified file, with everything in it."""
    data_file = isinstance(calibration, (str, Path))
    if data_file and isinstance(model, (str, Path)):
        made = child.call(
            "tfcompress.conversion:convert_file_here",
            *(str(model), allow_code, spec.as_dict(), dict(data), calibrating.as_plain()),
            what="converting the model",
            limits=LIMITS,
            progress=progress,
        )
        return finish(made, spec)
    if data_file:
        calibration = _load(data, inputs_of(model) if is_keras(model) else ())
    elif hasattr(calibration, "calibration_samples"):
        calibration = calibration.calibration_samples(data["samples"], seed=data["seed"])
    return convert_model(model, spec, calibration, calibrating=calibrating, allow_code=allow_code, progress=progress)


def _is_tflite(path: Path) -> bool:
    """By its content; by its name where that is said to be one, and reading it tells what is wrong."""
    return FlatBuffer.is_one(path) or (path.suffix == ".tflite" and not path.is_dir())


def convert_file_here(
    model: str,
    allow_code: bool,
    spec: Mapping[str, Any],
    data: Mapping[str, Any],
    calibrating: Mapping[str, Any],
    *,
    progress: child.Progress,
) -> dict[str, Any]:
    """Converts a model file with a data file, both opened in this (child) process."""

    def samples(inputs: Sequence[Any]) -> Any:
        progress("loading calibration data", 0, 0)
        return _load(data, inputs)

    return convert_model_file_here(model, allow_code, spec, samples, calibrating, progress=progress)


def _load(data: Mapping[str, Any], inputs: Sequence[Any]) -> Any:
    image_size = tuple(inputs[0].shape) if len(inputs) == 1 and len(inputs[0].shape) == 3 else None
    # The split keeps its own seed, so that `evaluate` never scores what was calibrated on.
    loaded = task.load(data["path"], scale=data["scale"], label=data["label"], image_size=image_size, parts=("train",))
    return loaded.calibration_samples(data["samples"], seed=data["seed"])

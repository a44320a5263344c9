"""The converter stage: any Keras model, SavedModel or model file in, verified `.tflite` bytes out.

    flatbuffer = convert(model, ConversionSpec(), samples).flatbuffer

TensorFlow's converter may crash, so it runs in a child process. A model that is an object in this process is traced
here and crosses as a frozen graph; a model file is opened in the child only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from converters import child, memory
from converters.errors import CertificateError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.packing import SAMPLES, Facts, pack
from converters.spec import ConversionSpec, InputSpec
from converters.verify import SMALL_WEIGHT, Certificate, verify

Ranges = Mapping[str, tuple[float, float]]
WeightScales = Mapping[str, Any]
LIMITS = child.Limits(seconds=3600.0)


@dataclass(frozen=True)
class Calibrating:
    """How activation ranges are chosen.

    Attributes:
        method: one of `converters.calibration.METHODS`.
        ranges: name of a layer (its output), an input, an output or a tensor -> (minimum, maximum): ranges that are
            known already and win over measured ones; see `converters.layer_ranges`.
        allow_unusual: accept samples that cannot have been scaled as the model expects.
        weight_scales: kernel name (`conv2d_3/kernel`) -> the scales that its integers must have; see
            `converters.weight_scales`.
        keep_float: whether the float file that an integer file was made from is kept, to compare layers with.
    """

    method: str = "minmax"
    ranges: Ranges | None = None
    allow_unusual: bool = False
    weight_scales: WeightScales | None = None
    keep_float: bool = False

    def as_plain(self) -> dict[str, Any]:
        """The fields as values that can cross to a child process."""
        import numpy as np

        ranges = {str(name): (float(low), float(high)) for name, (low, high) in (self.ranges or {}).items()}
        scales = {str(name): np.asarray(scale, np.float32) for name, scale in (self.weight_scales or {}).items()}
        return {**vars(self), "ranges": ranges, "weight_scales": scales}


@dataclass(frozen=True)
class Conversion:
    """What a conversion made.

    Attributes:
        flatbuffer: the finished file.
        certificate: what was proven about it.
        float_bytes: size of the float32 file that an integer file was made from, in bytes; None for other files.
        notes: what the user should know: unrolled layers, unusual data, a file that grew.
        float_flatbuffer: that float32 file itself, if `Calibrating.keep_float` asked for it.
        samples: some of the calibration data, in the model's own units by input name, to compare packed files on.
        packing: what packing saved; None for a file that was not packed.
        unpacked: the file before packing, with the names of its tensors inside; None for a file that was not packed.
    """

    flatbuffer: FlatBuffer
    certificate: Certificate
    float_bytes: int | None
    notes: tuple[str, ...]
    float_flatbuffer: FlatBuffer | None = None
    samples: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
    packing: Facts | None = None
    unpacked: FlatBuffer | None = None

    @property
    def named(self) -> FlatBuffer:
        """The same model with the names of all tensors in the bytes, for what finds layers by them."""
        return self.unpacked or self.flatbuffer


def convert(
    model: Any,
    spec: ConversionSpec,
    samples: Any = None,
    *,
    calibrating: Calibrating | None = None,
    allow_code: bool = False,
    limits: child.Limits = LIMITS,
    progress: child.Progress = child.no_progress,
) -> Conversion:
    """Converts a model to `.tflite` and proves that the file is what was asked for.

    Args:
        model: a Keras 3 or tf_keras model, or the path of a `.keras`, `.h5` or SavedModel.
        spec: what the file must be.
        samples: calibration data for an integer file: an array `[n, ...]`, one per input by name or in order, or
            an iterable of samples; in the float model's own units.
        calibrating: how ranges are chosen.
        allow_code: let a model file run its own code (Lambda layers, file operators).
        limits: time and memory of the converting process.
        progress: called with stage, done, total.

    Returns:
        The finished file with its certificate.

    Raises:
        CompressionError: the model, the data or the request is at fault; the message says what to do.
        CertificateError: the finished file is not what was asked for.
        ChildDiedError: TensorFlow crashed or ran out of time or memory.
    """
    calibrating = calibrating or Calibrating()
    options = [spec.as_dict(), _plain(samples), calibrating.as_plain()]
    if isinstance(model, (str, Path)):
        arguments = ["converters.conversion:convert_file_here", str(model), allow_code, *options]
    else:
        graph = _freeze(model, spec)
        arguments = ["converters.conversion:convert_graph_here", asdict(graph), *options]
    made = child.call(*arguments, what="converting the model", limits=limits, progress=progress)
    return packed(finish(made, spec), spec, progress=progress)


def finish(made: Mapping[str, Any], spec: ConversionSpec) -> Conversion:
    """Reads and certifies what the child made, in the parent.

    Raises:
        CertificateError: the file is not what was asked for.
    """
    flatbuffer = FlatBuffer(made["data"], made.get("names"))
    try:
        certificate = verify(flatbuffer, spec)
    except CertificateError as error:
        if spec.quantizer != "litert":
            raise
        message = f"{error} (made by LiteRT Quantizer, which leaves some operators in float: try --quantizer tflite)"
        raise CertificateError(message, details=error.details) from error
    notes = list(made["notes"])
    if made["float_bytes"] and len(flatbuffer.data) >= made["float_bytes"]:
        notes.append(
            f"the {spec.dtype} file ({len(flatbuffer.data):,} bytes) is not smaller than the float32 one "
            f"({made['float_bytes']:,} bytes): the weights are few, and the rest of the file outweighs them"
        )
    if spec.dtype == "dynamic":
        notes += _nothing_quantized(flatbuffer)
    kept = FlatBuffer(made["float_file"]) if made["float_file"] else None
    return Conversion(flatbuffer, certificate, made["float_bytes"], tuple(notes), kept, made["samples"])


def _nothing_quantized(flatbuffer: FlatBuffer) -> list[str]:
    stored = [tensor for graph in flatbuffer.graphs for tensor in graph.tensors if tensor.is_constant]
    if any(tensor.is_quantized for tensor in stored):
        return []
    why = "none of its operators takes 8-bit weights beside float activations"
    if all(tensor.elements < SMALL_WEIGHT for tensor in stored if tensor.is_float):
        why = f"the converter leaves weights of fewer than {SMALL_WEIGHT:,} values in float, and it has no larger ones"
    return [f"nothing of this model was quantized: {why}; the file is its float32 one"]


def packed(conversion: Conversion, spec: ConversionSpec, *, progress: child.Progress = child.no_progress) -> Conversion:
    """The conversion with its file as small as the runtime takes it, if `spec` asks for that; certified again.

    Raises:
        CompressionError: as `converters.packing.pack` says.
    """
    result = pack(conversion.flatbuffer, spec, conversion.samples, progress=progress)
    if result.facts is None:
        return conversion
    return replace(
        conversion,
        flatbuffer=result.flatbuffer,
        certificate=verify(result.flatbuffer, spec),
        notes=(*conversion.notes, *result.notes),
        packing=result.facts,
        unpacked=conversion.flatbuffer,
    )


def rename_outputs(conversion: Conversion, names: Mapping[str, str]) -> Conversion:
    """The same conversion with other names for outputs of its file: name -> another one; the rest keep theirs."""
    from converters import tflite

    if all(name == other for name, other in names.items()):
        return conversion
    return replace(conversion, flatbuffer=FlatBuffer(tflite.finish(conversion.flatbuffer.data, names)))


# --- in the child -----------------------------------------------------------------------------------------------


def convert_file_here(
    path: str,
    allow_code: bool,
    spec: Mapping[str, Any],
    samples: Any,
    calibrating: Mapping[str, Any],
    *,
    progress: child.Progress,
) -> dict[str, Any]:
    """Converts a model file in this process; see `convert`. `samples` may also be a function of the model's inputs."""
    from converters.keras_models import load, safety

    progress("loading the model", 0, 0)
    checked = safety.check(Path(path), allow_code=allow_code)
    asked = ConversionSpec(**spec)
    if checked.kind == "tflite":
        raise UsageError(f"{path} is a .tflite already; convert takes a .keras, .h5 or SavedModel")
    graph = _freeze(load.load(checked, allow_code=allow_code, need_layers=False), asked)
    memory.release()
    return _convert_here(graph, asked, samples, Calibrating(**calibrating), progress)


def convert_graph_here(
    graph: Mapping[str, Any],
    spec: Mapping[str, Any],
    samples: Any,
    calibrating: Mapping[str, Any],
    *,
    progress: child.Progress,
) -> dict[str, Any]:
    """Converts a frozen graph in this process; see `convert`."""
    from converters.keras_models.tracing import FrozenGraph

    inputs = tuple(InputSpec(**port) for port in graph["inputs"])
    frozen = FrozenGraph(**{**graph, "inputs": inputs})
    return _convert_here(frozen, ConversionSpec(**spec), samples, Calibrating(**calibrating), progress)


def _freeze(model: Any, spec: ConversionSpec) -> Any:
    from converters.keras_models import load, tracing

    if tracing.is_keras(model):
        return tracing.freeze_keras(model, unroll=spec.is_integer)
    if isinstance(model, load.LoadedSavedModel):
        return tracing.freeze_signature(model.function, model.inputs, model.outputs)
    raise UsageError(
        f"a model of type {type(model).__name__} came; expected a Keras 3 or tf_keras model, or the path of one"
    )


def _convert_here(
    graph: Any, spec: ConversionSpec, samples: Any, calibrating: Calibrating, progress: child.Progress
) -> dict[str, Any]:
    from converters import calibration, layer_ranges, tflite, weight_scales

    progress("converting to a float file", 0, 0)
    if not spec.is_integer:
        data = tflite.finish(tflite.float_file(graph, dtype=spec.dtype, dense=spec.dense))
        return {"data": data, "float_bytes": None, "notes": list(graph.notes), "float_file": None, "samples": None}
    float_model = tflite.float_file(graph, for_integers=True)
    memory.release()
    if callable(samples):
        samples = samples(graph.inputs)
    notes = list(graph.notes)
    allow = calibrating.allow_unusual
    checked = calibration.check(samples, graph.inputs, allow_unusual=allow, notes=notes)
    calibration.check_range(graph, checked, allow_unusual=allow, notes=notes)
    bits = 16 if spec.dtype == "int16x8" else 8
    measured = calibration.collect(float_model, checked, method=calibrating.method, bits=bits, progress=progress)
    progress("quantizing", 0, 0)
    known = layer_ranges.by_tensor(float_model, calibrating.ranges or {})
    data = tflite.quantize(float_model, {**measured, **known}, spec)
    if calibrating.weight_scales:
        data = weight_scales.apply(data, float_model, calibrating.weight_scales)
    kept = float_model if calibrating.keep_float else None
    few = {name: array[:SAMPLES] for name, array in checked.items()}
    return {
        "data": tflite.finish(data),
        "float_bytes": len(float_model),
        "notes": notes,
        "float_file": kept,
        "samples": few,
    }


def _plain(samples: Any) -> Any:
    """Samples as arrays that can cross to the child: a generator is read as far as calibration would read it."""
    import numpy as np

    from converters.calibration.samples import MAXIMUM_BYTES, MAXIMUM_SAMPLES

    if callable(samples):
        samples = samples()
    if samples is None or isinstance(samples, np.ndarray):
        return samples
    if isinstance(samples, Mapping):
        return {str(name): np.asarray(value) for name, value in samples.items()}
    if not isinstance(samples, Iterable):
        raise UsageError(f"calibration data of type {type(samples).__name__} came; expected arrays or samples")
    plain: list[Any] = []
    size = 0
    for sample in samples:
        plain.append(_plain_sample(sample))
        size += _bytes_of(plain[-1])
        # One more than the child will read, so that it can say that it left the rest.
        if len(plain) > MAXIMUM_SAMPLES or size > MAXIMUM_BYTES:
            break
    return tuple(plain) if isinstance(samples, tuple) else plain


def _plain_sample(sample: Any) -> Any:
    import numpy as np

    if isinstance(sample, Mapping):
        return {str(name): np.asarray(value) for name, value in sample.items()}
    if isinstance(sample, tuple):
        return tuple(np.asarray(value) for value in sample)
    if isinstance(sample, list) and any(hasattr(value, "__array__") for value in sample):
        return [np.asarray(value) for value in sample]
    return np.asarray(sample)


def _bytes_of(sample: Any) -> int:
    if isinstance(sample, Mapping):
        return sum(int(value.nbytes) for value in sample.values())
    return sum(int(value.nbytes) for value in sample) if isinstance(sample, (list, tuple)) else int(sample.nbytes)

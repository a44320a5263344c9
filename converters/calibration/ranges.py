"""What range each activation takes, measured by running the float file on calibration data.

    samples = calibration.check(data, inputs)                              refuses what cannot be meant for the model
    calibration.check_range(graph, samples)                                asks the model whether the scale is right
    ranges = calibration.collect(float_model, samples, method="entropy")   {tensor name: (min, max)}
    calibrated = calibration.apply_ranges(float_model, ranges)             the same file with the ranges written in

`calibrated` is what `tensorflow.lite.python.convert.mlir_quantize` reads; LiteRT Quantizer takes `ranges` itself.

Every range holds 0, since an integer grid must represent it exactly. A tensor that was 0 throughout gets 0..1, as
any scale serves it, and one that is too small breaks the scale of the bias behind it. Outputs of SOFTMAX, LOGISTIC,
TANH and L2_NORMALIZATION are measured like all others, and their ranges are then overruled by the quantizer: the
kernels fix them (https://www.tensorflow.org/lite/performance/quantization_spec).

This runs native code on a model: call it in a child process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from converters.calibration.histogram import Histogram, Range, entropy_range, mse_range, percentile_range
from converters.child import Progress, no_progress
from converters.errors import ConversionError, DataError, UsageError, first_line
from converters.flatbuffer import objects

Array = npt.NDArray[Any]
Method = Literal["minmax", "percentile", "mse", "entropy"]
METHODS: tuple[str, ...] = get_args(Method)

DEFAULT_PERCENTILE = 99.99
# The range of a tensor that was 0 throughout; see the module docstring.
_RANGE_OF_ZEROS = (0.0, 1.0)


def collect(
    float_model: bytes,
    samples: Mapping[str, Array],
    *,
    method: str = "minmax",
    percentile: float = DEFAULT_PERCENTILE,
    bits: int = 8,
    threads: int = 2,
    progress: Progress = no_progress,
) -> dict[str, Range]:
    """The range of every float tensor of the main graph that is not constant.

    Every such tensor is made an output of the file, so that LiteRT may compute it with XNNPACK: three to four times
    faster than its built-in kernels, with `preserve_all_tensors`, on MobileNetV2. Nothing is kept of the activations:
    memory is that of one inference, and 64 KiB per tensor for histograms.

    Args:
        float_model: a float `.tflite` file of batch 1, made by us: it is believed.
        samples: from `check`; its keys are the names of the file's signature or inputs, or its order is theirs.
        method: `minmax`; `percentile` (see `histogram.percentile_range`), `mse` (`histogram.mse_range`) or `entropy`
            (`histogram.entropy_range`), which trade rare large values for a finer step.
        percentile: for that method: the share of values, in percent, that is kept.
        bits: width of the integers that the ranges are for; `mse` and `entropy` depend on it.
        threads: threads of the interpreter.
        progress: told after each sample.

    Returns:
        Tensor name -> (min, max), min <= 0 <= max, min < max.

    Raises:
        UsageError: an unknown method, or a percentile outside 50..100.
        DataError: samples that are not the model's inputs, or that drive a tensor to infinity or NaN.
        ConversionError: LiteRT cannot run the file.
    """
    if method not in METHODS:
        raise UsageError(f"calibration method is {method!r}; expected one of {', '.join(METHODS)}")
    if not 50.0 <= percentile <= 100.0:
        raise UsageError(f"percentile is {percentile:g}; expected 50 to 100, such as {DEFAULT_PERCENTILE}")
    model = objects.unpack(float_model)
    feeds = _feeds(model, samples)
    observed = _observed(model)
    names = [_name(model.subgraphs[0].tensors[index]) for index in observed]
    runs = _run(model, feeds, observed, threads=threads)
    count = len(next(iter(feeds.values())))
    if method == "minmax":
        found = _extremes(runs, names, count, progress)
    else:
        found = _histogram_ranges(runs, names, count, _reader(method, percentile, bits), progress)
    ranges: dict[str, Range] = {}
    for name, (low, high) in zip(names, found, strict=True):
        before = ranges.get(name, (0.0, 0.0))  # 0 belongs to every range; tensors of one name share theirs
        ranges[name] = (min(low, before[0]), max(high, before[1]))
    return {name: pair if pair[0] < pair[1] else _RANGE_OF_ZEROS for name, pair in ranges.items()}


def apply_ranges(float_model: bytes, ranges: Mapping[str, Range]) -> bytes:
    """The same file with `quantization.min` and `.max` of each named tensor set, which is how a quantizer reads ranges.

    Raises:
        ConversionError: a range for a tensor that the file has not, or one without 0 or without width.
    """
    from ai_edge_litert.schema_py_generated import QuantizationParametersT

    model = objects.unpack(float_model)
    unknown = set(ranges)
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high) and low <= 0.0 <= high and low < high):
            raise ConversionError(f"the range of tensor {name} is {low:g}..{high:g}; expected numbers around 0")
    for tensor in model.subgraphs[0].tensors:
        name = _name(tensor)
        if name in ranges:
            unknown.discard(name)
            quantization = tensor.quantization or QuantizationParametersT()
            quantization.min, quantization.max = [ranges[name][0]], [ranges[name][1]]
            tensor.quantization = quantization
    if unknown:
        raise ConversionError(
            f"a range is given for the tensor {sorted(unknown)[0]}, which the float file has not; "
            "collect the ranges from this very file"
        )
    return objects.pack(model)


# --- running ----------------------------------------------------------------------------------------------------

# One sample's activations: position in the list of observed tensors, and a flat view that is valid until the next.
Activations = Iterator[tuple[int, Array]]


def _run(model: Any, feeds: Mapping[int, Array], observed: list[int], *, threads: int) -> Iterator[Activations]:
    from ai_edge_litert.interpreter import Interpreter

    graph = model.subgraphs[0]
    graph.outputs = [index for index in observed if index not in set(graph.inputs)]
    # A signature names its outputs by position.
    model.signatureDefs = []
    try:
        interpreter = Interpreter(model_content=objects.pack(model), num_threads=threads)
        interpreter.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ConversionError(f"the float file cannot be run for calibration: {first_line(error)}") from error
    views = [interpreter.tensor(index) for index in observed]

    def activations() -> Activations:
        for position, view in enumerate(views):
            # The interpreter refuses to run while a view of its memory is alive; the consumer drops it.
            yield position, view().reshape(-1)

    for sample in range(len(next(iter(feeds.values())))):
        try:
            for index, array in feeds.items():
                interpreter.set_tensor(index, array[sample : sample + 1])
            interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ConversionError(f"the float file failed on sample {sample}: {first_line(error)}") from error
        yield activations()


def _extremes(runs: Iterator[Activations], names: list[str], count: int, progress: Progress) -> list[Range]:
    lows = np.zeros(len(names), np.float32)
    highs = np.zeros(len(names), np.float32)
    for sample, activations in enumerate(runs):
        for position, values in activations:
            lows[position] = np.minimum(lows[position], values.min())
            highs[position] = np.maximum(highs[position], values.max())
            del values
        if not (np.isfinite(lows).all() and np.isfinite(highs).all()):
            _refuse_infinite(names[int(np.argmin(np.isfinite(lows) & np.isfinite(highs)))], sample)
        progress("calibrating", sample + 1, count)
    return [(float(low), float(high)) for low, high in zip(lows, highs, strict=True)]


def _histogram_ranges(
    runs: Iterator[Activations], names: list[str], count: int, reader: Any, progress: Progress
) -> list[Range]:
    histograms = [Histogram() for _ in names]
    for sample, activations in enumerate(runs):
        for position, values in activations:
            low, high = float(values.min()), float(values.max())
            if not (np.isfinite(low) and np.isfinite(high)):
                _refuse_infinite(names[position], sample)
            histograms[position].add(values, low, high)
            del values
        progress("calibrating", sample + 1, count)
    return [reader(histogram) for histogram in histograms]


def _reader(method: str, percentile: float, bits: int) -> Any:
    if method == "percentile":
        return lambda histogram: percentile_range(histogram, percentile)
    if method == "mse":
        return lambda histogram: mse_range(histogram, bits)
    return lambda histogram: entropy_range(histogram, bits)


def _refuse_infinite(name: str, sample: int) -> None:
    raise DataError(
        f"the float model gives NaN or infinity in tensor {name} for calibration sample {sample}, which no integer can "
        "hold; check that sample and the model's weights (a mask of -inf: use -1e4)"
    )


# --- the file ---------------------------------------------------------------------------------------------------


# The generated schema and the interpreter are imported where they are used: commands read METHODS from this file.
def _name(tensor: Any) -> str:
    return tensor.name.decode() if tensor.name else ""


def _observed(model: Any) -> list[int]:
    """Float tensors of the main graph that an operator or the caller fills, in file order."""
    from ai_edge_litert.schema_py_generated import TensorType

    graph = model.subgraphs[0]
    filled = {int(index) for operator in graph.operators for index in operator.outputs}
    filled |= {int(index) for index in graph.inputs}
    return [
        index
        for index, tensor in enumerate(graph.tensors)
        if index in filled
        and tensor.type == TensorType.FLOAT32
        and not tensor.isVariable
        and np.prod(tensor.shape if tensor.shape is not None else [1]) > 0
    ]


def _feeds(model: Any, samples: Mapping[str, Array]) -> dict[int, Array]:
    """The samples by index of input tensor."""
    graph = model.subgraphs[0]
    by_name = {_name(graph.tensors[index]): int(index) for index in graph.inputs}
    for signature in model.signatureDefs or []:
        if not signature.subgraphIndex:
            by_name |= {entry.name.decode(): int(entry.tensorIndex) for entry in signature.inputs}
    if len(samples) != len(graph.inputs):
        raise DataError(f"there are samples for {len(samples)} inputs, the float file has {len(graph.inputs)}")
    if set(samples) <= set(by_name):
        feeds = {by_name[name]: array for name, array in samples.items()}
    else:
        feeds = {int(index): array for index, array in zip(graph.inputs, samples.values(), strict=True)}
    for index, array in feeds.items():
        shape = tuple(int(size) for size in graph.tensors[index].shape)
        if (1, *array.shape[1:]) != shape:
            raise DataError(
                f"samples for the float file's input {_name(graph.tensors[index])} have shape {array.shape}, "
                f"expected (n, {', '.join(map(str, shape[1:]))}); pass them in the order of the file's inputs"
            )
    return feeds

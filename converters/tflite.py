"""A frozen graph and ranges become `.tflite` bytes; the only file that calls TFLiteConverter or LiteRT Quantizer.

    float file  = float_file(graph, dtype="float32")         TFLiteConverter, names as in converters.naming
    integers    = quantize(float file, ranges, spec)         either quantizer, from the same ranges

Both quantizers receive the ranges as data, so calibration is this project's own (converters.calibration) and the two
can be compared. TFLiteConverter offers no public way to hand over ranges; three private functions of TensorFlow are
called here and nowhere else, under a check of its version.
"""

from __future__ import annotations

from collections.abc import Mapping

from converters import rewrites
from converters.calibration import apply_ranges
from converters.errors import ConversionError, NotAvailableError
from converters.flatbuffer import objects
from converters.keras_models.tracing import FrozenGraph, thaw
from converters.naming import layers_in_text, name_outputs, name_tensors
from converters.spec import ConversionSpec

_TENSORFLOW_TRIED = ("2.21.",)
# The MLIR quantizer visits operators in the order of their addresses, and in about half the runs that order leaves a
# SPLIT in float between DEQUANTIZE and QUANTIZE (an unrolled GRU: 5 of 12 runs were right, and those were equal byte
# for byte). Another run of the same input has another order.
_TRIES = 20
Ranges = Mapping[str, tuple[float, float]]


def float_file(
    graph: FrozenGraph, *, dtype: str = "float32", dense: str = "per-channel", for_integers: bool = False
) -> bytes:
    """Converts a graph with TFLiteConverter, without integer arithmetic.

    Args:
        graph: a frozen graph of static batch 1.
        dtype: `float32`; `float16` (weights in half precision) or `dynamic` (int8 weights, float activations).
        dense: of a dynamic file, whether Dense weights have a scale `per-channel` or one `per-tensor`.
        for_integers: the file will be quantized; see `converters.rewrites`.

    Raises:
        ConversionError: an operation has no TFLite counterpart; names the Keras layer.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([thaw(graph)], None)
    converter.experimental_lower_to_saved_model = False
    if dtype != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if dtype == "float16":
        converter.target_spec.supported_types = [tf.float16]
    # Runtimes before TensorFlow 2.17 have no FULLY_CONNECTED of floats with int8 weights of several scales.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = dense == "per-tensor"
    try:
        data = converter.convert()
    except Exception as error:  # the converter raises many types; each becomes one line that names the layer
        raise _conversion_error(error, graph.layers) from error
    model = objects.unpack(data)
    if for_integers:
        rewrites.for_integers(model)
    name_tensors(model, graph)
    return objects.pack(model)


def quantize(float_model: bytes, ranges: Ranges, spec: ConversionSpec) -> bytes:
    """Makes an integer file from a float file and the ranges of its tensors.

    Args:
        float_model: what `float_file` returned.
        ranges: tensor name -> (minimum, maximum), in the float model's units, for every activation.
        spec: int8 or int16x8, the io type, the Dense granularity, and which quantizer.

    Raises:
        ConversionError: the quantizer refused, or this TensorFlow is not one that was tried.
        NotAvailableError: LiteRT Quantizer was asked for and is not installed.
    """
    ranged = apply_ranges(float_model, ranges)  # which refuses what is no range of this file
    if spec.quantizer == "litert":
        return _quantize_with_litert(float_model, ranges, spec)
    _check_tensorflow()
    try:
        return _quantize_int8(ranged, spec) if spec.dtype == "int8" else _quantize_int16(ranged, spec)
    except (RuntimeError, ValueError) as error:
        raise ConversionError(
            f"the quantizer refused this model: {_first_line(error)}; find the layer with --dtype float32 and "
            "`tfcompress inspect`, or try --quantizer litert"
        ) from error


def _quantize_int8(ranged: bytes, spec: ConversionSpec) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python.convert import mlir_quantize

    io_type = getattr(tf, spec.io_dtype)
    data = b""
    for _ in range(_TRIES):
        data = mlir_quantize(
            ranged,
            input_data_type=io_type,
            output_data_type=io_type,
            disable_per_channel_for_dense_layers=spec.dense == "per-tensor",
        )
        if not _leaves_split_in_float(data):
            break
    return data


def _leaves_split_in_float(data: bytes) -> bool:
    from ai_edge_litert import schema_py_generated as schema

    model = objects.unpack(data)
    splits = (schema.BuiltinOperator.SPLIT, schema.BuiltinOperator.SPLIT_V)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return any(
        codes[operator.opcodeIndex] in splits and graph.tensors[operator.outputs[0]].type == schema.TensorType.FLOAT32
        for graph in model.subgraphs
        for operator in graph.operators
    )


def _quantize_int16(ranged: bytes, spec: ConversionSpec) -> bytes:
    import numpy as np
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    # TFLiteConverter itself uses this older quantizer for 16-bit activations (lite.py, `_quantize`). Unfed, it takes
    # the ranges that are in the file. It cannot leave a float operator: `False` below makes that an error.
    calibrator = Calibrator(ranged)._calibrator
    calibrator.Prepare()
    number = {name: np.dtype(name).num for name in ("int16", "int64", "float32")}
    io_type = number[spec.io_dtype]
    per_tensor_dense = spec.dense == "per-tensor"
    data: bytes = calibrator.QuantizeModel(
        io_type, io_type, False, number["int16"], number["int64"], False, per_tensor_dense
    )
    return data


def _quantize_with_litert(float_model: bytes, ranges: Ranges, spec: ConversionSpec) -> bytes:
    try:
        from litert_quantizer import qtyping, quantizer, recipe
    except ImportError as error:
        raise NotAvailableError(
            "LiteRT Quantizer is not installed; pip install 'tfcompress[quantizer]', or leave --quantizer out"
        ) from error
    import numpy as np

    made = recipe.static_wi8_ai8() if spec.dtype == "int8" else recipe.static_wi8_ai16()
    worker = quantizer.Quantizer(bytearray(float_model), made)
    operation = qtyping.TFLOperationName
    if spec.dense == "per-tensor":
        bits = 8 if spec.dtype == "int8" else 16
        worker.add_static_config(".*", operation.FULLY_CONNECTED, bits, 8, qtyping.QuantGranularity.TENSORWISE)
    if spec.io_dtype not in ("int8", "int16"):
        for name in (operation.INPUT, operation.OUTPUT):
            worker.update_quantization_recipe(
                ".*", name, algorithm_key=quantizer.algorithm_manager.AlgorithmName.NO_QUANTIZE
            )
    statistics = {name: {"min": np.float32(low), "max": np.float32(high)} for name, (low, high) in ranges.items()}
    try:
        data = bytes(worker.quantize(statistics, enable_progress_report=False).quantized_model)
    except (RuntimeError, ValueError, KeyError, NotImplementedError) as error:
        raise ConversionError(
            f"LiteRT Quantizer refused this model: {_first_line(error)}; leave --quantizer out to use the other one"
        ) from error
    return _with_unsigned_io(data) if spec.io_dtype == "uint8" else data


def _with_unsigned_io(data: bytes) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.python.util import modify_model_io_type

    changed: bytes = modify_model_io_type(data, tf.uint8, tf.uint8)
    return changed


def _check_tensorflow() -> None:
    import tensorflow as tf

    if not tf.__version__.startswith(_TENSORFLOW_TRIED):
        raise ConversionError(
            f"TensorFlow {tf.__version__} is installed; its private quantization calls were tried with "
            f"{', '.join(version + 'x' for version in _TENSORFLOW_TRIED)} only: install that, or use --quantizer litert"
        )


def _conversion_error(error: Exception, layers: tuple[str, ...]) -> ConversionError:
    # TFLiteConverter's own errors carry a list of structured complaints (converter_error_data.proto).
    complaints = getattr(error, "errors", [])
    operators = dict.fromkeys(complaint.operator.name for complaint in complaints if complaint.operator.name)
    places = " ".join(call.name for complaint in complaints for call in complaint.location.call)
    named = layers_in_text(places, layers)
    where = f" (Keras layer {', '.join(repr(name) for name in named[:3])})" if named else ""
    what = f"TFLite has no operator for {', '.join(list(operators)[:3])}" if operators else _first_line(error)
    return ConversionError(
        f"the model cannot be converted: {what}{where}; replace it by layers that TFLite has", details=str(error)
    )


def _first_line(error: Exception | str) -> str:
    lines = str(error).strip().splitlines() or ["no reason given"]
    return lines[0][:300]


def finish(data: bytes, renamed: Mapping[str, str] | None = None) -> bytes:
    """The same file with its outputs named as the model names them, or `renamed`: the model's name -> another."""
    model = objects.unpack(data)
    name_outputs(model, renamed)
    return objects.pack(model)

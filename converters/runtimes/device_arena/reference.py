"""Scratch memory of TFLM's reference kernels: what each operator asks for when it is prepared, in bytes.

Source: RequestScratchBufferInArena in tensorflow/lite/micro/kernels/*.cc, named beside each. Operators that are not
here ask for none.
"""

from __future__ import annotations

from collections.abc import Callable

from converters.runtimes.device_arena.layer import Layer, value_bytes

Sizes = tuple[int, ...]
_INT = 4


def scratch(layer: Layer, pointer: int) -> Sizes:
    """The buffers of one operator, in the order of its requests.

    Args:
        layer: the operator.
        pointer: bytes of a pointer.
    """
    if layer.name == "ADD_N":
        # add_n.cc: an array of pointers to the inputs.
        return (pointer * len(layer.inputs),) if layer.outputs[0].dtype in ("float32", "int8") else ()
    rule = _RULES.get(layer.name)
    return rule(layer) if rule else ()


def unpacked_filter(layer: Layer) -> Sizes:
    """conv_common.cc, depthwise_conv_common.cc, fully_connected.cc: int4 weights are unpacked before the run."""
    weight = layer.tensor(1)
    return (weight.elements,) if weight.dtype == "int4" else ()


def svdf(layer: Layer) -> Sizes:
    """svdf_common.cc (PrepareSvdf): sums of the filters; of integers also those of the units."""
    batches, filters = layer.tensor(0).shape[0], layer.tensor(1).shape[0]
    sums = batches * filters * _INT
    if layer.dtype == "float32":
        return (sums,)
    units = filters // max(int(layer.option("rank")), 1)
    return sums, batches * units * _INT


def lstm(layer: Layer, buffers: int = 4) -> Sizes:
    """unidirectional_sequence_lstm.cc: gates, each of the cell state's type."""
    batches = layer.tensor(0).shape[1 if layer.option("time_major", False) else 0]
    # kLstmOutputStateTensor, kLstmCellStateTensor (lstm_shared.h)
    hidden, cell = layer.tensor(18).shape[1], layer.tensor(19)
    return (batches * hidden * value_bytes(cell),) * buffers


def bias_of_transposed(layer: Layer) -> Sizes:
    """transpose_conv.cc (CalculateOpData): a 16-bit bias is widened."""
    bias = layer.optional(3)
    return (bias.elements * 8,) if bias is not None and bias.dtype == "int16" and layer.dtype == "int16" else ()


def transposed(layer: Layer) -> Sizes:
    """transpose_conv.cc: sums of all outputs, 32 or 64 bits each."""
    width = {"int8": 4, "int16": 8}.get(layer.dtype)
    return bias_of_transposed(layer) + ((layer.outputs[0].elements * width,) if width else ())


def _mirror_pad(layer: Layer) -> Sizes:
    """mirror_pad.cc: elements per axis of output and input."""
    return (layer.rank * _INT,) * 2


def _mean_or_sum(layer: Layer) -> Sizes:
    """reduce_common.cc (PrepareMeanOrSumHelper): sums of integers, then as `_extreme`."""
    sums = (layer.outputs[0].elements * _INT,) if layer.dtype in ("int8", "int16") else ()
    return sums + _extreme(layer)


def _extreme(layer: Layer) -> Sizes:
    """reduce_common.cc (PrepareMinMaxHelper, PrepareAllHelper): a position, and the axes."""
    return layer.rank * _INT, layer.tensor(1).elements * _INT


_RULES: dict[str, Callable[[Layer], Sizes]] = {
    "CONV_2D": unpacked_filter,
    "DEPTHWISE_CONV_2D": unpacked_filter,
    "FULLY_CONNECTED": unpacked_filter,
    "MEAN": _mean_or_sum,
    "MIRROR_PAD": _mirror_pad,
    "REDUCE_ALL": _extreme,
    "REDUCE_MAX": _extreme,
    "REDUCE_MIN": _extreme,
    "SUM": _mean_or_sum,
    "SVDF": svdf,
    "TRANSPOSE_CONV": transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lstm,
}

"""Multiply-accumulate operations of one inference, operator by operator.

Counted are the products that an operator sums up, in convolutions, matrix products and recurrent layers:

    CONV_2D, CONV_3D            output elements x kernel volume x input channels of the kernel
    DEPTHWISE_CONV_2D           output elements x kernel area
    TRANSPOSE_CONV, CONV_3D_TRANSPOSE   input elements x kernel volume x output channels
    FULLY_CONNECTED             output elements x inputs of the weight matrix
    BATCH_MATMUL                output elements x length of the summed axis
    RNN, LSTM, SVDF             steps x batch x elements of all their weight matrices

Everything else counts 0: element-wise operators, pooling, biases and activations sum no products of this kind. The
body of a WHILE counts 0 too, for the file does not tell how often it runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Shape = tuple[int, ...]
Shapes = Sequence[Shape | None]

# Inputs of the LSTM operators that are weight matrices: input-to-gate, recurrent-to-gate, projection.
# Source: tensorflow/lite/kernels/lstm_shared.h and bidirectional_sequence_lstm.cc.
_LSTM_MATRICES = (1, 2, 3, 4, 5, 6, 7, 8, 16)
_BIDIRECTIONAL_LSTM_MATRICES = (*_LSTM_MATRICES, *range(18, 26), 33)


def macs_of(operator: str, options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    """Multiply-accumulates of one operator.

    Args:
        operator: name, such as `CONV_2D`.
        options: its options, by their names in the schema.
        inputs: shapes of its inputs; None for an absent one.
        outputs: shapes of its outputs.

    Returns:
        The count; 0 for operators that sum no products, and for those whose shapes make no sense.
    """
    rule = _RULES.get(operator)
    if rule is None or not outputs:
        return 0
    return rule(options, inputs, outputs)


def _elements(shapes: Shapes, index: int) -> int:
    shape = shapes[index] if index < len(shapes) else None
    return 0 if shape is None else math.prod(shape)


def _kernel(shapes: Shapes, index: int, axes: slice, rank: int) -> int:
    """Product of some axes of the kernel; 0 where there is no kernel of that rank."""
    shape = shapes[index] if index < len(shapes) else None
    return 0 if shape is None or len(shape) != rank else math.prod(shape[axes])


def _convolution(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    return _elements(outputs, 0) * _kernel(inputs, 1, slice(1, 4), 4)  # kernel [out, height, width, in]


def _depthwise(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    return _elements(outputs, 0) * _kernel(inputs, 1, slice(1, 3), 4)  # kernel [1, height, width, out]


def _convolution_3d(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    return _elements(outputs, 0) * _kernel(inputs, 1, slice(0, 4), 5)  # kernel [depth, height, width, in, out]


def _transposed(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    return _elements(inputs, 2) * _kernel(inputs, 1, slice(0, 3), 4)  # kernel [out, height, width, in]


def _transposed_3d(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    return _elements(inputs, 2) * _kernel(inputs, 1, slice(0, 4), 5)  # kernel [depth, height, width, out, in]


def _fully_connected(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    return _elements(outputs, 0) * _kernel(inputs, 1, slice(1, 2), 2)  # weights [out, in]


def _batch_matmul(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    left = inputs[0] if inputs else None
    if left is None or len(left) < 2:
        return 0
    return _elements(outputs, 0) * left[-2 if options.get("adj_x") else -1]


def _steps(inputs: Shapes) -> int:
    """How often the weights are used: time steps x batch, every axis of the input but the last."""
    first = inputs[0] if inputs else None
    return math.prod(first[:-1]) if first else 0


def _recurrent(*matrices: int) -> Callable[[Mapping[str, Any], Shapes, Shapes], int]:
    def count(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
        return _steps(inputs) * sum(_elements(inputs, index) for index in matrices)

    return count


def _lstm(options: Mapping[str, Any], inputs: Shapes, outputs: Shapes) -> int:
    # LSTMKernelType BASIC (1) has all its matrices in input 2.
    matrices = (2,) if options.get("kernel_type") == 1 else _LSTM_MATRICES
    return _steps(inputs) * sum(_elements(inputs, index) for index in matrices)


_RULES: Mapping[str, Callable[[Mapping[str, Any], Shapes, Shapes], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "CONV_3D": _convolution_3d,
    "TRANSPOSE_CONV": _transposed,
    "CONV_3D_TRANSPOSE": _transposed_3d,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _batch_matmul,
    "RNN": _recurrent(1, 2),
    "UNIDIRECTIONAL_SEQUENCE_RNN": _recurrent(1, 2),
    "BIDIRECTIONAL_SEQUENCE_RNN": _recurrent(1, 2, 5, 6),
    "LSTM": _lstm,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _recurrent(*_LSTM_MATRICES),
    "BIDIRECTIONAL_SEQUENCE_LSTM": _recurrent(*_BIDIRECTIONAL_LSTM_MATRICES),
    "SVDF": _recurrent(1, 2),
}

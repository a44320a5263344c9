"""Rewrites of a float file that keep its function and let integer kernels be found.

NEG is the one operator of ordinary Keras models (Keras 3 writes layer normalization with it) that neither LiteRT nor
TFLM computes on int8: `-x` becomes `x * -1`, which both do. It happens on the finished float file, because the
converter's own patterns, GELU for one, look for the negation.

A bias that several operators read (a layer called twice, equal biases that the converter merged) becomes one for each:
its integer scale is input scale x weight scale, which differ, and the 16-bit quantizer gives all of them that of one.
"""

from __future__ import annotations

import copy
from typing import Any

# Operator -> which of its inputs is the bias.
_BIASES = {"CONV_2D": 2, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 2, "TRANSPOSE_CONV": 3}


def for_integers(model: Any) -> None:
    """Rewrites `model` (a `ModelT` of the generated schema) in place."""
    from ai_edge_litert import schema_py_generated as schema

    _negate_by_multiplying(model, schema)
    _separate_biases(model, schema)


def _separate_biases(model: Any, schema: Any) -> None:
    place = {getattr(schema.BuiltinOperator, name): index for name, index in _BIASES.items()}
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    for subgraph in model.subgraphs:
        taken: set[int] = set()
        for operator in subgraph.operators:
            index = place.get(codes[operator.opcodeIndex])
            if index is None or len(operator.inputs) <= index or operator.inputs[index] < 0:
                continue
            bias = int(operator.inputs[index])
            if bias in taken and model.buffers[subgraph.tensors[bias].buffer].data is not None:
                operator.inputs = [int(one) for one in operator.inputs]
                operator.inputs[index] = _copy_constant(model, subgraph, bias)
            taken.add(bias)


def _copy_constant(model: Any, subgraph: Any, index: int) -> int:
    tensor = copy.deepcopy(subgraph.tensors[index])
    model.buffers.append(copy.deepcopy(model.buffers[tensor.buffer]))
    tensor.buffer = len(model.buffers) - 1
    tensor.name = bytes(tensor.name or b"bias") + f"_{len(subgraph.tensors)}".encode()
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1


def _negate_by_multiplying(model: Any, schema: Any) -> None:
    operators, tensor_types = schema.BuiltinOperator, schema.TensorType
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    if operators.NEG not in codes:
        return
    multiply = _operator_code(model, schema)
    for subgraph in model.subgraphs:
        minus_one = None
        for operator in subgraph.operators:
            is_negation = operator.opcodeIndex < len(codes) and codes[operator.opcodeIndex] == operators.NEG
            if not is_negation or subgraph.tensors[operator.inputs[0]].type != tensor_types.FLOAT32:
                continue
            if minus_one is None:
                minus_one = _add_minus_one(model, subgraph, schema)
            operator.opcodeIndex = multiply
            operator.inputs = [int(operator.inputs[0]), minus_one]
            operator.builtinOptionsType = schema.BuiltinOptions.MulOptions
            operator.builtinOptions = schema.MulOptionsT()


def _operator_code(model: Any, schema: Any) -> int:
    multiply = schema.BuiltinOperator.MUL
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == multiply:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = multiply
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _add_minus_one(model: Any, subgraph: Any, schema: Any) -> int:
    import numpy as np

    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.float32(-1.0).tobytes(), np.uint8)
    model.buffers.append(buffer)
    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer = [1], schema.TensorType.FLOAT32, len(model.buffers) - 1
    tensor.name, tensor.hasRank = b"minus_one", True
    subgraph.tensors.append(tensor)
    return len(subgraph.tensors) - 1

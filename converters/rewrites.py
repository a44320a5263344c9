"""Rewrites of a float file that keep its function and let integer kernels be found.

NEG is the one operator of ordinary Keras models (Keras 3 writes layer normalization with it) that neither LiteRT nor
TFLM computes on int8: `-x` becomes `x * -1`, which both do. It happens on the finished float file, because the
converter's own patterns, GELU for one, look for the negation.
"""

from __future__ import annotations

from typing import Any


def for_integers(model: Any) -> None:
    """Rewrites `model` (a `ModelT` of the generated schema) in place."""
    from ai_edge_litert import schema_py_generated as schema

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

"""What a `.tflite` file says, read with the official generated module, without what no runtime reads.

Tensors are told by what they are, not by their number; buffers by their content.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

READ_METADATA = ("reduced_precision_support", "TFLITE_METADATA")
_UNION_FIELDS = ("builtinOptions", "builtinOptions2")


def meaning(data: bytes, *, engine: str) -> dict[str, Any]:
    """Plain values that are equal for two files which say the same to a runtime.

    Args:
        data: a file.
        engine: `litert` for all that LiteRT reads; for `tflm` without what TFLM does not look at.
    """
    tree = schema.ModelT.InitFromPackedBuf(data, 0)
    told: dict[str, Any] = {
        "version": tree.version,
        "graphs": [_graph(tree, graph, number, engine) for number, graph in enumerate(tree.subgraphs)],
    }
    if engine == "litert":
        told["metadata"] = {
            item.name: _content(tree, item.buffer)
            for item in tree.metadata or ()
            if item.name.decode() in READ_METADATA
        }
        told["signatures"] = [_signature(tree, one) for one in tree.signatureDefs or ()]
    return told


def _graph(tree: Any, graph: Any, number: int, engine: str) -> dict[str, Any]:
    doors = [*_list(graph.inputs), *_list(graph.outputs)] if number == 0 else []
    if engine == "tflm":
        _flattened(tree, graph)
    _without_dead(tree, graph)
    # The order in which the graph comes across its tensors; their numbers in the file mean nothing, and constants
    # that say the same are one.
    order: dict[Any, int] = {-1: -1}
    tensors: list[dict[str, Any]] = []
    operators = []

    def told(indices: Any) -> list[int]:
        return [place(int(index)) for index in _list(indices)]

    def place(index: int) -> int:
        key: Any = index
        if index >= 0:
            tensor = _tensor(tree, graph, index, doors, engine)
            if tensor["content"] and not tensor["variable"]:
                key = repr(tensor)
            if key not in order:
                tensors.append(tensor)
        return order.setdefault(key, len(order))

    inputs = told(graph.inputs)
    for operator in graph.operators or ():
        operators.append(_operator(tree, operator, told, engine))
    outputs = told(graph.outputs)
    return {"inputs": inputs, "operators": operators, "outputs": outputs, "tensors": tensors}


def _flattened(tree: Any, graph: Any) -> None:
    """TFLM's FULLY_CONNECTED reads any shape: it may as well read what was reshaped for it."""
    source = {
        int(one.outputs[0]): int(one.inputs[0])
        for one in graph.operators or ()
        if _number(tree, one) == schema.BuiltinOperator.RESHAPE
    }
    for operator in graph.operators or ():
        if _number(tree, operator) == schema.BuiltinOperator.FULLY_CONNECTED:
            first, *others = (int(index) for index in operator.inputs)
            while first in source:
                first = source[first]
            operator.inputs = [first, *others]


def _without_dead(tree: Any, graph: Any) -> None:
    """Takes out operators whose results nobody reads; those of unknown effect stay."""
    names = ("CUSTOM", "IF", "WHILE", "CALL_ONCE", "ASSIGN_VARIABLE", "VAR_HANDLE", "SVDF")
    effective = {getattr(schema.BuiltinOperator, name) for name in names}
    count = -1
    while count != len(graph.operators or ()):
        count = len(graph.operators or ())
        wanted = {int(index) for one in graph.operators or () for index in _list(one.inputs)} | set(
            _ints(graph.outputs)
        )
        graph.operators = [
            one for one in graph.operators or () if _number(tree, one) in effective or wanted & set(_ints(one.outputs))
        ]


def _number(tree: Any, operator: Any) -> int:
    code = tree.operatorCodes[operator.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _operator(tree: Any, operator: Any, told: Any, engine: str) -> dict[str, Any]:
    code, number = tree.operatorCodes[operator.opcodeIndex], _number(tree, operator)
    indices = _list(operator.inputs)
    options: list[Any] = [_fields(getattr(operator, field)) for field in _UNION_FIELDS]
    if engine == "tflm" and number == schema.BuiltinOperator.RESHAPE:
        indices, options = indices[:1], []
    return {
        "code": (number, code.customCode, code.version if engine == "litert" else 0),
        "inputs": told(indices),
        "outputs": told(operator.outputs),
        "intermediates": told(operator.intermediates),
        "options": options,
        "custom": bytes(_list(operator.customOptions)),
        "mutating": list(map(bool, _list(operator.mutatingVariableInputs))),
    }


def _tensor(tree: Any, graph: Any, index: int, doors: list[int], engine: str) -> dict[str, Any]:
    tensor = graph.tensors[index]
    quantization = tensor.quantization
    scales = _list(quantization.scale).tolist() if quantization is not None and quantization.scale is not None else []
    points = _list(quantization.zeroPoint) if quantization is not None else []
    points = [int(point) for point in points]
    told = {
        "name": tensor.name if index in doors else None,
        "shape": _ints(tensor.shape),
        "type": tensor.type,
        "variable": bool(tensor.isVariable),
        "content": _content(tree, tensor.buffer),
        "sparsity": _fields(tensor.sparsity),
        "scales": scales,
        "zero_points": points if scales else [],
        "axis": quantization.quantizedDimension if len(scales) > 1 else 0,
        "details": _fields(quantization.details) if quantization is not None else None,
    }
    if engine == "litert":
        signature = _ints(tensor.shapeSignature)
        told["signature"] = signature if -1 in signature else []
        return told
    if len(points) == 1:
        told["zero_points"] = points * len(scales)
    weights, biases = (_at_slot(tree, graph, slot) for slot in ("weight", "bias"))
    if index in weights and len(set(scales)) == 1 and len(set(told["zero_points"])) == 1:
        told["scales"], told["zero_points"], told["axis"] = scales[:1], told["zero_points"][:1], 0
    if index in biases:
        told["scales"], told["zero_points"], told["axis"] = [], [], 0
    return told


def _at_slot(tree: Any, graph: Any, role: str) -> set[int]:
    """Tensors whose scales TFLM takes as one where all are equal (weights), or does not read (biases)."""
    convolutions = {schema.BuiltinOperator.CONV_2D: 2, schema.BuiltinOperator.DEPTHWISE_CONV_2D: 2}
    convolutions[schema.BuiltinOperator.TRANSPOSE_CONV] = 3
    slots = dict.fromkeys(convolutions, 1) if role == "weight" else convolutions
    if role == "bias":
        slots[schema.BuiltinOperator.FULLY_CONNECTED] = 2
    found = set()
    for operator in graph.operators or ():
        slot = slots.get(_number(tree, operator), 99)
        found |= {int(index) for index in _list(operator.inputs)[slot : slot + 1]}
    return found


def _signature(tree: Any, signature: Any) -> dict[str, Any]:
    graph = tree.subgraphs[signature.subgraphIndex]
    places = {}
    for side in ("inputs", "outputs"):
        ports = [int(index) for index in _list(getattr(graph, side))]
        places[side] = {item.name: ports.index(item.tensorIndex) for item in getattr(signature, side) or ()}
    return {"key": signature.signatureKey, "graph": signature.subgraphIndex, **places}


def _content(tree: Any, buffer: int) -> bytes:
    data = tree.buffers[buffer].data
    return b"" if data is None else bytes(data)


def _fields(table: Any) -> Any:
    """The values of a generated object, tables inside of it included."""
    if table is None:
        return None
    if isinstance(table, (list, tuple)):
        return [_fields(item) for item in table]
    if isinstance(table, np.ndarray):
        return table.tolist()
    if hasattr(table, "__dict__"):
        return {type(table).__name__: {name: _fields(value) for name, value in vars(table).items()}}
    return table


def _list(vector: Any) -> Any:
    return np.zeros(0, np.int32) if vector is None else np.asarray(vector)


def _ints(vector: Any) -> list[int]:
    return [int(value) for value in _list(vector)]

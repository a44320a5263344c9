"""Small `.tflite` files, written with the official generated schema: what the readers of this project are tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

BYTES = {"float32": 4, "float16": 2, "int8": 1, "uint8": 1, "int16": 2, "int32": 4, "int64": 8, "bool": 1, "float64": 8}


@dataclass
class T:
    """A tensor; `values` makes it a constant, `raw` one with these very bytes."""

    name: str
    shape: Sequence[int]
    dtype: str = "int8"
    values: Any = None
    raw: bytes | None = None
    scales: Sequence[float] = ()
    zero_points: Sequence[int] | None = None
    axis: int = 0
    signature: Sequence[int] | None = None
    variable: bool = False


@dataclass
class Op:
    """An operator by name; inputs and outputs by tensor name, None for an absent one."""

    name: str
    inputs: Sequence[str | None]
    outputs: Sequence[str]
    options: tuple[str, dict[str, Any]] | None = None
    custom_options: bytes | None = None


@dataclass
class G:
    """A graph."""

    tensors: Sequence[T]
    operators: Sequence[Op]
    inputs: Sequence[str]
    outputs: Sequence[str]
    name: str = "main"


@dataclass
class Parts:
    """Everything else of a file."""

    metadata: dict[str, bytes] = field(default_factory=dict)
    signature: str | None = None
    description: str | None = "made by a test"
    unused: Sequence[bytes] = ()


def build(*graphs: G, parts: Parts | None = None) -> bytes:
    """The bytes of a file with these graphs."""
    return pack(model(*graphs, parts=parts))


def pack(tree: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def model(*graphs: G, parts: Parts | None = None) -> Any:
    """The same as the schema's object tree (`ModelT`), for tests that spoil it before it is packed."""
    parts = parts or Parts()
    tree = schema.ModelT()
    tree.version = 3
    tree.description = parts.description.encode() if parts.description is not None else None
    tree.buffers = [schema.BufferT()]
    tree.operatorCodes, codes = [], {}
    tree.subgraphs = [_graph(tree, graph, codes) for graph in graphs]
    for data in parts.unused:
        _buffer(tree, data)
    tree.metadata = []
    for name, data in parts.metadata.items():
        item = schema.MetadataT()
        item.name, item.buffer = name.encode(), _buffer(tree, data)
        tree.metadata.append(item)
    if parts.signature is not None:
        tree.signatureDefs = [_signature(parts.signature, graphs[0])]
    return tree


def _buffer(tree: Any, data: bytes) -> int:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(data, np.uint8)
    tree.buffers.append(buffer)
    return len(tree.buffers) - 1


def _graph(tree: Any, graph: G, codes: dict[str, int]) -> Any:
    made = schema.SubGraphT()
    made.name = graph.name.encode()
    made.tensors = [_tensor(tree, tensor) for tensor in graph.tensors]
    number = {tensor.name: index for index, tensor in enumerate(graph.tensors)} | {None: -1}
    made.inputs = [number[name] for name in graph.inputs]
    made.outputs = [number[name] for name in graph.outputs]
    made.operators = [_operator(tree, operator, number, codes) for operator in graph.operators]
    return made


def _tensor(tree: Any, tensor: T) -> Any:
    made = schema.TensorT()
    made.name, made.shape = tensor.name.encode(), list(tensor.shape)
    made.type = getattr(schema.TensorType, tensor.dtype.upper())
    made.isVariable = tensor.variable
    if tensor.signature is not None:
        made.shapeSignature = list(tensor.signature)
    raw = tensor.raw
    if tensor.values is not None:
        raw = np.broadcast_to(np.asarray(tensor.values, tensor.dtype), tensor.shape).tobytes()
    made.buffer = 0 if raw is None else _buffer(tree, raw)
    if tensor.scales:
        quantization = schema.QuantizationParametersT()
        quantization.scale = list(tensor.scales)
        points = tensor.zero_points if tensor.zero_points is not None else [0] * len(tensor.scales)
        quantization.zeroPoint = list(points)
        quantization.quantizedDimension = tensor.axis
        made.quantization = quantization
    return made


def _operator(tree: Any, operator: Op, number: dict[str | None, int], codes: dict[str, int]) -> Any:
    made = schema.OperatorT()
    if operator.name not in codes:
        codes[operator.name] = len(tree.operatorCodes)
        tree.operatorCodes.append(_code(operator.name))
    made.opcodeIndex = codes[operator.name]
    made.inputs = [number[name] for name in operator.inputs]
    made.outputs = [number[name] for name in operator.outputs]
    if operator.options is not None:
        table, values = operator.options
        made.builtinOptionsType = getattr(schema.BuiltinOptions, table)
        made.builtinOptions = getattr(schema, table + "T")()
        for name, value in values.items():
            setattr(made.builtinOptions, name, value)
    if operator.custom_options is not None:
        made.customOptions = np.frombuffer(operator.custom_options, np.uint8)
    return made


def _code(name: str) -> Any:
    code = schema.OperatorCodeT()
    builtin = getattr(schema.BuiltinOperator, name, None)
    if builtin is None:
        builtin, code.customCode = schema.BuiltinOperator.CUSTOM, name.encode()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 1
    return code


def _signature(key: str, graph: G) -> Any:
    made = schema.SignatureDefT()
    made.signatureKey, made.subgraphIndex = key.encode(), 0
    number = {tensor.name: index for index, tensor in enumerate(graph.tensors)}
    for side, names in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        maps = []
        for name in names:
            item = schema.TensorMapT()
            item.name, item.tensorIndex = name.encode(), number[name]
            maps.append(item)
        setattr(made, side, maps)
    return made


def small_graph(dtype: str = "int8") -> G:
    """Convolution, reshape, fully connected and softmax, as an integer file of this toolkit has them."""
    rng = np.random.default_rng(7)
    one, point = ((0.05,), (3,)) if dtype != "float32" else ((), None)
    many = (0.01, 0.02, 0.03) if dtype != "float32" else ()
    weight, bias = (dtype, "int32") if dtype != "float32" else ("float32", "float32")
    tensors = [
        T("image", (1, 4, 4, 2), dtype, scales=one, zero_points=point),
        T("conv/kernel", (3, 3, 3, 2), weight, values=rng.integers(-9, 9, (3, 3, 3, 2)), scales=many),
        T("conv/bias", (3,), bias, values=[5, 0, -7], scales=tuple(scale * 0.05 for scale in many)),
        T("conv/Relu;conv/Conv2D", (1, 4, 4, 3), dtype, scales=one, zero_points=point),
        T("flatten/shape", (2,), "int32", values=[1, 48]),
        T("flatten/Reshape", (1, 48), dtype, scales=one, zero_points=point),
        T("dense/kernel", (5, 48), weight, values=rng.integers(-9, 9, (5, 48)), scales=one),
        T("dense/bias", (5,), bias, values=range(5), scales=tuple(scale * 0.05 for scale in one)),
        T("dense/MatMul", (1, 5), dtype, scales=one, zero_points=point),
        T("probabilities", (1, 5), dtype, scales=(1 / 256,) if one else (), zero_points=(-128,) if one else None),
    ]
    operators = [
        Op(
            "CONV_2D",
            ["image", "conv/kernel", "conv/bias"],
            ["conv/Relu;conv/Conv2D"],
            ("Conv2DOptions", {"strideW": 1, "strideH": 1, "fusedActivationFunction": 1}),
        ),
        Op(
            "RESHAPE",
            ["conv/Relu;conv/Conv2D", "flatten/shape"],
            ["flatten/Reshape"],
            ("ReshapeOptions", {"newShape": [1, 48]}),
        ),
        Op("FULLY_CONNECTED", ["flatten/Reshape", "dense/kernel", "dense/bias"], ["dense/MatMul"]),
        Op("SOFTMAX", ["dense/MatMul"], ["probabilities"], ("SoftmaxOptions", {"beta": 1.0})),
    ]
    return G(tensors, operators, ["image"], ["probabilities"])


def small_file(dtype: str = "int8") -> bytes:
    return build(small_graph(dtype), parts=Parts({"min_runtime_version": b"1.5.0\0"}, "serving_default"))

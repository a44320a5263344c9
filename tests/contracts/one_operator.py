"""Builds `.tflite` files of one operator, so that a runtime can be asked which types its kernels take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = ("float32", "int8", "int16", "uint8", "int32", "int64", "bool", "float16")

# Scale and zero point of a tensor for which a probe asks nothing else: covers -4..4 (int8) and -8..8 (int16).
# The zero points show kernels that take a stored 0 for the number 0.
USUAL_SCALES = {"int8": (1 / 32, -3), "uint8": (1 / 32, 128), "int16": (1 / 4096, 0)}


@dataclass(frozen=True)
class Operand:
    """One tensor of a one-operator file.

    Attributes:
        dtype: NumPy name, or "resource".
        shape: shape, batch first.
        values: constant contents in real units (quantized here by the operand's own scale); None for an activation.
        low: smallest real value that an activation is fed.
        high: largest real value that an activation is fed.
        scales: one scale per slice along `axis`; () for a tensor that is not quantized; None for the usual one.
        zero_point: the same for every slice.
        axis: which dimension the scales run along.
        variable: a tensor that keeps its contents from run to run.
    """

    dtype: str
    shape: tuple[int, ...]
    values: Any = None
    low: float = -2.0
    high: float = 2.0
    scales: tuple[float, ...] | None = None
    zero_point: int = 0
    axis: int = 0
    variable: bool = False

    def quantization(self) -> tuple[tuple[float, ...], int]:
        """Scales (empty where not quantized) and the zero point."""
        if self.scales is not None:
            return self.scales, self.zero_point
        scale, zero_point = USUAL_SCALES.get(self.dtype, (0.0, 0))
        return ((scale,), zero_point) if scale else ((), 0)

    def encode(self, real: np.ndarray) -> np.ndarray:
        """Real values as this tensor stores them."""
        if self.dtype == "bool":
            return np.asarray(real) > 0
        if self.dtype == "resource":
            return np.asarray(real, "int32")
        if self.dtype.startswith("float"):
            return np.asarray(real, self.dtype)
        scales, zero_point = self.quantization()
        stored_type = "int8" if self.dtype == "int4" else self.dtype
        low, high = (-8, 7) if self.dtype == "int4" else (np.iinfo(stored_type).min, np.iinfo(stored_type).max)
        if scales:
            shape = [1] * len(self.shape)
            if len(scales) > 1:
                shape[self.axis] = len(scales)
            real = np.asarray(real) / np.reshape(scales, shape) + zero_point
        return np.asarray(np.clip(np.rint(real), low, high), stored_type)

    def decode(self, stored: np.ndarray) -> np.ndarray:
        """The real values of stored ones (per-tensor scales only)."""
        scales, zero_point = self.quantization()
        return (stored.astype("float64") - zero_point) * scales[0] if scales else stored.astype("float64")


@dataclass(frozen=True)
class Case:
    """One operator with its tensors; `inputs` may hold None for an absent optional input.

    `bodies` are the subgraphs that control flow calls.
    """

    name: str
    inputs: tuple[Operand | None, ...]
    outputs: tuple[Operand, ...]
    options: tuple[str, dict[str, Any]] | None = None
    version: int = 1
    intermediates: tuple[Operand, ...] = ()
    bodies: tuple[Body, ...] = ()

    def fed(self) -> tuple[Operand, ...]:
        """The operands that are the file's inputs."""
        return tuple(o for o in self.inputs if o is not None and o.values is None and not o.variable)

    def feeds(self) -> list[np.ndarray]:
        """Contents for the file's inputs, from a fixed seed."""
        random = np.random.default_rng(0)
        return [o.encode(random.uniform(o.low, o.high, o.shape)) for o in self.fed()]


@dataclass(frozen=True)
class Body:
    """A subgraph of one operator. Its tensors are numbered: the operator's inputs, its outputs, then `passed`."""

    case: Case
    passed: tuple[Operand, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def build(case: Case) -> bytes:
    """The `.tflite` file of one operator."""
    model = schema.ModelT()
    model.version = 3
    model.description = "one operator"
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    model.subgraphs = [_graph(model, case)]
    model.subgraphs += [_body(model, body) for body in case.bodies]
    return pack(model)


def _graph(model: Any, case: Case) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, case.name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = case.version
    model.operatorCodes.append(code)
    graph = schema.SubGraphT()
    graph.tensors = []
    operator = schema.OperatorT()
    operator.opcodeIndex = len(model.operatorCodes) - 1
    operator.inputs = [_add(model, graph, operand) for operand in case.inputs]
    operator.outputs = [_add(model, graph, operand) for operand in case.outputs]
    operator.intermediates = [_add(model, graph, operand) for operand in case.intermediates]
    _set_options(operator, case.options)
    graph.operators = [operator]
    named = zip(case.inputs, operator.inputs, strict=True)
    graph.inputs = [i for o, i in named if o is not None and o.values is None and not o.variable]
    graph.outputs = list(operator.outputs)
    return graph


def _body(model: Any, body: Body) -> Any:
    graph = _graph(model, body.case)
    for operand in body.passed:
        _add(model, graph, operand)
    graph.inputs, graph.outputs = list(body.inputs), list(body.outputs)
    return graph


def pack(model: Any) -> bytes:
    """The bytes of a `ModelT`."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _set_options(operator: Any, options: tuple[str, dict[str, Any]] | None) -> None:
    if options is None:
        return
    table = getattr(schema, options[0] + "T")()
    for name, value in options[1].items():
        if not hasattr(table, name):
            raise AttributeError(f"{options[0]} has no field {name}")
        setattr(table, name, value)
    if hasattr(schema.BuiltinOptions, options[0]):
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, options[0])
        operator.builtinOptions = table
    else:
        operator.builtinOptions2Type = getattr(schema.BuiltinOptions2, options[0])
        operator.builtinOptions2 = table


def _add(model: Any, graph: Any, operand: Operand | None) -> int:
    if operand is None:
        return -1
    tensor = schema.TensorT()
    tensor.name = f"t{len(graph.tensors)}"
    tensor.shape = list(operand.shape)
    tensor.type = getattr(schema.TensorType, operand.dtype.upper())
    tensor.isVariable = operand.variable
    tensor.buffer = 0
    if operand.values is not None:
        buffer = schema.BufferT()
        stored = operand.encode(np.broadcast_to(np.asarray(operand.values, "float64"), operand.shape))
        if operand.dtype == "int4":  # two to a byte, the first in the low half
            halves = np.pad(stored.ravel(), (0, stored.size % 2)).reshape(-1, 2) & 15
            stored = (halves[:, 0] | halves[:, 1] << 4).astype("uint8")
        buffer.data = np.frombuffer(np.ascontiguousarray(stored).tobytes(), "uint8")
        tensor.buffer = len(model.buffers)
        model.buffers.append(buffer)
    scales, zero_point = operand.quantization()
    if scales:
        quantization = schema.QuantizationParametersT()
        quantization.scale = np.asarray(scales, "float32")
        quantization.zeroPoint = np.full(len(scales), zero_point, "int64")
        quantization.quantizedDimension = operand.axis
        tensor.quantization = quantization
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1

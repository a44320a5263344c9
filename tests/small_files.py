"""Small `.tflite` files made by hand, with what they must compute; no TensorFlow needed."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

WEIGHTS = np.array([[1.0, -0.5, 0.25, 0.0], [0.5, 0.5, -1.0, 0.75], [-0.25, 1.0, 0.5, -0.75]], np.float32)
BIASES = np.array([0.5, -0.25, 0.125], np.float32)
INPUT_SCALE, INPUT_ZERO, OUTPUT_SCALE, OUTPUT_ZERO, WEIGHT_SCALE = 1 / 32, 3, 1 / 16, -5, 1 / 64


def dense(x: np.ndarray) -> np.ndarray:
    """What the dense files compute."""
    return x.astype(np.float32) @ WEIGHTS.T + BIASES


class Builder:
    """Collects tensors and operators of one graph."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "made by a test"
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.graph = schema.SubGraphT()
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        name: str,
        shape: tuple[int, ...],
        dtype: str = "float32",
        *,
        values: np.ndarray | None = None,
        quantization: tuple[float, int] | None = None,
        signature: tuple[int, ...] | None = None,
        variable: bool = False,
    ) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.isVariable = name, list(shape), variable
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.shapeSignature = None if signature is None else list(signature)
        tensor.buffer = 0
        if values is not None:
            tensor.buffer = len(self.model.buffers)
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(values.astype(dtype)).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
        if quantization is not None:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [quantization[0]], [quantization[1]]
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(
        self, name: str, inputs: list[int], outputs: list[int], *, options: Any = None, custom: str | None = None
    ) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.customCode, code.version = custom, 1
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes)
        operator.inputs, operator.outputs = inputs, outputs
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.model.operatorCodes.append(code)
        self.graph.operators.append(operator)

    def file(self, inputs: list[int], outputs: list[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = inputs, outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def float_dense(*, batch: int = 1) -> bytes:
    """float32 [batch, 4] -> `dense` -> [batch, 3]."""
    build = Builder()
    x = build.tensor("serving_default_x:0", (batch, 4))
    w = build.tensor("dense/weights", (3, 4), values=WEIGHTS)
    b = build.tensor("dense/biases", (3,), values=BIASES)
    y = build.tensor("dense/out", (batch, 3))
    build.operator("FULLY_CONNECTED", [x, w, b], [y], options=schema.FullyConnectedOptionsT())
    return build.file([x], [y])


def int8_dense(*, batch: int = 1) -> bytes:
    """int8 [batch, 4] -> `dense` -> RELU -> int8 [batch, 3]."""
    build = Builder()
    x = build.tensor("serving_default_x:0", (batch, 4), "int8", quantization=(INPUT_SCALE, INPUT_ZERO))
    w = build.tensor("dense/weights", (3, 4), "int8", values=WEIGHTS / WEIGHT_SCALE, quantization=(WEIGHT_SCALE, 0))
    scale = INPUT_SCALE * WEIGHT_SCALE
    b = build.tensor("dense/biases", (3,), "int32", values=BIASES / scale, quantization=(scale, 0))
    y = build.tensor("dense/out", (batch, 3), "int8", quantization=(OUTPUT_SCALE, OUTPUT_ZERO))
    z = build.tensor("relu/out", (batch, 3), "int8", quantization=(OUTPUT_SCALE, OUTPUT_ZERO))
    build.operator("FULLY_CONNECTED", [x, w, b], [y], options=schema.FullyConnectedOptionsT())
    build.operator("RELU", [y], [z])
    return build.file([x], [z])


def one_float_operator(name: str, *, custom: str | None = None) -> bytes:
    """RELU, then an operator of one float input and output, on [1, 4]; a runtime may have no kernel for it."""
    build = Builder()
    x, y, z = (build.tensor(name, (1, 4)) for name in ("x", "relu/out", "odd/out"))
    build.operator("RELU", [x], [y])
    build.operator(name, [y], [z], custom=custom)
    return build.file([x], [z])


def wide() -> bytes:
    """RELU, RELU on float [1, 256]: activations larger than all else in the arena."""
    build = Builder()
    x, y, z = (build.tensor(name, (1, 256)) for name in ("x", "first/out", "second/out"))
    build.operator("RELU", [x], [y])
    build.operator("RELU", [y], [z])
    return build.file([x], [z])


def two_inputs() -> bytes:
    """`a` [1, 3] and `b` [1, 3] -> a - b."""
    build = Builder()
    a, b, out = (build.tensor(name, (1, 3)) for name in ("serving_default_a:0", "serving_default_b:0", "out"))
    build.operator("SUB", [a, b], [out], options=schema.SubOptionsT())
    return build.file([a, b], [out])


def with_memory(*, has_bias: bool = True) -> bytes:
    """SVDF of one filter over two steps, float [1, 1] -> [1, 1]: adds this input to the one before.

    Without its bias, which may be left out, TFLM crashes on it.
    """
    build = Builder()
    x = build.tensor("x", (1, 1))
    feature = build.tensor("svdf/feature", (1, 1), values=np.ones((1, 1)))
    time = build.tensor("svdf/time", (1, 2), values=np.ones((1, 2)))
    bias = build.tensor("svdf/bias", (1,), values=np.zeros(1)) if has_bias else -1
    state = build.tensor("svdf/state", (1, 2), variable=True)
    y = build.tensor("svdf/out", (1, 1))
    options = schema.SVDFOptionsT()
    options.rank = 1
    build.operator("SVDF", [x, feature, time, bias, state], [y], options=options)
    return build.file([x], [y])


def resizable() -> bytes:
    """RELU on float [any, any]."""
    build = Builder()
    x, y = (build.tensor(name, (1, 1), signature=(-1, -1)) for name in ("x", "y"))
    build.operator("RELU", [x], [y])
    return build.file([x], [y])


def integers_in(dtype: str = "int32") -> bytes:
    """GATHER of rows of [[0], [10], [20]] by index [1] -> float [1, 1]."""
    build = Builder()
    x = build.tensor("x", (1,), dtype)
    table = build.tensor("table", (3, 1), values=np.array([[0.0], [10.0], [20.0]]))
    y = build.tensor("y", (1, 1))
    build.operator("GATHER", [table, x], [y], options=schema.GatherOptionsT())
    return build.file([x], [y])


def two_outputs() -> bytes:
    """float [1, 4] -> `plus`, RELU of x, and `minus`, -x."""
    build = Builder()
    x, plus, minus = (build.tensor(name, (1, 4)) for name in ("x", "plus", "minus"))
    build.operator("RELU", [x], [plus])
    build.operator("NEG", [x], [minus])
    return build.file([x], [plus, minus])

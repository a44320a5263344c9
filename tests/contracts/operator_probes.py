"""One small case per operator and activation type: what a runtime is asked when its table of kernels is checked.

`CASES[name](dtype)` is the operator `name` with `dtype` as the type of its data (see `tfcompress.targets.Runtime`),
the other operands being what a converter writes beside that type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from one_operator import Case, Operand

Options = tuple[str, dict[str, Any]]
Maker = Callable[[str], Case]

CASES: dict[str, Maker] = {}

# Cases beside the table of kernels: granularity, 4-bit and dynamic weights, and the types at a file's doors.
SPECIAL: dict[str, Maker] = {}

# What the converter fixes for operators with a known output range (the quantization spec of TFLite's 8-bit and
# 16x8 schemes, tensorflow.org/lite/performance/quantization_spec).
FIXED_OUTPUTS = {
    "SOFTMAX": {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)},
    "LOGISTIC": {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)},
    "TANH": {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (1 / 32768, 0)},
    "L2_NORMALIZATION": {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (1 / 32768, 0)},
    "LOG_SOFTMAX": {"int8": (16 / 256, 127), "uint8": (16 / 256, 255), "int16": (16 / 32768, 0)},
}


def data(dtype: str, *shape: int, low: float = -2.0, high: float = 2.0) -> Operand:
    return Operand(dtype, shape, low=low, high=high)


def integers(*values: int, shape: tuple[int, ...] | None = None, dtype: str = "int32") -> Operand:
    shape = (len(values),) if shape is None else shape
    return Operand(dtype, shape, values=np.reshape(values, shape), scales=())


def scalar(value: int, dtype: str = "int32") -> Operand:
    return Operand(dtype, (), values=value, scales=())


def result(name: str, dtype: str, *shape: int) -> Operand:
    fixed = FIXED_OUTPUTS.get(name, {}).get(dtype)
    return Operand(dtype, shape) if fixed is None else Operand(dtype, shape, scales=(fixed[0],), zero_point=fixed[1])


def probe(name: str) -> Callable[[Maker], Maker]:
    def keep(maker: Maker) -> Maker:
        CASES[name] = maker
        return maker

    return keep


# --- element by element ---------------------------------------------------------------------------------------------


def unary(name: str, *, options: Options | None = None, low: float = -2.0, high: float = 2.0) -> None:
    CASES[name] = lambda t: Case(
        name, (data(t, 1, 2, 2, 4, low=low, high=high),), (result(name, t, 1, 2, 2, 4),), options
    )


def binary(name: str, *, options: Options | None = None, low: float = -1.0, output: str = "", version: int = 1) -> None:
    def make(t: str) -> Case:
        pair = (data(t, 1, 2, 2, 4, low=low, high=1.5), data(t, 1, 2, 2, 4, low=low, high=1.5))
        return Case(name, pair, (data(output or t, 1, 2, 2, 4),), options, version)

    CASES[name] = make


for _name in (
    *("ABS", "CEIL", "COS", "ELU", "FLOOR", "HARD_SWISH", "LOGICAL_NOT", "LOGISTIC", "LOG_SOFTMAX", "NEG", "RELU"),
    *("RELU6", "RELU_0_TO_1", "RELU_N1_TO_1", "ROUND", "SIGN", "SIN", "SQUARE", "TANH", "ZEROS_LIKE"),
):
    unary(_name)
unary("EXP", high=1.0)
for _name in ("LOG", "SQRT", "RSQRT"):
    unary(_name, low=0.5, high=2.0)
unary("GELU", options=("GeluOptions", {"approximate": False}))
unary("LEAKY_RELU", options=("LeakyReluOptions", {"alpha": 0.25}))
unary("SOFTMAX", options=("SoftmaxOptions", {"beta": 1.0}))
unary("L2_NORMALIZATION", options=("L2NormOptions", {}))
unary(
    "LOCAL_RESPONSE_NORMALIZATION",
    options=("LocalResponseNormalizationOptions", {"radius": 2, "bias": 1.0, "alpha": 0.1, "beta": 0.5}),
)
unary("FAKE_QUANT", options=("FakeQuantOptions", {"min": -2.0, "max": 2.0, "numBits": 8}))
for _name, _table in (("ADD", "AddOptions"), ("SUB", "SubOptions")):
    binary(_name, options=(_table, {"potScaleInt16": False}))
binary("MUL", options=("MulOptions", {}))
binary("DIV", options=("DivOptions", {}), low=0.5)
binary("SQUARED_DIFFERENCE", low=0.0)
for _name in ("MAXIMUM", "MINIMUM", "LOGICAL_AND", "LOGICAL_OR", "ATAN2", "BITWISE_XOR"):
    binary(_name)
for _name in ("FLOOR_DIV", "FLOOR_MOD", "POW", "RIGHT_SHIFT"):
    binary(_name, low=0.6)
for _name in ("EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL"):
    binary(_name, output="bool")


@probe("ADD_N")
def _add_n(t: str) -> Case:
    return Case("ADD_N", (data(t, 1, 4, high=1, low=-1),) * 3, (data(t, 1, 4),), ("AddNOptions", {}))


@probe("PRELU")
def _prelu(t: str) -> Case:
    alpha = Operand("int8" if t == "int16" else t, (1, 1, 4), values=0.25)
    return Case("PRELU", (data(t, 1, 2, 2, 4), alpha), (data(t, 1, 2, 2, 4),))


@probe("SELECT_V2")
def _select_v2(t: str) -> Case:
    operands = (data("bool", 1, 4), data(t, 1, 4), data(t, 1, 4))
    return Case("SELECT_V2", operands, (data(t, 1, 4),), ("SelectV2Options", {}))


@probe("SELECT")
def _select(t: str) -> Case:
    return replace(_select_v2(t), name="SELECT", options=("SelectOptions", {}))


# --- types ----------------------------------------------------------------------------------------------------------


@probe("QUANTIZE")
def _quantize(t: str) -> Case:
    source = data(t, 1, 4) if t != "int32" else Operand(t, (1, 4), scales=(1 / 4096,))
    return Case("QUANTIZE", (source,), (data("int8", 1, 4),), ("QuantizeOptions", {}))


for _name in ("int8", "int16", "uint8"):

    def _quantize_to(t: str, target: str = _name) -> Case:
        return replace(_quantize(t), outputs=(data(target, 1, 4),))

    SPECIAL[f"QUANTIZE to {_name}"] = _quantize_to


@probe("DEQUANTIZE")
def _dequantize(t: str) -> Case:
    source = data(t, 1, 4) if t != "int32" else Operand(t, (1, 4), scales=(1 / 4096,))
    return Case("DEQUANTIZE", (source,), (data("float32", 1, 4),), ("DequantizeOptions", {}))


@probe("CAST")
def _cast(t: str) -> Case:
    source, target = Operand(t, (1, 4), scales=()), "int32" if t == "float32" else "float32"
    return Case("CAST", (source,), (data(target, 1, 4),), ("CastOptions", {}))


# --- sums of products -----------------------------------------------------------------------------------------------


def weights(t: str, *shape: int, axis: int, value: float = 0.5) -> tuple[Operand, Operand]:
    """Weights with a scale per slice of `axis`, and a bias, as the converter writes them beside activations of `t`."""
    count = shape[axis]
    if t == "float32":
        return Operand(t, shape, values=value), Operand(t, (count,), values=0.25)
    scales = tuple(2.0**-7 * (1 + slice_ % 2) for slice_ in range(count))
    bias_scales = tuple(scale * Operand(t, ()).quantization()[0][0] for scale in scales) if t in USUAL else ()
    kind = "uint8" if t == "uint8" else "int8" if t in ("int8", "int16") else t
    if kind == "uint8":  # per tensor, with a zero point: the old asymmetric scheme
        weight = Operand(kind, shape, values=value, scales=scales[:1], zero_point=128)
        return weight, Operand("int32", (count,), values=0.25, scales=bias_scales[:1])
    weight = Operand(kind, shape, values=value, scales=scales, axis=axis)
    return weight, Operand("int64" if t == "int16" else "int32", (count,), values=0.25, scales=bias_scales)


USUAL = ("int8", "int16", "uint8")
WIDE = {"int8": (1 / 4, 5), "uint8": (1 / 4, 128), "int16": (1 / 1024, 0)}


def wide(t: str, *shape: int) -> Operand:
    """A result with room for sums."""
    return Operand(t, shape, scales=WIDE[t][:1], zero_point=WIDE[t][1]) if t in WIDE else Operand(t, shape)


@probe("CONV_2D")
def _conv(t: str) -> Case:
    options = {"strideW": 1, "strideH": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    weight, bias = weights(t, 4, 3, 3, 2, axis=0)
    return Case("CONV_2D", (data(t, 1, 4, 4, 2), weight, bias), (wide(t, 1, 4, 4, 4),), ("Conv2DOptions", options))


@probe("DEPTHWISE_CONV_2D")
def _depthwise(t: str) -> Case:
    options = {"strideW": 1, "strideH": 1, "depthMultiplier": 1, "dilationWFactor": 1, "dilationHFactor": 1}
    weight, bias = weights(t, 1, 3, 3, 4, axis=3)
    table = ("DepthwiseConv2DOptions", options)
    return Case("DEPTHWISE_CONV_2D", (data(t, 1, 4, 4, 4), weight, bias), (wide(t, 1, 4, 4, 4),), table)


@probe("TRANSPOSE_CONV")
def _transpose_conv(t: str) -> Case:
    weight, bias = weights(t, 4, 2, 2, 2, axis=0)
    options = ("TransposeConvOptions", {"strideW": 2, "strideH": 2})
    operands = (integers(1, 4, 4, 4), weight, data(t, 1, 2, 2, 2), bias)
    return Case("TRANSPOSE_CONV", operands, (wide(t, 1, 4, 4, 4),), options, version=3)


@probe("FULLY_CONNECTED")
def _dense(t: str) -> Case:
    """One scale per tensor; `dense_per_channel` below has one per unit."""
    case = dense_per_channel(t)
    source, weight, bias = case.inputs
    assert weight is not None and bias is not None
    if weight.scales:
        weight, bias = replace(weight, scales=weight.scales[:1]), replace(bias, scales=(bias.scales or ())[:1])
    return replace(case, inputs=(source, weight, bias))


def dense_per_channel(t: str) -> Case:
    weight, bias = weights(t, 4, 8, axis=0)
    return Case("FULLY_CONNECTED", (data(t, 1, 8), weight, bias), (wide(t, 1, 4),), ("FullyConnectedOptions", {}))


SPECIAL["FULLY_CONNECTED per channel"] = dense_per_channel


def with_weights(case: Case, dtype: str) -> Case:
    """The same sums with weights of another type, one scale for all of them."""
    source, weight, bias = case.inputs
    assert source is not None and weight is not None and bias is not None
    scale = 1 / 8
    changed = replace(weight, dtype=dtype, scales=tuple(scale for _ in weight.scales or (1,)), zero_point=0)
    rescaled = replace(bias, scales=tuple(scale * source.quantization()[0][0] for _ in bias.scales or ()))
    return replace(case, inputs=(source, changed, rescaled))


for _name, _maker in (("CONV_2D", _conv), ("DEPTHWISE_CONV_2D", _depthwise), ("FULLY_CONNECTED", _dense)):
    for _dtype in ("int4", "int8"):

        def _weighted(t: str, maker: Maker = _maker, dtype: str = _dtype) -> Case:
            return with_weights(maker(t), dtype)

        SPECIAL[f"{_name} with {_dtype} weights"] = _weighted


@probe("BATCH_MATMUL")
def _batch_matmul(t: str) -> Case:
    operands = (data(t, 1, 2, 4), data(t, 1, 4, 3))
    return Case("BATCH_MATMUL", operands, (wide(t, 1, 2, 3),), ("BatchMatMulOptions", {}))


@probe("CONV_3D")
def _conv_3d(t: str) -> Case:
    steps = ("strideD", "strideW", "strideH", "dilationDFactor", "dilationWFactor", "dilationHFactor")
    weight = Operand(t, (2, 2, 2, 2, 3), values=0.5)
    options = ("Conv3DOptions", dict.fromkeys(steps, 1))
    return Case("CONV_3D", (data(t, 1, 3, 3, 3, 2), weight, None), (wide(t, 1, 3, 3, 3, 3),), options)


@probe("EMBEDDING_LOOKUP")
def _embedding(t: str) -> Case:
    rows = Operand(t, (4, 3), values=[[0, 1, 0], [1, 0, 1], [0, 0, 1], [1, 1, 0]])
    return Case("EMBEDDING_LOOKUP", (Operand("int32", (3,), low=0, high=3), rows), (data(t, 3, 3),))


@probe("SVDF")
def _svdf(t: str) -> Case:
    weight, _ = weights(t, 4, 3, axis=0)
    weight = replace(weight, scales=weight.scales and weight.scales[:1])
    wide_type = "float32" if t == "float32" else "int16"
    one = () if t == "float32" else (2.0**-7,)
    time = Operand(wide_type, (4, 2), values=0.5, scales=() if t == "float32" else (2.0**-15,))
    state = Operand(wide_type, (1, 8), scales=() if t == "float32" else (2.0**-10,), variable=True)
    bias = Operand("float32" if t == "float32" else "int32", (4,), values=0.0, scales=one and (2.0**-25,))
    operands = (data(t, 1, 3), weight, time, bias, state)
    return Case(
        "SVDF", operands, (wide(t, 1, 4),), ("SVDFOptions", {"rank": 1, "fusedActivationFunction": 1}), version=3
    )


@probe("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _lstm(t: str) -> Case:
    """Two units over three steps, no peephole, projection or normalization: what a Keras LSTM layer becomes."""
    quantized = t != "float32"
    kind = "int8" if quantized else t
    scale = (2.0**-7,) if quantized else ()

    def gate(columns: int) -> tuple[Operand, ...]:
        return tuple(Operand(kind, (2, columns), values=0.25, scales=scale) for _ in range(4))

    bias_type = {"float32": "float32", "int16": "int64"}.get(t, "int32")
    source = data(t, 1, 3, 4)
    bias_scale = (source.quantization()[0][0] * 2.0**-7,) if source.quantization()[0] else ()
    biases = tuple(Operand(bias_type, (2,), values=0.0, scales=bias_scale) for _ in range(4))
    hidden = Operand(t, (1, 2), scales=_unit(t)[:1] if t in _UNIT else (), zero_point=0, variable=True)
    cell = Operand("int16" if quantized else t, (1, 2), scales=(2.0**-11,) if quantized else (), variable=True)
    none = (None,) * 3
    operands = (source, *gate(4), *gate(2), *none, *biases, None, None, hidden, cell, *none, None)
    table = {"fusedActivationFunction": 4, "cellClip": 10.0, "projClip": 0.0, "timeMajor": False}
    between = tuple(Operand("int16", (0,), scales=(2.0**-12,)) for _ in range(4))
    states = (*between, Operand(t, (0,), scales=_unit(t))) if quantized else ()
    output = Operand(t, (1, 3, 2), scales=_unit(t))
    return Case(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", operands, (output,), ("UnidirectionalSequenceLSTMOptions", table), 1, states
    )


_UNIT = {"int8": 2.0**-7, "int16": 2.0**-15, "uint8": 2.0**-7}


def _unit(t: str) -> tuple[float, ...]:
    return (_UNIT[t],) if t in _UNIT else ()


# --- windows and grids ----------------------------------------------------------------------------------------------

for _name in ("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"):

    def _pool(t: str, name: str = _name) -> Case:
        options = {"strideW": 2, "strideH": 2, "filterWidth": 2, "filterHeight": 2}
        return Case(name, (data(t, 1, 4, 4, 2),), (data(t, 1, 2, 2, 2),), ("Pool2DOptions", options))

    CASES[_name] = _pool

for _name in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):

    def _resize(t: str, name: str = _name) -> Case:
        options: Options = (
            "ResizeBilinearOptions" if name == "RESIZE_BILINEAR" else "ResizeNearestNeighborOptions",
            {},
        )
        return Case(name, (data(t, 1, 2, 2, 2), integers(4, 4)), (data(t, 1, 4, 4, 2),), options)

    CASES[_name] = _resize


@probe("DEPTH_TO_SPACE")
def _depth_to_space(t: str) -> Case:
    return Case(
        "DEPTH_TO_SPACE", (data(t, 1, 2, 2, 4),), (data(t, 1, 4, 4, 1),), ("DepthToSpaceOptions", {"blockSize": 2})
    )


@probe("SPACE_TO_DEPTH")
def _space_to_depth(t: str) -> Case:
    return Case(
        "SPACE_TO_DEPTH", (data(t, 1, 4, 4, 1),), (data(t, 1, 2, 2, 4),), ("SpaceToDepthOptions", {"blockSize": 2})
    )


@probe("BATCH_TO_SPACE_ND")
def _batch_to_space(t: str) -> Case:
    operands = (data(t, 4, 2, 2, 1), integers(2, 2), integers(0, 0, 0, 0, shape=(2, 2)))
    return Case("BATCH_TO_SPACE_ND", operands, (data(t, 1, 4, 4, 1),))


@probe("SPACE_TO_BATCH_ND")
def _space_to_batch(t: str) -> Case:
    operands = (data(t, 1, 4, 4, 1), integers(2, 2), integers(0, 0, 0, 0, shape=(2, 2)))
    return Case("SPACE_TO_BATCH_ND", operands, (data(t, 4, 2, 2, 1),))

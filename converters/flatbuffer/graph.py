"""Tensors, operators and graphs of a `.tflite` file as plain values, made from the rows of the checked walk."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import decode
from converters.errors import ModelError
from converters.flatbuffer.constants import stored_in, weight_of
from converters.flatbuffer.layer_names import layer_of
from converters.flatbuffer.macs import macs_of
from converters.flatbuffer.schema import OPERATORS, TENSOR_TYPES
from converters.flatbuffer.walk import Row, Walk, as_tuple

# Bits of one stored element; types that are not here (string, resource, variant) have no fixed size.
BITS: Mapping[str, int] = {
    "int2": 2, "int4": 4, "uint4": 4, "bool": 8, "int8": 8, "uint8": 8, "float8_e4m3fn": 8, "float8_e5m2": 8,
    "int16": 16, "uint16": 16, "float16": 16, "bfloat16": 16, "int32": 32, "uint32": 32, "float32": 32,
    "int64": 64, "uint64": 64, "float64": 64, "complex64": 64, "complex128": 128,
}  # fmt: skip
FLOATS = frozenset({
    "float8_e4m3fn", "float8_e5m2", "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
})  # fmt: skip
_MAX_RANK = 64  # NumPy's limit; TFLite's kernels take 8 at most
_MAX_ELEMENTS = 1 << 48


@dataclass(frozen=True)
class Coded:
    """Where the file stores a constant that a DECODE operator restores.

    Attributes:
        encoding: its name, see `converters.decode`.
        stream: buffer of the encoded values.
        table: buffer of the operator's table.
        bytes: size of the encoded values.
    """

    encoding: str
    stream: int
    table: int
    bytes: int


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a graph.

    Attributes:
        index: its number in the graph.
        name: as stored.
        layer: the Keras layer it came from; empty where its name tells none.
        shape: static shape, batch first.
        dtype: NumPy-like name: `int8`, `float32`, `int4`, `bool`, `string`, `resource`, ...
        bytes: size of the stored buffer of a constant; of the values by shape for others (0 where types have no size).
        buffer: number of its buffer.
        is_constant: whether the file stores its values, plain or encoded.
        is_variable: whether it keeps its values from one run to the next.
        is_quantized: whether the file says how integers become real numbers.
        scales: float32 [n]; n is 0 without quantization, 1 per tensor, the length of `axis` per channel.
        zero_points: int64 [n]; real = scale * (integer - zero_point).
        axis: the axis that `scales` run along.
        shape_signature: the shape with -1 for what may change when the model is loaded; empty if nothing may.
        is_sparse: whether its buffer stores only some values, placed by a sparsity table.
        coded: where an encoded constant is stored; None for all others.
    """

    index: int
    name: str
    layer: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    buffer: int
    is_constant: bool
    is_variable: bool
    is_quantized: bool
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int
    shape_signature: tuple[int, ...]
    is_sparse: bool
    coded: Coded | None = None

    @property
    def encoding(self) -> str:
        """How the file stores a constant that a DECODE operator restores (`lut`, ...); empty for all others."""
        return self.coded.encoding if self.coded else ""

    @property
    def stored_bytes(self) -> int:
        """Bytes of a constant in the file; of an encoded one without its table, which others may share."""
        return self.coded.bytes if self.coded else self.bytes if self.is_constant else 0

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether its elements are floating-point numbers."""
        return self.dtype in FLOATS


@dataclass(frozen=True)
class Operator:
    """One operator of a graph.

    Attributes:
        index: its number in the graph, in the order of execution.
        name: name of the builtin operator (`CONV_2D`), or the custom code.
        version: version of the operator's kernel that the file asks for.
        layer: the Keras layer it belongs to; empty where no name tells.
        inputs: numbers of tensors; -1 for an absent optional input.
        outputs: numbers of tensors.
        macs: multiply-accumulates of one run (see `macs.py`).
        options: options by their names in the schema; enumerations as their numbers.
        is_custom: whether a custom operator, which a runtime has to be given.
        custom_options: options of a custom operator, in its own format.
    """

    index: int
    name: str
    version: int
    layer: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int
    options: Mapping[str, Any] = field(compare=False)
    is_custom: bool
    custom_options: bytes


@dataclass(frozen=True, eq=False)
class Graph:
    """One graph: the model itself, or a branch or loop body that it calls.

    Attributes:
        name: as stored; may be empty.
        tensors: all tensors, by their number.
        operators: in the order of execution.
        inputs: numbers of the tensors that go in.
        outputs: numbers of the tensors that come out.
    """

    name: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_graph(
    walk: Walk, row: Row, codes: Sequence[Row], buffers: Sequence[slice], names: Sequence[str] | None = None
) -> Graph:
    """Makes a graph of the row of a `SubGraph` table.

    Args:
        walk: for its budget: what is shared in the file is counted for every use.
        row: the table.
        codes: rows of the model's operator codes.
        buffers: where the values of each buffer lie in the file.
        names: of its tensors, where the file does not keep them.

    Raises:
        ModelError: a number that leads nowhere, a shape that does not fit its values.
    """
    items = row["tensors"] or ()
    if names is None:
        names = [item["name"] or "" for item in items]
    elif len(names) != len(items):
        raise ModelError(f"{len(names)} names came for the {len(items)} tensors of a graph; give one for each")
    tensors = tuple(_tensor(walk, index, item, buffers, names[index]) for index, item in enumerate(items))
    inputs = _numbers(row["inputs"], len(tensors), "the inputs of the model", 0)
    outputs = _numbers(row["outputs"], len(tensors), "the outputs of the model", 0)
    for index in inputs + outputs:
        walk.charge(len(tensors[index].name) + 8 * len(tensors[index].shape) + tensors[index].scales.nbytes)
    rows = row["operators"] or ()
    bare = [_operator(walk, number, one, codes, tensors) for number, one in enumerate(rows)]
    tensors = _with_coded(walk, bare, tensors, buffers)
    return Graph(row["name"] or "", tensors, _with_layers(walk, bare, tensors, {*inputs, *outputs}), inputs, outputs)


def _with_coded(
    walk: Walk, operators: Sequence[Operator], tensors: tuple[Tensor, ...], buffers: Sequence[slice]
) -> tuple[Tensor, ...]:
    """The tensors, of which those that DECODE operators restore know where they are stored.

    Raises:
        ModelError: together they are far larger than what the file could hold.
    """
    found, elements = list(tensors), 0
    for operator in operators:
        # One that TFLM would refuse restores nothing.
        paired = len(operator.inputs) == 2 * len(operator.outputs) and -1 not in operator.inputs
        if operator.name != decode.OPERATOR or not paired:
            continue
        sources = (tensors[index] for index in operator.inputs)
        for output, stream, table in zip(operator.outputs, sources, sources, strict=True):
            place = buffers[table.buffer]
            encoding = decode.name_of(walk.data[place.start : min(place.stop, place.start + decode.HEADER_BYTES)])
            if encoding is not None and stream.is_constant:
                elements += tensors[output].elements
                if elements > max(8 * len(walk.data), decode.MOST_ELEMENTS):
                    raise ModelError(
                        f"{len(walk.data):,} bytes decode to over {elements:,} values; the file is damaged"
                    )
                coded = Coded(encoding, stream.buffer, table.buffer, stream.bytes)
                found[output] = replace(tensors[output], is_constant=True, coded=coded)
    return tuple(found)


def _tensor(walk: Walk, index: int, row: Row, buffers: Sequence[slice], name: str) -> Tensor:
    who = f"tensor {index} ({shown(name)})"
    dtype, shape = _checked_type(row, who)
    if row["buffer"] >= len(buffers):
        raise ModelError(f"{who} has buffer {row['buffer']} of {len(buffers)}; the file is damaged, make it again")
    place = buffers[row["buffer"]]
    stored = place.stop - place.start
    by_shape = -(-math.prod(shape) * BITS.get(dtype, 0) // 8)
    is_constant = stored > 0 and not row["is_variable"]
    is_sparse = row["sparsity"] is not None
    if is_constant:
        walk.charge(stored)
        if dtype in BITS and not is_sparse and stored != by_shape:
            raise ModelError(
                f"{who} stores {stored} bytes, but {dtype} of shape {list(shape)} takes {by_shape}; the file is damaged"
            )
    scales, zero_points, axis = _checked_scales(row["quantization"] or {}, shape, who)
    return Tensor(
        index=index,
        name=name,
        layer=layer_of(name),
        shape=shape,
        dtype=dtype,
        bytes=stored if is_constant else by_shape,
        buffer=row["buffer"],
        is_constant=is_constant,
        is_variable=row["is_variable"],
        is_quantized=len(scales) > 0 or (row["quantization"] or {}).get("details") is not None,
        scales=scales,
        zero_points=zero_points,
        axis=axis,
        shape_signature=as_tuple(row["shape_signature"]),
        is_sparse=is_sparse,
    )


def _checked_type(row: Row, who: str) -> tuple[str, tuple[int, ...]]:
    """Type and shape; of a size that NumPy and 64-bit integers can hold."""
    if not 0 <= row["type"] < len(TENSOR_TYPES):
        raise ModelError(f"{who} has the unknown type {row['type']}; the file is damaged, or newer than this tool")
    shape = as_tuple(row["shape"])
    if len(shape) > _MAX_RANK:
        raise ModelError(f"{who} has {len(shape)} dimensions; at most {_MAX_RANK} are possible, the file is damaged")
    if any(size < 0 for size in shape) or math.prod(shape) > _MAX_ELEMENTS:
        raise ModelError(f"{who} has the impossible shape {list(shape)}; the file is damaged, make it again")
    return TENSOR_TYPES[row["type"]], shape


def _checked_scales(
    quantization: Row, shape: tuple[int, ...], who: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    """Scales, zero points and the axis they run along, which the shape has."""
    scales, zero_points = quantization.get("scale"), quantization.get("zero_point")
    axis = quantization.get("quantized_dimension", 0)
    scales = np.zeros(0, np.float32) if scales is None else scales
    if len(shape) == 1 and axis > 0 and len(scales) in (1, shape[0]):
        axis = 0  # converters of 2020 gave a bias the axis of its depthwise kernel; no runtime reads it
    if len(scales) and not (0 <= axis < len(shape) or (not shape and len(scales) == 1)):
        raise ModelError(
            f"{who} has scales along axis {axis} of shape {list(shape)}; the file is damaged, make it again"
        )
    return scales, np.zeros(0, np.int64) if zero_points is None else zero_points, axis


def _numbers(vector: NDArray[Any] | None, count: int, what: str, lowest: int) -> tuple[int, ...]:
    """Numbers of tensors, each at least `lowest` and below `count`."""
    if vector is None or not len(vector):
        return ()
    if vector.min() < lowest or vector.max() >= count:
        wrong = int(vector.max() if vector.max() >= count else vector.min())
        raise ModelError(f"{what} name tensor {wrong}, but there are {count}; the file is damaged, make it again")
    return as_tuple(vector)


def _with_layers(
    walk: Walk, bare: Sequence[Operator], tensors: tuple[Tensor, ...], doors: Collection[int]
) -> tuple[Operator, ...]:
    if not any(tensor.name for tensor in tensors if tensor.index not in doors):
        return tuple(bare)  # the names of inputs and outputs alone lead to no layer
    stored = stored_in(bare, tensors)
    made_by: dict[int, str] = {}
    operators = []
    for operator in bare:
        layer = _layer(operator, tensors, stored, made_by)
        walk.charge(len(layer))
        made_by.update(dict.fromkeys(operator.outputs, layer))
        operators.append(replace(operator, layer=layer))
    return tuple(operators)


def _operator(walk: Walk, index: int, row: Row, codes: Sequence[Row], tensors: tuple[Tensor, ...]) -> Operator:
    if row["opcode_index"] >= len(codes):
        raise ModelError(f"operator {index} has code {row['opcode_index']} of {len(codes)}; the file is damaged")
    code = codes[row["opcode_index"]]
    # Old readers know a signed byte only; the number moved to a wider field (schema_utils.cc, GetBuiltinCode).
    number = max(code["builtin_code"], code["deprecated_builtin_code"])
    if not 0 <= number < len(OPERATORS):
        raise ModelError(f"operator {index} has the unknown code {number}; the file is damaged or newer than this tool")
    is_custom = OPERATORS[number] == "CUSTOM"
    name = (code["custom_code"] or "") if is_custom else OPERATORS[number]
    what = f"operator {index} ({shown(name)}):"
    inputs = _numbers(row["inputs"], len(tensors), f"{what} inputs", -1)
    outputs = _numbers(row["outputs"], len(tensors), f"{what} outputs", 0)
    options = _options(walk, row)
    shapes = [tensors[number].shape if number >= 0 else None for number in inputs]
    macs = macs_of(name, options, shapes, [tensors[number].shape for number in outputs])
    return Operator(
        index, name, code["version"], "", inputs, outputs, macs, options, is_custom, _custom_options(walk, row)
    )


def _options(walk: Walk, row: Row) -> dict[str, Any]:
    options = (row["builtin_options"] or {}) | (row["builtin_options2"] or {})
    plain: dict[str, Any] = {}
    for name, value in options.items():
        if isinstance(value, np.ndarray):
            plain[name] = tuple(value.tolist())
        elif isinstance(value, slice):
            plain[name] = walk.data[value]
        else:
            plain[name] = value
    return plain


def _custom_options(walk: Walk, row: Row) -> bytes:
    start, size = row["large_custom_options_offset"], row["large_custom_options_size"]
    if start > 1:  # 0 and 1 say that the options are not behind the flatbuffer
        place = behind(walk, start, size, "the options of a custom operator")
        walk.claim(start, size, "graph")
        return walk.data[place]
    inline: slice = row["custom_options"] or slice(0, 0)
    return walk.data[inline]


def behind(walk: Walk, start: int, size: int, what: str) -> slice:
    """The place of data that a model over 2 GB stores behind its flatbuffer.

    Raises:
        ModelError: it is not within the file.
    """
    if start + size > len(walk.data):
        raise ModelError(f"{what} should lie at bytes {start} to {start + size} of {len(walk.data)}; the file is cut")
    walk.charge(size)
    return slice(start, start + size)


def _layer(
    operator: Operator, tensors: tuple[Tensor, ...], stored: Mapping[int, int], made_by: Mapping[int, str]
) -> str:
    """The layer of its weight; else of an output; else of who made its first input (`Identity` names nothing)."""
    weight = weight_of(operator)
    weight = stored.get(weight, weight) if weight is not None else None
    if weight is not None and tensors[weight].is_constant and tensors[weight].layer:
        return tensors[weight].layer
    for index in operator.outputs:
        if tensors[index].layer:
            return tensors[index].layer
    for index in operator.inputs:
        layer = made_by.get(index) or (tensors[index].layer if index >= 0 else "")
        if layer:
            return layer
    return ""


def shown(name: str) -> str:
    """A name from a file, fit for one line of a terminal: no control characters, not too long."""
    printable = "".join(letter if letter.isprintable() else "?" for letter in name[:200])
    return printable if len(name) <= 80 else printable[:77] + "..."

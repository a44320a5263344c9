"""Weights of an integer file on the very grid that training chose, instead of the one that the quantizer measured.

    q = round(w / s), clipped to -127..127            w from the float file, s as given, bit for bit
    q_bias = round(b / (s_input * s))                 int32, or int64 beside 16-bit activations

A quantizer takes the largest weight of each channel for 127. A codebook of k integers survives that only where every
channel uses its largest entry, so the scales that the codebook was made for are put in afterwards; both quantizers'
files are treated alike. Symmetric weights and the bias scale are those of the LiteRT quantization specification
(https://ai.google.dev/edge/litert/models/quantization_spec).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.errors import ConversionError
from converters.flatbuffer import FlatBuffer, Operator, objects
from converters.flatbuffer.constants import biases_of, weight_of
from converters.flatbuffer.kernels import StoredKernel, find, kernels_in_file

Array = NDArray[Any]
WeightScales = Mapping[str, Array]

# The range of a weight is symmetric: -128 is not used (see the specification).
_LARGEST = 127
# 64-bit accumulators of at most 48 bits are scaled: MultiplyByQuantizedMultiplier in
# tensorflow/lite/kernels/internal/common.cc.
_LARGEST_BIAS = {"int32": 2**31 - 1, "int64": 2**47 - 1}
_DATA_INPUT = {"TRANSPOSE_CONV": 2}


@dataclass(frozen=True)
class _Place:
    """One operator of the integer file that reads the kernel, and what the float file has there.

    Attributes:
        operator: of the integer file.
        weights: float, as the file lays them out.
        bias: float [n]; zeros where the float file has none.
        input_scale: of the operator's data.
        bias_tensor: its number in the integer file, or None.
        largest_bias: that the type of the bias and the kernels hold.
    """

    operator: Operator
    weights: Array
    bias: Array
    input_scale: float
    bias_tensor: int | None
    largest_bias: int


def apply(integer_file: bytes, float_file: bytes, scales: WeightScales) -> bytes:
    """The integer file with the named kernels quantized again, with exactly these scales.

    What is shared with other operators is copied first. The form of the file stays: a single scale fills a vector.
    A channel of zeros whose bias would overflow gets a larger scale than asked for, which changes nothing but lets
    the bias be stored.

    Args:
        integer_file: what a quantizer made of `float_file`, int8 weights.
        float_file: the file before, whose weights are used.
        scales: kernel name (`conv2d_3/kernel`) -> scales that broadcast against the Keras kernel: `[1, 1, 1, O]`,
            depthwise `[1, 1, C, M]`, transposed `[1, 1, O, 1]`, Dense `[1, 1]` or `[1, O]`; positive float32.

    Raises:
        ConversionError: a name that a file lacks, scales that do not fit the kernel, a bias beyond its type.
    """
    integers, floats = FlatBuffer(integer_file), FlatBuffer(float_file)
    stored, sources = kernels_in_file(integers), kernels_in_file(floats)
    editor = _Editor(objects.unpack(integer_file))
    for name, asked in scales.items():
        kernel, source = find(stored, name), find(sources, name)
        if kernel is None or source is None:
            known = ", ".join(stored) or "none"
            raise ConversionError(f"weight scales are given for {name!r}, but the file's kernels are {known}")
        vector = _vector(name, asked, kernel)
        places = _places(name, integers, kernel, floats, source)
        for place in places:
            vector = _widened(name, vector, kernel.tensor.axis, place)
        _write(editor, kernel, vector, places)
    return objects.pack(editor.model)


def _vector(name: str, asked: Array, kernel: StoredKernel) -> NDArray[np.float32]:
    """The scales as the file keeps them: float32 [n]."""
    given = np.asarray(asked, np.float32)
    if not (given.size and np.isfinite(given).all() and (given > 0).all()):
        raise ConversionError(f"the weight scales of {name!r} hold a value that is not a positive number")
    if kernel.tensor.dtype != "int8" or kernel.layer_class == "Embedding":
        # A lookup copies integers: its scale is that of its output.
        what = "a lookup table" if kernel.layer_class == "Embedding" else f"stored as {kernel.tensor.dtype}"
        raise ConversionError(
            f"weight scales are given for {name!r}, which is {what}; leave it out, they are for int8 kernels"
        )
    flat, channels = given.reshape(-1), len(kernel.scales)
    if given.size in (1, channels):
        return np.ascontiguousarray(np.broadcast_to(flat, (channels,)))
    if channels == 1 and (flat == flat[0]).all():
        return flat[:1]
    raise ConversionError(
        f"the weight scales of {name!r} have shape {list(given.shape)}, but the file has {channels} for this kernel; "
        "give one, or as many (Dense layers: see the option dense)"
    )


def _places(
    name: str, integers: FlatBuffer, kernel: StoredKernel, floats: FlatBuffer, source: StoredKernel
) -> list[_Place]:
    if len(kernel.operators) != len(source.operators):
        raise ConversionError(
            f"{name!r} is read by {len(source.operators)} operators of the float file and {len(kernel.operators)} of "
            "the integer file; the quantizer changed this layer, leave its weight scales out"
        )
    places = []
    for operator, original in zip(kernel.operators, source.operators, strict=True):
        weights = floats.constant(floats.tensors[weight_of(original) or 0])
        data = integers.tensors[operator.inputs[_DATA_INPUT.get(operator.name, 0)]]
        bias_tensor = next(iter(biases_of(operator)), None)
        float_bias = next(iter(biases_of(original)), None)
        if weights.shape != kernel.tensor.shape or data.scales.size != 1:
            raise ConversionError(f"the quantizer changed the operator of {name!r}; leave its weight scales out")
        bias = np.zeros(1) if float_bias is None else floats.constant(floats.tensors[float_bias])
        dtype = "int32" if bias_tensor is None else integers.tensors[bias_tensor].dtype
        scale = float(data.scales[0])
        places.append(_Place(operator, weights, bias.astype(np.float64), scale, bias_tensor, _LARGEST_BIAS[dtype]))
    return places


def _quantized(weights: Array, vector: NDArray[np.float32], axis: int) -> NDArray[np.int8]:
    """`weights` in steps of their scales, along `axis` where there are several."""
    column = [1] * weights.ndim
    column[axis if vector.size > 1 else 0] = vector.size
    steps = np.rint(weights.astype(np.float64) / vector.astype(np.float64).reshape(column))
    return np.clip(steps, -_LARGEST, _LARGEST).astype(np.int8)


def _widened(name: str, vector: NDArray[np.float32], axis: int, place: _Place) -> NDArray[np.float32]:
    """The scales, larger where the bias needs it and the channel is all zeros.

    Raises:
        ConversionError: a bias does not fit, and the channel's weights are not zeros.
    """
    needed = np.abs(place.bias) / (place.input_scale * place.largest_bias)
    if vector.size == 1:
        needed = needed.max(keepdims=True)
    short = np.broadcast_to(needed, vector.shape) > vector
    if not short.any():
        return vector
    integers = _quantized(place.weights, vector, axis)
    other_axes = tuple(other for other in range(integers.ndim) if vector.size == 1 or other != axis)
    wrong = np.flatnonzero(short & integers.any(axis=other_axes))
    if len(wrong):
        raise ConversionError(
            f"the bias of channel {wrong[0]} of {name!r} is too large for a weight scale of {vector[wrong[0]]:.3g}; "
            f"give at least {np.broadcast_to(needed, vector.shape)[wrong[0]]:.3g}"
        )
    # Twice, so that rounding to float32 cannot bring it back to the edge.
    return np.where(short, 2 * needed, vector).astype(np.float32)


def _write(editor: _Editor, kernel: StoredKernel, vector: NDArray[np.float32], places: Sequence[_Place]) -> None:
    axis = kernel.tensor.axis
    by_tensor: dict[int, list[_Place]] = {}
    for place in places:
        by_tensor.setdefault(weight_of(place.operator) or 0, []).append(place)
    for index, sharing in by_tensor.items():
        readers = [place.operator.index for place in sharing]
        weights = _quantized(sharing[0].weights, vector, axis)
        editor.put(index, readers, kernel.name, (weights, vector, axis))
    for place in places:
        if place.bias_tensor is None:
            continue
        scales = place.input_scale * vector.astype(np.float64)
        dtype = np.int64 if place.largest_bias > 2**31 else np.int32
        bias = np.rint(np.broadcast_to(place.bias, _length(editor, place.bias_tensor)) / scales).astype(dtype)
        quantized = (bias, scales.astype(np.float32), 0)
        editor.put(place.bias_tensor, [place.operator.index], f"{kernel.layer}/bias", quantized)


def _length(editor: _Editor, tensor: int) -> tuple[int, ...]:
    return tuple(int(size) for size in editor.model.subgraphs[0].tensors[tensor].shape)


class _Editor:
    """Changes constants of the main graph; what others read as well is copied first."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self._graph = model.subgraphs[0]

    def put(self, index: int, readers: Sequence[int], name: str, quantized: tuple[Array, Array, int]) -> None:
        """Stores integers, with their scales along an axis, in the tensor `index` as these operators read it.

        Args:
            index: number of the tensor.
            readers: numbers of operators.
            name: of the copy, if there has to be one.
            quantized: integers as the file lays them out, float32 [n] scales, axis.
        """
        from ai_edge_litert import schema_py_generated as schema

        integers, scales, axis = quantized
        if {number for number, operator in enumerate(self._graph.operators) if index in operator.inputs} - {*readers}:
            index = self._copy(index, readers, name)
        tensor = self._graph.tensors[index]
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = scales
        tensor.quantization.zeroPoint = np.zeros(scales.size, np.int64)
        tensor.quantization.quantizedDimension = axis
        if sum(other.buffer == tensor.buffer for graph in self.model.subgraphs for other in graph.tensors) > 1:
            self.model.buffers.append(schema.BufferT())
            tensor.buffer = len(self.model.buffers) - 1
        little_endian = integers.astype(integers.dtype.newbyteorder("<"))
        self.model.buffers[tensor.buffer].data = np.frombuffer(little_endian.tobytes(), np.uint8)

    def _copy(self, index: int, readers: Sequence[int], name: str) -> int:
        tensor = copy.copy(self._graph.tensors[index])
        taken = {bytes(other.name or b"") for other in self._graph.tensors}
        tensor.name, count = name.encode(), 0
        while tensor.name in taken:
            count += 1
            tensor.name = f"{name}_{count}".encode()
        self._graph.tensors.append(tensor)
        copied = len(self._graph.tensors) - 1
        for number in readers:
            operator = self._graph.operators[number]
            operator.inputs = [copied if int(other) == index else int(other) for other in operator.inputs]
        return copied

"""The kernels that a `.tflite` file stores, by their Keras names and in Keras layout.

    kernels_in_file(flatbuffer)["conv2d_3/kernel"].values      int8 [H, W, I, O], as Keras would keep it

A file names layers, not their attributes. The weight's name tells the layer; but the converter stores equal constants
of several layers once, under the name of one of them, so where several operators read a weight the output's name tells
(unless it is the model's own output, which the user may have named anything). Kernels of the main graph only: what
stands in a loop belongs to a recurrent layer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from converters.flatbuffer.constants import weight_of
from converters.flatbuffer.file import FlatBuffer
from converters.flatbuffer.graph import Graph, Operator, Tensor
from converters.flatbuffer.layer_names import layer_of
from converters.keras_models.kernels import from_file_layout

# Operator -> class of the Keras layer, attribute, and rank of the weight in the file.
_CLASSES: Mapping[str, tuple[str, str, int]] = {
    "CONV_2D": ("Conv2D", "kernel", 4),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2D", "depthwise_kernel", 4),
    "TRANSPOSE_CONV": ("Conv2DTranspose", "kernel", 4),
    "FULLY_CONNECTED": ("Dense", "kernel", 2),
    "GATHER": ("Embedding", "embeddings", 2),
    "EMBEDDING_LOOKUP": ("Embedding", "embeddings", 2),
}
_DTYPES = frozenset({"int8", "int4", "int2", "uint8", "int16", "float16", "float32"})
# What `converters.naming` and the quantizers call the tensor behind an output of the model.
_OUTPUT = re.compile(r"/output\w*\Z")
_IN_ONE_DIMENSION = {"Conv2D": "Conv1D", "DepthwiseConv2D": "DepthwiseConv1D"}


@dataclass(frozen=True, eq=False)
class StoredKernel:
    """One kernel of a file.

    Attributes:
        name: `<layer>/<attribute>`.
        layer: the Keras layer, with `_` where its name has `/`.
        layer_class: `Conv2D`, `Dense`, ...; a one-dimensional layer is told by heights of 1.
        operators: those that read it; several where a layer is called several times.
        tensor: the weight of the first of them, as stored.
        values: its numbers in Keras layout, read-only.
        scales: float32 [n], one for each output channel or one for all; empty in a float file.
    """

    name: str
    layer: str
    layer_class: str
    operators: tuple[Operator, ...]
    tensor: Tensor
    values: NDArray[np.generic]
    scales: NDArray[np.float32]


def kernels_in_file(flatbuffer: FlatBuffer) -> dict[str, StoredKernel]:
    """The kernels of the main graph by name, in the order of execution; encoded ones (DECODE) are left out."""
    graph = flatbuffer.graphs[0]
    grouped: dict[str, list[Operator]] = {}
    for operator, layer in _owners(graph):
        grouped.setdefault(f"{layer}/{_CLASSES[operator.name][1]}", []).append(operator)
    return {name: _stored(flatbuffer, name, tuple(operators)) for name, operators in grouped.items()}


def find(kernels: Mapping[str, StoredKernel], name: str) -> StoredKernel | None:
    """The kernel of that name; also by the layer alone where it has one kernel, whatever the attribute is called.

    (A grouped convolution with one input per group is a depthwise operator in the file.)
    """
    layer, _, attribute = name.rpartition("/")
    layer = layer.replace("/", "_")  # as `converters.naming` writes it
    exact = kernels.get(f"{layer}/{attribute}")
    same_layer = [kernel for kernel in kernels.values() if kernel.layer == layer]
    return exact or (same_layer[0] if len(same_layer) == 1 else None)


def _owners(graph: Graph) -> Iterator[tuple[Operator, str]]:
    """Operators with a stored kernel, and the layer of each; see the module docstring."""
    weights: dict[int, Tensor] = {}
    for operator in graph.operators:
        index = weight_of(operator) if operator.name in _CLASSES else None
        if index is not None and operator.outputs and _is_kernel(graph.tensors[index], _CLASSES[operator.name][2]):
            weights[operator.index] = graph.tensors[index]
    readers = Counter(weight.index for weight in weights.values())
    for number, weight in weights.items():
        output = graph.tensors[graph.operators[number].outputs[0]]
        named_by_user = output.index in graph.outputs or _OUTPUT.search(output.name)
        computed = layer_of(output.name)
        is_merged = readers[weight.index] > 1 and not named_by_user
        layer = (computed or weight.layer) if is_merged else (weight.layer or computed)
        if layer:
            yield graph.operators[number], layer


def _is_kernel(weight: Tensor, rank: int) -> bool:
    plain = weight.is_constant and not weight.is_sparse and weight.dtype in _DTYPES
    return plain and len(weight.shape) == rank


def _stored(flatbuffer: FlatBuffer, name: str, operators: tuple[Operator, ...]) -> StoredKernel:
    tensors = flatbuffer.tensors
    first = operators[0]
    tensor = tensors[weight_of(first) or 0]
    layer_class = _CLASSES[first.name][0]
    data = tensors[first.inputs[0]].shape if first.inputs[0] >= 0 else ()
    if layer_class in _IN_ONE_DIMENSION and "conv2d" not in tensor.name.lower():
        heights = {shape[1:2] for shape in (tensor.shape, data, tensors[first.outputs[0]].shape)}
        if heights == {(1,)} and data[2:3] != (1,):  # an image of one pixel has two dimensions
            layer_class = _IN_ONE_DIMENSION[layer_class]
    # The kernels divide the channels themselves; the option `depth_multiplier` may be absent or wrong.
    multiplier = tensor.shape[-1] // (data[-1] or 1) if layer_class.startswith("Depthwise") and data else 1
    if multiplier < 1 or tensor.shape[-1] % multiplier:
        multiplier = 1
    values = from_file_layout(layer_class, flatbuffer.constant(tensor), depth_multiplier=multiplier)
    return StoredKernel(name, name.rpartition("/")[0], layer_class, operators, tensor, values, tensor.scales)

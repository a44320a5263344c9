"""One operator with its tensors, as the kernels' sizes need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from converters.flatbuffer import FlatBuffer, Graph, Operator, Tensor
from converters.runtimes.device_arena.lifetimes import tensor_bytes


class Pair(NamedTuple):
    """Something along height and width."""

    h: int
    w: int


class Dims(NamedTuple):
    """Shape of a tensor by its axes, as `cmsis_nn_dims`."""

    n: int
    h: int
    w: int
    c: int


@dataclass(frozen=True)
class Layer:
    """An operator of a graph.

    Attributes:
        graph: number of the graph.
        operator: the operator.
        inputs: its tensors; None for an absent optional one.
        outputs: its tensors.
    """

    graph: int
    operator: Operator
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """The operator's name."""
        return self.operator.name

    @property
    def dtype(self) -> str:
        """Type of the input that it computes on."""
        return self.tensor(2 if self.name == "TRANSPOSE_CONV" else 0).dtype

    @property
    def rank(self) -> int:
        """Axes of the first input."""
        return len(self.tensor(0).shape)

    def tensor(self, index: int) -> Tensor:
        """An input that has to be there; an operator without it counts as damaged (IndexError)."""
        found = self.optional(index)
        if found is None:
            raise IndexError(f"{self.name} has no input {index}")
        return found

    def optional(self, index: int) -> Tensor | None:
        """An input, or None."""
        return self.inputs[index] if index < len(self.inputs) else None

    def option(self, name: str, default: Any = 0) -> Any:
        """One of the operator's options."""
        return self.operator.options.get(name, default)

    @cached_property
    def stride(self) -> Pair:
        """Steps of a window."""
        return Pair(self.option("stride_h", 1), self.option("stride_w", 1))

    @cached_property
    def dilation(self) -> Pair:
        """Distance of a window's elements."""
        return Pair(self.option("dilation_h_factor", 1), self.option("dilation_w_factor", 1))

    def padding(self, source: Dims, window: Dims) -> Pair:
        """Elements before the first row and column (ComputePaddingHeightWidth, tensorflow/lite/kernels/padding.h)."""
        return Pair(*(self._padding(source[axis], window[axis], axis - 1) for axis in (1, 2)))

    def _padding(self, size: int, window: int, axis: int) -> int:
        stride, wide = self.stride[axis], (window - 1) * self.dilation[axis] + 1
        same = self.option("padding") == 0
        steps = -(-size // stride) if same else (size + stride - wide) // stride
        return max((steps - 1) * stride + wide - size, 0) // 2


def dims(tensor: Tensor) -> Dims:
    """Shape of a tensor of four axes.

    Raises:
        ValueError: it has another number of axes.
    """
    n, h, w, c = tensor.shape
    return Dims(n, h, w, c)


def layers(flatbuffer: FlatBuffer) -> Iterator[Layer]:
    """All operators in the order in which TFLM prepares them (MicroInterpreterGraph::PrepareSubgraphs)."""
    for number, graph in enumerate(flatbuffer.graphs):
        for operator in graph.operators:
            yield _layer(number, graph, operator)


def _layer(number: int, graph: Graph, operator: Operator) -> Layer:
    inputs = tuple(graph.tensors[index] if index >= 0 else None for index in operator.inputs)
    return Layer(number, operator, inputs, tuple(graph.tensors[index] for index in operator.outputs))


def channels_last(tensor: Tensor) -> int:
    """Length of the last axis."""
    return tensor.shape[-1]


def value_bytes(tensor: Tensor) -> int:
    """Bytes of one value."""
    return tensor_bytes(tensor) // max(tensor.elements, 1)

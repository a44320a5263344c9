"""What TFLM plans in the head of its arena, and for how long each buffer is needed.

A port of AllocationInfoBuilder (tensorflow/lite/micro/micro_allocation_info.cc): all tensors without stored values, by
graph and number, then the scratch buffers in the order in which the kernels asked for them. Time is counted in scopes:
one for each operator, one for each graph that an operator calls.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, Graph, Operator, Tensor
from converters.runtimes.device_arena.planner import ONLINE, Buffer

# kOfflineMemAllocMetadata; its words are version, graph, number of tensors, and an offset for each of them.
_OFFLINE = "OfflineMemoryAllocation"
_HEADER_WORDS = 3
# The graphs that an operator calls (MarkSubgraphLifetimesIfNecessary), by options of the schema.
_CALLS = {
    "IF": ("then_subgraph_index", "else_subgraph_index"),
    "CALL_ONCE": ("init_subgraph_index",),
    "WHILE": ("cond_subgraph_index", "body_subgraph_index"),
}
# TfLiteTypeSizeOf (memory_helpers.cc), in bytes; an int4 activation takes a byte.
_TYPE_BYTES = {
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "int4": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "int64": 8,
    "uint64": 8,
    "bool": 1,
    "resource": 4,
    "complex64": 8,
    "complex128": 16,
}


@dataclass(frozen=True)
class Scratch:
    """A buffer that a kernel asks for while it runs.

    Attributes:
        bytes: its size.
        graph: number of the graph.
        operator: number of the operator.
    """

    bytes: int
    graph: int
    operator: int


@dataclass
class _Life:
    first: int = -1
    last: int = -1

    def begin(self, scope: int) -> None:
        if self.first == -1:
            self.first = scope


@dataclass
class _Lives:
    graphs: Sequence[Graph]
    scratch: Sequence[Scratch]
    tensors: list[list[_Life]] = field(init=False)
    scratches: list[_Life] = field(init=False)
    scope: int = 0

    def __post_init__(self) -> None:
        self.tensors = [[_Life() for _ in graph.tensors] for graph in self.graphs]
        self.scratches = [_Life() for _ in self.scratch]

    def mark(self, number: int, callers: tuple[int, ...] = ()) -> None:
        """MarkAllocationLifetimes of one graph and of those that it calls."""
        if number >= len(self.graphs) or number in callers:
            raise ModelError(
                f"an operator calls graph {number}, which is not there or calls itself; the file is damaged"
            )
        graph, lives = self.graphs[number], self.tensors[number]
        for tensor in graph.inputs:
            self._touch(lives[tensor])
        for operator in graph.operators:
            self.scope += 1
            for tensor in operator.outputs:
                lives[tensor].begin(self.scope)
            start = self.scope
            for called in _called(operator):
                self.scope += 1
                self.mark(called, (*callers, number))
            for tensor in operator.inputs:
                if tensor >= 0:
                    lives[tensor].last = self.scope
            for tensor in operator.outputs:
                lives[tensor].last = self.scope
            for request, life in zip(self.scratch, self.scratches, strict=True):
                if (request.graph, request.operator) == (number, operator.index):
                    life.begin(start)
                    life.last = self.scope
        for tensor in graph.outputs:
            self._touch(lives[tensor])

    def _touch(self, life: _Life) -> None:
        life.begin(self.scope)
        life.last = self.scope


def buffers(flatbuffer: FlatBuffer, scratch: Sequence[Scratch] = ()) -> tuple[Buffer, ...]:
    """What the planner is given, in its order (CreatePlan, micro_allocator.cc).

    Raises:
        ModelError: the file calls graphs that are not there, or holds a damaged offline plan.
    """
    lives = _Lives(flatbuffer.graphs, scratch)
    lives.mark(0)
    fixed = iter(offline_offsets(flatbuffer))
    found = []
    for graph, of_graph in zip(flatbuffer.graphs, lives.tensors, strict=True):
        for tensor, life in zip(graph.tensors, of_graph, strict=True):
            offset = next(fixed, ONLINE)
            size = tensor_bytes(tensor)
            if is_stored(tensor) or not size or (tensor.is_variable and offset == ONLINE):
                continue
            found.append(Buffer(size, life.first, life.last, offset))
    found += [Buffer(one.bytes, life.first, life.last) for one, life in zip(scratch, lives.scratches, strict=True)]
    return tuple(found)


def tensor_bytes(tensor: Tensor) -> int:
    """Bytes of a tensor's values in the arena (TfLiteEvalTensorByteLength)."""
    return tensor.elements * _TYPE_BYTES.get(tensor.dtype, 0)


def is_stored(tensor: Tensor) -> bool:
    """Whether TFLM reads the values where they lie in the file; what DECODE restores needs memory."""
    return tensor.is_constant and tensor.coded is None


def offline_offsets(flatbuffer: FlatBuffer) -> tuple[int, ...]:
    """The offsets of an offline plan, one per tensor of all graphs; empty without one (GetOfflinePlannedOffsets)."""
    words = flatbuffer.metadata.get(_OFFLINE, b"")
    if not words:
        return ()
    count = sum(len(graph.tensors) for graph in flatbuffer.graphs)
    if len(words) < 4 * (_HEADER_WORDS + count):
        raise ModelError(f"the file's offline memory plan has {len(words)} bytes for {count} tensors; it is damaged")
    return struct.unpack_from(f"<{count}i", words, 4 * _HEADER_WORDS)


def _called(operator: Operator) -> tuple[int, ...]:
    return tuple(int(operator.options.get(name, -1)) for name in _CALLS.get(operator.name, ()))

"""Parts of a `.tflite` file that run alone: its first operators, or one operator.

The difference between the times of two prefixes is the time of the operators between them; one operator alone tells
whether a runtime has a kernel for it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from converters.errors import ModelError
from converters.flatbuffer import objects


def parse(data: bytes) -> Any:
    """The file as the schema's object tree (`ModelT`), to be cut; the file was checked by `FlatBuffer` before.

    Raises:
        ModelError: it keeps tensors outside the flatbuffer (files above 2 GB).
    """
    model = objects.unpack(data)
    if any(buffer.offset > 1 for buffer in model.buffers):
        raise ModelError("this file keeps tensors outside its flatbuffer and cannot be cut; give one below 2 GB")
    return model


def first(model: Any, count: int) -> bytes:
    """A file of the first `count` operators of the main graph; all tensors that later operators read are outputs."""
    main = model.subgraphs[0]
    kept, rest = main.operators[:count], main.operators[count:]
    made = [tensor for operator in kept for tensor in operator.outputs]
    wanted = set(main.outputs) | {tensor for operator in rest for tensor in operator.inputs}
    # Where nothing later reads the last operator's result, the prefix still has to compute it.
    outputs = [tensor for tensor in dict.fromkeys(made) if tensor in wanted] or made[-1:]
    return _cut(model, kept, list(main.inputs), outputs)


def alone(model: Any, index: int) -> bytes:
    """A file of operator `index` of the main graph alone; its non-constant inputs are the file's inputs."""
    main = model.subgraphs[0]
    operator = main.operators[index]
    inputs = [
        tensor
        for tensor in dict.fromkeys(operator.inputs)
        if tensor >= 0 and _is_activation(model, main.tensors[tensor])
    ]
    return _cut(model, [operator], inputs, list(operator.outputs))


def _is_activation(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return not tensor.isVariable and (data is None or len(data) == 0)


def _cut(model: Any, operators: Sequence[Any], inputs: list[int], outputs: list[int]) -> bytes:
    from ai_edge_litert import schema_py_generated as schema

    main = model.subgraphs[0]
    used = sorted(_used_tensors(operators) | set(inputs) | set(outputs))
    place = {old: new for new, old in enumerate(used)} | {-1: -1}
    graph = copy.copy(main)
    graph.tensors = [main.tensors[old] for old in used]
    graph.inputs = [place[old] for old in inputs]
    graph.outputs = [place[old] for old in outputs]
    graph.operators = [_moved(operator, place) for operator in operators]
    part = copy.copy(model)
    part.subgraphs = [graph, *model.subgraphs[1:]]
    # Signatures and metadata speak of tensors that may be gone; a runtime needs neither.
    part.signatureDefs = part.metadata = part.metadataBuffer = None
    needed = {tensor.buffer for subgraph in part.subgraphs for tensor in subgraph.tensors}
    empty = schema.BufferT()
    part.buffers = [buffer if index in needed else empty for index, buffer in enumerate(model.buffers)]
    return objects.pack(part)


def _used_tensors(operators: Iterable[Any]) -> set[int]:
    used: set[int] = set()
    for operator in operators:
        for tensors in (operator.inputs, operator.outputs, operator.intermediates):
            used.update(int(tensor) for tensor in (() if tensors is None else tensors) if tensor >= 0)
    return used


def _moved(operator: Any, place: dict[int, int]) -> Any:
    moved = copy.copy(operator)
    moved.inputs = [place[int(old)] for old in operator.inputs]
    moved.outputs = [place[int(old)] for old in operator.outputs]
    if operator.intermediates is not None:
        moved.intermediates = [place[int(old)] for old in operator.intermediates]
    return moved

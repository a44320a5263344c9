"""Weights of a `.tflite` file packed for TFLM's DECODE operator: Deep Compression that a microcontroller runs.

    encoded = encode(flatbuffer, encodings=("lut", "prune", "huffman"))

Each constant that an operator reads while it runs becomes an encoded tensor, a table and a DECODE operator right before
its reader; whichever form is smallest (`decode.choice`). A decoded tensor lives in the arena until its reader has run.
What a kernel reads when it is prepared stays plain, since nothing is decoded yet: axes, shapes, paddings, all of an
LSTM and of SVDF. Source: tensorflow/lite/micro/kernels/*.cc, Prepare functions.

`decoded` is the way back. Whether the outputs are equal is proven by `converters.packing`, which also keeps to a bound
of the arena.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from converters.decode import OPERATOR, Encoded, restored
from converters.decode.choice import Candidate, choose
from converters.errors import CertificateError, ModelError
from converters.flatbuffer import FlatBuffer, rows
from converters.flatbuffer.file import layout_of
from converters.flatbuffer.layer_names import layer_of
from converters.flatbuffer.rows import Row
from converters.flatbuffer.schema import OPERATORS, TENSOR_TYPES
from converters.shrink import shrink

# Operator -> inputs whose values its kernel reads only while it runs.
_READ_WHEN_RUN: Mapping[str, tuple[int, ...]] = {
    "CONV_2D": (1, 2),
    "DEPTHWISE_CONV_2D": (1, 2),
    "FULLY_CONNECTED": (1, 2),
    "TRANSPOSE_CONV": (1, 3),
    "GATHER": (0,),
    "EMBEDDING_LOOKUP": (1,),
    "ADD": (0, 1),
    "SUB": (0, 1),
    "MUL": (0, 1),
}


@dataclass(frozen=True, eq=False)
class Constant:
    """The values of a buffer, and who reads them.

    Attributes:
        buffer: its number.
        tensors: those that show it.
        readers: numbers of the operators that read one of them.
        candidate: for `decode.choice`.
    """

    buffer: int
    tensors: tuple[int, ...]
    readers: tuple[int, ...]
    candidate: Candidate


def constants(flatbuffer: FlatBuffer) -> list[Constant]:
    """The constants of the main graph that may be encoded."""
    graph = flatbuffer.graphs[0]
    readers: dict[int, list[int]] = defaultdict(list)  # buffer -> operators that read it while they run
    tensors: dict[int, dict[int, None]] = defaultdict(dict)
    fixed = {tensor.buffer for other in flatbuffer.graphs[1:] for tensor in other.tensors}
    fixed |= {graph.tensors[index].buffer for index in (*graph.inputs, *graph.outputs)}
    for operator in graph.operators:
        free = () if operator.is_custom else _READ_WHEN_RUN.get(operator.name, ())
        for slot, index in enumerate(operator.inputs):
            if index < 0 or not graph.tensors[index].is_constant:
                continue
            buffer = graph.tensors[index].buffer
            if slot in free and not graph.tensors[index].encoding:
                readers[buffer].append(operator.index)
                tensors[buffer][index] = None
            else:
                fixed.add(buffer)
    found = []
    for buffer in sorted(readers.keys() - fixed):
        first = graph.tensors[next(iter(tensors[buffer]))]
        same = all(layout_of(graph.tensors[index]) == layout_of(first) for index in tensors[buffer])
        if same and not first.is_sparse and not any(graph.tensors[index].is_variable for index in tensors[buffer]):
            candidate = Candidate(flatbuffer.constant(first), layout_of(first), len(readers[buffer]))
            found.append(Constant(buffer, tuple(tensors[buffer]), tuple(readers[buffer]), candidate))
    return found


def encode(flatbuffer: FlatBuffer, *, encodings: Sequence[str], leaving: Collection[int] = ()) -> FlatBuffer:
    """The same model with constants encoded where that saves bytes; the file as it is where nothing does.

    Args:
        flatbuffer: a file for TFLM; what is encoded in it already stays.
        encodings: names of those that may be used.
        leaving: numbers of operators whose constants stay plain.
    """
    able = [one for one in constants(flatbuffer) if not set(one.readers) & set(leaving)]
    chosen = choose([one.candidate for one in able], encodings)
    forms = {one.buffer: (one, form) for one, form in zip(able, chosen, strict=True) if form}
    if not forms:
        return flatbuffer
    for one, form in forms.values():
        _check(one.candidate, form)
    model = rows.read(flatbuffer.data)
    plain = rows.write(model)
    names = [[tensor.name for tensor in graph.tensors] for graph in flatbuffer.graphs]
    _insert(model, names[0], forms)
    data = rows.write(model)
    if not _saves(data, plain, flatbuffer):
        return flatbuffer
    return FlatBuffer(data, names=names if flatbuffer.names is not None else None)


def _check(candidate: Candidate, form: Encoded) -> None:
    """Some samples may not show a wrong byte, so every one is read back.

    Raises:
        CertificateError: the form stands for other values.
    """
    if restored(form.stream, form.table, candidate.layout).tobytes() != candidate.values.tobytes():
        raise CertificateError(
            f"a constant of shape {list(candidate.layout.shape)} does not come back from its form as {form.encoding}; "
            "this is a bug: report it with the model, and use --decode off"
        )


def _saves(data: bytes, plain: bytes, flatbuffer: FlatBuffer) -> bool:
    """Whether encoding pays: what it saves can be less than names, alignment and the operator's code take."""
    return len(data) < min(len(plain), len(flatbuffer.data))


def decoded(flatbuffer: FlatBuffer) -> FlatBuffer:
    """The same model without DECODE operators: what they restore is stored plainly again.

    Raises:
        ModelError: an encoded constant is not whole, or its encoding is not known here.
    """
    if not any(operator.name == OPERATOR for operator in flatbuffer.operators):
        return flatbuffer
    model = rows.read(flatbuffer.data)
    graph = model["subgraphs"][0]
    for operator in flatbuffer.operators:
        for index in operator.outputs if operator.name == OPERATOR else ():
            tensor = flatbuffer.tensors[index]
            if not tensor.encoding:
                raise ModelError(
                    f"operator {operator.index} (DECODE) asks for an encoding, or a version, that is unknown here"
                )
            model["buffers"].append(rows.new("Buffer", data=flatbuffer.constant(tensor).tobytes()))
            graph["tensors"][index]["buffer"] = len(model["buffers"]) - 1
    kept = [operator.index for operator in flatbuffer.operators if operator.name != OPERATOR]
    graph["operators"] = [graph["operators"][index] for index in kept]
    return shrink(FlatBuffer(rows.write(model), flatbuffer.names), engine="tflm")


def _insert(model: Row, names: list[str], forms: Mapping[int, tuple[Constant, Encoded]]) -> None:
    """Puts encoded tensors, tables and DECODE operators into the main graph; `names` gets those of new tensors."""
    graph = model["subgraphs"][0]
    file = _File(model, names)
    code = len(model["operator_codes"])
    custom = OPERATORS.index("CUSTOM")
    model["operator_codes"].append(
        rows.new("OperatorCode", builtin_code=custom, deprecated_builtin_code=custom, custom_code=OPERATOR)
    )
    pairs: dict[int, tuple[int, int]] = {}
    for buffer, (constant, form) in forms.items():
        whole = names[constant.tensors[0]]
        name = layer_of(whole) or whole
        pairs[buffer] = file.stored(form.stream, f"{name}/{form.encoding}"), file.stored(form.table, f"{name}/table")
    taken: set[int] = set()
    operators = []
    for operator in graph["operators"]:
        inputs = [int(index) for index in (() if operator["inputs"] is None else operator["inputs"])]
        encoded = [slot for slot, index in enumerate(inputs) if index >= 0 and file.buffer_of(index) in forms]
        if encoded:
            sources = [pair for slot in encoded for pair in pairs[file.buffer_of(inputs[slot])]]
            for slot in encoded:
                inputs[slot] = file.decoded(inputs[slot], taken)
            operators.append(_decode(code, sources, [inputs[slot] for slot in encoded]))
            operator["inputs"] = np.array(inputs, np.int32)
        operators.append(operator)
    for index in taken:
        graph["tensors"][index]["buffer"] = 0
    graph["operators"] = operators
    for buffer in forms.keys() - {entry["buffer"] for entry in model["metadata"] or ()}:
        model["buffers"][buffer] = rows.new("Buffer")


def _decode(code: int, inputs: Iterable[int], outputs: Iterable[int]) -> Row:
    return rows.new(
        "Operator",
        opcode_index=code,
        inputs=np.array(list(inputs), np.int32),
        outputs=np.array(list(outputs), np.int32),
    )


class _File:
    """Adds tensors and buffers to a model."""

    def __init__(self, model: Row, names: list[str]) -> None:
        self._buffers: list[Row] = model["buffers"]
        self._tensors: list[Row] = model["subgraphs"][0]["tensors"]
        self._names = names
        graph = model["subgraphs"][0]
        doors = {int(index) for side in ("inputs", "outputs") if graph[side] is not None for index in graph[side]}
        # A shrunk file keeps the names of inputs and outputs only.
        self._named = any(tensor["name"] for index, tensor in enumerate(self._tensors) if index not in doors)
        self._known: dict[bytes, int] = {}

    def buffer_of(self, index: int) -> int:
        return int(self._tensors[index]["buffer"])

    def stored(self, content: bytes, name: str) -> int:
        """The number of a tensor of bytes; equal contents are one tensor."""
        if content not in self._known:
            self._buffers.append(rows.new("Buffer", data=content))
            shape = np.array([len(content)], np.int32)
            tensor = rows.new("Tensor", shape=shape, type=TENSOR_TYPES.index("uint8"), buffer=len(self._buffers) - 1)
            self._known[content] = self._added(tensor, name)
        return self._known[content]

    def decoded(self, index: int, taken: set[int]) -> int:
        """The tensor that a DECODE operator fills: the constant's own for its first reader, copies for others."""
        quantization = self._tensors[index]["quantization"]
        if quantization and quantization["scale"] is not None and len(quantization["scale"]) == 1:
            quantization["quantized_dimension"] = 0  # TFLM decodes no tensor of one scale with another axis
        if index not in taken:
            taken.add(index)
            return index
        other = copy.deepcopy(self._tensors[index]) | {"buffer": 0}
        return self._added(other, f"{self._names[index]}/again")

    def _added(self, tensor: Row, name: str) -> int:
        tensor["name"] = name if self._named else None
        self._tensors.append(tensor)
        self._names.append(name)
        return len(self._tensors) - 1

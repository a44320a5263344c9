"""A `.tflite` file: its bytes plus read-only views, none of them believed before it was checked.

    flatbuffer = FlatBuffer.read(Path("model.tflite"))
    for operator in flatbuffer.operators:
        print(operator.name, operator.layer, operator.macs)
    flatbuffer.ledger     {"weights": 77360, "biases": 1256, ...}, the sum is the file's size

The bytes may come from anywhere: a damaged or hostile file raises `ModelError`, and the work that it can cause is
bounded by its size. Neither TensorFlow nor an interpreter is loaded.
"""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters import decode, output
from converters.errors import FileError, ModelError
from converters.flatbuffer import side_file
from converters.flatbuffer.constants import Role, bias_lacks_scale, roles
from converters.flatbuffer.graph import Graph, Operator, Tensor, behind, read_graph, shown
from converters.flatbuffer.walk import Row, Walk

__all__ = ["FlatBuffer", "Graph", "Operator", "Signature", "Tensor"]

_IDENTIFIER = b"TFL3"
# Offsets in a flatbuffer are 31 bits wide; larger models keep their buffers behind it and are not for small devices.
_MAX_BYTES = 1 << 31

_RAW_TYPES = {
    "float8_e4m3fn": "uint8",
    "float8_e5m2": "uint8",
    "string": "uint8",
    "resource": "uint8",
    "variant": "uint8",
}
_PACKED_BITS = {"int4": 4, "uint4": 4, "int2": 2}


@dataclass(frozen=True)
class Signature:
    """A named way to call the model.

    Attributes:
        key: such as `serving_default`.
        inputs: argument name -> number of the tensor in its graph.
        outputs: result name -> number of the tensor.
        graph: number of the graph.
    """

    key: str
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    graph: int


@dataclass(frozen=True)
class FlatBuffer:
    """The bytes of a `.tflite` file and what they say.

    Attributes:
        data: the whole file.
        names: for each graph the names of its tensors, where the file itself does not keep them (see `shrink`).
        graphs: every graph; the first is the model, others are branches and loop bodies.
        signatures: named ways to call it; often none.
        metadata: name -> content, such as `min_runtime_version`.
        ledger: bytes by purpose, in the order of `CATEGORIES`; the sum is the size of the file. Shapes, axes and other
            integer operands count as `graph`; alignment gaps and what nothing refers to as `padding`.
        parameters: number of elements in weights and biases; a buffer used twice counts once.

    Raises:
        ModelError: the bytes are no `.tflite` file, or a damaged one.
    """

    data: bytes = field(repr=False)
    names: Sequence[Sequence[str]] | None = field(default=None, repr=False, compare=False)
    graphs: tuple[Graph, ...] = field(init=False, repr=False, compare=False)
    signatures: tuple[Signature, ...] = field(init=False, repr=False, compare=False)
    metadata: Mapping[str, bytes] = field(init=False, repr=False, compare=False)
    ledger: Mapping[str, int] = field(init=False, repr=False, compare=False)
    parameters: int = field(init=False, repr=False, compare=False)
    _buffers: tuple[slice, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        walk = Walk(self.data)
        model = walk.root(_IDENTIFIER)
        if model["external_buffers"] or model["external_buffer_groups"]:
            raise ModelError("this model keeps its weights in other files; only files that hold all of it can be read")
        buffers = _places(walk, model["buffers"] or ())
        codes = model["operator_codes"] or ()
        rows = model["subgraphs"] or ()
        if self.names is not None and len(self.names) != len(rows):
            raise ModelError(f"names of {len(self.names)} graphs came for a file of {len(rows)}; give them for each")
        names: Sequence[Sequence[str] | None] = self.names or [None] * len(rows)
        graphs = tuple(read_graph(walk, row, codes, buffers, own) for row, own in zip(rows, names, strict=True))
        if not graphs:
            raise ModelError("the file holds no graph; the converter did not finish it, make it again")
        metadata = _metadata(walk, model["metadata"] or (), buffers)
        signatures = tuple(_signature(row, graphs) for row in model["signature_defs"] or ())
        parameters = _claim_constants(walk, graphs, buffers)
        # A frozen value fills its own derived fields this way, once.
        values = (graphs, signatures, metadata, walk.ledger(), parameters, tuple(buffers))
        fields = ("graphs", "signatures", "metadata", "ledger", "parameters", "_buffers")
        for name, value in zip(fields, values, strict=True):
            object.__setattr__(self, name, value)

    @classmethod
    def read(cls, path: Path | str) -> FlatBuffer:
        """Reads a file and all that is encoded in it, and the names of its tensors from the side file if one is there.

        Raises:
            FileError: it is missing, a folder, or cannot be read.
            ModelError: it is no `.tflite` file, or a damaged one.
        """
        path = Path(path)
        if path.is_dir():
            raise FileError(f"{path} is a folder; name a .tflite file")
        if not path.exists():
            raise FileError(f"{path} does not exist; check the name")
        if not path.is_file():
            raise FileError(f"{path} is a device or a pipe; name a .tflite file")
        if path.stat().st_size > _MAX_BYTES:
            raise ModelError(f"{path} is larger than 2 GiB; no model of that size is supported")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror}; check its permissions") from error
        names = side_file.read(path, data)
        if names is not None:
            with contextlib.suppress(ModelError):  # names that do not fit are left alone
                return cls(data, names)._tried()
        try:
            return cls(data)._tried()
        except ModelError as error:
            raise ModelError(f"{path}: {error}", details=error.details) from error

    def _tried(self) -> FlatBuffer:
        """Itself, after every encoded constant was read once; raises ModelError for one that is not whole."""
        for tensor in self.tensors:
            if tensor.encoding:
                self.constant(tensor)
        return self

    @staticmethod
    def is_one(path: Path | str) -> bool:
        """Whether a file says of itself that it is a `.tflite`; its name does not count."""
        try:
            with Path(path).open("rb") as stream:
                return stream.read(8)[4:] == _IDENTIFIER
        except OSError:
            return False

    @property
    def is_encoded(self) -> bool:
        """Whether TFLM's DECODE operator is in it, which no other runtime has."""
        return any(operator.name == decode.OPERATOR for graph in self.graphs for operator in graph.operators)

    @cached_property
    def only_tflm(self) -> str:
        """Why no runtime but TFLM takes this file, for a message; empty for a file that every runtime may try."""
        if self.is_encoded:
            return f"it has encoded weights, and TFLM alone has the operator {decode.OPERATOR} that decodes them"
        tensors = [tensor for graph in self.graphs for tensor in graph.tensors]
        if any(len(tensor.zero_points) == 1 < len(tensor.scales) for tensor in tensors):
            return "it was shrunk for TFLM: one zero point stands for all channels"
        if any(bias_lacks_scale(graph.operators, graph.tensors) for graph in self.graphs):
            return "it was shrunk for TFLM: scales of biases are left out"
        operators = [operator for graph in self.graphs for operator in graph.operators]
        if any(one.name == "RESHAPE" and len(one.inputs) == 1 and not one.options for one in operators):
            return "it was shrunk for TFLM: shapes that RESHAPE makes are left out"
        return ""

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Tensors of the main graph."""
        return self.graphs[0].tensors

    @property
    def operators(self) -> tuple[Operator, ...]:
        """Operators of the main graph, in the order of execution."""
        return self.graphs[0].operators

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """Tensors that go into the model."""
        return tuple(self.tensors[index] for index in self.graphs[0].inputs)

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """Tensors that come out of the model."""
        return tuple(self.tensors[index] for index in self.graphs[0].outputs)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run of the main graph."""
        return sum(operator.macs for operator in self.operators)

    @property
    def integer_only(self) -> bool:
        """Whether no graph has a float tensor, inputs and outputs included."""
        return not any(tensor.is_float for graph in self.graphs for tensor in graph.tensors)

    @cached_property
    def gzip_bytes(self) -> int:
        """Size after gzip, level 9, without name and time."""
        return len(gzip.compress(self.data, 9, mtime=0))

    def constant(self, tensor: Tensor) -> NDArray[Any]:
        """The stored values of a constant, in the tensor's dtype and shape, read-only.

        int4 and int2 come unpacked as int8, uint4 as uint8, bfloat16 as float32. Strings and 8-bit floats come as the
        raw bytes, a sparse tensor as its stored values: both in one dimension.

        Raises:
            ModelError: the tensor has no stored values.
        """
        if not tensor.is_constant:
            raise ModelError(
                f"tensor {tensor.index} ({shown(tensor.name)}) is computed when the model runs, not stored"
            )
        if tensor.coded:
            stream, table = self.data[self._buffers[tensor.coded.stream]], self.data[self._buffers[tensor.coded.table]]
            values = decode.restored(stream, table, layout_of(tensor))
            values.flags.writeable = False
            return values
        place = self._buffers[tensor.buffer]
        raw = np.frombuffer(self.data, np.uint8, place.stop - place.start, place.start)
        if tensor.dtype in _PACKED_BITS:
            values = _unpacked(raw, _PACKED_BITS[tensor.dtype], signed=tensor.dtype != "uint4")
            return values if tensor.is_sparse else values[: tensor.elements].reshape(tensor.shape)
        if tensor.dtype == "bfloat16":
            halves = raw[: len(raw) // 2 * 2].view("<u2").astype(np.uint32)
            values = (halves << 16).view(np.float32)
        else:
            kind = np.dtype(_RAW_TYPES.get(tensor.dtype, tensor.dtype)).newbyteorder("<")
            values = raw[: len(raw) // kind.itemsize * kind.itemsize].view(kind)
        return values if tensor.is_sparse or tensor.dtype in _RAW_TYPES else values.reshape(tensor.shape)

    def save(self, path: Path | str, *, force: bool = False) -> None:
        """Writes the file whole or not at all, and beside it the names that it does not keep.

        Raises:
            FileError: it exists and `force` is off, or cannot be written.
        """
        side_file.check_free(Path(path))
        output.write_whole(Path(path), self.data, force=force)
        side_file.write(Path(path), self.data, self.names)

    def files(self, name: str) -> dict[str, bytes]:
        """What `save` would write, by file name, for a folder that appears whole."""
        beside = {side_file.place(Path(name)).name: side_file.content(self.data, self.names)} if self.names else {}
        return {name: self.data, **beside}


def layout_of(tensor: Tensor) -> decode.Layout:
    """How a DECODE operator of TFLM sees the tensor: one zero point stands for all channels, one scale has no axis.

    Scales without zero points are no quantization to it (micro_allocator.cc).
    """
    points = tuple(tensor.zero_points.tolist())
    channels = max(len(tensor.scales), 1) if points else 1
    if len(points) == 1:
        points *= channels
    return decode.Layout(tensor.dtype, tensor.shape, points, channels, tensor.axis if channels > 1 else 0)


def _unpacked(raw: NDArray[np.uint8], bits: int, *, signed: bool) -> NDArray[Any]:
    """Values of `bits` bits each; the first is in the lowest bits of its byte."""
    mask = (1 << bits) - 1
    values = np.stack([raw >> shift & mask for shift in range(0, 8, bits)], axis=-1).reshape(-1)
    if not signed:
        return values
    sign = 1 << (bits - 1)
    return ((values ^ sign).astype(np.int8) - np.int8(sign)).astype(np.int8)


def _places(walk: Walk, rows: Sequence[Row]) -> list[slice]:
    """Where the content of every buffer lies; an empty slice for buffers without content."""
    places = []
    for number, row in enumerate(rows):
        if row["offset"] > 1:  # 0 and 1 say that the data is within the flatbuffer
            place = behind(walk, row["offset"], row["size"], f"buffer {number}")
        else:
            place = row["data"] or slice(0, 0)
        walk.claim(place.start, place.stop - place.start, "padding")  # until something refers to it
        places.append(place)
    return places


def _metadata(walk: Walk, rows: Sequence[Row], buffers: Sequence[slice]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for row in rows:
        name = row["name"] or ""
        if row["buffer"] >= len(buffers):
            raise ModelError(
                f"metadata {shown(name)} has buffer {row['buffer']} of {len(buffers)}; the file is damaged"
            )
        place = buffers[row["buffer"]]
        walk.charge(place.stop - place.start)
        walk.claim(place.start, place.stop - place.start, "metadata")
        found[name] = walk.data[place]
    return found


def _signature(row: Row, graphs: Sequence[Graph]) -> Signature:
    key, graph = row["signature_key"] or "", row["subgraph_index"]
    if graph >= len(graphs):
        raise ModelError(f"the signature {shown(key)} calls graph {graph} of {len(graphs)}; the file is damaged")
    maps = []
    for side in ("inputs", "outputs"):
        names = {item["name"] or "": item["tensor_index"] for item in row[side] or ()}
        if any(index >= len(graphs[graph].tensors) for index in names.values()):
            raise ModelError(f"the signature {shown(key)} names a tensor that does not exist; the file is damaged")
        maps.append(names)
    return Signature(key, maps[0], maps[1], graph)


def _claim_constants(walk: Walk, graphs: Sequence[Graph], buffers: Sequence[slice]) -> int:
    """Notes in the ledger what each buffer is for, and counts the parameters in weights and biases."""
    rank: dict[Role, int] = {"graph": 0, "biases": 1, "weights": 2}  # of a buffer with two uses, the higher one counts
    coded = [tensor.coded for graph in graphs for tensor in graph.tensors if tensor.coded]
    encodings = {buffer: one.encoding for one in coded for buffer in (one.stream, one.table)}
    best: dict[int, Role] = {}
    elements: dict[int, int] = {}
    for graph in graphs:
        for tensor, role in zip(graph.tensors, roles(graph.operators, graph.tensors), strict=True):
            buffer = tensor.coded.stream if tensor.coded else tensor.buffer
            # What shows the bytes of an encoded constant or of a table is no parameter.
            if role is None or (buffer in encodings and not tensor.coded):
                continue
            if buffer not in best or rank[role] > rank[best[buffer]]:
                best[buffer] = role
            if role != "graph":
                elements[buffer] = tensor.elements
    for buffer, purpose in (best | encodings).items():
        walk.claim(buffers[buffer].start, buffers[buffer].stop - buffers[buffer].start, purpose)
    return sum(elements.values())

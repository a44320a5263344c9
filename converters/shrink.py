"""Lossless shrinking: a `.tflite` file without what no runtime reads, and with every repeated part stored once.

    shrunk = shrink(flatbuffer, engine="tflm")       shrunk.data is smaller; outputs stay equal bit for bit

For every engine go: tensor names (but those of inputs and outputs), descriptions, metadata of the converter,
observed minima and maxima, operators, tensors and buffers whose results or values nobody reads, buffers of equal
content, the parts of a quantization that say nothing, and repetitions (see `flatbuffer.writer`).

LiteRT checks more of a file than TFLM does. Only for TFLM go: signatures, operator versions, open batch sizes, zero
points and scales of convolutions but the first where all are equal, the scales of biases that no kernel reads, the
shape operand of RESHAPE, and a RESHAPE before a FULLY_CONNECTED, which counts elements and looks at no shape of its
input. Sources, in tensorflow/lite: micro/micro_allocator.cc (one zero point stands for all: "space-saving
optimization"); kernels/kernel_util.cc, PopulateConvolutionQuantizationParams (one scale or one per channel; those of
input, weight and output, not of the bias); micro/kernels/fully_connected_common.cc (the bias's scale is checked where
the weight has one scale); micro/kernels/reshape_common.cc (the output's own shape counts).

The names live on beside the file: the result has them, and `FlatBuffer.save` writes them to a side file.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from typing import Any

import numpy as np

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, rows
from converters.flatbuffer.rows import Row
from converters.flatbuffer.schema import OPERATORS
from converters.spec import Engine

# Metadata of the converter that nobody reads when a model runs (metadata_util.h, conversion_metadata.fbs). Others may
# be read: labels by the Task library, the permission to compute in half precision by LiteRT, a delegate's own.
_UNREAD_METADATA = frozenset({"min_runtime_version", "CONVERSION_METADATA"})
# What names tensors by their numbers, so that such a file is not ours to edit: TFLM's first compression format, and a
# place in the arena for every tensor (micro/micro_allocation_info.cc, GetOfflinePlannedOffsets).
_BY_NUMBER = {
    "COMPRESSION_METADATA": "is compressed by an older tool of TFLM",
    "OfflineMemoryAllocation": "has a memory plan made offline",
}

# Operator -> its bias, whose scale TFLM does not read (where the weight has one scale per channel, if True).
_BIASES = {
    "CONV_2D": (2, False),
    "DEPTHWISE_CONV_2D": (2, False),
    "TRANSPOSE_CONV": (3, False),
    "FULLY_CONNECTED": (2, True),
}
_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"})
# What computes a shape; nothing else is known to be left over, and these have no effect but their result.
_PURE = frozenset({
    "SHAPE", "RANK", "PACK", "UNPACK", "STRIDED_SLICE", "SLICE", "GATHER", "CONCATENATION", "RESHAPE", "CAST", "ADD",
    "SUB", "MUL", "DIV", "FLOOR_DIV", "FLOOR_MOD", "REDUCE_PROD", "EXPAND_DIMS", "SQUEEZE", "FILL", "RANGE", "MAXIMUM",
    "MINIMUM",
})  # fmt: skip
_OLD_CODES = 127  # operators below fit into the older, one byte wide field (schema_utils.cc, GetBuiltinCode)


def shrink(flatbuffer: FlatBuffer, *, engine: Engine) -> FlatBuffer:
    """The same model in fewer bytes.

    Args:
        flatbuffer: any file; if it is small already, it comes back as small.
        engine: `litert` for a file that every runtime takes, `tflm` for one that TFLM takes.

    Returns:
        The file, with the names of its tensors beside it (`FlatBuffer.names`).

    Raises:
        ModelError: its data lie outside the flatbuffer, or something in it or behind it would be lost.
    """
    _check_editable(flatbuffer, engine)
    model = rows.read(flatbuffer.data)
    for field in ("operator_codes", "buffers"):
        model[field] = model[field] or []
    names = [[tensor.name for tensor in graph.tensors] for graph in flatbuffer.graphs]
    if engine == "tflm":
        _only_for_tflm(model)
    for number in range(len(model["subgraphs"])):
        _drop_dead_operators(model, number)
    _drop_metadata(model, engine)
    _drop_unread(model, engine)
    kept = [_drop_tensors(model, number) for number in range(len(model["subgraphs"]))]
    _drop_buffers(model)
    _order_codes(model)
    left = [[names[graph][index] for index in indices] for graph, indices in enumerate(kept)]
    smaller = rows.write(model)
    if len(smaller) >= len(flatbuffer.data):
        return flatbuffer
    return FlatBuffer(smaller, names=left)


def _check_editable(flatbuffer: FlatBuffer, engine: Engine) -> None:
    for name, what in _BY_NUMBER.items():
        if name in flatbuffer.metadata:
            raise ModelError(f"this file {what} and cannot be edited; give the file before")
    # The Task library finds labels in a zip archive behind the flatbuffer, whose directory ends the file.
    if engine == "litert" and zipfile.is_zipfile(io.BytesIO(flatbuffer.data)):
        raise ModelError(
            "this file has an archive behind it, such as the labels of the Task library, which shrinking would lose; "
            "--no-shrink, or shrink the file first and put the archive behind it again"
        )


# --- for every engine -------------------------------------------------------------------------------------------


def _drop_metadata(model: Row, engine: Engine) -> None:
    entries = model["metadata"] or []
    kept = [entry for entry in entries if engine == "litert" and entry["name"] not in _UNREAD_METADATA]
    model["metadata"] = kept or None
    model["description"] = model["metadata_buffer"] = None


def _drop_unread(model: Row, engine: Engine) -> None:
    main = model["subgraphs"][0]
    doors = {int(index) for side in ("inputs", "outputs") for index in _list(main[side])}
    for graph in model["subgraphs"]:
        graph["name"], graph["debug_metadata_index"] = None, -1
        for index, tensor in enumerate(graph["tensors"] or ()):
            if graph is not main or index not in doors:
                tensor["name"] = None
            # Without a shape, only this tells LiteRT's tools a scalar from a tensor of unknown rank.
            tensor["has_rank"] = engine == "litert" and tensor["has_rank"] and not len(_list(tensor["shape"]))
            if tensor["shape_signature"] is not None and -1 not in tensor["shape_signature"]:
                tensor["shape_signature"] = None
            tensor["quantization"] = _less_quantization(tensor)
        for operator in graph["operators"] or ():
            operator["debug_metadata_index"] = -1
            for field in ("intermediates", "mutating_variable_inputs"):
                if not len(_list(operator[field])):
                    operator[field] = None


def _drop_dead_operators(model: Row, number: int) -> None:
    """Takes out operators whose results nobody reads, such as the arithmetic of a shape that is known."""
    graph = model["subgraphs"][number]
    named = {entry["tensor_index"] for entry in _signature_entries(model, number)}
    while True:
        operators = graph["operators"] or ()
        read = {int(index) for one in operators for index in (*_list(one["inputs"]), *_list(one["intermediates"]))}
        read |= {int(index) for index in _list(graph["outputs"])} | named
        kept = [
            one
            for one in operators
            if operator_name(model, one) not in _PURE or read & {int(index) for index in _list(one["outputs"])}
        ]
        if len(kept) == len(operators):
            return
        graph["operators"] = kept


def _less_quantization(tensor: Row) -> Row | None:
    quantization: Row | None = tensor["quantization"]
    if quantization is None:
        return None
    quantization["min"] = quantization["max"] = None
    scales = len(_list(quantization["scale"]))
    if not scales and quantization["details"] is None:
        return None
    if scales == 1:
        quantization["quantized_dimension"] = 0  # one scale has no axis
    return quantization


def _drop_tensors(model: Row, number: int) -> list[int]:
    """Takes out tensors that nothing refers to; returns the old numbers of those that are left."""
    graph = model["subgraphs"][number]
    references = [graph["inputs"], graph["outputs"]]
    for operator in graph["operators"] or ():
        references += [operator["inputs"], operator["outputs"], operator["intermediates"]]
    entries = _signature_entries(model, number)
    used = {int(index) for vector in references for index in _list(vector)} - {-1}
    used |= {entry["tensor_index"] for entry in entries}
    kept = sorted(used)
    place = {old: new for new, old in enumerate(kept)} | {-1: -1}
    graph["tensors"] = [graph["tensors"][old] for old in kept]
    for entry in entries:
        entry["tensor_index"] = place[entry["tensor_index"]]
    for holder, fields in [
        (graph, ("inputs", "outputs")),
        *((operator, ("inputs", "outputs", "intermediates")) for operator in graph["operators"] or ()),
    ]:
        for field in fields:
            if holder[field] is not None:
                holder[field] = np.array([place[int(old)] for old in holder[field]], np.int32)
    return kept


def _signature_entries(model: Row, number: int) -> list[Row]:
    """Names and tensors of all signatures of a graph."""
    signatures = [one for one in model["signature_defs"] or () if one["subgraph_index"] == number]
    return [entry for one in signatures for side in ("inputs", "outputs") for entry in one[side] or ()]


def _drop_buffers(model: Row) -> None:
    """Leaves one buffer of each content; the first is the empty one, as the format has it."""
    contents: dict[bytes, int] = {b"": 0}

    def place(old: int) -> int:
        content = model["buffers"][old]["data"] or b""
        return contents.setdefault(content, len(contents))

    for graph in model["subgraphs"]:
        for tensor in graph["tensors"]:
            tensor["buffer"] = place(tensor["buffer"])
    for entry in model["metadata"] or ():
        entry["buffer"] = place(entry["buffer"])
    model["buffers"] = [rows.new("Buffer", data=content or None) for content in contents]


def _order_codes(model: Row) -> None:
    """Operators that occur often get small numbers, the first of which takes no space; repeated codes become one."""
    operators = [operator for graph in model["subgraphs"] for operator in graph["operators"] or ()]
    for code in model["operator_codes"]:
        number = max(code["builtin_code"], code["deprecated_builtin_code"])
        is_old = number < _OLD_CODES
        code["deprecated_builtin_code"], code["builtin_code"] = (number, 0) if is_old else (0, number)
    keys = [tuple(code.values()) for code in model["operator_codes"]]
    uses = Counter(keys[operator["opcode_index"]] for operator in operators)
    order = [key for key, _ in uses.most_common()]
    codes = dict(zip(keys, model["operator_codes"], strict=True))
    for operator in operators:
        operator["opcode_index"] = order.index(keys[operator["opcode_index"]])
    model["operator_codes"] = [codes[key] for key in order]


# --- for TFLM only ----------------------------------------------------------------------------------------------


def _only_for_tflm(model: Row) -> None:
    model["signature_defs"] = None
    for code in model["operator_codes"]:
        code["version"] = 1
    for graph in model["subgraphs"]:
        for tensor in graph["tensors"] or ():
            tensor["shape_signature"] = None
            _one_zero_point(tensor["quantization"])
        _drop_reshapes(model, graph)
        readers = Counter(int(index) for operator in graph["operators"] or () for index in _list(operator["inputs"]))
        for operator in graph["operators"] or ():
            name = operator_name(model, operator)
            weight = _at(operator["inputs"], 1)
            if name in _CONVOLUTIONS and weight >= 0 and readers[weight] == 1:
                _one_scale(model, graph["tensors"][weight])
            if name in _BIASES:
                _drop_bias_scales(graph, operator, *_BIASES[name], readers=readers)
            if name == "RESHAPE" and len(_list(operator["inputs"])) == 2:
                operator["inputs"] = operator["inputs"][:1]
                operator["builtin_options"], operator["builtin_options_type"] = None, 0


def _drop_reshapes(model: Row, graph: Row) -> None:
    """Lets FULLY_CONNECTED read what a RESHAPE before it reads; the RESHAPE goes if nobody else wants its output."""
    for operator in reversed(graph["operators"] or ()):  # of several in a row the last one first
        source, result = _at(operator["inputs"], 0), _at(operator["outputs"], 0)
        if operator_name(model, operator) != "RESHAPE" or min(source, result) < 0:
            continue
        readers = [one for one in graph["operators"] if result in _list(one["inputs"])]
        only_matrices = all(
            operator_name(model, one) == "FULLY_CONNECTED"
            and [slot for slot, index in enumerate(one["inputs"]) if int(index) == result] == [0]
            for one in readers
        )
        alike = _numbers_of(graph["tensors"][source]) == _numbers_of(graph["tensors"][result])
        may_change = graph["tensors"][source]["is_variable"]  # before its new reader runs
        if readers and only_matrices and alike and not may_change and result not in _list(graph["outputs"]):
            for one in readers:
                one["inputs"] = np.array([source, *one["inputs"][1:]], np.int32)
            graph["operators"] = [one for one in graph["operators"] if one is not operator]


def _numbers_of(tensor: Row) -> tuple[int, bytes, bytes]:
    """Type, scales and zero points: what integers of the tensor mean."""
    quantization = tensor["quantization"] or {}
    fields = (np.asarray(_list(quantization.get(name))) for name in ("scale", "zero_point"))
    return (tensor["type"], *(field.tobytes() for field in fields))


def _one_zero_point(quantization: Row | None) -> None:
    points = _list((quantization or {}).get("zero_point"))
    if quantization and len(points) > 1 and np.all(points == points[0]):
        quantization["zero_point"] = points[:1]


def _one_scale(model: Row, weight: Row) -> None:
    quantization: Row = weight["quantization"] or {}
    scales, points = (_list(quantization.get(field)) for field in ("scale", "zero_point"))
    # The table that an encoded weight, one without values of its own, is decoded with may go by its channels.
    is_stored = model["buffers"][weight["buffer"]]["data"]
    if is_stored and len(scales) > 1 and len(points) == 1 and np.all(scales == scales[0]):
        quantization["scale"], quantization["quantized_dimension"] = scales[:1], 0


def _drop_bias_scales(graph: Row, operator: Row, slot: int, only_per_channel: bool, *, readers: Counter[int]) -> None:
    inputs = _list(operator["inputs"])
    if len(inputs) <= slot or min(inputs[1], inputs[slot]) < 0 or readers[int(inputs[slot])] > 1:
        return
    weight, bias = graph["tensors"][inputs[1]], graph["tensors"][inputs[slot]]
    scales = len(_list((weight["quantization"] or {}).get("scale")))
    if scales > (1 if only_per_channel else 0):
        bias["quantization"] = None


def operator_name(model: Row, operator: Row) -> str:
    """Name of a builtin operator of `model`; `custom:` and the code of another."""
    code = model["operator_codes"][operator["opcode_index"]]
    name = OPERATORS[max(code["builtin_code"], code["deprecated_builtin_code"])]
    return f"custom:{code['custom_code'] or ''}" if name == "CUSTOM" else name


def _at(vector: Any, slot: int) -> int:
    """The number of a tensor in a slot; -1 where there is none."""
    return int(vector[slot]) if vector is not None and slot < len(vector) else -1


def _list(vector: Any) -> Any:
    return () if vector is None else vector

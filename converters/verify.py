"""The certificate: a `.tflite` file is what was asked for, or the Keras layer that spoils it is named, with a way out.

    certificate = certify(flatbuffer, spec)      every fault, and notes on what was not checked
    verify(flatbuffer, spec)                     raises CertificateError unless there is no fault

Of an integer file is asked (`ConversionSpec.is_integer`): no float tensor and no float operator in any graph, except
the inputs and outputs and the QUANTIZE and DEQUANTIZE beside them where `io` is float32; a scale for every 8- and
16-bit tensor; inputs and outputs of the type asked for. Of every file: weights of the type asked for, a fixed batch,
builtin operators only, and for each operator a kernel of its type in the runtime, if one was named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.errors import CertificateError
from converters.flatbuffer import FlatBuffer, Graph, Operator, Tensor
from converters.flatbuffer.constants import stored_in, weight_of
from converters.flatbuffer.graph import shown
from converters.flatbuffer.kernels import find, kernels_in_file
from converters.remedies import fix_for_custom, fix_for_float, fix_for_kernel
from converters.spec import ConversionSpec, DType

# An extra check: a kernel's name, `layer/attribute`, and what must hold for its integers in Keras layout.
Check = tuple[str, Callable[[NDArray[Any]], bool]]

# Operators whose first input is not the data they compute on; the type of their first output tells.
_TYPED_BY_OUTPUT = frozenset({
    "TRANSPOSE_CONV", "CONV_3D_TRANSPOSE", "SPLIT", "SELECT", "SELECT_V2", "EMBEDDING_LOOKUP", "ONE_HOT", "FILL",
    "RANGE", "SCATTER_ND", "SPARSE_TO_DENSE", "RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL",
})  # fmt: skip
# They call other graphs, whose operators are checked one by one; the type of a loop counter says nothing.
_CALLS = frozenset({"IF", "WHILE", "CALL", "CALL_ONCE", "VAR_HANDLE"})
_LOOKUPS = frozenset({"GATHER", "EMBEDDING_LOOKUP"})  # they copy rows of a weight
_CONVERTS = frozenset({"QUANTIZE", "DEQUANTIZE"})
_QUANTIZED_DTYPES = frozenset({"int8", "uint8", "int16", "int4"})
_INDEX_DTYPES = frozenset({"int32", "int64", "bool", "string"})

# TFLiteConverter leaves smaller tensors in float32: minimum_elements_for_weights in
# tensorflow/compiler/mlir/lite/tools/optimize/quantize_weights.cc.
SMALL_WEIGHT = 1024
_HYBRID = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})

NAMED_FAULTS = 3  # that a message names; it counts the others


@dataclass(frozen=True)
class Fault:
    """One thing that is not as asked.

    Attributes:
        operator: name and number (`CONV_2D 3`); empty where no operator is at fault.
        tensor: its name in the file; may be empty.
        layer: the Keras layer; empty where no name tells it.
        problem: what is wrong.
        fix: what to do, in plain words.
    """

    operator: str
    tensor: str
    layer: str
    problem: str
    fix: str

    def __str__(self) -> str:
        where = [shown(self.operator) or f"tensor '{shown(self.tensor)}'"]
        if self.layer:
            where.append(f"in layer '{shown(self.layer)}'")
        return f"{' '.join(where)} {self.problem}; {self.fix}"


@dataclass(frozen=True)
class Certificate:
    """What was found.

    Attributes:
        faults: what is not as asked, in the order of execution; empty for a good file.
        notes: what was not checked, or is worth knowing.
    """

    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the file is what was asked for."""
        return not self.faults


def verify(flatbuffer: FlatBuffer, spec: ConversionSpec, *, checks: Sequence[Check] = ()) -> Certificate:
    """Proves that a file is what was asked for.

    Args:
        flatbuffer: the file.
        spec: what it must be.
        checks: more conditions on its weights; see `certify`.

    Raises:
        CertificateError: it is not; the message names the first faults and how many more there are.
    """
    certificate = certify(flatbuffer, spec, checks=checks)
    if certificate.ok:
        return certificate
    message = f"the file is not the {spec.dtype} file that was asked for: {listed(certificate.faults)}"
    raise CertificateError(message, details="\n".join(map(str, certificate.faults)))


def listed(faults: Sequence[Fault | str]) -> str:
    """The first faults, and how many more there are, for a message."""
    more = f" | and {len(faults) - NAMED_FAULTS} more" if len(faults) > NAMED_FAULTS else ""
    return " | ".join(map(str, faults[:NAMED_FAULTS])) + more


def certify(flatbuffer: FlatBuffer, spec: ConversionSpec, *, checks: Sequence[Check] = ()) -> Certificate:
    """Compares a file with what was asked for.

    Args:
        flatbuffer: the file.
        spec: what it must be.
        checks: pairs of a kernel's name (`conv2d_3/kernel`) and a predicate on its stored integers in Keras layout
            (`HWIO`), such as an invariant that training promised (`16 distinct values`).

    Returns:
        Every fault found, and notes.
    """
    faults: list[Fault] = []
    for graph in flatbuffer.graphs:
        faults += _custom(graph, spec)
        if spec.is_integer:
            faults += _floats(graph, _doors(graph) if graph is flatbuffer.graphs[0] else frozenset())
            faults += _scales(graph)
        else:
            faults += _weights(graph, spec)
        faults += _activations(graph, spec)
        faults += _dense(graph, spec)
        faults += _kernels(graph, spec)
    faults += _ports(flatbuffer, spec)
    faults += _promises(flatbuffer, checks)
    return Certificate(tuple(faults), tuple(_notes(flatbuffer, spec)))


def operator_faults(flatbuffer: FlatBuffer, spec: ConversionSpec) -> tuple[Fault, ...]:
    """Operators that the runtime of `spec` has no kernel for; nothing is asked about the type of the file."""
    return tuple(fault for graph in flatbuffer.graphs for found in (_custom, _kernels) for fault in found(graph, spec))


def dtype_of(flatbuffer: FlatBuffer) -> DType:
    """Which type of file this is, by what its operators with weights compute on."""
    graph = flatbuffer.graphs[0]
    stored = stored_in(graph.operators, graph.tensors)
    found: set[DType] = set()
    for operator in graph.operators:
        index = weight_of(operator)
        if index is None or operator.name in _LOOKUPS:
            continue
        data, weight = _data_type(operator, graph), graph.tensors[stored.get(index, index)].dtype
        if data in _QUANTIZED_DTYPES:
            return "int16x8" if data == "int16" else "int8"
        found.add("float16" if weight == "float16" else "dynamic" if weight in _QUANTIZED_DTYPES else "float32")
    # Small weights stay in float32 where others are stored in fewer bits.
    for dtype in ("dynamic", "float16", "float32"):
        if dtype in found:
            return dtype
    return "int8" if flatbuffer.integer_only else "float32"


# --- checks -----------------------------------------------------------------------------------------------------


def _custom(graph: Graph, spec: ConversionSpec) -> Iterator[Fault]:
    for operator in graph.operators:
        if not operator.is_custom or (spec.kernels is not None and operator.name in spec.kernels):
            continue
        tensor = graph.tensors[operator.outputs[0]].name if operator.outputs else ""
        problem = "is not among TFLite's builtin operators"
        yield Fault(_called(operator), tensor, operator.layer, problem, fix_for_custom(operator.name))


def _doors(graph: Graph) -> frozenset[int]:
    """Inputs and outputs of the model that only QUANTIZE and DEQUANTIZE touch; `_ports` judges their type."""
    inside = [operator for operator in graph.operators if operator.name not in _CONVERTS]
    touched = {index for operator in inside for index in (*operator.inputs, *operator.outputs)}
    return frozenset((*graph.inputs, *graph.outputs)) - touched


def _floats(graph: Graph, doors: frozenset[int]) -> Iterator[Fault]:
    """One fault for every operator that computes on floats, and for floats that only conversions touch."""
    wrong = {tensor.index for tensor in graph.tensors if tensor.is_float} - doors
    if not wrong:
        return
    blamed: set[int] = set()
    # A float operator is the cause; the QUANTIZE and DEQUANTIZE around it only follow from it.
    for follows in (False, True):
        for operator in graph.operators:
            if (operator.name in _CONVERTS) is not follows:
                continue
            touched = [index for index in (*operator.outputs, *operator.inputs) if index in wrong]
            if not touched or (follows and blamed.issuperset(touched)):
                continue
            blamed.update(touched)
            if operator.is_custom:  # named already, with a better reason
                continue
            tensor = graph.tensors[touched[0]]
            problem = f"works on '{shown(tensor.name)}' in {tensor.dtype}"
            yield Fault(_called(operator), tensor.name, operator.layer, problem, fix_for_float(operator.name))
    for index in sorted(wrong - blamed):
        tensor = graph.tensors[index]
        fix = "convert again; no operator needs this tensor"
        yield Fault("", tensor.name, tensor.layer, f"is {tensor.dtype}, and no operator touches it", fix)


def _scales(graph: Graph) -> Iterator[Fault]:
    seen: set[int] = set()
    for operator in graph.operators:
        if operator.name in ("TFLM_DECODE", "CAST") or operator.name in _CALLS:  # they read and make plain integers too
            continue
        for index in (*operator.inputs, *operator.outputs):
            tensor = graph.tensors[index] if index >= 0 else None
            if tensor is None or index in seen or tensor.dtype not in _QUANTIZED_DTYPES:
                continue
            seen.add(index)
            problem = _scale_problem(tensor)
            if problem:
                fix = "calibrate this layer with data that reaches it, and convert again"
                yield Fault(_called(operator), tensor.name, operator.layer, problem, fix)


def _scale_problem(tensor: Tensor) -> str:
    name = f"'{shown(tensor.name)}'"
    if not tensor.is_quantized:
        return f"has {name} in {tensor.dtype} without a scale"
    if not (np.isfinite(tensor.scales).all() and (tensor.scales > 0).all()):
        return f"has a scale for {name} that is not a positive number"
    if len(tensor.scales) not in (0, 1, tensor.shape[tensor.axis] if tensor.shape else 1):
        return f"has {len(tensor.scales)} scales for {name}, which has {tensor.shape[tensor.axis]} channels"
    if tensor.dtype == "int16" and tensor.zero_points.any():
        return f"has a zero point for {name}, but int16 is symmetric"
    return ""


def _activations(graph: Graph, spec: ConversionSpec) -> Iterator[Fault]:
    """Integers of another width, or where float activations were asked for; floats have a check of their own."""
    for operator in graph.operators:
        if weight_of(operator) is None or operator.name in _LOOKUPS:
            continue
        dtype = _data_type(operator, graph)
        if dtype in _QUANTIZED_DTYPES and dtype != spec.activation_dtype:
            tensor = graph.tensors[operator.outputs[0]].name if operator.outputs else ""
            problem = f"computes in {dtype}, not {spec.activation_dtype}"
            fix = f"convert the float model again with --dtype {spec.dtype}"
            yield Fault(_called(operator), tensor, operator.layer, problem, fix)


def _weights(graph: Graph, spec: ConversionSpec) -> Iterator[Fault]:
    """Weights of a file with float activations: half precision, 8-bit, or plain."""
    stored = stored_in(graph.operators, graph.tensors)
    for operator in graph.operators:
        index = weight_of(operator)
        if index is None:
            continue
        tensor = graph.tensors[stored.get(index, index)]
        if not tensor.is_constant:
            continue
        asked = _asked_weight(operator, tensor, spec)
        if asked and tensor.dtype != asked:
            problem = f"stores its weight '{shown(tensor.name)}' as {tensor.dtype}, not {asked}"
            fix = f"convert the float model again with --dtype {spec.dtype}"
            yield Fault(_called(operator), tensor.name, operator.layer, problem, fix)


def _asked_weight(operator: Operator, tensor: Tensor, spec: ConversionSpec) -> str:
    """Type that the weight must have; empty where the converter is free."""
    if tensor.dtype not in (*_QUANTIZED_DTYPES, "float16", "float32"):
        return ""
    asked = {"float32": "float32", "float16": "float16", "dynamic": "int8"}[spec.dtype]
    left_as_it_was = tensor.elements < SMALL_WEIGHT or (spec.dtype == "dynamic" and operator.name not in _HYBRID)
    return "" if tensor.dtype == "float32" and left_as_it_was and asked != "float32" else asked


def _dense(graph: Graph, spec: ConversionSpec) -> Iterator[Fault]:
    if spec.dense != "per-tensor":
        return
    stored = stored_in(graph.operators, graph.tensors)
    for operator in graph.operators:
        index = weight_of(operator) if operator.name == "FULLY_CONNECTED" else None
        if index is None:
            continue
        tensor = graph.tensors[stored.get(index, index)]
        if len(tensor.scales) > 1:
            problem = f"has {len(tensor.scales)} scales, one per unit, where one for all was asked for"
            fix = "convert with per-tensor Dense weights (dense='per-tensor', which the target's runtime sets)"
            yield Fault(_called(operator), tensor.name, operator.layer, problem, fix)


def _kernels(graph: Graph, spec: ConversionSpec) -> Iterator[Fault]:
    if spec.kernels is None:
        return
    runtime = spec.runtime or "the runtime"
    for operator in graph.operators:
        kernels = spec.kernels.get(operator.name, ())
        dtype = _data_type(operator, graph)
        known = operator.name in spec.kernels
        # A custom operator that the runtime does not have was named already.
        if dtype in kernels or (known and operator.name in _CALLS) or (operator.is_custom and not known):
            continue
        tensor = graph.tensors[operator.outputs[0]].name if operator.outputs else ""
        problem = f"has no kernel for {dtype} in {runtime}" if kernels else f"has no kernel in {runtime}"
        yield Fault(_called(operator), tensor, operator.layer, problem, fix_for_kernel(operator.name, dtype, kernels))


def _data_type(operator: Operator, graph: Graph) -> str:
    """Type of the data that an operator computes on, which chooses its kernel."""
    order = (*operator.outputs[:1], *operator.inputs[:1])
    if operator.name not in _TYPED_BY_OUTPUT:
        order = (*operator.inputs[:1], *operator.outputs[:1])
    return next((graph.tensors[index].dtype for index in order if index >= 0), "no data")


def _ports(flatbuffer: FlatBuffer, spec: ConversionSpec) -> Iterator[Fault]:
    for side, tensors in (("input", flatbuffer.inputs), ("output", flatbuffer.outputs)):
        for tensor in tensors:
            if tensor.dtype != spec.io_dtype and not _holds_indices(tensor):
                problem = f"is the model's {side} in {tensor.dtype}, not {spec.io_dtype}"
                fix = f"convert with --io {spec.io_dtype}, or ask for {tensor.dtype}"
                if side == "input" and not any(tensor.index in op.inputs for op in flatbuffer.operators):
                    fix = "nothing in the model reads it: remove this input from the model"
                yield Fault("", tensor.name, tensor.layer, problem, fix)
    for tensor in flatbuffer.inputs:
        if -1 in tensor.shape_signature:
            problem = f"is an input of open shape {list(tensor.shape_signature)}, which microcontrollers cannot take"
            fix = "convert with a fixed batch of 1"
            yield Fault("", tensor.name, tensor.layer, problem, fix)


def _holds_indices(tensor: Tensor) -> bool:
    """Token numbers, class numbers and flags have no scale and are never quantized."""
    return tensor.dtype in _INDEX_DTYPES and not tensor.is_quantized


def _promises(flatbuffer: FlatBuffer, checks: Sequence[Check]) -> Iterator[Fault]:
    kernels = kernels_in_file(flatbuffer) if checks else {}
    for name, holds in checks:
        kernel = find(kernels, name)
        if kernel is None:
            layer = name.rpartition("/")[0]
            fix = "the converter merged or removed its layer; look with `tfcompress inspect`"
            yield Fault("", name, layer, "is not a kernel of this file", fix)
        elif not holds(kernel.values):
            fix = "apply the technique again as the last one that changes this weight"
            yield Fault("", kernel.tensor.name, kernel.layer, "does not keep what training promised of it", fix)


def _notes(flatbuffer: FlatBuffer, spec: ConversionSpec) -> Iterator[str]:
    if spec.kernels is None:
        yield "no runtime was named, so it was not checked whether one has a kernel for every operator"
    for side, tensors in (("input", flatbuffer.inputs), ("output", flatbuffer.outputs)):
        for tensor in tensors:
            if tensor.dtype != spec.io_dtype and _holds_indices(tensor):
                yield f"{side} '{shown(tensor.name)}' holds {tensor.dtype} numbers, which are not quantized"


def _called(operator: Operator) -> str:
    return f"{operator.name} {operator.index}"

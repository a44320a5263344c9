"""Ranges that are known by Keras layer, as ranges of the tensors of a float file.

    by_tensor(float_file, {"conv2d_1": (0.0, 6.0)})        {"relu_1/Relu;conv2d_1/BiasAdd": (0.0, 6.0)}

A layer's range is that of its output: what the last of its operators writes. Where the converter fused a layer with
the one behind it (a convolution and its ReLU), one tensor answers to both names; of two ranges for one tensor their
common part holds, since a fused activation only clips. RESHAPE and its like pass values on unchanged, so their two
sides have one range. Operators whose kernels demand equal scales on both sides hand a range on to where none is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from converters.errors import ConversionError
from converters.flatbuffer import FlatBuffer, Graph, Operator, layer_of
from converters.flatbuffer.constants import weight_of
from converters.flatbuffer.graph import shown

Range = tuple[float, float]

_PASSES_ON = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE"})
# Of equal scales on both sides: https://ai.google.dev/edge/litert/models/quantization_spec
_ALL_INPUTS = frozenset({"CONCATENATION", "PACK"})
_SAME_SCALE = _ALL_INPUTS | frozenset({
    "MAX_POOL_2D", "AVERAGE_POOL_2D", "PAD", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "STRIDED_SLICE", "SLICE",
    "GATHER", "SPLIT", "SPLIT_V", "UNPACK", "SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND", "SPACE_TO_DEPTH",
    "DEPTH_TO_SPACE", "MIRROR_PAD", "TILE",
})  # fmt: skip


# Their kernels have one output range, whatever is asked for; same specification.
_FIXED = frozenset({"SOFTMAX", "LOG_SOFTMAX", "LOGISTIC", "TANH", "L2_NORMALIZATION"})


def by_tensor(float_file: bytes, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Ranges by tensor name.

    Args:
        float_file: made by `converters.tflite.float_file`.
        ranges: (minimum, maximum) by the name of a layer, of an input or output of the model, or of a tensor.

    Raises:
        ConversionError: a name that nothing has, or two ranges of one tensor that have no common part.
    """
    graph = FlatBuffer(float_file).graphs[0]
    found = _given(graph, {name: _tensors(graph, name) for name in ranges}, ranges)
    return {graph.tensors[index].name: pair for index, pair in found.items()}


def certain(float_file: bytes, ranges: Mapping[str, Range]) -> tuple[tuple[str, str, Range], ...]:
    """What a quantizer must take over exactly.

    Not among it: outputs of operators whose kernels have a fixed range, and tensors that must have the grid of such an
    output or of one with another range; which of them wins is the quantizer's choice.

    Args:
        float_file: as for `by_tensor`.
        ranges: as for `by_tensor`.

    Returns:
        (the name in `ranges`, the tensor's name in the float file, its range) each.

    Raises:
        ConversionError: as for `by_tensor`.
    """
    graph = FlatBuffer(float_file).graphs[0]
    named = {name: _tensors(graph, name) for name in ranges}
    found = _given(graph, named, ranges)
    open_ones = {operator.outputs[0] for operator in graph.operators if operator.name in _FIXED}
    sharing = [
        {*_data(operator), *operator.outputs}
        for operator in graph.operators
        if operator.name in _SAME_SCALE | _PASSES_ON
    ]
    for sides in sharing:
        if len({found[index] for index in sides if index in found}) > 1:
            open_ones |= sides
    while more := [sides for sides in sharing if sides & open_ones and not sides <= open_ones]:
        open_ones = open_ones.union(*more)
    return tuple(
        (name, graph.tensors[index].name, found[index])
        for name, indices in named.items()
        for index in indices
        if index not in open_ones
    )


def _given(graph: Graph, named: Mapping[str, list[int]], ranges: Mapping[str, Range]) -> dict[int, Range]:
    """Ranges by number of the tensor, handed on."""
    found: dict[int, Range] = {}
    for name, indices in named.items():
        for index in indices:
            low, high = found.get(index, ranges[name])
            found[index] = max(low, ranges[name][0]), min(high, ranges[name][1])
    _unite(graph, found)
    for index, (low, high) in found.items():
        if low >= high:
            name = shown(graph.tensors[index].name)
            raise ConversionError(
                f"the ranges given for tensor {name} leave {low:g} to {high:g}; give one range per layer that holds 0"
            )
    _hand_on(graph, found)
    return found


def _tensors(graph: Graph, name: str) -> list[int]:
    """The tensors that a name stands for: itself, an output of the model, or the outputs of a layer."""
    computed = {*graph.inputs, *(index for operator in graph.operators for index in operator.outputs)}
    by_name = {graph.tensors[index].name: index for index in computed}
    for exact in (name, f"{name}/output"):  # outputs get their final names last; see `converters.naming`
        if exact in by_name:
            return [by_name[exact]]
    layer = name.replace("/", "_")
    own = [operator for operator in graph.operators if layer in _layers(graph, operator, fused=False)]
    own = own or [operator for operator in graph.operators if layer in _layers(graph, operator, fused=True)]
    if not own:
        raise ConversionError(
            f"a range is given for {name!r}, which is no layer, input, output or tensor of the float file; "
            "check the name, or leave it out if the converter removed this layer"
        )
    own = [operator for operator in own if not _is_behind(graph, operator, layer)] or own
    return [operator.outputs[0] for place, operator in enumerate(own) if _ends_a_call(operator, own, place)]


def _is_behind(graph: Graph, operator: Operator, layer: str) -> bool:
    """Whether an operator hands on what an activation of fixed range made that is another layer than its name says.

    The converter moves the SQUEEZE of a Conv1D behind the TANH of the next layer, and then names the TANH after both.
    """
    makers = {index: made for made in graph.operators for index in made.outputs}
    while operator.name in _PASSES_ON and operator.inputs[0] in makers:
        operator = makers[operator.inputs[0]]
    return operator.name in _FIXED and bool(_layers(graph, operator, fused=True) - {layer})


def _layers(graph: Graph, operator: Operator, *, fused: bool) -> set[str]:
    """The layer that an operator's output is named after, or with `fused` all that its name lists."""
    if not operator.outputs:
        return set()
    index = operator.outputs[0]
    name = graph.tensors[index].name
    if index in graph.outputs:  # the user named it; the weight tells the layer
        return {operator.layer}
    return {layer_of(part) for part in name.split(";")} if fused else {layer_of(name)}


def _ends_a_call(operator: Operator, own: list[Operator], place: int) -> bool:
    """Whether no other operator of the layer continues: a reader with weights that were used calls the layer anew."""
    used = {weight_of(earlier) for earlier in own[: place + 1]} - {None}
    return not any(operator.outputs[0] in reader.inputs and weight_of(reader) not in used for reader in own)


def _unite(graph: Graph, found: dict[int, Range]) -> None:
    """Gives both sides of operators that pass values on the common part of their ranges, in place."""
    chain = [operator for operator in graph.operators if operator.name in _PASSES_ON]
    for operator in (*chain, *reversed(chain)):  # there and back: a chain may hold several
        sides = (operator.inputs[0], operator.outputs[0])
        known = [found[side] for side in sides if side in found]
        if known:
            found.update(dict.fromkeys(sides, (max(low for low, _ in known), min(high for _, high in known))))


def _hand_on(graph: Graph, found: dict[int, Range]) -> None:
    """Fills in ranges across operators of equal scales, in place.

    The quantizers would do so themselves, but not always from the side that is known: TFLiteConverter's replaced the
    range of a layer by what it measured behind a SPLIT.
    """
    readers = Counter(index for operator in graph.operators for index in set(operator.inputs))
    joining = [operator for operator in graph.operators if operator.name in _SAME_SCALE | _PASSES_ON]
    for operator in joining:
        known = {found.get(index) for index in _data(operator)}
        if len(known) == 1 and (pair := known.pop()):
            found.update({index: found.get(index, pair) for index in operator.outputs})
    for operator in reversed(joining):
        known = {found.get(index) for index in operator.outputs}
        if len(known) == 1 and (pair := known.pop()):
            free = (index for index in _data(operator) if readers[index] == 1 and not graph.tensors[index].is_constant)
            found.update({index: found.get(index, pair) for index in free})


def _data(operator: Operator) -> tuple[int, ...]:
    """The inputs whose values go to the outputs."""
    if operator.name in _ALL_INPUTS:
        return operator.inputs
    return operator.inputs[1:2] if operator.name == "SPLIT" else operator.inputs[:1]

"""A model of either Keras read into a flat list of calls: nested models inlined, nothing of the model touched.

    graph = read(model)
    for call in graph.calls: ...        call.layer (or call.operation), call.args, call.kwargs, call.outputs

Every tensor becomes a `Value`, a number; a call names the values it takes and gives. What `keras.ops` and TensorFlow
functions do between layers becomes a call without a layer, under the name of the function in `keras.ops`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from converters.errors import BridgeError
from converters.keras_models.bridge import kinds, operators
from converters.keras_models.bridge.kinds import KERAS, TF_KERAS, Kind, Node
from converters.keras_models.bridge.structures import leaves, substitute
from converters.keras_models.twin_names import twin_name


@dataclass(frozen=True)
class Value:
    """A tensor that flows through a graph, by its number."""

    number: int


@dataclass(frozen=True)
class Source:
    """An input of a graph.

    Attributes:
        value: the tensor that it feeds.
        name: of the input layer.
        shape: with the batch, None where free.
        dtype: NumPy name.
    """

    value: Value
    name: str
    shape: tuple[int | None, ...]
    dtype: str


@dataclass(frozen=True)
class Call:
    """One call: `layer(*args, **kwargs)`, or the `keras.ops` function called `operation`.

    Attributes:
        name: of the layer, unique in the flattened graph (the same for each call of a shared layer).
        layer: the layer that is called; None for an operation.
        operation: name of the function in `keras.ops`; empty for a layer.
        args: positional arguments, with a `Value` for each tensor.
        kwargs: keyword arguments, likewise.
        outputs: the values that come out, flat.
    """

    name: str
    layer: Any
    operation: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Value, ...]

    @property
    def inputs(self) -> list[Value]:
        """The values among the arguments, in order."""
        return list(leaves((self.args, self.kwargs), Value))


@dataclass(frozen=True)
class Graph:
    """A model, flat. `inputs` and `outputs` hold values in the structure that the model's caller uses."""

    name: str
    kind: Kind
    sources: tuple[Source, ...]
    calls: tuple[Call, ...]
    inputs: Any
    outputs: Any


@dataclass
class _Reader:
    kind: Kind
    calls: list[Call] = field(default_factory=list)
    layer_names: dict[int, str] = field(default_factory=dict)
    used_names: set[str] = field(default_factory=set)
    values: int = 0

    def new_value(self) -> Value:
        self.values += 1
        return Value(self.values - 1)

    def unique(self, wanted: str) -> str:
        wanted = twin_name(wanted)
        name, number = wanted, 0
        while name in self.used_names:
            number += 1
            name = f"{wanted}_{number}"
        self.used_names.add(name)
        return name

    def name_of(self, layer: Any, prefix: str) -> str:
        if id(layer) not in self.layer_names:
            self.layer_names[id(layer)] = self.unique(prefix + layer.name)
        return self.layer_names[id(layer)]


Scope = dict[int, Value]
"""Symbolic tensor (by identity) -> the value that it stands for while one model is being walked."""


def read(model: Any) -> Graph:
    """Reads a functional or Sequential model of either Keras.

    Args:
        model: the model; it is only walked, never called or changed.

    Returns:
        Its graph, nested models inlined. A layer of the model `inner` is called `inner_<layer>`.

    Raises:
        BridgeError: a subclassed model, here or inside, or an input or operation that cannot be read.
    """
    kind = kinds.kind_of(model)
    if kind is None or not kinds.is_model(model):
        raise BridgeError(f"expected a Keras model, got {type(model).__name__}; pass the loaded model itself")
    reader = _Reader(kind)
    functional = kinds.graph_of(model, kind)
    sources = tuple(_source(tensor, reader) for tensor in kind.flatten(functional.inputs))
    scope = {id(tensor): source.value for tensor, source in zip(functional.inputs, sources, strict=True)}
    _walk(functional, reader, scope)
    structures = (kinds.input_structure(functional, kind), kinds.output_structure(functional, kind))
    inputs, outputs = (substitute(_plain(structure), lambda tensor: scope[id(tensor)]) for structure in structures)
    return Graph(model.name, kind, sources, _needed(reader.calls, outputs), inputs, outputs)


def _plain(structure: Any) -> Any:
    # tf_keras wraps lists and dicts that are set as attributes; the copies here are plain.
    if isinstance(structure, dict):
        return {key: _plain(item) for key, item in structure.items()}
    if isinstance(structure, (list, tuple)):
        return type(structure)(map(_plain, structure)) if type(structure) is tuple else [_plain(i) for i in structure]
    return structure


def _source(tensor: Any, reader: _Reader) -> Source:
    layer = tensor._keras_history[0]
    for trait in ("sparse", "ragged", "optional"):
        if getattr(layer, trait, False):
            raise BridgeError(
                f"input {layer.name!r} is {trait}; make it a plain dense input, which a .tflite file needs"
            )
    return Source(reader.new_value(), reader.name_of(layer, ""), tuple(tensor.shape), kinds.dtype_of(tensor))


def _needed(calls: list[Call], outputs: Any) -> tuple[Call, ...]:
    # A mask that Keras 3 computed as an operation is dropped where the twin computes it by itself.
    wanted = set(leaves(outputs, Value))
    kept = []
    for call in reversed(calls):
        if not wanted.isdisjoint(call.outputs):
            kept.append(call)
            wanted.update(call.inputs)
    return tuple(reversed(kept))


def _walk(functional: Any, reader: _Reader, scope: Scope, prefix: str = "", training: bool | None = None) -> None:
    for node in kinds.nodes_of(functional, reader.kind):
        if any(id(tensor) not in scope for tensor in node.inputs):
            continue  # a call from outside this model, of a layer that this model shares
        if kinds.is_model(node.layer):
            _inline(node, reader, scope, prefix, training)
            continue
        call = _call(node, reader, scope, prefix, training)
        reader.calls.append(call)
        scope.update({id(tensor): value for tensor, value in zip(node.outputs, call.outputs, strict=True)})


def _inline(node: Node, reader: _Reader, scope: Scope, prefix: str, training: bool | None) -> None:
    inner, kind = node.layer, reader.kind
    functional = kinds.graph_of(inner, kind)
    inputs = kind.flatten(_inner_inputs(node, functional, kind))
    inner_training = node.kwargs.get("training")
    if kind is KERAS and training is not None:
        inner_training = training  # in Keras 3 the outermost explicit choice wins
    inner_scope: Scope = {}
    for given, wanted in zip(inputs, functional.inputs, strict=True):
        if id(given) not in scope:
            raise BridgeError(
                f"the model {inner.name!r} is called on a constant; pass it as an input of the outer model"
            )
        value = scope[id(given)]
        if kinds.dtype_of(given) != kinds.dtype_of(wanted):
            value = _cast(value, kinds.dtype_of(wanted), reader)
        inner_scope[id(wanted)] = value
    _walk(
        functional,
        reader,
        inner_scope,
        f"{prefix}{inner.name}_",
        training if inner_training is None else inner_training,
    )
    flat_outputs = kind.flatten(kinds.output_structure(functional, kind))
    for outside, inside in zip(node.outputs, flat_outputs, strict=True):
        scope[id(outside)] = inner_scope[id(inside)]


def _inner_inputs(node: Node, functional: Any, kind: Kind) -> Any:
    given = node.args[0] if node.args else node.kwargs["inputs"]
    if isinstance(given, dict) and not isinstance(kinds.input_structure(functional, kind), dict):
        return [given[tensor._keras_history[0].name] for tensor in functional.inputs]
    return given


def _cast(value: Value, dtype: str, reader: _Reader) -> Value:
    result = reader.new_value()
    reader.calls.append(Call(reader.unique("cast"), None, "cast", (), {"x": value, "dtype": dtype}, (result,)))
    return result


def _call(node: Node, reader: _Reader, scope: Scope, prefix: str, training: bool | None) -> Call:
    def value(thing: Any) -> Any:
        return scope[id(thing)] if kinds.is_symbolic(thing, reader.kind) else thing

    outputs = tuple(reader.new_value() for _ in node.outputs)
    operation = operators.read(node)
    if operation is not None:
        name = reader.unique(re.sub(r"\W+", "_", prefix + node.layer.name))
        args, kwargs = substitute(operation.args, value), substitute(operation.kwargs, value)
        return Call(name, None, operation.name, args, kwargs, outputs)
    node = _standard_arguments(node, reader.kind)
    kwargs = _layer_kwargs(node, reader.kind, training)
    name = reader.name_of(node.layer, prefix)
    return Call(name, node.layer, "", substitute(node.args, value), substitute(kwargs, value), outputs)


def _standard_arguments(node: Node, kind: Kind) -> Node:
    """Everything after the first argument by name: the two Kerases order the arguments of RNNs and attention apart."""
    if kind is TF_KERAS and type(node.layer).__name__ == "TFOpLambda":
        return node
    args, kwargs = node.args, dict(node.kwargs)
    names = kinds.call_arguments(node.layer)
    kwargs.update(zip(names[1:], args[1:], strict=False))
    args = args[:1]
    if kind is TF_KERAS and hasattr(node.layer, "return_state") and args and isinstance(args[0], list):
        # tf_keras records rnn(x, initial_state=[h, c]) as rnn([x, h, c]).
        args, kwargs["initial_state"] = (args[0][0],), args[0][1:]
    return replace(node, args=args, kwargs=kwargs)


def _layer_kwargs(node: Node, kind: Kind, training: bool | None) -> dict[str, Any]:
    found_by_keras = {id(mask) for tensor in node.inputs if (mask := getattr(tensor, "_keras_mask", None)) is not None}
    kwargs = {}
    for name, argument in node.kwargs.items():
        is_mask = name == "mask" or name.endswith("_mask")
        tensors = [item for item in leaves(argument) if kinds.is_symbolic(item, kind)]
        if argument is None or (is_mask and tensors and all(id(item) in found_by_keras for item in tensors)):
            continue  # the twin's layers hand masks on by themselves
        if kind is KERAS and name == "training" and argument == kinds.default_training(node.layer):
            continue  # Keras 3 notes the default as if it had been asked for; there it yields to the caller's choice
        kwargs[name] = argument
    if training is not None and "training" in kinds.call_arguments(node.layer):
        kwargs["training"] = training if kind is KERAS else kwargs.get("training", training)
    return kwargs

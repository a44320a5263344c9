"""The two Kerases behind one set of questions: whose object is this, which nodes does a model have, in which order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from converters.errors import BridgeError


@dataclass(frozen=True, eq=False)
class Kind:
    """One of the two Kerases.

    Attributes:
        name: as users call it.
        package: the module, with `layers`, `Input`, `Model`, `activations`, `initializers`, ...
        flatten: nested structure of tensors -> flat list, in the order in which that Keras numbers them.
    """

    name: str
    package: ModuleType
    flatten: Callable[[Any], list[Any]]


@dataclass(frozen=True)
class Node:
    """One call of a layer, a model or an operation, as a Keras recorded it.

    Attributes:
        layer: what was called; for Keras 3 also an operation that is no layer.
        args: positional arguments, symbolic tensors in them.
        kwargs: keyword arguments.
        inputs: the symbolic tensors among the arguments.
        outputs: flat list of the symbolic tensors that came out.
    """

    layer: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]


KERAS = Kind("Keras 3", keras, keras.tree.flatten)
TF_KERAS = Kind("tf_keras", tf_keras, tf.nest.flatten)


def kind_of(thing: Any) -> Kind | None:
    """The Keras that a model, layer or operation belongs to; None for anything else."""
    if isinstance(thing, (keras.Operation, keras.layers.Layer)):
        return KERAS
    return TF_KERAS if isinstance(thing, tf_keras.layers.Layer) else None


def is_model(thing: Any) -> bool:
    """Whether `thing` is a model, of whatever sort, and not a layer."""
    return isinstance(thing, (keras.Model, keras.Function, tf_keras.Model))


def graph_of(model: Any, kind: Kind) -> Any:
    """The functional graph inside a model.

    Raises:
        BridgeError: a subclassed model, which has none, or a Sequential model that was never built.
    """
    graph = model
    if kind is KERAS and isinstance(model, keras.Sequential):
        graph = model._functional if model.built else None
    elif kind is KERAS and not isinstance(model, keras.Function):
        raise _subclassed(model)
    if kind is TF_KERAS and not model._is_graph_network:
        if not isinstance(model, tf_keras.Sequential):
            raise _subclassed(model)
        graph = None
    if graph is None or not graph.inputs:
        raise BridgeError(
            f"the Sequential model {model.name!r} does not know its input shape; "
            "put a keras.Input(shape=...) first, or call model.build((None, ...))"
        )
    return graph


def _subclassed(model: Any) -> BridgeError:
    return BridgeError(
        f"{model.name!r} ({type(model).__name__}) is a subclassed model: its layers are wired in Python code, not in a "
        "graph that can be rebuilt; build it as a functional model (keras.Model(inputs, outputs)) with the same layers"
    )


def input_structure(graph: Any, kind: Kind) -> Any:
    """The inputs of a functional graph in the structure that its caller gives them."""
    return graph._inputs_struct if kind is KERAS else graph._nested_inputs


def output_structure(graph: Any, kind: Kind) -> Any:
    """The outputs of a functional graph in the structure that its caller gets them."""
    return graph._outputs_struct if kind is KERAS else graph._nested_outputs


def nodes_of(graph: Any, kind: Kind) -> Iterator[Node]:
    """The calls of a functional graph, each after those it needs; input nodes left out."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.is_input:
                continue
            if kind is KERAS:
                arguments = node.arguments
                yield Node(node.operation, arguments.args, arguments.kwargs, node.input_tensors, node.outputs)
            else:
                outputs = tf.nest.flatten(node.outputs)
                yield Node(node.layer, tuple(node.call_args), dict(node.call_kwargs), node.keras_inputs, outputs)


def is_symbolic(thing: Any, kind: Kind) -> bool:
    """Whether `thing` is a symbolic tensor of that Keras."""
    is_keras = isinstance(thing, keras.KerasTensor)
    return is_keras if kind is KERAS else not is_keras and hasattr(thing, "_keras_history")


def call_arguments(layer: Any) -> list[str]:
    """Names of the arguments of a layer's `call`, in order."""
    return [name for name in inspect.signature(type(layer).call).parameters if name != "self"]


def default_training(layer: Any) -> Any:
    """What a layer takes `training` for when nobody says."""
    parameter = inspect.signature(type(layer).call).parameters.get("training")
    return None if parameter is None else parameter.default


def dtype_of(tensor: Any) -> str:
    """NumPy name of a symbolic or real tensor's type."""
    return str(getattr(tensor.dtype, "name", tensor.dtype))


def policy_of(layer: Any) -> str:
    """Name of a layer's number-type policy: `float32`, `mixed_float16`, ..."""
    return str(layer.dtype_policy.name)

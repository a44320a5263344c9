"""A flat tf_keras model built again from copies of its layers, some of them replaced by others.

TF-MOT changes the models that it is given, so everything here makes new layers; the model that comes in is only read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tf_keras
from numpy.typing import NDArray

from converters.errors import ModelError
from converters.keras_models.bridge import kinds, layers
from converters.keras_models.bridge.kinds import TF_KERAS, Node
from converters.keras_models.bridge.structures import substitute


@dataclass(frozen=True)
class Stage:
    """One new layer in the place of an old one.

    Attributes:
        layer: a layer that was not called yet.
        weights: what it gets, in the order of `layer.weights`; empty for a layer without weights.
    """

    layer: Any
    weights: tuple[NDArray[Any], ...] = ()


def nodes(model: Any) -> list[Node]:
    """The calls of a flat tf_keras model, each after those that it needs.

    Raises:
        ModelError: not a functional or Sequential tf_keras model, or one with a model inside.
    """
    if kinds.kind_of(model) is not TF_KERAS or not kinds.is_model(model):
        raise ModelError(
            f"expected a tf_keras model, got {type(model).__name__}; make its twin with bridge.to_tf_keras"
        )
    found = list(kinds.nodes_of(kinds.graph_of(model, TF_KERAS), TF_KERAS))
    for node in found:
        if kinds.is_model(node.layer):
            raise ModelError(
                f"{model.name!r} has the model {node.layer.name!r} inside, expected layers only; "
                "flatten it with bridge.to_tf_keras"
            )
    return found


def clone(model: Any) -> Any:
    """An independent copy of a flat tf_keras model.

    Args:
        model: a functional or Sequential `tf_keras.Model` without nested models; unchanged, and nothing of it is
            shared with the copy.

    Returns:
        A functional model of the same layers, names, order, weights and flags; not compiled.

    Raises:
        ModelError: it is no such model, or a layer of it cannot be built again.
    """
    return rebuild(model, {})


def rebuild(model: Any, replacements: Mapping[str, Sequence[Stage]]) -> Any:
    """A copy of a model in which some layers are replaced.

    Args:
        model: as for `clone`.
        replacements: layer name -> the layers to call in its place, one after the other: the first with the arguments
            of the old one, each other on what came out before. None at all: the old layer's input passes through.
            They get the old layer's `trainable` flag.

    Returns:
        A functional model with the same inputs and order of outputs. Layers that were called several times are called
        several times, replaced or not.

    Raises:
        ModelError: as for `clone`.
    """
    calls = nodes(model)
    graph = kinds.graph_of(model, TF_KERAS)
    made = {id(node.layer): _made(node.layer, replacements) for node in calls}
    tensors = {id(tensor): _input_like(tensor) for tensor in graph.inputs}

    def tensor(thing: Any) -> Any:
        return tensors[id(thing)] if kinds.is_symbolic(thing, TF_KERAS) else thing

    for node in calls:
        outputs = _called(node, [stage.layer for stage in made[id(node.layer)]], tensor)
        tensors.update({id(old): new for old, new in zip(node.outputs, outputs, strict=True)})
    inputs, outputs = (
        substitute(_plain(structure), tensor)
        for structure in (kinds.input_structure(graph, TF_KERAS), kinds.output_structure(graph, TF_KERAS))
    )
    built = tf_keras.Model(inputs, outputs, name=model.name)
    if not model.trainable:
        built.trainable = False  # sets every layer, so it comes before the layers' own flags
    for layer in {id(node.layer): node.layer for node in calls}.values():
        _set_state(layer, made[id(layer)], copied=layer.name not in replacements)
    return built


def _made(layer: Any, replacements: Mapping[str, Sequence[Stage]]) -> Sequence[Stage]:
    if layer.name in replacements:
        return replacements[layer.name]
    return [Stage(layers.create(layer, layer.name, TF_KERAS))]


def _input_like(tensor: Any) -> Any:
    name = tensor._keras_history[0].name
    return tf_keras.Input(tensor.shape[1:], batch_size=tensor.shape[0], dtype=kinds.dtype_of(tensor), name=name)


def _called(node: Node, chain: Sequence[Any], tensor: Any) -> list[Any]:
    if not chain:
        return [tensor(node.inputs[0])]
    result = chain[0](*substitute(node.args, tensor), **substitute(node.kwargs, tensor))
    for layer in chain[1:]:
        result = layer(result)
    return TF_KERAS.flatten(result)


def _set_state(layer: Any, stages: Sequence[Stage], *, copied: bool) -> None:
    if copied:
        layers.copy_state(layer, stages[0].layer)
        return
    for stage in stages:
        stage.layer.trainable = layer.trainable
        stage.layer.set_weights(list(stage.weights))


def _plain(structure: Any) -> Any:
    # tf_keras wraps lists and dicts that are set as attributes; the copies here are plain.
    if isinstance(structure, Mapping):
        return {key: _plain(item) for key, item in structure.items()}
    if isinstance(structure, list):
        return [_plain(item) for item in structure]
    return tuple(map(_plain, structure)) if type(structure) is tuple else structure

"""Activations that `simplify` split off go back into their layers, when nothing needs them apart any more.

rejoin(model, original)     Dense "d", Activation "d_softmax" -> Dense "d" with activation="softmax"
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import tf_keras

from converters.keras_models.bridge import graph, kinds
from converters.keras_models.bridge.kinds import TF_KERAS
from converters.keras_models.rebuilding import Stage, nodes, rebuild


def rejoin(model: Any, original: Any) -> Any:
    """The same function without `Activation` layers that the original has not.

    Each goes into the linear layer before it, if that one is read by nothing else. What `simplify` made of a
    SeparableConv, and an activation that is a layer with weights, stay as they are.

    Args:
        model: what techniques made of the simplified twin of `original`; unchanged.
        original: a model of either Keras; only walked.

    Raises:
        ModelError: `model` is no flat functional tf_keras model, or a layer of it cannot be built again.
    """
    calls, known = nodes(model), {call.name for call in graph.read(original).calls}
    maker = {id(tensor): node.layer for node in calls for tensor in node.outputs}
    ends = TF_KERAS.flatten(kinds.output_structure(kinds.graph_of(model, TF_KERAS), TF_KERAS))
    readers = Counter(map(id, [*ends, *(tensor for node in calls for tensor in node.inputs)]))
    shared = {node.layer.name for node in calls if any(readers[id(tensor)] != 1 for tensor in node.outputs)}
    replacements: dict[str, list[Stage]] = {}
    for node in calls:
        if type(node.layer) is not tf_keras.layers.Activation or node.layer.name in known:
            continue
        before: Any = maker.get(id(node.inputs[0]))
        if getattr(before, "activation", None) is tf_keras.activations.linear and before.name not in shared:
            config = before.get_config() | {"activation": node.layer.activation}
            joined = Stage(type(before).from_config(config), tuple(before.get_weights()))
            replacements |= {before.name: [joined], node.layer.name: []}
    return rebuild(model, replacements) if replacements else model

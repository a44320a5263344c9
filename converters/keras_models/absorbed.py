"""Kernels that the converter multiplies by a constant next to them, so that the file has other weights than the model.

TFLiteConverter folds a multiplication by constants, one or one per channel, into the operator before it, and one by a
single constant into the operator behind it (the patterns of optimize_patterns.td and `FuseBinaryOpToFollowingAffineOp`
of optimize.cc in tensorflow/compiler/mlir/lite/transforms). `fold_batch_norm` does both first, wherever a constant has
one kernel to go to and a kernel one call; what is listed here is left. No grid can be promised for such a kernel before
there is a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tf_keras

from converters.keras_models import kernels
from converters.keras_models.bridge import kinds
from converters.keras_models.bridge.kinds import TF_KERAS, Node
from converters.keras_models.constants import is_constant_arithmetic, line_of
from converters.keras_models.folding import PADDINGS, does_nothing_in_inference, pads_nothing
from converters.keras_models.rebuilding import nodes

_RESHAPES = (tf_keras.layers.Reshape, tf_keras.layers.Flatten)
# Others have a RESHAPE in between in the file, or no such pattern.
_TAKES_FROM_BEFORE = frozenset({"Conv2D", "DepthwiseConv2D", "Dense"})


def absorbing(model: Any) -> dict[str, str]:
    """The layers whose kernels the converter will change, or whose output it will give to the layer behind.

    Args:
        model: a flat functional tf_keras model, its batch normalization folded; only read.

    Returns:
        layer -> reason.

    Raises:
        ModelError: it is no such model.
    """
    calls = nodes(model)
    found = {kernel.layer: kernel.layer_class for kernel in kernels.kernels(model) if kernel.channel_axes}
    maker = {id(tensor): node for node in calls for tensor in node.outputs}
    uses = _uses(model, calls)
    reasons = {}
    for node in calls:
        if is_constant_arithmetic(node):
            before = _before(node, maker, uses)
            if before in found:
                reasons[before] = f"the converter multiplies it by the constants of {node.layer.name!r} behind it"
        if found.get(node.layer.name) in _TAKES_FROM_BEFORE:
            for layer in _scalars_before(node, maker):
                reasons[node.layer.name] = f"the converter multiplies it by the constant of {layer!r} before it"
    return reasons


def _uses(model: Any, calls: list[Node]) -> dict[int, int]:
    counts: dict[int, int] = {}
    outputs = TF_KERAS.flatten(kinds.output_structure(kinds.graph_of(model, TF_KERAS), TF_KERAS))
    for tensor in [*outputs, *(tensor for node in calls for tensor in node.inputs)]:
        counts[id(tensor)] = counts.get(id(tensor), 0) + 1
    return counts


def _before(node: Node, maker: dict[int, Node], uses: dict[int, int]) -> str:
    """The linear layer whose output a constant reaches, empty where something else is in between."""
    tensor, scalar = node.inputs[0], _is_scalar(node)
    # What several layers read stays as it is.
    while id(tensor) in maker and uses[id(tensor)] == 1:
        made = maker[id(tensor)]
        passes = does_nothing_in_inference(made) or is_constant_arithmetic(made)
        if not passes and not (scalar and isinstance(made.layer, _RESHAPES)):
            activation = getattr(made.layer, "activation", None)
            return made.layer.name if activation in (None, tf_keras.activations.linear) else ""
        tensor = made.inputs[0]
    return ""


def _is_scalar(node: Node) -> bool:
    """Whether constants are a single number, as far as is known."""
    line = line_of(node)
    return line is None or line.is_scalar


def _scalars_before(node: Node, maker: dict[int, Node]) -> Iterator[str]:
    """The layers before a kernel that multiply by one number, nearest first."""
    tensor, pads = node.inputs[0], not pads_nothing(node.layer)
    while id(tensor) in maker:
        made = maker[id(tensor)]
        if is_constant_arithmetic(made) and _is_scalar(made):
            line = line_of(made)
            # What is added before zeros are padded stays a step of its own, and keeps off what comes before it.
            if pads and line is not None and line.offset.any():
                return
            yield made.layer.name
        elif isinstance(made.layer, PADDINGS):
            pads = True
        elif not does_nothing_in_inference(made):
            return
        tensor = made.inputs[0]

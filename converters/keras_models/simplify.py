"""Models in which every layer that computes does one thing, so that techniques and files speak of the same layers.

    simplify(model)           SeparableConv split in two, activations that no kernel fuses split off
    fold_batch_norm(model)    batch normalization folded into the kernels before it, other constants into one beside
    clone(model)              an independent copy

A `.tflite` file has one operator for each of these layers; a SeparableConv is two there, and `Dense(softmax)` too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
import tf_keras
from numpy.typing import NDArray

from converters.keras_models.bridge import kinds, layers
from converters.keras_models.bridge.kinds import TF_KERAS
from converters.keras_models.folding import Folded, fold_batch_norm
from converters.keras_models.rebuilding import Stage, clone, nodes, rebuild

__all__ = ["Folded", "Simplified", "clone", "fold_batch_norm", "simplify"]

_COMPUTES = frozenset(
    {
        *("Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"),
        *("Dense", "DepthwiseConv1D", "DepthwiseConv2D", "EinsumDense", "SeparableConv1D", "SeparableConv2D"),
    }
)

# What the integer kernels of CONV_2D, FULLY_CONNECTED, ... do by themselves: ActivationFunctionType in schema.fbs.
_FUSED = (None, tf_keras.activations.linear, tf_keras.activations.relu, tf.nn.relu, tf.nn.relu6)

_ATTACHED = ("initializer", "regularizer", "constraint")
_DEPTHWISE_SETTINGS = (
    *("kernel_size", "strides", "padding", "data_format", "dilation_rate", "depth_multiplier", "dtype"),
    *(f"depthwise_{what}" for what in _ATTACHED),
)
_POINTWISE_SETTINGS = (
    *("name", "filters", "data_format", "use_bias", "activation", "activity_regularizer", "dtype"),
    *(f"bias_{what}" for what in _ATTACHED),
)


@dataclass(frozen=True)
class Simplified:
    """What `simplify` made.

    Attributes:
        model: the new model.
        notes: (layer, what was done to it, or why it was left).
    """

    model: Any
    notes: tuple[tuple[str, str], ...]


@dataclass
class _Plan:
    names: set[str]
    replacements: dict[str, list[Stage]] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def name(self, wanted: str) -> str:
        name, number = wanted, 0
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.add(name)
        return name


def simplify(model: Any) -> Simplified:
    """The same function in plainer layers.

    - `SeparableConv2D` "s" becomes `DepthwiseConv2D` "s_depthwise" and a 1x1 `Conv2D` "s". `SeparableConv1D` likewise,
      between the reshapes "s_expand" and "s_squeeze" (after "s_pad" where it is causal).
    - An activation other than linear, relu and relu6 leaves its layer "d" for an `Activation` layer "d_softmax".

    A name that is taken gets a number. An output whose layer loses its activation is named after the `Activation`;
    the order of the outputs stays.

    Args:
        model: a flat functional `tf_keras.Model`; unchanged.

    Returns:
        The new model, with the same weights, input names, shared layers and order of outputs.

    Raises:
        ModelError: it is no such model, or a layer of it cannot be built again.
    """
    plan = _Plan({layer.name for layer in model.layers})
    seen: set[int] = set()
    for node in nodes(model):
        if id(node.layer) not in seen and layers.class_name(node.layer) in _COMPUTES:
            seen.add(id(node.layer))
            _plan_layer(node.layer, node.inputs[0].shape, plan)
    return Simplified(rebuild(model, plan.replacements), tuple(plan.notes))


def _plan_layer(layer: Any, input_shape: Any, plan: _Plan) -> None:
    class_name = type(layer).__name__
    loses = _loses_activation(layer, plan)
    config = dict(layer.get_config()) | ({"activation": "linear"} if loses else {})
    if class_name == "SeparableConv2D":
        stages = _separable(layer, config, plan)
    elif class_name == "SeparableConv1D" and layer.data_format == "channels_last":
        stages = _separable_1d(layer, config, input_shape, plan)
    elif class_name == "SeparableConv1D":
        plan.notes.append((layer.name, "is not split: its data_format is channels_first; use channels_last"))
        return
    elif loses:
        stages = [Stage(type(layer).from_config(config), _own_weights(layer))]
    else:
        return
    if loses:
        stages.append(_activation_stage(layer, plan))
    plan.replacements[layer.name] = stages


def _loses_activation(layer: Any, plan: _Plan) -> bool:
    if any(layer.activation is function for function in _FUSED):
        return False
    if layer.activity_regularizer is None:
        return True
    # On the layer alone it would see what comes before the activation; an Activation forgets it when it is cloned.
    plan.notes.append((layer.name, "keeps its activation, because its activity_regularizer sees what comes out of it"))
    return False


def _activation_stage(layer: Any, plan: _Plan) -> Stage:
    activation = layer.activation
    is_layer = kinds.kind_of(activation) is not None
    called = activation.name if is_layer else getattr(activation, "__name__", type(activation).__name__)
    name = plan.name(f"{layer.name}_{re.sub(r'[^A-Za-z0-9_.-]', '', called)}")
    plan.notes.append((layer.name, f"recipes know its activation as the layer {name!r}"))
    if is_layer:
        return Stage(layers.create(activation, name, TF_KERAS), tuple(activation.get_weights()))
    return Stage(tf_keras.layers.Activation(activation, name=name, dtype=kinds.policy_of(layer)))


def _own_weights(layer: Any) -> tuple[NDArray[Any], ...]:
    # An activation that is a layer (PReLU) has its weights among those of the layer around it.
    others = {id(weight) for weight in getattr(layer.activation, "weights", ())}
    return tuple(weight.numpy() for weight in layer.weights if id(weight) not in others)


def _separable(layer: Any, config: Mapping[str, Any], plan: _Plan) -> list[Stage]:
    """The two stages of a separable layer; `config` is that of its 2D form."""
    depthwise_kernel, pointwise_kernel, *bias = _own_weights(layer)
    if depthwise_kernel.ndim == 3:
        depthwise_kernel, pointwise_kernel = depthwise_kernel[np.newaxis], pointwise_kernel[np.newaxis]
    name = plan.name(f"{layer.name}_depthwise")
    plan.notes.append((layer.name, f"its depthwise half became the layer {name!r}"))
    depthwise = {key: config[key] for key in _DEPTHWISE_SETTINGS} | {"name": name, "use_bias": False}
    pointwise = {key: config[key] for key in _POINTWISE_SETTINGS} | {"kernel_size": 1}
    pointwise |= {f"kernel_{what}": config[f"pointwise_{what}"] for what in _ATTACHED}
    return [
        Stage(tf_keras.layers.DepthwiseConv2D.from_config(depthwise), (depthwise_kernel,)),
        Stage(tf_keras.layers.Conv2D.from_config(pointwise), (pointwise_kernel, *bias)),
    ]


def _separable_1d(layer: Any, config: Mapping[str, Any], input_shape: Any, plan: _Plan) -> list[Stage]:
    width, stride, dilation = (config[key][0] for key in ("kernel_size", "strides", "dilation_rate"))
    length, dtype = input_shape[1], kinds.policy_of(layer)
    causal = config["padding"] == "causal"
    before = []
    if causal:
        padding = dilation * (width - 1)
        length = None if length is None else length + padding
        name = plan.name(f"{layer.name}_pad")
        before.append(Stage(tf_keras.layers.ZeroPadding1D((padding, 0), name=name, dtype=dtype)))
    # A strided depthwise kernel takes equal strides only; over a height of 1 the other one does nothing.
    flat: dict[str, Any] = {"kernel_size": (1, width), "strides": (stride, stride), "dilation_rate": (1, dilation)}
    flat |= {"padding": "valid"} if causal else {}
    output_length = layer.compute_output_shape(input_shape)[1]
    expand, squeeze = (plan.name(f"{layer.name}_{what}") for what in ("expand", "squeeze"))
    in_shape, out_shape = (1, length or -1, input_shape[2]), (output_length or -1, config["filters"])
    return [
        *before,
        Stage(tf_keras.layers.Reshape(in_shape, name=expand, dtype=dtype)),
        *_separable(layer, {**config, **flat}, plan),
        Stage(tf_keras.layers.Reshape(out_shape, name=squeeze, dtype=dtype)),
    ]

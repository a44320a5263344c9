"""Batch normalization folded into the kernel and bias of the layer before it.

In inference, with mean m, variance v, scale g and offset b of a channel, y = g (x - m) / sqrt(v + e) + b. After a layer
x = w * u + c that is the layer w' = f w, c' = f (c - m) + b, with the factor f = g / sqrt(v + e) (Jacob et al. 2018,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 3.2).
A negative g turns the kernel's signs, a zero g makes the channel's kernel zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from converters.keras_models import kernels
from converters.keras_models.bridge import kinds
from converters.keras_models.bridge.kinds import TF_KERAS, Node
from converters.keras_models.kernels import Kernel
from converters.keras_models.rebuilding import Stage, nodes, rebuild


@dataclass(frozen=True)
class Folded:
    """What `fold_batch_norm` made.

    Attributes:
        model: the new model.
        factors: kernel name -> what its kernel was multiplied by, float32, in the shape of the kernel's scales: one
            factor for each output channel, broadcast against the kernel.
        unfolded: (layer, reason) for each batch normalization that stays.
    """

    model: Any
    factors: Mapping[str, NDArray[np.float32]]
    unfolded: tuple[tuple[str, str], ...]


@dataclass
class _Affine:
    """A channel-wise line after a kernel, float64, one number for each output channel, in the order of the bias."""

    factor: NDArray[np.float64]
    offset: NDArray[np.float64]


def fold_batch_norm(model: Any) -> Folded:
    """The same function with as few batch normalizations as can be.

    One is folded where it comes directly (or through a `Reshape` that leaves the channels alone, or through layers that
    do nothing in inference, such as `Dropout`) after a convolution, depthwise or transposed convolution or Dense layer
    that has no activation, is called once and feeds nothing else. The new layer has no regularizers and no constraints:
    they were chosen for the weights and the outputs before normalization.

    Args:
        model: a flat functional `tf_keras.Model`; unchanged. Its statistics are taken as inference takes them.

    Returns:
        The new model, with biases where there were none; the normalizations' layers are gone from it.

    Raises:
        ModelError: it is no such model, or a layer of it cannot be built again.
    """
    graph = _Graph(model)
    found = {kernel.layer: kernel for kernel in kernels.kernels(model) if kernel.channel_axes}
    lines: dict[str, _Affine] = {}
    replacements: dict[str, list[Stage]] = {}
    unfolded: list[tuple[str, str]] = []
    for node in graph.nodes:
        if not isinstance(node.layer, tf_keras.layers.BatchNormalization) or node.layer.name in dict(unfolded):
            continue
        before, reason = graph.foldable_before(node, found, replacements)
        if reason:
            unfolded.append((node.layer.name, reason))
            continue
        replacements[node.layer.name] = []
        lines[before] = _then(lines.get(before), _inference_line(node.layer))
    for name, line in lines.items():
        replacements[name] = [_folded_layer(graph.layers[name], found[name], line)]
    factors = {
        found[name].name: line.factor.astype(np.float32).reshape(found[name].scale_shape(per_tensor=False))
        for name, line in lines.items()
    }
    return Folded(rebuild(model, replacements), factors, tuple(unfolded))


class _Graph:
    """Who makes a tensor and who takes it."""

    def __init__(self, model: Any) -> None:
        self.nodes = nodes(model)
        self.layers = {node.layer.name: node.layer for node in self.nodes}
        self._maker = {id(tensor): node for node in self.nodes for tensor in node.outputs}
        self._uses: dict[int, int] = {}
        outputs = TF_KERAS.flatten(kinds.output_structure(kinds.graph_of(model, TF_KERAS), TF_KERAS))
        for tensor in [*outputs, *(tensor for node in self.nodes for tensor in node.inputs)]:
            self._uses[id(tensor)] = self._uses.get(id(tensor), 0) + 1

    def calls_of(self, layer: Any) -> int:
        return sum(node.layer is layer for node in self.nodes)

    def foldable_before(
        self, node: Node, found: Mapping[str, Kernel], gone: Mapping[str, list[Stage]]
    ) -> tuple[str, str]:
        """The layer that this normalization can go into, and why not ("" where it can)."""
        norm = node.layer
        if self.calls_of(norm) > 1:
            return "", "it is called at several places"
        if node.kwargs.get("training"):
            return "", "it is called with training=True, so it has no fixed statistics"
        tensor = node.inputs[0]
        while True:
            maker = self._maker.get(id(tensor))
            if maker is None:
                return "", "it comes directly after an input"
            if self._uses[id(tensor)] > 1:
                return "", f"what {maker.layer.name!r} makes is used at other places too"
            if maker.layer.name not in gone and not _keeps_channels(maker) and not does_nothing_in_inference(maker):
                return maker.layer.name, self._why_not(node, maker.layer, found)
            tensor = maker.inputs[0]

    def _why_not(self, node: Node, layer: Any, found: Mapping[str, Kernel]) -> str:
        called = f"{layer.name!r} ({type(layer).__name__})"
        if layer.name not in found:
            return f"it comes after {called}, which has no kernel to fold it into"
        if self.calls_of(layer) > 1:
            return f"{called} before it is called at several places"
        if layer.activation is not None and layer.activation is not tf_keras.activations.linear:
            return f"{called} before it has an activation"
        rank, directly = len(node.inputs[0].shape), self._maker[id(node.inputs[0])].layer is layer
        channels_first = getattr(layer, "data_format", "channels_last") == "channels_first"
        axes = [int(axis) % rank for axis in np.ravel(node.layer.axis)]
        if axes != [1 if channels_first else rank - 1] or (channels_first and not directly):
            return f"it normalizes along axes {axes}, which are not the channels of {called}"
        return ""


def does_nothing_in_inference(node: Node) -> bool:
    """Whether a call passes its input on unchanged, except while training."""
    layer = node.layer
    if isinstance(layer, tf_keras.layers.Activation):
        return layer.activation is tf_keras.activations.linear
    return isinstance(layer, _ONLY_WHILE_TRAINING) and not node.kwargs.get("training")


_ONLY_WHILE_TRAINING = (
    tf_keras.layers.Dropout,  # SpatialDropout is one too
    tf_keras.layers.GaussianNoise,
    tf_keras.layers.GaussianDropout,
    tf_keras.layers.AlphaDropout,
    tf_keras.layers.ActivityRegularization,
)


def _keeps_channels(node: Node) -> bool:
    """Whether a call is a `Reshape` after which the last axis still numbers the same channels."""
    if type(node.layer) is not tf_keras.layers.Reshape:
        return False
    before, after = node.inputs[0].shape, node.outputs[0].shape
    return before[-1] is not None and before[-1] == after[-1]


def _inference_line(norm: Any) -> _Affine:
    variance = np.asarray(norm.moving_variance, np.float64)
    factor = 1.0 / np.sqrt(variance + norm.epsilon)
    if norm.gamma is not None:
        factor *= np.asarray(norm.gamma, np.float64)
    offset = -factor * np.asarray(norm.moving_mean, np.float64)
    if norm.beta is not None:
        offset += np.asarray(norm.beta, np.float64)
    return _Affine(factor, offset)


def _then(first: _Affine | None, second: _Affine) -> _Affine:
    if first is None:
        return second
    return _Affine(first.factor * second.factor, first.offset * second.factor + second.offset)


def _folded_layer(layer: Any, kernel: Kernel, line: _Affine) -> Stage:
    values = np.asarray(kernel.variable, np.float64) * line.factor.reshape(kernel.scale_shape(per_tensor=False))
    bias = line.offset
    if layer.use_bias:
        bias = bias + np.asarray(layer.bias, np.float64) * line.factor
    config = dict(layer.get_config()) | {"use_bias": True}
    config |= {key: None for key in config if key.endswith(("_regularizer", "_constraint"))}
    return Stage(type(layer).from_config(config), (values.astype(np.float32), bias.astype(np.float32)))

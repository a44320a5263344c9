"""Batch normalization, and every other multiplication by constants, folded into the kernel and bias beside it.

In inference, with mean m, variance v, scale g and offset b of a channel, y = g (x - m) / sqrt(v + e) + b. After a layer
x = w * u + c that is the layer w' = f w, c' = f (c - m) + b, with the factor f = g / sqrt(v + e) (Jacob et al. 2018,
"Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", section 3.2).
A negative g turns the kernel's signs, a zero g makes the channel's kernel zero.

Constants of one number can also go into a kernel behind them, as `Rescaling(1/255)` before the first convolution does:
w * (f u + b) + c is the layer w' = f w, c' = c + b sum(w). A kernel that pads with zeros pads what b was added to, so
it takes constants without b only. TFLiteConverter does the same where it is left to it; done here, techniques know what
weights the file will have (`converters.keras_models.absorbed`). Constants are folded when batch normalization is, not
before: a kernel in thousandths, behind bytes, must not be trained as it is (`training_unit` of
`tfcompress.quantization.quantizers`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from converters.keras_models import kernels
from converters.keras_models.bridge import kinds
from converters.keras_models.bridge.kinds import TF_KERAS, Node
from converters.keras_models.constants import IDENTITY, Line, is_constant_arithmetic, line_of
from converters.keras_models.kernels import Kernel
from converters.keras_models.rebuilding import Stage, nodes, rebuild


@dataclass(frozen=True)
class Folded:
    """What `fold_batch_norm` made.

    Attributes:
        model: the new model.
        factors: kernel name -> what its kernel was multiplied by, float32, broadcast against the kernel: one factor for
            each output channel, in the shape of scales per channel; where they are all the same number by construction,
            in the shape that the kernel's scales have by default.
        unfolded: (layer, reason) for each batch normalization, or other layer of constants, that stays.
    """

    model: Any
    factors: Mapping[str, NDArray[np.float32]]
    unfolded: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Around:
    """What is folded into one kernel: a line of one number before it, one for each output channel behind it."""

    before: Line = IDENTITY
    behind: Line = IDENTITY

    @property
    def factor(self) -> NDArray[np.float64]:
        return self.before.factor * self.behind.factor


def fold_batch_norm(model: Any) -> Folded:
    """The same function with as few batch normalizations, and other layers of constants, as can be.

    One is folded where it comes directly (or through a `Reshape` that leaves the channels alone, or through layers that
    do nothing in inference, such as `Dropout`) after a convolution, depthwise or transposed convolution or Dense layer
    that has no activation, is called once and feeds nothing else. One of a single number is folded also where all that
    reads it, through padding, reshaping and the like, are such layers, with or without activation; where it adds
    something, none of them may pad. The new layer has no regularizers and no constraints: they were chosen for the
    weights and the outputs before.

    Args:
        model: a flat functional `tf_keras.Model`; unchanged. Its statistics are taken as inference takes them.

    Returns:
        The new model, with biases where constants were added; the folded layers are gone from it.

    Raises:
        ModelError: it is no such model, or a layer of it cannot be built again.
    """
    plan = _Plan(_Graph(model))
    plan.fold_into_what_comes_before()
    plan.fold_into_what_comes_behind()
    found = plan.graph.kernels
    stages = {name: [_folded_layer(plan.graph.layers[name], found[name], each)] for name, each in plan.around.items()}
    factors = {found[name].name: _factor(found[name], each) for name, each in plan.around.items()}
    gone: dict[str, Sequence[Stage]] = dict.fromkeys(plan.graph.gone, ())
    return Folded(rebuild(model, gone | stages), factors, tuple(plan.reasons.items()))


class _Plan:
    """What is folded into which kernel, and why the rest is not."""

    def __init__(self, graph: _Graph) -> None:
        self.graph = graph
        self.around: dict[str, _Around] = {}
        self.reasons: dict[str, str] = {}

    def fold_into_what_comes_before(self) -> None:
        """In the order of computation, so that what is folded away is no obstacle to what comes behind it."""
        for node in self.graph.constants:
            name = node.layer.name
            if name in self.reasons:
                continue
            line, kernel = line_of(node), ""
            reason = _why_no_line(node, line, self.graph.calls_of(node.layer))
            if line is not None and not reason:
                kernel, reason = self.graph.kernel_before(node, line)
            if line is None or reason:
                self.reasons[name] = reason
                continue
            self.graph.gone.add(name)
            found = self.around.get(kernel, _Around())
            self.around[kernel] = _Around(found.before, found.behind.then(line))

    def fold_into_what_comes_behind(self) -> None:
        """What is left, the other way round."""
        for node in reversed(self.graph.constants):
            name, line = node.layer.name, line_of(node)
            if name not in self.reasons or line is None or not line.is_scalar or self.graph.calls_of(node.layer) > 1:
                continue
            takers, reason = self.graph.kernels_behind(node, line)
            if reason:
                self.reasons[name] += f"; and {reason}"
                continue
            self.graph.gone.add(name)
            del self.reasons[name]
            for kernel in takers:
                found = self.around.get(kernel, _Around())
                self.around[kernel] = _Around(line.then(found.before), found.behind)


def _why_no_line(node: Node, line: Line | None, calls: int) -> str:
    if calls > 1:
        return "it is called at several places"
    if node.kwargs.get("training"):
        return "it is called with training=True, so it has no fixed statistics"
    return (
        ""
        if line is not None
        else "its constants are not one number, nor one for each channel, its class is your own, or it casts"
    )


class _Graph:
    """Who makes a tensor and who takes it."""

    def __init__(self, model: Any) -> None:
        self.nodes = nodes(model)
        self.layers = {node.layer.name: node.layer for node in self.nodes}
        self.kernels = {kernel.layer: kernel for kernel in kernels.kernels(model) if kernel.channel_axes}
        self.constants = [node for node in self.nodes if is_constant_arithmetic(node) or _is_batch_norm(node.layer)]
        self.gone: set[str] = set()
        self._maker = {id(tensor): node for node in self.nodes for tensor in node.outputs}
        self._readers: dict[int, list[Node]] = {}
        for node in self.nodes:
            for tensor in node.inputs:
                self._readers.setdefault(id(tensor), []).append(node)
        outputs = TF_KERAS.flatten(kinds.output_structure(kinds.graph_of(model, TF_KERAS), TF_KERAS))
        self._outputs = {id(tensor) for tensor in outputs}

    def calls_of(self, layer: Any) -> int:
        return sum(node.layer is layer for node in self.nodes)

    def kernel_before(self, node: Node, line: Line) -> tuple[str, str]:
        """The layer before these constants that they can go into, and why not ("" where they can)."""
        tensor = node.inputs[0]
        while True:
            maker = self._maker.get(id(tensor))
            if maker is None:
                return "", "it comes directly after an input"
            if len(self._readers[id(tensor)]) > 1 or id(tensor) in self._outputs:
                return "", f"what {maker.layer.name!r} makes is used at other places too"
            if not self._passes(maker) and not _keeps_channels(maker) and not (line.is_scalar and _moves(maker)):
                return maker.layer.name, self._why_not_before(node, line, maker.layer)
            tensor = maker.inputs[0]

    def _passes(self, node: Node) -> bool:
        return node.layer.name in self.gone or does_nothing_in_inference(node)

    def _why_not_before(self, node: Node, line: Line, layer: Any) -> str:
        called = f"{layer.name!r} ({type(layer).__name__})"
        if layer.name not in self.kernels:
            return f"it comes after {called}, which has no kernel to fold it into"
        if self.calls_of(layer) > 1:
            return f"{called} before it is called at several places"
        if layer.activation is not None and layer.activation is not tf_keras.activations.linear:
            return f"{called} before it has an activation"
        if line.is_scalar:
            return ""
        rank, directly = len(node.inputs[0].shape), self._maker[id(node.inputs[0])].layer is layer
        channels_first = getattr(layer, "data_format", "channels_last") == "channels_first"
        axes = [int(axis) % rank for axis in np.ravel(getattr(node.layer, "axis", -1))]
        if axes != [1 if channels_first else rank - 1] or (channels_first and not directly):
            return f"it normalizes along axes {axes}, which are not the channels of {called}"
        return ""

    def kernels_behind(self, node: Node, line: Line) -> tuple[list[str], str]:
        """The layers that read what a line of one number makes, and why it cannot go into them ("" where it can)."""
        takers, reasons = [], []
        for reader, padded in self._read_by(node):
            reason = "it is an output" if reader is None else self._why_not_behind(reader, padded, line)
            if reader is not None and not reason:
                takers.append(reader.layer.name)
            reasons.append(reason)
        return takers, next(filter(None, reasons), "" if takers else "nothing reads it")

    def _read_by(self, node: Node) -> Iterator[tuple[Node | None, str]]:
        """Who reads what a call makes, None for the caller of the model, and the padding in between."""
        waiting = [(node.outputs[0], "")]
        while waiting:
            tensor, padding = waiting.pop()
            if id(tensor) in self._outputs:
                yield None, padding
            for reader in self._readers.get(id(tensor), ()):
                pads = isinstance(reader.layer, PADDINGS)
                if self._passes(reader) or _moves(reader) or pads:
                    waiting.append((reader.outputs[0], repr(reader.layer.name) if pads else padding))
                else:
                    yield reader, padding

    def _why_not_behind(self, reader: Node, padding: str, line: Line) -> str:
        layer = reader.layer
        called = f"{layer.name!r} ({type(layer).__name__})"
        if layer.name not in self.kernels:
            return f"{called} behind it has no kernel to fold it into"
        if self.calls_of(layer) > 1:
            return f"{called} behind it is called at several places"
        if not line.factor[0]:
            return "it multiplies by 0"
        if line.offset[0] and (padding or not pads_nothing(layer)):
            return f"what it adds is not there where {padding or called} behind it pads with zeros"
        return ""


def _is_batch_norm(layer: Any) -> bool:
    return isinstance(layer, tf_keras.layers.BatchNormalization)


def pads_nothing(layer: Any) -> bool:
    """Whether each output of a layer with a kernel is computed by the whole kernel, from numbers that it is given."""
    # Each output of a transposed convolution sees a part of the kernel only, also without padding.
    return type(layer) is tf_keras.layers.Dense or (
        type(layer) is not tf_keras.layers.Conv2DTranspose and layer.padding == "valid"
    )


def does_nothing_in_inference(node: Node) -> bool:
    """Whether a call passes its input on unchanged, except while training."""
    layer = node.layer
    if isinstance(layer, tf_keras.layers.Activation):
        return layer.activation is tf_keras.activations.linear
    # A class derived from one of them may do anything, such as to drop in inference too.
    return type(layer) in _ONLY_WHILE_TRAINING and not node.kwargs.get("training")


_ONLY_WHILE_TRAINING = (
    tf_keras.layers.Dropout,
    tf_keras.layers.SpatialDropout1D,
    tf_keras.layers.SpatialDropout2D,
    tf_keras.layers.SpatialDropout3D,
    tf_keras.layers.GaussianNoise,
    tf_keras.layers.GaussianDropout,
    tf_keras.layers.AlphaDropout,
    tf_keras.layers.ActivityRegularization,
)
PADDINGS = (tf_keras.layers.ZeroPadding1D, tf_keras.layers.ZeroPadding2D)
_MOVES = (
    *(tf_keras.layers.Reshape, tf_keras.layers.Flatten, tf_keras.layers.Permute),
    *(tf_keras.layers.Cropping1D, tf_keras.layers.Cropping2D),
)


def _moves(node: Node) -> bool:
    """Whether a call only puts numbers at other places."""
    return type(node.layer) in _MOVES


def _keeps_channels(node: Node) -> bool:
    """Whether a call is a `Reshape` after which the last axis still numbers the same channels."""
    if type(node.layer) is not tf_keras.layers.Reshape:
        return False
    before, after = node.inputs[0].shape, node.outputs[0].shape
    return before[-1] is not None and before[-1] == after[-1]


def _factor(kernel: Kernel, around: _Around) -> NDArray[np.float32]:
    shape = kernel.scale_shape(per_tensor=None if around.behind.is_scalar else False)
    flat = np.broadcast_to(around.factor, int(np.prod(shape)))
    return flat.reshape(shape).astype(np.float32)


def _folded_layer(layer: Any, kernel: Kernel, around: _Around) -> Stage:
    shape = kernel.scale_shape(per_tensor=False)
    channels = int(np.prod(shape))
    values = np.asarray(kernel.variable, np.float64)
    inputs = tuple(axis for axis in range(values.ndim) if axis not in kernel.channel_axes)
    bias = around.before.offset * values.sum(axis=inputs).ravel()
    if layer.use_bias:
        bias = bias + np.asarray(layer.bias, np.float64)
    bias = bias * around.behind.factor + around.behind.offset
    values = values * np.broadcast_to(around.factor, channels).reshape(shape)
    config = kernels.unlimited(layer.get_config()) | {"activity_regularizer": None}
    # What was normalized keeps an offset that can be trained, whatever its value.
    config["use_bias"] = layer.use_bias or around.behind is not IDENTITY or bool(bias.any())
    biases = (bias.astype(np.float32),) if config["use_bias"] else ()
    # The rest are those of an activation that is a layer.
    rest = layer.get_weights()[1 + layer.use_bias :]
    return Stage(type(layer).from_config(config), (values.astype(np.float32), *biases, *rest))

"""Layers that multiply by constants and add constants, in inference: batch normalization, `Rescaling`, `x * 2`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import tf_keras
from numpy.typing import NDArray

from converters.keras_models.bridge import kinds
from converters.keras_models.bridge.kinds import Node
from converters.keras_models.bridge.operators import Operator
from converters.keras_models.bridge.structures import decode

_ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide", "true_divide"})
_DIVISIONS = frozenset({"divide", "true_divide"})


@dataclass(frozen=True)
class Line:
    """factor * x + offset, float64, both of the same shape.

    Attributes:
        factor: one number for each channel, or a single one for all: [channels] or [1].
        offset: likewise.
    """

    factor: NDArray[np.float64]
    offset: NDArray[np.float64]

    @property
    def is_scalar(self) -> bool:
        """Whether it is the same for all channels."""
        return self.factor.size == 1

    def then(self, after: Line) -> Line:
        """This line, and another one of what comes out."""
        return _line(self.factor * after.factor, self.offset * after.factor + after.offset)


IDENTITY = Line(np.ones(1), np.zeros(1))


def is_constant_arithmetic(node: Node) -> bool:
    """Whether a call multiplies its one input by constants, divides by them, or adds some."""
    layer = node.layer
    if isinstance(layer, Operator):
        return layer.operation in _ARITHMETIC and json.dumps(layer.encoded).count('"$tensor"') == 1
    if isinstance(layer, tf_keras.layers.BatchNormalization):
        return not node.kwargs.get("training")
    return isinstance(layer, (tf_keras.layers.Rescaling, tf_keras.layers.Normalization))


def line_of(node: Node) -> Line | None:
    """What a call does to each number, where that is one line for each channel, the last axis, or one for all.

    None also where a call casts, or where its class is one that a user derived: it may compute anything.
    """
    layer = node.layer
    if type(layer) is tf_keras.layers.BatchNormalization:
        return None if node.kwargs.get("training") else _of_batch_norm(layer)
    before, after = node.inputs[0], node.outputs[0]
    if len(node.inputs) != 1 or tuple(before.shape) != tuple(after.shape):
        return None
    if not before.dtype.is_floating or kinds.dtype_of(before) != kinds.dtype_of(after):
        return None
    found = None
    if type(layer) is tf_keras.layers.Rescaling:
        found = layer.scale, layer.offset
    elif type(layer) is tf_keras.layers.Normalization:
        found = _of_normalization(layer)
    elif isinstance(layer, Operator) and is_constant_arithmetic(node):
        found = _of_operator(layer)
    return _checked(*found) if found else None


def _checked(factor: Any, offset: Any) -> Line | None:
    factor, offset = np.asarray(factor, np.float64), np.asarray(offset, np.float64)
    if any(constant.size != constant.shape[-1] for constant in (factor, offset) if constant.ndim):
        return None
    if not (np.isfinite(factor).all() and np.isfinite(offset).all()):
        return None
    return _line(factor.ravel(), offset.ravel())


def _line(factor: NDArray[np.float64], offset: NDArray[np.float64]) -> Line:
    size = np.broadcast_shapes(factor.shape, offset.shape)
    return Line(np.broadcast_to(factor, size), np.broadcast_to(offset, size))


def _of_batch_norm(norm: Any) -> Line:
    variance = np.asarray(norm.moving_variance, np.float64)
    factor = 1.0 / np.sqrt(variance + norm.epsilon)
    if norm.gamma is not None:
        factor *= np.asarray(norm.gamma, np.float64)
    offset = -factor * np.asarray(norm.moving_mean, np.float64)
    if norm.beta is not None:
        offset += np.asarray(norm.beta, np.float64)
    return Line(factor, offset)


def _of_normalization(layer: Any) -> tuple[Any, Any]:
    mean = np.asarray(layer.mean, np.float64)
    deviation = np.maximum(np.sqrt(np.asarray(layer.variance, np.float64)), tf_keras.backend.epsilon())
    return (deviation, mean) if layer.invert else (1.0 / deviation, -mean / deviation)


def _of_operator(layer: Operator) -> tuple[Any, Any] | None:
    encoded = layer.encoded
    # The tensor itself is decoded as None.
    given = dict(zip(("x1", "x2"), decode(encoded["args"], [None]), strict=False)) | decode(encoded["kwargs"], [None])
    if set(given) != {"x1", "x2"}:
        return None
    is_second = given["x1"] is None
    constant = np.asarray(given["x2" if is_second else "x1"], np.float64)
    if layer.operation == "add":
        return 1.0, constant
    if layer.operation == "subtract":
        return (1.0, -constant) if is_second else (-1.0, constant)
    if layer.operation in _DIVISIONS:
        return (1.0 / constant, 0.0) if is_second and np.all(constant) else None
    return constant, 0.0

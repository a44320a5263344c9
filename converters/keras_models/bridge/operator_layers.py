"""Operations that are exactly one of the built-in tf_keras layers, which TF-MOT knows better than an `Operator`.

relu, relu6, leaky_relu, softmax, activations      ReLU, LeakyReLU, Softmax, Activation
add, subtract, multiply, maximum, minimum          the merging layers, where two tensors of one rank meet
concatenate, reshape, expand_dims, squeeze, transpose, pad                  Concatenate, Reshape, Permute, ZeroPadding
mean, max over the spatial axes, average_pool, max_pool                     the pooling layers
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tf_keras

from converters.keras_models.bridge import attachments
from converters.keras_models.bridge.kinds import TF_KERAS, dtype_of, is_symbolic
from converters.keras_models.bridge.operators import Operation, function_of
from converters.keras_models.bridge.structures import leaves


@dataclass(frozen=True)
class BuiltIn:
    """A layer: its class in `tf_keras.layers` and its constructor arguments; it takes the operation's tensors."""

    layer: str
    arguments: Mapping[str, Any]


Planner = Callable[[dict[str, Any]], BuiltIn | None]


def built_in(operation: Operation, name: str) -> tuple[Any, list[Any]] | None:
    """The built-in layer that computes `operation`, and the tensors to call it with.

    Args:
        operation: with symbolic tf_keras tensors among its arguments.
        name: of the layer.

    Returns:
        None where no layer does exactly that, or where a layer would hand a mask on and the operation would not.
    """
    planner = _PLANNERS.get(operation.name)
    tensors = [item for item in leaves((operation.args, operation.kwargs)) if is_symbolic(item, TF_KERAS)]
    if planner is None or not tensors or any(getattr(item, "_keras_mask", None) is not None for item in tensors):
        return None
    types = {dtype_of(item) for item in tensors}
    if len(types) > 1 or not next(iter(types)).startswith(("float", "bfloat")):
        return None
    given = inspect.signature(function_of(operation.name)).bind(*operation.args, **operation.kwargs)
    given.apply_defaults()
    plan = planner(dict(given.arguments))
    if plan is None:
        return None
    layer = getattr(tf_keras.layers, plan.layer)(**plan.arguments, name=name, dtype=types.pop())
    return layer, tensors


def _is_tensor(thing: Any) -> bool:
    return is_symbolic(thing, TF_KERAS)


def _merge(layer: str) -> Planner:
    def plan(given: dict[str, Any]) -> BuiltIn | None:
        both = given["x1"], given["x2"]
        # Ranks that differ would be aligned at the batch by the layer, at the last axis by the operation.
        if not all(map(_is_tensor, both)) or len(both[0].shape) != len(both[1].shape):
            return None
        return BuiltIn(layer, {})

    return plan


def _activation(name: str) -> Planner:
    return lambda given: BuiltIn("Activation", {"activation": attachments.ACTIVATIONS[name][1]})


def _fixed(layer: str, **arguments: Any) -> Planner:
    return lambda given: BuiltIn(layer, arguments)


def _leaky_relu(given: dict[str, Any]) -> BuiltIn:
    return BuiltIn("LeakyReLU", {"alpha": given["negative_slope"]})


def _softmax(given: dict[str, Any]) -> BuiltIn | None:
    return BuiltIn("Softmax", {"axis": given["axis"]}) if isinstance(given["axis"], int) else None


def _gelu(given: dict[str, Any]) -> BuiltIn | None:
    return None if given["approximate"] else BuiltIn("Activation", {"activation": attachments.ACTIVATIONS["gelu"][1]})


def _concatenate(given: dict[str, Any]) -> BuiltIn | None:
    many = given["xs"]
    if len(many) < 2 or not all(map(_is_tensor, many)) or given["axis"] in (0, -len(many[0].shape)):
        return None
    return BuiltIn("Concatenate", {"axis": given["axis"]})


def _static(given: dict[str, Any]) -> list[int] | None:
    """The shape of the tensor `x` after the batch; None where a part of it is free."""
    if not _is_tensor(given["x"]) or None in given["x"].shape[1:]:
        return None
    return [int(size) for size in given["x"].shape[1:]]


def _reshape(given: dict[str, Any]) -> BuiltIn | None:
    shape, wanted = _static(given), given["newshape"]
    if shape is None or not isinstance(wanted, (list, tuple)) or not all(type(size) is int for size in wanted):
        return None
    keeps_batch = bool(wanted) and wanted[0] in (-1, given["x"].shape[0]) and min(wanted[1:], default=1) >= 0
    if not keeps_batch or math.prod(wanted[1:]) != math.prod(shape):
        return None
    return BuiltIn("Reshape", {"target_shape": tuple(wanted[1:])})


def _expand_dims(given: dict[str, Any]) -> BuiltIn | None:
    shape, axis = _static(given), given["axis"]
    if shape is None or not isinstance(axis, int):
        return None
    axis += len(shape) + 2 if axis < 0 else 0
    return None if axis == 0 else BuiltIn("Reshape", {"target_shape": (*shape[: axis - 1], 1, *shape[axis - 1 :])})


def _squeeze(given: dict[str, Any]) -> BuiltIn | None:
    shape, axis = _static(given), given["axis"]
    axes = (axis,) if isinstance(axis, int) else axis
    if shape is None or axes is None:
        return None
    removed = {each % (len(shape) + 1) for each in axes}
    if 0 in removed:
        return None
    return BuiltIn("Reshape", {"target_shape": tuple(n for place, n in enumerate(shape, 1) if place not in removed)})


def _transpose(given: dict[str, Any]) -> BuiltIn | None:
    axes = given["axes"]
    if axes is None or len(axes) < 2 or axes[0] != 0 or min(axes) < 0:
        return None
    return BuiltIn("Permute", {"dims": tuple(int(axis) for axis in axes[1:])})


def _global_pooling(kind: str) -> Planner:
    def plan(given: dict[str, Any]) -> BuiltIn | None:
        rank = len(given["x"].shape)
        axes = given["axis"]
        if rank not in (3, 4) or axes is None or given.get("initial") is not None:
            return None
        axes = [axes] if isinstance(axes, int) else axes
        if sorted(axis % rank for axis in axes) != list(range(1, rank - 1)):
            return None
        if rank == 3 and given["keepdims"]:
            return None  # older GlobalAveragePooling1D does not keep its axis
        return BuiltIn(
            f"Global{kind}Pooling{rank - 2}D",
            {"data_format": "channels_last"} | ({"keepdims": True} if given["keepdims"] else {}),
        )

    return plan


def _pooling(kind: str) -> Planner:
    def plan(given: dict[str, Any]) -> BuiltIn | None:
        rank = len(given["inputs"].shape)
        if rank not in (3, 4) or given["data_format"] not in (None, "channels_last"):
            return None
        window = {key: given[key] for key in ("pool_size", "strides", "padding")}
        return BuiltIn(f"{kind}Pooling{rank - 2}D", window | {"data_format": "channels_last"})

    return plan


def _pad(given: dict[str, Any]) -> BuiltIn | None:
    rank = len(given["x"].shape)
    if rank not in (3, 4) or given["mode"] != "constant" or given["constant_values"] not in (None, 0):
        return None
    if not isinstance(given["pad_width"], (list, tuple)) or len(given["pad_width"]) != rank:
        return None
    widths = [tuple(width) if isinstance(width, (list, tuple)) else (width, width) for width in given["pad_width"]]
    if widths[0] != (0, 0) or widths[-1] != (0, 0):
        return None
    if rank == 3:
        return BuiltIn("ZeroPadding1D", {"padding": widths[1]})
    return BuiltIn("ZeroPadding2D", {"padding": tuple(widths[1:-1]), "data_format": "channels_last"})


_PLANNERS: Mapping[str, Planner] = {
    "add": _merge("Add"),
    "subtract": _merge("Subtract"),
    "multiply": _merge("Multiply"),
    "maximum": _merge("Maximum"),
    "minimum": _merge("Minimum"),
    "relu": _fixed("ReLU"),
    "relu6": _fixed("ReLU", max_value=6.0),
    "leaky_relu": _leaky_relu,
    "softmax": _softmax,
    "gelu": _gelu,
    "exp": _activation("exponential"),
    **{
        name: _activation(name)
        for name in ("hard_sigmoid", "hard_silu", "selu", "sigmoid", "silu", "softplus", "softsign", "tanh")
    },
    "concatenate": _concatenate,
    "reshape": _reshape,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "mean": _global_pooling("Average"),
    "max": _global_pooling("Max"),
    "average_pool": _pooling("Average"),
    "max_pool": _pooling("Max"),
    "pad": _pad,
}

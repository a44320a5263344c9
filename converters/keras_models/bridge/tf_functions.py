"""TensorFlow functions that tf_keras records as layers (`TFOpLambda`), as functions of `keras.ops`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from tf_keras.src.layers.core.tf_op_layer import SlicingOpLambda, TFOpLambda

from converters.keras_models.bridge.kinds import Node

_TWO = {"x": "x1", "y": "x2"}
_ONE = {"x": "x"}
_REDUCE = {"input_tensor": "x", "axis": "axis", "keepdims": "keepdims"}
_FEATURES = {"features": "x"}

# TensorFlow's canonical name -> (name in keras.ops, its parameter -> ours). A parameter that is not listed must be at
# its default, else the call is left as it is.
TABLE: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "__operators__.add": ("add", _TWO),
    "cast": ("cast", {"x": "x", "dtype": "dtype"}),
    "clip_by_value": ("clip", {"t": "x", "clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": ("concatenate", {"values": "xs", "axis": "axis"}),
    "expand_dims": ("expand_dims", {"input": "x", "axis": "axis"}),
    "gather": ("take", {"params": "x", "indices": "indices", "axis": "axis"}),
    "linalg.matmul": ("matmul", {"a": "x1", "b": "x2"}),
    "math.abs": ("abs", _ONE),
    "math.add": ("add", _TWO),
    "math.argmax": ("argmax", {"input": "x", "axis": "axis"}),
    "math.cos": ("cos", _ONE),
    "math.divide": ("true_divide", _TWO),
    "math.equal": ("equal", _TWO),
    "math.exp": ("exp", _ONE),
    "math.floordiv": ("floor_divide", _TWO),
    "math.greater": ("greater", _TWO),
    "math.greater_equal": ("greater_equal", _TWO),
    "math.less": ("less", _TWO),
    "math.less_equal": ("less_equal", _TWO),
    "math.log": ("log", _ONE),
    "math.maximum": ("maximum", _TWO),
    "math.minimum": ("minimum", _TWO),
    "math.multiply": ("multiply", _TWO),
    "math.negative": ("negative", _ONE),
    "math.not_equal": ("not_equal", _TWO),
    "math.pow": ("power", _TWO),
    "math.reduce_max": ("max", _REDUCE),
    "math.reduce_mean": ("mean", _REDUCE),
    "math.reduce_min": ("min", _REDUCE),
    "math.reduce_prod": ("prod", _REDUCE),
    "math.reduce_sum": ("sum", _REDUCE),
    "math.rsqrt": ("rsqrt", _ONE),
    "math.sigmoid": ("sigmoid", _ONE),
    "math.sin": ("sin", _ONE),
    "math.softplus": ("softplus", _FEATURES),
    "math.sqrt": ("sqrt", _ONE),
    "math.square": ("square", _ONE),
    "math.subtract": ("subtract", _TWO),
    "math.tanh": ("tanh", _ONE),
    "math.truediv": ("true_divide", _TWO),
    "nn.elu": ("elu", _FEATURES),
    "nn.gelu": ("gelu", {"features": "x", "approximate": "approximate"}),
    "nn.leaky_relu": ("leaky_relu", {"features": "x", "alpha": "negative_slope"}),
    "nn.log_softmax": ("log_softmax", {"logits": "x", "axis": "axis"}),
    "nn.relu": ("relu", _FEATURES),
    "nn.relu6": ("relu6", _FEATURES),
    "nn.selu": ("selu", _FEATURES),
    "nn.silu": ("silu", _FEATURES),
    "nn.softmax": ("softmax", {"logits": "x", "axis": "axis"}),
    "nn.softsign": ("softsign", _FEATURES),
    "one_hot": ("one_hot", {"indices": "x", "depth": "num_classes", "axis": "axis", "dtype": "dtype"}),
    "pad": ("pad", {"tensor": "x", "paddings": "pad_width", "constant_values": "constant_values"}),
    "repeat": ("repeat", {"input": "x", "repeats": "repeats", "axis": "axis"}),
    "reshape": ("reshape", {"tensor": "x", "shape": "newshape"}),
    "squeeze": ("squeeze", {"input": "x", "axis": "axis"}),
    "stack": ("stack", {"values": "x", "axis": "axis"}),
    "tile": ("tile", {"input": "x", "multiples": "repeats"}),
    "transpose": ("transpose", {"a": "x", "perm": "axes"}),
    "unstack": ("unstack", {"value": "x", "num": "num", "axis": "axis"}),
    "where": ("where", {"condition": "condition", "x": "x1", "y": "x2"}),
}


def read(node: Node) -> tuple[str, dict[str, Any]] | None:
    """The function of `keras.ops` that a TensorFlow function layer stands for, with keyword arguments.

    Returns:
        Name and arguments; None for another sort of layer, or a function or argument that the table does not have.
    """
    if isinstance(node.layer, SlicingOpLambda) and node.layer.symbol == "__operators__.getitem":
        return _read_slice(node)
    # A few functions of TensorFlow 2 are recorded as the older ones that they call.
    symbol = (getattr(node.layer, "symbol", None) or "").removeprefix("compat.v1.")
    if not isinstance(node.layer, TFOpLambda) or symbol not in TABLE:
        return None
    name, renamed = TABLE[symbol]
    signature = inspect.signature(node.layer.function)
    given = signature.bind(*node.args, **node.kwargs)
    given.apply_defaults()
    kwargs = {}
    for parameter, value in given.arguments.items():
        default = signature.parameters[parameter].default
        if parameter in renamed:
            kwargs[renamed[parameter]] = value
        elif parameter != "name" and not (value is default or value == default):
            return None
    if name == "gelu" or "dtype" in kwargs:
        kwargs = {key: value for key, value in kwargs.items() if value is not None}
    if name in ("softmax", "log_softmax", "argmax", "take") and kwargs.get("axis") is None:
        kwargs["axis"] = {"argmax": 0, "take": 0}.get(name, -1)  # TensorFlow's meaning of None
    return name, kwargs


def _read_slice(node: Node) -> tuple[str, dict[str, Any]] | None:
    tensor = node.args[0]
    spec = node.args[1] if len(node.args) > 1 else node.kwargs["slice_spec"]
    return "get_item", {"x": tensor, "key": _key(spec)}


def _key(spec: Any) -> Any:
    # tf_keras writes slice(a, b, c) as a dict, and a tuple of keys as a list.
    if isinstance(spec, dict) and set(spec) == {"start", "stop", "step"}:
        return slice(spec["start"], spec["stop"], spec["step"])
    if isinstance(spec, (list, tuple)):
        return tuple(_key(item) for item in spec)
    return spec

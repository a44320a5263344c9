"""Nested arguments (lists, tuples, dicts, slices) of a call: visited, and written as JSON for a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from converters.errors import BridgeError


def substitute(structure: Any, function: Callable[[Any], Any]) -> Any:
    """`structure` (lists, tuples, dicts, slices) with `function` applied to everything inside that is none of these."""
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*(substitute(item, function) for item in structure))
    if isinstance(structure, tuple):
        return tuple(substitute(item, function) for item in structure)
    if isinstance(structure, list):
        return [substitute(item, function) for item in structure]
    if isinstance(structure, dict):
        return {key: substitute(item, function) for key, item in structure.items()}
    if isinstance(structure, slice):
        return slice(*(substitute(item, function) for item in (structure.start, structure.stop, structure.step)))
    return function(structure)


def leaves(structure: Any, kind: type = object) -> Iterator[Any]:
    """What `substitute` would visit and is of type `kind`, in order."""
    found: list[Any] = []
    substitute(structure, lambda item: found.append(item) if isinstance(item, kind) else None)
    return iter(found)


def encode(structure: Any, tensor_number: Callable[[Any], int | None]) -> Any:
    """`structure` as JSON: what JSON lacks becomes a dict with one key that starts with `$`.

    Args:
        structure: nested arguments; constants may be NumPy arrays or eager tensors.
        tensor_number: the number of a tensor that will be given at each call, None for a constant.

    Raises:
        BridgeError: a constant that has no value to write down (a variable, a function).
    """
    number = tensor_number(structure)
    if number is not None:
        return {"$tensor": number}
    if structure is None or isinstance(structure, (bool, int, float, str)):
        return structure
    if structure is Ellipsis:
        return {"$ellipsis": True}
    if isinstance(structure, slice):
        return {"$slice": [encode(item, tensor_number) for item in (structure.start, structure.stop, structure.step)]}
    if isinstance(structure, tuple):
        return {"$tuple": [encode(item, tensor_number) for item in structure]}
    if isinstance(structure, list):
        return [encode(item, tensor_number) for item in structure]
    if isinstance(structure, dict):
        return {"$dict": [[key, encode(item, tensor_number)] for key, item in structure.items()]}
    return _encode_constant(structure)


def _encode_constant(constant: Any) -> Any:
    if callable(constant) or hasattr(constant, "assign"):
        raise BridgeError(
            f"its argument {str(constant)[:60]!r} is a {type(constant).__name__}, not a number or an array; "
            "put it inside a layer"
        )
    if hasattr(constant, "as_numpy_dtype"):  # tf.DType
        return str(constant.name)
    array = np.asarray(constant)
    if array.dtype.hasobject:
        raise BridgeError(f"its argument {str(constant)[:60]!r} ({type(constant).__name__}) is no number or array")
    return {"$array": array.ravel().tolist(), "dtype": str(array.dtype), "shape": list(array.shape)}


def decode(encoded: Any, tensors: list[Any]) -> Any:
    """The structure that `encode` wrote, with `tensors` in their places."""
    if isinstance(encoded, list):
        return [decode(item, tensors) for item in encoded]
    if not isinstance(encoded, dict):
        return encoded
    if "$tensor" in encoded:
        return tensors[encoded["$tensor"]]
    if "$ellipsis" in encoded:
        return Ellipsis
    if "$slice" in encoded:
        return slice(*(decode(item, tensors) for item in encoded["$slice"]))
    if "$tuple" in encoded:
        return tuple(decode(item, tensors) for item in encoded["$tuple"])
    if "$dict" in encoded:
        return {key: decode(item, tensors) for key, item in encoded["$dict"]}
    return np.array(encoded["$array"], encoded["dtype"]).reshape(encoded["shape"])

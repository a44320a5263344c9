"""What the result of a compression depends on, as one hash each: what an interrupted run must find unchanged."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Mapping
from types import CodeType
from typing import Any

import numpy as np

from tfcompress.environment import versions
from tfcompress.task import Task

_VERSIONS = ("tfcompress", "tensorflow", "tf_keras")


def hashes(model: Any, task: Task, recipe: str) -> dict[str, str]:
    """SHA-256 of the model's structure and weights, of the data, of the recipe's text and of the training setup."""
    structure = json.loads(model.to_json())
    structure["config"].pop("name", None)  # Keras counts up the names of unnamed models
    of_model = hashlib.sha256(json.dumps(structure, sort_keys=True).encode())
    for weights in model.get_weights():
        of_model.update(np.ascontiguousarray(weights).tobytes())
    return {
        "model": of_model.hexdigest(),
        "data": _hash_of_data(task),
        "recipe": hashlib.sha256(recipe.encode()).hexdigest(),
        "training_setup": _hash_of_setup(task),
    }


def _hash_of_data(task: Task) -> str:
    digest = hashlib.sha256()
    for split in ("train", "val", "test"):
        for x, y in task.named_batches(split, 1024):
            for name, rows in sorted(x.items()):
                digest.update(f"{split} {name} {rows.shape} {rows.dtype}".encode())
                digest.update(np.ascontiguousarray(rows).tobytes())
            if y is not None:
                digest.update(np.ascontiguousarray(y).tobytes())
    return digest.hexdigest()


def _hash_of_setup(task: Task) -> str:
    """Of what the task sets besides data, and of the versions that train."""
    setup = {
        "loss": _described(task.loss),
        "metric": task.metric,
        "metrics": _described(task.metrics),
        "optimizer": _described(task.optimizer),
        "augment": _described(task.augment),
        # Of callbacks only the kinds: what they hold changes while they are used.
        "callbacks": [type(callback).__qualname__ for callback in task.callbacks],
        "versions": {name: version for name, version in versions().items() if name in _VERSIONS},
    }
    return hashlib.sha256(json.dumps(setup, sort_keys=True).encode()).hexdigest()


def _described(value: Any, within: tuple[int, ...] = ()) -> Any:
    """The same for equal settings in every process: never an address, never what changes with use."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _described(one, within) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_described(one, within) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(_described(one, within)) for one in value)
    if isinstance(value, CodeType):
        return [value.co_name, value.co_code.hex(), list(value.co_names), _described(value.co_consts, within)]
    if isinstance(value, functools.partial):
        return [
            "partial",
            _described(value.func, within),
            _described(value.args, within),
            _described(value.keywords, within),
        ]
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.ascontiguousarray(value)
        return [list(array.shape), str(array.dtype), hashlib.sha256(array.tobytes()).hexdigest()]
    if hasattr(value, "__code__"):
        return _function(value, within)
    if hasattr(value, "get_config"):
        try:
            return [type(value).__qualname__, _described(value.get_config(), within)]
        except Exception:  # a class of the user's own without a configuration of its own: its name must do
            return type(value).__qualname__
    return getattr(value, "__qualname__", type(value).__qualname__)


def _function(function: Any, within: tuple[int, ...]) -> Any:
    """Code, defaults and what it closes over; a function that closes over itself is known by its name then."""
    if id(function) in within:
        return function.__qualname__
    within = (*within, id(function))
    parts = [function.__code__, function.__defaults__, getattr(function, "__kwdefaults__", None)]
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # not filled yet
            parts.append(cell.cell_contents)
    return [function.__qualname__, *(_described(part, within) for part in parts)]

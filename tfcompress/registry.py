"""Techniques by name: each file in `tfcompress/techniques` is one, and its file name is its name in a recipe."""

from __future__ import annotations

import difflib
import functools
import pkgutil
from importlib import import_module
from typing import Any

import tfcompress.techniques
from converters.errors import UsageError
from tfcompress.technique import Technique


def names() -> tuple[str, ...]:
    """Every technique, sorted."""
    found = pkgutil.iter_modules(tfcompress.techniques.__path__)
    return tuple(sorted(module.name for module in found if not module.name.startswith("_") and not module.ispkg))


@functools.cache
def find(name: str) -> type[Technique]:
    """The class of a technique.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in names():
        close = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {close[0]}?" if close else "`tfcompress techniques` lists them with their parameters"
        raise UsageError(f"there is no technique {name!r}; expected one of {', '.join(names())}; {hint}")
    module = import_module(f"tfcompress.techniques.{name}")
    here: list[type[Technique]] = [value for value in vars(module).values() if _is_technique(value, module.__name__)]
    if len(here) != 1:
        raise UsageError(f"{module.__file__} defines {len(here)} techniques; expected exactly one class")
    return here[0]


def _is_technique(value: Any, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, Technique) and value.__module__ == module

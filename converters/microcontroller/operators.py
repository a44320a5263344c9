"""Which kernels a file needs, as methods of TFLM's MicroMutableOpResolver."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, Operator
from converters.flatbuffer.constants import weight_of
from converters.flatbuffer.graph import shown

_FILE = Path(__file__).resolve().parent / "resolver_methods.toml"
# State that lives outside the arena; the generated interpreter is given none.
_RESOURCES = frozenset({"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"})


@cache
def resolver_methods() -> Mapping[str, Mapping[str, str]]:
    """`builtin`: name of an operator -> method; `custom`: custom code -> method."""
    found: dict[str, dict[str, str]] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return found


def names_in(flatbuffer: FlatBuffer) -> set[str]:
    """Names of the file's operators; of custom ones, the code."""
    return {operator.name for operator in _all(flatbuffer)}


def has_dense_per_channel(flatbuffer: FlatBuffer) -> bool:
    """Whether a Dense layer's weights have a scale for each output channel."""
    return any(
        operator.name == "FULLY_CONNECTED" and graph.tensors[weight].scales.size > 1
        for graph in flatbuffer.graphs
        for operator in graph.operators
        if (weight := weight_of(operator)) is not None
    )


def methods_for(flatbuffer: FlatBuffer) -> tuple[str, ...]:
    """The methods for all operators of a file, branches and loop bodies included; each once, sorted.

    Raises:
        ModelError: TFLM has no kernel for an operator.
    """
    found = set()
    for operator in _all(flatbuffer):
        what = f"operator {operator.index} ({shown(operator.name)})"
        method = resolver_methods()["custom" if operator.is_custom else "builtin"].get(operator.name)
        if method is None:
            kind = "a custom operator" if operator.is_custom else "one"
            raise ModelError(f"{what} is {kind} that TFLM has no kernel for; replace it in the model")
        if operator.name in _RESOURCES:
            raise ModelError(f"{what} keeps state in a resource variable, which a bundle cannot hold yet")
        found.add(method)
    if not found:
        raise ModelError("the file has no operator; there is nothing to run")
    return tuple(sorted(found))


def _all(flatbuffer: FlatBuffer) -> Iterator[Operator]:
    for graph in flatbuffer.graphs:
        yield from graph.operators

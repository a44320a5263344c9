"""Which kernels a file needs, as methods of TFLM's MicroMutableOpResolver."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.graph import shown

DECODE = "TFLM_DECODE"
_FILE = Path(__file__).resolve().parent / "resolver_methods.toml"
# State that lives outside the arena; the generated interpreter is given none.
_RESOURCES = frozenset({"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"})


@cache
def resolver_methods() -> Mapping[str, str]:
    """Name of an operator, or its custom code -> method."""
    found: dict[str, str] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return found


def is_encoded(flatbuffer: FlatBuffer) -> bool:
    """Whether weights are stored in an encoding that the DECODE operator undoes."""
    return any(
        operator.is_custom and operator.name == DECODE for graph in flatbuffer.graphs for operator in graph.operators
    )


def methods_for(flatbuffer: FlatBuffer) -> tuple[str, ...]:
    """The methods for all operators of a file, branches and loop bodies included; each once, sorted.

    Raises:
        ModelError: TFLM has no kernel for an operator.
    """
    found = set()
    for graph in flatbuffer.graphs:
        for operator in graph.operators:
            what = f"operator {operator.index} ({shown(operator.name)})"
            if operator.name not in resolver_methods():
                kind = "a custom operator that " if operator.is_custom else ""
                raise ModelError(f"{what} is {kind or 'one that '}TFLM has no kernel for; replace it in the model")
            if operator.name in _RESOURCES:
                raise ModelError(f"{what} keeps state in a resource variable, which a bundle cannot hold yet")
            found.add(resolver_methods()[operator.name])
    if not found:
        raise ModelError("the file has no operator; there is nothing to run")
    return tuple(sorted(found))

"""Which operators the demo app's runtime has, and in which versions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, Graph, Operator
from converters.flatbuffer.graph import shown

FILE = Path(__file__).resolve().parent / "operator_versions.toml"


@lru_cache(maxsize=1)
def _told() -> Mapping[str, Any]:
    return MappingProxyType(tomllib.loads(FILE.read_text(encoding="utf-8")))


def runtime() -> str:
    """The app's runtime: `TensorFlow Lite 2.16.1`."""
    return str(_told()["runtime"])


def versions() -> Mapping[str, tuple[int, int]]:
    """Operator -> the lowest and the highest version that the runtime takes, of those operators that it has."""
    lowest, highest = _told().get("lowest", {}), _told()["highest"]
    return {name: (lowest.get(name, 1), most) for name, most in highest.items()}


def check(flatbuffer: FlatBuffer) -> None:
    """Custom operators are not looked at.

    Raises:
        ModelError: an operator is missing in the app's runtime, or of a version that it does not take.
    """
    known = versions()
    for graph in flatbuffer.graphs:
        for operator in graph.operators:
            lowest, highest = known.get(operator.name, (1, 0))
            if not operator.is_custom and not lowest <= operator.version <= highest:
                raise ModelError(_refusal(graph, operator, (lowest, highest)))


def _refusal(graph: Graph, operator: Operator, taken: tuple[int, int]) -> str:
    lowest, highest = taken
    of = f" of layer '{shown(operator.layer)}'" if operator.layer else ""
    if not highest:
        return f"the app's {runtime()} has no operator {shown(operator.name)}{of}; {_remedy(graph, operator)}"
    takes = f"version {highest}" if lowest == highest else f"versions {lowest} to {highest}"
    return (
        f"operator {shown(operator.name)}{of} has version {operator.version}, and the app's {runtime()} takes {takes}; "
        + _remedy(graph, operator)
    )


def _remedy(graph: Graph, operator: Operator) -> str:
    inputs = [graph.tensors[index] for index in operator.inputs if index >= 0]
    # A damaged file may have a layer without weights.
    is_dense = operator.name == "FULLY_CONNECTED" and len(inputs) > 1
    if is_dense and inputs[0].is_float and inputs[1].scales.size > 1:
        return "convert with --dense per-tensor"
    return "convert to another --dtype, or replace in the model what becomes this operator"

"""What techniques there are and what each one takes: plain values for programs, tables for people.

`describe` has the keys that programs may rely on:

    name, summary, description      the name in a recipe; the docstring's first line; the rest of it
    makes, keeps, changes_shapes    promises that it makes; earlier promises that survive it
    parameters                      name, type, default, allowed, description
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfcompress import registry
from tfcompress.technique import Technique, Trained

_WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "none"}
_BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


def describe(names: Sequence[str]) -> dict[str, Any]:
    """`{"techniques": [...]}` with the keys of the module docstring.

    Raises:
        UsageError: there is no technique of one of these names.
    """
    return {"techniques": [_technique(name, registry.find(name)) for name in names]}


def as_json(names: Sequence[str]) -> str:
    """`describe` as text."""
    return json.dumps(describe(names), indent=2)


def show(names: Sequence[str], *, whole: bool = False) -> None:
    """Prints each technique with its parameters to standard output.

    Args:
        names: which ones.
        whole: print the whole docstring, with formula and source, not only its first line.
    """
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    # Piped text is for grep: lines keep their length there. A default such as ["*"] looks like markup, n:m: like emoji.
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=400)
    for technique in describe(names)["techniques"]:
        console.print(Text.assemble((technique["name"], "bold"), f"  {technique['summary']}"), soft_wrap=True)
        if whole and technique["description"]:
            console.print(f"\n{technique['description']}\n", soft_wrap=True)
        console.print(f"  {_promises(technique)}", soft_wrap=True)
        for one in technique["parameters"]:
            default = "none" if one["default"] is None else json.dumps(one["default"])
            limits = ", ".join(part for part in (one["type"], one["allowed"]) if part)
            console.print(Text.assemble(f"  {one['name']} = ", (default, "bold"), f"  ({limits})"), soft_wrap=True)
            console.print(Padding(one["description"], (0, 0, 0, 6), expand=False))
        console.print()
    if not whole:
        console.print("`tfcompress techniques NAME` tells more about one, with formula and source.", soft_wrap=True)


def _technique(name: str, found: type[Technique]) -> dict[str, Any]:
    summary, _, description = inspect.cleandoc(found.__doc__ or "").partition("\n\n")
    properties: Mapping[str, Any] = found.model_json_schema()["properties"] if found.model_fields else {}
    # What every technique that trains has comes last: a reader looks for what this one does.
    ordered = sorted(properties, key=lambda field: field in Trained.model_fields)
    defaults = found.model_construct().model_dump(mode="json")
    return {
        "name": name,
        "summary": " ".join(summary.split()),
        "description": description.strip(),
        "makes": sorted(found.makes),
        "keeps": sorted(found.keeps),
        "changes_shapes": found.changes_shapes,
        "parameters": [_parameter(field, properties[field], defaults.get(field)) for field in ordered],
    }


def _parameter(name: str, schema: Mapping[str, Any], default: Any) -> dict[str, Any]:
    kinds = schema.get("anyOf", [schema])
    limits = {key: kind[key] for kind in kinds for key in _BOUNDS if key in kind}
    choices = [choice for kind in kinds for choice in _choices(kind)]
    return {
        "name": name,
        "type": " or ".join(_type(kind) for kind in kinds),
        "default": default,
        "allowed": _allowed(choices, limits),
        "description": " ".join(schema.get("description", "").split()),
    }


def _choices(schema: Mapping[str, Any]) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _type(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        inner: Mapping[str, Any] = schema.get("items") or next(iter(schema.get("prefixItems", ())), {})
        return f"list of {_type(inner)}"
    kind: str = schema.get("type", "text")
    return _WORDS.get(kind, kind)


def _allowed(choices: Sequence[Any], limits: Mapping[str, float]) -> str:
    if choices:
        return ", ".join(json.dumps(choice) for choice in choices)
    return ", ".join(f"{_BOUNDS[key]} {limits[key]:g}" for key in _BOUNDS if key in limits)


def _promises(technique: Mapping[str, Any]) -> str:
    makes, keeps = ", ".join(technique["makes"]), ", ".join(technique["keeps"])
    shapes = "; changes shapes: comes before what makes promises" if technique["changes_shapes"] else ""
    return f"makes {makes or 'no promise'}; keeps {keeps or 'none of an earlier step'}{shapes}"

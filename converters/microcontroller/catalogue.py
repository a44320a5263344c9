"""The formats of a bundle: one folder in `formats/` each, read as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters.errors import UsageError

FOLDER = Path(__file__).resolve().parent / "formats"


@dataclass(frozen=True)
class Format:
    """A build system, and where it gets TFLM from.

    Attributes:
        name: as in `--for`.
        title: as people write it.
        source_folder: where the C++ goes; `{{ ns }}` stands for the model's namespace.
        files: path in the bundle -> template; both may hold `{{ ns }}`.
        decode: whether a TFLM for it is known that has DECODE.
        decode_since: since when, with the source; or why none is known.
        tried: what of it was built and run, a sentence.
        lacks: operators, or custom codes, that its TFLM has no kernel for though the newest TFLM has.
        dense_per_channel: whether its TFLM is new enough for Dense weights with a scale per channel.
        tflm: which TFLM it links.
        tflm_include: a header that TFLM's own have to follow; empty for none.
    """

    name: str
    title: str
    source_folder: str
    files: Mapping[str, str]
    decode: bool
    decode_since: str
    tflm: str
    tried: str
    lacks: Sequence[str] = ()
    dense_per_channel: bool = True
    tflm_include: str = ""


def names() -> list[str]:
    """The formats that there are."""
    return sorted(path.parent.name for path in FOLDER.glob("*/format.toml"))


def find(name: str) -> Format:
    """The format called `name`.

    Raises:
        UsageError: there is none.
    """
    if name not in names():
        raise UsageError(f"there is no format {name!r}; expected one of {', '.join(names())}")
    found: dict[str, Any] = tomllib.loads((FOLDER / name / "format.toml").read_text(encoding="utf-8"))
    return Format(name=name, **found)

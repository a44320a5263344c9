"""Templates to text: what is missing in a template is an error, and nothing is escaped as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2

from converters.microcontroller import catalogue

_SHARED = Path(__file__).resolve().parent / "templates"
_PER_LINE = 16


def c_bytes(data: bytes) -> str:
    """Bytes as the inner lines of a C array."""
    lines = []
    for start in range(0, len(data), _PER_LINE):
        lines.append("  " + " ".join(f"0x{byte:02x}," for byte in data[start : start + _PER_LINE]))
    return "\n".join(lines)


def c_float(value: float) -> str:
    """A float32 as a C literal that a compiler reads back to the same bits: nine digits are enough (IEEE 754)."""
    text = f"{value:.9g}"
    return (text if any(letter in text for letter in ".e") else f"{text}.0") + "f"


class Renderer:
    """The templates of one format, those of other formats by `format/template`, and the shared ones."""

    def __init__(self, format_name: str, values: Mapping[str, Any]) -> None:
        folders = [catalogue.FOLDER / format_name, catalogue.FOLDER, _SHARED]
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # C++ and build files, no HTML; names were cleaned before
        )
        self._environment.filters["c_bytes"] = c_bytes
        self._values = dict(values)

    def file(self, template: str, **more: Any) -> str:
        """The text that a template makes."""
        return self._environment.get_template(template).render(self._values | more)

    def text(self, source: str) -> str:
        """A short text of `format.toml` with its names put in."""
        return self._environment.from_string(source).render(self._values)

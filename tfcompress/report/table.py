"""Rows as a table for people, or as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tfcompress.rows import Row

_NAME_WIDTH, _VALUE_WIDTH = 40, 22  # leaves room for the unit on a terminal of 80 columns


def as_json(rows: Sequence[Row]) -> str:
    """`{"rows": [{name, value, unit, how, runtime, target, source}]}`."""
    return json.dumps({"rows": [row.as_dict() for row in rows]}, indent=2)


def show(rows: Sequence[Row], *, title: str = "", console: Console | None = None) -> None:
    """Prints rows under what ran the model and how they were got; what holds for many rows stands below them."""
    console = console or Console()
    if title:
        console.print(_text(title, "bold"))
    names = max((len(row.name) for row in rows), default=0)
    values = max((len(shown(row)) for row in rows), default=0)
    for (runtime, how), group in groupby(rows, key=lambda row: (row.runtime, row.how)):
        console.print(_text(f"{runtime}, {how}" if runtime else how, "bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=min(names, _NAME_WIDTH) + 2, overflow="fold")
        table.add_column(width=min(values, _VALUE_WIDTH), justify="right", overflow="fold")
        table.add_column(overflow="fold")
        for row in group:
            table.add_row(*(_text(cell) for cell in (f"  {row.name}", shown(row), row.unit)))
        console.print(table)
    for line in footer(rows):
        console.print(_text(line))


def footer(rows: Sequence[Row]) -> list[str]:
    """What holds for many rows: where numbers are from, and what a host's time is not."""
    lines = []
    machines = sorted({row.source for row in rows if row.target == "host" and row.runtime})
    if machines:
        lines.append(f"Measured on this machine: {', '.join(machines)}.")
    if any(row.target == "host" and row.unit == "ms" for row in rows):
        lines.append("Times are this machine's, not a device's; kernels and processor differ there.")
    elsewhere = dict.fromkeys((row.target, row.source) for row in rows if row.target not in ("", "host"))
    lines += [f"On {target}: {source}." for target, source in elsewhere]
    return lines


def shown(row: Row) -> str:
    """The value as text: whole numbers with separators, others with four significant digits."""
    if isinstance(row.value, str):
        return row.value
    if isinstance(row.value, int) or float(row.value).is_integer():
        return f"{int(row.value):,}"
    return f"{row.value:.4g}"


def _text(words: str, style: str = "") -> Text:
    # Names may come from a file: no markup, no control characters.
    return Text("".join(letter if letter.isprintable() else "?" for letter in words), style=style)

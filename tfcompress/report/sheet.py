"""A table of texts, to be shown in a terminal or as Markdown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from converters.errors import printable


@dataclass(frozen=True)
class Sheet:
    """A table whose cells are texts already.

    Attributes:
        title: what it shows; empty for none.
        columns: heads.
        rows: cells, as many per row as there are columns.
        numbers: heads of the columns that are aligned to the right.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: tuple[str, ...] = ()


def as_markdown(sheet: Sheet) -> str:
    """The table as GitHub's Markdown, under its title as a heading of second order."""
    rules = ("---:" if column in sheet.numbers else "---" for column in sheet.columns)
    lines = [_line(map(markdown, sheet.columns)), _line(rules)]
    lines += [_line(map(markdown, row)) for row in sheet.rows]
    return "\n".join(([f"## {sheet.title}", ""] if sheet.title else []) + lines)


def as_table(sheet: Sheet) -> Any:
    """The table as rich draws it; names in it may hold what looks like markup."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=sheet.title or None, title_justify="left", box=box.SIMPLE_HEAD)
    for column in sheet.columns:
        table.add_column(column, justify="right" if column in sheet.numbers else "left", overflow="fold")
    for row in sheet.rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def markdown(words: str) -> str:
    """The text such that Markdown shows it as it is."""
    return re.sub(r"([\\`*<>\[\]|~])", r"\\\1", printable(words))


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"

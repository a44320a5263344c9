"""A progress bar on standard error; nothing where standard error is not a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from converters.child import Progress


@contextlib.contextmanager
def progress_bar() -> Iterator[Progress]:
    """Gives a function `progress(stage, done, total)` that draws a bar; a total of 0 draws a spinner."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(file=sys.stderr)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task("starting", total=None)

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(row, description=stage, completed=done, total=total or None)

        yield progress

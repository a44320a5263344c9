"""A progress bar on standard error; where that is no terminal, nothing, or a line now and then."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from converters.child import Progress, no_progress

# Without a terminal. Work that ends sooner, such as a refusal, says only how it ended.
SECONDS_TO_A_NEW_STAGE = 10.0
SECONDS_TO_THE_SAME = 60.0


@contextlib.contextmanager
def progress_bar(*, or_lines: bool = False) -> Iterator[Progress]:
    """Gives a function `progress(stage, done, total)` that draws a bar; a total of 0 draws a spinner.

    Args:
        or_lines: of work that may take hours: where there is no terminal, as in a log, write a line now and then.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _lines() if or_lines else no_progress
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=console, transient=True) as bar:
        row = bar.add_task("starting", total=None)

        def progress(stage: str, done: int, total: int) -> None:
            bar.update(row, description=stage, completed=done, total=total or None)

        yield progress


def _lines() -> Progress:
    began = last = time.monotonic()
    before = ""

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal last, before
        now = time.monotonic()
        if now - last < (SECONDS_TO_THE_SAME if stage == before else SECONDS_TO_A_NEW_STAGE):
            return
        last, before = now, stage
        share = f" {done} of {total}" if done and total else ""
        print(f"{now - began:.0f} s: {stage}{share}", file=sys.stderr, flush=True)

    return progress

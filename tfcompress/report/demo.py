"""The one table of `tfcompress demo`."""

from __future__ import annotations

from pathlib import Path

from tfcompress.demo import Candidate
from tfcompress.environment import processor


def show(candidates: list[Candidate], folder: Path) -> None:
    """Prints the table to standard output, with what its numbers are and what to try next."""
    from rich.console import Console
    from rich.table import Table

    runtimes = list(dict.fromkeys(runtime for candidate in candidates for runtime in candidate.accuracy))
    console = Console(highlight=False, soft_wrap=True, markup=False)
    table = Table(
        "model", "bytes", *(f"accuracy,\n{name.split()[0]}" for name in runtimes), "latency,\nms", "TFLM arena,\nbytes"
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for candidate in candidates:
        scores = (candidate.accuracy.get(runtime) for runtime in runtimes)
        accuracy = ("" if score is None else f"{score:.4f}" for score in scores)
        latency = "" if candidate.latency_ms is None else f"{candidate.latency_ms:.3f}"
        arena = "" if candidate.arena_bytes is None else f"{candidate.arena_bytes:,}"
        table.add_row(candidate.name, f"{candidate.file_bytes:,}", *accuracy, latency, arena)
    console.print(table)
    console.print(
        f"All measured on this machine, {processor()}: accuracy on 270 test digits with {', '.join(runtimes)}; "
        "latency: median of LiteRT on one thread, not a device's.\n"
        "The int8 file was verified: no float tensor inside, and TFLM has a kernel for every operator."
    )
    file = folder / "digits_int8.tflite"
    console.print(f"Next: tfcompress inspect {file}\n      tfcompress benchmark {file}")

"""Size of the file, and of the arena that TFLM needs for it."""

from __future__ import annotations

from converters.child import Progress
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm, tflm_arena
from tfcompress.benchmark.plan import Plan, host_row
from tfcompress.rows import Row


def file_rows(flatbuffer: FlatBuffer) -> list[Row]:
    """`file_bytes` and `gzip_bytes`."""
    sizes = (("file_bytes", len(flatbuffer.data)), ("gzip_bytes", flatbuffer.gzip_bytes))
    return [Row(name, size, "bytes", "read from the file", "", "host", "the file") for name, size in sizes]


def arena_rows(data: bytes, plan: Plan, progress: Progress) -> list[Row]:
    """`arena` with its head and tail by TFLM's own accounting, and `arena_smallest` by search; see `tflm_arena`.

    Raises:
        ModelError: TFLM cannot run the file.
        ChildDiedError: it crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    progress("measuring TFLM's arena", 0, 0)
    arena = tflm_arena.measure(data, limits=plan.limits)
    name = f"{tflm.describe()} (64-bit host)"
    sizes = (
        ("arena", arena.total_bytes),
        ("arena_head", arena.head_bytes),
        ("arena_tail", arena.tail_bytes),
        ("arena_smallest", arena.smallest_bytes),
    )
    return [host_row(key, size, "bytes", name) for key, size in sizes]

"""What encoded weights cost and save: the same file with its weights decoded, measured beside it."""

from __future__ import annotations

from converters.child import Progress
from converters.encode import decoded
from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm, tflm_arena
from tfcompress.benchmark import latency
from tfcompress.benchmark.plan import Plan, host_row
from tfcompress.rows import Row


def rows(flatbuffer: FlatBuffer, plan: Plan, progress: Progress) -> list[Row]:
    """`file_bytes_unencoded`, `arena_unencoded` and `tflm_latency_p50_unencoded` of a file with encoded weights.

    Raises:
        ModelError: an encoded weight is damaged, or TFLM cannot run the file.
        ChildDiedError: it crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    plain = decoded(flatbuffer)
    size = Row("file_bytes_unencoded", len(plain.data), "bytes", "read from the file", "", "host", "the file, decoded")
    arena = tflm_arena.total_bytes(plain.data, limits=plan.limits)
    time = next(row for row in latency.tflm_rows(plain.data, plan, progress) if row.name == "tflm_latency_p50")
    return [
        size,
        host_row("arena_unencoded", arena, "bytes", f"{tflm.describe()} (64-bit host)"),
        host_row("tflm_latency_p50_unencoded", time.value, time.unit, time.runtime),
    ]

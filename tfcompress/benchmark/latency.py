"""Time per run and peak memory of a file on this machine."""

from __future__ import annotations

from converters.child import Progress
from converters.runtimes import choice, litert, tflm
from converters.runtimes.choice import KERNELS, Runtime
from converters.runtimes.timing import Timing
from tfcompress.benchmark.plan import NOT_AVAILABLE, Plan, default_threads, host_row
from tfcompress.rows import Row

_QUANTILES = (("latency_p50", 0.5), ("latency_p90", 0.9), ("latency_p99", 0.99))


def litert_rows(data: bytes, runtime: Runtime, plan: Plan, progress: Progress) -> list[Row]:
    """`latency_p50`, `_p90`, `_p99` and `peak_memory` of LiteRT, each number of threads in a process of its own.

    `peak_memory` is the growth of that process's resident memory from before the model was loaded, the file's own
    bytes included, the library's not.

    Raises:
        ModelError: LiteRT cannot run the file.
        ChildDiedError: it crashed or ran out of time or memory.
    """
    rows: list[Row] = []
    for threads in plan.threads or default_threads():
        name = choice.describe(runtime, threads=threads)
        progress(f"timing on {name}", 0, 0)
        timing = litert.time(
            data,
            kernels=KERNELS[runtime],
            threads=threads,
            runs=plan.runs,
            seconds=plan.seconds,
            seed=plan.seed,
            limits=plan.limits,
        )
        rows += [host_row(key, timing.quantile(fraction), "ms", name) for key, fraction in _QUANTILES]
        rows.append(_runs(timing, name))
        peak = NOT_AVAILABLE if timing.peak_memory_bytes is None else timing.peak_memory_bytes
        rows.append(host_row("peak_memory", peak, "bytes", name))
    return rows


def tflm_rows(data: bytes, plan: Plan, progress: Progress) -> list[Row]:
    """`tflm_latency_p50`: time of TFLM's reference kernels on this machine, which says nothing about a device.

    Raises:
        ModelError: TFLM cannot run the file.
        ChildDiedError: it crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    name = f"{tflm.describe()} (reference kernels, on this machine)"
    progress(f"timing on {name}", 0, 0)
    timing = tflm.time(data, runs=plan.runs, seconds=plan.seconds, seed=plan.seed, limits=plan.limits)
    return [host_row("tflm_latency_p50", timing.quantile(0.5), "ms", name), _runs(timing, name)]


def _runs(timing: Timing, name: str) -> Row:
    return host_row("latency_runs", len(timing.times_ms), "count", name)

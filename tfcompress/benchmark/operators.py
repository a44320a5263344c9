"""Which operators a runtime has, and what each of them takes."""

from __future__ import annotations

from collections.abc import Sequence

from converters.child import Limits, Progress
from converters.flatbuffer import FlatBuffer, Operator
from converters.flatbuffer.graph import shown
from converters.runtimes import choice, coverage, operator_time
from converters.runtimes.choice import Runtime
from tfcompress.benchmark.plan import Plan, host_row
from tfcompress.rows import Row

BELOW = "below resolution"
# All prefixes of a file run in turn: a large model on reference kernels takes minutes for the least number of rounds.
_SECONDS = 20.0
_LIMIT_SECONDS = 600.0
# Differences need more runs than sums: their error is that of two prefixes, their size that of one operator.
_ROUNDS_PER_RUN = 2


def refused(flatbuffer: FlatBuffer, runtime: Runtime, plan: Plan, progress: Progress) -> tuple[int, ...]:
    """Indices of the operators that a runtime refuses; see `coverage`.

    Raises:
        ModelError: the file is damaged.
        ChildDiedError: the runtime crashed or ran out of time or memory.
        NotAvailableError: there is no build of it for this platform.
    """
    progress(f"asking {choice.describe(runtime)} for its operators", 0, 0)
    return coverage.refused(flatbuffer.data, runtime=runtime, limits=plan.limits)


def support_rows(flatbuffer: FlatBuffer, runtime: Runtime, refused: Sequence[int]) -> list[Row]:
    """`operators_supported`, and one `operator_refused` for each that the runtime refuses."""
    name, count = choice.describe(runtime), len(flatbuffer.operators)
    rows = [host_row("operators_supported", count - len(refused), f"of {count} operators", name)]
    for index in refused:
        rows.append(host_row("operator_refused", _label(flatbuffer.operators[index]), "operator", name))
    return rows


def time_rows(flatbuffer: FlatBuffer, runtime: Runtime, plan: Plan, progress: Progress) -> list[Row]:
    """`operator_latency/INDEX/NAME/LAYER` of every operator by prefix files; see `operator_time`.

    Raises:
        ModelError: the runtime cannot run the file.
        ChildDiedError: it crashed or ran out of time or memory.
        NotAvailableError: there is no build of it for this platform.
    """
    name = choice.describe(runtime, threads=None if runtime == "tflm" else 1)
    limits = Limits(seconds=_LIMIT_SECONDS, memory_bytes=plan.limits.memory_bytes)
    times = operator_time.measure(
        flatbuffer.data,
        runtime=runtime,
        rounds=_ROUNDS_PER_RUN * plan.runs,
        seconds=_SECONDS,
        seed=plan.seed,
        limits=limits,
        progress=progress,
    )
    rows = []
    for operator, milliseconds, is_resolved in zip(
        flatbuffer.operators, times.milliseconds, times.is_resolved, strict=True
    ):
        value: float | str = float(milliseconds) if is_resolved else BELOW
        key = f"operator_latency/{operator.index}/{shown(operator.name)}/{shown(operator.layer)}"
        rows.append(host_row(key, value, "ms", name, how="measured by difference"))
    if rows:
        worst = float(times.resolution_ms.max())
        rows.append(host_row("operator_latency_resolution", worst, "ms", name, how="measured by difference"))
    return rows


def _label(operator: Operator) -> str:
    layer = f" (layer {shown(operator.layer)})" if operator.layer else ""
    return f"{operator.index} {shown(operator.name)}{layer}"

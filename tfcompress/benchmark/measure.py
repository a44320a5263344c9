"""`tfcompress.benchmark.measure`: a `.tflite` file's numbers on this machine, as rows."""

from __future__ import annotations

from pathlib import Path

from converters.child import Progress, no_progress
from converters.errors import ModelError, NotAvailableError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import choice
from converters.runtimes.choice import Runtime
from tfcompress.benchmark import encoding, latency, memory, operators, parity
from tfcompress.benchmark.plan import NOT_AVAILABLE, Plan, host_row
from tfcompress.rows import Row


def measure(model: FlatBuffer | Path | str, *, plan: Plan | None = None, progress: Progress = no_progress) -> list[Row]:
    """Measures a file in child processes; a host's time is never a device's.

    A runtime that is missing here, or that refuses the file, gets rows that say so, as long as another one runs it.

    Args:
        model: the file, or its path.
        plan: what to measure.
        progress: called with stage, done, total.

    Raises:
        FileError: the file cannot be read.
        ModelError: it is damaged, or no runtime can run it.
        ChildDiedError: a runtime crashed on it, or ran out of time or memory.
    """
    plan = plan or Plan()
    flatbuffer = model if isinstance(model, FlatBuffer) else FlatBuffer.read(Path(model))
    rows = memory.file_rows(flatbuffer)
    rows.append(Row("operators", len(flatbuffer.operators), "count", "read from the file", "", "host", "the file"))
    runtimes = _runtimes(flatbuffer, plan)
    failures: dict[Runtime, ModelError | NotAvailableError] = {}
    for runtime in runtimes:
        try:
            rows += _of_runtime(flatbuffer, runtime, plan, progress)
        except (ModelError, NotAvailableError) as error:
            failures[runtime] = error
            rows += _refusal(flatbuffer, runtime, error, plan, progress)
    if len(failures) == len(runtimes):
        raise next(iter(failures.values()))
    if plan.per_operator:
        willing = [runtime for runtime in runtimes if runtime not in failures]
        timed: Runtime = "tflm" if "tflm" in willing else willing[0]
        rows += operators.time_rows(flatbuffer, timed, plan, progress)
    return rows


def _runtimes(flatbuffer: FlatBuffer, plan: Plan) -> tuple[Runtime, ...]:
    """Those that were asked for; else all that the file is for.

    Raises:
        UsageError: one that was asked for cannot run this file.
    """
    if plan.runtimes is None:
        return ("tflm",) if flatbuffer.only_tflm else ("litert", "tflm")
    return tuple(choice.for_file(flatbuffer, runtime)[0] for runtime in plan.runtimes)


def _of_runtime(flatbuffer: FlatBuffer, runtime: Runtime, plan: Plan, progress: Progress) -> list[Row]:
    data = flatbuffer.data
    if runtime == "tflm":
        rows = memory.arena_rows(data, plan, progress)
        rows += latency.tflm_rows(data, plan, progress)
        if flatbuffer.is_encoded:
            rows += encoding.rows(flatbuffer, plan, progress)
    else:
        rows = latency.litert_rows(data, runtime, plan, progress)
    rows += operators.support_rows(flatbuffer, runtime, ())
    if runtime == "tflm" and flatbuffer.only_tflm:
        why = f"LiteRT cannot run it: {flatbuffer.only_tflm}"
        rows.append(host_row("parity_samples_differing", why, "samples", choice.describe("litert")))
    elif runtime == "tflm":
        rows += parity.rows(flatbuffer, plan, progress)
    return rows


def _refusal(
    flatbuffer: FlatBuffer, runtime: Runtime, error: ModelError | NotAvailableError, plan: Plan, progress: Progress
) -> list[Row]:
    missing = isinstance(error, NotAvailableError)
    key, unit = ("arena", "bytes") if runtime == "tflm" else ("latency_p50", "ms")
    rows = [host_row(key, NOT_AVAILABLE if missing else str(error), unit, choice.describe(runtime))]
    if not missing:
        refused = operators.refused(flatbuffer, runtime, plan, progress)
        rows += operators.support_rows(flatbuffer, runtime, refused)
    return rows

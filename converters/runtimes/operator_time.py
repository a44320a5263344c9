"""Time per operator, which neither runtime's Python API gives: files cut after each operator, timed in turn.

    time of operator i = median over rounds of (time of i+1 operators - time of i operators, run right before)

The prefixes, the first of them an empty graph, are run one after another in rounds, and differences are taken within
a round: a change of the processor's clock or load meets both sides alike (on a busy machine that divided the error by
three). Whether an operator's time can be told from nothing is decided by the confidence interval of the median that
order statistics give, which assumes no distribution (David & Nagaraja, Order Statistics, 3rd ed., section 7.1).
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converters import child
from converters.child import Limits, Progress, no_progress
from converters.flatbuffer import FlatBuffer, prefix
from converters.runtimes import litert, ports, tflm, tflm_arena, timing
from converters.runtimes.choice import KERNELS, Runtime
from converters.runtimes.feeding import Session

LEAST_ROUNDS = 5


@dataclass(frozen=True)
class OperatorTimes:
    """Times of all operators of a file.

    Attributes:
        milliseconds: float64 `[operators]`, medians of differences; may be slightly negative.
        resolution_ms: float64 `[operators]`, half the width of each median's confidence interval.
        is_resolved: bool `[operators]`, whether that interval lies above zero.
        rounds: how often each prefix was run.
    """

    milliseconds: npt.NDArray[np.float64]
    resolution_ms: npt.NDArray[np.float64]
    is_resolved: npt.NDArray[np.bool_]
    rounds: int


def measure(
    data: bytes,
    *,
    runtime: Runtime = "tflm",
    rounds: int = 100,
    seconds: float = 20.0,
    seed: int = 0,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> OperatorTimes:
    """Times every operator of the main graph on random input.

    Args:
        data: the file's bytes.
        runtime: what runs the prefixes; LiteRT with one thread.
        rounds: most runs of each prefix.
        seconds: time after which no further round begins.
        seed: of the random input.
        limits: time and memory of the process.
        progress: told the rounds done.

    Raises:
        ModelError: the file is damaged, or the runtime cannot run it.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
        NotAvailableError: there is no build of the runtime for this platform.
    """
    FlatBuffer(data)
    function = "converters.runtimes.operator_time:measure_here"
    call = tflm.call if runtime == "tflm" else child.call
    arguments = (data, runtime, rounds, seconds, seed)
    times: npt.NDArray[np.float64] = call(
        function, *arguments, what="timing the operators", limits=limits, progress=progress
    )
    return summarize(times)


def summarize(times_ms: npt.NDArray[np.float64]) -> OperatorTimes:
    """Medians of differences and their confidence intervals, from milliseconds `[prefixes, rounds]`."""
    differences = np.sort(np.diff(times_ms, axis=0), axis=1)
    rounds = differences.shape[1]
    rank = _rank(rounds)
    low, high = differences[:, rank], differences[:, rounds - 1 - rank]
    return OperatorTimes(np.median(differences, axis=1), (high - low) / 2, low > 0, rounds)


def _rank(count: int) -> int:
    """The largest r for which the median lies between the r-th value from below and from above (r from 0) with 95 %.

    Each value is below the median with probability 1/2, so the median is below value r with that of at most r heads in
    `count` throws of a coin. Fewer than six values never reach 95 %; then it is the whole span.
    """
    rank, below = 0, 2.0**-count
    while rank + 1 < count / 2:
        below += math.comb(count, rank + 1) * 2.0**-count
        if below > 0.025:
            break
        rank += 1
    return rank


# --- the child's side -------------------------------------------------------------------------------------------


def measure_here(
    data: bytes, runtime: Runtime, rounds: int, seconds: float, seed: int, *, progress: Progress
) -> npt.NDArray[np.float64]:
    """The child's part of `measure`: milliseconds `[operators + 1, rounds]`, the first row of an empty graph."""
    flatbuffer = FlatBuffer(data)
    inputs = [sample[0] for sample in timing.random_inputs(ports.inputs_of(flatbuffer), 1, seed=seed)]
    model: Any = prefix.parse(data)
    sessions: list[Session] = []
    arena_bytes = _arena_for(data) if runtime == "tflm" else None
    for count in range(len(flatbuffer.operators) + 1):
        progress("cutting", count, len(flatbuffer.operators))
        session = _session(prefix.first(model, count), runtime, arena_bytes)
        session.set_inputs(inputs)
        session.invoke()
        sessions.append(session)
    deadline = time.perf_counter() + seconds
    columns: list[list[float]] = []
    while len(columns) < rounds:
        columns.append([_timed(session) for session in sessions])
        progress("timing", len(columns), rounds)
        if len(columns) >= LEAST_ROUNDS and time.perf_counter() > deadline:
            break
    return np.asarray(columns, np.float64).T


def _arena_for(data: bytes) -> int:
    # Outputs of a prefix live to its end, as they do in the whole file; a planner's bad luck gets the other half.
    return 2 * tflm_arena.accounting(data)[0] + 65536


def _session(data: bytes, runtime: Runtime, arena_bytes: int | None) -> Session:
    if runtime == "tflm":
        return tflm.open_session(data, arena_bytes=arena_bytes)[0]
    session = litert.LiteRTSession(data, KERNELS[runtime], 1)
    session.allocate()
    return session


def _timed(session: Session) -> float:
    start = time.perf_counter_ns()
    session.invoke()
    return (time.perf_counter_ns() - start) / 1e6

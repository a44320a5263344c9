"""Latency of a file on a device that it never ran on, with an interval and what stands behind it.

    cycles = exp(residual) * instructions / scalar speed        `kinship`, `process`; `instructions`

A board that was measured is known best, then one with a core that was measured, then one that only its core's
instruction set is known of; the interval tells which. Measurements of one's own on the board ("anchors") count as
published ones do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from converters.errors import UsageError
from tfcompress.benchmark.estimate.cost_model.instructions import (
    Coefficients,
    by_kind,
    coefficients_of,
    counted,
    counted_set,
    instructions,
)
from tfcompress.benchmark.estimate.cost_model.kinship import CORTEX_M4, Point, System
from tfcompress.benchmark.estimate.cost_model.prices import Prices, prices, widening_of
from tfcompress.benchmark.estimate.cost_model.process import Z80, Belief, Measured, believe
from tfcompress.benchmark.estimate.cost_model.work import KINDS, Work, fingerprint

# A measurement that many times off is told: code without optimization is some 10 times slower, another unit 1000 times.
_DOUBTFUL = 20


@dataclass(frozen=True)
class Anchor:
    """A measurement of the user's own on the board.

    Attributes:
        works: of the file that ran.
        latency_ms: of one inference.
        source: where it is from, in words.
        clock_hz: of the core as it ran; None for the target's.
    """

    works: tuple[Work, ...]
    latency_ms: float
    source: str
    clock_hz: float | None = None


@dataclass(frozen=True)
class OperatorCost:
    """One operator's part of the estimate: `share` of the whole, and `milliseconds`."""

    work: Work
    share: float
    milliseconds: float


@dataclass(frozen=True)
class Estimate:
    """An estimated latency.

    Attributes:
        latency_ms: of one inference; as likely too high as too low.
        low_ms: begin of the 80 % interval.
        high_ms: its end.
        cycles: of the core's nominal clock.
        operators: where the time goes, in the file's order.
        basis: what it was fitted on, in words.
        points: how many measurements of the same kernel library stand behind it: on this board, else on this core,
            else on any.
        notes: what the number cannot say.
    """

    latency_ms: float
    low_ms: float
    high_ms: float
    cycles: float
    operators: tuple[OperatorCost, ...]
    basis: str
    points: int
    notes: tuple[str, ...] = ()


def predict(
    works: Sequence[Work],
    system: System,
    clock_hz: float,
    *,
    anchors: Sequence[Anchor] = (),
    by: Prices | None = None,
) -> Estimate:
    """Estimates the latency of int8 operators.

    Args:
        works: of the file's operators; see `work_of`.
        system: what executes them.
        clock_hz: of its core.
        anchors: measurements of other files (or of this one) on the same system.
        by: prices; by default the packaged ones.

    Raises:
        UsageError: there is no operator, or an anchor's time is not above 0.
    """
    by = by or prices()
    point, total = _point(works, system, by)
    anchored = [_point(anchor.works, system, by) for anchor in anchors]
    if any(not (anchor.latency_ms > 0 and math.isfinite(anchor.latency_ms)) for anchor in anchors):
        raise UsageError("an anchor's latency is not above 0 ms; give what the board measured")
    residuals = [
        math.log(anchor.latency_ms * (anchor.clock_hz or clock_hz) / 1000 / counted_there)
        for anchor, (_, counted_there) in zip(anchors, anchored, strict=True)
    ]
    known = by.measured.plus([place for place, _ in anchored], residuals)
    (belief,) = believe(known, [point], by.variances)
    half = _half_width("anchored" if anchors else "unanchored", system, belief, by)
    if anchors:  # what is known besides does not make an estimate worse
        (plain,) = believe(by.measured, [point], by.variances)
        half = min(half, _half_width("unanchored", system, plain, by))
    milliseconds = math.exp(belief.mean) * total / clock_hz * 1000
    basis, points = _basis(system, by, anchors)
    return Estimate(
        latency_ms=milliseconds,
        low_ms=milliseconds * math.exp(-half),
        high_ms=milliseconds * math.exp(half),
        cycles=milliseconds * clock_hz / 1000,
        operators=_operators(works, system, belief, milliseconds, by),
        basis=basis,
        points=points,
        notes=(*_notes(works, system, by), *_doubts(anchors, known, by)),
    )


def _coefficients(system: System, by: Prices) -> Coefficients:
    return coefficients_of(by.counts, system.library, system.counted, build=system.build)


def _half_width(way: str, system: System, belief: Belief, by: Prices) -> float:
    """Half of the 80 % interval of the logarithm."""
    factor = by.widening[widening_of(way, system, (point.system for point in by.measured.points))]
    return factor * Z80 * math.sqrt(belief.variance)


def _point(works: Sequence[Work], system: System, by: Prices) -> tuple[Point, float]:
    """The model on the system, and the cycles that its instructions would take at the core's scalar speed."""
    parts = by_kind(works, _coefficients(system, by))
    total = sum(parts)
    if not total:
        raise UsageError("the file has no operator; nothing can be estimated")
    return Point(system, fingerprint(works), tuple(part / total for part in parts)), total * CORTEX_M4 / system.scalar


def _operators(
    works: Sequence[Work], system: System, belief: Belief, milliseconds: float, by: Prices
) -> tuple[OperatorCost, ...]:
    coefficients = _coefficients(system, by)
    weights = [instructions(work, coefficients) * math.exp(belief.of_kinds[KINDS.index(work.kind)]) for work in works]
    whole = sum(weights)
    return tuple(
        OperatorCost(work, weight / whole, milliseconds * weight / whole)
        for work, weight in zip(works, weights, strict=True)
    )


def _basis(system: System, by: Prices, anchors: Sequence[Anchor]) -> tuple[str, int]:
    """What is behind an estimate, from the nearest to the farthest kin."""
    same = (system.library, system.build)
    library = [one.system for one in by.measured.points if (one.system.library, one.system.build) == same]
    board = [one for one in library if one.board == system.board]
    core = [one for one in library if one.core == system.core]
    any_core = [point.system for point in by.measured.points if point.system.core == system.core]
    if board:
        words, found = f"{_published(len(board))} of this board with {system.library} kernels{_through(board)}", board
    elif core:
        words, found = f"{_published(len(core))} of {system.core} with {system.library} kernels{_through(core)}", core
    elif library:
        words = f"{_published(len(library))} of {system.library} kernels on other cores{_through(library)}"
        words += f", {len(any_core)} of {system.core} with other kernels"
        found = library
    else:
        words, found = f"no published latency of {system.library} kernels; {len(any_core)} of {system.core}", []
    if anchors:
        mine = f"{len(anchors)} of your own measurements" if len(anchors) > 1 else "1 measurement of your own"
        words = f"{mine} ({'; '.join(one.source for one in anchors)}); {words}"
    return f"{words}; {by.source}", len(found) + len(anchors)


def _through(found: Sequence[System]) -> str:
    """Whose runtimes the measured ones were: kernels of one library run in several."""
    return f" ({', '.join(sorted({one.family for one in found}))})"


def _published(count: int) -> str:
    return f"{count} published {'latency' if count == 1 else 'latencies'}"


def _doubts(anchors: Sequence[Anchor], known: Measured, by: Prices) -> tuple[str, ...]:
    """Anchors that are far from what is expected without them: another unit, or another clock."""
    if not anchors:
        return ()
    places, residuals = known.points[-len(anchors) :], known.residuals[-len(anchors) :]
    gaps = [
        residual - one.mean for residual, one in zip(residuals, believe(by.measured, places, by.variances), strict=True)
    ]
    return tuple(
        f"{anchor.source}: {anchor.latency_ms:g} ms is {math.exp(gap):.2g} times what is expected of that file here; "
        "check that these are milliseconds of one inference, with optimized code, at the device's clock"
        for anchor, gap in zip(anchors, gaps, strict=True)
        if abs(gap) > math.log(_DOUBTFUL)
    )


def _notes(works: Sequence[Work], system: System, by: Prices) -> tuple[str, ...]:
    coefficients = _coefficients(system, by)
    notes = []
    if strange := sorted({work.name for work in works if not counted(work, coefficients)}):
        words = "each is taken for an ADD of as many elements"
        notes.append(f"no instructions were counted of {', '.join(strange)}; {words}")
    if not system.core.startswith("cortex-m"):
        stands_in = counted_set(by.counts, system.library, system.counted, build=system.build)[1]
        notes.append(f"no instructions were counted on {system.core}; those of {stands_in} stand in")
    if system.library == "reference" and not system.build:
        notes.append(
            "TFLM's own kernels are taken as built for speed with -DNDEBUG, as an exported project is; without it, "
            f"their checks make {_price_of_checks(works, by):.1f} times as many instructions of this file"
        )
    if system.library == "mvp":
        notes.append("the accelerator's layers were measured on one chip; errors on others were not evaluated")
    return tuple(notes)


def _price_of_checks(works: Sequence[Work], by: Prices) -> float:
    """Instructions with TFLM's checks over those without, on a Cortex-M4."""
    with_checks, without = (
        sum(by_kind(works, coefficients_of(by.counts, "reference", "cortex-m4", build=build)))
        for build in ("checked", "")
    )
    return with_checks / without

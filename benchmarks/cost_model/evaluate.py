"""How wrong the cost model is on boards that it never saw; writes `benchmarks/results/cost_model.json`.

python -m benchmarks.cost_model.evaluate

The unit is the board. A board is left out with everything that ran on it: other runtimes, re-runs, re-submissions, and
its other names. Variances and the width of the intervals are fitted anew on what is left.

    unanchored    nothing of the board is known but its core, its clock and its runtime
    anchored      the other models of the same system are known too, and nothing else of the board

Error: absolute percentage of one latency; of a board the mean over its latencies; the headline the mean over boards.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cost_model import counting, hyperparameters, simple
from benchmarks.cost_model.fit import on_a_processor, widening
from benchmarks.cost_model.held_out import Fold, HeldOut, anchored, unanchored
from benchmarks.cost_model.measurements import Latency, latencies, measured
from benchmarks.result_file import stamp, write
from tfcompress.benchmark.estimate.cost_model.prices import widening_of
from tfcompress.benchmark.estimate.cost_model.process import Z80, Measured
from tfcompress.benchmark.estimate.energy import energy
from tfcompress.targets import device, devices

RESULT = Path(__file__).resolve().parent.parent / "results" / "cost_model.json"
# MLPerf Tiny's four models: a system that ran them all counts for the headline.
_MODELS = {"ad", "ic", "kws", "vww"}
# Runtimes that execute the user's own file.
_OPEN = ("tflm", "microtvm")
# Other builds of TFLM's kernels of 2021: without their checks, and with them but for size.
_BUILDS = ("2021", "2021-small")
_WAYS = ("unanchored", "anchored")


def evaluate() -> dict[str, Any]:
    """Everything that is shown."""
    chosen = [latency for latency in latencies() if on_a_processor(latency)]
    records = _records(chosen)
    headline = _headline(records)
    return {
        "points": len(headline),
        "headline": _summary(headline),
        "all": _summary(records),
        "boards": {board: _summary([one for one in headline if one["board"] == board]) for board in _named(headline)},
        "families": _grouped(headline, "family"),
        "open_runtimes": _summary([one for one in headline if one["family"].startswith(_OPEN)]),
        "others": {
            board: _summary([one for one in records if one["board"] == board and one not in headline])
            for board in _named([one for one in records if one not in headline])
        },
        "untold_build": {build: _summary(_headline(_records(_built(chosen, build)))) for build in _BUILDS},
        "energy": _energies(),
        "records": records,
    }


def _records(chosen: Sequence[Latency]) -> list[dict[str, Any]]:
    seen = measured(chosen, counting.counts())
    return [record for board in _boards(chosen) for record in _board(board, chosen, seen)]


def _headline(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if record["complete"] and record["mlperf"]]


def _built(chosen: Sequence[Latency], build: str) -> list[Latency]:
    """The same latencies, if TFLM's kernels of 2021 had been built in another way, which nobody published."""
    return [
        replace(one, system=replace(one.system, build=build)) if one.system.build.startswith("2021") else one
        for one in chosen
    ]


def _energies() -> dict[str, Any]:
    """Energy by a data sheet's current and the measured latency, against the energy that was measured with it."""
    found: dict[str, list[float]] = {}
    for latency in latencies():
        name = latency.system.board
        told = energy(device(name), latency.milliseconds) if name in devices() else None
        if told is not None and latency.microjoules is not None:
            found.setdefault(name, []).append(told.microjoules / latency.microjoules)
    return {
        name: {"points": len(ratios), "ratio": round(statistics.median(ratios), 3)} for name, ratios in found.items()
    }


def _boards(chosen: Iterable[Latency]) -> list[str]:
    return sorted({latency.system.board for latency in chosen})


def _board(board: str, chosen: Sequence[Latency], seen: Measured) -> list[dict[str, Any]]:
    """Every latency of a board, predicted from the others."""
    rest = [index for index, latency in enumerate(chosen) if latency.system.board != board]
    training = Measured(tuple(seen.points[i] for i in rest), tuple(seen.residuals[i] for i in rest))
    variances = hyperparameters.fit(training)
    factors = widening(training, variances)
    process = HeldOut(seen, variances)
    folds = {
        "unanchored": {fold.index: fold for fold in unanchored(process, seen, board)},
        "anchored": {fold.index: fold for fold in anchored(process, seen, board)},
    }
    print(f"{board}: {_mean(folds['unanchored'].values())}, {_mean(folds['anchored'].values())}", file=sys.stderr)
    return [
        _record(index, chosen, [chosen[i] for i in rest], folds, factors)
        for index, latency in enumerate(chosen)
        if latency.system.board == board
    ]


def _record(
    index: int,
    chosen: Sequence[Latency],
    rest: Sequence[Latency],
    folds: dict[str, dict[int, Fold]],
    factors: dict[str, float],
) -> dict[str, Any]:
    latency = chosen[index]
    system = [one for one in chosen if one.system.name == latency.system.name]
    anchors = [one for one in system if one is not latency]
    record: dict[str, Any] = {
        "board": latency.system.board,
        "core": latency.system.core,
        "family": latency.system.family,
        "system": latency.system.name,
        "model": latency.model,
        "mlperf": latency.source.startswith("MLPerf"),
        "complete": {one.model for one in system} >= _MODELS,
        "cycles": round(latency.cycles),
    }
    same = [one for one in rest if one.model == latency.model]
    plain = {"unanchored": {}, "anchored": {}}
    if same:
        plain["unanchored"] = {
            "macs_only": simple.macs_elsewhere(latency, rest) / latency.cycles - 1,
            "simple": simple.same_kind_elsewhere(latency, rest) / latency.cycles - 1,
        }
    if anchors and all(any(one.model == other.model for other in rest) for one in system):
        plain["anchored"] = {
            "macs_only": simple.macs_anchored(latency, anchors, rest) / latency.cycles - 1,
            "simple": simple.profile_anchored(latency, anchors, rest) / latency.cycles - 1,
        }
    for way in _WAYS:
        if fold := folds[way].get(index):
            others = [one.system for one in rest]
            width = min(
                folds[one][index].deviation * factors[widening_of(one, latency.system, others)]
                for one in dict.fromkeys(("unanchored", way))  # an anchor never widens an interval: see `predict`
            )
            told = {"error": fold.error, "deviation": width, "score": (fold.residual - fold.mean) / width}
            record[way] = {key: round(float(value), 4) for key, value in (told | plain[way]).items()}
    return record


def _summary(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Errors of some records: means over boards of each board's mean, so that no board counts twice."""
    told: dict[str, Any] = {"boards": len(_named(records)), "points": len(records)}
    for way in _WAYS:
        found = [record for record in records if way in record]
        if found:
            told[way] = {
                **{f"{name}_percent": _over_boards(found, way, name) for name in ("error", "macs_only", "simple")},
                "within_10_percent": round(statistics.fmean(abs(one[way]["error"]) <= 0.1 for one in found), 3),
                "interval_holds": round(statistics.fmean(abs(one[way]["score"]) <= Z80 for one in found), 3),
                "interval_factor": round(statistics.median(math.exp(Z80 * one[way]["deviation"]) for one in found), 3),
                "points": len(found),
            }
    return told


def _over_boards(records: Sequence[dict[str, Any]], way: str, name: str) -> float | None:
    means = []
    for board in _named(records):
        errors = [abs(one[way][name]) for one in records if one["board"] == board and name in one[way]]
        if errors:
            means.append(statistics.fmean(errors))
    return round(100 * statistics.fmean(means), 1) if means else None


def _grouped(records: Sequence[dict[str, Any]], key: str) -> dict[str, Any]:
    values = sorted({record[key] for record in records})
    return {value: _summary([one for one in records if one[key] == value]) for value in values}


def _named(records: Iterable[dict[str, Any]]) -> list[str]:
    return sorted({record["board"] for record in records})


def _mean(folds: Iterable[Fold]) -> str:
    errors = [abs(fold.error) for fold in folds]
    return f"{100 * statistics.fmean(errors):.1f} %" if errors else "-"


if __name__ == "__main__":
    write(RESULT, {**stamp(), **evaluate()})

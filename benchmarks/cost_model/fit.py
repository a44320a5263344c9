"""Makes `tfcompress/benchmark/estimate/cost_model/prices.json`, which the cost model computes from.

python -m benchmarks.cost_model.fit [--check]

From `published.csv`, `models.json` and `benchmarks/results/instruction_counts.json`. Takes some seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cost_model import counting, hyperparameters
from benchmarks.cost_model.held_out import HeldOut, anchored, unanchored
from benchmarks.cost_model.measurements import Latency, latencies, measured
from converters.output import write_whole
from tfcompress.benchmark.estimate.cost_model.instructions import Counts
from tfcompress.benchmark.estimate.cost_model.prices import Prices, as_plain, widening_of
from tfcompress.benchmark.estimate.cost_model.process import Z80, Measured

ROOT = Path(__file__).resolve().parent.parent.parent
PRICES = ROOT / "tfcompress/benchmark/estimate/cost_model/prices.json"


def on_a_processor(latency: Latency) -> bool:
    """Whether it teaches something of kernels that run on a core."""
    return latency.kind == "cpu"


def usable(latency: Latency) -> bool:
    """Whether it stands behind a prediction: those of processors, and TFLM's on the MVP, whose layers were measured."""
    return on_a_processor(latency) or latency.system.library == "mvp"


def widening(seen: Measured, variances: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Factors with which 80 % intervals hold 80 % of the points of boards that are left out one by one.

    Systems whose kernels or core no other board has are apart, under `..._new`; for these, few as they are, no interval
    becomes narrower than the process has it.
    """
    process = HeldOut(seen, variances)
    found: dict[str, list[float]] = {}
    for board in sorted({point.system.board for point in seen.points}):
        rest = [point.system for point in seen.points if point.system.board != board]
        for name, way in (("unanchored", unanchored), ("anchored", anchored)):
            for fold in way(process, seen, board):
                key = widening_of(name, seen.points[fold.index].system, rest)
                found.setdefault(key, []).append(abs(fold.score))
    return {key: _factor(scores, at_least=1.0 if key.endswith("_new") else 0.0) for key, scores in found.items()}


def _factor(scores: Sequence[float], *, at_least: float) -> float:
    return float(f"{max(at_least, np.quantile(scores, 0.8) / Z80):.4g}")


def fit(chosen: Sequence[Latency], counts: Counts) -> Prices:
    """Prices from latencies and instruction counts; what holds for processors is learnt from these alone."""
    learnt = measured([latency for latency in chosen if on_a_processor(latency)], counts)
    variances = hyperparameters.fit(learnt)
    boards = len({latency.system.board for latency in chosen})
    source = f"{len(chosen)} published latencies of {boards} boards and instructions counted by emulation"
    return Prices(counts, variances, measured(chosen, counts), widening(learnt, variances), source)


def made() -> dict[str, Any]:
    """The values of the file."""
    return as_plain(fit([latency for latency in latencies() if usable(latency)], counting.counts()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the file, or says whether it is as it would be written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the file is up to date")
    text = _text(made())
    if not parser.parse_args(arguments).check:
        write_whole(PRICES, text.encode(), force=True)
        return 0
    if PRICES.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PRICES.name} is not what the measurements make; run python -m benchmarks.cost_model.fit", file=sys.stderr)
    return 1


def _text(values: dict[str, Any]) -> str:
    """JSON with one point, system or set of coefficients on a line."""

    def line(value: Any) -> str:
        return json.dumps(value, separators=(", ", ": "))

    parts = []
    for name, value in values.items():
        if isinstance(value, list):
            body = ",\n".join(f"  {line(one)}" for one in value)
            parts.append(f' "{name}": [\n{body}\n ]')
        else:
            parts.append(f' "{name}": {line(value)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())

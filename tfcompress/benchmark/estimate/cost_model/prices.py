"""The generated file that the cost model computes from: `prices.json`, by `python -m benchmarks.cost_model.fit`."""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tfcompress.benchmark.estimate.cost_model.instructions import Counts
from tfcompress.benchmark.estimate.cost_model.kinship import Point, System
from tfcompress.benchmark.estimate.cost_model.process import Measured


@dataclass(frozen=True)
class Prices:
    """What the cost model computes from.

    Attributes:
        counts: library -> instruction set -> coefficients of instruction counts.
        variances: of the Gaussian process, one set for each width of their prior.
        measured: the published latencies as points.
        widening: factor of the standard deviations with which 80 % intervals held 80 % of the points of boards that
            were left out, by `widening_of`.
        source: what it was fitted on, in words.
    """

    counts: Counts
    variances: tuple[Mapping[str, float], ...]
    measured: Measured
    widening: Mapping[str, float]
    source: str


def widening_of(way: str, system: System, others: Iterable[System]) -> str:
    """The key of `widening` for a system: `way`, with `_new` where no other has its kernels, or none its core.

    Args:
        way: `unanchored` or `anchored`.
        system: what is asked about.
        others: what was measured, on other boards.
    """
    seen = list(others)
    libraries, cores = {one.library for one in seen}, {one.core for one in seen}
    return way if system.library in libraries and system.core in cores else f"{way}_new"


@functools.cache
def prices() -> Prices:
    """The packaged prices."""
    file = importlib.resources.files("tfcompress.benchmark.estimate.cost_model") / "prices.json"
    return from_plain(json.loads(file.read_text(encoding="utf-8")))


def from_plain(stored: Mapping[str, Any]) -> Prices:
    """Prices from the values of the JSON file."""
    systems = [System(**system) for system in stored["systems"]]
    points = tuple(
        Point(systems[point["system"]], point["model"], tuple(point["shares"])) for point in stored["points"]
    )
    residuals = tuple(point["residual"] for point in stored["points"])
    return Prices(
        counts=stored["counts"],
        variances=tuple(stored["variances"]),
        measured=Measured(points, residuals),
        widening=stored["widening"],
        source=stored["source"],
    )


def as_plain(made: Prices) -> dict[str, Any]:
    """The values of the JSON file."""
    systems = list(dict.fromkeys(point.system for point in made.measured.points))
    numbers = {system: number for number, system in enumerate(systems)}
    return {
        "source": made.source,
        "widening": dict(made.widening),
        "variances": [dict(one) for one in made.variances],
        "counts": made.counts,
        "systems": [asdict(system) for system in systems],
        "points": [
            {
                "system": numbers[point.system],
                "model": point.model,
                "residual": round(residual, 6),
                "shares": [round(share, 6) for share in point.shares],
            }
            for point, residual in zip(made.measured.points, made.measured.residuals, strict=True)
        ],
    }

"""Published latencies (`published.csv`) as points of the cost model, and what their models compute (`models.json`).

`published.csv` has one line for each int8 latency: MLPerf Tiny v0.5 to v1.3 (closed division), Espressif's ESP-NN, ST's
model zoo, Plumerai's comparison, and Silicon Labs' MLTK profiles summed up per model.

    board       one name for all the names that a board has in its sources
    kind        `accelerator` where something else than the core computes
    library     whose kernels compute, an engine's own under its name
    build       how TFLM's own kernels were built, which their publishers do not tell: as TFLM's Makefile of that time
                and ESP-IDF do by default
    year        age of the runtime: of the round, or of the release that a re-run names
"""

from __future__ import annotations

import csv
import functools
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tfcompress.benchmark.estimate.cost_model.instructions import Counts, by_kind, coefficients_of, counted_on
from tfcompress.benchmark.estimate.cost_model.kinship import CORTEX_M4, Point, System
from tfcompress.benchmark.estimate.cost_model.process import Measured
from tfcompress.benchmark.estimate.cost_model.systems import scalar_speed
from tfcompress.benchmark.estimate.cost_model.work import Work, fingerprint, work_from_shapes
from tfcompress.targets import core, device, devices

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Latency:
    """A published latency.

    Attributes:
        system: what ran the model.
        kind: `cpu` or `accelerator`.
        model: its name in `models.json`.
        cycles: of the core, by its nominal clock.
        source: where it is published.
        milliseconds: as published.
        microjoules: of one inference, where that was measured too.
    """

    system: System
    kind: str
    model: str
    cycles: float
    source: str
    milliseconds: float
    microjoules: float | None


@functools.cache
def models() -> dict[str, tuple[Work, ...]]:
    """Name -> work of its operators."""
    stored = json.loads((HERE / "models.json").read_text(encoding="utf-8"))
    return {name: tuple(work_from_shapes(*operator) for operator in operators) for name, operators in stored.items()}


@functools.cache
def latencies() -> tuple[Latency, ...]:
    """Every published latency whose clock is known."""
    with (HERE / "published.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(_latency(row) for row in csv.DictReader(stream) if row["clock_mhz"])


def measured(chosen: Iterable[Latency], counts: Counts) -> Measured:
    """Points of the cost model, from the instruction counts of libraries and instruction sets."""
    points, residuals = [], []
    for latency in chosen:
        works, system = models()[latency.model], latency.system
        parts = by_kind(works, coefficients_of(counts, system.library, system.counted, build=system.build))
        total = sum(parts)
        expected = total * CORTEX_M4 / system.scalar
        points.append(Point(system, fingerprint(works), tuple(part / total for part in parts)))
        residuals.append(math.log(latency.cycles / expected))
    return Measured(tuple(points), tuple(residuals))


def _memory(board: str) -> str:
    """Where weights lie, where the board is a packaged device whose source says it."""
    return (device(board).memory.weights_in or "") if board in devices() else ""


def _latency(row: dict[str, str]) -> Latency:
    chip = core(row["core"])
    system = System(
        board=row["board"],
        memory=_memory(row["board"]),
        core=chip.name,
        counted=counted_on(chip, row["library"]),
        scalar=scalar_speed(chip),
        published=chip.coremark_per_mhz is not None,
        family=row["family"],
        library=row["library"],
        build=row["build"],
        year=float(row["year"]),
        name=row["system"],
    )
    milliseconds = float(row["latency_ms"])
    return Latency(
        system=system,
        kind=row["kind"],
        model=row["model"],
        cycles=milliseconds * float(row["clock_mhz"]) * 1000,
        source=row["source"],
        milliseconds=milliseconds,
        microjoules=float(row["energy_uj"]) if row["energy_uj"] else None,
    )

"""Coefficients of instruction counts, from what an emulator counted (`benchmarks/results/instruction_counts.json`).

Least squares of relative errors with coefficients of 0 or more (Lawson and Hanson, Solving Least Squares Problems,
1974): a count is a sum of things that take instructions, and a small operator weighs as much as a large one.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from tfcompress.benchmark.estimate.cost_model.instructions import Counts, features, key
from tfcompress.benchmark.estimate.cost_model.work import DECODE, Work, work_from_shapes

HERE = Path(__file__).resolve().parent
RESULT = HERE.parent / "results" / "instruction_counts.json"
# One for each instruction set: a Cortex-M7 and an M33 execute what an M4 does.
_CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m55", "rv32imc")
# Library -> kernels and build of the counts. TFLM checks every index into a tensor unless NDEBUG is defined.
_LIBRARIES = {
    "reference": ("reference", "release"),
    "reference-checked": ("reference", "default"),
    "reference-2021-checked": ("reference-2021", "default"),
    "reference-2021": ("reference-2021", "release"),
    "reference-2021-small": ("reference-2021", "size-default"),
    "cmsis-nn": ("cmsis-nn", "release"),
}
# Of an operator with fewer counts only what it takes per output.
_FEW = 3


@functools.cache
def counts() -> Counts:
    """Library -> emulated core -> coefficients, fitted on the stored counts."""
    rows = json.loads(RESULT.read_text(encoding="utf-8"))["rows"]
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for library, (kernels, build) in _LIBRARIES.items():
        for core in _CORES:
            wanted = (core, kernels, build, "int8")
            if chosen := [row for row in rows if (row["core"], row["kernels"], row["build"], row["dtype"]) == wanted]:
                found.setdefault(library, {})[core] = fitted(chosen)
    found["cmsis-nn"]["p-extension"] = with_p_extension(found["cmsis-nn"]["cortex-m4"])
    found["mvp"] = {"cortex-m4": fitted(mvp_rows())}
    return found


def with_p_extension(counted: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """What the same kernels take with RISC-V's P extension, which no emulator here has: derived, not counted.

    SMAQA adds up 4 products of int8 (RISC-V P Extension 0.9, section SMAQA), where SMLAD adds up 2 of int16. In blocks
    of 2 rows by 2 columns by 4, a loop of 4 loads, 4 SMAQA and 3 instructions of its own does 16 products; a product
    of a vector with 3 rows at once, 4 loads, 3 SMAQA and 3 others for 12. All else stays as counted on a Cortex-M4.
    """
    loops = {"conv": 11 / 16, "pointwise": 11 / 16, "dense": 10 / 12}
    return {name: [loops.get(name, weights[0]), *weights[1:]] for name, weights in counted.items()}


def mvp_rows() -> list[dict[str, Any]]:
    """Layers of 22 models on Silicon Labs' MVP accelerator: not counted but measured, in cycles of the Cortex-M33.

    Silicon Labs MLTK, model profiles of the EFR32xG24 at 78 MHz (docs of github.com/SiliconLabs/mltk).
    """
    operators = json.loads((HERE / "models.json").read_text(encoding="utf-8"))
    with (HERE / "mvp_layers.csv").open(encoding="utf-8", newline="") as stream:
        layers = [(row["model"], int(row["layer"]), int(row["cycles"])) for row in csv.DictReader(stream)]
    rows = []
    for model, layer, cycles in layers:
        name, inputs, outputs = operators[f"mltk/{model}"][layer]
        if cycles:  # some are shorter than the profiler's resolution
            rows.append({"model": model, "name": name, "inputs": inputs, "outputs": outputs, "instructions": cycles})
    return rows


def fitted(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Coefficients `a` to `f` of every kind of operator that was counted."""
    groups: dict[str, list[tuple[Work, float]]] = {}
    for row in rows:
        work = _work(row)
        groups.setdefault(key(work), []).append((work, _slots(row)))
    return {name: _coefficients(group) for name, group in sorted(groups.items())}


def _work(row: Mapping[str, Any]) -> Work:
    """Work of a row; the models of DECODE operators are named by their encoding: `decode_huffman_0`."""
    encoding = f"/{row['model'].split('_')[1]}" if row["name"] == DECODE else ""
    return work_from_shapes(row["name"] + encoding, row["inputs"], row["outputs"])


def _slots(row: Mapping[str, Any]) -> float:
    """Instructions, where one on a vector of 128 bits counts twice: the Cortex-M55 and M85 take two cycles for it.

    Arm 102787, Cortex-M55 Software Optimization Guide: the vector unit does 64 bits, two of four beats, in a cycle.
    """
    return float(row["instructions"] + (row["vector"] if row.get("core") == "cortex-m55" else 0))


def _coefficients(group: Sequence[tuple[Work, float]]) -> list[float]:
    matrix = np.array([features(work) for work, _ in group])
    instructions = np.array([count for _, count in group], dtype=float)
    if len(group) < _FEW:
        matrix[:, [0, 1, 2, 4, 5]] = 0.0
    weights, _ = nnls(matrix / instructions[:, None], np.ones(len(group)))
    return [float(f"{weight:.4g}") for weight in weights]


def errors(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Mean absolute relative error of the formula on the counts that it was fitted on, by kind."""
    coefficients = fitted(rows)
    found: dict[str, list[float]] = {}
    for row in rows:
        work = _work(row)
        told = sum(a * b for a, b in zip(coefficients[key(work)], features(work), strict=True))
        found.setdefault(key(work), []).append(abs(told / _slots(row) - 1))
    return {name: float(np.mean(values)) for name, values in found.items()}

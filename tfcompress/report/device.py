"""What a board said, for people and for programs.

The keys of the JSON:

    rows[], model {name, bytes, sha256}, board, runtime, clock, counter, how, passed, total, vectors[], error,
    tolerance, notes[]

A vector has `ticks` and `difference`: null, or `output, byte, expected, got`.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from tfcompress.benchmark.device import DeviceResult
from tfcompress.report import table


def as_json(result: DeviceResult) -> str:
    """The keys of the module docstring."""
    log = result.log
    told = {
        "rows": [row.as_dict() for row in result.rows],
        "model": {"name": log.model, "bytes": log.model_bytes, "sha256": log.sha256},
        "board": log.board,
        "runtime": log.runtime,
        "clock": log.clock,
        "counter": log.counter,
        "how": log.how,
        "passed": log.passed,
        "total": log.total,
        "vectors": [asdict(vector) for vector in log.vectors],
        "error": log.error,
        "tolerance": log.tolerance,
        "notes": list(result.notes),
    }
    return json.dumps(told, indent=2)


def show(result: DeviceResult) -> None:
    """Prints the rows under the model's name, to standard output."""
    table.show(result.rows, title=f"{result.log.model} on {result.rows[0].target}")

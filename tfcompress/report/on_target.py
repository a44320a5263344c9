"""Targets side by side: a table with a verdict for each, and where the time goes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from converters.errors import printable
from tfcompress.benchmark.estimate.cost_model.predict import Estimate
from tfcompress.benchmark.estimate.fit import uses
from tfcompress.benchmark.estimate.on_target import OnTarget
from tfcompress.benchmark.estimate.on_target_rows import rows
from tfcompress.report.sheet import Sheet, as_table

_UNKNOWN = "not known"
_MOST_OPERATORS = 40
_PIPED_COLUMNS = 400


def as_json(results: Sequence[OnTarget], *, per_operator: bool = False) -> str:
    """`{"rows": [...], "targets": [{target, runtime, verdict, reasons, missing, notes}]}`."""
    told: dict[str, Any] = {
        "rows": [row.as_dict() for result in results for row in rows(result, per_operator=per_operator)],
        "targets": [
            {
                "target": result.target.name,
                "device": result.target.device.title,
                "runtime": result.target.runtime.name,
                "verdict": result.verdict.fits,
                "reasons": list(result.verdict.reasons),
                "missing": result.missing,
                "notes": list(result.notes),
            }
            for result in results
        ],
    }
    return json.dumps(told, indent=2, allow_nan=False)


def show(
    results: Sequence[OnTarget], *, title: str, per_operator: bool = False, console: Console | None = None
) -> None:
    """Prints the table, and below it what stands behind each line."""
    console = console or _console()
    console.print(as_table(_table(results, title)))
    for result in results:
        if per_operator and result.latency is not None:
            console.print(as_table(_operators(result)))
        if result.engines and len(results) == 1:
            console.print(as_table(_engines(result)))
    for line in (*(line for result in results for line in _lines(result)), *_notes(results)):
        console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


def _console() -> Console:
    """Standard output: piped text is for grep, so its lines keep their length unless COLUMNS asks for another."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=_PIPED_COLUMNS)


def _table(results: Sequence[OnTarget], title: str) -> Sheet:
    columns = ("target", "latency", "80 % interval", "energy", "flash", "arena", "verdict")
    lines = tuple(
        (
            result.target.name,
            *_latency(result),
            f"{_number(result.energy.microjoules / 1000)} mJ" if result.energy else _UNKNOWN,
            _bytes(result.memory.flash_bytes),
            _bytes(result.memory.ram_bytes),
            _verdict(result),
        )
        for result in results
    )
    return Sheet(_plain(f"{title}: estimated, nothing ran on a device"), columns, lines, columns[1:-1])


def _verdict(result: OnTarget) -> str:
    """The verdict, with what is taken of flash and RAM."""
    taken = uses(result.memory, result.target.device)
    shares = [f"{use.what} {100 * use.share:.0f} %" for use in taken if use.share is not None]
    return f"{result.verdict.fits} ({', '.join(shares)})" if shares else result.verdict.fits


def _operators(result: OnTarget) -> Sheet:
    costs = result.latency.operators if result.latency else ()
    largest = sorted(range(len(costs)), key=lambda index: -costs[index].share)[:_MOST_OPERATORS]
    lines = tuple(
        (
            *(str(index), costs[index].work.name, costs[index].work.layer, f"{costs[index].work.macs:,}"),
            *(_number(costs[index].milliseconds), f"{costs[index].share:.1%}"),
        )
        for index in sorted(largest)
    )
    head = f"{result.target.name}: where the time goes"
    if len(costs) > len(lines):
        head += f" (the {len(lines)} largest of {len(costs)} operators)"
    columns = ("", "operator", "layer", "MACs", "ms", "share")
    return Sheet(_plain(head), columns, lines, ("", "MACs", "ms", "share"))


def _engines(result: OnTarget) -> Sheet:
    lines = tuple((name, f"{_number(one.latency_ms)} ms", _interval(one)) for name, one in result.engines)
    head = f"{result.target.name}: other engines on such a core, for comparison only: none is the target's runtime"
    return Sheet(_plain(head), ("engine", "latency", "80 % interval"), lines, ("latency", "80 % interval"))


def _lines(result: OnTarget) -> list[str]:
    name, lines = result.target.name, []
    if result.verdict.fits != "fits" or result.verdict.tight:
        lines.append(f"{name} {result.verdict}")
    if result.latency is not None:
        lines.append(f"{name} latency with {result.target.runtime.name}: from {result.latency.basis}")
    lines += [f"{name} {what}: {_UNKNOWN}: {why}" for what, why in result.missing.items()]
    if result.energy is not None:
        lines.append(f"{name} energy: {result.energy.source}")
    return lines


def _notes(results: Sequence[OnTarget]) -> list[str]:
    """Each note once, under the targets that it is about."""
    about: dict[str, list[str]] = {}
    for result in results:
        for note in result.notes:
            about.setdefault(note, []).append(result.target.name)
    every = len(results) > 1
    return [
        f"{'all' if every and len(names) == len(results) else ', '.join(names)}: {note}"
        for note, names in about.items()
    ]


def _latency(result: OnTarget) -> tuple[str, str]:
    """Latency and interval."""
    if result.latency is not None:
        return f"{_number(result.latency.latency_ms)} ms", _interval(result.latency)
    if result.npu is not None and result.npu.inference_ms is not None:
        return f"{_number(result.npu.inference_ms)} ms", "none: Vela's"
    return _UNKNOWN, ""


def _interval(estimate: Estimate) -> str:
    return f"{_number(estimate.low_ms)} to {_number(estimate.high_ms)}"


def _bytes(needed: int | None) -> str:
    return _UNKNOWN if needed is None else f"{needed:,}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _plain(words: str) -> str:
    """A title: names of files and of a user's own targets are no markup, and bring no control characters."""
    return escape(printable(words))

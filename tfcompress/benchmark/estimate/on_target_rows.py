"""What is known of a file on a target, as rows."""

from __future__ import annotations

from tfcompress.benchmark.estimate import ethos_u, fit_rows
from tfcompress.benchmark.estimate.cost_model.predict import Estimate
from tfcompress.benchmark.estimate.fit_rows import row
from tfcompress.benchmark.estimate.on_target import OnTarget
from tfcompress.rows import Row


def rows(result: OnTarget, *, per_operator: bool = False) -> list[Row]:
    """Every number of a target with its unit, how it was got, and its source.

    Args:
        result: of `on_targets`.
        per_operator: whether the time of every operator is told.
    """
    made = [fit_rows.verdict_row(result.verdict, result.target)]
    made += _latency_rows(result, per_operator)
    if result.npu is not None:
        made += ethos_u.rows(result.npu, target=result.target.name, per_operator=per_operator)
    if result.energy is not None:
        made.append(
            row(result.target, "energy_estimate", result.energy.microjoules, "uJ", "estimated", result.energy.source)
        )
    made += fit_rows.memory_rows(result.memory, result.target)
    for name, why in result.missing.items():
        made.append(row(result.target, f"{name}_missing", why, "", "estimated", "why it is not known"))
    return made


def _latency_rows(result: OnTarget, per_operator: bool) -> list[Row]:
    if result.latency is None:
        return []
    made = _interval(result, "latency_estimate", result.latency, result.target.runtime.name)
    made.append(
        row(result.target, "latency_points", result.latency.points, "measurements", "published", result.latency.basis)
    )
    if per_operator:
        for number, cost in enumerate(result.latency.operators):
            end = f"{number}/{cost.work.name}/{cost.work.layer}"
            for name, value, unit in (("latency", cost.milliseconds, "ms"), ("share", cost.share, "fraction")):
                key = f"operator_{name}_estimate/{end}"
                made.append(row(result.target, key, value, unit, "estimated", result.latency.basis))
    for engine, estimate in result.engines:
        made += _interval(result, "engine_latency_estimate", estimate, f"{engine} (for comparison)")
    return made


def _interval(result: OnTarget, name: str, estimate: Estimate, runtime: str) -> list[Row]:
    values = (("", estimate.latency_ms), ("_low", estimate.low_ms), ("_high", estimate.high_ms))
    return [
        Row(f"{name}{end}", value, "ms", "estimated", runtime, result.target.name, estimate.basis)
        for end, value in values
    ]

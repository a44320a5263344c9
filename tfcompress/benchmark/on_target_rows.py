"""What is known of a file on a target, as rows."""

from __future__ import annotations

from tfcompress.benchmark import ethos_u
from tfcompress.benchmark.cost_model.predict import Estimate
from tfcompress.benchmark.on_target import OnTarget
from tfcompress.rows import How, Row

NAMES = ("verdict", "latency_estimate", "energy_estimate", "flash", "arena_on_device")


def rows(result: OnTarget, *, per_operator: bool = False) -> list[Row]:
    """Every number of a target with its unit, how it was got, and its source.

    Args:
        result: of `on_targets`.
        per_operator: whether the time of every operator is told.
    """
    made = [_row(result, "verdict", str(result.verdict), "", "estimated", "what follows")]
    made += _latency_rows(result, per_operator)
    if result.npu is not None:
        made += ethos_u.rows(result.npu, target=result.target.name, per_operator=per_operator)
    if result.energy is not None:
        made.append(_row(result, "energy_estimate", result.energy.microjoules, "uJ", "estimated", result.energy.source))
    made += _memory_rows(result)
    for name, why in result.missing.items():
        made.append(_row(result, f"{name}_missing", why, "", "estimated", "no source"))
    return made


def _latency_rows(result: OnTarget, per_operator: bool) -> list[Row]:
    if result.latency is None:
        return []
    made = _interval(result, "latency_estimate", result.latency, result.target.runtime.name)
    made.append(
        _row(result, "latency_points", result.latency.points, "measurements", "published", result.latency.basis)
    )
    if per_operator:
        for number, cost in enumerate(result.latency.operators):
            end = f"{number}/{cost.work.name}/{cost.work.layer}"
            for name, value, unit in (("latency", cost.milliseconds, "ms"), ("share", cost.share, "fraction")):
                key = f"operator_{name}_estimate/{end}"
                made.append(_row(result, key, value, unit, "estimated", result.latency.basis))
    for engine, estimate in result.engines:
        made += _interval(result, "engine_latency_estimate", estimate, f"{engine} (for comparison)")
    return made


def _interval(result: OnTarget, name: str, estimate: Estimate, runtime: str) -> list[Row]:
    values = (("", estimate.latency_ms), ("_low", estimate.low_ms), ("_high", estimate.high_ms))
    return [
        Row(f"{name}{end}", value, "ms", "estimated", runtime, result.target.name, estimate.basis)
        for end, value in values
    ]


def _memory_rows(result: OnTarget) -> list[Row]:
    memory, device = result.memory, result.target.device
    made = []
    if memory.code is not None:
        code = memory.code
        made.append(
            _row(result, "flash", memory.flash_bytes or 0, "bytes", "estimated", f"the file, and {code.source}")
        )
        made.append(_row(result, "flash_model", memory.model_bytes, "bytes", "read from the file", "the file"))
        made.append(_row(result, "flash_runtime", code.runtime_bytes, "bytes", code.how, code.source))
        made.append(_row(result, "flash_operators", code.operators_bytes, "bytes", code.how, code.source))
    if memory.arena is not None:
        arena = memory.arena
        source = "TFLM's allocator, for 32-bit pointers and the device's kernels"
        parts = (
            ("arena_on_device", arena.total_bytes),
            ("arena_activations", arena.activations_bytes),
            ("arena_scratch", arena.scratch_bytes),
            ("arena_persistent", arena.persistent_bytes),
            ("arena_lower_bound", arena.lower_bound_bytes),
        )
        made += [_row(result, name, value, "bytes", "estimated", source) for name, value in parts]
    for name, value in (("flash", device.flash_bytes), ("ram", device.ram_contiguous_bytes or device.ram_bytes)):
        if value is not None:
            made.append(_row(result, f"{name}_there", value, "bytes", "published", device.sources[name]))
    return made


def _row(result: OnTarget, name: str, value: float | int | str, unit: str, how: How, source: str) -> Row:
    return Row(name, value, unit, how, result.target.runtime.name, result.target.name, source)

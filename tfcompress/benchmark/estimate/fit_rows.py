"""What a file takes on a target beside what is there, as rows."""

from __future__ import annotations

from tfcompress.benchmark.estimate.fit import Memory, Verdict
from tfcompress.rows import How, Row
from tfcompress.targets import Target


def verdict_row(verdict: Verdict, target: Target) -> Row:
    """`verdict`: whether the file fits, and by how much."""
    return row(target, "verdict", str(verdict), "", "estimated", "the rows of flash and RAM")


def memory_rows(memory: Memory, target: Target) -> list[Row]:
    """Flash and arena with their parts, and what the device has; what is not known has no row."""
    made, device = [], target.device
    if memory.code is not None and memory.flash_bytes is not None:
        code = memory.code
        made += [
            row(target, "flash", memory.flash_bytes, "bytes", "estimated", f"the file, and {code.source}"),
            row(target, "flash_model", memory.model_bytes, "bytes", "read from the file", "the file"),
            row(target, "flash_runtime", code.runtime_bytes, "bytes", code.how, code.source),
            row(target, "flash_operators", code.operators_bytes, "bytes", code.how, code.source),
        ]
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
        made += [row(target, name, value, "bytes", "estimated", source) for name, value in parts]
    for name, value in (("flash", device.flash_bytes), ("ram", device.arena_room_bytes)):
        if value is not None:
            made.append(row(target, f"{name}_there", value, "bytes", "published", device.sources[name]))
    return made


def row(target: Target, name: str, value: float | int | str, unit: str, how: How, source: str) -> Row:
    """A row about a target with its runtime."""
    return Row(name, value, unit, how, target.runtime.name, target.name, source)

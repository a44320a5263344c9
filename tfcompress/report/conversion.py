"""How a finished conversion is shown: a short summary for people, documented keys for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from converters.conversion import Conversion
from converters.flatbuffer import Tensor
from tfcompress.benchmark.estimate.room import Placed, Room

# What is told of a target, in this order.
_TAKEN = {
    "flash": "flash for file and code",
    "flash_there": "flash there",
    "arena_on_device": "arena",
    "ram_there": "RAM there",
}


def as_json(result: Conversion, path: Path) -> str:
    """The summary as JSON.

    Keys: `file, file_bytes, gzip_bytes, float_bytes, integer_only, packing, target, inputs[], outputs[], notes[]`. An
    input or output has `name, shape, dtype, scale, zero_point`; `packing` is null or has the keys of
    `converters.packing.Facts`; `target` is null or has `name, runtime, fits, reasons[], rows[]`.
    """
    flatbuffer = result.flatbuffer
    summary: dict[str, Any] = {
        "file": str(path),
        "file_bytes": len(flatbuffer.data),
        "gzip_bytes": flatbuffer.gzip_bytes,
        "float_bytes": result.float_bytes,
        "integer_only": flatbuffer.integer_only,
        "packing": asdict(result.packing) if result.packing else None,
        "target": _target(room) if (room := _room(result)) else None,
        "inputs": [_port(tensor) for tensor in flatbuffer.inputs],
        "outputs": [_port(tensor) for tensor in flatbuffer.outputs],
        "notes": [*result.certificate.notes, *result.notes],
    }
    return json.dumps(summary, indent=2)


def show(result: Conversion, path: Path) -> None:
    """Prints the summary to standard output."""
    from rich.console import Console

    # File and tensor names may hold what looks like markup.
    console = Console(highlight=False, soft_wrap=True, markup=False)
    flatbuffer = result.flatbuffer
    size = f"{len(flatbuffer.data):,} bytes"
    if result.float_bytes:
        size += f", {_compared(len(flatbuffer.data), result.float_bytes)} float32 ({result.float_bytes:,} bytes)"
    console.print(f"{path}: {size}; {flatbuffer.gzip_bytes:,} bytes as gzip")
    for title, tensors in (("input", flatbuffer.inputs), ("output", flatbuffer.outputs)):
        for tensor in tensors:
            console.print(f"{title:>8}  {_describe(tensor)}")
    for line in _packed(result):
        console.print(f"  packed  {line}")
    console.print("verified  " + _certified(result))
    for line in _on_target(result):
        console.print(f"  target  {line}")
    for note in (*result.certificate.notes, *result.notes):
        console.print(f"    note  {note}")


def _packed(result: Conversion) -> Iterator[str]:
    """What packing saved, and what it costs."""
    facts = result.packing
    if facts is None:
        return
    came_encoded = result.unpacked is not None and result.unpacked.is_encoded
    text = f"{facts.bytes:,} bytes before"
    if facts.shrunk_bytes != facts.bytes:
        text += f", {facts.shrunk_bytes:,} {'with plain weights' if came_encoded else 'without what no runtime reads'}"
    if facts.encoded:
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(facts.encoded.items()))
        text += f", {len(result.flatbuffer.data):,} with encoded weights ({kinds})"
    yield text
    if facts.arena_bytes is not None and facts.plain_arena_bytes is not None:
        yield (
            f"TFLM's arena is {facts.arena_bytes:,} bytes, {facts.plain_arena_bytes:,} without encoding "
            "(measured on this 64-bit host; --max-arena bounds it); decoding takes time in every run, see benchmark"
        )
    if facts.samples:
        what = "samples of the calibration data" if facts.origin == "calibration data" else facts.origin
        yield f"outputs equal those of the file before, bit for bit, on {facts.samples} {what}"


def _room(result: Conversion) -> Room | None:
    return result.room if isinstance(result, Placed) else None


def _target(room: Room) -> dict[str, Any]:
    return {
        "name": room.target.name,
        "runtime": room.target.runtime.name,
        "fits": room.verdict.fits,
        "reasons": list(room.verdict.reasons),
        "rows": [row.as_dict() for row in room.rows],
    }


def _on_target(result: Conversion) -> Iterator[str]:
    """Whether the file fits there, and what it takes of what there is."""
    room = _room(result)
    if room is None:
        return
    yield f"{room.target.name} ({room.target.runtime.name}): {room.verdict.fits}"
    rows = {row.name: row for row in room.rows}
    for name, words in _TAKEN.items():
        if name in rows:
            row = rows[name]
            yield f"{words}: {row.value:,} {row.unit} ({row.how}: {row.source})"


def _compared(file_bytes: int, float_bytes: int) -> str:
    if file_bytes > float_bytes:
        return f"{file_bytes / float_bytes:.2f}x larger than"
    return f"{float_bytes / file_bytes:.2f}x smaller than"


def _certified(result: Conversion) -> str:
    count = len(result.flatbuffer.operators)
    if result.flatbuffer.integer_only:
        return f"integer only: no float tensor in any of {count} operators"
    return f"{count} operators, inputs and outputs as asked"


def _describe(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape))
    text = f"{tensor.name}: {tensor.dtype} {shape}"
    if len(tensor.scales):
        zero_point = int(tensor.zero_points[0])
        shifted = f"(q {'-' if zero_point > 0 else '+'} {abs(zero_point)})" if zero_point else "q"
        text += f", real = {float(tensor.scales[0]):.8g} * {shifted}"
    return text


def _port(tensor: Tensor) -> dict[str, Any]:
    quantized = len(tensor.scales) > 0
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": float(tensor.scales[0]) if quantized else None,
        "zero_point": int(tensor.zero_points[0]) if quantized else None,
    }

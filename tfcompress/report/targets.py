"""Devices and runtimes as people and programs see them: plain values with documented keys, and tables.

`describe` has the keys that programs may rely on (docs/json.md): those of `tfcompress.targets.Device`, where `core`,
`memory`, `power` and `accelerator` are tables, and `sources` says for each of them where its numbers are from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tfcompress.targets import Device, Runtime, Target

_KIB, _MIB, _GIB = 1024, 1024**2, 1024**3


def describe(value: Device | Runtime) -> dict[str, Any]:
    """A device or a runtime as plain values; what nobody knows is None."""
    return dict(_plain(value))


def as_json(*, devices: Sequence[Device] | None = None, runtimes: Sequence[Runtime] | None = None) -> str:
    """`{"targets": [...], "runtimes": [...]}`, with the keys that are given."""
    told = {"targets": devices, "runtimes": runtimes}
    return json.dumps({key: [*map(describe, some)] for key, some in told.items() if some is not None}, indent=2)


def show(devices: Sequence[Device]) -> None:
    """Prints a table with one line for each device to standard output."""
    table = _table("name", "core", "clock", "flash", "RAM", "runtime", "accelerator")
    for one in devices:
        accelerator = one.accelerator.name if one.accelerator else ""
        cells = (one.core.name, hertz(one.clock_hz), size(one.flash_bytes), size(one.ram_bytes), one.runtime)
        table.add_row(Text(one.name, "bold"), *(Text(cell) for cell in (*cells, accelerator)))
    console = _console()
    console.print(table)
    console.print("`tfcompress targets NAME` shows one in full, with the source of each number.", soft_wrap=True)


def show_runtimes(runtimes: Sequence[Runtime]) -> None:
    """Prints each runtime, with what it takes and where that is from, to standard output."""
    console, notes = _console(), {one.name: one.notes for one in runtimes}
    for one in runtimes:
        console.print(Text.assemble((one.name, "bold"), f"  {one.version}".rstrip()), soft_wrap=True)
        encodings = ", ".join(one.decode) or "none"
        console.print(f"  files {', '.join(one.dtypes)}; encoded weights {encodings}; {len(one.kernels)} operators")
        console.print(f"  Dense {_dense(one)}", soft_wrap=True)
        console.print(Text(f"  {one.source or 'no source given'}", "dim"), soft_wrap=True)
        for note in [note for note in one.notes if note not in notes.get(one.based_on, ())]:
            console.print(f"  note: {note}", soft_wrap=True)
        if one.based_on:
            console.print(f"  based on {one.based_on}: its notes hold here too")
        console.print()


def show_target(target: Target) -> None:
    """Prints one target in full, each number with its source below, to standard output."""
    console, device = _console(), target.device
    console.print(Text.assemble((target.name, "bold"), f"  {device.title} ({device.kind}, {device.soc})"))
    for section, lines in _sections(target):
        console.print(Text(section, "bold"))
        for line in lines:
            console.print(f"  {line}", soft_wrap=True)
        if source := {**device.sources, "core": device.core.source, "runtime": target.runtime.source}.get(section):
            console.print(Text(f"  source: {source}", "dim"), soft_wrap=True)
    for note in device.notes:
        console.print(f"note: {note}", soft_wrap=True)


def _sections(target: Target) -> Iterator[tuple[str, list[str]]]:
    device, power, accelerator = target.device, target.device.power, target.device.accelerator
    yield "core", list(_lines(device.core, skip=("source", "notes"))) + list(device.core.notes)
    yield "clock", [hertz(device.clock_hz)]
    if device.flash_bytes is not None:
        yield "flash", [_exact(device.flash_bytes)]
    if device.ram_bytes is not None:
        piece = device.ram_contiguous_bytes
        yield "ram", [_exact(device.ram_bytes) + (f", the largest piece {_exact(piece)}" if piece else "")]
    if memory := list(_lines(device.memory)):
        yield "memory", memory
    if power:
        yield "power", [f"{power.current_ma:g} mA at {power.volts:g} V and {hertz(power.at_hz)}"]
    if accelerator:
        yield "accelerator", list(_lines(accelerator))
    others = [one for one in (device.runtime, *device.also) if one not in (target.runtime.name, target.runtime.path)]
    lines = [f"{target.runtime.name} {target.runtime.version}".rstrip()]
    yield "runtime", [*lines, *([f"or {', '.join(others)}: {device.name}:NAME"] if others else [])]
    if device.aliases:
        yield "also called", [", ".join(device.aliases)]


def hertz(value: int) -> str:
    """A clock for people: `120 MHz`."""
    return f"{value / 1e9:g} GHz" if value >= 1e9 else f"{value / 1e6:g} MHz"


def size(value: int | None) -> str:
    """Bytes for people, rounded: `640 KiB`; `?` where nobody knows."""
    if value is None:
        return "?"
    unit, name = next((pair for pair in ((_GIB, "GiB"), (_MIB, "MiB")) if value >= pair[0]), (_KIB, "KiB"))
    return f"{value / unit:.4g} {name}"


def _exact(value: int) -> str:
    return f"{value:,} bytes ({size(value)})"


def _dense(runtime: Runtime) -> str:
    return ", ".join(f"{granularity} in {dtype}" for dtype, granularity in runtime.dense.items())


def _lines(value: Any, *, skip: Sequence[str] = ()) -> Iterator[str]:
    """One line for each field that is known."""
    for name, one in _plain(value):
        if name not in skip and one not in (None, [], ""):
            text = ", ".join(f"{key} {what}" for key, what in one.items()) if isinstance(one, dict) else str(one)
            number = f"{one:,}" if isinstance(one, int) and one >= 10_000 else text
            yield f"{name.replace('_', ' ')}: {number}"


def _plain(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass as values that JSON has."""
    for field in fields(value):
        one = getattr(value, field.name)
        if is_dataclass(one):
            one = dict(_plain(one))
        elif isinstance(one, Mapping):
            one = {key: list(item) if isinstance(item, tuple) else item for key, item in one.items()}
        elif isinstance(one, tuple):
            one = list(one)
        yield field.name, one


def _console() -> Console:
    """Piped text is for grep: lines keep their length there, and nothing in a name is markup."""
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=400)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        number = name in ("clock", "flash", "RAM")
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=number)
    return table

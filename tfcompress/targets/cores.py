"""Processor cores as data: `cores.toml` has one table for each, with the manual that its facts are from.

core("cortex-m4").int8_macs_per_cycle       2.0
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from converters.errors import UsageError
from tfcompress.toml_file import Key, check, parse, unknown, wrong

Isa = Literal["arm", "riscv", "xtensa", "rx", "rh850"]
Simd = Literal["none", "dsp", "helium", "neon", "p-extension", "pie", "xpulp", "vector", "hifi"]
Fpu = Literal["none", "half", "single", "double"]

# What processors of an instruction set can have; of the others no extension is known here.
_EXTENSIONS: Mapping[str, tuple[Simd, ...]] = {
    "arm": ("dsp", "helium", "neon"),
    "riscv": ("p-extension", "pie", "xpulp", "vector"),
    "xtensa": ("pie", "hifi"),
}

KEYS: Mapping[str, Key] = {
    "title": Key('a text such as "Arm Cortex-M4"', needed=True),
    "architecture": Key('a text such as "armv7e-m"', needed=True),
    "isa": Key(
        'one of "arm", "riscv", "xtensa", "rx", "rh850"', choices=("arm", "riscv", "xtensa", "rx", "rh850"), needed=True
    ),
    "issue_width": Key("instructions issued per cycle, 1 to 16", "integer", low=1, high=16),
    "simd": Key(
        'the extension that integer kernels use, such as "dsp" or "none"',
        choices=("none", "dsp", "helium", "neon", "p-extension", "pie", "xpulp", "vector", "hifi"),
        needed=True,
    ),
    "int8_macs_per_cycle": Key("multiply-accumulates per cycle at most, 0.001 to 1024", "number", low=0.001, high=1024),
    "load_bytes_per_cycle": Key("bytes loaded per cycle at most, 1 to 1024", "number", low=1, high=1024),
    "fpu": Key(
        'the widest float it computes: "none", "half", "single" or "double"',
        choices=("none", "half", "single", "double"),
    ),
    "coremark_per_mhz": Key("CoreMark per MHz of one core, 0.1 to 20", "number", low=0.1, high=20),
    "source": Key("a text: the manual that the numbers are from", needed=True),
    "notes": Key("a list of sentences", "texts"),
}


@dataclass(frozen=True)
class Core:
    """What a processor core can do at best; None where no public manual says it.

    Attributes:
        name: its key in `cores.toml`, such as `cortex-m4`; `own` for one that a device's file describes itself.
        title: what its maker calls it.
        architecture: version of the instruction set, such as `armv7e-m`.
        isa: family of the instruction set.
        simd: the extension that integer kernels use.
        source: the manual that the numbers are from.
        issue_width: instructions issued per cycle, at most.
        int8_macs_per_cycle: int8 multiply-accumulates per cycle of its widest multiply instruction that integer
            kernels use, loads and requantization not counted. A bound, never a speed.
        load_bytes_per_cycle: bytes per cycle from its closest memory, at most.
        fpu: the widest floating point number that it computes on in hardware.
        coremark_per_mhz: EEMBC's CoreMark per MHz as its maker publishes it: how fast it is at plain C. It scales every
            estimate of a latency.
        notes: what the numbers cannot say.
    """

    name: str
    title: str
    architecture: str
    isa: Isa
    simd: Simd
    source: str
    issue_width: int | None = None
    int8_macs_per_cycle: float | None = None
    load_bytes_per_cycle: float | None = None
    fpu: Fpu | None = None
    coremark_per_mhz: float | None = None
    notes: tuple[str, ...] = ()


def cores() -> tuple[str, ...]:
    """Names of the packaged cores, sorted."""
    return tuple(sorted(_packaged()))


def core(name: str) -> Core:
    """A packaged core.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in _packaged():
        raise UsageError(unknown("core", name, cores()))
    return _packaged()[name]


def from_table(table: Mapping[str, Any], name: str, file: str, section: str) -> Core:
    """A core from one table of a TOML file.

    Raises:
        FileError: a key is unknown, missing or absurd, or no processor of that isa has that simd.
    """
    values = check(table, KEYS, file, section=section)
    isa, able = values["isa"], ("none", *_EXTENSIONS.get(values["isa"], ()))
    if values["simd"] not in able:
        raise wrong(f"{file}: [{section}] simd", values["simd"], f"{', '.join(able)}, as isa is {isa!r}")
    return Core(name=name, **values)


@functools.cache
def _packaged() -> Mapping[str, Core]:
    file = importlib.resources.files("tfcompress.targets") / "cores.toml"
    tables = parse(file.read_text(encoding="utf-8"), "cores.toml")
    return {name: from_table(table, name, "cores.toml", name) for name, table in tables.items()}

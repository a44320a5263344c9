"""The TOML file of a device, checked: every number in sane bounds, and with its source in the same table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from converters.errors import FileError
from tfcompress.targets.cores import Core, core, cores, from_table
from tfcompress.toml_file import Key, check, parse, unknown, wrong

KINDS = ("board", "phone", "simulator")
PLACES = ("internal-flash", "external-flash", "ram", "dram")
_GIB = 1024**3

_SOURCE = Key("a text: the data sheet, manual or table that the numbers of this section are from", needed=True)

KEYS: Mapping[str, Key] = {
    "name": Key('a name of letters, digits and - _ . such as "my-board"', pattern=r"[A-Za-z0-9][\w.-]*", needed=True),
    "title": Key('a text such as "ST NUCLEO-L4R5ZI"', needed=True),
    "kind": Key('"board", "phone" or "simulator"', choices=KINDS, needed=True),
    "soc": Key('a text such as "STM32L4R5ZIT6"', needed=True),
    "core": Key('a name such as "cortex-m4", or a [core] table of your own', "any", needed=True),
    "runtime": Key('what runs a file there, such as "tflm-cmsis-nn", or the path of a TOML file', needed=True),
    "also": Key('a list of other runtimes such as ["tflm"]', "texts"),
    "aliases": Key('a list of names such as ["Nucleo-L4R5ZI"]', "texts"),
    "notes": Key("a list of sentences", "texts"),
}
SECTIONS: Mapping[str, Mapping[str, Key]] = {
    "clock": {
        "hz": Key(
            "the core's clock in Hz, from 10 thousand to 10 thousand million",
            "integer",
            low=1e4,
            high=1e10,
            needed=True,
        ),
        "source": _SOURCE,
    },
    "flash": {
        "bytes": Key(
            "the size of the program memory in bytes, from 1 KiB to 4 TiB",
            "integer",
            low=1024,
            high=4096 * _GIB,
            needed=True,
        ),
        "source": _SOURCE,
    },
    "ram": {
        "bytes": Key(
            "all RAM that an arena may use in bytes, from 256 bytes to 64 GiB",
            "integer",
            low=256,
            high=64 * _GIB,
            needed=True,
        ),
        "contiguous_bytes": Key(
            "the largest piece of it in bytes, from 256 bytes to 64 GiB", "integer", low=256, high=64 * _GIB
        ),
        "source": _SOURCE,
    },
    "memory": {
        "weights_in": Key('where weights lie: "internal-flash", "external-flash", "ram" or "dram"', choices=PLACES),
        "wait_states": Key("flash wait states at that clock, 0 to 100", "integer", low=0, high=100),
        "instruction_cache_bytes": Key("bytes, 0 to 16 MiB", "integer", low=0, high=16 * 1024**2),
        "data_cache_bytes": Key("bytes, 0 to 16 MiB", "integer", low=0, high=16 * 1024**2),
        "flash_accelerator": Key('what hides wait states, such as "ART: 64-bit prefetch"'),
        "source": _SOURCE,
    },
    "power": {
        "current_ma": Key(
            "current in mA while it computes, 0.001 to 20,000", "number", low=0.001, high=2e4, needed=True
        ),
        "volts": Key("supply voltage, 0.5 to 24", "number", low=0.5, high=24, needed=True),
        "at_hz": Key("the clock in Hz at which that current flows", "integer", low=1e4, high=1e10, needed=True),
        "source": _SOURCE,
    },
    "accelerator": {
        "name": Key('a text such as "ethos-u55-256"', needed=True),
        "clock_hz": Key("its clock in Hz, from 10 thousand to 10 thousand million", "integer", low=1e4, high=1e10),
        "int8_macs_per_cycle": Key("multiply-accumulates per cycle, 1 to 65,536", "number", low=1, high=65536),
        "vela": Key("a table with accelerator_config, system_config and memory_mode", "table"),
        "source": _SOURCE,
    },
}
_VELA: Mapping[str, Key] = {
    "accelerator_config": Key('a text such as "ethos-u55-256"', needed=True),
    "system_config": Key('a text such as "Ethos_U55_High_End_Embedded"', needed=True),
    "memory_mode": Key('a text such as "Shared_Sram"', needed=True),
}
_NEEDED = ("clock",)
# A chip that computes, at the device's clock: from below the slowest microcontroller to above any of these boards.
_WATTS = (1e-5, 100.0)


def read_table(text: str, file: str) -> dict[str, Any]:
    """The values of a device's file; sections are tables in it, and `core` is a `Core`.

    Raises:
        FileError: the file is no TOML, a key is unknown or missing, or a value is absurd.
    """
    table = parse(text, file)
    for section in _NEEDED:
        if section not in table:
            raise FileError(f"{file}: [{section}] is missing; expected a table with {' and '.join(SECTIONS[section])}")
    tables = {section: Key(f"a table with {' and '.join(keys)}", "table") for section, keys in SECTIONS.items()}
    values = check(table, {**KEYS, **tables}, file)
    for section in [name for name in SECTIONS if name in values]:
        values[section] = check(values[section], SECTIONS[section], file, section=section)
    if "vela" in values.get("accelerator", {}):
        values["accelerator"]["vela"] = check(values["accelerator"]["vela"], _VELA, file, section="accelerator.vela")
    _check_together(values, file)
    return {**values, "core": _core(values["core"], file)}


def _core(value: Any, file: str) -> Core:
    """A packaged core by its name, or the one that the file describes."""
    if isinstance(value, dict):
        return from_table(value, "own", file, "core")
    if not isinstance(value, str):
        raise wrong(f"{file}: core", value, KEYS["core"].expected)
    if value not in cores():
        raise FileError(f"{file}: core: {unknown('core', value, cores())}, or a [core] table of your own")
    return core(value)


def _check_together(values: Mapping[str, Any], file: str) -> None:
    """What no single value shows."""
    ram = values.get("ram", {})
    if ram.get("contiguous_bytes", 0) > ram.get("bytes", math.inf):
        raise FileError(
            f"{file}: [ram] contiguous_bytes is {ram['contiguous_bytes']}; expected at most the {ram['bytes']} of bytes"
        )
    if values["runtime"] in values.get("also", ()):
        raise FileError(f"{file}: also holds {values['runtime']!r}, which is its runtime; leave it out of one")
    if "power" in values:
        _check_power(values["power"], values["clock"]["hz"], file)
    for section in ("memory", "accelerator"):
        if set(values.get(section, ("",))) == {"source"}:
            raise FileError(f"{file}: [{section}] says nothing but its source; expected {', '.join(SECTIONS[section])}")


def _check_power(power: Mapping[str, Any], hz: int, file: str) -> None:
    """Current and voltage are each possible and together not, as are a current per MHz and one in all."""
    watts = power["current_ma"] / 1000 * power["volts"] * hz / power["at_hz"]
    if not _WATTS[0] <= watts <= _WATTS[1]:
        raise FileError(
            f"{file}: [power] current_ma, volts and at_hz make {watts:.3g} W at the device's {hz / 1e6:g} MHz; "
            "expected 0.01 mW to 100 W"
        )

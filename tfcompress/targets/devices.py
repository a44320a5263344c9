"""Devices as data, and targets: a device with what runs a file on it.

    target("nucleo-l4r5zi").spec(dtype="int8")      its own runtime: TFLM with CMSIS-NN
    target("nucleo-l4r5zi:tflm")                    with another of its runtimes
    target("./my_board.toml")                       a device of your own
    devices()                                       the names of the packaged ones

One TOML file in `devices/` is one device; nothing else has to be changed to add one.
"""

from __future__ import annotations

import functools
import importlib.resources
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from converters.errors import FileError, UsageError
from converters.spec import ConversionSpec
from tfcompress.targets.catalogue import Runtime, runtimes
from tfcompress.targets.catalogue import runtime as find_runtime
from tfcompress.targets.cores import Core, cores
from tfcompress.targets.device_file import SECTIONS, read_table
from tfcompress.toml_file import is_path, read, unknown

Kind = Literal["board", "phone", "simulator"]
WeightsIn = Literal["internal-flash", "external-flash", "ram", "dram"]


@dataclass(frozen=True)
class Memory:
    """The way of weights and code to the core; None where no source says it.

    Attributes:
        weights_in: where weights lie by default.
        wait_states: of that flash, at the device's clock.
        instruction_cache_bytes: 0 where there is none.
        data_cache_bytes: 0 where there is none.
        flash_accelerator: what hides wait states, in words.
    """

    weights_in: WeightsIn | None = None
    wait_states: int | None = None
    instruction_cache_bytes: int | None = None
    data_cache_bytes: int | None = None
    flash_accelerator: str | None = None


@dataclass(frozen=True)
class Power:
    """Current in mA at a supply voltage, while the core computes at `at_hz`."""

    current_ma: float
    volts: float
    at_hz: int


@dataclass(frozen=True)
class Vela:
    """What Vela must be told about the device: its options of the same names."""

    accelerator_config: str
    system_config: str
    memory_mode: str


@dataclass(frozen=True)
class Accelerator:
    """What computes beside the core; `int8_macs_per_cycle` is its peak, None where no source says it."""

    name: str
    clock_hz: int | None = None
    int8_macs_per_cycle: float | None = None
    vela: Vela | None = None


@dataclass(frozen=True)
class Device:
    """Facts of a device; None where no source says them.

    Attributes:
        name: what to call it by.
        title: maker and name.
        kind: a board, a phone, or a simulator of a board.
        soc: the chip.
        core: the core that runs the model.
        clock_hz: its clock.
        flash_bytes: program memory, for model and code.
        ram_bytes: all RAM that an arena may use.
        ram_contiguous_bytes: the largest piece of it, where it lies in several.
        memory: the way of weights to the core; empty where nothing is known.
        power: while it computes.
        accelerator: beside the core.
        runtime: what runs a file there by default: a name, or the path of a TOML file.
        also: what else can.
        aliases: other names, under which tables of measurements have it.
        notes: what the numbers cannot say.
        sources: section (`clock`, `flash`, ...) -> where its numbers are from.
    """

    name: str
    title: str
    kind: Kind
    soc: str
    core: Core
    clock_hz: int
    runtime: str
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    ram_contiguous_bytes: int | None = None
    memory: Memory = Memory()
    power: Power | None = None
    accelerator: Accelerator | None = None
    also: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def arena_room_bytes(self) -> int | None:
        """What one arena may take: the largest piece of the RAM, as it lies in one; None where no source says it."""
        return self.ram_contiguous_bytes or self.ram_bytes


@dataclass(frozen=True)
class Target:
    """A device with one of its runtimes."""

    device: Device
    runtime: Runtime

    @property
    def name(self) -> str:
        """The device's name, with the runtime's where that is not the device's default."""
        default = self.device.runtime in (self.runtime.name, self.runtime.path)
        return self.device.name if default else f"{self.device.name}:{self.runtime.name}"

    @property
    def spec(self) -> Callable[..., ConversionSpec]:
        """`Runtime.spec`: what a file for this target must be, `target.spec(dtype="int8")`."""
        return self.runtime.spec


def devices() -> tuple[str, ...]:
    """Names of the packaged devices, sorted."""
    names = (entry.name for entry in (importlib.resources.files("tfcompress.targets") / "devices").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def device(name_or_path: str | os.PathLike[str]) -> Device:
    """A packaged device by its name or an alias, or the user's own by the path of its TOML file.

    Raises:
        UsageError: no packaged device has that name.
        FileError: the file cannot be read, or is not a device; the message names file, key and what was expected.
    """
    text = os.fspath(name_or_path)
    if isinstance(name_or_path, os.PathLike) or text.endswith(".toml"):
        return _parse(read(Path(text), "a device"), text, folder=Path(text).parent)
    name = text if text in devices() else _by_alias().get(_plain(text), "")
    if name:
        return _by_name(name)
    if is_path(text):
        return _parse(read(Path(text), "a device"), text, folder=Path(text).parent)
    raise UsageError(unknown("device", text, devices()) + "; or the path of a .toml file (see `tfcompress targets`)")


def target(name_or_path: str | os.PathLike[str]) -> Target:
    """A device with its own runtime, or with the one that stands behind a colon: `nucleo-l4r5zi:tflm`.

    Raises:
        UsageError: there is no such device, or that runtime is none of its own.
        FileError: a TOML file cannot be read or is wrong.
    """
    place, chosen = _parted(name_or_path)
    found = device(place)
    if not chosen:
        return Target(found, _own_runtime(found, place))
    if chosen not in (found.runtime, *found.also) and not is_path(chosen):
        raise UsageError(f"{found.name}: {unknown('runtime', chosen, (found.runtime, *found.also))}, or a .toml file")
    return Target(found, find_runtime(chosen))


def _own_runtime(found: Device, place: str | os.PathLike[str]) -> Runtime:
    """The runtime that a device's file names; what is wrong with the name is that file's fault."""
    try:
        return find_runtime(found.runtime)
    except UsageError as error:
        raise FileError(f"{os.fspath(place)}: runtime: {error}") from error


def matching(
    *,
    kind: Kind | None = None,
    core: str | None = None,
    runtime: str | None = None,
    min_ram: int | None = None,
    min_flash: int | None = None,
) -> tuple[Device, ...]:
    """The packaged devices that have all that is asked for; one of unknown RAM or flash has not enough of it.

    Args:
        kind: board, phone or simulator.
        core: name of the core.
        runtime: one that the device can run, by default or also.
        min_ram: bytes of RAM.
        min_flash: bytes of flash.

    Raises:
        UsageError: there is no such core or runtime.
    """
    for what, value, known in (("core", core, cores()), ("runtime", runtime, runtimes())):
        if value is not None and value not in known:
            raise UsageError(unknown(what, value, known))
    return tuple(
        one
        for one in map(_by_name, devices())
        if kind in (None, one.kind)
        and core in (None, one.core.name)
        and runtime in (None, one.runtime, *one.also)
        and (min_ram is None or (one.ram_bytes or 0) >= min_ram)
        and (min_flash is None or (one.flash_bytes or 0) >= min_flash)
    )


def _parted(name_or_path: str | os.PathLike[str]) -> tuple[str | os.PathLike[str], str]:
    """Device and runtime of `device:runtime`; a colon may also belong to a path: C:/mine.toml, ./a:b/mine.toml."""
    text = os.fspath(name_or_path)
    place, _, chosen = text.rpartition(":")
    whole = isinstance(name_or_path, os.PathLike) or len(place) < 2 or not chosen
    if whole or (is_path(place) and not place.endswith(".toml")):
        return name_or_path, ""
    return place, chosen


def _parse(text: str, file: str, *, folder: Path | None) -> Device:
    values = read_table(text, file)
    clock, flash, ram = (values.get(section, {}) for section in ("clock", "flash", "ram"))
    sources = {section: values[section].pop("source") for section in SECTIONS if section in values}
    accelerator = values.get("accelerator")
    if accelerator and "vela" in accelerator:
        accelerator["vela"] = Vela(**accelerator["vela"])
    return Device(
        **{key: values[key] for key in ("name", "title", "kind", "soc", "core")},
        clock_hz=clock["hz"],
        flash_bytes=flash.get("bytes"),
        ram_bytes=ram.get("bytes"),
        ram_contiguous_bytes=ram.get("contiguous_bytes"),
        memory=Memory(**values.get("memory", {})),
        power=Power(**values["power"]) if "power" in values else None,
        accelerator=Accelerator(**accelerator) if accelerator else None,
        runtime=_beside(values["runtime"], folder),
        also=tuple(_beside(one, folder) for one in values.get("also", ())),
        aliases=values.get("aliases", ()),
        notes=values.get("notes", ()),
        sources=MappingProxyType(sources),
    )


def _beside(name: str, folder: Path | None) -> str:
    """A runtime's path as seen from here: a device's file gives it relative to itself."""
    return str(folder / name) if folder is not None and is_path(name) else name


@functools.cache
def _by_name(name: str) -> Device:
    file = importlib.resources.files("tfcompress.targets") / "devices" / f"{name}.toml"
    return _parse(file.read_text(encoding="utf-8"), f"{name}.toml", folder=None)


@functools.cache
def _by_alias() -> Mapping[str, str]:
    """Alias and name, written in any case, -> name."""
    return {_plain(other): name for name in devices() for other in (name, *_by_name(name).aliases)}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", name.strip().lower())

"""Does a file fit on a device: its flash, and the arena in its RAM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from converters.errors import ModelError, NotAvailableError
from converters.flatbuffer import FlatBuffer
from converters.microcontroller.code_size import CodeSize, code_size
from converters.runtimes.device_arena import DeviceArena, arena_on_device
from tfcompress.targets import Core, Target

Fits = Literal["fits", "does not fit", "does not run", "unknown"]

# Kernel libraries that TFLM links, by a runtime's family; others are not TFLM, or have no scratch formula here.
_KERNELS = {"reference": "reference", "cmsis-nn": "cmsis-nn", "esp-nn": "esp-nn", "ethos-u": "cmsis-nn"}


@dataclass(frozen=True)
class Memory:
    """What a file takes on a device, in bytes.

    Attributes:
        model_bytes: the `.tflite` file, in flash.
        code: TFLM and the kernels of the file's operators, in flash; None where nothing tells.
        arena: in RAM; None where nothing tells.
        missing: `flash` and `arena` -> why it is not known.
        notes: what the numbers cannot say.
    """

    model_bytes: int
    code: CodeSize | None
    arena: DeviceArena | None
    missing: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def flash_bytes(self) -> int | None:
        """Model and code; None where the code's size is not known."""
        return None if self.code is None else self.model_bytes + self.code.total_bytes


@dataclass(frozen=True)
class Verdict:
    """Whether a file can be used on a target, and the reasons, a sentence each."""

    fits: Fits
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.fits}: {'; '.join(self.reasons)}" if self.reasons else self.fits


def memory_on(flatbuffer: FlatBuffer, target: Target) -> Memory:
    """Flash and arena of a file on a target.

    Raises:
        ChildDiedError: TFLM crashed on the file, or ran out of time or memory.
    """
    size, family = len(flatbuffer.data), target.runtime.family
    if target.runtime.engine != "tflm":
        why = f"{target.runtime.name} is not TFLM: it has no arena, and its code is the phone's or the application's"
        return Memory(size, None, None, {"flash": why, "arena": why})
    missing: dict[str, str] = {}
    kernels = _KERNELS.get(family, "reference")
    notes = [] if family in _KERNELS else [f"{family} kernels' own scratch memory is not known; the arena has none"]
    arena = None
    simd, abi = _processor(kernels, target.device.core)
    try:
        arena = arena_on_device(flatbuffer.data, kernels=kernels, simd=simd, abi=abi)
        notes += arena.notes
    except (ModelError, NotAvailableError) as error:
        missing["arena"] = str(error)
    names = sorted({operator.name for operator in flatbuffer.operators})
    code = code_size(names, kernels=kernels, core=target.device.core.name)
    return Memory(size, code, arena, missing, (*notes, *code.notes))


def _processor(kernels: str, core: Core) -> tuple[str, str]:
    """Extension and layout of structures of a processor, by the names of `arena_on_device`."""
    abi = "arm" if core.isa == "arm" else "ilp32"
    if kernels == "esp-nn":
        simd = {"xtensa": "esp32s3", "riscv": "esp32p4"}[core.isa] if core.simd == "pie" else "none"
    elif kernels == "cmsis-nn":
        simd = {"dsp": "dsp", "helium": "mve"}.get(core.simd, "none")
    else:
        simd = ""
    return simd, abi


def verdict_of(memory: Memory, target: Target, faults: Sequence[str]) -> Verdict:
    """The verdict by a device's flash and RAM, and by the operators that its runtime lacks."""
    if faults:
        return Verdict("does not run", (f"{target.runtime.name}: {faults[0]}",))
    device = target.device
    room = device.ram_contiguous_bytes or device.ram_bytes
    arena = memory.arena.total_bytes if memory.arena else None
    checks = [_room("flash", memory.flash_bytes, device.flash_bytes), _room("RAM", arena, room)]
    reasons = tuple(reason for _, reason in checks)
    if target.runtime.engine != "tflm":
        return Verdict("unknown", (memory.missing["arena"],))
    if any(fits is False for fits, _ in checks):
        return Verdict("does not fit", reasons)
    if any(fits is None for fits, _ in checks):
        return Verdict("unknown", reasons)
    return Verdict("fits", reasons)


def _room(what: str, needed: int | None, there: int | None) -> tuple[bool | None, str]:
    if needed is None:
        return None, f"{what}: what it takes is not known"
    if there is None:
        return None, f"{what}: {needed:,} bytes; how much there is is not known"
    if needed > there:
        return False, f"{what}: {needed - there:,} bytes too many ({needed:,} of {there:,})"
    return True, f"{what}: {needed:,} of {there:,} bytes"

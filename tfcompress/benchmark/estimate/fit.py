"""Does a file fit on a device: its flash, and the arena in its RAM."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from converters.errors import ModelError, NotAvailableError
from converters.flatbuffer import FlatBuffer
from converters.microcontroller.code_size import CodeSize, code_size
from converters.runtimes import tflm_arena
from converters.runtimes.device_arena import DeviceArena, from_account
from converters.runtimes.device_arena.layouts import ARM, ILP32, Abi
from tfcompress.benchmark.estimate.ethos_u import EthosU
from tfcompress.targets import Core, Device, Target

Fits = Literal["fits", "does not fit", "does not run", "unknown"]

# Kernel libraries that TFLM links, by a runtime's family; others are not TFLM, or have no scratch formula here.
_KERNELS = {"reference": "reference", "cmsis-nn": "cmsis-nn", "esp-nn": "esp-nn"}
# Of RAM, what an arena may take before the rest of the program is likely to lack it.
_TIGHT = 0.9
# The custom operator that Vela puts in place of those that the NPU computes.
_NPU = "ethos-u"


@dataclass(frozen=True)
class Memory:
    """What a file takes on a device, in bytes.

    Attributes:
        model_bytes: the `.tflite` file, in flash.
        code: TFLM and the kernels of the file's operators, in flash; None where nothing tells.
        arena: in RAM; None where nothing tells, and on an Ethos-U.
        missing: `flash` and `arena` -> why it is not known.
        notes: what the numbers cannot say.
        npu_sram_bytes: what Vela places in SRAM for an Ethos-U; TFLM's own objects come on top.
    """

    model_bytes: int
    code: CodeSize | None
    arena: DeviceArena | None
    missing: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    npu_sram_bytes: int | None = None

    @property
    def ram_bytes(self) -> int | None:
        """The arena, or an Ethos-U's SRAM; None where nothing tells."""
        return self.npu_sram_bytes if self.arena is None else self.arena.total_bytes

    @property
    def flash_bytes(self) -> int | None:
        """Model and code; None where the code's size is not known."""
        return None if self.code is None else self.model_bytes + self.code.total_bytes


@dataclass(frozen=True)
class Use:
    """Bytes that a file takes of a device's flash or RAM, and how many there are; None where it is not known."""

    what: str
    needed: int | None
    there: int | None

    @property
    def excess(self) -> int:
        """Bytes that are too many; 0 where it fits, or nobody knows."""
        return 0 if self.needed is None or self.there is None else max(self.needed - self.there, 0)

    @property
    def fits(self) -> bool | None:
        """Whether it fits; None where nobody knows."""
        return None if self.needed is None or self.there is None else not self.excess

    @property
    def share(self) -> float | None:
        """What is taken of what is there; None where nobody knows, or nothing is."""
        return self.needed / self.there if self.needed and self.there else None

    def __str__(self) -> str:
        if self.needed is None:
            return f"{self.what}: what it takes is not known"
        if self.there is None:
            return f"{self.what}: {self.needed:,} bytes; how much there is is not known"
        if self.excess:
            return f"{self.what}: {self.excess:,} bytes too many ({self.needed:,} of {self.there:,})"
        return f"{self.what}: {self.needed:,} of {self.there:,} bytes"


@dataclass(frozen=True)
class Verdict:
    """Whether a file can be used on a target.

    Attributes:
        fits: the verdict.
        reasons: a sentence each.
        tight: it fits, and leaves little RAM to the rest of the program.
    """

    fits: Fits
    reasons: tuple[str, ...]
    tight: bool = False

    def __str__(self) -> str:
        return f"{self.fits}: {'; '.join(self.reasons)}" if self.reasons else self.fits


def memory_on(flatbuffer: FlatBuffer, target: Target) -> Memory:
    """Flash and arena of a file on a target.

    Raises:
        ChildDiedError: TFLM crashed on the file, or ran out of time or memory.
    """
    size, family = len(flatbuffer.data), target.runtime.family
    if family == "ethos-u":
        why = "Vela makes another file of it; tfcompress benchmark --target tells what that takes"
        return Memory(size, None, None, {"flash": why, "arena": why})
    if target.runtime.engine != "tflm":
        why = f"{target.runtime.name} is not TFLM: it has no arena, and its code is the phone's or the application's"
        return Memory(size, None, None, {"flash": why, "arena": why})
    missing: dict[str, str] = {}
    kernels, library = _KERNELS.get(family, "reference"), family or "unknown"
    notes = [] if family in _KERNELS else [f"{library} kernels' own scratch memory is not known; the arena has none"]
    arena = None
    simd, rules = _processor(kernels, target.device.core)
    try:
        account = _account(flatbuffer.data)
        arena = from_account(flatbuffer, *account, kernels=kernels, simd=simd, rules=rules)
        notes += arena.notes
    except (ModelError, NotAvailableError) as error:
        missing["arena"] = str(error)
    names = sorted({operator.name for operator in flatbuffer.operators})
    code = code_size(names, kernels=library, core=target.device.core.name)
    return Memory(size, code, arena, missing, (*notes, *code.notes, _built_for_size(names, library)))


def memory_on_npu(npu: EthosU, target: Target) -> Memory:
    """What the file that Vela made takes: in flash itself and the kernels that are still needed, in RAM Vela's SRAM."""
    names = sorted({_NPU, *(operator.name for operator in npu.cpu_operators)})
    missing: dict[str, str] = {}
    if npu.cpu_operators:
        count = len(npu.cpu_operators)
        missing["arena"] = f"{count} operators stay on the CPU, and what these need besides Vela's SRAM is not known"
    code = code_size(names, kernels="cmsis-nn", core=target.device.core.name)
    sram = None if npu.cpu_operators else npu.sram_bytes
    return Memory(len(npu.file), code, None, missing, code.notes, npu_sram_bytes=sram)


def _built_for_size(operators: Sequence[str], kernels: str) -> str:
    """What the same code takes built for speed, as latency is estimated for: both were linked for the Cortex-M4."""
    size, speed = (
        code_size(operators, kernels=kernels, core="cortex-m4", optimization=level).operators_bytes
        for level in ("size", "makefile")
    )
    return (
        "flash is for a build for size (-Os), latency for kernels built for speed (-O2): on a Cortex-M4 those take "
        f"{speed - size:,} bytes more"
    )


@functools.lru_cache(maxsize=4)
def _account(data: bytes) -> tuple[int, int, int]:
    """What the real allocator counts on this host, once for all targets of a file."""
    return tflm_arena.parts(data)


def _processor(kernels: str, core: Core) -> tuple[str, Abi]:
    """Extension and layout of structures of a processor, as `converters.runtimes.device_arena` has them."""
    rules = ARM if core.isa == "arm" else ILP32
    if kernels == "esp-nn":
        simd = {"xtensa": "esp32s3", "riscv": "esp32p4"}.get(core.isa, "none") if core.simd == "pie" else "none"
    elif kernels == "cmsis-nn":
        simd = {"dsp": "dsp", "helium": "mve"}.get(core.simd, "none")
    else:
        simd = "none"
    return simd, rules


def uses(memory: Memory, device: Device) -> tuple[Use, Use]:
    """What a file takes of a device's flash, and of its RAM."""
    return (
        Use("flash", memory.flash_bytes, device.flash_bytes),
        Use("RAM", memory.ram_bytes, device.arena_room_bytes),
    )


def verdict_of(memory: Memory, target: Target, faults: Sequence[str]) -> Verdict:
    """The verdict by a device's flash and RAM, and by the operators that its runtime lacks."""
    if faults:
        return Verdict("does not run", (f"{target.runtime.name}: {faults[0]}",))
    flash, ram = uses(memory, target.device)
    tight = bool(ram.fits) and (ram.share or 0) >= _TIGHT
    on_top = ", and the stack and the application's own variables come on top" if tight else ""
    reasons = (str(flash), f"{ram}{on_top}")
    if target.runtime.engine != "tflm" and "arena" in memory.missing:
        return Verdict("unknown", (memory.missing["arena"],))
    if flash.excess or ram.excess:
        return Verdict("does not fit", reasons)
    if flash.fits is None or ram.fits is None:
        return Verdict("unknown", reasons)
    return Verdict("fits", reasons, tight)

"""A file on an Arm Ethos-U, estimated by Vela's own performance model: cycles, memory, and what the CPU must do.

    on_npu = estimate(Path("model.tflite"), accelerator="ethos-u55-128", clock_hz=400e6)
    on_npu.total_cycles, on_npu.npu_ms, on_npu.cpu_operators

Vela compiles the file and counts cycles by its model of the accelerator and of the memories that a system
configuration describes. Arm calls them "internal compiler estimates" (ethosu/vela/stats_writer.py); nothing is run.
Cycles of operators that stay on the CPU are in none of its numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from converters.child import Limits
from converters.errors import UsageError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.graph import shown
from converters.runtimes import vela
from tfcompress.rows import Row

NOTHING = "nothing runs on the NPU"

# Of an NPU's clock: what a typing error cannot be told from a fact.
_SLOWEST_HZ, _FASTEST_HZ = 1e6, 5e9
_MOST_TOLD = 8


@dataclass(frozen=True)
class OperatorEstimate:
    """One operator of the file.

    Attributes:
        index: its number in the file.
        name: such as `CONV_2D`.
        layer: the Keras layer; empty where no name tells.
        on_cpu: whether it stays on the CPU; its cycles, then 0, are not known.
        reason: why, in Vela's words; empty on the NPU.
        cycles: of the NPU's clock, waiting for memory included; 0 for one that Vela merged into another or removed.
    """

    index: int
    name: str
    layer: str
    on_cpu: bool
    reason: str
    cycles: int

    def __str__(self) -> str:
        layer = f" (layer {shown(self.layer)})" if self.layer else ""
        return f"{self.index} {shown(self.name)}{layer}"


@dataclass(frozen=True)
class EthosU:
    """What Vela makes of a file, and its estimate.

    Attributes:
        accelerator: such as `ethos-u55-128`.
        system_config: Vela's section of clock and memories, such as `Ethos_U55_High_End_Embedded`.
        memory_mode: Vela's section that says what lies in which memory, such as `Shared_Sram`.
        config_hz: the NPU's clock by `system_config`.
        clock_hz: the clock that times are for.
        npu_cycles: of the NPU alone, as if memory never kept it waiting.
        total_cycles: with waiting for memory; 0 if nothing runs on the NPU.
        sram_bytes: the peak of what Vela places in SRAM: activations, and weights on their way.
        dram_bytes: the same in DRAM, with weights and biases where there is no flash.
        flash_bytes: weights and biases in flash; the whole `file`, with the NPU's commands, is somewhat larger.
        operators: one per operator of the file, in its order.
        file: the compiled `.tflite`, for TFLM with Arm's driver.
        version: what estimated, such as `Vela 5.2.0`.
        notes: what the numbers leave out, a sentence each.
    """

    accelerator: str
    system_config: str
    memory_mode: str
    config_hz: float
    clock_hz: float
    npu_cycles: int
    total_cycles: int
    sram_bytes: int
    dram_bytes: int
    flash_bytes: int
    operators: tuple[OperatorEstimate, ...]
    file: bytes = field(repr=False)
    version: str
    notes: tuple[str, ...]

    @property
    def npu_ms(self) -> float | None:
        """Milliseconds of the NPU's part: total_cycles / clock_hz * 1000; None if nothing runs on it."""
        return self.total_cycles / self.clock_hz * 1000 if self.total_cycles else None

    @property
    def inference_ms(self) -> float | None:
        """The same where no operator stays on the CPU, so that it is the whole inference; None otherwise."""
        return None if self.cpu_operators else self.npu_ms

    @property
    def cpu_operators(self) -> tuple[OperatorEstimate, ...]:
        """The operators that stay on the CPU, with their reasons."""
        return tuple(operator for operator in self.operators if operator.on_cpu)

    @property
    def npu_operators(self) -> int:
        """How many operators of the file the NPU does, those merged or removed included."""
        return len(self.operators) - len(self.cpu_operators)


def estimate(
    model: FlatBuffer | Path,
    *,
    accelerator: str,
    clock_hz: float | None = None,
    system_config: str | None = None,
    memory_mode: str | None = None,
    limits: Limits | None = None,
) -> EthosU:
    """Compiles a file with Vela, in a child process, and returns its estimate.

    Args:
        model: a plain `.tflite` file; one shrunk for TFLM is as good.
        accelerator: one of `vela.ACCELERATORS`: family and multiply-accumulates per cycle.
        clock_hz: the NPU's clock; by default that of the configuration. It turns cycles into time and changes no
            cycle: each memory keeps its speed relative to the NPU, as the configuration has it.
        system_config: see `vela.compile_for`.
        memory_mode: see `vela.compile_for`.
        limits: time and memory of the process.

    Raises:
        UsageError: there is no such accelerator or configuration, they do not go together, or the clock is absurd.
        FileError: the file cannot be read.
        ModelError: it is damaged, encoded, compiled already, has several graphs, or Vela cannot compile it.
        ChildDiedError: Vela crashed, or ran out of time or memory.
        NotAvailableError: it is not installed.
    """
    if clock_hz is not None and not _SLOWEST_HZ <= clock_hz <= _FASTEST_HZ:
        raise UsageError(f"the NPU's clock is {clock_hz:g} Hz; expected it in Hz, such as 400000000")
    flatbuffer = model if isinstance(model, FlatBuffer) else FlatBuffer.read(model)
    compiled = vela.compile_for(
        flatbuffer.data,
        accelerator=accelerator,
        system_config=system_config,
        memory_mode=memory_mode,
        limits=limits,
    )
    operators = tuple(
        OperatorEstimate(placed.index, operator.name, operator.layer, placed.on_cpu, placed.reason, placed.cycles)
        for placed, operator in zip(compiled.operators, flatbuffer.operators, strict=True)
    )
    clock = clock_hz or compiled.clock_hz
    return EthosU(
        accelerator=accelerator,
        system_config=compiled.system_config,
        memory_mode=compiled.memory_mode,
        config_hz=compiled.clock_hz,
        clock_hz=clock,
        npu_cycles=compiled.npu_cycles,
        total_cycles=compiled.total_cycles,
        sram_bytes=compiled.memory["sram"],
        dram_bytes=compiled.memory["dram"],
        flash_bytes=compiled.memory["flash"],
        operators=operators,
        file=compiled.file,
        version=vela.describe(),
        notes=(
            _clock_note(compiled, clock, given=clock_hz is not None),
            *_memory_notes(compiled),
            *_left_out(operators),
        ),
    )


def rows(estimated: EthosU, *, target: str | None = None, per_operator: bool = False) -> list[Row]:
    """An estimate as rows, each `estimated` by Vela's model.

    Args:
        estimated: what `estimate` returned.
        target: the device; by default the accelerator.
        per_operator: `npu_operator_cycles/INDEX/NAME/LAYER` and `npu_operator_share/...`, a fraction of
            `npu_total_cycles`, for every operator on the NPU.
    """
    source = (
        f"Vela's performance model, not run: {estimated.accelerator}, {estimated.system_config}, "
        f"{estimated.memory_mode}; NPU clock {estimated.clock_hz:,.0f} Hz"
    )

    def row(name: str, value: float | int | str, unit: str) -> Row:
        return Row(name, value, unit, "estimated", estimated.version, target or estimated.accelerator, source)

    runs = estimated.total_cycles > 0
    made = [
        row("npu_cycles", estimated.npu_cycles if runs else NOTHING, "cycles"),
        row("npu_total_cycles", estimated.total_cycles if runs else NOTHING, "cycles"),
        row("npu_latency_ms", estimated.npu_ms or NOTHING, "ms"),
        row("npu_sram", estimated.sram_bytes if runs else NOTHING, "bytes"),
        *([row("npu_dram", estimated.dram_bytes, "bytes")] if estimated.dram_bytes else []),
        *([row("npu_flash", estimated.flash_bytes, "bytes")] if estimated.flash_bytes else []),
        row("npu_file_bytes", len(estimated.file), "bytes"),
        row("npu_operators", estimated.npu_operators, f"of {len(estimated.operators)} operators"),
        *(row("cpu_operator", f"{operator}: {operator.reason}", "operator") for operator in estimated.cpu_operators),
    ]
    for operator in estimated.operators if per_operator else ():
        if not operator.on_cpu:
            key = f"{operator.index}/{shown(operator.name)}/{shown(operator.layer)}"
            made.append(row(f"npu_operator_cycles/{key}", operator.cycles, "cycles"))
            made.append(row(f"npu_operator_share/{key}", operator.cycles / max(estimated.total_cycles, 1), "fraction"))
    return made


# --- what the numbers leave out ---------------------------------------------------------------------------------


def _clock_note(compiled: vela.Compiled, clock: float, *, given: bool) -> str:
    configured = f"Vela's configuration {compiled.system_config} ({compiled.clock_hz / 1e6:g} MHz)"
    if not given:
        return f"the NPU's clock and memories are those of {configured}, not of a device; give the device's clock"
    if math.isclose(clock, compiled.clock_hz):
        return f"the memories are those of {configured}"
    return (
        f"cycles are those of {configured}, and {clock / 1e6:g} MHz only turns them into time: each memory is taken as "
        "fast relative to the NPU as there"
    )


def _memory_notes(compiled: vela.Compiled) -> list[str]:
    if not compiled.total_cycles:
        return []
    return ["SRAM is what Vela places; TFLM's own objects (the arena's tail) and the driver come on top"]


def _left_out(operators: Sequence[OperatorEstimate]) -> list[str]:
    left = [operator for operator in operators if operator.on_cpu]
    if not left:
        return []
    told = "; ".join(f"{operator}: {operator.reason}" for operator in left[:_MOST_TOLD])
    more = f"; and {len(left) - _MOST_TOLD} more" if len(left) > _MOST_TOLD else ""
    verb = "operator stays" if len(left) == 1 else "operators stay"
    return [f"{len(left)} {verb} on the CPU, whose time is not in the estimate: {told}{more}"]

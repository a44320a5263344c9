"""Vela, Arm's compiler for the Ethos-U: what it makes of a file, and what its own performance model says of that.

    compiled = compile_for(data, accelerator="ethos-u55-128")
    compiled.total_cycles, compiled.memory["sram"], [one for one in compiled.operators if one.on_cpu]

Vela runs in a child process: its core is native code (the extension `ethosu.regor`) that reads the file by itself.
What is asked of it is what its command line `vela` asks (ethosu/vela/vela.py, `main` and `process_regor`, version
5.2.0), so the compiled file is the same byte for byte; its tables of performance are read as objects, since its CSV
files hold the names of tensors unquoted. An operator is recognized by its number in the file, never by a name.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from converters import child
from converters.child import GIB, Limits, Progress
from converters.errors import ModelError, NotAvailableError, UsageError, first_line
from converters.flatbuffer import FlatBuffer, rows

# ethosu/vela/architecture_features.py, class Accelerator: family, and multiply-accumulates per cycle.
ACCELERATORS = (
    *("ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256"),
    *("ethos-u65-256", "ethos-u65-512"),
    *("ethos-u85-128", "ethos-u85-256", "ethos-u85-512", "ethos-u85-1024", "ethos-u85-2048"),
)
OPERATOR = "ethos-u"  # the custom operator of a compiled file
NO_REASON = "Vela gives no reason"

# A network of a microcontroller takes it a tenth of a second; a spoiled file can keep it busy for ever.
_LIMITS = Limits(seconds=120.0, memory_bytes=8 * GIB)
# What Vela calls an operator that it leaves to the CPU.
_LEFT_ALONE = "Passthrough"
_COMPLAINT = re.compile(
    r"^Warning \(supported operators\) operator: \S+, ofm: 'tensor (\d+)'\n(.+?)(?=\n\n|\nWarning |\Z)", re.M | re.S
)


@dataclass(frozen=True)
class Placed:
    """Where one operator of the file runs.

    Attributes:
        index: its number in the file.
        on_cpu: whether Vela leaves it to the CPU; its cycles are 0 then.
        reason: why, in Vela's words; empty on the NPU.
        cycles: of the NPU's clock, waiting for memory included; 0 for one that Vela merged into another or removed.
        npu_cycles: of these, what the NPU would need if memory never kept it waiting.
    """

    index: int
    on_cpu: bool
    reason: str
    cycles: int
    npu_cycles: int


@dataclass(frozen=True)
class Compiled:
    """A compiled file, and the estimate of Vela's performance model.

    Attributes:
        file: the compiled `.tflite`, its NPU parts as operators `ethos-u`.
        system_config: Vela's section of clock and memories.
        memory_mode: Vela's section that says what lies in which memory.
        clock_hz: the NPU's clock by `system_config`.
        npu_cycles: of the NPU alone.
        total_cycles: with waiting for memory; without what runs on the CPU.
        memory: bytes at the peak in `sram`, `dram` and `flash`. Weights and biases are in flash, in DRAM where the
            system has no flash, and counted as flash where the memory mode has them in SRAM (`Sram_Only`). The NPU's
            commands are in none of these; the size of `file` has them too.
        operators: one per operator of the file, in its order.
    """

    file: bytes
    system_config: str
    memory_mode: str
    clock_hz: float
    npu_cycles: int
    total_cycles: int
    memory: Mapping[str, int]
    operators: tuple[Placed, ...]


def available() -> bool:
    """Whether Vela is installed; asked without loading it."""
    try:
        metadata.version("ethos-u-vela")
    except metadata.PackageNotFoundError:
        return False
    return True


def describe() -> str:
    """Its name for a report, such as `Vela 5.2.0`.

    Raises:
        NotAvailableError: it is not installed.
    """
    if not available():
        raise _not_available()
    return f"Vela {metadata.version('ethos-u-vela')}"


def compile_for(
    data: bytes,
    *,
    accelerator: str,
    system_config: str | None = None,
    memory_mode: str | None = None,
    limits: Limits | None = None,
) -> Compiled:
    """Compiles a file in a child process.

    Args:
        data: the file's bytes.
        accelerator: one of `ACCELERATORS`.
        system_config: a section of Vela's configuration, such as `Ethos_U55_High_End_Embedded`; by default the one
            that Vela takes for this accelerator.
        memory_mode: the same, such as `Shared_Sram`.
        limits: time and memory of the process.

    Raises:
        UsageError: there is no such accelerator or configuration, or they do not go together.
        ModelError: the file is damaged, encoded, compiled already, has several graphs, or Vela cannot compile it.
        ChildDiedError: Vela crashed, or ran out of time or memory.
        NotAvailableError: it is not installed.
    """
    _check_configuration(accelerator, system_config)
    describe()
    flatbuffer = FlatBuffer(data)
    _check_file(flatbuffer)
    said: Mapping[str, Any] = child.call(
        "converters.runtimes.vela:compile_here",
        *(data, accelerator, system_config, memory_mode),
        what="compiling the model with Vela",
        limits=limits or _LIMITS,
    )
    return Compiled(
        **{name: said[name] for name in ("file", "system_config", "memory_mode", "clock_hz", "memory")},
        **{name: said[name] for name in ("npu_cycles", "total_cycles")},
        operators=_placed(flatbuffer, said["performance"], said["complaints"]),
    )


def _check_configuration(accelerator: str, system_config: str | None) -> None:
    if accelerator not in ACCELERATORS:
        raise UsageError(f"there is no accelerator '{accelerator}'; Vela knows {', '.join(ACCELERATORS)}")
    # Vela itself would take an Ethos-U65's memories for an Ethos-U55, which has no such port.
    family = accelerator.rpartition("-")[0].title().replace("-", "_")
    if system_config is not None and not system_config.startswith(f"{family}_"):
        raise UsageError(
            f"the system configuration '{system_config}' is not of {accelerator}; name one that begins with {family}_"
        )


def _check_file(flatbuffer: FlatBuffer) -> None:
    if flatbuffer.is_encoded:
        raise ModelError(
            "this file has encoded weights, which Vela cannot read; give it the plain file: tfcompress convert ... "
            "--decode off"
        )
    if any(operator.is_custom and operator.name == OPERATOR for operator in flatbuffer.operators):
        raise ModelError("this file is compiled for an Ethos-U already; give the file that it was made of")
    if (count := len(flatbuffer.graphs)) > 1:
        raise ModelError(f"this file has {count} graphs (IF, WHILE or CALL_ONCE); only a file of one can be estimated")


def _placed(flatbuffer: FlatBuffer, performance: list[list[int]], complaints: str) -> tuple[Placed, ...]:
    """One `Placed` per operator, from Vela's rows of [operator, on the CPU, cycles, cycles of the NPU alone]."""
    reasons: dict[int, list[str]] = {}
    for tensor, words in _COMPLAINT.findall(complaints):
        reason = re.sub(r" \(tensor \d+\w*\)", "", words.removeprefix("Reason: ")).strip().replace("\n", "; ")
        reasons.setdefault(int(tensor), []).append(reason)
    placed = []
    for operator in flatbuffer.operators:
        own = [row for row in performance if row[0] == operator.index]
        on_cpu = any(row[1] for row in own)
        told = dict.fromkeys(reason for tensor in operator.outputs for reason in reasons.get(tensor, ()))
        reason = ("; ".join(told) or NO_REASON) if on_cpu else ""
        placed.append(Placed(operator.index, on_cpu, reason, sum(row[2] for row in own), sum(row[3] for row in own)))
    return tuple(placed)


def _not_available() -> NotAvailableError:
    return NotAvailableError(
        "Vela, Arm's compiler for the Ethos-U, is not installed; pip install 'tfcompress[ethos-u]'"
    )


# --- the child's side -------------------------------------------------------------------------------------------


def compile_here(
    data: bytes, accelerator: str, system_config: str | None, memory_mode: str | None, *, progress: Progress
) -> dict[str, Any]:
    """The child's part of `compile_for`; plain values."""
    architecture = _architecture(accelerator, system_config, memory_mode)
    model = _compile(data, accelerator, architecture)
    performance = _performance(model.opt_database.tables)
    complaints = ""
    if any(row[1] for row in performance):
        # Vela prints why, under the names of tensors: a copy whose names are their numbers is printed without doubt.
        complaints = _printed_by(lambda: _compile(_numbered(data), accelerator, architecture))
    report = model.perf_report
    return {
        "file": model.model,
        "system_config": architecture.system_config,
        "memory_mode": architecture.memory_mode,
        "clock_hz": float(architecture.core_clock),
        "npu_cycles": report.npuCycles,
        "total_cycles": report.totalCycles,
        "memory": _memory(report, architecture),
        "performance": performance,
        "complaints": complaints,
    }


def _architecture(accelerator: str, system_config: str | None, memory_mode: str | None) -> Any:
    try:
        from ethosu.vela.architecture_features import ArchitectureFeatures
        from ethosu.vela.errors import VelaError
    except ImportError as error:
        raise _not_available() from error
    try:
        return ArchitectureFeatures(
            vela_config_files=None,
            accelerator_config=accelerator,
            system_config=system_config or ArchitectureFeatures.DEFAULT_CONFIG,
            memory_mode=memory_mode or ArchitectureFeatures.DEFAULT_CONFIG,
            max_blockdep=ArchitectureFeatures.MAX_BLOCKDEP,
            verbose_config=False,
            arena_cache_size=None,
        )
    except VelaError as error:
        told = str(error.error_msg).rpartition(": ")[2]
        asked = ", ".join(name for name in (accelerator, system_config, memory_mode) if name)
        raise UsageError(f"Vela has no configuration for {asked}: {told}; see docs/ethos_u.md") from error


def _compile(data: bytes, accelerator: str, architecture: Any) -> Any:
    from ethosu import regor

    system = (
        f"[architecture]\nmacs={architecture.num_macs_per_cycle}\ncores={architecture.ncores}\n"
        f"[vela]\nsystem_config_name={architecture.system_config}\nmemory_mode_name={architecture.memory_mode}\n"
    )
    system += "".join(Path(file).read_text(encoding="utf-8") for file in architecture.vela_config_files)
    options = (
        "[compiler]\nenable_db=true\noutput_format=TFLite\ncop_format=COP1\n"
        f"[scheduler]\noptimize=Performance\narena_size_limit={architecture.arena_cache_size}\n"
        "cpu_tensor_alignment=16\ntensor_allocator=HillClimb\n"
        "[graph]\nsoftmax_int16_neg_exp_range=10.0\n"
    )
    family = accelerator.rpartition("-")[0].title().replace("-", "")
    try:
        return regor.compile(family, data, "TFLITE", system, options=options, verbose=True)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"Vela cannot compile this file: {first_line(error)}") from error


def _performance(tables: Mapping[str, Any]) -> list[list[int]]:
    """Rows of [operator of the file or -1, on the CPU, cycles, cycles of the NPU alone]."""
    source, perf = tables["source"], tables["perf"]
    identity, number = source.header.index("id"), source.header.index("ext_key")
    operators = {row[identity]: int(row[number]) for row in source.data}
    columns = [perf.header.index(name) for name in ("source_id", "operator", "op_cycles", "npu_cycles")]
    found = []
    for row in perf.data:
        owner, kind, cycles, npu = (row[column] for column in columns)
        found.append([operators.get(owner, -1), int(kind == _LEFT_ALONE), int(cycles), int(npu)])
    return found


def _memory(report: Any, architecture: Any) -> dict[str, int]:
    peak = {name.lower(): memory.peakUsage for name, memory in report.memories.items()}
    sram, flash = peak.get("sram", 0), peak.get("offchipflash", 0) + peak.get("onchipflash", 0)
    # In mode Sram_Only Vela counts the constants as SRAM; its own summary takes them out again (stats_writer.py,
    # print_regor_performance_metrics).
    if not flash and architecture.permanent_storage_mem_area.name == "OnChipFlash":
        flash = report.readOnlyPeakUsage
        sram -= flash
    return {"sram": sram, "dram": peak.get("dram", 0), "flash": flash}


def _numbered(data: bytes) -> bytes:
    """The file with each tensor named `tensor N`."""
    model = rows.read(data)
    for index, tensor in enumerate(model["subgraphs"][0]["tensors"] or ()):
        tensor["name"] = f"tensor {index}"
    return rows.write(model)


def _printed_by(function: Callable[[], Any]) -> str:
    # The C++ code writes to file descriptor 1, past Python's sys.stdout.
    with tempfile.TemporaryFile() as caught:
        saved = os.dup(1)
        os.dup2(caught.fileno(), 1)
        try:
            function()
        finally:
            if sys.platform != "win32":
                ctypes.CDLL(None).fflush(None)
            os.dup2(saved, 1)
            os.close(saved)
        caught.seek(0)
        return caught.read().decode(errors="replace")

"""TFLM's arena on a 32-bit microcontroller, from a file alone.

Three parts. The *real* allocator runs on this 64-bit host and counts (`tflm_arena`). What it keeps in the tail is
corrected for the pointers and enumerations of the device's compiler, by the layouts of the structures that it keeps
(`structs.py`, `tail.py`). Scratch memory that optimized kernels ask for is added by their library's own formulas
(`cmsis_nn.py`, `esp_nn.py`) and planned together with the activations by a port of TFLM's planner (`planner.py`,
`lifetimes.py`). No number in here was fitted.

The port is checked on every file against what the real planner made of it without that scratch memory; should it ever
differ, the real head plus the port's difference is the answer, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from converters.child import Limits
from converters.errors import UsageError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.graph import shown
from converters.runtimes import tflm_arena
from converters.runtimes.device_arena import cmsis_nn, esp_nn, lifetimes, planner, reference, tail
from converters.runtimes.device_arena.layer import Layer, layers
from converters.runtimes.device_arena.layouts import ARM, HOST, ILP32, Abi
from converters.runtimes.device_arena.lifetimes import Scratch
from converters.runtimes.device_arena.reference import Sizes

__all__ = ["KERNELS", "DeviceArena", "arena_on_device"]

# Kernels -> what their processor may have; the first is the default.
KERNELS: dict[str, tuple[str, ...]] = {
    "reference": ("none", *cmsis_nn.SIMD[1:], *esp_nn.SIMD[1:]),
    "cmsis-nn": ("dsp", "none", "mve"),
    "esp-nn": esp_nn.SIMD,
}
_CONTROL_FLOW = frozenset({"IF", "WHILE", "CALL_ONCE", "VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE"})


@dataclass(frozen=True)
class DeviceArena:
    """Bytes of TFLM's arena on a 32-bit microcontroller, estimated by its sources' own rules.

    Attributes:
        total_bytes: what TFLM reports as used (`arena_used_bytes`): head and tail.
        activations_bytes: the head as it would be without scratch memory of optimized kernels.
        scratch_bytes: by how much that scratch memory makes the head higher.
        persistent_bytes: the tail: what lives as long as the model.
        lower_bound_bytes: of the head, the least any planner could reach: the largest sum of activations and scratch
            memory that are alive at one operator.
        host_total_bytes: what the real allocator counted on this 64-bit host, with reference kernels.
        smallest_bytes: an arena this large is enough to load and run the file: `total_bytes`, or what planning takes
            for a moment where that is more.
        notes: what the estimate does not know, in sentences.
    """

    total_bytes: int
    activations_bytes: int
    scratch_bytes: int
    persistent_bytes: int
    lower_bound_bytes: int
    host_total_bytes: int
    smallest_bytes: int
    notes: tuple[str, ...]


def arena_on_device(
    data: bytes, *, kernels: str = "reference", simd: str = "", abi: str = "", limits: Limits | None = None
) -> DeviceArena:
    """Estimates TFLM's arena on a 32-bit microcontroller.

    Args:
        data: the file's bytes.
        kernels: `reference`, `cmsis-nn` or `esp-nn`.
        simd: what the processor has: for CMSIS-NN `none` (Cortex-M0, M0+, M3), `dsp` (M4, M7, M33) or `mve` (M55, M85);
            for ESP-NN `none`, `esp32s3` or `esp32p4`. Empty for `dsp` and `none`. Reference kernels do not care.
        abi: `arm` where the compiler makes enumerations as short as it can (arm-none-eabi), `ilp32` where they are
            integers (ESP32, RISC-V, Arm with an operating system). Empty: `ilp32` for ESP-NN, otherwise `arm`.
        limits: time and memory of the child process.

    Raises:
        UsageError: kernels, simd or abi are not known.
        ModelError: the file is damaged, or TFLM cannot run it.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    simd = _checked(kernels, simd)
    rules = _abi(abi or ("ilp32" if kernels == "esp-nn" else "arm"))
    flatbuffer = FlatBuffer(data)
    total, head, kept = tflm_arena.parts(data, limits=limits)
    return from_account(flatbuffer, total, head, kept, kernels=kernels, simd=simd, rules=rules)


def from_account(
    flatbuffer: FlatBuffer, total: int, head: int, kept: int, *, kernels: str, simd: str, rules: Abi
) -> DeviceArena:
    """The estimate from what the real allocator counted on this host: total, head and tail, in bytes."""
    notes: list[str] = []
    host = _scratch(flatbuffer, lambda layer: reference.scratch(layer, HOST.pointer), [])
    device = _scratch(flatbuffer, lambda layer: _device_scratch(layer, kernels, simd, rules), notes)
    plan = planner.height(lifetimes.buffers(flatbuffer, host))
    if plan != head:
        notes.append(
            f"The port of TFLM's planner makes {plan} bytes of the host's activations, TFLM {head}: the answer is "
            "TFLM's, and what the device's scratch memory adds comes from the port"
        )
    buffers = lifetimes.buffers(flatbuffer, device)
    added = planner.height(buffers) - plan
    rest = _rest(flatbuffer, kept, len(host), notes)
    of_kernels = [*tail.kernel_sizes(flatbuffer, rules, kernels), rest]
    if kernels == "cmsis-nn":
        of_kernels += _of_cmsis_nn(flatbuffer, simd)
    persistent = tail.tail_bytes(flatbuffer, rules, kernels=of_kernels, scratches=len(device))
    planning = _planning(flatbuffer, rules, of_kernels, device, len(buffers))
    notes += _unknown(flatbuffer, kernels)
    return DeviceArena(
        total_bytes=head + added + persistent,
        activations_bytes=head,
        scratch_bytes=added,
        persistent_bytes=persistent,
        lower_bound_bytes=planner.lower_bound(buffers),
        host_total_bytes=total,
        smallest_bytes=max(head + added + persistent, planning),
        notes=tuple(notes),
    )


def _checked(kernels: str, simd: str) -> str:
    if kernels not in KERNELS:
        raise UsageError(f"kernels are one of {', '.join(KERNELS)}, not {kernels!r}")
    usual = KERNELS[kernels]
    if simd and simd not in usual:
        raise UsageError(f"with kernels {kernels}, simd is one of {', '.join(usual)}, not {simd!r}")
    return simd or usual[0]


def _abi(name: str) -> Abi:
    known = {"arm": ARM, "ilp32": ILP32}
    if name not in known:
        raise UsageError(f"abi is one of {', '.join(known)}, not {name!r}")
    return known[name]


def _device_scratch(layer: Layer, kernels: str, simd: str, rules: Abi) -> Sizes:
    if kernels == "cmsis-nn":
        return cmsis_nn.scratch(layer, simd, rules.pointer)
    if kernels == "esp-nn":
        return esp_nn.scratch(layer, simd, rules.pointer)
    return reference.scratch(layer, rules.pointer)


def _scratch(flatbuffer: FlatBuffer, rule: Callable[[Layer], Sizes], notes: list[str]) -> list[Scratch]:
    """What all operators ask for; one whose tensors no formula fits is told in `notes`."""
    found: list[Scratch] = []
    for layer in layers(flatbuffer):
        try:
            found += [Scratch(size, layer.graph, layer.operator.index) for size in rule(layer)]
        except (IndexError, ValueError, ZeroDivisionError):
            notes.append(f"Scratch memory of {_who(layer)} is not counted: its tensors are not as the kernel has them")
    return found


def _rest(flatbuffer: FlatBuffer, kept: int, scratches: int, notes: list[str]) -> int:
    """Bytes that the kernels keep beyond the known structures, such as a multiplier per channel.

    They are of the same size on every processor: what the host's tail has beyond what its structures take. Each is
    rounded up to 16 bytes (MicroAllocator::AllocatePersistentBuffer).
    """
    known = tail.kernel_sizes(flatbuffer, HOST)
    rest = kept - tail.tail_bytes(flatbuffer, HOST, kernels=known, scratches=scratches, recording=True)
    if rest < 0 or rest % planner.ALIGNMENT:
        notes.append(
            f"TFLM keeps {kept} bytes of the host's arena, which the structures known here do not explain "
            f"({rest} bytes are left over): it is not the version whose sources were read"
        )
    return max(rest, 0)


def _of_cmsis_nn(flatbuffer: FlatBuffer, simd: str) -> list[int]:
    """Bytes that these kernels keep beyond the reference kernels, and as negative numbers those that they do not."""
    more = [size for layer in layers(flatbuffer) for size in cmsis_nn.persistent(layer, simd)]
    return more + [-planner.aligned(size) for layer in layers(flatbuffer) for size in cmsis_nn.absent(layer)]


def _planning(
    flatbuffer: FlatBuffer, rules: Abi, of_kernels: Sequence[int], scratch: Sequence[Scratch], buffers: int
) -> int:
    """Bytes of an arena in which TFLM can prepare the kernels and make its plan."""
    scratches = len(scratch)
    kept = tail.tail_bytes(flatbuffer, rules, kernels=of_kernels, scratches=scratches, ports=False)
    return planner.aligned(kept) + tail.planning_bytes(flatbuffer, rules, scratches, buffers)


def _unknown(flatbuffer: FlatBuffer, kernels: str) -> list[str]:
    notes = []
    for name in sorted({layer.name for layer in layers(flatbuffer) if not tail.is_known(layer)}):
        scratch = "" if kernels == "reference" else ", and scratch memory of its kernel is not"
        notes.append(f"What {shown(name)} keeps is counted as on a 64-bit host{scratch}")
    used = sorted(_CONTROL_FLOW & {layer.name for layer in layers(flatbuffer)})
    if used:
        notes.append(f"Graphs that are called and resource variables ({', '.join(used)}) were not tried on a device")
    return notes


def _who(layer: Layer) -> str:
    return f"operator {layer.operator.index} ({shown(layer.name)})"

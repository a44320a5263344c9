"""A file on devices that are not here: will it fit, how long will it take, what will it draw.

    for result in on_targets(FlatBuffer.read(path), [target("nucleo-l4r5zi")]):
        print(result.verdict, result.latency)

Nothing is measured on a device here: latency comes from the cost model or from Vela, memory from TFLM's own allocator
with the device's pointer width and kernels, flash from linked programs, energy from a data sheet's current. What is
not known is left out with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from converters import verify
from converters.child import Progress, no_progress
from converters.errors import ChildDiedError, ModelError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.spec import DType
from tfcompress.benchmark.estimate import ethos_u
from tfcompress.benchmark.estimate.cost_model.kinship import System
from tfcompress.benchmark.estimate.cost_model.predict import Anchor, Estimate, predict
from tfcompress.benchmark.estimate.cost_model.systems import engines, system_of, why_none
from tfcompress.benchmark.estimate.cost_model.work import Work, work_of
from tfcompress.benchmark.estimate.energy import Energy, energy
from tfcompress.benchmark.estimate.fit import Memory, Verdict, memory_on, memory_on_npu, verdict_of
from tfcompress.targets import Target

_UNUSED = "your own measurements were not used: they anchor the cost model, which tells nothing here"


@dataclass(frozen=True)
class OnTarget:
    """What is known of a file on a target.

    Attributes:
        target: the device and its runtime.
        verdict: whether it fits, by how much, and whether its operators run there.
        memory: flash and arena.
        latency: by the cost model; None where `missing` tells why.
        npu: Vela's estimate, for a device with an Ethos-U.
        energy: of one inference; None where no power is published, or no latency is known.
        engines: engines that were measured on such a core, for comparison: name and latency. None of them is the
            target's runtime, so none is the answer for it.
        missing: what is not known -> why.
        notes: what the numbers cannot say.
    """

    target: Target
    verdict: Verdict
    memory: Memory
    latency: Estimate | None = None
    npu: ethos_u.EthosU | None = None
    energy: Energy | None = None
    engines: tuple[tuple[str, Estimate], ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def on_targets(
    flatbuffer: FlatBuffer,
    targets: Sequence[Target],
    *,
    anchors: Sequence[Anchor] = (),
    progress: Progress = no_progress,
) -> list[OnTarget]:
    """Estimates a file on targets.

    Args:
        flatbuffer: the file.
        targets: devices with runtimes.
        anchors: measurements of the user's own, all on the one target.
        progress: called with stage, done, total.

    Raises:
        UsageError: anchors with several targets.
        ChildDiedError: TFLM crashed on the file, or ran out of time or memory.
    """
    if anchors and len(targets) != 1:
        raise UsageError(f"anchors are measurements on one board, and {len(targets)} targets came; name one --target")
    results = []
    for number, target in enumerate(targets):
        progress(f"estimating on {target.name}", number, len(targets))
        results.append(_on(flatbuffer, target, anchors))
    return results


def _on(flatbuffer: FlatBuffer, target: Target, anchors: Sequence[Anchor]) -> OnTarget:
    missing: dict[str, str] = {}
    memory = memory_on(flatbuffer, target)
    faults = [str(fault) for fault in verify.operator_faults(flatbuffer, target.spec(dtype=_dtype(flatbuffer, target)))]
    latency: Estimate | None = None
    others: tuple[tuple[str, Estimate], ...] = ()
    npu: ethos_u.EthosU | None = None
    works = work_of(flatbuffer)
    if target.runtime.family == "ethos-u":
        npu = _npu(flatbuffer, target, missing)
        unknown = dict.fromkeys(("flash", "arena"), missing.get("latency", ""))
        memory = replace(memory, missing=unknown) if npu is None else memory_on_npu(npu, target)
    elif why := why_none(flatbuffer, target):
        missing["latency"] = why
    else:
        system = system_of(target)
        latency = predict(works, system, target.device.clock_hz, anchors=anchors)
        others = _engines(works, system, target.device.clock_hz)
    milliseconds = latency.latency_ms if latency else npu.inference_ms if npu else None
    missing |= memory.missing
    spent = energy(target.device, milliseconds) if milliseconds is not None else None
    if spent is None:
        missing["energy"] = "no latency" if milliseconds is None else "no power with its supply voltage is published"
    unused = (_UNUSED,) if anchors and latency is None else ()
    parts = (unused, memory.notes, latency.notes if latency else (), npu.notes if npu else (), target.device.notes)
    return OnTarget(
        target=target,
        verdict=verdict_of(memory, target, faults),
        memory=memory,
        latency=latency,
        npu=npu,
        energy=spent,
        engines=others,
        missing=missing,
        notes=tuple(dict.fromkeys(note for part in parts for note in part)),
    )


def _dtype(flatbuffer: FlatBuffer, target: Target) -> DType:
    """The file's own type, where the runtime runs such files at all; else one that its operators are refused in."""
    found = verify.dtype_of(flatbuffer)
    return found if found in target.runtime.dtypes else target.runtime.dtypes[0]


def _npu(flatbuffer: FlatBuffer, target: Target, missing: dict[str, str]) -> ethos_u.EthosU | None:
    accelerator = target.device.accelerator
    if accelerator is None or accelerator.vela is None:
        missing["latency"] = (
            f"{target.device.name} names no configuration for Vela; give its file an [accelerator.vela]"
        )
        return None
    vela = accelerator.vela
    try:
        return ethos_u.estimate(
            flatbuffer,
            accelerator=vela.accelerator_config,
            clock_hz=accelerator.clock_hz,
            system_config=vela.system_config,
            memory_mode=vela.memory_mode,
        )
    except (ModelError, NotAvailableError, UsageError, ChildDiedError) as error:
        missing["latency"] = str(error)
        return None


def _engines(works: Sequence[Work], system: System, clock_hz: float) -> tuple[tuple[str, Estimate], ...]:
    return tuple((name, predict(works, other, clock_hz)) for name, other in engines(system))

"""From targets to the cost model's systems, and what it says nothing about."""

from __future__ import annotations

import statistics
from dataclasses import replace

from converters import verify
from converters.flatbuffer import FlatBuffer
from tfcompress.benchmark.estimate.cost_model.instructions import counted_on
from tfcompress.benchmark.estimate.cost_model.kinship import System
from tfcompress.benchmark.estimate.cost_model.prices import prices
from tfcompress.targets import Core, Device, Target, device, devices

# Engines that translate a model into code of their own: for comparison only.
_ENGINES = ("st-edge-ai", "plumerai", "bosch-hale", "microtvm", "microtvm-cmsis-nn", "onnc-cmsis-nn")


def system_of(target: Target) -> System:
    """The system that a target is."""
    runtime, core = target.runtime, target.device.core
    family = runtime.family if runtime.family in _ENGINES else runtime.name
    return System(
        board=_board(target.device),
        memory=target.device.memory.weights_in or "",
        core=core.name,
        counted=counted_on(core, runtime.family),
        scalar=scalar_speed(core),
        published=core.coremark_per_mhz is not None,
        family=family,
        library=runtime.family,
        build="",
        year=_year(family, runtime.family),
        name=f"target {target.name}",
    )


def why_none(flatbuffer: FlatBuffer, target: Target) -> str:
    """Why the cost model says nothing of a file on a target; empty where it does."""
    if target.runtime.family not in _libraries():
        ways = "measure it there (--target adb)" if target.device.kind == "phone" else "measure it there"
        return f"no latency of {target.runtime.name} on such a device stands behind the cost model; {ways}"
    if target.device.kind == "simulator":
        return "a simulator has no time of its own"
    return why_unlike(flatbuffer)


def why_unlike(flatbuffer: FlatBuffer) -> str:
    """Why a file is unlike those that the cost model is fitted on, so that its time says nothing; empty where not."""
    if verify.dtype_of(flatbuffer) != "int8":
        return f"the cost model is fitted on int8 files, and this one is {verify.dtype_of(flatbuffer)}"
    if not any(operator.macs for operator in flatbuffer.operators):
        return "no operator of the file multiplies; the cost model is fitted on files whose operators do"
    return ""


def engines(system: System) -> list[tuple[str, System]]:
    """Engines that were measured on the same core, in their newest release, as if on the system's board."""
    found: dict[str, System] = {}
    for point in prices().measured.points:
        other = point.system
        if other.core == system.core and other.family in _ENGINES and other.family != system.family:
            newest = found.get(other.family)
            if newest is None or newest.year < other.year:
                found[other.family] = other
    return [(name, replace(other, board=system.board, name=f"engine {name}")) for name, other in sorted(found.items())]


def _board(found: Device) -> str:
    """The name of a packaged device; another one for a user's own, which may be another board of the same name."""
    packaged = found.name in devices() and device(found.name) is found
    return found.name if packaged else f"{found.name} (own)"


def _year(family: str, library: str) -> float:
    """Age of the newest release of a runtime that was measured, else of its kernels: newer ones may gain or not."""
    points = [point.system for point in prices().measured.points]
    years = [one.year for one in points if one.family == family] or [
        one.year for one in points if one.library == library
    ]
    return max(years) if years else statistics.median(one.year for one in points)


def _libraries() -> set[str]:
    """Kernels whose time the instruction counts or the published latencies say something about."""
    return {*prices().counts, *(point.system.library for point in prices().measured.points)}


def scalar_speed(core: Core) -> float:
    """CoreMark per MHz; of a core that none is published of, what cores that issue as much have."""
    if core.coremark_per_mhz is not None:
        return core.coremark_per_mhz
    return _TYPICAL.get(core.issue_width or 1, _TYPICAL[1])


# Median of the cores in `cores.toml` that issue one or two instructions a cycle.
_TYPICAL = {1: 3.0, 2: 5.0}

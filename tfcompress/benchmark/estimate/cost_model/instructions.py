"""Instructions that a kernel library executes for an operator, on an instruction set that it was counted on.

    convolutions, products      a * macs + b * patches + c * taps + d * outputs + f
    anything else               d * outputs + e * inputs + f, with coefficients of its own for every operator

`a` is the inner loop, `b` the gathering of the input patch (im2col) that all output channels share, `c` the set-up of
a loop over input channels at one position of the kernel, `d` the scaling of a sum to int8, `f` the set-up of a call.
The coefficients were fitted on counts of an emulator (`benchmarks/instruction_counts`) and are in `prices.json`;
nothing here is a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tfcompress.benchmark.estimate.cost_model.work import KINDS, Work
from tfcompress.targets import Core

Coefficients = Mapping[str, Sequence[float]]
# Library -> emulated core -> coefficients.
Counts = Mapping[str, Mapping[str, Coefficients]]

# An operator that was never counted costs what this one costs.
_LIKE = "ADD"
# The emulated core whose instruction set is nearest to one that no emulator here has.
_BY_SIMD = {
    **dict.fromkeys(("dsp", "xpulp", "hifi"), "cortex-m4"),
    "p-extension": "p-extension",
    **dict.fromkeys(("helium", "pie", "vector", "neon"), "cortex-m55"),
}
# Where a library was not counted on that one.
_ELSE = "cortex-m4"


def counted_on(core: Core, library: str) -> str:
    """The emulated core whose instructions stand for a core's.

    Its own extension counts first, for kernels that use it; without one, Thumb-1 for an Armv6-M, RV32IMC for a RISC-V,
    Thumb-2 for any other. TFLM's own kernels are plain C, of which compilers use Arm's extensions at most.
    """
    if core.simd in _BY_SIMD and (library != "reference" or core.isa == "arm"):
        return _BY_SIMD[core.simd]
    if core.architecture == "armv6-m":
        return "cortex-m0plus"
    return "rv32imc" if core.isa == "riscv" else "cortex-m3"


def features(work: Work) -> tuple[float, ...]:
    """What the coefficients `a` to `f` multiply."""
    inputs = work.inputs if work.kind == "other" else 0
    return tuple(map(float, (work.macs, work.patches, work.taps, work.outputs, inputs, 1)))


def key(work: Work) -> str:
    """The name under which an operator's coefficients are kept."""
    return work.name if work.kind == "other" else work.kind


def counted(work: Work, coefficients: Coefficients) -> bool:
    """Whether operators of this name were counted."""
    return key(work) in coefficients


def instructions(work: Work, coefficients: Coefficients) -> float:
    """Instructions of one operator, by the coefficients of a library and an instruction set."""
    weights = coefficients.get(key(work), coefficients[_LIKE])
    return sum(weight * feature for weight, feature in zip(weights, features(work), strict=True))


def coefficients_of(counts: Counts, library: str, counted: str, *, build: str = "") -> Coefficients:
    """The coefficients to begin from: of the library, or of CMSIS-NN for an optimized one that was not counted."""
    sets, core = counted_set(counts, library, counted, build=build)
    return sets[core]


def counted_set(
    counts: Counts, library: str, counted: str, *, build: str = ""
) -> tuple[Mapping[str, Coefficients], str]:
    """The coefficients of a library by emulated core, and which of these cores stands for `counted`."""
    sets = counts.get(f"{library}-{build}" if build else library, counts["cmsis-nn"])
    without_extension = "cortex-m3" if counted == "rv32imc" else _ELSE
    return sets, next((core for core in (counted, without_extension) if core in sets), next(iter(sets)))


def by_kind(works: Sequence[Work], coefficients: Coefficients) -> tuple[float, ...]:
    """Instructions of a model's operators of each kind, `[len(KINDS)]`."""
    totals = dict.fromkeys(KINDS, 0.0)
    for work in works:
        totals[work.kind] += instructions(work, coefficients)
    return tuple(totals.values())

"""How much flash TFLM's code takes: the runtime, and the kernels of the operators that a file needs.

    code_size(["CONV_2D", "SOFTMAX"], core="cortex-m4").total_bytes

Flash of a program = the file's bytes + this + the application's own code. The numbers in `code_sizes/` were measured
by linking programs for each processor (benchmarks/code_sizes.py): per operator the linker's map says which functions,
tables and strings it brings; what several operators need is there once. So the size of a set of operators is that of
the union of what they bring, as the linker forms it.
"""

from __future__ import annotations

import statistics
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from converters.errors import UsageError

FOLDER = Path(__file__).resolve().parent / "code_sizes"
# Processors that were not measured, and which measured one has the same or the next larger instruction set.
# Arm: Armv6-M and Armv8-M Baseline have Thumb without most of Thumb-2; Armv7-M lacks only the DSP and floating-point
# instructions of Armv7E-M; Armv8.1-M with MVE is that of the Cortex-M52, M55 and M85.
_NEAREST = {
    **dict.fromkeys(("cortex-m0", "cortex-m1", "cortex-m23"), "cortex-m0plus"),
    **dict.fromkeys(("cortex-m3",), "cortex-m4"),
    **dict.fromkeys(("cortex-m35p",), "cortex-m33"),
    **dict.fromkeys(("cortex-m52", "cortex-m85"), "cortex-m55"),
}
_ELSE = "cortex-m4"


@dataclass(frozen=True)
class CodeSize:
    """Bytes of flash for code and constants: text, read-only data, and the stored values of initialized data.

    Attributes:
        runtime_bytes: interpreter, allocator, planner, schema reader, and the C library's functions that they call.
        operators_bytes: what the operators' kernels add, with the C library's functions that only they call.
        by_operator: the same by operator; what several of them need is divided among them.
        c_library_bytes: the part of `runtime_bytes` that is the C library's; most of it is `vfprintf` for TFLM's
            messages, which an application that prints has anyway.
        how: `measured`; `estimated` where another processor, other kernels or a median had to stand in (see `notes`).
        source: of what, with which compiler and flags.
        notes: what stood in for what, and what a reader has to know; sentences.
    """

    runtime_bytes: int
    operators_bytes: int
    by_operator: Mapping[str, int]
    c_library_bytes: int
    how: Literal["measured", "estimated"]
    source: str
    notes: tuple[str, ...]

    @property
    def total_bytes(self) -> int:
        """Everything but the model file and the application."""
        return self.runtime_bytes + self.operators_bytes


@dataclass(frozen=True)
class Measured:
    """One file of `code_sizes/`: TFLM for one processor, with one set of kernels and one optimization.

    Attributes:
        facts: core, kernels, optimization, levels, compiler, c_library, flags, source.
        runtime: `bytes`, of them `c_library_bytes`; what newlib's nano variant saves, `nano_saves_bytes`.
        pieces: bytes, and the operators of which any one brings them.
        checks: name of a set of operators -> what the pieces add up to, what the linker made of the set.
    """

    facts: Mapping[str, str]
    runtime: Mapping[str, int]
    pieces: Sequence[tuple[int, frozenset[str]]]
    checks: Mapping[str, tuple[int, int]]
    operators: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        every = frozenset[str]().union(*(operators for _, operators in self.pieces))
        object.__setattr__(self, "operators", every)

    def split(self, operators: Sequence[str]) -> dict[str, int]:
        """Bytes of the union of what the operators bring, divided: a shared piece among those of them that need it."""
        wanted, sizes = frozenset(operators), dict.fromkeys(sorted(operators), 0)
        for size, needed_by in self.pieces:
            sharers = sorted(needed_by & wanted)
            for number, name in enumerate(sharers):
                sizes[name] += size // len(sharers) + (number < size % len(sharers))
        return sizes


def code_size(
    operators: Sequence[str],
    *,
    kernels: str = "reference",
    core: str = "cortex-m4",
    optimization: str = "size",
) -> CodeSize:
    """Flash that TFLM needs for a file's operators.

    Args:
        operators: names as in `FlatBuffer` (of custom operators, the code); repetitions and order do not matter.
        kernels: `reference` or `cmsis_nn`; other libraries were not measured, CMSIS-NN or the reference stands in.
        core: the processor, as in `cortex-m4`; of one that was not measured the nearest stands in.
        optimization: `size` (everything with -Os), or `makefile` (as TFLM's own Makefile: kernels with -O2).

    Raises:
        UsageError: nothing was measured with that optimization.
    """
    found, notes = _find(_plain(core), kernels.lower().replace("-", "_"), optimization)
    known = [name for name in sorted(set(operators)) if name in found.operators]
    sizes = found.split(known)
    for name in sorted(set(operators) - set(known)):
        sizes[name], note = _stand_in(found, name)
        notes.append(note)
    estimated = bool(notes)
    told = found.facts
    runtime = found.runtime
    notes.append(
        f"{runtime['c_library_bytes']:,} bytes of the runtime are the C library's ({told['c_library']}), mostly to "
        f"print TFLM's messages; newlib's nano variant saves {runtime['nano_saves_bytes']:,}"
    )
    return CodeSize(
        runtime_bytes=runtime["bytes"],
        operators_bytes=sum(sizes.values()),
        by_operator=sizes,
        c_library_bytes=runtime["c_library_bytes"],
        how="estimated" if estimated else "measured",
        source=f"{told['source']}, linked for {told['core']} by {told['compiler']} ({told['levels']})",
        notes=tuple(notes),
    )


@cache
def measured() -> Mapping[tuple[str, str, str], Measured]:
    """What was measured, by processor, kernels and optimization."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        pieces = [(size, frozenset((name,))) for name, size in told.pop("own").items()]
        pieces += [(piece["bytes"], frozenset(piece["operators"].split())) for piece in told.pop("shared")]
        checks = {title: (united, linked) for title, (united, linked) in told.pop("checks").items()}
        runtime = told.pop("runtime")
        found[told["core"], told["kernels"], told["optimization"]] = Measured(told, runtime, pieces, checks)
    return found


def _plain(core: str) -> str:
    """A processor as it is called here: `Cortex-M0+` and `cortex_m4f` are `cortex-m0plus` and `cortex-m4`."""
    name = core.strip().lower().replace("+", "plus").replace("_", "-").replace(" ", "-")
    return name[:-1] if name.startswith("cortex-m") and name.endswith("f") else name


def _find(core: str, kernels: str, optimization: str) -> tuple[Measured, list[str]]:
    """The measurement to use, and what stands in for what."""
    there = [key for key in measured() if key[2] == optimization]
    if not there:
        known = sorted({key[2] for key in measured()})
        raise UsageError(f"no code size was measured with optimization {optimization!r}; choose {' or '.join(known)}")
    notes = []
    used = kernels if kernels in {key[1] for key in there} else "reference"
    if used != kernels:
        notes.append(f"the kernels of {kernels} were not measured: those of {used} stand in")
    cores = sorted(key[0] for key in there if key[1] == used)
    nearest = next(one for one in (core, _NEAREST.get(core, _ELSE), _ELSE) if one in cores)
    if nearest != core:
        notes.append(f"code for {core} was not measured ({', '.join(cores)} were): that for {nearest} stands in")
    return measured()[nearest, used, optimization], notes


def _stand_in(found: Measured, name: str) -> tuple[int, str]:
    """Bytes to assume for an operator that `found` does not know, and the sentence that says why."""
    core, kernels, optimization = (found.facts[key] for key in ("core", "kernels", "optimization"))
    where = f"no code size of {name} was measured for {core} with {kernels} kernels"
    for key in ((_ELSE, kernels, optimization), (_ELSE, "reference", optimization), (_ELSE, "reference", "size")):
        other = measured().get(key)
        if other and name in other.operators:
            return other.split([name])[name], f"{where}: what it adds alone on {key[0]} with {key[1]} kernels stands in"
    typical = round(statistics.median(found.split([known])[known] for known in found.operators))
    return typical, f"{where}: {typical:,} bytes are assumed, the median of what a single operator adds"

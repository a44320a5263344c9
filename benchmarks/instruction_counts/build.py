"""Builds the program that runs a model on an emulated processor, with TFLM's kernels or CMSIS-NN's."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.instruction_counts.vintage import Vintage, vintage_of
from benchmarks.tflm_library import COMMON, CORES, Sources, include_flags, run
from converters import microcontroller
from converters.errors import FileError

HERE = Path(__file__).parent
_FORMAT = Path(microcontroller.__file__).parent / "formats/cmake"
_CXX_HEADER = re.compile(r"/cstdint$|/bits/c\+\+config\.h$")
_NOT_RUNTIME = re.compile("test|mock_|fake_|recording_|benchmark|hexdump")


@dataclass(frozen=True)
class Machine:
    """Where QEMU runs code of a core.

    Attributes:
        name: QEMU's name of the board.
        code: origin of the memory for code, where the processor starts; 4 MiB.
        data: origin of the memory for variables and the stack; 4 MiB.
        model: origin of the memory for the model's file and, 4 MiB behind it, the arena.
        emulator: QEMU's program.
        tools: prefix of the compiler's name.
    """

    name: str
    code: int
    data: int
    model: int
    emulator: str = "qemu-system-arm"
    tools: str = "arm-none-eabi"


# "Arm MPS2 and MPS3 boards", QEMU's docs/system/arm/mps2.rst; the memory maps are in Arm's application notes of the
# same numbers. The Cortex-M3 runs what was compiled for the Cortex-M0+, whose instructions it has. On the Cortex-M33
# and M55, which start in secure state, code and variables lie at secure addresses.
MACHINES = {
    "cortex-m0plus": Machine("mps2-an385", 0, 0x20000000, 0x21000000),
    "cortex-m3": Machine("mps2-an385", 0, 0x20000000, 0x21000000),
    "cortex-m4": Machine("mps2-an386", 0, 0x20000000, 0x21000000),
    "cortex-m7": Machine("mps2-an500", 0, 0x20000000, 0x60000000),
    "cortex-m33": Machine("mps2-an505", 0x10000000, 0x38000000, 0x80000000),
    "cortex-m55": Machine("mps3-an547", 0x10000000, 0x31000000, 0x70000000),
    "rv32imc": Machine("virt", 0x80000000, 0x80400000, 0x81000000, "qemu-system-riscv32", "riscv64-unknown-elf"),
}
# As TFLM's targets/riscv32_generic_makefile.inc.
_RISCV = ("-march=rv32imc", "-mabi=ilp32", "-mcmodel=medany")
ARENA_OFFSET = 4 << 20
ARENA_BYTES = 8 << 20


def program(core: str, kernels: str, build: str, sources: Sources, folder: Path) -> Path:
    """Compiles what is not compiled yet and links it.

    Args:
        core: a key of `MACHINES`.
        kernels: `reference` or `cmsis-nn`, with `-2021` behind it for TFLM as it was then.
        build: a key of the vintage's `builds`.
        sources: where the code lies.
        folder: where to build.

    Returns:
        The program for the emulator.
    """
    vintage = vintage_of(kernels)
    base = [*flags_of(core), *vintage.flags, *vintage.builds[build][1]]
    place = folder / f"{core}_{build}{vintage.suffix}"
    place.mkdir(parents=True, exist_ok=True)
    jobs = [(path, flags, place / _object_name(path)) for path, flags in _files(core, kernels, build, base, sources)]
    for optimization in sorted(set(vintage.builds[build][0])):
        command = [f"{MACHINES[core].tools}-g++", *base, *vintage.cxx, optimization]
        _precompile(command, vintage.headers, sources, place / f"headers{optimization}.h")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        list(pool.map(lambda job: _compile(MACHINES[core].tools, sources, *job), jobs))
    script = place / "memory.ld"
    script.write_text(_linker_script(MACHINES[core]))
    out = place / f"{kernels}.elf"
    made = [str(made) for _, _, made in jobs]
    run([f"{MACHINES[core].tools}-gcc", *_link_flags(core, script), "-Wl,--gc-sections", *made, "-lm", "-o", str(out)])
    return out


def flags_of(core: str) -> list[str]:
    """What all files of a core are compiled with."""
    if core in CORES:
        return [*CORES[core], *COMMON]
    # Debian has no C++ library for bare RISC-V; TFLM needs headers only, and those of the Arm compiler serve.
    used = run(["arm-none-eabi-g++", "-x", "c++", "-M", "-include", "cstdint", "/dev/null"]).split()
    folders = {str(Path(path).parents[1 if "bits" in path else 0]) for path in used if _CXX_HEADER.search(path)}
    where = [f"-isystem{folder}" for folder in sorted(folders)]
    return [*_RISCV, "-specs=picolibc.specs", "-nostdinc++", *where, *(flag for flag in COMMON if flag != "-mthumb")]


def _link_flags(core: str, script: Path) -> list[str]:
    machine = MACHINES[core]
    if core in CORES:
        return ["-mthumb", *CORES[core], "-nostartfiles", "-specs=nosys.specs", "-Wl,--no-warnings", f"-Wl,-T,{script}"]
    places = {"__flash": machine.code, "__ram": machine.data, "__flash_size": 4 << 20, "__ram_size": 4 << 20}
    named = [f"-Wl,--defsym={name}=0x{value:x}" for name, value in (*places.items(), ("__stack_size", 1 << 16))]
    return [*_RISCV, "-specs=picolibc.specs", "--oslib=semihost", "--crt0=semihost", "-Tpicolibc.ld", *named]


def _files(
    core: str, kernels: str, build: str, base: Sequence[str], sources: Sources
) -> Iterator[tuple[Path, list[str]]]:
    """Every file of the program, and the flags it is compiled with; those of TFLM relative to its folder."""
    vintage, machine = vintage_of(kernels), MACHINES[core]
    (runtime, reference, optimized), cxx = vintage.builds[build][0], [*base, *vintage.cxx]
    add = " ".join(f"add(resolver.Add{method}());" for method in vintage.methods)
    where = [f"-DMODEL_ADDRESS={machine.model}u", f"-DARENA_ADDRESS={machine.model + ARENA_OFFSET}u"]
    yield HERE / "main.cc", [*cxx, runtime, *where, f"-DARENA_BYTES={ARENA_BYTES}u", f"-DADD_OPERATORS={add}"]
    if core in CORES:
        yield _FORMAT / "startup.cpp.j2", [*cxx, runtime, "-x", "c++"]
    for group in vintage.runtime:
        for path in sorted((sources.tflm / group).glob("*.c*")):
            if path.suffix in (".c", ".cc") and not _NOT_RUNTIME.search(path.name):
                flags = cxx if path.suffix == ".cc" else [*base, *vintage.c]
                yield path.relative_to(sources.tflm), [*flags, runtime]
    optimizes = kernels.startswith("cmsis-nn")
    # CMSIS 5 has headers there that CMSIS-NN's include.
    dsp = [f"-I{sources.cmsis}/CMSIS/DSP/Include"] if optimizes and vintage.suffix else []
    for path in _kernels(sources.tflm, vintage, optimizes):
        yield path, [*cxx, reference, *(["-DCMSIS_NN", *dsp] if path.parent.name == "cmsis_nn" else [])]
    if optimizes:
        if not (sources.cmsis_nn and sources.cmsis):
            raise FileError("kernels of CMSIS-NN need --cmsis-nn and --cmsis")
        for path in sorted((sources.cmsis_nn / "Source").rglob("*.c")):
            if not path.stem.endswith(("_f16", "_f32", "_flt")):  # as TFLM's ext_libs/cmsis_nn.inc
                yield path, [*base, *vintage.c, optimized, "-DARM_NN_ENABLE_F16=0", "-DARM_NN_ENABLE_F32=0", *dsp]


def _kernels(tflm: Path, vintage: Vintage, optimizes: bool) -> Iterator[Path]:
    folder = Path("tensorflow/lite/micro/kernels")
    for stem in vintage.kernels:
        for name in (f"{stem}.cc", f"{stem}_common.cc"):
            better = folder / "cmsis_nn" / name
            if optimizes and (tflm / better).exists():
                yield better
            elif (tflm / folder / name).exists():
                yield folder / name


def _precompile(command: Sequence[str], headers: Sequence[str], sources: Sources, header: Path) -> None:
    """Parses what nearly all files of TFLM include once: they compile in a third of the time, to the same bytes."""
    text = "".join(f'#include "{name}"\n' for name in headers)
    made = header.with_suffix(".h.gch")
    if made.exists() and header.exists() and header.read_text() == text:
        return
    header.write_text(text)
    run([*command, *include_flags(sources), "-x", "c++-header", str(header), "-o", str(made)], sources.tflm)


def _compile(tools: str, sources: Sources, path: Path, flags: Sequence[str], made: Path) -> None:
    stamp = hashlib.sha256(" ".join(flags).encode()).hexdigest()
    noted = made.with_suffix(".flags")
    own = path.is_absolute() and path.is_relative_to(HERE.parent.parent)
    old = not made.exists() or (own and made.stat().st_mtime < path.stat().st_mtime)
    if not old and noted.exists() and noted.read_text() == stamp:
        return
    compiler = f"{tools}-gcc" if path.suffix == ".c" else f"{tools}-g++"
    plain = path.is_absolute() or path.suffix == ".c"
    first = [] if plain else ["-include", str(made.with_name(f"headers{_optimization(flags)}.h"))]
    command = [compiler, *flags, *first, *include_flags(sources), "-c", str(path), "-o", str(made)]
    try:
        run(command, sources.tflm)
    except FileError as error:
        if "vcvtne" not in str(error):
            raise
        # Binutils 2.40 reads a conversion under the condition NE as Helium's VCVTN; without conditional execution
        # there is none.
        run([*command, "-fno-if-conversion2"], sources.tflm)
    noted.write_text(stamp)


def _optimization(flags: Sequence[str]) -> str:
    return next(flag for flag in flags if flag.startswith("-O"))


def _object_name(path: Path) -> str:
    return f"{path.stem}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}.o"


def _linker_script(machine: Machine) -> str:
    """That of an exported bundle, with this board's memory."""
    text = (_FORMAT / "mps2.ld.j2").read_text()
    for name, origin in (("CODE", machine.code), ("DATA", machine.data)):
        text = re.sub(rf"({name} \(\w+\) : ORIGIN = )\w+", rf"\g<1>0x{origin:08x}", text)
    return text

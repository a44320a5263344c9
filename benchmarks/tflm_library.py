"""TFLM compiled as a library for a processor, as its own Makefile does it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from converters.errors import FileError

# What the presets of an exported CMake bundle use for the Cortex-M4 and M7; the others in the same way.
CORES = {
    "cortex-m0plus": ["-mcpu=cortex-m0plus", "-mfloat-abi=soft"],
    "cortex-m3": ["-mcpu=cortex-m3", "-mfloat-abi=soft"],
    "cortex-m4": ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"],
    "cortex-m7": ["-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    "cortex-m33": ["-mcpu=cortex-m33", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"],
    "cortex-m55": ["-mcpu=cortex-m55", "-mfloat-abi=hard", "-mfpu=auto"],
}
# tensorflow/lite/micro/tools/make/Makefile, COMMON_FLAGS and CXXFLAGS; targets/cortex_m_generic_makefile.inc.
COMMON = [
    *("-mthumb", "-funsigned-char", "-fomit-frame-pointer", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables"),
    *("-ffunction-sections", "-fdata-sections", "-fmessage-length=0", "-w"),
    *("-DTF_LITE_STATIC_MEMORY", "-DTF_LITE_DISABLE_X86_NEON"),
]
CXX = ["-std=c++17", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics"]
C = ["-std=c17"]
# Only declarations depend on it (kernels/conv.h and others), so only the kernels that it brings are compiled with it.
_CMSIS_NN = "-DCMSIS_NN"
# (core, kernels, optimized kernels): `-Os` for all, and what the Makefile sets (CORE_OPTIMIZATION_LEVEL, ...).
LEVELS = {"size": ("-Os", "-Os", "-Os"), "makefile": ("-Os", "-O2", "-O2")}
_FOLDERS = (
    *("tensorflow/lite/micro", "tensorflow/lite/micro/arena_allocator", "tensorflow/lite/micro/memory_planner"),
    *("tensorflow/lite/micro/tflite_bridge", "tensorflow/lite/core/api", "tensorflow/lite/core/c"),
    *("tensorflow/lite/kernels", "tensorflow/lite/kernels/internal", "tensorflow/lite/kernels/internal/reference"),
    *("tensorflow/compiler/mlir/lite/core/api", "tensorflow/compiler/mlir/lite/schema"),
)
_KERNEL_FOLDERS = (
    *("tensorflow/lite/micro/kernels", "signal/micro/kernels", "signal/src", "signal/src/kiss_fft_wrappers"),
)
# Headers that nearly every file reads, compiled first: a file then takes a quarter of the time and gives the same code.
_HEADERS = """
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>
#include "tensorflow/lite/schema/schema_generated.h"
#include "tensorflow/lite/micro/micro_context.h"
#include "tensorflow/lite/micro/kernels/kernel_util.h"
#include "tensorflow/lite/kernels/internal/common.h"
#include "tensorflow/lite/kernels/internal/types.h"
"""
# Kernels of the operators that converted Keras models have; with them a build takes a third of the time.
_USUAL = re.compile(
    "(kernel_util|micro_tensor_utils|decode_state.*|lstm_eval|activations|add|arg_min_max|batch_matmul|"
    "concatenation|conv|decode|depthwise_conv|dequantize|elementwise|expand_dims|fully_connected|gather|hard_swish|"
    "leaky_relu|logistic|maximum_minimum|mul|pack|pad|pooling|prelu|quantize|reduce|reshape|resize_bilinear|"
    "resize_nearest_neighbor|shape|slice|softmax|split|squeeze|strided_slice|sub|svdf|tanh|transpose|transpose_conv|"
    "unidirectional_sequence_lstm|unpack)$"
)
# Not of the library: tests and their helpers (the Makefile lists them by name).
_TESTS = ("test", "mock_", "fake_", "benchmark")


@dataclass(frozen=True)
class Sources:
    """Where the code lies.

    Attributes:
        tflm: a checkout of tensorflow/tflite-micro.
        third_party: folder with flatbuffers, gemmlowp, ruy and kissfft, as TFLM's build downloads them.
        cmsis_nn: a checkout of ARM-software/CMSIS-NN.
        cmsis: a checkout of ARM-software/CMSIS_6.
    """

    tflm: Path
    third_party: Path
    cmsis_nn: Path | None = None
    cmsis: Path | None = None


@dataclass(frozen=True)
class Build:
    """One way to compile TFLM: a processor, whose kernels, how optimized (a key of `LEVELS`), and how many kernels.

    `usual` leaves out kernels that converted Keras models seldom need.
    """

    core: str
    kernels: str
    level: str
    usual: bool = False

    @property
    def name(self) -> str:
        """As the build's files are called."""
        return f"{self.core}_{self.kernels}_{self.level}"

    @property
    def flags(self) -> list[str]:
        """What all files are compiled with."""
        return [*CORES[self.core], *COMMON]


def include_flags(sources: Sources) -> list[str]:
    """Where the headers are."""
    third = sources.third_party
    folders = [Path(), third / "gemmlowp", third / "flatbuffers/include", third / "ruy", third / "kissfft"]
    if sources.cmsis_nn and sources.cmsis:
        folders += [sources.cmsis_nn, sources.cmsis_nn / "Include", sources.cmsis, sources.cmsis / "CMSIS/Core/Include"]
    return [f"-I{folder}" for folder in folders]


def compile_library(build: Build, sources: Sources, folder: Path) -> Path:
    """Compiles what is not compiled yet, and returns the archive.

    Files are named relative to TFLM's folder, as its Makefile does: `TF_LITE_ENSURE` puts the name into the program.
    Objects are named by their source and flags, so that builds share them.
    """
    (folder / build.name).mkdir(parents=True, exist_ok=True)
    jobs = [(source, _with_headers(sources, source, flags, folder)) for source, flags in _commands(build, sources)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        objects = list(pool.map(lambda job: compile_file(sources, *job, folder), jobs))
    library = folder / build.name / "libtensorflow-microlite.a"
    library.unlink(missing_ok=True)
    run(["arm-none-eabi-ar", "rcs", str(library), *map(str, objects)])
    return library


def compile_file(sources: Sources, source: Path, flags: Sequence[str], folder: Path) -> Path:
    """Compiles one file, unless its object is there; the object."""
    told = " ".join([str(source), *flags]).encode()
    target = folder / f"{source.stem}-{hashlib.sha256(told).hexdigest()[:8]}.o"
    if not target.exists():
        compiler = "arm-none-eabi-gcc" if source.suffix == ".c" else "arm-none-eabi-g++"
        part = target.with_suffix(".part")
        run([compiler, *flags, *include_flags(sources), "-c", str(source), "-o", str(part)], sources.tflm)
        part.rename(target)
    return target


def _with_headers(sources: Sources, source: Path, flags: list[str], folder: Path) -> list[str]:
    """The flags, with the compiled headers for them."""
    if source.suffix == ".c":
        return flags
    same = [flag for flag in flags if flag != _CMSIS_NN]
    headers = folder / f"headers-{hashlib.sha256(' '.join(same).encode()).hexdigest()[:8]}.h"
    if not headers.with_suffix(".h.gch").exists():
        headers.write_text(_HEADERS)
        made = ["-xc++-header", str(headers), "-o", str(headers.with_suffix(".h.gch"))]
        run(["arm-none-eabi-g++", *same, *include_flags(sources), *made], sources.tflm)
    return [*flags, "-include", str(headers)]


def run(command: Sequence[str], folder: Path | None = None) -> str:
    """What a tool prints; `FileError` with its last lines where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FileError(f"{command[0]} failed: {done.stderr[-1500:]}")
    return done.stdout


def _commands(build: Build, sources: Sources) -> Iterator[tuple[Path, list[str]]]:
    """Every source of the library, and the flags it is compiled with."""
    core, kernels, optimized = LEVELS[build.level]
    for folder in _FOLDERS:
        for path in _code(sources.tflm, folder):
            yield path, [*build.flags, *CXX, core]
    better = {path.name: path for path in _code(sources.tflm, f"tensorflow/lite/micro/kernels/{build.kernels}")}
    for folder in _KERNEL_FOLDERS:
        for path in _code(sources.tflm, folder):
            if build.usual and not (_USUAL.match(path.stem) or path.stem.endswith("_common")):
                continue
            known = better.get(path.name)
            yield known or path, [*build.flags, *CXX, kernels, *([_CMSIS_NN] if known else [])]
    if build.kernels == "cmsis_nn":
        if not (sources.cmsis_nn and sources.cmsis):
            raise FileError("kernels of CMSIS-NN need --cmsis-nn and --cmsis")
        for path in sorted((sources.cmsis_nn / "Source").rglob("*.c")):
            if not path.stem.endswith(("_f16", "_f32", "_flt")):  # as TFLM's ext_libs/cmsis_nn.inc
                yield path, [*build.flags, *C, optimized, "-DARM_NN_ENABLE_F16=0", "-DARM_NN_ENABLE_F32=0"]


def _code(root: Path, folder: str) -> list[Path]:
    return sorted(
        path.relative_to(root) for path in (root / folder).glob("*.cc") if not any(mark in path.name for mark in _TESTS)
    )

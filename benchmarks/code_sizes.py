"""Flash that TFLM's code takes, measured by linking programs: makes converters/microcontroller/code_sizes/*.toml.

    python -m benchmarks.code_sizes --tflm DIR --tflm-commit SHA --third-party DIR \
        --cmsis-nn DIR --cmsis-nn-commit SHA --cmsis DIR --work DIR [--build cortex-m4,reference,size]...

For each operator a program is linked that holds the runtime and this operator, with `--gc-sections`, and the map says
what was kept: functions, tables, strings. What several operators need is one piece, which lists them. The size of any
set of operators is then the size of the union, as the linker would form it. Needs arm-none-eabi-g++; no file of TFLM or
CMSIS-NN is copied.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.link_map import Piece, pieces
from benchmarks.tflm_library import (
    CORES,
    CXX,
    LEVELS,
    Build,
    Sources,
    compile_file,
    compile_library,
    run,
)
from converters import microcontroller
from converters.errors import CompressionError
from converters.microcontroller.operators import resolver_methods
from converters.output import write_whole

HERE = Path(microcontroller.__file__).parent
RESULTS = HERE / "code_sizes"
# Those that are stored, and whether with the usual operators alone.
BUILDS = (
    *(Build("cortex-m0plus", "reference", "size"), Build("cortex-m0plus", "cmsis_nn", "size", usual=True)),
    *(Build("cortex-m4", kernels, "size") for kernels in ("reference", "cmsis_nn")),
    *(Build("cortex-m4", kernels, "makefile", usual=True) for kernels in ("reference", "cmsis_nn")),
    *(
        Build(core, one, "size", usual=True)
        for core in ("cortex-m7", "cortex-m33")
        for one in ("reference", "cmsis_nn")
    ),
    Build("cortex-m55", "cmsis_nn", "size", usual=True),
)
# Operators whose kernels a build with `--usual` has.
USUAL = (
    *("ABS", "ADD", "ARG_MAX", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D"),
    *("DEQUANTIZE", "EXPAND_DIMS", "FULLY_CONNECTED", "GATHER", "HARD_SWISH", "LEAKY_RELU", "LOGISTIC", "MAXIMUM"),
    *("MAX_POOL_2D", "MEAN", "MINIMUM", "MUL", "PACK", "PAD", "PADV2", "PRELU", "QUANTIZE", "REDUCE_MAX", "RELU"),
    *("RELU6", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SHAPE", "SLICE", "SOFTMAX", "SPLIT"),
    *("SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "SVDF", "TANH", "TFLM_DECODE", "TRANSPOSE", "TRANSPOSE_CONV"),
    *("UNIDIRECTIONAL_SEQUENCE_LSTM", "UNPACK"),
)
# Sets that are linked whole, to compare with the union of their operators: those of MLPerf Tiny's four models.
CHECKS = {
    "image classification": ("ADD", "AVERAGE_POOL_2D", "CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX"),
    "keywords": ("AVERAGE_POOL_2D", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX"),
    "anomaly": ("DEQUANTIZE", "FULLY_CONNECTED", "QUANTIZE"),
}
# The same calls as templates/model.cpp.j2; an operator is added by a function that the linker is told to keep.
_PROBE = """
#include <cstddef>
#include <cstdint>
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/micro/system_setup.h"
#include "tensorflow/lite/schema/schema_generated.h"
extern const unsigned char probe_model[];
namespace probe {
using Resolver = tflite::MicroMutableOpResolver<%(count)d>;
alignas(16) std::uint8_t arena[1024];
tflite::MicroInterpreter* interpreter = nullptr;
Resolver* operators = nullptr;
const char* Begin() {
  tflite::InitializeTarget();
  const tflite::Model* model = tflite::GetModel(probe_model);
  if (model->version() != 3) return "the file's schema is not version 3";
  static Resolver resolver;
  operators = &resolver;
  static tflite::MicroInterpreter ours(model, resolver, arena, sizeof(arena));
  if (ours.AllocateTensors() != kTfLiteOk) return "AllocateTensors failed";
  interpreter = &ours;
  return nullptr;
}
bool Invoke() { return interpreter->Invoke() == kTfLiteOk; }
std::size_t InputCount() { return interpreter->inputs_size(); }
void* InputData(std::size_t number) { return interpreter->input(number)->data.raw; }
std::size_t InputBytes(std::size_t number) { return interpreter->input(number)->bytes; }
std::size_t OutputCount() { return interpreter->outputs_size(); }
const void* OutputData(std::size_t number) { return interpreter->output(number)->data.raw; }
std::size_t OutputBytes(std::size_t number) { return interpreter->output(number)->bytes; }
std::size_t ArenaUsedBytes() { return interpreter->arena_used_bytes(); }
}
"""
_ADD = 'extern "C" bool probe_{0}() {{ return probe::operators->{0}() == kTfLiteOk; }}\n'
_MAIN = """
#include <cstddef>
extern const unsigned char probe_model[4] = {1, 2, 3, 4};
namespace probe {
const char* Begin(); bool Invoke(); std::size_t InputCount(); void* InputData(std::size_t);
std::size_t InputBytes(std::size_t); std::size_t OutputCount(); const void* OutputData(std::size_t);
std::size_t OutputBytes(std::size_t); std::size_t ArenaUsedBytes();
}
volatile std::size_t sink;
int main() {
  if (probe::Begin() != nullptr || probe::InputCount() != 1 || probe::OutputCount() != 1) return 1;
  *static_cast<unsigned char*>(probe::InputData(0)) = static_cast<unsigned char>(probe::InputBytes(0));
  sink = probe::ArenaUsedBytes();
  const bool ran = probe::Invoke();
  sink = *static_cast<const unsigned char*>(probe::OutputData(0)) + probe::OutputBytes(0);
  return ran ? 0 : 1;
}
"""
_C_LIBRARY = re.compile(r"/lib(c|m|gcc|stdc\+\+|nosys)\.a\(")
# What belongs to the application, not to TFLM.
_APPLICATION = ("main.o", "startup.o")


@dataclass(frozen=True)
class Linker:
    """Links probes for one build in `folder`; `methods` are those of the resolver, by operator."""

    build: Build
    sources: Sources
    library: Path
    folder: Path
    methods: Mapping[str, str]

    def prepare(self) -> None:
        """Compiles what all probes share, with the levels of an application."""
        probe = _PROBE % {"count": len(self.methods)} + "".join(_ADD.format(m) for m in set(self.methods.values()))
        texts = {"probe": probe, "main": _MAIN, "startup": (HERE / "formats/cmake/startup.cpp.j2").read_text()}
        for name, text in texts.items():
            source = self.folder / f"{name}.cpp"
            source.write_text(text)
            made = compile_file(self.sources, source, [*self.build.flags, *CXX, "-Os"], self.folder)
            made.rename(self.folder / f"{name}.o")

    def link(self, operators: Sequence[str], *, nano: bool = False) -> tuple[frozenset[Piece], int]:
        """Pieces of TFLM and the C library in a program with these operators; bytes of the whole program in flash.

        With `nano` the C library is newlib's smaller variant.
        """
        program = self.folder / f"{'-'.join(operators)[:60]}.elf"  # several are linked at a time
        found = program.with_suffix(".map")
        objects = [str(self.folder / f"{name}.o") for name in ("main", "startup", "probe")]
        kept = [f"-Wl,--undefined=probe_{self.methods[name]}" for name in operators]
        script = HERE / "formats/cmake/mps2.ld.j2"
        specs = ["-specs=nano.specs", "-specs=nosys.specs"] if nano else ["-specs=nosys.specs"]
        flags = ["-mthumb", *CORES[self.build.core], "-nostartfiles", *specs, "-Wl,--gc-sections"]
        where = [f"-Wl,-T,{script}", f"-Wl,-Map={found}", "-o", str(program)]
        run(["arm-none-eabi-g++", *flags, *kept, *objects, str(self.library), "-lm", *where])
        text, data = run(["arm-none-eabi-size", str(program)]).splitlines()[1].split()[:2]
        ours = frozenset(piece for piece in pieces(found) if not piece.origin.endswith(_APPLICATION))
        return ours, int(text) + int(data)


def size_of(found: Iterable[Piece]) -> int:
    """Bytes of all pieces together."""
    return sum(piece.bytes for piece in found)


def grouped(runtime: Collection[Piece], by_operator: Mapping[str, Collection[Piece]]) -> Mapping[tuple[str, ...], int]:
    """Bytes by who needs them: the operators of which any one brings a piece, without what the runtime has anyway."""
    needed_by: dict[Piece, list[str]] = {}
    for operator in sorted(by_operator):
        for piece in set(by_operator[operator]) - set(runtime):
            needed_by.setdefault(piece, []).append(operator)
    sizes: Counter[tuple[str, ...]] = Counter()
    for piece, operators in needed_by.items():
        sizes[tuple(operators)] += piece.bytes
    return sizes


def measure(build: Build, sources: Sources, work: Path, commits: Mapping[str, str]) -> str:
    """The TOML text for one build."""
    library = compile_library(build, sources, work)
    linker = Linker(build, sources, library, work / build.name, _methods(sources, USUAL if build.usual else None))
    linker.prepare()
    runtime, whole = linker.link(())
    application = whole - size_of(runtime)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        alone = pool.map(lambda name: linker.link([name])[0], linker.methods)
        by_operator = dict(zip(linker.methods, alone, strict=True))
    groups = grouped(runtime, by_operator)
    checks = {}
    for title, names in {**CHECKS, "all": tuple(linker.methods)}.items():
        united = size_of(runtime) + sum(size for needs, size in groups.items() if set(needs) & set(names))
        checks[title] = (united, linker.link(names)[1] - application)
        print(f"{build.name}: {title}: union {checks[title][0]}, linked {checks[title][1]}", file=sys.stderr)
    c_library = size_of(piece for piece in runtime if _C_LIBRARY.search(piece.origin))
    told = {"bytes": size_of(runtime), "c_library_bytes": c_library}
    told["nano_saves_bytes"] = whole - linker.link((), nano=True)[1]
    return _toml(_facts(build, sources, commits), told, groups, checks)


def _methods(sources: Sources, only: Collection[str] | None) -> dict[str, str]:
    """Operator -> method, of those that this TFLM has, or of the ones named."""
    header = (sources.tflm / "tensorflow/lite/micro/micro_mutable_op_resolver.h").read_text()
    every = {**resolver_methods()["builtin"], **resolver_methods()["custom"]}
    return {name: method for name, method in every.items() if f" {method}(" in header and name in (only or every)}


def _facts(build: Build, sources: Sources, commits: Mapping[str, str]) -> dict[str, object]:
    core, kernels, optimized = LEVELS[build.level]
    levels = f"runtime {core}, kernels {kernels}" + (f", CMSIS-NN {optimized}" if build.kernels == "cmsis_nn" else "")
    source = f"github.com/tensorflow/tflite-micro at {commits['tflm']}"
    if build.kernels == "cmsis_nn":
        source += f", github.com/ARM-software/CMSIS-NN at {commits['cmsis_nn']}"
    newlib = run(["arm-none-eabi-g++", *CORES[build.core], "-E", "-dM", "-include", "newlib.h", "-xc++", "/dev/null"])
    version = next(line.split()[2].strip('"') for line in newlib.splitlines() if "define _NEWLIB_VERSION " in line)
    return {
        "core": build.core,
        "kernels": build.kernels,
        "optimization": build.level,
        "levels": levels,
        "compiler": run(["arm-none-eabi-g++", "--version"]).splitlines()[0],
        "c_library": f"newlib {version}",
        "flags": " ".join([*build.flags, *CXX]),
        "source": source,
    }


def _toml(
    facts: Mapping[str, object],
    runtime: Mapping[str, int],
    groups: Mapping[tuple[str, ...], int],
    checks: Mapping[str, tuple[int, int]],
) -> str:
    lines = ["# Generated by `python -m benchmarks.code_sizes`; not edited by hand. All sizes are bytes of flash."]
    lines += [f'{key} = "{value}"' for key, value in facts.items()]
    lines += ["", "[runtime]", *(f"{key} = {value}" for key, value in runtime.items())]
    lines += ["", "# Sets linked whole: [what the pieces below add up to, what the linker made].", "[checks]"]
    lines += [f'"{title}" = [{united}, {linked}]' for title, (united, linked) in checks.items()]
    lines += ["", "# Brought by one operator alone.", "[own]"]
    lines += [f"{needs[0]} = {size}" for needs, size in sorted(groups.items()) if len(needs) == 1]
    lines += ["", "# Brought once by any of several."]
    for needs, size in sorted(groups.items()):
        if len(needs) > 1:
            lines += ["[[shared]]", f"bytes = {size}", f'operators = "{" ".join(needs)}"']
    return "\n".join(lines) + "\n"


def _sources(arguments: argparse.Namespace) -> Sources:
    folders = (arguments.tflm, arguments.third_party, arguments.cmsis_nn, arguments.cmsis)
    return Sources(*(folder and folder.resolve() for folder in folders))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tflm", "third-party", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("cmsis-nn", "cmsis"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--tflm-commit", required=True)
    parser.add_argument("--cmsis-nn-commit", default="")
    parser.add_argument("--build", action="append", metavar="CORE,KERNELS,LEVEL")
    parser.add_argument(
        "--usual", action="store_true", help="with --build: only the operators that converted models usually have"
    )
    arguments = parser.parse_args()
    commits = {"tflm": arguments.tflm_commit, "cmsis_nn": arguments.cmsis_nn_commit}
    asked = [Build(*text.split(","), usual=arguments.usual) for text in arguments.build or ()]
    for build in asked or BUILDS:
        told = measure(build, _sources(arguments), arguments.work.resolve(), commits)
        RESULTS.mkdir(exist_ok=True)
        write_whole(RESULTS / f"{build.name}.toml", told.encode(), force=True)


if __name__ == "__main__":
    try:
        main()
    except CompressionError as error:
        sys.exit(str(error))

"""Flash of TFLM's code: what the linker made of sets of operators, and what is told of what was not measured."""

from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest
from bundle_checks import compiler

from benchmarks.code_sizes import BUILDS as MADE
from benchmarks.code_sizes import USUAL, grouped, size_of
from benchmarks.link_map import Piece, pieces
from converters.errors import UsageError
from converters.microcontroller.code_size import Measured, code_size, measured
from converters.microcontroller.operators import resolver_methods

IMAGES = ("ADD", "AVERAGE_POOL_2D", "CONV_2D", "FULLY_CONNECTED", "RESHAPE", "SOFTMAX")
BUILDS = [pytest.param(found, id="-".join(key)) for key, found in measured().items()]


@pytest.mark.parametrize("found", BUILDS)
def test_the_pieces_add_up_to_what_the_linker_made(found: Measured) -> None:
    assert len(found.checks) >= 4
    for title, (united, linked) in found.checks.items():
        assert united == pytest.approx(linked, abs=400), title


@pytest.mark.parametrize("found", BUILDS)
def test_the_operators_of_models_were_measured_everywhere_and_all_on_the_cortex_m4(found: Measured) -> None:
    every = {*resolver_methods()["builtin"], *resolver_methods()["custom"]}
    assert set(USUAL) <= found.operators <= every
    if (found.facts["core"], found.facts["optimization"]) == ("cortex-m4", "size"):
        assert found.operators == every


def test_the_script_makes_every_size_that_is_stored() -> None:
    assert {(one.core, one.kernels, one.level) for one in MADE} == set(measured())
    for one in MADE:
        assert one.usual == (measured()[one.core, one.kernels, one.level].operators == set(USUAL)), one.name


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33"])
@pytest.mark.parametrize("kernels", ["reference", "cmsis_nn"])
def test_common_processors_were_measured_with_either_kernels(core: str, kernels: str) -> None:
    told = code_size(IMAGES, core=core, kernels=kernels)
    assert (told.how, f"linked for {core} " in told.source) == ("measured", True)


def test_processors_without_an_fpu_take_more() -> None:
    """A Cortex-M0+ has no instructions for floats, which the C library's functions replace."""
    for kernels in ("reference", "cmsis_nn"):
        small = code_size(IMAGES, core="cortex-m0plus", kernels=kernels)
        others = [code_size(IMAGES, core=core, kernels=kernels) for core in ("cortex-m4", "cortex-m7", "cortex-m33")]
        assert small.c_library_bytes > max(one.c_library_bytes for one in others)


def test_what_several_operators_need_is_there_once() -> None:
    both = code_size(["CONV_2D", "DEPTHWISE_CONV_2D"])
    apart = [code_size([name]) for name in ("CONV_2D", "DEPTHWISE_CONV_2D")]
    assert max(one.operators_bytes for one in apart) < both.operators_bytes
    assert both.operators_bytes < sum(one.operators_bytes for one in apart)
    assert {one.runtime_bytes for one in (both, *apart)} == {both.runtime_bytes}


@pytest.mark.parametrize("kernels", ["reference", "cmsis_nn"])
def test_operators_add_up_and_more_of_them_never_take_less(kernels: str) -> None:
    sizes = [code_size(IMAGES[:count], kernels=kernels) for count in range(len(IMAGES) + 1)]
    assert sizes[0].operators_bytes == 0
    for less, more in itertools.pairwise(sizes):
        assert less.operators_bytes <= more.operators_bytes
        assert sum(more.by_operator.values()) == more.operators_bytes
        assert more.total_bytes == more.runtime_bytes + more.operators_bytes
        assert more.how == "measured"


def test_order_and_repetition_do_not_matter() -> None:
    assert code_size(IMAGES) == code_size([*reversed(IMAGES), "CONV_2D"])


def test_an_operator_measured_on_another_processor_alone_takes_what_it_takes_there() -> None:
    partly = [found for key, found in measured().items() if key[2] == "size" and "CEIL" not in found.operators]
    assert partly
    for found in partly:
        told = code_size(["CEIL"], **{key: found.facts[key] for key in ("core", "kernels", "optimization")})
        assert told.how == "estimated"
        assert told.by_operator == code_size(["CEIL"], kernels=found.facts["kernels"]).by_operator
        assert any("CEIL" in note and "cortex-m4" in note for note in told.notes)


def test_an_operator_that_was_not_measured_is_named_and_not_free() -> None:
    without, told = code_size(["CONV_2D"]), code_size(["CONV_2D", "MY_OPERATOR"])
    assert told.how == "estimated"
    assert any("MY_OPERATOR" in note and "median" in note for note in told.notes)
    assert told.by_operator["MY_OPERATOR"] > 0
    assert told.operators_bytes == without.operators_bytes + told.by_operator["MY_OPERATOR"]


@pytest.mark.parametrize(
    ("core", "nearest"),
    [
        ("cortex-m0", "cortex-m0plus"),
        ("cortex-m3", "cortex-m4"),
        ("cortex-m85", "cortex-m55"),
        ("riscv32imc", "cortex-m4"),
        ("xtensa-lx7", "cortex-m4"),
    ],
)
def test_a_processor_that_was_not_measured_is_estimated_by_a_near_one(core: str, nearest: str) -> None:
    kernels = "cmsis_nn" if nearest == "cortex-m55" else "reference"
    told, same = code_size(IMAGES, core=core, kernels=kernels), code_size(IMAGES, core=nearest, kernels=kernels)
    assert (told.how, same.how) == ("estimated", "measured")
    assert told.total_bytes == same.total_bytes
    assert any(core in note and nearest in note for note in told.notes)


def test_names_of_processors_and_kernels_are_taken_as_people_write_them() -> None:
    assert code_size(IMAGES, core="Cortex-M0+") == code_size(IMAGES, core="cortex-m0plus")
    assert code_size(IMAGES, core="cortex-m4f", kernels="cmsis-nn") == code_size(IMAGES, kernels="cmsis_nn")


def test_kernels_that_were_not_measured_are_told() -> None:
    told = code_size(IMAGES, kernels="esp_nn")
    assert told.how == "estimated"
    assert any("esp_nn" in note for note in told.notes)


def test_an_unknown_optimization_is_refused() -> None:
    with pytest.raises(UsageError, match=r"'fast'; choose makefile or size"):
        code_size(IMAGES, optimization="fast")


def test_kernels_of_cmsis_nn_and_of_higher_levels_are_larger() -> None:
    plain = code_size(IMAGES).operators_bytes
    assert code_size(IMAGES, kernels="cmsis_nn").operators_bytes > plain
    assert code_size(IMAGES, optimization="makefile").operators_bytes > plain


LIBRARY = {
    "common.cpp": "int common(int x) { int y = 1; for (int i = 2; i < x; ++i) y = y * i + x; return y; }",
    "one.cpp": '#include "both.h"\nint one(int x) { say("told by both"); return twice(common(x)) + 1; }',
    "two.cpp": '#include "both.h"\nint two(int x) { say("told by both"); say("by two"); return twice(common(x + 5)); }',
    "both.h": "void say(const char*); int common(int);\n"
    "__attribute__((noinline)) inline int twice(int x) { volatile int y = x; return y + y; }",
    "say.cpp": "volatile const char* said; void say(const char* text) { said = text; }",
}
MAIN = 'extern "C" void _start() {}  // what is kept besides is asked for by name'


def test_the_union_of_two_programs_is_the_program_with_both(tmp_path: Path) -> None:
    gcc = compiler("arm-none-eabi-g++")
    flags = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffunction-sections", "-fdata-sections", "-fno-unwind-tables"]
    flags += ["-fno-asynchronous-unwind-tables", "-fno-exceptions"]
    for name, text in {**LIBRARY, "main.cpp": MAIN}.items():
        (tmp_path / name).write_text(text)
    sources = [name for name in LIBRARY if name.endswith(".cpp")]
    subprocess.run([gcc, *flags, "-c", *sources, "main.cpp"], cwd=tmp_path, check=True)
    objects = [name.replace(".cpp", ".o") for name in sources]
    subprocess.run(["arm-none-eabi-ar", "rcs", "library.a", *objects], cwd=tmp_path, check=True)

    def linked(*names: str) -> tuple[frozenset[Piece], int]:
        kept = [f"-Wl,--undefined=_Z3{name}i" for name in names]
        where = [f"{tmp_path}/main.o", f"{tmp_path}/library.a", "-Wl,-Map=map", "-o", "elf"]
        link = [gcc, *flags, "-nostdlib", "-Wl,--gc-sections", *kept, *where]
        subprocess.run(link, cwd=tmp_path, check=True)
        size = subprocess.run(["arm-none-eabi-size", "elf"], cwd=tmp_path, check=True, capture_output=True, text=True)
        return pieces(tmp_path / "map"), sum(map(int, size.stdout.splitlines()[1].split()[:2]))

    none, one, two, both = linked(), linked("one"), linked("two"), linked("one", "two")
    for found, size in (none, one, two, both):
        assert size_of(found) == pytest.approx(size, abs=8)
    assert one[0] | two[0] == both[0]
    groups = grouped(none[0], {"one": one[0], "two": two[0]})
    assert set(groups) == {("one",), ("two",), ("one", "two")}
    assert size_of(none[0]) + sum(groups.values()) == size_of(both[0])

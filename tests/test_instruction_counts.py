"""The stored instruction counts: each row is whole, fits its shapes, and says what is physically possible."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest

from benchmarks.instruction_counts.__main__ import BUILDS, RESULT, merged
from benchmarks.instruction_counts.build import MACHINES
from benchmarks.instruction_counts.emulator import CLASSES
from benchmarks.instruction_counts.vintage import IN_2021, NOW, VINTAGES, Vintage, vintage_of
from converters.flatbuffer.macs import macs_of

TOLD = json.loads(RESULT.read_text(encoding="utf-8"))
ROWS: list[dict[str, Any]] = TOLD["rows"]
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["core"], row["kernels"], row["build"], row["model"], row["operator"]


def test_the_file_says_how_and_with_what_it_was_made() -> None:
    assert TOLD["how"] == "simulated"
    assert "docs/instruction_counts.md" in TOLD["source"]
    for vintage in VINTAGES:
        for name in ("tflm", "cmsis_nn"):
            assert re.fullmatch("[0-9a-f]{40}", TOLD[name + vintage.suffix])
        told = TOLD["flags"][f"builds{vintage.suffix}"]
        assert told == json.loads(json.dumps(vintage.builds)), "the builds' flags have changed since the counts"


def test_every_row_belongs_to_a_known_build_and_model() -> None:
    for row in ROWS:
        assert row["core"] in MACHINES
        vintage = vintage_of(row["kernels"])
        assert row["kernels"].removesuffix(vintage.suffix) in ("reference", "cmsis-nn")
        assert row["build"] in vintage.builds
        assert re.fullmatch("[0-9a-f]{64}", TOLD["models"][row["model"]])
    assert len({_key(row) for row in ROWS}) == len(ROWS)
    assert [_key(row) for row in ROWS] == sorted(_key(row) for row in ROWS)


def test_the_script_makes_every_build_that_is_stored() -> None:
    assert {",".join((row["core"], row["kernels"], row["build"])) for row in ROWS} == {*BUILDS["now"], *BUILDS["2021"]}
    for vintage, suffix in (("now", ""), ("2021", "-2021")):
        assert {vintage_of(build.split(",")[1]).suffix for build in BUILDS[vintage]} == {suffix}


def test_macs_follow_from_the_shapes() -> None:
    for row in ROWS:
        assert row["macs"] == macs_of(row["name"], row["options"], row["inputs"], row["outputs"]), _key(row)


def test_classes_are_parts_of_all_instructions() -> None:
    for row in ROWS:
        assert row["instructions"] > 0, _key(row)
        assert all(row[name] >= 0 for name in CLASSES), _key(row)
        # One that loads or stores many registers counts once for each, so only the others have a bound.
        assert row["branches"] + row["multiplies"] + row["divides"] <= row["instructions"], _key(row)


def test_kernels_read_what_they_multiply() -> None:
    """Two loads and a multiply-accumulate for each product, unless several come in a word or a vector."""
    for row in ROWS:
        if row["kernels"].startswith("reference") and row["dtype"] == "int8" and row["core"] == "rv32imc":
            # Padding is not multiplied: of a convolution's products a quarter is left in the smallest images.
            assert row["multiplies"] >= row["macs"] / 4, _key(row)
            assert row["loads"] >= row["macs"] / 2, _key(row)


def _is_own(row: dict[str, Any]) -> bool:
    """Whether CMSIS-NN had a kernel for it: TFLM of 2021 gave dilated convolutions to the reference kernels."""
    dilated = row["options"]["dilation_h_factor"] > 1
    return not (dilated and vintage_of(row["kernels"]) is IN_2021)


@pytest.mark.parametrize("vintage", VINTAGES, ids=["now", "2021"])
def test_cmsis_nn_takes_fewer_instructions_than_the_reference_in_convolutions(vintage: Vintage) -> None:
    found: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for row in ROWS:
        wanted = row["name"] in _CONVOLUTIONS and row["input_dtype"] == "int8"
        if wanted and vintage_of(row["kernels"]) is vintage and _is_own(row):
            core, kernels, *where = _key(row)
            found[(core, *where)][kernels.removesuffix(vintage.suffix)] = row["instructions"]
    pairs = {where: counts for where, counts in found.items() if len(counts) == 2}
    assert pairs
    assert not {where for where, counts in pairs.items() if counts["reference"] < counts["cmsis-nn"]}


def test_checks_cost_instructions() -> None:
    """TFLM's checks of every index run unless NDEBUG is defined."""
    found: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in ROWS:
        if row["name"] == "CONV_2D" and row["dtype"] == "int8" and row["kernels"].startswith("reference"):
            found[(row["core"], row["kernels"], row["model"], row["build"])] += row["instructions"]
    checked = [(*where[:3], "release") for where in found if where[3] == "default" and (*where[:3], "release") in found]
    assert checked
    assert all(found[(*where[:3], "default")] > 2 * found[where] for where in checked)


def test_a_new_run_replaces_the_rows_of_its_model_and_build_alone() -> None:
    told = {"rows": [row for row in ROWS if row["model"] in ("ic", "kws")]}
    new = [row for row in told["rows"] if _key(row)[:4] == ("cortex-m4", "reference", "release", "ic")][:1]
    kept = merged(told, new, "ic", "cortex-m4,reference,release")
    gone = {_key(row) for row in told["rows"]} - {_key(row) for row in kept}
    assert gone
    assert {where[:4] for where in gone} == {("cortex-m4", "reference", "release", "ic")}


def test_the_year_is_part_of_the_kernels_name() -> None:
    assert vintage_of("reference") is vintage_of("cmsis-nn") is NOW
    assert vintage_of("reference-2021") is vintage_of("cmsis-nn-2021") is IN_2021

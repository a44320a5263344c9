"""What users rely on: an estimate rests on published measurements, says on which, and is for the device's runtime."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cost_model import fit
from benchmarks.cost_model.measurements import HERE, latencies, models
from converters.errors import UsageError
from tfcompress.benchmark.estimate.cost_model.instructions import coefficients_of, counted_on, instructions
from tfcompress.benchmark.estimate.cost_model.kinship import VARIANCES, System
from tfcompress.benchmark.estimate.cost_model.predict import Anchor, Estimate, predict
from tfcompress.benchmark.estimate.cost_model.prices import Prices, as_plain, from_plain, prices
from tfcompress.benchmark.estimate.cost_model.systems import engines, system_of
from tfcompress.benchmark.estimate.cost_model.work import DECODE, KINDS, Work, fingerprint, work_from_shapes
from tfcompress.targets import cores, devices, target

MLPERF = ("ad", "ic", "kws", "vww")
# Of each kind one target: a board with the kernels measured there, one whose core was measured, one with neither.
TARGETS = ("nucleo-l4r5zi", "rx65n-cloud-kit", "esp32-s3-devkitc-1", "teensy-4-1", "raspberry-pi-pico", "ek-ra8m1")
WHAT_THE_CLOCK_IS = 100e6


def published() -> list[dict[str, str]]:
    with (HERE / "published.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def system(name: str) -> System:
    return system_of(target(name))


def estimate(model: str, name: str, *anchors: Anchor, by: Prices | None = None) -> Estimate:
    found = target(name)
    return predict(models()[model], system_of(found), found.device.clock_hz, anchors=anchors, by=by)


def factor(one: Estimate) -> float:
    """How wide its interval is: 1.2 for 20 % up."""
    return one.high_ms / one.latency_ms


# --- what it was fitted on --------------------------------------------------------------------------------------


def test_every_published_latency_has_a_source_a_board_a_known_core_and_a_known_model() -> None:
    rows = published()
    assert len(rows) > 250
    for row in rows:
        assert row["source"] and row["system"] and row["board"] and row["file"] is not None, row
        assert row["kind"] in ("cpu", "accelerator") and row["core"] in cores() and row["model"] in models(), row
        assert 0 < float(row["latency_ms"]) < 1e5 and 10 < float(row["clock_mhz"]) < 2000, row
        assert 2019 < float(row["year"]) < 2027 and row["family"] and row["library"], row
        assert not row["energy_uj"] or float(row["energy_uj"]) > 0, row


def test_no_published_latency_stands_there_twice() -> None:
    keys = [(row["system"], row["model"], row["latency_ms"]) for row in published()]
    assert len(keys) == len(set(keys))


def test_one_board_has_one_core_and_a_system_one_board_runtime_and_clock() -> None:
    told: dict[str, set[tuple[str, ...]]] = {}
    for row in published():
        of_system = tuple(row[key] for key in ("board", "core", "clock_mhz", "family", "library", "kind", "year"))
        told.setdefault(row["system"], set()).add(of_system)
    assert {name: found for name, found in told.items() if len(found) != 1} == {}


def test_every_published_latency_is_used_or_its_accelerator_is_why_not() -> None:
    used = [latency for latency in latencies() if fit.usable(latency)]
    assert len(latencies()) == len(published())
    left_out = [latency for latency in latencies() if latency not in used]
    assert left_out and all(latency.kind == "accelerator" for latency in left_out)
    assert len(prices().measured.points) == len(prices().measured.residuals) == len(used)
    for point, residual, latency in zip(prices().measured.points, prices().measured.residuals, used, strict=True):
        assert (point.system, point.model) == (latency.system, fingerprint(models()[latency.model]))
        assert math.isfinite(residual) and abs(residual) < 3  # within a factor of 20 of the counted instructions


def test_boards_that_are_packaged_devices_are_published_with_the_devices_core_and_clock() -> None:
    """Else a prediction of a board would be of another one than was measured."""
    known = {name: target(name).device for name in devices()}
    checked = 0
    for row in published():
        if device := known.get(row["board"]):
            assert row["core"] == device.core.name, row
            checked += 1
    assert checked > 150


@pytest.fixture(scope="module")
def made_again() -> Prices:
    """What the script makes of the measurements, as the packaged file would be read back."""
    return from_plain(json.loads(json.dumps(fit.made())))


def test_the_packaged_prices_are_what_the_script_makes_of_the_measurements(made_again: Prices) -> None:
    """Linear algebra and optimizers differ a little between machines, in the last digits that are stored and more."""
    packaged = prices()
    assert made_again.source == packaged.source
    for library, sets in packaged.counts.items():
        for core, coefficients in sets.items():
            for kind, weights in coefficients.items():
                again = made_again.counts[library][core][kind]
                assert again == pytest.approx(weights, rel=5e-3, abs=1e-3), (library, core, kind)
    for again, one in zip(made_again.measured.points, packaged.measured.points, strict=True):
        assert (again.system, again.model) == (one.system, one.model)
        assert again.shares == pytest.approx(one.shares, abs=2e-3)
    assert made_again.measured.residuals == pytest.approx(packaged.measured.residuals, abs=5e-3)
    assert all(set(one) == set(VARIANCES) for one in (*made_again.variances, *packaged.variances))
    for name in (*TARGETS, "xg24-dk2601b", "stm32n6570-dk", "pcl-scepu02", "gap9-evk"):
        for model in MLPERF:
            ours, theirs = estimate(model, name), estimate(model, name, by=made_again)
            assert theirs.latency_ms == pytest.approx(ours.latency_ms, rel=0.02), (name, model)
            assert factor(theirs) == pytest.approx(factor(ours), rel=0.03), (name, model)


def test_prices_survive_their_file() -> None:
    again = from_plain(json.loads(json.dumps(as_plain(prices()))))
    assert again.measured == prices().measured and again.variances == prices().variances


def test_no_variance_is_negative_and_no_coefficient_pays_for_work() -> None:
    assert all(value > 0 for one in prices().variances for value in one.values())
    assert {"unanchored", "anchored"} <= set(prices().widening)
    assert all(0 < value < 10 for value in prices().widening.values())
    for library, sets in prices().counts.items():
        for core, coefficients in sets.items():
            assert all(weight >= 0 for weights in coefficients.values() for weight in weights), (library, core)
            assert all(sum(weights) > 0 for weights in coefficients.values()), (library, core)
            assert set(KINDS) - {"other"} <= set(coefficients), (library, core)


# --- instructions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", devices())
def test_every_device_has_a_core_whose_instructions_were_counted(name: str) -> None:
    for runtime in (target(name).device.runtime, *target(name).device.also):
        found = target(f"{name}:{runtime}")
        coefficients = coefficients_of(
            prices().counts, found.runtime.family, counted_on(found.device.core, found.runtime.family)
        )
        assert set(KINDS) - {"other"} <= set(coefficients)


def test_optimized_kernels_take_fewer_instructions_than_the_reference_ones_wherever_both_were_counted() -> None:
    for core in prices().counts["cmsis-nn"]:
        if core in prices().counts["reference"]:
            for model in MLPERF:
                totals = [
                    sum(instructions(work, prices().counts[library][core]) for work in models()[model])
                    for library in ("cmsis-nn", "reference")
                ]
                assert totals[0] < totals[1], (core, model)


def test_an_encoding_has_a_price_of_its_own_on_every_counted_processor() -> None:
    for library in ("reference", "cmsis-nn"):
        for core, coefficients in prices().counts[library].items():
            if core != "p-extension":
                found = {name for name in coefficients if name.startswith(f"{DECODE}/")}
                assert found == {f"{DECODE}/{encoding}" for encoding in ("lut", "prune", "huffman")}, (library, core)


def test_a_larger_core_of_the_same_maker_needs_less_time_at_the_same_clock() -> None:
    for model in MLPERF:
        times = [
            predict(models()[model], system(name), WHAT_THE_CLOCK_IS).latency_ms
            for name in ("raspberry-pi-pico", "nucleo-l4r5zi", "nucleo-h743zi2")
        ]
        assert times == sorted(times, reverse=True), model


# --- an estimate ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("model", MLPERF)
def test_an_estimate_has_an_interval_a_basis_and_parts_that_sum_up(name: str, model: str) -> None:
    found = estimate(model, name)
    assert 0 < found.low_ms < found.latency_ms < found.high_ms < 10 * found.latency_ms
    assert found.high_ms / found.latency_ms == pytest.approx(found.latency_ms / found.low_ms)
    assert sum(cost.share for cost in found.operators) == pytest.approx(1)
    assert sum(cost.milliseconds for cost in found.operators) == pytest.approx(found.latency_ms)
    assert tuple(cost.work for cost in found.operators) == models()[model]
    assert all(cost.share >= 0 for cost in found.operators)
    assert found.cycles == pytest.approx(found.latency_ms / 1000 * target(name).device.clock_hz)
    assert prices().source in found.basis


def test_most_of_the_time_of_a_convolutional_network_goes_to_what_multiplies() -> None:
    found = estimate("ic", "nucleo-l4r5zi")
    assert sum(cost.share for cost in found.operators if cost.work.macs) > 0.8
    largest = max(found.operators, key=lambda cost: cost.share)
    assert largest.work.macs == max(work.macs for work in models()["ic"])


@pytest.mark.parametrize("name", TARGETS)
def test_the_basis_says_how_many_published_latencies_stand_behind_an_estimate(name: str) -> None:
    """Counted anew from the table: those of the same kernels on this board, else on this core, else anywhere."""
    found, one = estimate("kws", name), target(name)
    rows = [row for row in published() if row["kind"] == "cpu" and row["library"] == one.runtime.family]
    board = [row for row in rows if row["board"] == one.device.name]
    core = [row for row in rows if row["core"] == one.device.core.name]
    expected = board or core or rows
    words = "this board" if board else one.device.core.name if core else "other cores"
    assert found.points == len(expected) > 0
    assert found.basis.startswith(f"{len(expected)} published latenc") and words in found.basis.split(";")[0]


def test_a_measured_core_is_known_better_than_one_of_which_no_maker_tells_anything() -> None:
    known = system("nucleo-l4r5zi")
    core = replace(known, board="a board of mine", name="mine")
    unknown = replace(core, core="a core of mine", published=False)
    widths = [factor(predict(models()["kws"], one, WHAT_THE_CLOCK_IS)) for one in (known, core, unknown)]
    assert widths[0] <= widths[1] < widths[2]


def test_a_board_in_the_data_is_estimated_near_what_was_published_of_it_with_that_runtime() -> None:
    """Of a runtime of that age: a newer one may be faster or slower, which the interval is for."""
    checked, errors = 0, []
    for latency in latencies():
        if latency.kind == "cpu" and latency.source.startswith("MLPerf"):
            own = replace(latency.system, name=f"a re-run of {latency.system.name}")
            told = predict(models()[latency.model], own, WHAT_THE_CLOCK_IS)
            errors.append(abs(told.cycles / latency.cycles - 1))
            checked += 1
    assert checked >= 200
    assert sum(error < 0.15 for error in errors) / checked > 0.95
    assert sum(errors) / checked < 0.06


@pytest.mark.parametrize(
    "name",
    ["rx65n-cloud-kit", "disco-f746ng", "xg24-dk2601b", "esp32-s3-devkitc-1", "esp32-devkitc", "esp32-c3-devkitm-1"],
)
def test_a_target_that_was_measured_with_its_runtime_is_estimated_as_its_newest_release_was(name: str) -> None:
    own = system(name)
    of_runtime = [one for one in latencies() if (one.system.board, one.system.family) == (name, own.family)]
    newest = max(one.system.year for one in of_runtime)
    found = [one for one in of_runtime if one.system.year == newest]
    assert found
    for latency in found:
        told = predict(models()[latency.model], own, WHAT_THE_CLOCK_IS)
        assert told.cycles == pytest.approx(latency.cycles, rel=0.15), latency.model


def test_a_file_without_an_operator_cannot_be_estimated() -> None:
    with pytest.raises(UsageError, match="no operator"):
        predict((), system("nucleo-l4r5zi"), WHAT_THE_CLOCK_IS)


def test_an_operator_that_was_never_counted_is_named_in_a_note() -> None:
    strange = Work("MY_OWN", "layer", "other", 0, 1000, 0, 0, 1000)
    found = predict((*models()["kws"], strange), system("nucleo-l4r5zi"), WHAT_THE_CLOCK_IS)
    assert len(found.notes) == 1 and "MY_OWN" in found.notes[0] and "ADD" in found.notes[0]
    assert not estimate("kws", "nucleo-l4r5zi").notes


# --- anchors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("times", "off"), [(0.4, 0.08), (0.7, 0.03), (1.5, 0.03), (3.0, 0.08)])
def test_what_the_board_measured_of_the_same_file_is_the_estimate_and_narrows_the_interval(
    name: str, times: float, off: float
) -> None:
    """Nearly so where it contradicts by a large factor what others published of that very board and file."""
    before = estimate("kws", name)
    measured = before.latency_ms * times
    after = estimate("kws", name, Anchor(models()["kws"], measured, "mine"))
    assert after.latency_ms == pytest.approx(measured, rel=off)
    assert factor(after) < factor(before) and factor(after) < 1.15
    assert after.points == before.points + 1
    assert after.basis.startswith("1 measurement of your own (mine); ")


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("model", MLPERF)
@pytest.mark.parametrize("other", MLPERF)
def test_what_the_board_measured_of_another_file_moves_the_estimate_towards_it(
    name: str, model: str, other: str
) -> None:
    if model == other:
        return
    plain, far = estimate(model, name), estimate(other, name).latency_ms
    slow = estimate(model, name, Anchor(models()[other], 1.5 * far, "slow"))
    fast = estimate(model, name, Anchor(models()[other], far / 1.5, "fast"))
    assert fast.latency_ms < plain.latency_ms < slow.latency_ms < 1.6 * plain.latency_ms
    assert factor(slow) <= factor(plain) * 1.0001


def test_two_measurements_tell_more_than_one() -> None:
    one = Anchor(models()["kws"], 90.0, "a")
    two = Anchor(models()["ic"], 280.0, "b")
    alone, both = (estimate("vww", "arduino-nano-33-ble-sense", *anchors) for anchors in ((one,), (one, two)))
    assert factor(both) < factor(alone) and both.points == alone.points + 1
    assert "2 of your own measurements (a; b)" in both.basis


@pytest.mark.parametrize("latency", [0.0, -1.0, math.nan, math.inf])
def test_a_time_that_is_none_is_no_anchor(latency: float) -> None:
    with pytest.raises(UsageError, match="not above 0 ms"):
        estimate("kws", "nucleo-l4r5zi", Anchor(models()["kws"], latency, "mine"))


@pytest.mark.parametrize(("times", "doubtful"), [(0.001, True), (1000, True), (0.1, False), (10, False)])
def test_a_time_in_another_unit_is_doubted_in_a_note(times: float, doubtful: bool) -> None:
    anchor = Anchor(models()["kws"], estimate("kws", "nucleo-l4r5zi").latency_ms * times, "mine")
    notes = estimate("ic", "nucleo-l4r5zi", anchor).notes
    assert len(notes) == doubtful
    assert all(note.startswith("mine: ") and "milliseconds" in note for note in notes)


def test_measurements_of_ones_own_leave_the_packaged_prices_as_they_are() -> None:
    before = (len(prices().measured.points), estimate("kws", "nucleo-l4r5zi").latency_ms)
    estimate("kws", "nucleo-l4r5zi", Anchor(models()["kws"], 1000.0, "mine"))
    assert (len(prices().measured.points), estimate("kws", "nucleo-l4r5zi").latency_ms) == before


# --- engines of vendors -----------------------------------------------------------------------------------------


def test_engines_stand_beside_a_board_whose_core_they_were_measured_on_and_nowhere_else() -> None:
    told = {(row["core"], row["family"]) for row in published() if row["kind"] == "cpu"}
    seen = 0
    for name in devices():
        own = system_of(target(name))
        for engine, other in engines(own):
            seen += 1
            assert (own.core, engine) in told and other.family == engine and other.core == own.core
            assert other.board == own.board and engine != target(name).runtime.name
    assert seen > 20
    assert "plumerai" in dict(engines(system("nucleo-l4r5zi"))) and engines(system("ek-ra8m1")) == []


def test_the_runtime_of_a_target_is_never_an_engine_of_a_vendor() -> None:
    vendors = {row["family"] for row in published() if not row["family"].startswith("tflm")}
    assert {"st-edge-ai", "plumerai", "bosch-hale"} <= vendors
    for name in devices():
        assert not {target(name).device.runtime, *target(name).device.also} & vendors


def test_the_faster_engine_of_a_vendor_does_not_make_tflm_fast() -> None:
    """Plumerai took a third less time than TFLM's kernels: the answer for TFLM must not be Plumerai's."""
    own = estimate("kws", "nucleo-l4r5zi")
    beside = {
        name: predict(models()["kws"], other, target("nucleo-l4r5zi").device.clock_hz)
        for name, other in engines(system("nucleo-l4r5zi"))
    }
    assert beside["plumerai"].latency_ms < own.latency_ms < beside["microtvm"].latency_ms * 3


# --- shapes -----------------------------------------------------------------------------------------------------


def test_work_counts_products_patches_and_taps_of_a_convolution() -> None:
    work = work_from_shapes("CONV_2D", [(1, 8, 8, 4), (16, 3, 3, 4), (16,)], [(1, 8, 8, 16)])
    products = 8 * 8 * 16 * 3 * 3 * 4
    assert (work.kind, work.macs, work.outputs) == ("conv", products, 8 * 8 * 16)
    assert (work.patches, work.taps) == (products // 16, products // 4)


@pytest.mark.parametrize(
    ("name", "kernel", "kind"),
    [
        ("CONV_2D", (16, 1, 1, 4), "pointwise"),
        ("CONV_2D", (16, 3, 1, 4), "conv"),
        ("DEPTHWISE_CONV_2D", (1, 3, 3, 4), "depthwise"),
        ("FULLY_CONNECTED", (16, 4), "dense"),
        ("ADD", (1, 8, 8, 4), "other"),
    ],
)
def test_the_kind_of_an_operator_is_that_of_its_kernels(name: str, kernel: tuple[int, ...], kind: str) -> None:
    came = (1, 4) if name == "FULLY_CONNECTED" else (1, 8, 8, 4)
    made = (1, 16) if name == "FULLY_CONNECTED" else (1, 8, 8, 4 if kind in ("depthwise", "other") else 16)
    assert work_from_shapes(name, [came, kernel], [made]).kind == kind


def test_the_fingerprint_is_of_the_products_and_not_of_names_or_what_lies_between() -> None:
    ic = models()["ic"]
    assert fingerprint(ic) == fingerprint([replace(work, layer="other") for work in ic if work.macs])
    assert len({fingerprint(works) for works in models().values()}) >= len(MLPERF)
    assert fingerprint(ic) != fingerprint(ic[1:])


def test_models_of_the_table_are_files_that_people_run() -> None:
    for name, low, high in (("ad", 0.2e6, 0.4e6), ("ic", 12e6, 13e6), ("kws", 2.5e6, 2.8e6), ("vww", 7e6, 8e6)):
        assert low < sum(work.macs for work in models()[name]) < high, name


def test_the_real_files_do_the_work_of_the_table(real_data: Path) -> None:
    from converters.flatbuffer import FlatBuffer
    from tfcompress.benchmark.estimate.cost_model.work import work_of

    for name in ("ic", "kws"):
        files = [file for file in (real_data / "mlperf_tiny" / name).glob("*.tflite") if "float" not in file.name]
        told = {file.name: fingerprint(work_of(FlatBuffer.read(file))) for file in files}
        assert fingerprint(models()[name]) in told.values(), (name, told)


def test_what_stands_in_for_an_instruction_set_is_named_as_what_was_used() -> None:
    """CMSIS-NN was not counted on a RISC-V: those of the Cortex-M3 price ESP-NN there, and are named."""
    (note,) = [one for one in estimate("kws", "esp32-c3-devkitm-1").notes if "stand in" in one]
    assert note == "no instructions were counted on esp32-c3-rv32imc; those of cortex-m3 stand in"

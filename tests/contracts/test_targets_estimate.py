"""What every packaged device answers for a small file: each number has a unit, a way and a source, or a reason."""

from __future__ import annotations

import functools
import importlib.util
import json
import math

import pytest
from packable_files import network
from small_tflite import build, small_file

from converters.flatbuffer import FlatBuffer
from converters.runtimes import tflm
from tfcompress.benchmark.estimate.on_target import OnTarget, on_targets
from tfcompress.benchmark.estimate.on_target_rows import rows
from tfcompress.report.on_target import as_json, show
from tfcompress.rows import Row
from tfcompress.targets import Target, device, devices, target

pytestmark = pytest.mark.skipif(not tflm.available(), reason="no TFLM for this platform")

NAMES = [f"{name}:{runtime}" for name in devices() for runtime in (device(name).runtime, *device(name).also)]
HOWS = {"estimated", "published", "read from the file", "measured"}
UNITS = {
    "latency_estimate": "ms",
    "latency_estimate_low": "ms",
    "latency_estimate_high": "ms",
    "latency_points": "measurements",
    "engine_latency_estimate": "ms",
    "energy_estimate": "uJ",
    "flash": "bytes",
    "arena_on_device": "bytes",
    "flash_there": "bytes",
    "ram_there": "bytes",
    "npu_latency_ms": "ms",
}
VENDORS = ("st-edge-ai", "plumerai", "bosch", "onnc", "microtvm", "tinyengine", "edge-impulse")
needs_vela = importlib.util.find_spec("ethosu") is None


@functools.cache
def answer(name: str, dtype: str = "int8") -> OnTarget:
    data = build(network(width=8)) if dtype == "int8" else small_file(dtype)
    (found,) = on_targets(FlatBuffer(data), [target(name)])
    return found


@functools.cache
def told(name: str) -> tuple[Row, ...]:
    return tuple(rows(answer(name), per_operator=True))


def without_vela(one: Target) -> bool:
    return one.runtime.family == "ethos-u" and needs_vela


@pytest.mark.parametrize("name", NAMES)
def test_every_row_has_a_unit_a_way_a_source_and_the_target(name: str) -> None:
    found = told(name)
    assert found and found[0].name == "verdict"
    for row in found:
        assert row.how in HOWS and row.source and row.runtime, row
        assert row.target == answer(name).target.name, row
        assert row.unit == UNITS.get(row.name, row.unit)
        if not isinstance(row.value, str):
            assert row.unit and math.isfinite(row.value) and row.value >= 0, row
    names = [row.name for row in found if not row.name.startswith("engine_")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_has_a_reason_and_what_is_known_has_none(name: str) -> None:
    found = answer(name)
    known = {
        "latency": found.latency is not None or (found.npu is not None and found.npu.inference_ms is not None),
        "energy": found.energy is not None,
        "flash": found.memory.flash_bytes is not None,
        "arena": found.memory.ram_bytes is not None,
    }
    assert {what for what, there in known.items() if not there} == set(found.missing)
    assert all(len(why) > 8 and why.isprintable() for why in found.missing.values())
    assert {row.name for row in told(name) if row.name.endswith("_missing")} == {
        f"{one}_missing" for one in found.missing
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_latency_is_that_of_the_targets_own_runtime_and_lies_in_its_interval(name: str) -> None:
    found = [row for row in told(name) if row.name.startswith("latency_estimate")]
    assert all(row.runtime == answer(name).target.runtime.name for row in found)
    assert not any(vendor in row.runtime for row in found for vendor in VENDORS)
    if found:
        values = {row.name: row.value for row in found}
        assert 0 < values["latency_estimate_low"] < values["latency_estimate"] < values["latency_estimate_high"]  # type: ignore[operator]
        assert values["latency_estimate"] < 1000  # type: ignore[operator]
    for row in told(name):
        if any(vendor in row.runtime for vendor in VENDORS):
            assert row.name.startswith("engine_") and "for comparison" in row.runtime


@pytest.mark.parametrize("name", NAMES)
def test_times_and_shares_of_operators_sum_up(name: str) -> None:
    latency = answer(name).latency
    if latency is None:
        assert not any(row.name.startswith("operator_latency_estimate") for row in told(name))
        return
    values = {
        kind: [row.value for row in told(name) if row.name.startswith(f"operator_{kind}_estimate/")]
        for kind in ("latency", "share")
    }
    assert len(values["share"]) == len(values["latency"]) == len(FlatBuffer(build(network(width=8))).operators)
    assert sum(values["share"]) == pytest.approx(1) and sum(values["latency"]) == pytest.approx(latency.latency_ms)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_a_small_file_fits_wherever_flash_and_ram_are_known(name: str) -> None:
    found = answer(name)
    one = found.target
    if one.runtime.engine != "tflm":
        assert found.verdict.fits == "unknown" and found.verdict.reasons
    elif one.device.flash_bytes and one.device.ram_bytes and not without_vela(one):
        assert found.verdict.fits == "fits", found.verdict
    else:
        assert found.verdict.fits == "unknown" and "not known" in str(found.verdict)


@pytest.mark.parametrize("name", NAMES)
def test_energy_is_the_devices_power_for_as_long_as_the_latency(name: str) -> None:
    found = answer(name)
    power = found.target.device.power
    if power is None or found.energy is None:
        assert found.energy is None
        return
    milliwatts = power.current_ma * power.volts * found.target.device.clock_hz / power.at_hz
    latency = found.latency.latency_ms if found.latency else found.npu.inference_ms  # type: ignore[union-attr]
    assert found.energy.microjoules == pytest.approx(milliwatts * latency)  # type: ignore[operator]
    assert found.target.device.sources["power"] in found.energy.source


@pytest.mark.parametrize("name", devices())
def test_a_float_file_has_a_reason_in_place_of_a_latency_of_the_cost_model(name: str) -> None:
    found = answer(name, "float32")
    assert found.latency is None and not found.engines
    if found.npu is None:
        assert len(found.missing["latency"]) > 20
    if found.target.runtime.engine == "tflm" and "float32" in found.target.runtime.dtypes:
        assert found.verdict.fits in ("fits", "unknown")


def test_all_targets_are_shown_and_told_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [answer(name) for name in NAMES]
    parsed = json.loads(as_json(answers, per_operator=True))
    assert [one["target"] for one in parsed["targets"]] == [one.target.name for one in answers]
    assert len(parsed["rows"]) == sum(len(told(name)) for name in NAMES)
    show(answers, title="net.tflite")
    out = capsys.readouterr().out
    assert all(one.target.device.name in out.replace("\n", "") for one in answers[:3])
    assert "nan" not in out.lower().split() and "inf" not in out.lower().split()

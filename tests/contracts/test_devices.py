"""What every packaged device, core and runtime keeps; a new TOML file is covered the moment it exists."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tfcompress import targets
from tfcompress.report.targets import as_json, describe

FOLDER = Path(targets.__file__).parent
DEVICES, RUNTIMES, CORES = targets.devices(), targets.runtimes(), targets.cores()
# What the data of published measurements and the users of boards need at least.
MIX = ("cortex-m0plus", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "cortex-m85", "xtensa-lx7", "andes-d25f")


def table(name: str) -> dict[str, object]:
    return tomllib.loads((FOLDER / "devices" / f"{name}.toml").read_text(encoding="utf-8"))


def test_there_are_devices_of_each_kind_and_of_every_core() -> None:
    found = [targets.device(name) for name in DEVICES]
    assert len(found) >= 30
    assert {one.kind for one in found} == {"board", "phone", "simulator"}
    assert {one.core.name for one in found} == set(CORES) >= set(MIX)
    npus = [one.accelerator.name for one in found if one.accelerator and one.accelerator.vela]
    assert any("u55" in name for name in npus) and any("u65" in name for name in npus)


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_is_called_as_its_file_and_each_section_has_a_source(name: str) -> None:
    device = targets.device(name)
    assert device.name == name and re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
    sections = {key for key, value in table(name).items() if isinstance(value, dict)}
    assert set(device.sources) == sections and "clock" in sections
    assert all(len(source) > 20 for source in device.sources.values())
    assert not any(isinstance(value, (int, float)) for value in table(name).values())


@pytest.mark.parametrize("name", DEVICES)
def test_numbers_of_a_device_are_those_of_its_kind(name: str) -> None:
    device = targets.device(name)
    lowest, highest = {"board": (10e6, 2e9), "phone": (1e9, 4e9), "simulator": (10e6, 100e6)}[device.kind]
    assert lowest <= device.clock_hz <= highest
    bare = device.core.architecture.startswith(("armv6-m", "armv7e-m", "armv8-m", "armv8.1-m"))
    if bare:  # a microcontroller's flash and RAM are in every data sheet
        assert device.flash_bytes and device.ram_bytes and device.memory.weights_in
        assert 2**14 <= device.ram_bytes <= 2**27
    if device.ram_contiguous_bytes is not None:
        assert device.ram_bytes and device.ram_bytes // 4 <= device.ram_contiguous_bytes < device.ram_bytes
    if device.power is not None:
        watts = device.power.current_ma / 1000 * device.power.volts * device.clock_hz / device.power.at_hz
        assert 1e-3 < watts < 1


@pytest.mark.parametrize("name", DEVICES)
def test_each_of_its_runtimes_exists_and_gives_a_spec(name: str) -> None:
    device = targets.device(name)
    assert targets.target(name).name == name
    for one in (device.runtime, *device.also):
        target = targets.target(f"{name}:{one}")
        assert target.runtime == targets.runtime(one)
        assert target.name == (name if one == device.runtime else f"{name}:{one}")
        spec = target.spec(dtype="int8")
        assert spec.runtime == one and spec.kernels == target.runtime.kernels
    npu = device.accelerator is not None and device.accelerator.vela is not None
    assert npu == (targets.target(name).runtime.family == "ethos-u")


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_is_found_by_its_aliases_in_any_case(name: str) -> None:
    for alias in (name.upper().replace("-", "_"), *targets.device(name).aliases):
        assert targets.device(alias).name == name, alias


def test_no_two_devices_have_a_name_in_common() -> None:
    every = map(targets.device, DEVICES)
    names = [name for one in every for name in {each.lower() for each in (one.name, *one.aliases)}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", DEVICES)
def test_what_is_known_of_a_device_survives_json(name: str) -> None:
    device = targets.device(name)
    told = json.loads(as_json(devices=[device]))["targets"][0]
    assert told == describe(device)
    for section, key in (("clock", "hz"), ("flash", "bytes"), ("ram", "bytes")):
        if section in table(name):
            assert told[f"{section}_{key}"] == table(name)[section][key]  # type: ignore[index]
    assert told["core"]["name"] == table(name)["core"] and told["sources"] == dict(device.sources)


@pytest.mark.parametrize("name", CORES)
def test_a_core_has_a_source_and_bounds_that_go_together(name: str) -> None:
    core = targets.core(name)
    assert core.name == name and len(core.source) > 20
    if core.int8_macs_per_cycle is not None:
        assert (core.int8_macs_per_cycle > 1) == (core.simd != "none")


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_runtime_names_its_family_and_what_it_changes_of_its_base(name: str) -> None:
    runtime = targets.runtime(name)
    assert runtime.family and runtime.path == ""
    if runtime.based_on:
        base = targets.runtime(runtime.based_on)
        assert set(runtime.kernels) <= set(base.kernels) and set(runtime.dtypes) <= set(base.dtypes)
        assert all(set(types) <= set(base.kernels[operator]) for operator, types in runtime.kernels.items())
        assert set(runtime.decode) <= set(base.decode) and runtime.engine == base.engine
        assert runtime.notes[-len(base.notes) :] == base.notes and len(runtime.notes) > len(base.notes)
        assert ("TFLM_DECODE" in runtime.kernels) == bool(runtime.decode)
    assert json.loads(as_json(runtimes=[runtime]))["runtimes"] == [describe(runtime)]


def test_every_runtime_has_a_device() -> None:
    assert {one for name in DEVICES for one in (targets.device(name).runtime, *targets.device(name).also)} == set(
        RUNTIMES
    )

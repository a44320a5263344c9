"""What a user relies on: targets by name, alias or path, and one-line errors for a wrong file."""

from __future__ import annotations

import dataclasses
import importlib.resources
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters.errors import CompressionError, FileError, UsageError
from tfcompress import targets

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "targets.md").read_text(encoding="utf-8").split("```toml\n")[1:]
DEVICE, CORE, RUNTIME = (text.partition("```")[0] for text in GUIDE)

OWN = """name = "mine"
title = "Mine"
kind = "board"
soc = "CHIP-1"
core = "cortex-m4"
runtime = "tflm-cmsis-nn"
also = ["tflm"]
[clock]
hz = 64_000_000
source = "its data sheet"
[flash]
bytes = 262_144
source = "its data sheet"
[ram]
bytes = 65_536
source = "its data sheet"
[memory]
wait_states = 2
source = "its manual"
[power]
current_ma = 3.3
volts = 3.0
at_hz = 64_000_000
source = "measured"
[accelerator]
name = "ethos-u55-64"
clock_hz = 64e6
source = "its data sheet"
vela = { accelerator_config = "ethos-u55-64", system_config = "Ethos_U55_Deep_Embedded", memory_mode = "Sram_Only" }
"""


def write(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_target_is_a_device_with_its_own_runtime_or_with_another_of_its_own() -> None:
    plain, reference = targets.target("nucleo-l4r5zi"), targets.target("nucleo-l4r5zi:tflm")
    assert (plain.name, plain.runtime.name) == ("nucleo-l4r5zi", "tflm-cmsis-nn")
    assert (reference.name, reference.runtime.name) == ("nucleo-l4r5zi:tflm", "tflm")
    assert plain.device == reference.device
    assert plain.spec(dtype="int16x8").dense == "per-tensor"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nucleo-l4r5zl", r"unknown device 'nucleo-l4r5zl' \(did you mean 'nucleo-l4r5zi'\?\)"),
        ("nucleo-l4r5zi:tflmm", r"nucleo-l4r5zi: unknown runtime 'tflmm' \(did you mean 'tflm'\?\)"),
        ("nucleo-l4r5zi:litert", "expected one of tflm, tflm-cmsis-nn"),
        ("nucleo-l4r5zi:", "unknown device 'nucleo-l4r5zi:'"),
        ("", "unknown device ''"),
    ],
)
def test_an_unknown_name_is_a_usage_error_with_what_is_near(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        targets.target(name)


def test_a_file_for_an_ethos_u_has_no_encoded_weights() -> None:
    runtime = targets.runtime("tflm-ethos-u")
    assert runtime.spec().decode == () and "TFLM_DECODE" not in runtime.kernels
    with pytest.raises(UsageError, match="tflm-ethos-u has no DECODE operator"):
        runtime.spec(decode="lut")


def test_a_users_own_device_works_by_its_path(tmp_path: Path) -> None:
    path = write(tmp_path, OWN)
    for given_as in (path, str(path)):
        mine = targets.target(given_as)
        assert mine.name == "mine" and mine.runtime.name == "tflm-cmsis-nn"
        assert mine.device.clock_hz == 64_000_000 and mine.device.ram_bytes == 65_536
        assert mine.device.memory.wait_states == 2 and mine.device.memory.weights_in is None
        assert mine.device.accelerator and mine.device.accelerator.vela
        assert mine.device.accelerator.vela.memory_mode == "Sram_Only"
        assert mine.device.sources["power"] == "measured"
    assert targets.target(f"{path}:tflm").name == "mine:tflm"
    with pytest.raises(dataclasses.FrozenInstanceError):
        mine.device.clock_hz = 1  # type: ignore[misc]


def test_a_path_may_hold_a_colon(tmp_path: Path) -> None:
    path = write(tmp_path, OWN, "a:b/mi:ne.toml")
    assert targets.target(path).name == targets.target(str(path)).name == "mine"
    assert targets.target(f"{path}:tflm").name == "mine:tflm"


def test_a_device_names_a_runtime_of_the_user_as_seen_from_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, RUNTIME, "boards/rt.toml")
    path = write(tmp_path, OWN.replace('"tflm-cmsis-nn"', '"./rt.toml"'), "boards/mine.toml")
    monkeypatch.chdir(tmp_path)
    for given_as in (path, "boards/mine.toml"):
        mine = targets.target(given_as)
        assert (mine.name, mine.runtime.name) == ("mine", "my-tflm")
    assert targets.target("boards/mine.toml:tflm").name == "mine:tflm"
    assert targets.target("mps2-an386:boards/rt.toml").name == "mps2-an386:my-tflm"


def test_the_examples_of_the_guide_work(tmp_path: Path) -> None:
    assert targets.target(write(tmp_path, DEVICE)).name == "my-board"
    own_core = DEVICE.replace(next(line for line in DEVICE.splitlines() if line.startswith("core = ")), "") + CORE
    device = targets.device(write(tmp_path, own_core))
    assert (device.core.name, device.core.isa, device.core.int8_macs_per_cycle) == ("own", "riscv", 0.5)
    runtime = targets.runtime(write(tmp_path, RUNTIME))
    base = targets.runtime("tflm")
    assert set(base.kernels) - set(runtime.kernels) == {"TFLM_DECODE", "SVDF"}
    assert runtime.kernels["TANH"] == ("float32", "int8") and runtime.kernels["ADD"] == base.kernels["ADD"]
    assert runtime.dense == {**base.dense, "int8": "per-tensor"}
    assert (runtime.decode, runtime.engine, runtime.family) == ((), "tflm", "cmsis-nn")


def test_a_runtime_based_on_another_is_narrowed_to_its_own_types(tmp_path: Path) -> None:
    runtime = targets.runtime(write(tmp_path, 'name = "a"\nbased_on = "tflm"\ndtypes = ["int8"]\ndense = "per-tensor"'))
    assert dict(runtime.dense) == {"int8": "per-tensor"} and runtime.dtypes == ("int8",)
    with pytest.raises(UsageError, match="a runs no float32 files"):
        runtime.spec(dtype="float32")
    narrow = targets.runtime(write(tmp_path, 'name = "a"\nbased_on = "tflm"\ndtypes = ["int16x8"]'))
    assert dict(narrow.dense) == {"int16x8": "per-tensor"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('based_on = "tflmm"', r"based_on holds an unknown name 'tflmm' \(did you mean 'tflm'\?\)"),
        ('based_on = "tflm"\nwithout = ["CONV_3D"]', r"without: unknown operator 'CONV_3D' \(did you mean 'CONV_2D'"),
        ('based_on = "tflm"\ndecode = ["zip"]', "decode holds an unknown name 'zip'"),
        ('based_on = "tflm"\nwithout = ["CONV_2D"]', "int4_weights: unknown operator 'CONV_2D'"),
        ('based_on = "litert"\nengine = "litert"\ndecode = ["lut"]', "engine is 'litert', and decode is for TFLM only"),
        ('based_on = "tflm"\nfamily = 3', "family is 3; expected whose kernels"),
    ],
)
def test_a_wrong_base_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=message):
        targets.runtime(write(tmp_path, f'name = "a"\n{text}'))


CLOCK = '[clock]\nhz = 64_000_000\nsource = "its data sheet"'

WRONG: Mapping[str, tuple[str, str, str]] = {
    "negative clock": ("64_000_000\nsource", "-5\nsource", r"\[clock\] hz is -5; expected the core's clock in Hz"),
    "no clock": ("64_000_000\nsource", "0\nsource", r"\[clock\] hz is 0; expected"),
    "1 Hz": ("64_000_000\nsource", "1\nsource", r"\[clock\] hz is 1; expected"),
    "100 GHz": ("64_000_000\nsource", "100e9\nsource", r"\[clock\] hz is 100000000000.0; expected"),
    "half a hertz": ("64_000_000\nsource", "64_000_000.5\nsource", r"\[clock\] hz is 64000000.5; expected"),
    "nan": ("64_000_000\nsource", "nan\nsource", r"\[clock\] hz is nan; expected"),
    "inf": ("64_000_000\nsource", "inf\nsource", r"\[clock\] hz is inf; expected"),
    "huge": (
        "64_000_000\nsource",
        f"0x{'f' * 6000}\nsource",
        r"\[clock\] hz is a value of type int, too large",
    ),
    "more digits than a number may have": ("64_000_000\nsource", f"{'9' * 6000}\nsource", "is not valid TOML"),
    "true for a number": ("64_000_000\nsource", "true\nsource", r"\[clock\] hz is True; expected"),
    "text for a number": ("64_000_000\nsource", '"64 MHz"\nsource', r"\[clock\] hz is '64 MHz'; expected"),
    "date for a number": ("64_000_000\nsource", "2026-11-25\nsource", r"\[clock\] hz is datetime"),
    "flash of 1 byte": ("262_144", "1", r"\[flash\] bytes is 1; expected the size of the program memory"),
    "RAM above 64 GiB": ("65_536", "68_719_476_737", r"\[ram\] bytes is 68719476737; expected .* to 64 GiB"),
    "piece above the whole": ("65_536", "65_536\ncontiguous_bytes = 65_537", "expected at most the 65536 of bytes"),
    "500 V": ("3.0", "500", r"\[power\] volts is 500; expected supply voltage"),
    "no current": ("current_ma = 3.3", "", r"\[power\] 'current_ma' is missing"),
    "20 A at 24 V and 10 kHz": (
        "current_ma = 3.3\nvolts = 3.0\nat_hz = 64_000_000",
        "current_ma = 20_000\nvolts = 24\nat_hz = 10_000",
        r"\[power\] current_ma, volts and at_hz make 3.07e\+06 W at the device's 64 MHz; expected 0.01 mW to 100 W",
    ),
    "next to no power": (
        "current_ma = 3.3\nvolts = 3.0\nat_hz = 64_000_000",
        "current_ma = 0.001\nvolts = 0.5\nat_hz = 64_000_000",
        r"\[power\] .* make 5e-07 W",
    ),
    "colours for a terminal": ('"Mine"', '"\\u001b[31mMine"', r"title holds '\\x1b'; expected a text without control"),
    "backwards": ('"its manual"', '"its \\u202e manual"', r"\[memory\] source holds '\\u202e'"),
    "a bell in a list": ('["tflm"]', '["tflm", "\\u0007"]', r"also holds '\\x07'"),
    "negative wait states": ("wait_states = 2", "wait_states = -1", r"\[memory\] wait_states is -1"),
    "unknown place": ("wait_states = 2", 'weights_in = "tape"', r"\[memory\] weights_in holds an unknown name 'tape'"),
    "nothing but a source": ("wait_states = 2", "", r"\[memory\] says nothing but its source"),
    "unknown core": ('"cortex-m4"', '"cortex-m44"', r"core: unknown core 'cortex-m44' \(did you mean 'cortex-m4'\?\)"),
    "number for a core": ('"cortex-m4"', "4", "core is 4; expected a name such as"),
    "list for a core": ('"cortex-m4"', '["cortex-m4"]', "core is .'cortex-m4'.; expected a name"),
    "core without a source": ('"cortex-m4"', '{ title = "a" }', r"\[core\] 'architecture' is missing"),
    "no core": ('core = "cortex-m4"', "", "'core' is missing; expected a name such as"),
    "no name": ('name = "mine"\n', "", "'name' is missing"),
    "blank name": ('name = "mine"', 'name = "my board"', "name is 'my board'; expected a name of letters, digits"),
    "unknown kind": ('"board"', '"bord"', r"kind holds an unknown name 'bord' \(did you mean 'board'\?\)"),
    "missing source": ('64_000_000\nsource = "its data sheet"\n[f', "64_000_000\n[f", r"\[clock\] 'source' is missing"),
    "empty source": ('"measured"', '" "', r"\[power\] source is ' '; expected a text"),
    "unknown key": ("soc", "socc", r"unknown key 'socc' \(did you mean 'soc'\?\)"),
    "unknown key in a section": ("wait_states", "waitstates", r"\[memory\] unknown key 'waitstates'"),
    "fitted price": ("wait_states = 2", "cycles_per_mac = 2", r"\[memory\] unknown key 'cycles_per_mac'"),
    "no section": ("[clock]", "[clocks]", r"\[clock\] is missing"),
    "text for a section": (CLOCK, 'clock = "fast"', "clock is 'fast'; expected a table with hz and source"),
    "runtime twice": ('["tflm"]', '["tflm-cmsis-nn"]', "also holds 'tflm-cmsis-nn', which is its runtime"),
    "alias twice": ('["tflm"]', '["tflm", "tflm"]', "also holds 'tflm' twice"),
    "text for a list": ('["tflm"]', '"tflm"', "also is 'tflm'; expected a list"),
    "vela incomplete": (', memory_mode = "Sram_Only"', "", r"\[accelerator.vela\] 'memory_mode' is missing"),
    "not TOML": ("name =", "name", "is not valid TOML"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_one_line_that_names_the_file_and_the_key(case: str, tmp_path: Path) -> None:
    old, new, message = WRONG[case]
    assert old in OWN
    path = write(tmp_path, OWN.replace(old, new, 1))
    with pytest.raises(FileError, match=message) as caught:
        targets.device(path)
    told = str(caught.value)
    assert told.startswith(str(path)) and "\n" not in told and len(told) < 1000


@pytest.mark.parametrize(
    ("isa", "simd", "able"),
    [
        ("arm", "pie", "none, dsp, helium, neon"),
        ("arm", "vector", "none, dsp, helium, neon"),
        ("riscv", "dsp", "none, p-extension, pie, xpulp, vector"),
        ("xtensa", "helium", "none, pie, hifi"),
        ("rx", "hifi", "none"),
    ],
)
def test_a_core_of_an_extension_that_no_such_processor_has_is_one_line(
    isa: str, simd: str, able: str, tmp_path: Path
) -> None:
    own = CORE.replace('isa = "riscv"', f'isa = "{isa}"').replace('simd = "none"', f'simd = "{simd}"')
    path = write(tmp_path, OWN.replace('core = "cortex-m4"\n', "") + own)
    with pytest.raises(FileError) as caught:
        targets.device(path)
    assert str(caught.value) == f"{path}: [core] simd is {simd!r}; expected {able}, as isa is {isa!r}"


def test_operators_and_notes_of_a_runtime_are_printable_too(tmp_path: Path) -> None:
    for text in ('notes = ["\\u001b[31m"]', '[kernels]\n"\\u001b[31m" = ["int8"]'):
        with pytest.raises(FileError, match=r"holds '\\x1b'; expected a text without control") as caught:
            targets.runtime(write(tmp_path, f'name = "a"\nbased_on = "tflm"\n{text}'))
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("runtime", ['"tflm-cmsis"', '"./none.toml"'])
def test_a_runtime_that_is_not_there_is_one_line(runtime: str, tmp_path: Path) -> None:
    path = write(tmp_path, OWN.replace('"tflm-cmsis-nn"', runtime))
    with pytest.raises(CompressionError, match="unknown runtime 'tflm-cmsis'|none.toml cannot be read"):
        targets.target(path)


HOSTILE = {
    "not UTF-8": b"\xff\xfe\x00",
    "null character": b"name = '\x00'",
    "deep lists": b"name = " + b"[" * 5000,
    "deep tables": b".".join([b"a"] * 20_000) + b" = 1",
    "huge": b"# \n" * 2_000_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_bytes_are_one_line(case: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(HOSTILE[case])
    for read in (targets.device, targets.runtime):
        with pytest.raises(FileError) as caught:
            read(path)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 1000


def test_a_missing_file_a_folder_and_a_pipe_are_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "pipe.toml", Path("a\0b.toml")):
        with pytest.raises(FileError, match="cannot be read"):
            targets.target(path)


@given(st.text(max_size=40))
def test_any_name_at_all_is_a_target_or_a_one_line_error(name: str) -> None:
    try:
        assert targets.target(name).name
    except CompressionError as error:
        assert "\n" not in str(error)


LINES = OWN.splitlines()
VALUES = st.one_of(
    *(st.integers().map(str), st.floats().map(str), st.booleans().map(lambda one: str(one).lower())),
    *(
        st.text(max_size=20).map(lambda one: f'"{one}"'),
        st.sampled_from(["[]", "{}", "[1]", '["a"]', "1979-05-27", ""]),
    ),
)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The file with some lines left out, repeated, swapped, or with another value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["drop", "repeat", "swap", "value", "text"]))
        if kind == "drop" and len(lines) > 1:
            del lines[place]
        elif kind == "repeat":
            lines.insert(place, draw(st.sampled_from(LINES)))
        elif kind == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], lines[place]
        elif kind == "value":
            lines[place] = f"{lines[place].partition('=')[0]}= {draw(VALUES)}"
        else:
            at = draw(st.integers(0, len(lines[place])))
            lines[place] = lines[place][:at] + draw(st.text(max_size=3)) + lines[place][at:]
    return "\n".join(lines)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mutations())
def test_a_changed_file_is_a_sound_device_or_a_one_line_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        device = targets.target(path).device
    except (FileError, UsageError) as error:
        assert "\n" not in str(error)
    else:
        assert 1e4 <= device.clock_hz <= 1e10 and device.sources["clock"].strip()


def test_targets_load_without_tensorflow_or_numpy() -> None:
    code = (
        "import sys\nfrom tfcompress import targets\n"
        "for name in targets.devices(): targets.target(name)\n"
        "for name in targets.runtimes(): targets.runtime(name)\n"
        "print([name for name in ('tensorflow', 'keras', 'numpy', 'pydantic') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_a_new_device_is_one_file_also_in_an_installed_wheel(tmp_path: Path) -> None:
    wheel = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-q", "-w", "wheels"]
    subprocess.run(wheel, cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(next((tmp_path / "wheels").glob("*.whl"))) as archive:
        archive.extractall(tmp_path / "installed")
    folder = tmp_path / "installed" / "tfcompress" / "targets"
    write(folder / "devices", OWN, "mine.toml")
    write(folder / "runtimes", RUNTIME, "my-tflm.toml")
    code = (
        "import sys; sys.path.insert(0, 'installed')\nfrom tfcompress import targets\n"
        "print(targets.__file__); print(*targets.devices()); print(*targets.runtimes())\n"
        "print(targets.target('mine:tflm').name, targets.runtime('my-tflm').decode)"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    place, devices, runtimes, last = out.splitlines()
    assert Path(place).is_relative_to(tmp_path) and last == "mine:tflm ()"
    assert set(devices.split()) == {"mine", *targets.devices()}
    assert set(runtimes.split()) == {"my-tflm", *targets.runtimes()}


def test_a_runtime_that_a_devices_file_names_wrongly_is_the_files_fault(tmp_path: Path) -> None:
    packaged = importlib.resources.files("tfcompress.targets") / "devices" / "nucleo-l4r5zi.toml"
    text = packaged.read_text(encoding="utf-8").replace('runtime = "tflm-cmsis-nn"', 'runtime = "cmsis"')
    place = tmp_path / "board.toml"
    place.write_text(text, encoding="utf-8-sig")  # as some editors save it
    with pytest.raises(FileError, match=r"board\.toml: runtime: unknown runtime 'cmsis'"):
        targets.target(place)

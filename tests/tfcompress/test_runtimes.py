"""What a user relies on: runtimes by name or by path, the spec that follows, and one-line errors for a wrong file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.errors import CompressionError, FileError, UsageError
from converters.spec import ConversionSpec
from tfcompress.targets import Runtime, runtime, runtimes

OWN = """
name = "mine"
dtypes = ["int8", "float32"]
[kernels]
CONV_2D = ["int8", "float32"]
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_packaged_runtimes_are_found_by_their_names() -> None:
    assert set(runtimes()) >= {"litert", "tflm"}
    assert all(runtime(name).name == name for name in runtimes())


@pytest.mark.parametrize("name", runtimes())
def test_a_packaged_runtime_says_where_its_facts_are_from(name: str) -> None:
    facts = runtime(name)
    assert facts.version and " at " in facts.source and "github.com/" in facts.source
    assert len(facts.kernels) > 100


@pytest.mark.parametrize("name", runtimes())
def test_every_dtype_that_a_runtime_runs_gives_a_spec_with_its_kernels(name: str) -> None:
    facts = runtime(name)
    for dtype in facts.dtypes:
        spec = facts.spec(dtype=dtype)
        assert (spec.dtype, spec.runtime, spec.dense) == (dtype, name, facts.dense[dtype])
        assert spec.kernels == facts.kernels
        assert ConversionSpec(**spec.as_dict()) == spec


def test_dense_weights_of_int16x8_files_for_tflm_are_per_tensor_because_cmsis_nn_refuses_others() -> None:
    assert runtime("tflm").spec(dtype="int16x8").dense == "per-tensor"
    assert runtime("tflm").spec(dtype="int8").dense == "per-channel"
    assert runtime("tflm").spec(dtype="int8", dense="per-tensor").dense == "per-tensor"


def test_dense_weights_of_dynamic_files_are_per_tensor_because_runtimes_before_2_17_refuse_others() -> None:
    assert runtime("litert").spec(dtype="dynamic").dense == "per-tensor"
    assert runtime("litert").spec(dtype="int8").dense == "per-channel"
    assert runtime("litert").spec(dtype="dynamic", dense="per-channel").dense == "per-channel"


def test_what_the_caller_asks_for_reaches_the_spec() -> None:
    spec = runtime("litert").spec(dtype="int8", io="uint8", quantizer="litert")
    assert (spec.io_dtype, spec.quantizer) == ("uint8", "litert")


@pytest.mark.parametrize("dtype", ["float16", "dynamic"])
def test_tflm_refuses_files_that_it_cannot_run_and_says_which_it_can(dtype: str) -> None:
    with pytest.raises(UsageError, match=f"tflm runs no {dtype} files; choose --dtype int8 or int16x8 or float32"):
        runtime("tflm").spec(dtype=dtype)  # type: ignore[arg-type]


def test_an_unknown_dtype_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"unknown dtype 'int7' \(did you mean 'int8'\?\)"):
        runtime("tflm").spec(dtype="int7")  # type: ignore[arg-type]


def test_an_unknown_name_lists_the_names_and_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown runtime 'tflmm' \(did you mean 'tflm'\?\).*litert, tflm"):
        runtime("tflmm")


def test_a_runtime_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        runtime("tflm").kernels["GELU"] = ("int8",)  # type: ignore[index]
    spec = runtime("tflm").spec()
    assert isinstance(spec.kernels, dict)
    spec.kernels.clear()
    assert runtime("tflm").kernels


def test_a_users_own_file_works_by_its_path(tmp_path: Path) -> None:
    path = write(tmp_path, OWN)
    for given_as in (path, str(path)):
        mine = runtime(given_as)
        assert mine == Runtime(
            name="mine",
            version="",
            source="",
            kernels={"CONV_2D": ("int8", "float32")},
            dtypes=("int8", "float32"),
            dense={"int8": "per-channel", "float32": "per-channel"},
            decode=(),
            int4_weights=(),
            notes=(),
        )


def test_a_users_own_file_may_ask_for_per_tensor_dense_in_one_word(tmp_path: Path) -> None:
    mine = runtime(write(tmp_path, 'dense = "per-tensor"' + OWN))
    assert {mine.spec(dtype=dtype).dense for dtype in mine.dtypes} == {"per-tensor"}


WRONG: Mapping[str, tuple[str, str]] = {
    "not TOML": ("name = ", "is not valid TOML"),
    "unknown key": ("kernel = 1\n" + OWN, r"unknown key 'kernel' \(did you mean 'kernels'\?\)"),
    "no name": (OWN.replace('name = "mine"', ""), "'name' is missing"),
    "no dtypes": ('name = "a"\n[kernels]\nADD = ["int8"]', "'dtypes' is missing"),
    "no kernels": ('name = "a"\ndtypes = ["int8"]', "'kernels' is missing"),
    "empty kernels": ('name = "a"\ndtypes = ["int8"]\n[kernels]', "kernels is empty"),
    "empty name": (OWN.replace('"mine"', '" "'), "name is ' '; expected a text"),
    "number for a name": (OWN.replace('"mine"', "3"), "name is 3; expected a text"),
    "empty dtypes": (OWN.replace('["int8", "float32"]\n[', "[]\n["), "dtypes is empty"),
    "unknown dtype": (OWN.replace('["int8", "float32"]\n[', '["int9"]\n['), "dtypes holds an unknown name 'int9'"),
    "text for a list": (
        OWN.replace('CONV_2D = ["int8", "float32"]', 'CONV_2D = "int8"'),
        "CONV_2D is 'int8'; expected",
    ),
    "unknown type": (
        OWN.replace('D = ["int8"', 'D = ["int88"'),
        r"CONV_2D holds an unknown name 'int88' \(did you mean",
    ),
    "type twice": (OWN.replace('D = ["int8", "float32"]', 'D = ["int8", "int8"]'), "CONV_2D holds 'int8' twice"),
    "numbers for types": (OWN.replace('D = ["int8", "float32"]', "D = [1]"), r"CONV_2D is \[1\]; expected a list"),
    "operator twice": (OWN + '[kernels_from_source]\nCONV_2D = ["int8"]', "CONV_2D is in .kernels. and in"),
    "kernels no table": ('name = "a"\ndtypes = ["int8"]\nkernels = 3', "kernels is 3; expected a table"),
    "wrong dense": ('dense = "per-row"' + OWN, "dense for int8 is 'per-row'; expected"),
    "dense no text": ("dense = 3" + OWN, "dense is 3; expected"),
    "dense for a strange dtype": (OWN + '[dense]\nint16x8 = "per-tensor"', r"\[dense\] unknown dtype 'int16x8'"),
    "dense incomplete": (OWN + '[dense]\nint8 = "per-tensor"', "dense for float32 is 'missing'"),
    "unknown encoding": ('decode = ["zip"]' + OWN, "decode holds an unknown name 'zip'"),
    "int4 without kernel": (
        'int4_weights = ["CONV2D"]' + OWN,
        r"unknown operator 'CONV2D' \(did you mean 'CONV_2D'\?\)",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_one_line_that_names_the_file_and_the_key(case: str, tmp_path: Path) -> None:
    text, message = WRONG[case]
    path = write(tmp_path, text)
    with pytest.raises(FileError, match=message) as caught:
        runtime(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"name = '\x00'", b"[" * 5000])
def test_bytes_that_are_no_toml_are_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(FileError, match="TOML"):
        runtime(path)


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path, Path("a\0b.toml")):
        with pytest.raises(FileError, match="cannot be read"):
            runtime(path)


@given(st.text(max_size=40))
def test_any_name_at_all_is_a_runtime_or_a_one_line_error(name: str) -> None:
    try:
        assert runtime(name).name == name
    except CompressionError as error:
        assert "\n" not in str(error)


def test_targets_load_without_tensorflow_or_numpy() -> None:
    code = "import sys; from tfcompress.targets import runtime; runtime('tflm'); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""What users rely on: a crash in native code is a one-line error, and nothing a child says can run code here."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from converters import child, messages
from converters.errors import ChildDiedError, DataError

HERE = str(Path(__file__).parent)


@pytest.fixture(autouse=True)
def _find_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE)


def call(name: str, *arguments: Any, **options: Any) -> Any:
    return child.call(f"child_functions:{name}", *arguments, what="the test", **options)


def test_values_cross_unchanged_and_progress_arrives() -> None:
    seen: list[tuple[str, int, int]] = []
    value = {"array": np.arange(6, dtype=np.int8).reshape(2, 3), "bytes": b"\x00\xff", "list": [1, 2.5, None, "x"]}
    result = call("echo", value, progress=lambda *event: seen.append(event))
    assert result["array"].dtype == np.int8
    np.testing.assert_array_equal(result["array"], value["array"])
    assert result["bytes"] == value["bytes"] and result["list"] == value["list"]
    assert seen == [("echoing", 1, 2)]


def test_a_deliberate_error_keeps_its_class_and_is_one_line() -> None:
    with pytest.raises(DataError, match="^three lines came$") as caught:
        call("complain")
    assert caught.value.details == "the whole story"


def test_an_unforeseen_error_is_one_line_with_the_traceback_aside() -> None:
    with pytest.raises(ChildDiedError, match="KeyError") as caught:
        call("stumble")
    assert "\n" not in str(caught.value)
    assert "Traceback" in caught.value.details


def test_a_native_crash_names_the_signal() -> None:
    with pytest.raises(ChildDiedError, match="the test crashed the native library .SIGSEGV."):
        call("crash")


def test_a_silent_exit_keeps_the_last_words() -> None:
    with pytest.raises(ChildDiedError, match="exit status 3") as caught:
        call("leave")
    assert caught.value.details == "famous last words"


def test_a_child_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(ChildDiedError, match="longer than 1 s"):
        call("sleep", limits=child.Limits(seconds=1))


def test_a_child_that_takes_too_much_memory_is_stopped() -> None:
    with pytest.raises(ChildDiedError, match="out of memory"):
        call("devour", limits=child.Limits(memory_bytes=child.GIB))


def test_native_prints_do_not_reach_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert call("chatter") == "still fine"
    assert capfd.readouterr().out == ""


def test_a_child_imports_no_tensorflow_of_its_own() -> None:
    assert call("imported") == []


def test_a_file_in_the_current_folder_does_not_shadow_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    assert call("echo", 1) == 1


FORGERIES = {
    "an array of pointers": '{"$dict": [["result", {"$array": 0, "dtype": "|O", "shape": [1]}]]}',
    "an array that is not there": '{"$dict": [["result", {"$array": 7, "dtype": "|u1", "shape": [8]}]]}',
    "a shape beyond the bytes": '{"$dict": [["result", {"$array": 0, "dtype": "|u1", "shape": [99]}]]}',
    "no JSON": "{[",
    "deep nesting": "[" * 200_000,
    "an unknown message": '{"$dict": [["surprise", 1]]}',
    "an error without its parts": '{"$dict": [["error", {"$dict": []}]]}',
}


@pytest.mark.parametrize("text", FORGERIES.values(), ids=FORGERIES)
def test_a_hostile_answer_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ChildDiedError, match="no usable answer"):
        call("forge", text)


def test_the_users_choice_of_a_keras_backend_does_not_reach_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert call("environment", "KERAS_BACKEND") == "tensorflow"


def test_objects_do_not_cross() -> None:
    with pytest.raises(TypeError, match="cannot cross"):
        call("echo", np.array([object()]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_every_plain_value_survives_the_message_format(value: Any) -> None:
    stream = io.BytesIO()
    messages.write_message(stream, value)
    stream.seek(0)
    assert messages.read_message(stream) == value


@given(arrays.arrays(st.sampled_from([np.int8, np.float32, np.int64]), arrays.array_shapes(min_dims=0, min_side=0)))
def test_every_array_survives_the_message_format(array: np.ndarray[Any, Any]) -> None:
    stream = io.BytesIO()
    messages.write_message(stream, array)
    stream.seek(0)
    result = messages.read_message(stream)
    assert result.dtype == array.dtype and result.shape == array.shape
    np.testing.assert_array_equal(result, array)


@given(st.integers(0, 200))
def test_a_message_cut_short_is_no_message(length: int) -> None:
    stream = io.BytesIO()
    messages.write_message(stream, {"array": np.arange(20), "text": "x" * 30})
    whole = stream.getvalue()
    assert messages.read_message(io.BytesIO(whole[: min(length, len(whole) - 1)])) is None

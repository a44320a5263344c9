"""Test vectors are what LiteRT makes of the very inputs, and their tolerance is what other kernels may differ by."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from android_models import classifier
from small_files import integers_in, two_inputs, two_outputs, with_memory
from small_tflite import G, Op, T, build

from converters.android import vectors
from converters.errors import DataError, ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.inputs import FeaturesInput, ImageInput, InputSpec
from converters.runtimes import litert, ports
from converters.runtimes.ports import Array


def made(
    data: bytes, given: Array | None = None, *, spec: InputSpec | None = None, count: int = 3
) -> tuple[vectors.Vectors, list[Array]]:
    return vectors.make(FlatBuffer(data), given, count=count, seed=1, origin="a test", spec=spec)


@pytest.mark.parametrize("dtype", ["float32", "int8", "uint8", "int16"])
def test_outputs_are_those_of_the_file_for_these_bytes(dtype: str) -> None:
    data = classifier(dtype)
    x = np.random.default_rng(0).uniform(0, 1, (4, 4, 4, 1)).astype(np.float32)
    found, _ = made(data, x)
    word, title = ("xnnpack", "XNNPACK") if dtype in ("int8", "uint8") else ("cpu", "built-in kernels")
    assert len(found.inputs) == 3 and found.origin == "a test"
    assert found.runtime.startswith("LiteRT ") and found.runtime.endswith(f"({title}, 1 thread)")
    assert found.kernels == word
    (port,), (out,) = ports.inputs_of(FlatBuffer(data)), ports.outputs_of(FlatBuffer(data))
    for kernels in ("default", "builtin"):
        for number, (row_in, row_out) in enumerate(zip(found.inputs, found.outputs, strict=True)):
            raw = np.frombuffer(row_in[0], port.dtype).reshape(port.shape)
            assert np.array_equal(raw, port.to_file(x[number : number + 1]))
            again = litert.run(data, raw, kernels=kernels, raw=True)[0]
            told = np.frombuffer(row_out[0], out.dtype).reshape(out.shape)
            assert np.abs(again.astype(np.float64) - told).max() <= found.tolerance[out.dtype]


def test_the_file_of_vectors_has_the_documented_keys() -> None:
    found, _ = made(two_inputs())
    told = json.loads(found.as_json("ab" * 32))
    assert set(told) == {"format", "sha256", "kernels", "runtime", "origin", "tolerance", "vectors"}
    assert (told["format"], told["sha256"], told["origin"]) == (1, "ab" * 32, "random, from seed 1")
    for row in told["vectors"]:
        a, b = (np.frombuffer(base64.b64decode(text), "<f4") for text in row["inputs"])
        (out,) = (np.frombuffer(base64.b64decode(text), "<f4") for text in row["outputs"])
        assert np.allclose(a - b, out) and a.size == 3


def dequantized() -> bytes:
    tensors = [
        T("x", (1, 4), "float32"),
        T("q", (1, 4), "int8", scales=(0.1,)),
        T("r", (1, 4), "int8", scales=(0.25,), zero_points=(1,)),
        T("y", (1, 4), "float32"),
    ]
    operators = [Op("QUANTIZE", ["x"], ["q"]), Op("QUANTIZE", ["q"], ["r"]), Op("DEQUANTIZE", ["r"], ["y"])]
    return build(G(tensors, operators, ["x"], ["y"]))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (classifier("int8"), {"int8": 1.0}),
        (classifier("int16", softmax=False), {"int16": 1.0}),
        (classifier("int16"), {"int16": 410.0}),
        (classifier("float32"), {"float32": 1e-5}),
        (dequantized(), {"float32": 0.25025}),
        (two_outputs(), {"float32": 1e-5}),
    ],
    ids=["int8", "int16", "16-bit softmax", "float32", "integers behind floats", "two outputs"],
)
def test_what_may_differ_is_a_step_or_the_last_digits(data: bytes, expected: dict[str, float]) -> None:
    assert made(data)[0].tolerance == pytest.approx(expected)


def test_large_outputs_may_differ_in_their_last_digits() -> None:
    x = np.full((1, 4), 1000, np.float32)
    assert made(two_outputs(), x)[0].tolerance == pytest.approx({"float32": 1e-2})


def test_integers_that_are_no_reals_must_be_equal() -> None:
    tensors = [
        T("x", (1, 4), "float32"), T("axis", (1,), "int32", values=[1]), T("best", (1,), "int64"),
    ]  # fmt: skip
    best = Op("ARG_MAX", ["x", "axis"], ["best"], ("ArgMaxOptions", {"outputType": 4}))
    found, _ = made(build(G(tensors, [best], ["x"], ["best"])))
    assert found.tolerance == {"int64": 0.0}


def test_random_pixels_are_pixels() -> None:
    spec = ImageInput(channels="gray", mean=(128.0,), std=(2.0,))
    _, (real,) = made(classifier("float32"), spec=spec)
    assert np.array_equal(real * 2 + 128, np.round(real * 2 + 128)) and real.min() < -30 < 30 < real.max()
    _, (plain,) = made(classifier("float32"), spec=FeaturesInput())
    assert -1 <= plain.min() < 0 < plain.max() <= 1
    channels = ImageInput(channels="rgb", layout="nchw", mean=(0.0, 100.0, 200.0), std=(1.0,))
    _, (first,) = made(classifier("float32", (1, 3, 8, 8)), spec=channels, count=20)
    lows = first.min(axis=(0, 1, 3, 4))
    assert np.abs(lows - [0, -100, -200]).max() < 5


def test_every_run_begins_without_the_state_of_the_one_before() -> None:
    x = np.full((3, 1), 2, np.float32)
    found, _ = made(with_memory(), x)
    assert [np.frombuffer(row[0], np.float32)[0] for row in found.outputs] == [2, 2, 2]


def test_indices_stay_whole() -> None:
    found, _ = made(integers_in("int32"))
    assert {len(row[0]) for row in found.inputs} == {4}
    with pytest.raises(DataError, match="fractions"):
        made(integers_in("int32"), np.array([0.5], np.float32))


def test_what_gives_no_numbers_is_refused() -> None:
    root = build(G([T("x", (1, 4), "float32"), T("y", (1, 4), "float32")], [Op("LOG", ["x"], ["y"])], ["x"], ["y"]))
    with pytest.raises(DataError, match="output 'y' is not finite for inputs that are random, from seed 1"):
        made(root)
    assert made(root, np.ones((2, 4), np.float32))[0].tolerance
    with pytest.raises(DataError, match="infinity"):
        made(root, np.full((2, 4), np.inf, np.float32))


def test_what_litert_cannot_run_or_would_be_huge_is_refused() -> None:
    tensors = [T("x", (1, 4), "float32"), T("y", (1, 4), "float32")]
    custom = build(G(tensors, [Op("Mystery", ["x"], ["y"])], ["x"], ["y"]))
    with pytest.raises(ModelError, match="LiteRT cannot run this file.*Mystery"):
        made(custom)
    tensors = [T("x", (1, 1_200_000), "float32"), T("y", (1, 1), "float32")]
    huge = build(G(tensors, [Op("NEG", ["x"], ["y"])], ["x"], ["y"]))
    with pytest.raises(UsageError, match="take 57,600,048 bytes; ask for fewer"):
        made(huge, count=12)

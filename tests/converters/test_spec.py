"""What users rely on: a request that no file can satisfy is refused when it is made."""

from __future__ import annotations

import pytest

from converters.errors import UsageError
from converters.spec import ConversionSpec


@pytest.mark.parametrize(
    ("dtype", "io", "expected"),
    [
        ("int8", None, "int8"),
        ("int8", "uint8", "uint8"),
        ("int16x8", None, "int16"),
        ("float16", None, "float32"),
        ("dynamic", None, "float32"),
    ],
)
def test_inputs_and_outputs_default_to_the_activations_type(dtype: str, io: str | None, expected: str) -> None:
    assert ConversionSpec(dtype=dtype, io=io).io_dtype == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(("dtype", "io"), [("float32", "int8"), ("int16x8", "uint8"), ("int8", "int16")])
def test_an_impossible_io_type_is_refused_with_the_possible_ones(dtype: str, io: str) -> None:
    with pytest.raises(UsageError, match=f"--io {io} cannot go with --dtype {dtype}; .* of type"):
        ConversionSpec(dtype=dtype, io=io)  # type: ignore[arg-type]


def test_an_unknown_value_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="dtype is 'int7'; expected one of int8, int16x8"):
        ConversionSpec(dtype="int7")  # type: ignore[arg-type]


def test_a_spec_survives_the_way_to_a_child() -> None:
    spec = ConversionSpec(dtype="int16x8", runtime="tflm", kernels={"CONV_2D": ("int8",)})
    assert ConversionSpec(**spec.as_dict()) == spec

"""What a conversion says of its file where it is not what a user expects of the type asked for."""

from __future__ import annotations

import numpy as np
import pytest
from android_models import classifier
from small_tflite import G, Op, T, build

from converters.conversion import finish
from converters.spec import ConversionSpec


def notes(data: bytes, dtype: str) -> tuple[str, ...]:
    made = {"data": data, "float_bytes": None, "notes": [], "float_file": None, "samples": None}
    return finish(made, ConversionSpec(dtype=dtype)).notes


def scaled(values: int) -> bytes:
    """float32 [1, values], times a weight of as many."""
    ends = [T(name, (1, values), "float32") for name in ("x", "y")]
    tensors = [*ends, T("w", (values,), "float32", values=np.ones(values))]
    return build(G(tensors, [Op("MUL", ["x", "w"], ["y"], ("MulOptions", {}))], ["x"], ["y"]))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            classifier("float32"),
            "the converter leaves weights of fewer than 1,024 values in float, and it has no larger ones",
        ),
        (scaled(1024), "none of its operators takes 8-bit weights beside float activations"),
    ],
)
def test_a_dynamic_file_that_is_a_float_one_says_why(data: bytes, said: str) -> None:
    (note,) = notes(data, "dynamic")
    assert note == f"nothing of this model was quantized: {said}; the file is its float32 one"
    assert notes(data, "float32") == ()

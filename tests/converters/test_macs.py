"""Multiply-accumulates against a count by hand."""

from __future__ import annotations

from typing import Any

import pytest

from converters.flatbuffer.macs import macs_of

CASES: list[tuple[str, dict[str, Any], list[Any], list[Any], int]] = [
    ("CONV_2D", {}, [(1, 32, 32, 3), (16, 3, 3, 3), (16,)], [(1, 32, 32, 16)], 32 * 32 * 16 * 27),
    # Grouped convolution: each output channel sees 2 of the 4 input channels.
    ("CONV_2D", {}, [(1, 5, 5, 4), (8, 1, 1, 2), None], [(1, 5, 5, 8)], 5 * 5 * 8 * 2),
    ("DEPTHWISE_CONV_2D", {}, [(1, 25, 5, 64), (1, 3, 3, 64), (64,)], [(1, 25, 5, 64)], 25 * 5 * 64 * 9),
    ("TRANSPOSE_CONV", {}, [(4,), (8, 2, 2, 3), (1, 4, 4, 3)], [(1, 8, 8, 8)], 4 * 4 * 3 * 2 * 2 * 8),
    ("CONV_3D", {}, [(1, 4, 4, 4, 2), (3, 3, 3, 2, 5)], [(1, 2, 2, 2, 5)], 8 * 5 * 27 * 2),
    ("CONV_3D_TRANSPOSE", {}, [(5,), (2, 2, 2, 3, 4), (1, 2, 2, 2, 4)], [(1, 4, 4, 4, 3)], 8 * 4 * 8 * 3),
    ("FULLY_CONNECTED", {}, [(1, 7, 64), (10, 64), None], [(1, 7, 10)], 7 * 10 * 64),
    ("BATCH_MATMUL", {}, [(2, 3, 4), (2, 4, 5)], [(2, 3, 5)], 2 * 3 * 4 * 5),
    ("BATCH_MATMUL", {"adj_x": True}, [(2, 4, 3), (2, 4, 5)], [(2, 3, 5)], 2 * 3 * 4 * 5),
    ("UNIDIRECTIONAL_SEQUENCE_RNN", {}, [(1, 6, 3), (8, 3), (8, 8), (8,)], [(1, 6, 8)], 6 * (24 + 64)),
    (
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        {},
        [(1, 6, 3), *[(8, 3)] * 4, *[(8, 8)] * 4, *[None] * 3, *[(8,)] * 4, None, None, (1, 8), (1, 8)],
        [(1, 6, 8)],
        6 * 4 * (24 + 64),
    ),
    ("LSTM", {"kernel_type": 1}, [(1, 3), (1, 8), (32, 11), (32,), (1, 8)], [(1, 8)], 32 * 11),
    ("SVDF", {}, [(1, 3), (4, 3), (4, 2), (4,), (1, 8)], [(1, 4)], 12 + 8),
    ("ADD", {}, [(1, 100), (1, 100)], [(1, 100)], 0),
    ("SOFTMAX", {}, [(1, 100)], [(1, 100)], 0),
]
SENSELESS: list[tuple[str, list[Any], list[Any]]] = [
    ("CONV_2D", [], [(1, 2, 2, 3)]),
    ("CONV_2D", [(1, 2, 2, 3), (3,)], [(1, 2, 2, 3)]),
    ("FULLY_CONNECTED", [(1, 2), None], [(1, 2)]),
    ("BATCH_MATMUL", [(4,), (4,)], [(1,)]),
    ("UNIDIRECTIONAL_SEQUENCE_LSTM", [], [()]),
    ("CONV_2D", [(1, 2, 2, 3), (3, 1, 1, 3)], []),
]


@pytest.mark.parametrize(("operator", "options", "inputs", "outputs", "expected"), CASES)
def test_macs_equal_the_products_counted_by_hand(
    operator: str, options: dict[str, Any], inputs: list[Any], outputs: list[Any], expected: int
) -> None:
    assert macs_of(operator, options, inputs, outputs) == expected


@pytest.mark.parametrize(("operator", "inputs", "outputs"), SENSELESS)
def test_operators_whose_shapes_make_no_sense_count_nothing(
    operator: str, inputs: list[Any], outputs: list[Any]
) -> None:
    assert macs_of(operator, {}, inputs, outputs) == 0

"""The size ledger always sums to the file's size, and puts every stored byte where its use says."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from small_tflite import G, Op, Parts, T, build

from converters.decode import encodings
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.walk import CATEGORIES

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
CONSTANTS = st.sampled_from(["int8", "uint8", "int16", "int32", "int64", "float32", "float16", "bool"])


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, int, int]:
    """A file of random dense layers, names, shapes and extras; with the bytes of its weights and of its biases."""
    tensors, operators = [T("x", (1, 8), scales=(0.1,))], []
    weight_bytes = bias_bytes = 0
    width = 8
    for number in range(draw(st.integers(0, 4))):
        units = draw(st.integers(1, 9))
        scales = (0.1,) * draw(st.sampled_from([1, units]))
        name = f"{number}{draw(NAMES)}"
        tensors.append(T(f"{name}/w", (units, width), values=number, scales=scales))
        tensors.append(T(f"{name}/y", (1, units), scales=(0.1,), zero_points=(draw(st.integers(-128, 127)),)))
        bias = f"{name}/b" if draw(st.booleans()) else None
        if bias:
            tensors.append(T(bias, (units,), "int32", values=number, scales=scales))
            bias_bytes += 4 * units
        source = operators[-1].outputs[0] if operators else "x"
        operators.append(Op("FULLY_CONNECTED", [source, f"{name}/w", bias], [f"{name}/y"]))
        weight_bytes += units * width
        width = units
    for number, dtype in enumerate(draw(st.lists(CONSTANTS, max_size=4))):
        shape = draw(st.lists(st.integers(1, 4), max_size=3))
        tensors.append(T(f"constant{number}", shape, dtype, values=np.ones(shape, dtype)))
        if dtype not in ("int32", "int64", "bool"):
            weight_bytes += int(np.ones(shape, dtype).nbytes)
    parts = Parts(
        metadata=draw(st.dictionaries(NAMES, st.binary(min_size=1, max_size=50), max_size=2)),
        signature=draw(st.none() | NAMES),
        description=draw(st.none() | NAMES),
        unused=draw(st.lists(st.binary(min_size=1, max_size=30), max_size=2)),
    )
    output = operators[-1].outputs[0] if operators else "x"
    return build(G(tensors, operators, ["x"], [output], draw(NAMES)), parts=parts), weight_bytes, bias_bytes


@settings(max_examples=60, deadline=None)
@given(files())
def test_the_parts_sum_to_the_file_and_hold_all_weights_and_biases(made: tuple[bytes, int, int]) -> None:
    data, weight_bytes, bias_bytes = made
    ledger = FlatBuffer(data).ledger
    assert list(ledger) == [name for name in CATEGORIES if name not in encodings()]
    assert sum(ledger.values()) == len(data)
    assert ledger["weights"] == weight_bytes
    assert ledger["biases"] == bias_bytes


@settings(max_examples=60, deadline=None)
@given(files(), st.integers(0, 2**32 - 1))
def test_the_parts_of_a_damaged_file_that_is_still_read_sum_to_it(made: tuple[bytes, int, int], seed: int) -> None:
    for data in mutated([made[0]], 5, seed=seed):
        with suppress(ModelError):
            ledger = FlatBuffer(data).ledger
            assert sum(ledger.values()) == len(data)
            assert min(ledger.values()) >= 0


@settings(max_examples=30, deadline=None)
@given(files(), st.binary(max_size=100))
def test_bytes_behind_the_file_count_as_padding(made: tuple[bytes, int, int], more: bytes) -> None:
    before, after = FlatBuffer(made[0]).ledger, FlatBuffer(made[0] + more).ledger
    assert after == {**before, "padding": before["padding"] + len(more)}

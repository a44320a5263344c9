"""Streams and tables may come from anyone: they give an array or a `ModelError` in one line, at a bounded cost."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from encoded_cases import Case, cases, encoded, filled
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tflite import G, Op, T, build
from tflm_bits import huffman as read_like_tflm

from converters.decode import Encoded, Layout, encodings, huffman, name_of, restored
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer


def outcome(stream: bytes, table: bytes, layout: Layout) -> np.ndarray | None:
    """The values; None where they are refused, in one line."""
    try:
        values = restored(stream, table, layout)
    except ModelError as error:
        assert "\n" not in str(error) and len(str(error)) < 300
        return None
    assert values.shape == layout.shape and values.dtype == layout.dtype
    return values


@settings(max_examples=300, deadline=None)
@given(cases(), st.integers(0, 2**32 - 1))
def test_a_damaged_stream_or_table_is_refused_or_read(case: Case, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for form in encoded(case).values():
        for part in (bytearray(form.stream), bytearray(form.table)):
            before = bytes(part)
            for _ in range(int(rng.integers(1, 4))):
                part[int(rng.integers(len(part)))] = int(rng.integers(256))
            stream, table = (bytes(part), form.table) if before == form.stream else (form.stream, bytes(part))
            outcome(stream, table, case.layout)


@settings(max_examples=150, deadline=None)
@given(cases(), st.data())
def test_a_cut_stream_or_table_is_never_read_beyond_its_end(case: Case, data: st.DataObject) -> None:
    for form in encoded(case).values():
        size = data.draw(st.integers(0, len(form.stream) - 1))
        shorter = outcome(form.stream[:size], form.table, case.layout)
        # Only the words that TFLM's Huffman reader looks ahead into hold nothing.
        if shorter is not None:
            assert form.encoding == "huffman" and shorter.tobytes() == case.values.tobytes()
        cut = outcome(form.stream, form.table[: data.draw(st.integers(0, len(form.table) - 1))], case.layout)
        if cut is not None:  # what was cut off is never asked for
            assert cut.tobytes() == case.values.tobytes()


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=4, max_size=64), st.binary(max_size=64), st.integers(0, 15), st.booleans(), st.booleans())
def test_noise_in_a_huffman_table_is_refused_or_read_as_tflm_reads_it(
    stream: bytes, noise: bytes, width: int, is_wide: bool, as_int16: bool
) -> None:
    stream = stream[: len(stream) // 4 * 4]
    table = bytes((1, 1, 0, 0, 1, width << 4 | is_wide)).ljust(16, b"\0") + noise[: len(noise) // 4 * 4]
    dtype = "int16" if as_int16 else "int8"
    values = outcome(stream, table, Layout(dtype, (9,)))
    if values is None:
        return
    try:
        assert read_like_tflm(stream, table, 9, dtype)[0].tobytes() == values.tobytes()
    except IndexError:  # it looks ahead behind the end, puts the bits back, and does no harm there
        assert len(stream) < 9 * 31 / 8 + 4


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.binary(max_size=60), cases())
def test_noise_is_refused_or_read(stream: bytes, table: bytes, case: Case) -> None:
    for number in range(4):
        outcome(stream, bytes((number, 1, 0, 0, 1)) + table, case.layout)
    outcome(stream, table, case.layout)


@pytest.mark.parametrize("number", [3, 4, 127, 128, 255])
def test_an_unknown_encoding_is_named_as_such(number: int) -> None:
    table = bytes((number, 1, 0, 0, 1)).ljust(16, b"\0")
    assert name_of(table) is None
    with pytest.raises(ModelError, match="unknown encoding; known are huffman, lut, prune"):
        restored(bytes(8), table, Layout("int8", (4,)))


def test_another_version_is_not_read_as_this_one() -> None:
    form = encoded(filled(Layout("int8", (32,)), "few", 0))["lut"]
    for place in (1, 4):
        table = bytearray(form.table)
        table[place] = 2
        with pytest.raises(ModelError):
            restored(form.stream, bytes(table), Layout("int8", (32,)))


def one_valued() -> Encoded:
    form = huffman.encode(np.zeros(8, np.int8), Layout("int8", (8,)))
    assert form is not None
    return form


@pytest.mark.parametrize("size", [1 << 25, 1 << 31, 1 << 48])
@pytest.mark.parametrize("bytes_", [4, 1 << 16])
def test_few_bytes_cannot_stand_for_gigabytes(size: int, bytes_: int) -> None:
    form = one_valued()
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            restored(bytes(bytes_), form.table, Layout("int8", (size,)))
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_many_operators_cannot_make_gigabytes_of_one_code_of_no_bits() -> None:
    form = one_valued()
    stored = {"stream": form.stream, "table": form.table}
    tensors = [T(name, (len(raw),), "uint8", raw=raw) for name, raw in stored.items()]
    whole = [T(f"w{number}", (4096, 4096)) for number in range(100)]
    for wanted, refused in ((whole[:1], False), (whole, True)):
        operators = [Op("TFLM_DECODE", ["stream", "table"], [tensor.name]) for tensor in wanted]
        data = build(G([*tensors, *wanted], operators, [], ["w0"]))
        if refused:
            with pytest.raises(ModelError, match="bytes decode to over"):
                FlatBuffer(data)
        else:
            assert FlatBuffer(data).tensors[2].encoding == "huffman"


def test_what_a_code_of_no_bits_stands_for_takes_no_step_for_each_value() -> None:
    steps = 0
    inner = huffman._Reader.next

    def counted(*arguments: object) -> object:
        nonlocal steps
        steps += 1
        return inner(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huffman._Reader, "next", counted)
        assert not restored(one_valued().stream, one_valued().table, Layout("int8", (1 << 24,))).any()
    assert steps < 1000


@pytest.mark.parametrize("name", ["lut", "prune", "huffman"])
def test_an_empty_stream_holds_no_values(name: str) -> None:
    form = encoded(filled(Layout("int8", (64,)), "few", 0))[name]
    for table in (form.table, one_valued().table):
        with pytest.raises(ModelError):
            restored(b"", table, Layout("int8", (64,)))
    assert restored(b"", form.table, Layout("int8", (0, 3))).shape == (0, 3)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "bool", "uint8", "float16", "string", "int4", "complex64"])
@pytest.mark.parametrize("layout", [(), (0,), (3, 3, 3), (0,) * 7, (300,), (-(1 << 40),)])
def test_senseless_layouts_are_refused_or_read(dtype: str, layout: tuple[int, ...]) -> None:
    for channels, axis in ((1, 0), (3, 0), (3, 1), (7, 1), (3, 5)):
        for form in encoded(filled(Layout("int8", (8, 8)), "few", 0)).values():
            outcome(form.stream, form.table, Layout(dtype, (8, 8), layout, channels, axis))
    assert set(encodings()) == {"huffman", "lut", "prune"}

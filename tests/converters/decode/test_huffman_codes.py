"""Huffman codes are what theory says they are, and TFLM's reader, port of its source, gets through every stream."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from encoded_cases import HUFFMAN_DTYPES, Case, cases
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tflm_bits import huffman as read_like_tflm

from converters.decode import HEADER_BYTES, Layout, huffman, restored

ELEMENT_BYTES = {"int8": 2, "int16": 4}
LONGEST = 31  # TFLM takes 31 bits of a stream at once at most
FIBONACCI = list(itertools.accumulate(range(34), lambda pair, _: (pair[1], sum(pair)), initial=(1, 1)))

counts_of_values = st.dictionaries(st.integers(-128, 127), st.integers(1, 50), min_size=2, max_size=40)


def textbook_bits(counts: Mapping[int, int]) -> tuple[int, int]:
    """Bits of all values in a Huffman code made with a heap, and its longest code."""
    heap = [(count, number, {value: 0}) for number, (value, count) in enumerate(counts.items())]
    heapq.heapify(heap)
    number = len(heap)
    while len(heap) > 1:
        one, other = heapq.heappop(heap), heapq.heappop(heap)
        depths = {value: depth + 1 for value, depth in (one[2] | other[2]).items()}
        heapq.heappush(heap, (one[0] + other[0], number, depths))
        number += 1
    return sum(counts[value] * depth for value, depth in heap[0][2].items()), max(heap[0][2].values())


def bits(code: huffman.Code, counts: Mapping[int, int]) -> int:
    return sum(counts[value] * length for value, length in code.lengths.items())


def check_stream(values: np.ndarray, dtype: str) -> None:
    layout = Layout(dtype, values.shape)
    form = huffman.encode(values, layout)
    assert form is not None
    read, fetched = read_like_tflm(form.stream, form.table, values.size, dtype)
    assert read.tobytes() == values.tobytes()
    assert len(form.stream) % 4 == 0
    # No word too few for TFLM, and none that it would never fetch.
    assert fetched == len(form.stream) // 4


@settings(max_examples=150, deadline=None)
@given(cases(HUFFMAN_DTYPES))
def test_tflms_reader_fetches_every_word_of_a_stream_and_none_behind_it(case: Case) -> None:
    check_stream(case.values.reshape(-1), case.layout.dtype)


@pytest.mark.parametrize("dtype", HUFFMAN_DTYPES)
@pytest.mark.parametrize("value", [0, 1, -1, -128, 127])
def test_a_tensor_of_one_value_is_one_word(dtype: str, value: int) -> None:
    for size in (1, 31, 32, 33, 5000):
        check_stream(np.full(size, value, dtype), dtype)
        form = huffman.encode(np.full(size, value, dtype), Layout(dtype, (size,)))
        assert form is not None and len(form.stream) == 4
        assert len(form.table) == HEADER_BYTES + 2 * ELEMENT_BYTES[dtype]


@pytest.mark.parametrize("size", range(1, 140))
def test_a_stream_that_ends_anywhere_in_a_word_is_read_to_its_end(size: int) -> None:
    # Codes of 1 to 7 bits; the rarest last, where the reader looks furthest ahead.
    values = np.sort(np.minimum(np.random.default_rng(size).geometric(0.5, size), 8)).astype(np.int8)
    check_stream(values, "int8")
    check_stream(values[::-1].copy(), "int8")


@settings(max_examples=150, deadline=None)
@given(counts_of_values, st.sampled_from(HUFFMAN_DTYPES))
def test_no_code_begins_with_another_and_together_they_fill_the_tree(counts: dict[int, int], dtype: str) -> None:
    code = huffman.best_code(counts, dtype)
    assert set(code.lengths) == set(counts)
    assert min(code.lengths.values()) >= 1 and max(code.lengths.values()) <= LONGEST
    # Each value alone, read by TFLM's reader, is told apart from every other; with Kraft's sum that is prefix-free.
    assert sum(2.0**-length for length in code.lengths.values()) == 1.0
    for value in counts:
        form = huffman.encode_with(code, np.array([value] * 3, dtype))
        assert read_like_tflm(form.stream, form.table, 3, dtype)[0].tolist() == [value] * 3


@settings(max_examples=100, deadline=None)
@given(counts_of_values)
def test_where_tables_do_not_matter_the_code_is_as_short_as_the_textbooks(counts: dict[int, int]) -> None:
    shortest, longest = textbook_bits(counts)
    assume(longest <= 15)
    many = {value: count * 10_000_000 for value, count in counts.items()}
    assert bits(huffman.best_code(many, "int8"), many) == 10_000_000 * shortest


@settings(max_examples=100, deadline=None)
@given(counts_of_values, st.sampled_from(HUFFMAN_DTYPES))
@example({0: 1000, 1: 500, 2: 250, 3: 1, 4: 1, 5: 1}, "int8")
def test_stream_and_table_are_never_larger_than_with_one_table(counts: dict[int, int], dtype: str) -> None:
    code = huffman.best_code(counts, dtype)
    one_table = HEADER_BYTES + ELEMENT_BYTES[dtype] * 2 ** max(code.lengths.values())
    assert len(code.table) <= one_table
    shortest, longest = textbook_bits(counts)
    words = -(-shortest // 32)
    textbook = 4 * words + HEADER_BYTES + ELEMENT_BYTES[dtype] * 2**longest
    assert code.stream_bytes(counts) + len(code.table) <= textbook
    values = np.repeat(list(counts), list(counts.values())).astype(dtype)
    np.random.default_rng(0).shuffle(values)
    form = huffman.encode_with(code, values)
    # The reader may look into one word more before it puts bits back.
    assert code.stream_bytes(counts) <= len(form.stream) <= code.stream_bytes(counts) + 4


@pytest.mark.parametrize("dtype", HUFFMAN_DTYPES)
def test_counts_that_ask_for_codes_of_thirty_bits_get_codes_that_tflm_reads(dtype: str) -> None:
    counts = {value - 17: pair[0] for value, pair in enumerate(FIBONACCI)}
    assert textbook_bits(counts)[1] > LONGEST
    code = huffman.best_code(counts, dtype)
    assert max(code.lengths.values()) <= LONGEST
    values = np.random.default_rng(0).permutation(np.repeat(list(counts), 40)).astype(dtype)
    form = huffman.encode_with(code, values)
    assert read_like_tflm(form.stream, form.table, values.size, dtype)[0].tobytes() == values.tobytes()
    assert restored(form.stream, form.table, Layout(dtype, values.shape)).tobytes() == values.tobytes()


@pytest.mark.parametrize("skew", [1.0, 1.02, 1.1, 1.5])
def test_all_values_of_a_byte_fit_into_the_ways_of_a_table(skew: float) -> None:
    # A table of 16-bit elements has 11 bits for the way to a further table.
    counts = {value: max(1, int(1000 * skew ** -abs(value))) for value in range(-128, 128)}
    values = np.random.default_rng(1).permutation(np.repeat(list(counts), list(counts.values()))).astype(np.int8)
    assert set(values[:6000]) == set(counts) or skew > 1
    check_stream(values[:6000], "int8")


def test_equal_lengths_give_equal_tables_which_tensors_can_share() -> None:
    one, other = {0: 8, 1: 4, 2: 2, 3: 2}, {0: 80, 1: 40, 2: 20, 3: 20}
    assert huffman.best_code(one, "int8").table == huffman.best_code(other, "int8").table


def test_thousands_of_values_of_int16_come_back() -> None:
    values = (np.random.default_rng(2).normal(0, 800, 20_000)).astype(np.int16)
    form = huffman.encode(values, Layout("int16", values.shape))
    assert form is not None
    assert restored(form.stream, form.table, Layout("int16", values.shape)).tobytes() == values.tobytes()

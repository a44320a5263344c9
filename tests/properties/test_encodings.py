"""Whatever a tensor holds, its encoded form decodes to it again: by the reader here, and by TFLM itself."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from encoded_cases import DTYPES, HUFFMAN_DTYPES, SPREADS, Case, by_tflm, cases, encoded, filled, layouts_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converters.decode import Layout, encodings, name_of, restored
from converters.runtimes import tflm

needs_tflm = pytest.mark.skipif(not tflm.available(), reason="tflite-micro has no wheel for this platform")

SHAPES = [(), (1,), (5,), (300,), (3, 1, 1, 7), (1, 3, 3, 16), (4, 2, 2, 3), (33, 5), (2, 129)]


def check(case: Case) -> None:
    for name, form in encoded(case).items():
        assert form.encoding == name == name_of(form.table)
        values = restored(form.stream, form.table, case.layout)
        assert values.dtype == case.values.dtype, name
        assert values.shape == case.values.shape, name
        assert values.tobytes() == case.values.tobytes(), name


@settings(max_examples=250, deadline=None)
@given(cases())
def test_what_is_encoded_comes_back_bit_for_bit(case: Case) -> None:
    check(case)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_same_tensor_is_always_encoded_in_the_same_bytes(case: Case) -> None:
    assert encoded(case) == encoded(Case(case.values.copy(), case.layout, case.spread))


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_encoding_takes_every_type_that_it_names(dtype: str) -> None:
    layout = Layout(dtype, (4, 8))
    few = filled(layout, "few", 1)
    assert set(encoded(few)) == {"lut", "prune"} | ({"huffman"} if dtype in HUFFMAN_DTYPES else set())


@pytest.mark.parametrize("dtype", ["uint8", "bool", "float16", "uint16", "float64"])
def test_an_encoding_leaves_a_type_that_tflm_does_not_decode(dtype: str) -> None:
    values = np.ones((4, 8), dtype)
    assert all(module.encode(values, Layout(dtype, (4, 8))) is None for module in encodings().values())


def test_a_tensor_without_elements_is_left_alone() -> None:
    assert all(
        module.encode(np.zeros((0, 3), np.int8), Layout("int8", (0, 3))) is None for module in encodings().values()
    )


def test_one_value_in_a_million_elements_comes_back() -> None:
    for value in (0, -128):
        check(filled(Layout("int8", (1,)), "zeros", 0))
        case = Case(np.full((3_000_000,), value, np.int8), Layout("int8", (3_000_000,)), "one value")
        check(case)
        assert len(encoded(case)["huffman"].stream) == 4


def test_zero_and_minus_zero_are_two_values_of_a_float() -> None:
    values = np.array([[0.0, -0.0, 1.0, np.nan]] * 8, np.float32)
    for form in encoded(Case(values, Layout("float32", values.shape), "few")).values():
        back = restored(form.stream, form.table, Layout("float32", values.shape))
        assert np.signbit(back).tolist() == np.signbit(values).tolist()


def test_more_values_than_a_look_up_table_holds_are_not_put_into_one() -> None:
    lut = encodings()["lut"]
    full = np.arange(128, dtype=np.int16)
    assert lut.encode(full, Layout("int16", (128,))) is not None
    assert lut.encode(np.arange(129, dtype=np.int16), Layout("int16", (129,))) is None


def test_channels_of_few_values_each_get_tables_of_their_own() -> None:
    rng = np.random.default_rng(3)
    rows = np.array([rng.choice(np.arange(100 * row, 100 * row + 4), 200) for row in range(50)], np.int16)
    for values, axis in ((rows, 0), (np.ascontiguousarray(rows.T), 1)):
        layout = Layout("int16", values.shape, (0,) * 50, 50, axis)
        form = encodings()["lut"].encode(values, layout)
        assert form is not None
        assert form.table[5] & 7 == 2 and form.table[6] == 4  # bits of a number, values of a channel
        check(Case(values, layout, "few"))


def test_zero_points_other_than_zero_are_what_a_bitmap_leaves_out() -> None:
    layout = Layout("int8", (2, 64), (-128, 7), 2, 0)
    values = np.repeat(np.array([[-128], [7]], np.int8), 64, axis=1)
    values[1, 3] = 0
    form = encodings()["prune"].encode(values, layout)
    assert form is not None and len(form.table) == 16 + 1 and len(form.stream) == 16


@pytest.mark.parametrize("dtype", ["int16", "int32", "int64"])
def test_a_bitmap_is_not_made_where_tflm_would_refuse_the_zero_point(dtype: str) -> None:
    assert encodings()["prune"].encode(np.ones((2, 64), dtype), Layout(dtype, (2, 64), (1,))) is None


def test_an_axis_in_the_middle_is_encoded_only_by_what_knows_no_channels() -> None:
    layout = Layout("int8", (3, 4, 5), (0,) * 4, 4, 1)
    assert set(encoded(filled(layout, "few", 2))) == {"huffman"}


# --- by TFLM --------------------------------------------------------------------------------------------------------


def check_by_tflm(many: list[Case]) -> int:
    forms = [(case, name, form) for case in many for name, form in encoded(case).items()]
    for (case, name, _), values in zip(forms, by_tflm([(form, case.layout) for case, _, form in forms]), strict=True):
        assert values.dtype == case.values.dtype
        assert values.tobytes() == case.values.tobytes(), f"{name} of {case}"
    return len(forms)


@needs_tflm
def test_tflm_decodes_every_type_layout_and_spread_to_what_was_encoded() -> None:
    many = []
    for number, (dtype, shape) in enumerate(itertools.product(DTYPES, SHAPES)):
        layouts = layouts_of(dtype, shape, (-128, 5, 0, 127, -1))
        many += [filled(layout, spread, number) for layout, spread in itertools.product(layouts, SPREADS)]
    assert check_by_tflm(many) > 2000


@needs_tflm
def test_tflm_decodes_numbers_of_every_width_at_every_place_in_a_channel() -> None:
    # Its kernels for 2, 3 and 4 bits read up to 32 numbers at once and the rest one by one, after each channel anew.
    many = []
    for count, columns in itertools.product((2, 4, 8, 16, 32, 64, 128), (1, 15, 16, 17, 31, 32, 33, 47, 65)):
        values = np.random.default_rng(count).integers(-count // 2, count - count // 2, (5, columns)).astype(np.int8)
        for axis, shape in ((0, (5, columns)), (1, (columns, 5))):
            layout = Layout("int8", shape, (0,) * 5, 5, axis)
            many.append(Case(np.ascontiguousarray(values.reshape(shape)), layout, "flat"))
    assert check_by_tflm(many) > 300


@needs_tflm
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.large_base_example, HealthCheck.data_too_large]
)
@given(st.lists(cases(), min_size=15, max_size=40))
def test_tflm_decodes_whatever_was_encoded(many: list[Case]) -> None:
    check_by_tflm(many)


@needs_tflm
def test_the_plain_file_says_the_same_as_tflm() -> None:
    # The other way round: a wrong stream must not come out right, or the tests above would say nothing.
    case = filled(Layout("int8", (64,)), "few", 5)
    for form in encoded(case).values():
        spoiled = type(form)(form.encoding, bytes(len(form.stream)), form.table)
        (values,) = by_tflm([(spoiled, case.layout)])
        assert values.tobytes() != case.values.tobytes()
        assert values.tobytes() == restored(spoiled.stream, spoiled.table, case.layout).tobytes()

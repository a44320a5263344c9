"""The port of TFLM's planner: what holds for every plan, and small plans worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_tflite import G, Op, Parts, T, build

from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from converters.runtimes.device_arena import lifetimes
from converters.runtimes.device_arena.lifetimes import Scratch
from converters.runtimes.device_arena.planner import Buffer, height, lower_bound, offsets


@st.composite
def _buffers(draw: st.DrawFn) -> list[Buffer]:
    found = []
    for _ in range(draw(st.integers(1, 25))):
        first = draw(st.integers(0, 8))
        found.append(Buffer(draw(st.integers(0, 200)), first, draw(st.integers(first, 9))))
    return found


@given(_buffers())
def test_what_is_alive_at_once_lies_apart(buffers: list[Buffer]) -> None:
    places = list(zip(offsets(buffers), buffers, strict=True))
    for number, (start, one) in enumerate(places):
        assert start >= 0
        assert start % 16 == 0
        for other_start, other in places[:number]:
            if one.first <= other.last and other.first <= one.last and one.size and other.size:
                assert start >= other_start + other.size or other_start >= start + one.size


@given(_buffers())
def test_no_plan_is_below_the_bound_nor_above_the_sum(buffers: list[Buffer]) -> None:
    assert lower_bound(buffers) <= height(buffers) <= sum(one.size for one in buffers)


@given(_buffers())
def test_one_buffer_more_never_lowers_the_bound(buffers: list[Buffer]) -> None:
    assert lower_bound(buffers[:-1]) <= lower_bound(buffers)


def test_a_gap_is_used_and_equal_sizes_are_placed_from_the_last() -> None:
    # 64 lies first; 48 overlaps it in time and goes behind; 32 overlaps only with 48, fits before it.
    assert offsets([Buffer(64, 0, 1), Buffer(48, 1, 2), Buffer(32, 2, 3)]) == (0, 64, 0)
    assert offsets([Buffer(16, 0, 0), Buffer(16, 0, 0)]) == (16, 0)


def test_a_buffer_planned_offline_stays_and_others_go_around_it() -> None:
    buffers = [Buffer(32, 0, 1), Buffer(16, 0, 1, offset=16), Buffer(16, 0, 1)]
    assert offsets(buffers) == (32, 16, 0)
    assert height(buffers) == 64


def test_no_buffers_need_no_memory() -> None:
    assert (offsets([]), height([]), lower_bound([])) == ((), 0, 0)


def _chain(metadata: dict[str, bytes] | None = None) -> FlatBuffer:
    tensors = [T("x", (1, 20)), T("a", (1, 20)), T("b", (1, 20)), T("unused", (1, 4))]
    operators = [Op("RELU", ["x"], ["a"]), Op("RELU", ["a"], ["b"])]
    return FlatBuffer(build(G(tensors, operators, ["x"], ["b"]), parts=Parts(metadata=metadata or {})))


def test_lives_begin_with_the_writer_and_end_with_the_last_reader() -> None:
    found = lifetimes.buffers(_chain(), [Scratch(7, 0, 1)])
    assert [(one.bytes, one.first, one.last) for one in found] == [
        (20, 0, 1),
        (20, 1, 2),
        (20, 2, 2),
        (4, -1, -1),
        (7, 2, 2),
    ]


def test_an_offline_plan_is_read_and_a_short_one_refused() -> None:
    words = [1, 0, 4, 0, 32, -1, -1]
    plan = b"".join(word.to_bytes(4, "little", signed=True) for word in words)
    found = lifetimes.buffers(_chain({"OfflineMemoryAllocation": plan}))
    assert [one.offset for one in found] == [0, 32, -1, -1]
    with pytest.raises(ModelError, match="offline memory plan has 24 bytes for 4 tensors"):
        lifetimes.buffers(_chain({"OfflineMemoryAllocation": plan[:-4]}))

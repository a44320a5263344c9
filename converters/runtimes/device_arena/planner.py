"""A port of TFLM's GreedyMemoryPlanner: where buffers with lifetimes lie in one piece of memory.

Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc. Buffers with an offset of their own (planned
offline) are placed first, in their order; the others in descending order of size, of equal ones the last added first
(`ReverseSortInPlace` is stable and gets them backwards). Each goes into the first gap between those alive at the same
time, or behind them all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

# kOnlinePlannedBuffer (greedy_memory_planner.h): the planner chooses the offset.
ONLINE = -1
# MicroArenaBufferAlignment (micro_arena_constants.h), in bytes; CreatePlan (micro_allocator.cc) rounds sizes up to it.
ALIGNMENT = 16


@dataclass(frozen=True)
class Buffer:
    """Memory that is needed for a while.

    Attributes:
        bytes: what its user asked for.
        first: number of the step that first needs it.
        last: number of the step that last needs it.
        offset: where it has to lie, in bytes; `ONLINE` where the planner may choose.
    """

    bytes: int
    first: int
    last: int
    offset: int = ONLINE

    @property
    def size(self) -> int:
        """Bytes as the planner counts them."""
        return aligned(self.bytes)


def aligned(size: int, alignment: int = ALIGNMENT) -> int:
    """The least multiple of `alignment` that is not below `size`."""
    return -(-size // alignment) * alignment


def offsets(buffers: Sequence[Buffer]) -> tuple[int, ...]:
    """Where each buffer lies, in bytes from the start (GreedyMemoryPlanner::CalculateOffsetsIfNeeded)."""
    offline = [number for number, one in enumerate(buffers) if one.offset != ONLINE]
    online = [number for number, one in enumerate(buffers) if one.offset == ONLINE]
    online.sort(key=lambda number: (-buffers[number].size, -number))
    found = [0] * len(buffers)
    placed: list[int] = []  # numbers, by offset
    starts: list[int] = []
    for number in [*offline, *online]:
        one = buffers[number]
        start = (
            _first_gap(one, [(found[other], buffers[other]) for other in placed])
            if one.offset == ONLINE
            else one.offset
        )
        found[number] = start
        place = bisect_right(starts, start)
        placed.insert(place, number)
        starts.insert(place, start)
    return tuple(found)


def height(buffers: Sequence[Buffer]) -> int:
    """Bytes that the plan takes (GreedyMemoryPlanner::GetMaximumMemorySize)."""
    return max((start + one.size for start, one in zip(offsets(buffers), buffers, strict=True)), default=0)


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Bytes that are needed at one step at least, so that no planner gets below: the largest sum of what is alive."""
    steps = {one.first for one in buffers}
    return max((sum(one.bytes for one in buffers if one.first <= step <= one.last) for step in steps), default=0)


def _first_gap(wanted: Buffer, placed: Sequence[tuple[int, Buffer]]) -> int:
    candidate = 0
    for start, other in placed:
        if other.first > wanted.last or wanted.first > other.last:
            continue
        if start - candidate >= wanted.size:
            break
        candidate = max(candidate, start + other.size)
    return candidate

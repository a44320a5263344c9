"""Memory that TFLM needs, in two ways that must agree: its own accounting, and the smallest arena that works.

The arena has a head (activations, reused as the planner sees fit) and a tail (what lives as long as the model:
registrations, quantization data, kernels' own state). Figures are of this 64-bit host: pointers in the tail are twice
as wide as on a 32-bit microcontroller, and optimized kernels (CMSIS-NN, ESP-NN) ask for scratch memory of their own.

Planning the head needs scratch memory for a moment, some hundred bytes, where the head will lie. A model whose
activations are smaller than that needs an arena larger than the accounting says; the smallest that works tells.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from converters.child import Limits, Progress
from converters.errors import ChildDiedError, ModelError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import ports, tflm, timing

# The two ways differ by alignment, 16 bytes at either end.
_NEAR = 64
# TFLM's own objects lie in the arena, and one without room for them crashes instead of refusing (at 400 bytes it did,
# at 500 it refused): no smaller one is tried, and no model fits into it.
_FLOOR = 512
# Some models crash it at a few sizes just below what they need; a new process goes on after each.
_MOST_CRASHES = 12


@dataclass(frozen=True)
class Arena:
    """Bytes of TFLM's arena on this host.

    Attributes:
        total_bytes: head and tail, by TFLM's RecordingMicroAllocator after a run.
        head_bytes: activations.
        tail_bytes: what lives as long as the model.
        smallest_bytes: size of the smallest arena in which the model loads and runs, by bisection.
    """

    total_bytes: int
    head_bytes: int
    tail_bytes: int
    smallest_bytes: int


def measure(data: bytes, *, limits: Limits | None = None) -> Arena:
    """Counts a file's arena both ways, in a child process.

    Raises:
        ModelError: the file is damaged, or TFLM cannot run it.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    FlatBuffer(data)
    function = "converters.runtimes.tflm_arena:measure_here"
    crashing: list[int] = []  # sizes at which TFLM died instead of refusing
    tried = [0]

    def remember(stage: str, done: int, total: int) -> None:
        tried[0] = done

    while True:
        try:
            what = "measuring TFLM's arena"
            counted: Mapping[str, int] = tflm.call(
                function, data, crashing, what=what, limits=limits, progress=remember
            )
            return Arena(**counted)
        except ChildDiedError as error:
            # It died of an arena that is too small for it: one more size that does not work. Anything else is told.
            if "crashed" not in str(error) or not tried[0] or len(crashing) >= _MOST_CRASHES:
                raise
            crashing.append(tried[0])
            tried[0] = 0


def total_bytes(data: bytes, *, limits: Limits | None = None) -> int:
    """Head and tail by TFLM's own accounting, without the search for the smallest arena; see `measure` for errors."""
    return parts(data, limits=limits)[0]


def parts(data: bytes, *, limits: Limits | None = None) -> tuple[int, int, int]:
    """Total, head and tail bytes by TFLM's own accounting; see `measure` for errors."""
    FlatBuffer(data)
    function = "converters.runtimes.tflm_arena:parts_here"
    total, head, tail = tflm.call(function, data, what="measuring TFLM's arena", limits=limits)
    return int(total), int(head), int(tail)


# --- the child's side -------------------------------------------------------------------------------------------


def measure_here(data: bytes, crashing: list[int], *, progress: Progress) -> dict[str, int]:
    """The child's part of `measure`; tells each size before it tries it, and tries none of `crashing`."""
    total, head, tail = accounting(data)

    def loads(size: int) -> bool:
        if size in crashing:
            return False
        progress("searching the smallest arena", size, 0)
        return _works(lambda: tflm.open_session(data, arena_bytes=size))

    def runs(size: int) -> bool:
        return loads(size) and _works(lambda: _run_once(data, size))

    # Nearly all memory is asked for while loading, which is quick to try; the result has to run as well.
    smallest = _smallest(loads, total)
    if not runs(smallest):
        smallest = _smallest(runs, smallest)
    return asdict(Arena(total, head, tail, smallest))


def parts_here(data: bytes, *, progress: Progress) -> tuple[int, int, int]:
    """The child's part of `parts`."""
    return accounting(data)


def _works(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except ModelError:
        return False
    return True


def accounting(data: bytes) -> tuple[int, int, int]:
    """Total, head and tail bytes by TFLM's own accounting, after one run in this process.

    Raises:
        ModelError: TFLM cannot run the file, or printed no accounting.
    """
    session = _run_once(data, None)
    printed = _printed_by(session.interpreter.print_allocations)
    found = {name: re.search(rf"Arena allocation {name} (\d+) bytes", printed) for name in ("total", "head", "tail")}
    sizes = [int(match.group(1)) for match in found.values() if match]
    if len(sizes) != len(found):
        raise ModelError(
            "TFLM printed no account of its arena; this version of tflite-micro is not the one that was tried",
            details=printed,
        )
    return sizes[0], sizes[1], sizes[2]


def _run_once(data: bytes, arena_bytes: int | None) -> tflm.TFLMSession:
    session, flatbuffer = tflm.open_session(data, arena_bytes=arena_bytes)
    samples = timing.random_inputs(ports.inputs_of(flatbuffer), 1, seed=0)
    session.set_inputs([sample[0] for sample in samples])
    session.invoke()
    return session


def _smallest(works: Callable[[int], bool], guess: int) -> int:
    """The least number for which `works` holds, by bisection, beginning near `guess`."""
    fails, holds = max(guess - _NEAR, _FLOOR), max(guess, _FLOOR) + _NEAR
    while not works(holds):
        fails, holds = holds, 2 * holds
    while fails > _FLOOR and works(fails):
        fails, holds = max(fails // 2, _FLOOR), fails
    while holds - fails > 1:
        middle = (fails + holds) // 2
        if works(middle):
            holds = middle
        else:
            fails = middle
    return holds


def _printed_by(function: Callable[[], Any]) -> str:
    # The C code writes to file descriptor 2, past Python's sys.stderr.
    with tempfile.TemporaryFile() as caught:
        saved = os.dup(2)
        os.dup2(caught.fileno(), 2)
        try:
            function()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        caught.seek(0)
        return caught.read().decode(errors="replace")

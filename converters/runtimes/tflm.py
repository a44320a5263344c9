"""TensorFlow Lite for Microcontrollers on this machine, always in a child process: run a file, time it.

The wheel holds TFLM's reference kernels built for a 64-bit host. Outputs are what a device with reference kernels
gives; times are this machine's and say nothing about a device. `tflm_arena` counts memory.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from converters import child
from converters.child import Limits, Progress, no_progress
from converters.errors import ChildDiedError, ModelError, NotAvailableError
from converters.flatbuffer import FlatBuffer, prefix
from converters.flatbuffer.graph import shown
from converters.runtimes import feeding, ports, timing
from converters.runtimes.ports import Array, Inputs

# An arena for running needs room, not precision: pages that TFLM never touches cost nothing.
_ARENAS = (16 << 20, 512 << 20)


def available() -> bool:
    """Whether this platform has a build of TFLM; asked without loading it."""
    try:
        metadata.version("tflite-micro")
    except metadata.PackageNotFoundError:
        return False
    return True


def describe() -> str:
    """The runtime's name for a report, such as `TFLM 0.dev20261023182759`.

    Raises:
        NotAvailableError: there is no build for this platform.
    """
    if not available():
        raise _not_available()
    return f"TFLM {metadata.version('tflite-micro')}"


def run(
    data: bytes,
    inputs: Inputs | Array,
    *,
    jobs: int = 1,
    raw: bool = False,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> list[Array]:
    """Outputs of a `.tflite` file for given samples.

    Args:
        data: the file's bytes.
        inputs: arrays `[n, ...]` in the float model's units, by input name or in the file's order; they are quantized
            with the file's own scales (see `quantized_io`).
        jobs: processes that share the samples; TFLM itself uses one thread.
        raw: inputs and outputs are the file's own integers.
        limits: time and memory of each process.
        progress: told the samples done.

    Returns:
        One array `[n, ...]` per output, in real numbers unless `raw`.

    Raises:
        ModelError: the file is damaged, or TFLM cannot run it; an operator without a kernel is named.
        DataError: the data does not fit the file.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    parts = feeding.parts(FlatBuffer(data), inputs, jobs=jobs, raw=raw, resizable=False)

    def work(part: list[Array], tell: Progress) -> list[Array]:
        function = "converters.runtimes.tflm:run_here"
        outputs: list[Array] = call(
            function, data, part, raw, what="running the model on TFLM", limits=limits, progress=tell
        )
        return outputs

    return feeding.in_parallel(parts, work, progress)


def time(
    data: bytes, *, runs: int = 50, seconds: float = 10.0, seed: int = 0, limits: Limits | None = None
) -> timing.Timing:
    """Time per run on this machine, with random input; no statement about a device.

    Args:
        data: the file's bytes.
        runs: most timed runs.
        seconds: time after which no further run begins.
        seed: of the random input.
        limits: time and memory of the process.

    Raises:
        ModelError: the file is damaged, or TFLM cannot run it.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
        NotAvailableError: there is no build of TFLM for this platform.
    """
    FlatBuffer(data)
    function = "converters.runtimes.tflm:time_here"
    return timing.Timing.from_plain(
        call(function, data, runs, seconds, seed, what="timing the model on TFLM", limits=limits)
    )


def call(
    function: str,
    data: bytes,
    *arguments: Any,
    what: str,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> Any:
    """`child.call` of `function(data, *arguments)` for TFLM work, with the cause of a failure in its message.

    What TFLM printed before it gave up or crashed tells it; after a silent crash, ever shorter parts of the file do.

    Raises:
        ModelError: TFLM refused the file.
        ChildDiedError: it crashed, or ran out of time or memory.
    """
    try:
        return child.call(function, data, *arguments, what=what, limits=limits, progress=progress)
    except ModelError as error:
        reason = complaint(error.details)
        if not reason:
            raise
        raise ModelError(f"TFLM cannot run this file: {reason}", details=error.details) from error
    except ChildDiedError as error:
        crashed = "crashed" in str(error)
        reason = complaint(error.details) or (_crashing_operator(data) if crashed else "")
        if not reason:
            raise
        raise ChildDiedError(f"{str(error).partition(';')[0]}: {reason}", details=error.details) from error


def _crashing_operator(data: bytes) -> str:
    """The operator on which TFLM crashes while loading the file, for a message; empty if loading does not crash."""
    operators = FlatBuffer(data).operators
    works, crashes = 0, len(operators) + 1
    while crashes - works > 1:
        middle = (works + crashes) // 2
        if _load_crashes(data, middle):
            crashes = middle
        else:
            works = middle
    if crashes > len(operators):
        return ""
    culprit = operators[crashes - 1]
    layer = f" (layer {shown(culprit.layer)})" if culprit.layer else ""
    return f"TFLM crashes on operator {culprit.index}, {shown(culprit.name)}{layer}; replace it, or use LiteRT"


def _load_crashes(data: bytes, count: int) -> bool:
    function, what = "converters.runtimes.tflm:load_prefix_here", "loading a part of the model"
    try:
        child.call(function, data, count, what=what, limits=Limits(seconds=20.0, memory_bytes=4 << 30))
    except ModelError:
        return False
    except ChildDiedError as error:
        return "crashed" in str(error)
    return False


def complaint(printed: str) -> str:
    """What TFLM's messages say about the cause, in one line; empty if they say nothing that is known."""
    missing = re.search(r"Didn't find op for builtin opcode '(\w+)'", printed)
    if missing:
        return f"TFLM has no kernel for {missing.group(1)}; replace that operator, or use LiteRT"
    custom = re.search(r"Failed to get registration from op code (\w+)", printed)
    if custom:
        return f"TFLM has no kernel for {custom.group(1)}; replace that operator, or use LiteRT"
    node = re.search(r"(?:(\S[^\n]*)\n\s*)?Node (\S+) \(number (\d+)f?\) failed to (prepare|invoke)", printed)
    if node:
        # The line before says why, after the place in TFLM's source.
        told = re.sub(r"^\S+\.(cc|h)(:\d+)?\s*", "", node.group(1) or "no reason given")
        return f"its operator {node.group(3)} ({node.group(2)}) failed to {node.group(4)}: {told[:200].strip()}"
    return ""


# --- the child's side -------------------------------------------------------------------------------------------


class TFLMSession:
    """A file loaded into TFLM in this process.

    Args:
        data: the file's bytes.
        inputs: how many inputs it has.
        outputs: how many outputs it has.
        arena_bytes: size of the arena; by default whatever is enough.
    """

    def __init__(self, data: bytes, *, inputs: int, outputs: int, arena_bytes: int | None = None) -> None:
        self._input_count, self._output_count = inputs, outputs
        sizes = _ARENAS if arena_bytes is None else (arena_bytes,)
        for size in sizes:
            try:
                self.interpreter = runtime_module().Interpreter.from_bytes(data, arena_size=size)
                return
            except (RuntimeError, ValueError) as error:
                # TFLM tells "too small" from "impossible" in print only, so a larger arena is tried in any case.
                if size == sizes[-1]:
                    raise ModelError(f"TFLM cannot run this file ({error})") from error

    def set_inputs(self, arrays: Sequence[Array]) -> None:
        """Copies arrays of the file's own types and shapes into the model's inputs."""
        for index, array in enumerate(arrays):
            self.interpreter.set_input(array, index)

    def invoke(self) -> None:
        """Runs the model once."""
        try:
            self.interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"TFLM cannot run this file ({error})") from error

    def outputs(self) -> list[Array]:
        """Copies of the outputs of the last run."""
        return [self.interpreter.get_output(index).copy() for index in range(self._output_count)]

    def reset(self) -> None:
        """Forgets the state of earlier samples."""
        self.interpreter.reset()


def open_session(data: bytes, *, arena_bytes: int | None = None) -> tuple[TFLMSession, FlatBuffer]:
    """Loads a file that `FlatBuffer` accepts."""
    flatbuffer = FlatBuffer(data)
    counts = len(flatbuffer.inputs), len(flatbuffer.outputs)
    return TFLMSession(data, inputs=counts[0], outputs=counts[1], arena_bytes=arena_bytes), flatbuffer


def run_here(data: bytes, arrays: list[Array], raw: bool, *, progress: Progress) -> list[Array]:
    """The child's part of `run`."""
    session, flatbuffer = open_session(data)
    both = ports.inputs_of(flatbuffer), ports.outputs_of(flatbuffer)
    if raw:
        both = ports.without_scales(both[0]), ports.without_scales(both[1])
    plan = ports.batches(both[0], arrays, resizable=False)
    stateful = any(tensor.is_variable for tensor in flatbuffer.tensors)
    return feeding.feed(session, both, arrays, plan, stateful=stateful, progress=progress)


def load_prefix_here(data: bytes, count: int, *, progress: Progress) -> None:
    """Loads the first `count` operators of a file, to see whether that crashes."""
    open_session(prefix.first(prefix.parse(data), count))


def time_here(data: bytes, runs: int, seconds: float, seed: int, *, progress: Progress) -> dict[str, Any]:
    """The child's part of `time`."""
    session, flatbuffer = open_session(data)
    samples = timing.random_inputs(ports.inputs_of(flatbuffer), 1, seed=seed)
    session.set_inputs([sample[0] for sample in samples])
    return timing.Timing(timing.repeat(session.invoke, runs=runs, seconds=seconds, progress=progress), None).as_plain()


def runtime_module() -> Any:
    """`tflite_micro.runtime`, loaded.

    Raises:
        NotAvailableError: there is no build for this platform.
    """
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise _not_available() from error
    return runtime


def _not_available() -> NotAvailableError:
    return NotAvailableError(
        f"TFLM is not available on this platform ({sys.platform}): tflite-micro has wheels for x86-64 Linux only; "
        "use --runtime litert"
    )

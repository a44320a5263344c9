"""LiteRT on this machine, always in a child process: run a file, time it, count its memory.

Three kernel sets give three slightly different answers on integers, so every result names its own:
`default` (XNNPACK where it has the operator), `builtin` (LiteRT's optimized kernels, no delegate), `reference`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any, Literal, get_args

from converters import child
from converters.child import Limits, Progress, no_progress
from converters.errors import ModelError, NotAvailableError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import feeding, ports, timing
from converters.runtimes.ports import Array, Inputs

Kernels = Literal["default", "builtin", "reference"]
_KERNEL_NAMES = {"default": "XNNPACK", "builtin": "built-in kernels", "reference": "reference kernels"}
# LiteRT writes one sentence after the other: "index out of boundsNode number 4 (GATHER) failed to invoke."
_GLUED = ((re.compile(r"(?<=[a-z)])(?=Node number \d)"), ". "), (re.compile(r"(?<=[a-z)]\.)(?=[A-Z][a-z])"), " "))
_RESOLVERS = {
    "default": "AUTO",
    "builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    "reference": "BUILTIN_REF",
}


def describe(kernels: Kernels = "default", *, threads: int | None = None) -> str:
    """The runtime's name for a report, such as `LiteRT 2.3.0 (XNNPACK, 2 threads)`."""
    counted = "" if threads is None else f", {threads} thread{'s' if threads > 1 else ''}"
    return f"LiteRT {_version()} ({_KERNEL_NAMES[_checked(kernels)]}{counted})"


def run(
    data: bytes,
    inputs: Inputs | Array,
    *,
    kernels: Kernels = "default",
    threads: int = 1,
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
        kernels: which kernel set.
        threads: threads of each process.
        jobs: processes that share the samples.
        raw: inputs and outputs are the file's own integers.
        limits: time and memory of each process.
        progress: told the samples done.

    Returns:
        One array `[n, ...]` per output, in real numbers unless `raw`.

    Raises:
        ModelError: the file is damaged, or LiteRT cannot run it.
        DataError: the data does not fit the file.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
    """
    _checked(kernels)
    parts = feeding.parts(FlatBuffer(data), inputs, jobs=jobs, raw=raw, resizable=True)

    def work(part: list[Array], tell: Progress) -> list[Array]:
        function = "converters.runtimes.litert:run_here"
        arguments = (data, part, kernels, threads, raw)
        outputs: list[Array] = child.call(
            function, *arguments, what="running the model on LiteRT", limits=limits, progress=tell
        )
        return outputs

    return feeding.in_parallel(parts, work, progress)


def time(
    data: bytes,
    *,
    kernels: Kernels = "default",
    threads: int = 1,
    runs: int = 50,
    seconds: float = 10.0,
    seed: int = 0,
    limits: Limits | None = None,
) -> timing.Timing:
    """Latency and peak memory on random input; see `timing.Timing`.

    Args:
        data: the file's bytes.
        kernels: which kernel set.
        threads: threads of the interpreter.
        runs: most timed runs.
        seconds: time after which no further run begins.
        seed: of the random input.
        limits: time and memory of the process.

    Raises:
        ModelError: the file is damaged, or LiteRT cannot run it.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
    """
    _checked(kernels)
    FlatBuffer(data)
    arguments = (data, kernels, threads, runs, seconds, seed)
    return timing.Timing.from_plain(
        child.call("converters.runtimes.litert:time_here", *arguments, what="timing the model on LiteRT", limits=limits)
    )


# --- the child's side -------------------------------------------------------------------------------------------


class LiteRTSession:
    """A file loaded into LiteRT in this process."""

    def __init__(self, data: bytes, kernels: Kernels, threads: int) -> None:
        interpreter, resolver = _interpreter_classes()
        try:
            self._interpreter = interpreter(
                model_content=data,
                num_threads=threads,
                experimental_op_resolver_type=resolver[_RESOLVERS[kernels]],
            )
            self._inputs = self._interpreter.get_input_details()
            self._outputs = self._interpreter.get_output_details()
        except (ValueError, RuntimeError) as error:
            raise _refused(error) from error

    def allocate(self, shapes: Sequence[Sequence[int]] | None = None) -> None:
        """Prepares every operator, for inputs of the given shapes where they differ from the file's."""
        try:
            if shapes is not None:
                self._resize(shapes)
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise _refused(error) from error

    def _resize(self, shapes: Sequence[Sequence[int]]) -> None:
        for details, shape in zip(self._inputs, shapes, strict=True):
            if list(details["shape"]) != list(shape):
                self._interpreter.resize_tensor_input(details["index"], list(shape), strict=True)

    def set_inputs(self, arrays: Sequence[Array]) -> None:
        """Copies arrays of the file's own types and shapes into the model's inputs."""
        for details, array in zip(self._inputs, arrays, strict=True):
            self._interpreter.set_tensor(details["index"], array)

    def invoke(self) -> None:
        """Runs the model once."""
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise _refused(error) from error

    def outputs(self) -> list[Array]:
        """Copies of the outputs of the last run."""
        try:
            return [self._interpreter.get_tensor(details["index"]) for details in self._outputs]
        except (ValueError, RuntimeError) as error:
            raise _refused(error) from error

    def reset(self) -> None:
        """Forgets the state of earlier samples."""
        self._interpreter.reset_all_variables()


def run_here(
    data: bytes, arrays: list[Array], kernels: Kernels, threads: int, raw: bool, *, progress: Progress
) -> list[Array]:
    """The child's part of `run`."""
    flatbuffer = FlatBuffer(data)
    both = ports.inputs_of(flatbuffer), ports.outputs_of(flatbuffer)
    if raw:
        both = ports.without_scales(both[0]), ports.without_scales(both[1])
    session = LiteRTSession(data, kernels, threads)
    plan = ports.batches(both[0], arrays, resizable=True)
    session.allocate(plan.shapes)
    stateful = any(tensor.is_variable for tensor in flatbuffer.tensors)
    return feeding.feed(session, both, arrays, plan, stateful=stateful, progress=progress)


def time_here(
    data: bytes, kernels: Kernels, threads: int, runs: int, seconds: float, seed: int, *, progress: Progress
) -> dict[str, Any]:
    """The child's part of `time`."""
    ports_in = ports.inputs_of(FlatBuffer(data))
    samples = timing.random_inputs(ports_in, 1, seed=seed)
    _interpreter_classes()  # imported before memory is counted: the library itself is no part of the model's need
    memory = timing.Memory.start()
    session = LiteRTSession(data, kernels, threads)
    session.allocate()
    session.set_inputs([sample[0] for sample in samples])
    times_ms = timing.repeat(session.invoke, runs=runs, seconds=seconds, progress=progress)
    return timing.Timing(times_ms, memory.peak_bytes(already_resident=len(data))).as_plain()


def _interpreter_classes() -> tuple[Any, Any]:
    try:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
    except ImportError as error:
        raise NotAvailableError(f"LiteRT is not available on this platform: {error}") from error
    return Interpreter, OpResolverType


def _version() -> str:
    try:
        return metadata.version("ai-edge-litert")
    except metadata.PackageNotFoundError as error:
        raise NotAvailableError("LiteRT is not available on this platform: ai-edge-litert is not installed") from error


def _refused(error: Exception) -> ModelError:
    # LiteRT's messages are a chain of lines, the first of which says the most.
    reason = str(error)
    for glued, between in _GLUED:
        reason = glued.sub(between, reason)
    reason = " ".join(reason.split())[:300]
    return ModelError(f"LiteRT cannot run this file: {reason}", details=str(error))


def _checked(kernels: str) -> str:
    if kernels not in get_args(Kernels):
        raise UsageError(f"kernels is {kernels!r}; expected one of {', '.join(get_args(Kernels))}")
    return kernels

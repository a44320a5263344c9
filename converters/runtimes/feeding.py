"""Samples through a loaded model, one batch of the file's own size after another, over as many processes as asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from typing import Protocol

import numpy as np

from converters.child import Limits, Progress, no_progress
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import ports
from converters.runtimes.ports import Array, Batches, Port

# Progress is told at most this often per process: a message costs about as much as running a tiny model.
_PROGRESS_STEPS = 200
# More than any model for small devices takes, even on TFLM's reference kernels.
_SECONDS_PER_SAMPLE = 5.0


class Session(Protocol):
    """A model loaded into a runtime, in this process."""

    def set_inputs(self, arrays: Sequence[Array]) -> None:
        """Copies arrays of the file's own types and shapes into the model's inputs."""

    def invoke(self) -> None:
        """Runs the model once."""

    def outputs(self) -> list[Array]:
        """Copies of the outputs of the last run, in the file's own types."""

    def reset(self) -> None:
        """Forgets the state that earlier samples left in the model's variables."""


def feed(
    session: Session,
    ports: tuple[Sequence[Port], Sequence[Port]],
    arrays: Sequence[Array],
    plan: Batches,
    *,
    stateful: bool = False,
    progress: Progress = no_progress,
) -> list[Array]:
    """Runs every sample and returns the outputs `[n, ...]` in real numbers.

    Args:
        session: the loaded model.
        ports: the file's inputs and outputs.
        arrays: `[n, ...]` each, in the order of the inputs.
        plan: how samples are laid into the inputs; the last batch is filled up with its own last sample.
        stateful: whether the model has variables to be reset before each batch, since samples are independent.
        progress: told the number of samples done.

    Raises:
        DataError: values that the inputs cannot hold.
        ModelError: an output that cannot be cut into samples.
    """
    ports_in, ports_out = ports
    count = len(arrays[0])
    collected: list[list[Array]] = [[] for _ in ports_out]
    stride = max(1, count // plan.size // _PROGRESS_STEPS) * plan.size
    for start in range(0, count, plan.size):
        stop = min(start + plan.size, count)
        if stateful:
            session.reset()
        session.set_inputs(
            [port.to_file(_batch(array[start:stop], plan)) for port, array in zip(ports_in, arrays, strict=True)]
        )
        session.invoke()
        for port, output, kept in zip(ports_out, session.outputs(), collected, strict=True):
            kept.append(_samples(port, port.from_file(output), plan)[: stop - start])
        if stop == count or stop % stride == 0:
            progress("running", stop, count)
    return [np.concatenate(kept) for kept in collected]


def _batch(chunk: Array, plan: Batches) -> Array:
    if not plan.has_batch_axis:
        sample: Array = chunk[0]
        return sample
    if len(chunk) < plan.size:
        return np.concatenate([chunk, np.repeat(chunk[-1:], plan.size - len(chunk), axis=0)])
    return chunk


def _samples(port: Port, output: Array, plan: Batches) -> Array:
    if plan.has_batch_axis and output.ndim and len(output) == plan.size:
        return output
    if plan.size > 1:
        raise ModelError(
            f"the model takes {plan.size} samples at once and its output '{port.name}' has shape {list(output.shape)}, "
            "which does not tell them apart; convert it with a batch of 1"
        )
    single: Array = np.expand_dims(output, 0)
    return single


def limits(arrays: Sequence[Array], *, seconds: float, memory_bytes: int) -> Limits:
    """What a process that runs all samples may use.

    Args:
        arrays: `[n, ...]` each.
        seconds: time for what comes before the first sample.
        memory_bytes: memory for everything but the samples.
    """
    # The samples as they came, in the file's own type, and on their way through the model.
    room = 3 * sum(array.nbytes for array in arrays)
    count = max((len(array) for array in arrays if array.ndim), default=0)
    return Limits(seconds + _SECONDS_PER_SAMPLE * count, memory_bytes + room)


def parts(
    flatbuffer: FlatBuffer, inputs: ports.Inputs | Array, *, jobs: int, raw: bool, resizable: bool
) -> list[list[Array]]:
    """The samples, checked against a file's inputs and shared out to `jobs` processes; see `ports.batches`.

    Raises:
        DataError: the data does not fit the file.
    """
    ports_in = ports.inputs_of(flatbuffer)
    arrays = ports.arrange(ports_in, inputs)
    if raw:
        ports.as_own_type(ports_in, arrays)
    return split(arrays, jobs, ports.batches(ports_in, arrays, resizable=resizable).size)


def split(arrays: Sequence[Array], jobs: int, multiple: int) -> list[list[Array]]:
    """Cuts `[n, ...]` arrays along the samples into at most `jobs` parts of whole batches of `multiple` samples."""
    count = len(arrays[0])
    whole = -(-count // multiple)
    parts = max(1, min(jobs, whole))
    edges = [min(count, multiple * (whole * part // parts)) for part in range(parts + 1)]
    return [[array[start:stop] for array in arrays] for start, stop in zip(edges[:-1], edges[1:], strict=True)]


def in_parallel(
    parts: Sequence[list[Array]], work: Callable[[list[Array], Progress], list[Array]], progress: Progress
) -> list[Array]:
    """Calls `work(part, progress)` for all parts at once, each of which starts a child, and joins their outputs.

    Once one has failed, the others end at their next word of progress, and its error is raised.
    """
    if len(parts) == 1:
        return work(parts[0], progress)
    total = sum(len(part[0]) for part in parts)
    done = [0] * len(parts)
    lock, over = threading.Lock(), threading.Event()

    def report_as(index: int) -> Progress:
        def report(stage: str, finished: int, _: int) -> None:
            if over.is_set():
                raise CancelledError  # `child.call` kills its process on the way out
            with lock:
                done[index] = finished
                progress(stage, sum(done), total)

        return report

    with ThreadPoolExecutor(len(parts)) as pool:
        futures = [pool.submit(work, part, report_as(index)) for index, part in enumerate(parts)]
        try:
            for future in as_completed(futures):
                future.result()
        finally:  # after an interrupt, too
            over.set()
    outputs = [future.result() for future in futures]
    return [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]

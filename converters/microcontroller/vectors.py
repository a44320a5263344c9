"""Test vectors: inputs in the file's own types, and what TFLM's reference kernels make of them."""

from __future__ import annotations

from dataclasses import dataclass

from converters.child import Progress, no_progress
from converters.errors import UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import ports, tflm, timing, whole_inputs
from converters.runtimes.ports import Array, Inputs

# Floats of another processor differ in their last digits: 16 steps of 2^-20, 1.5e-5.
_FLOAT_TOLERANCE = 16
# TFLM fills the tables of a 16-bit softmax with the processor's own exp (micro/kernels/softmax_common.cc).
_BY_TABLES = ("SOFTMAX", "int16")
# They lie in flash beside the model; as C text they are six times as large.
_MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class Vectors:
    """Runs of a model.

    Attributes:
        inputs: bytes of every input of every run.
        outputs: bytes of every output of every run.
        origin: where the inputs come from, a sentence.
        tolerance: the difference of outputs that passes unless the build says otherwise; 0 for integers, which
            reference kernels give bit for bit.
    """

    inputs: tuple[tuple[bytes, ...], ...]
    outputs: tuple[tuple[bytes, ...], ...]
    origin: str
    tolerance: int

    @property
    def count(self) -> int:
        """Number of runs."""
        return len(self.inputs)

    @property
    def bytes(self) -> int:
        """Size of all of them."""
        return sum(len(data) for rows in (self.inputs, self.outputs) for row in rows for data in row)


def make(
    flatbuffer: FlatBuffer,
    data: Inputs | Array | None,
    *,
    count: int,
    seed: int,
    origin: str = "given arrays",
    progress: Progress = no_progress,
) -> Vectors:
    """Runs a file on TFLM.

    Args:
        flatbuffer: the file.
        data: samples `[n, ...]` in the float model's units, as for `tflm.run`; None for random ones.
        count: how many runs; fewer if there are not as many samples.
        seed: of random inputs.
        origin: where `data` comes from.
        progress: called with stage, done, total.

    Raises:
        DataError: the data does not fit the file.
        ModelError: TFLM cannot run the file.
    """
    if count < 1:
        raise UsageError(f"{count} vectors were asked for; expected 1 or more, usually 5")
    inputs = ports.inputs_of(flatbuffer)
    size = count * sum(tensor.bytes for tensor in (*flatbuffer.inputs, *flatbuffer.outputs))
    if size > _MOST_BYTES:
        raise UsageError(f"{count} vectors take {size:,} bytes; ask for fewer, {_MOST_BYTES:,} bytes at most")
    if data is None:
        runs = timing.random_inputs(inputs, count, seed=seed)
        said = f"random, from seed {seed}: every integer alike, floats from -1 to 1."
    else:
        runs = whole_inputs.laid_out(inputs, data, count)
        said = f"{origin}, quantized with the file's own scale."
    outputs = tflm.run(flatbuffer.data, runs, raw=True, progress=progress)
    return Vectors(whole_inputs.rows(runs), whole_inputs.rows(outputs), said, _tolerance(flatbuffer))


def _tolerance(flatbuffer: FlatBuffer) -> int:
    if any(tensor.is_float for tensor in flatbuffer.outputs):
        return _FLOAT_TOLERANCE
    tables = (
        flatbuffer.tensors[operator.inputs[0]].dtype
        for operator in flatbuffer.operators
        if operator.name == _BY_TABLES[0]
    )
    return 1 if _BY_TABLES[1] in tables else 0

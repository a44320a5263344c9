"""vectors.json: inputs in the file's own types, and what LiteRT makes of them here."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from converters import verify
from converters.child import Progress, no_progress
from converters.errors import DataError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.graph import shown
from converters.inputs import ImageInput, InputSpec
from converters.runtimes import litert, ports, timing, whole_inputs
from converters.runtimes.ports import Array, Inputs, Port

# Of 8-bit files XNNPACK computes the same in old and new runtimes, built-in kernels do not; of all others it is these.
# By the words of docs/phones.md.
_KERNELS: Mapping[str, litert.Kernels] = {"xnnpack": "default", "cpu": "builtin"}
# Floats of other kernels differ in their last digits, as a share of the largest output.
_FLOAT_TOLERANCE = {"float32": 1e-5, "float16": 1e-3, "dynamic": 1e-3}
_MOST_BYTES = 32 << 20


@dataclass(frozen=True)
class Vectors:
    """Runs of a model.

    Attributes:
        inputs: bytes of every input of every run.
        outputs: bytes of every output of every run.
        kernels: which kernels the phone is to take: `xnnpack` or `cpu`.
        runtime: what ran them.
        origin: where the inputs come from.
        tolerance: the difference that passes, by type of the output: steps of integers, real numbers of floats.
    """

    inputs: tuple[tuple[bytes, ...], ...]
    outputs: tuple[tuple[bytes, ...], ...]
    kernels: str
    runtime: str
    origin: str
    tolerance: Mapping[str, float]

    def as_json(self, sha256: str) -> bytes:
        """The file, with the keys of docs/android.md."""
        told = {
            "format": 1,
            "sha256": sha256,
            "kernels": self.kernels,
            "runtime": self.runtime,
            "origin": self.origin,
            "tolerance": dict(self.tolerance),
            "vectors": [
                {"inputs": list(map(_base64, row_in)), "outputs": list(map(_base64, row_out))}
                for row_in, row_out in zip(self.inputs, self.outputs, strict=True)
            ],
        }
        return (json.dumps(told, indent=1) + "\n").encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def make(
    flatbuffer: FlatBuffer,
    data: Inputs | Array | None,
    *,
    count: int,
    seed: int,
    origin: str,
    spec: InputSpec | None = None,
    progress: Progress = no_progress,
) -> tuple[Vectors, list[Array]]:
    """Runs a file on LiteRT, in a child process.

    Args:
        flatbuffer: the file.
        data: samples `[n, ...]` in the float model's units; None for random ones.
        count: how many runs; fewer if there are not as many samples.
        seed: of random inputs.
        origin: where `data` comes from.
        spec: what the input is: random pixels are pixels.
        progress: called with stage, done, total.

    Returns:
        The vectors, and the inputs `[runs, *shape]` in real numbers.

    Raises:
        DataError: the data does not fit the file, or what comes out are no numbers.
        ModelError: LiteRT cannot run the file.
        ChildDiedError: LiteRT crashed on it.
    """
    inputs, outputs = ports.inputs_of(flatbuffer), ports.outputs_of(flatbuffer)
    size = count * sum(tensor.bytes for tensor in (*flatbuffer.inputs, *flatbuffer.outputs))
    if size > _MOST_BYTES:
        raise UsageError(f"{count} vectors take {size:,} bytes; ask for fewer, {_MOST_BYTES:,} bytes at most")
    if data is None:
        runs, origin = _random(inputs, spec, count, seed), f"random, from seed {seed}"
    else:
        runs = whole_inputs.laid_out(inputs, data, count)
    word = "xnnpack" if verify.dtype_of(flatbuffer) == "int8" else "cpu"
    made = litert.run(flatbuffer.data, runs, kernels=_KERNELS[word], raw=True, progress=progress)
    for port, array in zip(outputs, made, strict=True):
        if not np.isfinite(array).all():
            raise DataError(
                f"output '{shown(port.name)}' is not finite for inputs that are {origin}; give samples that the model "
                "knows, with --data or --sample"
            )
    rows, runtime = (whole_inputs.rows(runs), whole_inputs.rows(made)), litert.describe(_KERNELS[word], threads=1)
    found = Vectors(*rows, word, runtime, origin, _tolerance(flatbuffer, made))
    return found, [port.from_file(array) for port, array in zip(inputs, runs, strict=True)]


def _random(inputs: Sequence[Port], spec: InputSpec | None, count: int, seed: int) -> list[Array]:
    if not isinstance(spec, ImageInput) or inputs[0].is_quantized:
        return timing.random_inputs(inputs, count, seed=seed)
    shape = inputs[0].shape
    pixels = np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.float32)
    axis = (-1, 1, 1) if spec.layout == "nchw" else (-1,)
    mean, std = (np.asarray(values, np.float32).reshape(axis) for values in (spec.mean, spec.std))
    return [inputs[0].to_file((pixels - mean) / std)]


def _tolerance(flatbuffer: FlatBuffer, made: Sequence[Array]) -> dict[str, float]:
    found: dict[str, float] = {}
    kind = verify.dtype_of(flatbuffer)
    for tensor, array in zip(flatbuffer.outputs, made, strict=True):
        if tensor.is_float:
            largest = max(1.0, float(np.abs(array).max(initial=0)))
            # Behind a DEQUANTIZE, a step of the integers before it.
            allowed = _step_behind(flatbuffer, tensor.index) or _FLOAT_TOLERANCE.get(kind, 1e-3) * largest
        else:
            allowed = _steps(flatbuffer, tensor.index) if tensor.is_quantized else 0.0
        found[tensor.dtype] = max(allowed, found.get(tensor.dtype, 0.0))
    return found


def _steps(flatbuffer: FlatBuffer, index: int) -> float:
    """Steps that a quantized output may differ by: one, but for a 16-bit softmax, whose kernel differs by version.

    A step of one of its inputs, s_in, moves an output by s_in * p (1 - p), a quarter of s_in at most.
    """
    output = flatbuffer.tensors[index]
    for operator in flatbuffer.operators:
        if operator.name == "SOFTMAX" and output.dtype == "int16" and index in operator.outputs:
            step = float(flatbuffer.tensors[operator.inputs[0]].scales.max(initial=0))
            return max(1.0, float(np.ceil(step / 4 / float(output.scales.max()))))
    return 1.0


def _step_behind(flatbuffer: FlatBuffer, index: int) -> float:
    """A little more than the scale of the integers that a float output is made of; 0 where it is made of floats."""
    for operator in flatbuffer.operators:
        if operator.name == "DEQUANTIZE" and index in operator.outputs:
            scales = flatbuffer.tensors[operator.inputs[0]].scales
            return 1.001 * float(scales.max()) if scales.size else 0.0
    return 0.0

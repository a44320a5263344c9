"""How far each layer of an integer file is from the float file it was made from: the same samples through both.

    relative_error = rms(integer - float) / rms(float)          over all samples and elements of a tensor

Errors add up along the network: that of a tensor holds those of all tensors before it. Both files run on LiteRT's
built-in kernels with every tensor as an output, in a child process. Tensors are matched by name, which quantization
keeps; those that one file does not have, such as the doors that `io="float32"` adds, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from converters import child
from converters.child import Limits, Progress, no_progress
from converters.errors import ModelError
from converters.flatbuffer import FlatBuffer, Graph, Tensor, objects
from converters.runtimes import litert, ports, quantized_io
from converters.runtimes.ports import Array


@dataclass(frozen=True)
class LayerError:
    """The error of one tensor.

    Attributes:
        layer: the Keras layer that computes it, or the name of the input.
        tensor: its name in the float file.
        rms_error: root of the mean squared difference, in the float model's units.
        relative_error: that divided by the root mean square of the float values; infinite where only those are 0.
    """

    layer: str
    tensor: str
    rms_error: float
    relative_error: float


def layer_errors(
    float_model: bytes,
    integer_model: bytes,
    samples: Mapping[str, Array],
    *,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> tuple[LayerError, ...]:
    """Compares every tensor that both files have, in the order of execution.

    Args:
        float_model: the float32 file (`Calibrating.keep_float`).
        integer_model: what a quantizer made of it.
        samples: input name -> `[n, ...]` in the float model's units; some dozens are enough.
        limits: time and memory of the process.
        progress: told the samples done.

    Raises:
        DataError: the samples do not fit the files.
        ModelError: the files share no tensor, so that they are of different models, or LiteRT cannot run one of them.
        ChildDiedError: the interpreter crashed or ran out of time or memory.
    """
    plain = {str(name): np.asarray(array) for name, array in samples.items()}
    function = "converters.runtimes.layer_errors:measure_here"
    arguments = (float_model, integer_model, plain)
    rows = child.call(function, *arguments, what="comparing the layers", limits=limits, progress=progress)
    return tuple(LayerError(*row) for row in rows)


# --- the child's side -------------------------------------------------------------------------------------------


def measure_here(
    float_model: bytes, integer_model: bytes, samples: Mapping[str, Array], *, progress: Progress
) -> list[tuple[str, str, float, float]]:
    """The child's part of `layer_errors`."""
    both = FlatBuffer(float_model), FlatBuffer(integer_model)
    matched = _matched(*both)
    if not matched:
        raise ModelError("the two files have no tensor in common; give the float file that the integer file is from")
    runs = [_Runs(flatbuffer, samples, [pair[side].index for pair in matched]) for side, flatbuffer in enumerate(both)]
    squares, errors = np.zeros(len(matched)), np.zeros(len(matched))
    count = runs[0].count
    for sample in range(count):
        values = zip(runs[0].tensors(sample), runs[1].tensors(sample), strict=True)
        for place, (float_values, integers) in enumerate(values):
            real = _real(integers, matched[place][1]).reshape(float_values.shape)
            squares[place] += np.mean(np.square(float_values, dtype=np.float64))
            errors[place] += np.mean(np.square(real.astype(np.float64) - float_values))
        progress("comparing", sample + 1, count)
    rms, wrong = np.sqrt(squares / count), np.sqrt(errors / count)
    relative = np.divide(wrong, rms, out=np.where(wrong > 0, np.inf, 0.0), where=rms > 0)
    names = [(_layer(both[0].graphs[0], pair[0]), pair[0].name) for pair in matched]
    return [(*name, float(a), float(b)) for name, a, b in zip(names, wrong, relative, strict=True)]


def _matched(float_file: FlatBuffer, integer_file: FlatBuffer) -> list[tuple[Tensor, Tensor]]:
    """Tensors that both files compute, in the order of execution."""
    by_name = {tensor.name: tensor for tensor in _computed(integer_file.graphs[0])}
    ports_of = zip(float_file.outputs, integer_file.outputs, strict=False)
    by_name |= {tensor.name: other for tensor, other in ports_of}  # the float file calls them `<name>/output`
    pairs = ((tensor, by_name.get(tensor.name)) for tensor in _computed(float_file.graphs[0]))
    return [(tensor, other) for tensor, other in pairs if other is not None and tensor.elements == other.elements]


def _computed(graph: Graph) -> list[Tensor]:
    filled = (*graph.inputs, *(index for operator in graph.operators for index in operator.outputs))
    tensors = [graph.tensors[index] for index in dict.fromkeys(filled)]
    return [tensor for tensor in tensors if tensor.is_float or tensor.is_quantized]


def _layer(graph: Graph, tensor: Tensor) -> str:
    makers = [operator.layer for operator in graph.operators if tensor.index in operator.outputs]
    return (makers or [tensor.layer])[0] or tensor.layer


def _real(values: Array, tensor: Tensor) -> Array:
    if not tensor.is_quantized:
        return values
    return quantized_io.dequantize(values, tensor.scales, tensor.zero_points, axis=tensor.axis)


class _Runs:
    """A file with the wanted tensors as its outputs, and samples for it."""

    def __init__(self, flatbuffer: FlatBuffer, samples: Mapping[str, Array], wanted: list[int]) -> None:
        self._ports = ports.inputs_of(flatbuffer)
        self._arrays = ports.arrange(self._ports, samples)
        ports.batches(self._ports, self._arrays, resizable=False)  # which checks the shapes
        self.count = len(self._arrays[0])
        self._wanted = wanted
        self._inputs = {index: place for place, index in enumerate(flatbuffer.graphs[0].inputs)}
        model = objects.unpack(flatbuffer.data)
        self._outputs = [index for index in dict.fromkeys(wanted) if index not in self._inputs]
        model.subgraphs[0].outputs = self._outputs
        model.signatureDefs = []  # they name outputs by position
        self._session = litert.LiteRTSession(objects.pack(model), "builtin", 1)
        self._session.allocate()
        self._stateful = any(tensor.is_variable for tensor in flatbuffer.tensors)

    def tensors(self, sample: int) -> list[Array]:
        """The wanted tensors for one sample, in the file's own types."""
        fed = [port.to_file(array[sample : sample + 1]) for port, array in zip(self._ports, self._arrays, strict=True)]
        if self._stateful:
            self._session.reset()
        self._session.set_inputs(fed)
        self._session.invoke()
        values = dict(zip(self._outputs, self._session.outputs(), strict=True))
        return [values[index] if index in values else fed[self._inputs[index]] for index in self._wanted]

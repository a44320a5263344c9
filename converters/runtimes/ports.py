"""The inputs and outputs of a `.tflite` file, and the check that given arrays fit them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError, ModelError
from converters.flatbuffer import FlatBuffer, Tensor
from converters.runtimes import quantized_io

Array = npt.NDArray[Any]
Inputs = Mapping[str, Array] | Sequence[Array]

# Types that both a file and NumPy can hold; int4, string, resource and variant tensors cannot be fed from an array.
_FEEDABLE = frozenset(
    ["float16", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "bool"]
)


@dataclass(frozen=True)
class Port:
    """One input or output of a file.

    Attributes:
        name: the tensor's name.
        aliases: other names that a user may call it by: the signature's and Keras's own.
        shape: the stored shape, batch axis included.
        signature: the shape with -1 where LiteRT can be asked for another size.
        dtype: NumPy name of the type.
        scales: one float32 per tensor or per index of `axis`; empty where the file states none.
        zero_points: as many integers.
        axis: dimension of the scales.
    """

    name: str
    aliases: tuple[str, ...]
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    dtype: str
    scales: Array = field(repr=False)
    zero_points: Array = field(repr=False)
    axis: int = 0

    @property
    def is_quantized(self) -> bool:
        """Whether integers of this port stand for real numbers."""
        return self.scales.size > 0 and np.issubdtype(np.dtype(self.dtype), np.integer)

    def to_file(self, values: Array) -> Array:
        """Real numbers `values` in the file's own type.

        Raises:
            DataError: NaN, or fractions where the file takes plain integers.
        """
        if self.is_quantized:
            return quantized_io.quantize(values, self.dtype, self.scales, self.zero_points, axis=self.axis)
        converted = values.astype(self.dtype)
        if np.issubdtype(converted.dtype, np.integer) and not np.array_equal(converted, values):
            raise DataError(
                f"input '{self.name}' takes whole numbers ({self.dtype}), and the data holds fractions or numbers "
                "beyond that type; give the integers that the model expects"
            )
        return converted

    def from_file(self, values: Array) -> Array:
        """Real numbers for `values` in the file's own type; what has no scale stays as it is."""
        if self.is_quantized:
            return quantized_io.dequantize(values, self.scales, self.zero_points, axis=self.axis)
        return values

    @property
    def real_range(self) -> tuple[float, float]:
        """Smallest and largest real number that can pass; infinite for floats."""
        if self.is_quantized:
            return quantized_io.real_range(self.dtype, self.scales, self.zero_points)
        return -np.inf, np.inf


def inputs_of(flatbuffer: FlatBuffer) -> list[Port]:
    """The file's inputs, in the file's order.

    Raises:
        ModelError: one of them has a type or a scale that no array can be fed to.
    """
    return [_port(tensor, flatbuffer, "inputs") for tensor in flatbuffer.inputs]


def outputs_of(flatbuffer: FlatBuffer) -> list[Port]:
    """The file's outputs, in the file's order.

    Raises:
        ModelError: one of them has a type or a scale that no array can hold.
    """
    return [_port(tensor, flatbuffer, "outputs") for tensor in flatbuffer.outputs]


def _port(tensor: Tensor, flatbuffer: FlatBuffer, side: str) -> Port:
    what = f"{side[:-1]} '{tensor.name}'"
    if tensor.dtype not in _FEEDABLE:
        raise ModelError(f"{what} is of type {tensor.dtype}, which NumPy has no array for; use another model")
    scales, zero_points = np.asarray(tensor.scales), np.asarray(tensor.zero_points)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ModelError(f"{what} has a scale that is not a positive number; the file is damaged")
    lengths = {scales.size, zero_points.size, *tensor.shape[tensor.axis : tensor.axis + 1]}
    if scales.size > 1 and (tensor.axis < 0 or len(lengths) != 1):
        raise ModelError(f"{what} has {scales.size} scales and {zero_points.size} zero points; the file is damaged")
    if scales.size == 1 and zero_points.size == 0:
        zero_points = np.zeros(1, np.int64)
    names = (*_signature_names(flatbuffer, tensor, side), _keras_name(tensor.name))
    aliases = tuple(dict.fromkeys(name for name in names if name and name != tensor.name))
    signature = tensor.shape_signature if len(tensor.shape_signature) == len(tensor.shape) else tensor.shape
    return Port(tensor.name, aliases, tensor.shape, signature, tensor.dtype, scales, zero_points, tensor.axis)


def _keras_name(name: str) -> str:
    """The input layer's name inside `serving_default_input_5:0` and its like."""
    return re.sub(r":\d+$", "", name).removeprefix("serving_default_")


# --- given arrays -----------------------------------------------------------------------------------------------


def arrange(ports: Sequence[Port], inputs: Inputs | Array) -> list[Array]:
    """The given arrays in the order of `ports`, with one sample axis of the same length.

    Args:
        ports: the model's inputs.
        inputs: arrays by input name, a list of arrays in the file's order, or one array for a single input.

    Raises:
        DataError: a missing or unknown name, a wrong number of arrays, unequal lengths, no sample, NaN.
        ModelError: the file has no input.
    """
    arrays = _by_name(ports, inputs) if isinstance(inputs, Mapping) else _by_order(ports, inputs)
    if not ports:
        raise ModelError("the file has no input; nothing can be fed to it")
    lengths = {len(array) if array.ndim else 0 for array in arrays}
    if len(lengths) != 1:
        raise DataError(f"the inputs have different numbers of samples {sorted(lengths)}; they need the same number")
    if lengths == {0}:
        raise DataError("the data holds no sample; give at least one, along the first axis")
    for port, array in zip(ports, arrays, strict=True):
        if array.dtype.kind not in "fiub":
            raise DataError(f"the data for input '{port.name}' is of type {array.dtype}; give numbers")
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise DataError(f"the data for input '{port.name}' holds NaN; remove those samples or fill the gaps")
    return arrays


def _by_name(ports: Sequence[Port], inputs: Mapping[str, Array]) -> list[Array]:
    found: dict[str, Array] = {}
    for name, array in inputs.items():
        owners = [port for port in ports if name == port.name or name in port.aliases]
        if len(owners) != 1:
            raise DataError(f"the data names an input '{name}'; the model's inputs are {_listed(ports)}")
        found[owners[0].name] = np.asarray(array)
    missing = [port.name for port in ports if port.name not in found]
    if missing:
        raise DataError(f"the data lacks input '{missing[0]}'; the model's inputs are {_listed(ports)}")
    return [found[port.name] for port in ports]


def _by_order(ports: Sequence[Port], inputs: Iterable[Array] | Array) -> list[Array]:
    arrays = [inputs] if isinstance(inputs, np.ndarray) else [np.asarray(array) for array in inputs]
    if len(arrays) != len(ports):
        raise DataError(f"the data has {len(arrays)} inputs and the model {len(ports)}: {_listed(ports)}")
    return arrays


def _listed(ports: Iterable[Port]) -> str:
    return ", ".join(f"'{(port.aliases or (port.name,))[0]}' {list(port.shape)}" for port in ports)


@dataclass(frozen=True)
class Batches:
    """How samples are laid into a file's inputs.

    Attributes:
        size: samples per run of the model.
        has_batch_axis: whether the first axis of the file's inputs counts samples; otherwise one sample fills the
            whole tensor.
        shapes: the shape of each input for one run.
    """

    size: int
    has_batch_axis: bool
    shapes: tuple[tuple[int, ...], ...]


def batches(ports: Sequence[Port], arrays: Sequence[Array], *, resizable: bool) -> Batches:
    """Checks the arrays' shapes against the file's and decides how samples are fed.

    Args:
        ports: the model's inputs.
        arrays: `[n, ...]` each, in the order of `ports`.
        resizable: whether the runtime can be asked for the sizes that a signature leaves open.

    Raises:
        DataError: a shape that the model cannot take.
    """
    has_batch_axis = arrays[0].ndim == len(ports[0].shape)
    shapes = []
    for port, array in zip(ports, arrays, strict=True):
        signature = port.signature if resizable else port.shape
        sample = (port.shape[:1] if has_batch_axis else ()) + array.shape[1:]
        if len(sample) != len(port.shape) or any(
            size not in (got, -1) for size, got in zip(signature[has_batch_axis:], sample[has_batch_axis:], strict=True)
        ):
            raise DataError(_misfit(port, array, signature))
        shapes.append(sample)
    sizes = {shape[0] for shape in shapes} if has_batch_axis else {1}
    if len(sizes) != 1 or 0 in sizes:
        raise DataError(f"the model's inputs hold {sorted(sizes)} samples each; they must hold the same number")
    return Batches(sizes.pop(), has_batch_axis, tuple(shapes))


def _misfit(port: Port, array: Array, signature: Sequence[int]) -> str:
    wanted = ["any" if size == -1 else str(size) for size in signature[1:]]
    return (
        f"the data for input '{port.name}' has samples of shape {list(array.shape[1:])}; "
        f"the model takes samples of shape [{', '.join(wanted)}]; reshape or resize the data"
    )


def as_own_type(ports: Sequence[Port], arrays: Sequence[Array]) -> None:
    """Checks that raw data are of the file's own types.

    Raises:
        DataError: they are not.
    """
    for port, array in zip(ports, arrays, strict=True):
        if array.dtype != np.dtype(port.dtype):
            raise DataError(
                f"raw data for input '{port.name}' must be {port.dtype}, the file's own type, and is {array.dtype}; "
                "leave out --raw for data in the model's own units"
            )


def without_scales(ports: Sequence[Port]) -> list[Port]:
    """The same ports taking and giving the file's own numbers."""
    nothing = np.zeros(0, np.float32)
    return [replace(port, scales=nothing, zero_points=nothing.astype(np.int64)) for port in ports]


def _signature_names(flatbuffer: FlatBuffer, tensor: Tensor, side: str) -> tuple[str, ...]:
    names: list[str] = []
    for signature in flatbuffer.signatures:
        pairs = signature.inputs if side == "inputs" else signature.outputs
        if signature.graph == 0:
            names += [name for name, index in pairs.items() if index == tensor.index]
    return tuple(names)

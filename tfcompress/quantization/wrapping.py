"""A model that rounds as its file will: the layers of a copy, in TF-MOT's wrappers, wired again.

TF-MOT's own `quantize_apply` would do the wiring by pattern, from configurations; here the places are known exactly
(`placement`), layers called several times included, so its wrappers are put there directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import tf_keras

from converters.errors import TrainingError
from converters.keras_models import kernels as kernels_of
from converters.keras_models.bridge import kinds
from converters.keras_models.bridge.kinds import TF_KERAS
from converters.keras_models.bridge.structures import substitute
from converters.keras_models.kernels import Kernel
from converters.keras_models.rebuilding import Stage, clone, nodes, rebuild
from tfcompress.invariants import Invariant, project
from tfcompress.model import Ranges
from tfcompress.quantization import quantizers
from tfcompress.quantization.placement import Placement
from tfcompress.quantization.quantizers import (
    FixedGrid,
    KernelGrid,
    LayerQuantization,
    OutputRange,
    QuantizedLayer,
    SameGrid,
)

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _InUnits:
    """A promise about a kernel, kept by the variable that has to be multiplied by `unit` to be that kernel."""

    kind: ClassVar[str] = "in units"
    promise: Invariant
    unit: Array

    def project(self, weights: Array) -> Array:
        """The nearest variable."""
        return (self.promise.project(weights * self.unit) / self.unit).astype(weights.dtype)

    def holds(self, integers: Array) -> bool:
        """As the promise says."""
        return self.promise.holds(integers)

    def describe(self) -> str:
        """As the promise says."""
        return self.promise.describe()

    def as_arrays(self) -> dict[str, Array]:
        """As the promise says."""
        return self.promise.as_arrays()


@dataclass(frozen=True)
class Wrapped:
    """A model in TF-MOT's wrappers.

    Attributes:
        model: what is trained; its variables are its own.
        variables: kernel name -> the variable that is trained; times the unit of its grid it is the kernel.
        grids: kernel name -> how it is rounded.
        ranges: layer or input name -> how its output is rounded.
        reads: layer with a kernel -> the grid of its input, where that is known.
        weights: layer name -> all variables of the layer, in the order of `layer.set_weights`.
    """

    model: Any
    variables: Mapping[str, Any]
    grids: Mapping[str, KernelGrid]
    ranges: Mapping[str, OutputRange]
    reads: Mapping[str, Any]
    weights: Mapping[str, tuple[Any, ...]]

    def observe(self, batches: Iterable[Any]) -> None:
        """Measures activations on samples, as inference computes them; no weight and no statistic changes.

        Raises:
            TrainingError: a layer gives NaN or infinity.
        """
        for output in self.ranges.values():
            output.observe()
        for batch in batches:
            self.model(batch, training=False)
        for name, output in self.ranges.items():
            try:
                output.settle()
            except ValueError as error:
                raise TrainingError(
                    f"layer {name} gives NaN or infinity for training samples before any training; look for broken "
                    "samples, a wrong --scale, or weights that diverged"
                ) from error

    def promises(self, invariants: Mapping[str, Sequence[Invariant]]) -> dict[str, tuple[Invariant, ...]]:
        """Promises about kernels as promises about the variables."""
        units = {name: grid.unit for name, grid in self.grids.items()}
        return {
            name: tuple(_InUnits(promise, units[name]) if name in units else promise for promise in kept)
            for name, kept in invariants.items()
        }

    def plain(self, model: Any, invariants: Mapping[str, Sequence[Invariant]]) -> tuple[Any, Ranges]:
        """A copy of `model` with the weights trained here, kernels and biases on their grids; and these grids.

        Args:
            model: the one that was wrapped.
            invariants: kernel name -> what the result must keep.

        Returns:
            A plain functional tf_keras model, and scales and ranges for the converter.
        """
        copied = clone(model)
        for name, variables in self.weights.items():
            copied.get_layer(name).set_weights([variable.numpy() for variable in variables])
        scales = {}
        for kernel in kernels_of.kernels(copied):
            kept = invariants.get(kernel.name, ())
            if kernel.name in self.grids:
                scales[kernel.name] = self._settle(kernel, copied.get_layer(kernel.layer), kept)
            elif kept:
                kernel.variable.assign(project(kernel.variable.numpy(), kept))
        return copied, Ranges({name: output.range for name, output in self.ranges.items()}, scales)

    def _settle(self, kernel: Kernel, layer: Any, kept: Sequence[Invariant]) -> Array:
        """Puts a layer's kernel and bias on their grids; returns the kernel's scales."""
        grid = self.grids[kernel.name]
        values = project(kernel.variable.numpy() * grid.unit, kept)
        scales = quantizers.kernel_scales(values, grid.shape) if grid.scales is None else grid.scales
        kernel.variable.assign(quantizers.on_grid(values, scales))
        if layer.use_bias and kernel.layer in self.reads:
            step = self.reads[kernel.layer].step
            layer.bias.assign(quantizers.rounded_bias(layer.bias.numpy(), step, scales))
        return scales


def wrap(model: Any, placed: Placement, *, bits: int, fixed: Ranges, frozen: bool = False) -> Wrapped:
    """A copy of a model that rounds where `placed` says.

    Args:
        model: a flat functional tf_keras model; only read.
        placed: of this model.
        bits: of the activations, 8 or 16.
        fixed: scales of kernels that stay as they are; ranges of activations, which are used where `frozen`.
        frozen: round exactly as `fixed` says, leave what it does not name, round the outputs of the model too, and
            compute in float64, in which sums come out as exactly as among integers.

    Returns:
        The wrapped copy.
    """
    twin = _twin(model, double=frozen)
    found = {kernel.layer: kernel for kernel in kernels_of.kernels(twin)}
    weights = {layer.name: tuple(layer.weights) for layer in twin.layers if layer.weights}
    grids = {name: _grid(found[name], fixed.weights, frozen=frozen) for name in placed.kernels}
    known = fixed.activations if frozen else {}
    ranges = {
        name: OutputRange(bits, widest=name in twin.input_names, known=known.get(name))
        for name in placed.outputs
        if name in known or not frozen
    }
    # The loss of a model is taken from its outputs: a rounded probability of 0 would make it infinite.
    ends = frozenset() if frozen else placed.ends
    always = {name: FixedGrid(bits, kind) for name, kind in placed.fixed.items() if name not in ends}
    sources = {**ranges, **always}
    shared = {name: SameGrid(sources[source]) for name, source in placed.shared.items() if source in sources}
    outputs = {**sources, **shared}
    wrappers = {
        layer.name: _wrapped(layer, found, grids.get(layer.name), outputs.get(layer.name)) for layer in twin.layers
    }
    return Wrapped(
        _wired(twin, wrappers, {name: ranges[name] for name in twin.input_names if name in ranges}),
        {kernel.name: kernel.variable for kernel in found.values()},
        {found[name].name: grid for name, grid in grids.items()},
        ranges,
        {name: sources[source] for name, source in placed.reads.items() if source in sources},
        weights,
    )


def _grid(kernel: Kernel, fixed: Mapping[str, Array], *, frozen: bool) -> KernelGrid:
    scales = None if kernel.name not in fixed else np.asarray(fixed[kernel.name], np.float32)
    shape = kernel.scale_shape() if scales is None else scales.shape
    if frozen:
        return KernelGrid(shape, scales, np.ones((), np.float32))
    unit = quantizers.training_unit(kernel.variable.numpy(), kernel.channel_axes)
    kernel.variable.assign(kernel.variable.numpy() / unit)
    return KernelGrid(shape, scales, unit)


def _wrapped(layer: Any, found: Mapping[str, Kernel], grid: KernelGrid | None, output: Any) -> Any:
    if isinstance(layer, tf_keras.layers.InputLayer) or (grid is None and output is None):
        return layer
    attribute = found[layer.name].attribute if grid else ""
    return QuantizedLayer(layer, LayerQuantization(attribute, grid, output), dtype=layer.dtype_policy)


def _twin(model: Any, *, double: bool) -> Any:
    """A copy whose kernels have neither regularizers nor constraints, and which computes in float64 if `double`."""
    computing = {kernel.layer for kernel in kernels_of.kernels(model) if kernel.channel_axes}
    stages = {}
    for layer in model.layers:
        changed: dict[str, Any] = {"dtype": "float64"} if double else {}
        if layer.name in computing:
            changed = kernels_of.unlimited(layer.get_config()) | changed
        if changed and not isinstance(layer, tf_keras.layers.InputLayer):
            copied = type(layer).from_config(layer.get_config() | changed)
            stages[layer.name] = [Stage(copied, tuple(layer.get_weights()))]
    return rebuild(model, stages)


def _wired(model: Any, wrappers: Mapping[str, Any], inputs: Mapping[str, OutputRange]) -> Any:
    """The model's calls made again, each of the wrapper instead of its layer."""
    graph = kinds.graph_of(model, TF_KERAS)
    policy = next(layer.dtype_policy for layer in model.layers if not isinstance(layer, tf_keras.layers.InputLayer))
    entries, tensors = [], {}
    for name, tensor in zip(model.input_names, graph.inputs, strict=True):
        entry = tf_keras.Input(tensor.shape[1:], batch_size=tensor.shape[0], dtype=tensor.dtype, name=name)
        entries.append(entry)
        tensors[id(tensor)] = _input_layer(name, inputs[name], policy)(entry) if name in inputs else entry

    def now(thing: Any) -> Any:
        return tensors[id(thing)] if kinds.is_symbolic(thing, TF_KERAS) else thing

    for node in nodes(model):
        made = wrappers[node.layer.name](*substitute(node.args, now), **substitute(node.kwargs, now))
        tensors.update({id(old): new for old, new in zip(node.outputs, TF_KERAS.flatten(made), strict=True)})
    outputs = [tensors[id(tensor)] for tensor in graph.outputs]
    return tf_keras.Model(entries[0] if len(entries) == 1 else entries, outputs[0] if len(outputs) == 1 else outputs)


def _input_layer(name: str, quantizer: OutputRange, policy: Any) -> Any:
    layer = quantizers.input_layer()
    return layer(quantizer, name=f"quant_{name}", dtype=policy)

"""Kernels that an earlier step folded and clustered, while other kernels are clustered: trained in a unit of their own.

Folding leaves kernels of any size, thousandths behind bytes as input, and optimizers such as Adam move every weight by
about the learning rate. So such a kernel is divided by a unit, and its layer's input multiplied by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tf_keras

from converters.keras_models.kernels import Kernel, kernels, unlimited
from converters.keras_models.rebuilding import Stage, rebuild
from tfcompress.invariants import Codebook, Invariant
from tfcompress.quantization.quantizers import training_unit

Promises = Mapping[str, Sequence[Invariant]]


class Unit(tf_keras.layers.Layer):  # type: ignore[misc]
    """Multiplies by a number; unlike `Rescaling`, never folded."""

    def __init__(self, unit: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.unit = unit

    def call(self, inputs: Any) -> Any:
        """Floats of any shape."""
        return inputs * self.unit

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return {**super().get_config(), "unit": self.unit}


def split(model: Any, invariants: Promises) -> tuple[Any, Promises]:
    """A copy of a model whose kernels with a codebook are divided by their unit, and the promises about those."""
    units = {kernel.name: _unit(kernel) for kernel in kernels(model) if _has_codebook(kernel, invariants)}
    stages = {}
    for kernel in kernels(model):
        if unit := units.get(kernel.name):
            layer = model.get_layer(kernel.layer)
            config = unlimited(layer.get_config())
            stages[kernel.layer] = [Stage(Unit(unit, name=_name(kernel))), _times(layer, 1 / unit, config)]
    scaled = {name: tuple(_divided(each, units.get(name, 1.0)) for each in kept) for name, kept in invariants.items()}
    return rebuild(model, stages), scaled


def join(model: Any, *, like: Any) -> Any:
    """A copy of what `split` made of `like`, without units: kernels are multiplied by them."""
    by_name = {layer.name: layer for layer in model.layers}
    stages: dict[str, list[Stage]] = {}
    for kernel in kernels(model):
        unit = by_name.get(_name(kernel))
        if isinstance(unit, Unit):
            config = like.get_layer(kernel.layer).get_config()
            stages |= {unit.name: [], kernel.layer: [_times(by_name[kernel.layer], unit.unit, config)]}
    return rebuild(model, stages)


def _has_codebook(kernel: Kernel, invariants: Promises) -> bool:
    return any(isinstance(promise, Codebook) for promise in invariants.get(kernel.name, ()))


def _unit(kernel: Kernel) -> float:
    return float(np.median(training_unit(kernel.variable.numpy(), kernel.channel_axes)))


def _name(kernel: Kernel) -> str:
    return f"{kernel.layer}_in_units"


def _times(layer: Any, factor: float, config: Mapping[str, Any]) -> Stage:
    values, *rest = layer.get_weights()
    return Stage(type(layer).from_config(config), ((values * factor).astype(values.dtype), *rest))


def _divided(promise: Invariant, unit: float) -> Invariant:
    return replace(promise, scales=promise.scales / np.float32(unit)) if isinstance(promise, Codebook) else promise

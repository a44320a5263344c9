"""Which kernels of a model are pruned, and why the others are not."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.errors import UsageError
from converters.keras_models.kernels import Kernel, kernels
from tfcompress.invariants import ZeroMask
from tfcompress.model import CompressedModel, Skipped
from tfcompress.pruning.grains import Part, group_axis, part_of

if TYPE_CHECKING:
    from tfcompress.techniques.prune import Prune


def choose_kernels(settings: Prune, compressed: CompressedModel) -> tuple[tuple[Kernel, ...], tuple[Skipped, ...]]:
    """The kernels to prune, and the layers with weights that are left as they are.

    Raises:
        UsageError: a pattern of `layers` that matches no layer.
    """
    names = [layer.name for layer in compressed.model.layers]
    for pattern in settings.layers:
        if not fnmatch.filter(names, pattern):
            raise UsageError(
                f"layers names {pattern!r}, which no layer is called; layers are {', '.join(names[:8])} ..."
            )
    found = {kernel.layer: kernel for kernel in kernels(compressed.model)}
    chosen, skipped = [], []
    for layer in compressed.model.layers:
        kernel = found.get(layer.name)
        reason = _reason(settings, layer, kernel)
        if reason:
            skipped.append(Skipped(layer.name, reason))
        elif kernel is not None:
            chosen.append(kernel)
    return tuple(chosen), tuple(skipped)


def parts_of(settings: Prune, compressed: CompressedModel) -> tuple[Part, ...]:
    """The kernels to prune, divided into grains."""
    block = settings.block if settings.structure == "block" else (1, 1)
    group = settings.pattern_numbers[1] if settings.structure == "n:m" else None
    return tuple(
        part_of(kernel, block=block, group=group, dead=_dead(kernel, compressed))
        for kernel in choose_kernels(settings, compressed)[0]
    )


def _dead(kernel: Kernel, compressed: CompressedModel) -> Any:
    earlier = [one for one in compressed.invariants.get(kernel.name, ()) if isinstance(one, ZeroMask)]
    return ~earlier[0].kept if earlier else None


def _reason(settings: Prune, layer: Any, kernel: Kernel | None) -> str:
    """Why a layer is skipped; empty where it is pruned, or has no weights that could be."""
    if kernel is None:
        arrays = any(len(weight.shape) > 1 for weight in layer.weights)
        return f"weights of a {type(layer).__name__} are not pruned" if arrays else ""
    if not any(fnmatch.fnmatch(layer.name, pattern) for pattern in settings.layers):
        return f"not among layers = {', '.join(settings.layers)}"
    if any(fnmatch.fnmatch(layer.name, pattern) for pattern in settings.freeze):
        return f"frozen by freeze = {', '.join(settings.freeze)}"
    weights = int(np.prod(kernel.shape))
    if weights < settings.minimum_weights:
        return f"kernel has {weights} weights, fewer than minimum_weights = {settings.minimum_weights}"
    group = settings.pattern_numbers[1]
    if settings.structure == "n:m" and group_axis(kernel) % group:
        axis = "channels" if kernel.layer_class.startswith("Depthwise") else "input channels"
        return f"kernel has {group_axis(kernel)} {axis}, which groups of {group} do not divide"
    return ""

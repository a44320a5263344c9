"""Which kernels of a model get a codebook, and why the others do not."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from converters.errors import CompressionError, UsageError
from converters.keras_models.kernels import Kernel, kernels
from tfcompress.invariants import Invariant
from tfcompress.model import Skipped


def select(
    model: Any,
    invariants: Mapping[str, Sequence[Invariant]],
    *,
    clusters: int,
    layers: Sequence[str],
    freeze: Sequence[str],
    minimum_weights: int,
) -> tuple[tuple[Kernel, ...], tuple[Skipped, ...]]:
    """The kernels to cluster, in layer order, and every other layer that has a kernel.

    Raises:
        UsageError: a pattern that matches no layer.
        CompressionError: fewer weights than clusters in a kernel, or no kernel is left.
    """
    names = [layer.name for layer in model.layers]
    for pattern in layers:
        if not fnmatch.filter(names, pattern):
            raise UsageError(
                f"layers names {pattern!r}, which no layer is called; layers are {', '.join(names[:8])} ..."
            )
    found = kernels(model)
    chosen, skipped = [], []
    for kernel in found:
        reason = _unwanted(kernel.layer, layers, freeze) or _unfit(
            kernel, invariants.get(kernel.name, ()), minimum_weights
        )
        if reason:
            skipped.append(Skipped(kernel.layer, reason))
            continue
        if _size(kernel) < clusters:
            raise CompressionError(
                f"clusters is {clusters}, and {kernel.name} has only {_size(kernel)} weights; lower clusters, or raise "
                f"minimum_weights above {_size(kernel)} to skip it"
            )
        chosen.append(kernel)
    skipped += _without_kernel(model, {kernel.layer for kernel in found})
    if not chosen:
        reasons = "; ".join(f"{one.layer}: {one.reason}" for one in skipped[:3]) or "it has no layer with a kernel"
        raise CompressionError(f"no kernel of the model can be clustered ({reasons}); change layers or minimum_weights")
    return tuple(chosen), tuple(skipped)


def _unwanted(layer: str, layers: Sequence[str], freeze: Sequence[str]) -> str:
    if not any(fnmatch.fnmatch(layer, pattern) for pattern in layers):
        return f"not among layers = {', '.join(layers)}"
    if any(fnmatch.fnmatch(layer, pattern) for pattern in freeze):
        return f"frozen by freeze = {', '.join(freeze)}"
    return ""


def _unfit(kernel: Kernel, promises: Sequence[Invariant], minimum_weights: int) -> str:
    if kernel.layer_class == "Embedding":
        return "an Embedding is a lookup table, whose scale in the file cannot be set"
    if any(promise.kind == "codebook" for promise in promises):
        return "kernel has a codebook from an earlier step, which stays"
    if _size(kernel) < minimum_weights:
        return f"kernel has {_size(kernel)} weights, fewer than minimum_weights = {minimum_weights}"
    return ""


def _without_kernel(model: Any, known: set[str]) -> list[Skipped]:
    """Layers with matrices that are no kernels in the sense of `converters.keras_models.kernels`."""
    return [
        Skipped(layer.name, f"weights of a {type(layer).__name__} are not clustered")
        for layer in model.layers
        if layer.name not in known and any(len(weight.shape) > 1 for weight in layer.weights)
    ]


def _size(kernel: Kernel) -> int:
    size = 1
    for length in kernel.shape:
        size *= length
    return size

"""Which layers a pattern means, and which kernels a step works on; every other layer with weights gets a reason."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from converters.errors import CompressionError, UsageError
from converters.keras_models.kernels import Kernel, kernels
from converters.keras_models.twin_names import twin_name
from tfcompress.model import Skipped

_NAMED = 8  # layers in a message


def check(field: str, patterns: Sequence[str], names: Iterable[str]) -> None:
    """Refuses a pattern that means no layer.

    Args:
        field: the parameter that the patterns are of, for the message.
        patterns: names or patterns such as 'conv2d_*'.
        names: of the layers that there are.

    Raises:
        UsageError: a pattern that matches none of them.
    """
    known = tuple(names)
    for pattern in patterns:
        if not any(matches(name, (pattern,)) for name in known):
            more = " ..." if len(known) > _NAMED else ""
            raise UsageError(
                f"{field} names {pattern!r}, which no layer is called; layers are {', '.join(known[:_NAMED])}{more}"
            )


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether one of the patterns means this layer; a layer may also be named as in the user's own model."""
    return any(fnmatch.fnmatchcase(name, pattern) or name == twin_name(pattern) for pattern in patterns)


def choose(
    model: Any,
    *,
    layers: Sequence[str],
    freeze: Sequence[str],
    minimum_weights: int,
    unfit: Callable[[Kernel], str],
    done: str,
) -> tuple[tuple[Kernel, ...], tuple[Skipped, ...]]:
    """The kernels to work on, and the other layers that have weights, both in layer order.

    A pattern that matches nothing is no error here: batch normalization that it meant may be folded away by now. `plan`
    asks `check` about the model as it came.

    Args:
        model: a flat tf_keras model; only read.
        layers: patterns of the layers to take.
        freeze: patterns of those to leave out.
        minimum_weights: smaller kernels are left out.
        unfit: why the technique cannot work on a kernel; empty where it can.
        done: what is done to a kernel, for messages: `pruned`.

    Raises:
        CompressionError: no kernel is left.
    """
    found = {kernel.layer: kernel for kernel in kernels(model)}
    chosen, skipped = [], []
    for layer in model.layers:
        kernel = found.get(layer.name)
        if kernel is None:
            reason = f"weights of a {type(layer).__name__} are not {done}" if _has_matrix(layer) else ""
        else:
            reason = _unwanted(layer.name, layers, freeze) or unfit(kernel) or _small(kernel, minimum_weights)
        if reason:
            skipped.append(Skipped(layer.name, reason))
        elif kernel is not None:
            chosen.append(kernel)
    if not chosen:
        reasons = "; ".join(f"{one.layer}: {one.reason}" for one in skipped[:3]) or "it has no layer with a kernel"
        raise CompressionError(
            f"no kernel of the model can be {done} ({reasons}); change layers or minimum_weights, or leave the step out"
        )
    return tuple(chosen), tuple(skipped)


def weights_of(kernel: Kernel) -> int:
    """How many weights a kernel has."""
    return math.prod(kernel.shape)


def _has_matrix(layer: Any) -> bool:
    return any(len(weight.shape) > 1 for weight in layer.weights)


def _unwanted(name: str, layers: Sequence[str], freeze: Sequence[str]) -> str:
    if not matches(name, layers):
        return f"not among layers = {', '.join(layers)}"
    return f"frozen by freeze = {', '.join(freeze)}" if matches(name, freeze) else ""


def _small(kernel: Kernel, minimum_weights: int) -> str:
    if (weights := weights_of(kernel)) >= minimum_weights:
        return ""
    return f"kernel has {weights} weights, fewer than minimum_weights = {minimum_weights}"

"""Which kernels of a model are pruned, and how they are divided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from converters.keras_models.kernels import Kernel
from tfcompress import selection
from tfcompress.invariants import ZeroMask
from tfcompress.model import CompressedModel, Skipped
from tfcompress.pruning.grains import Part, group_axis, part_of

if TYPE_CHECKING:
    from tfcompress.techniques.prune import Prune


def choose_kernels(settings: Prune, compressed: CompressedModel) -> tuple[tuple[Kernel, ...], tuple[Skipped, ...]]:
    """The kernels to prune, and the layers with weights that are left as they are.

    Raises:
        CompressionError: nothing is left to prune.
    """
    return selection.choose(
        compressed.model,
        layers=settings.layers,
        freeze=settings.freeze,
        minimum_weights=settings.minimum_weights,
        unfit=lambda kernel: _unfit(settings, kernel),
        done="pruned",
    )


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


def _unfit(settings: Prune, kernel: Kernel) -> str:
    if kernel.layer_class == "Embedding":
        return "an Embedding is a lookup table, whose zeros are not the integer 0 in the file"
    group = settings.pattern_numbers[1]
    if settings.structure == "n:m" and group_axis(kernel) % group:
        axis = "channels" if kernel.layer_class.startswith("Depthwise") else "input channels"
        return f"kernel has {group_axis(kernel)} {axis}, which groups of {group} do not divide"
    return ""

"""How many weights each kernel loses. Numpy only.

- per-layer: the same share of each.
- global: the least important grains of the whole model, wherever they are.
- hierarchical: first the layers, by LAMP (Lee et al., "Layer-adaptive sparsity for the magnitude-based pruning", ICLR
  2021, arXiv:2010.07611): a weight w counts as w^2 over the sum of v^2 of all weights v of its kernel that are not
  smaller, and the kernels lose what has the least of that; then the weights inside each, by any criterion. Kernels of
  different size or scale (batch norm makes scales arbitrary) become comparable, and the largest weight of a kernel has
  1, so none is lost as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tfcompress.pruning.grains import Part

Array = npt.NDArray[Any]
Budget = Literal["per-layer", "global", "hierarchical"]

# Each kernel keeps a tenth of the average density, at least one grain: a layer that vanishes cuts the model in two
# (Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow", arXiv:2006.05467).
_LEAST_SHARE = 0.1


def zeros(
    budget: Budget, parts: Sequence[Part], scores: Mapping[str, Array], energies: Mapping[str, Array], sparsity: float
) -> dict[str, int]:
    """Weights that each kernel loses.

    Args:
        budget: which rule.
        parts: the kernels.
        scores: kernel name -> importance [grains], for `global`.
        energies: kernel name -> sum of squared weights [grains], for `hierarchical`.
        sparsity: share of all their weights that shall be zero.

    Returns:
        kernel name -> count. Where grains are single weights, these sum up to `zero_count`.
    """
    if budget == "per-layer":
        return {part.name: zero_count(sparsity, part.weights) for part in parts}
    marks = scores if budget == "global" else {part.name: lamp(energies[part.name]) for part in parts}
    return _least_of_all(parts, marks, sparsity)


def zero_count(sparsity: float, weights: int) -> int:
    """How many of the weights are zero: at least the share that was asked for, and never all."""
    # 0.6 x 5 is a little more than 3 in floating point.
    return min(math.ceil(sparsity * weights - 1e-6), weights - 1)


def lamp(energies: Array) -> Array:
    """The LAMP score of each grain.

    Args:
        energies: sum of its squared weights [grains].

    Returns:
        its share in the energy of all grains that are not smaller, 0..1, [grains].
    """
    order = np.argsort(energies, kind="stable")
    rising = energies[order]
    left = np.cumsum(rising[::-1])[::-1]
    marks = np.empty(len(energies))
    marks[order] = rising / np.where(left > 0, left, 1)
    return marks


def _least_of_all(parts: Sequence[Part], marks: Mapping[str, Array], sparsity: float) -> dict[str, int]:
    total = sum(part.weights for part in parts)
    found_marks, found_sizes, owners = [], [], []
    for number, part in enumerate(parts):
        order = np.argsort(marks[part.name], kind="stable")
        sizes = part.sizes[order]
        least = max(1, round(_LEAST_SHARE * (1 - sparsity) * part.weights))
        free = order[np.cumsum(sizes) <= part.weights - least]
        found_marks.append(marks[part.name][free])
        found_sizes.append(part.sizes[free])
        owners.append(np.full(len(free), number))
    every_size, owner = np.concatenate(found_sizes), np.concatenate(owners)
    order = np.argsort(np.concatenate(found_marks), kind="stable")
    count = int(np.searchsorted(np.cumsum(every_size[order]), zero_count(sparsity, total))) + 1
    gone = np.bincount(owner[order[:count]], every_size[order[:count]], len(parts))
    return {part.name: int(lost) for part, lost in zip(parts, gone, strict=True)}

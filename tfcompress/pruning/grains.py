"""Which weights of a kernel live or die together, and which of them die. Numpy only.

A *grain* is one weight, or a block of the kernel as a matrix. The matrix is the file's: a row for each output channel,
a column for each weight of it; a depthwise kernel has a row for each position and a column for each channel.

For N:M, a group is M weights that follow each other on the file's last axis (input channels; a depthwise kernel's
channels), as TF-MOT and the runtimes' sparse kernels have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.keras_models.kernels import Kernel, to_file_layout

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Part:
    """One kernel that is pruned.

    Attributes:
        kernel: which one; only its names and shape are used, so that a Part serves every copy of the model.
        grain_of: number of each weight's grain, int64 [weights], weights in Keras' order.
        sizes: weights in each grain, int64 [grains].
        groups: indices of the weights of each N:M group, int64 [groups, M]; None without N:M.
        dead: weights that an earlier step promised to be zero, bool [weights].
    """

    kernel: Kernel
    grain_of: Array
    sizes: Array
    groups: Array | None
    dead: Array

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.kernel.name

    @property
    def weights(self) -> int:
        """How many weights the kernel has."""
        return len(self.grain_of)

    @property
    def is_single(self) -> bool:
        """Whether each weight is a grain of its own."""
        return len(self.sizes) == self.weights

    def summed(self, values: Array) -> Array:
        """The sum over each grain of one value per weight, float64 [grains]."""
        flat = np.asarray(values, np.float64).reshape(-1)
        return flat if self.is_single else np.bincount(self.grain_of, flat, len(self.sizes))

    def averaged(self, values: Array) -> Array:
        """The mean over each grain; a block at the edge may be smaller than the others."""
        return self.summed(values) / self.sizes


def part_of(kernel: Kernel, *, block: tuple[int, int], group: int | None, dead: Array | None = None) -> Part:
    """How a kernel is divided.

    Args:
        kernel: the kernel.
        block: rows and columns of a grain; (1, 1) for single weights.
        group: M of N:M, which divides the file's last axis; None without.
        dead: weights that are zero already, of the kernel's shape.
    """
    count = int(np.prod(kernel.shape))
    file = to_file_layout(kernel.layer_class, np.arange(count).reshape(kernel.shape))
    if kernel.layer_class.startswith("Depthwise"):
        matrix = file.reshape(-1, file.shape[-1])
    else:
        matrix = file.reshape(file.shape[0], -1)
    grain_of = np.empty(count, np.int64)
    rows, columns = (np.arange(length) // size for length, size in zip(matrix.shape, block, strict=True))
    if block == (1, 1):
        grain_of[:] = np.arange(count)
    else:
        grain_of[matrix] = rows[:, None] * (columns[-1] + 1) + columns[None, :]
    groups = file.reshape(-1, group) if group else None
    gone = np.zeros(count, bool) if dead is None else dead.reshape(-1)
    return Part(kernel, grain_of, np.bincount(grain_of), groups, gone)


def group_axis(kernel: Kernel) -> int:
    """Length of the file's last axis, which N:M groups divide."""
    return int(to_file_layout(kernel.layer_class, np.empty(kernel.shape, bool)).shape[-1])


def lowest(scores: Array, sizes: Array, zeros: int) -> Array:
    """The least important grains that together have `zeros` weights or, where blocks are larger, just more.

    Args:
        scores: importance [grains].
        sizes: weights [grains].
        zeros: how many weights shall go.

    Returns:
        bool [grains]; exactly `zeros` of them where each grain is one weight. Equal scores go in the kernel's order.
    """
    gone = np.zeros(len(scores), bool)
    if zeros > 0:
        order = np.argsort(scores, kind="stable")
        count = int(np.searchsorted(np.cumsum(sizes[order]), zeros)) + 1
        gone[order[:count]] = True
    return gone


def kept(part: Part, scores: Array, zeros: int) -> Array:
    """The mask of a kernel that loses its least important grains.

    Args:
        part: the kernel.
        scores: importance [grains].
        zeros: how many weights shall be zero; those that were zero already count.

    Returns:
        bool, of the kernel's shape; False for a weight that becomes zero.
    """
    gone = lowest(_dead_first(part, scores), part.sizes, zeros)[part.grain_of]
    return (~(gone | part.dead)).reshape(part.kernel.shape)


def kept_in_groups(part: Part, scores: Array, zeros: int) -> Array:
    """The mask of a kernel that loses the `zeros` least important weights of each group; see `kept`."""
    groups = part.groups if part.groups is not None else np.empty((0, 1), np.int64)
    order = np.argsort(_dead_first(part, scores)[groups], axis=1, kind="stable")
    gone = part.dead.copy()
    gone[np.take_along_axis(groups, order[:, :zeros], axis=1)] = True
    return (~gone).reshape(part.kernel.shape)


def _dead_first(part: Part, scores: Array) -> Array:
    # Zeros of an earlier step count: they must go before any other weight does, also before one of score 0.
    return np.where(part.averaged(part.dead) == 1, -1.0, scores)


def sparsity(masks: Sequence[Array]) -> float:
    """Share of the weights that masks make zero."""
    return 1 - sum(int(mask.sum()) for mask in masks) / max(1, sum(mask.size for mask in masks))

"""Numbers that move in training and are no TensorFlow variables."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tfcompress.invariants import Array


class Cell:
    """An array that a checkpoint saves and sets, like a variable."""

    def __init__(self, value: Array) -> None:
        self.value = value

    def assign(self, value: Array) -> None:
        """Sets it; the shape stays."""
        self.value = np.asarray(value, self.value.dtype).reshape(self.value.shape)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.value, dtype)

"""Arrays whose rows are read when they are asked for: a selection of another array's rows, and a list of images.

Both have what this toolkit needs of an array: `len`, `shape`, `dtype`, rows by an array of indices, `numpy.asarray`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Rows(Protocol):
    """What a Task holds: an array, or something that reads rows on demand."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102

    def __len__(self) -> int: ...

    def __getitem__(self, indices: Any, /) -> Any: ...


@dataclass(frozen=True)
class Selection:
    """Some rows of another array, without a copy.

    Attributes:
        source: the array, perhaps on disk.
        indices: which rows, in which order.
    """

    source: Rows
    indices: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self.indices), *self.source.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of an array."""
        return self.source.dtype

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, indices: Any) -> Any:
        return self.source[self.indices[indices]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self.source[self.indices], dtype=dtype)


@dataclass(frozen=True)
class Files:
    """Samples that each come from a file.

    Attributes:
        paths: one per sample.
        sample_shape: what each file must give.
        dtype: of the samples.
        read: reads one file; raises DataError naming it.
    """

    paths: tuple[str, ...]
    sample_shape: tuple[int, ...]
    read: Callable[[str], Array] = field(repr=False)
    dtype: np.dtype[Any] = np.dtype(np.uint8)  # noqa: RUF009

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self.paths), *self.sample_shape)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, indices: Any) -> Any:
        chosen = np.arange(len(self.paths))[indices]
        if not chosen.ndim:
            return self.read(self.paths[int(chosen)])
        rows = np.empty((len(chosen), *self.sample_shape), self.dtype)
        for row, index in enumerate(chosen):
            rows[row] = self.read(self.paths[int(index)])
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype=dtype)


@dataclass(frozen=True)
class Scaled:
    """Rows in the model's units: float32, `source * factor + offset`, computed when they are read.

    Attributes:
        source: rows as stored.
        factor: 1/255 for 0..1.
        offset: -1 for -1..1.
    """

    source: Rows
    factor: float
    offset: float

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return self.source.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Always float32."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, indices: Any) -> Any:
        rows = np.asarray(self.source[indices]).astype(np.float32)
        if self.factor != 1.0:
            rows *= np.float32(self.factor)
        if self.offset:
            rows += np.float32(self.offset)
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype=dtype)

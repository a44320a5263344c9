"""What a technique promised of a kernel: which weights are zero, which values they may have.

    mask = ZeroMask(kept)                      a weight is 0 wherever kept is False
    codebook = Codebook(values, scales)        every weight is scale x one of k integers, one codebook for all channels
    project(weights, (mask, codebook))         the nearest weights that keep every promise
    holds(integers, (mask, codebook))          asked of the int8 tensor of the finished file

Later steps train under all earlier invariants (`tfcompress.training`), so no technique needs to know another one.
Arrays are in Keras' layout (`converters.keras_models.kernels`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import numpy as np
import numpy.typing as npt

from converters.errors import CompressionError

Array = npt.NDArray[Any]


class Invariant(Protocol):
    """A promise about the weights of one kernel.

    `project` is idempotent, and projections of one kernel agree: in any order they lead to the same weights.
    """

    @property
    def kind(self) -> str:
        """Which sort of promise: `zeros`, `codebook`; a kernel has one of each at most."""
        ...

    def project(self, weights: Array) -> Array:
        """The nearest weights that keep the promise; same shape and type."""
        ...

    def holds(self, integers: Array) -> bool:
        """Whether the integers of a finished file keep it."""
        ...

    def describe(self) -> str:
        """The promise in words."""
        ...

    def as_arrays(self) -> dict[str, Array]:
        """The fields, as `from_arrays` takes them."""
        ...


@dataclass(frozen=True, eq=False)
class ZeroMask:
    """Some weights are zero and stay zero.

    Attributes:
        kept: False where the weight is zero, of the kernel's shape.
    """

    kind: ClassVar[str] = "zeros"
    kept: npt.NDArray[np.bool_]

    @property
    def sparsity(self) -> float:
        """Share of the weights that are zero by this mask."""
        return float(1.0 - self.kept.mean()) if self.kept.size else 0.0

    def project(self, weights: Array) -> Array:
        """Zeros where the mask wants them."""
        return np.where(self.kept, weights, np.zeros((), weights.dtype))

    def holds(self, integers: Array) -> bool:
        """Whether every masked integer is 0."""
        return integers.shape == self.kept.shape and not np.any(integers[~self.kept])

    def describe(self) -> str:
        """For people."""
        return f"{self.sparsity:.1%} of the weights are zero"

    def as_arrays(self) -> dict[str, Array]:
        """The fields."""
        return {"kept": self.kept}


@dataclass(frozen=True, eq=False)
class Codebook:
    """Every weight is `scales` times one of a few integers, the same ones for the whole kernel.

    A codebook of floats would not survive the file: its int8 grid differs by channel, and 16 floats become up to 16
    integers *per channel*. Integers with a fixed scale per channel are the file's own values.

    Attributes:
        values: the integers, ascending, -127..127, int8 [k].
        scales: positive step per channel, float32, broadcastable to the kernel; the file must use exactly these.
    """

    kind: ClassVar[str] = "codebook"
    values: npt.NDArray[np.int8]
    scales: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        values = self.values.astype(np.int64)
        if not len(values) or np.any(np.diff(values) <= 0) or np.any(np.abs(values) > 127):
            raise CompressionError(f"a codebook of {values.tolist()} came; expected ascending integers of -127..127")
        if not (np.isfinite(self.scales).all() and (self.scales > 0).all()):
            raise CompressionError("a codebook's scales must be positive; a channel of zeros takes any, such as 1")

    def project(self, weights: Array) -> Array:
        """Each weight becomes its nearest codeword times its channel's scale; halfway, the lower one."""
        found = self.values.astype(np.float32)[nearest(self.values, weights / self.scales)]
        return (found * self.scales).astype(weights.dtype)

    def holds(self, integers: Array) -> bool:
        """Whether every integer is in the codebook."""
        return bool(np.isin(integers, self.values).all())

    def describe(self) -> str:
        """For people."""
        return f"at most {len(self.values)} values"

    def as_arrays(self) -> dict[str, Array]:
        """The fields."""
        return {"values": self.values, "scales": self.scales}


def nearest(values: Array, numbers: Array) -> npt.NDArray[np.intp]:
    """Which of some integers is nearest to each number; halfway, the lower one.

    The limits between integers are whole or half, so that all numbers of one half step have the same answer: a table
    of these answers is several times faster than a search, and this runs in every training step.

    Args:
        values: ascending integers of -127..127, of any type.
        numbers: any shape.

    Returns:
        indices into `values`, in the shape of `numbers`.
    """
    limits = values[1:].astype(np.int64) + values[:-1].astype(np.int64)  # doubled
    answers = np.searchsorted(limits, np.arange(-255, 256))
    doubled = np.clip(np.ceil(numbers * 2.0), -255, 255)
    with np.errstate(invalid="ignore"):  # training says in words that the loss is NaN
        return answers.take(doubled.astype(np.int32) + 255, mode="clip")


KINDS: Mapping[str, Any] = {kind.kind: kind for kind in (ZeroMask, Codebook)}


def project(weights: Array, invariants: Sequence[Invariant]) -> Array:
    """The nearest weights that keep every promise.

    A codebook under a mask holds 0, so the order does not matter.
    """
    for invariant in invariants:
        weights = invariant.project(weights)
    return weights


def holds(integers: Array, invariants: Sequence[Invariant]) -> bool:
    """Whether the integers of a finished file keep every promise."""
    return all(invariant.holds(integers) for invariant in invariants)


def replace(invariants: Sequence[Invariant], new: Invariant) -> tuple[Invariant, ...]:
    """The invariants with `new` in place of one of its kind, or at the end."""
    return (*(invariant for invariant in invariants if invariant.kind != new.kind), new)


def from_arrays(kind: str, arrays: Mapping[str, Array]) -> Invariant:
    """The inverse of `as_arrays`, for a promise of this kind.

    Raises:
        CompressionError: an unknown kind.
    """
    if kind not in KINDS:
        raise CompressionError(f"an invariant of kind {kind!r} came; expected one of {', '.join(KINDS)}")
    return cast(Invariant, KINDS[kind](**arrays))


def holds_exactly(weights: Array | None, invariants: Sequence[Invariant]) -> bool:
    """Whether float weights are their own projection, bit for bit; never for weights that are not there."""
    return weights is not None and np.array_equal(weights, project(weights, invariants))

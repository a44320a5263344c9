"""Quantization-aware training; see `Qat`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from converters.spec import DType
from tfcompress.invariants import Codebook, Invariant
from tfcompress.model import CompressedModel, Ranges, Skipped
from tfcompress.quantization.placement import Placement, place
from tfcompress.technique import Trained

if TYPE_CHECKING:
    from tfcompress.training import Trainer

Array = npt.NDArray[Any]


class Qat(Trained):
    """Trains with the file's rounding in place, so that the weights learn to live with it.

    Batch normalization, `Rescaling` and the like are folded first. Then each step computes with w' = s round(w / s) and
    activations rounded to the 256 steps (65,535 for 16 bits) of their range, while gradients pass the rounding
    unchanged. A range is the share of the batches' extremes that had the smallest squared error before training; it
    follows the extremes, and goes to the file as it was at the end, like the scales s. Scales that an earlier step
    fixed, a codebook's, stay. Built on TF-MOT's 8-bit wrappers.

    Source: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference", arXiv:1712.05877.
    """

    makes: ClassVar[frozenset[str]] = frozenset({"ranges"})
    keeps: ClassVar[frozenset[str]] = frozenset({"zeros", "codebook", "ranges"})

    learning_rate: float = Field(
        default=1e-4,
        gt=0,
        lt=10,
        description="Step size at the start, falling to 0 along a cosine. A Task's own optimizer object keeps its own.",
    )
    activation_bits: Literal[8, 16] = Field(
        default=8, description="Width of activations: 8, or 16 for an int16x8 file. Weights have 8 bits."
    )
    calibration_samples: int = Field(
        default=512, ge=1, description="Training samples that the ranges are measured on before training."
    )

    @property
    def dtypes(self) -> tuple[DType, ...]:
        """The one type of file whose rounding was trained."""
        return ("int16x8",) if self.activation_bits == 16 else ("int8",)

    def plan(self, compressed: CompressedModel) -> tuple[Skipped, ...]:
        """Every layer that stays in float while training."""
        return _prepared(compressed)[1].skipped

    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        """Trains; the result is plain, its kernels lie on their grids, and `ranges` has all that was rounded."""
        from tfcompress.quantization.wrapping import wrap

        model, placed = _prepared(compressed)
        fixed = Ranges(weights={**_codebook_scales(compressed.invariants), **compressed.ranges.weights})
        wrapped = wrap(model, placed, bits=self.activation_bits, fixed=fixed)
        wrapped.observe(self._samples(trainer))
        promises = wrapped.promises(compressed.invariants)
        logs = trainer.fit(wrapped.model, self, invariants=promises, variables=wrapped.variables)
        trained, ranges = wrapped.plain(model, compressed.invariants)
        return replace(
            compressed,
            model=trained,
            ranges=Ranges(ranges.activations, {**compressed.ranges.weights, **ranges.weights}),
            history=(*compressed.history, self.record(epochs=logs, skipped=placed.skipped)),
        )

    def _samples(self, trainer: Trainer) -> Iterator[Any]:
        samples = trainer.task.calibration_samples(self.calibration_samples, seed=trainer.seed)
        inputs = samples if isinstance(samples, Mapping) else {"": samples}
        for start in range(0, len(next(iter(inputs.values()))), self.batch_size):
            batch = {name: rows[start : start + self.batch_size] for name, rows in inputs.items()}
            yield batch if isinstance(samples, Mapping) else batch[""]


def _prepared(compressed: CompressedModel) -> tuple[Any, Placement]:
    from converters.keras_models.folding import fold_batch_norm

    folded = fold_batch_norm(compressed.model)
    return folded.model, place(folded.model, dict(folded.unfolded))


def _codebook_scales(invariants: Mapping[str, tuple[Invariant, ...]]) -> dict[str, Array]:
    return {
        name: np.asarray(promise.scales)
        for name, kept in invariants.items()
        for promise in kept
        if isinstance(promise, Codebook)
    }

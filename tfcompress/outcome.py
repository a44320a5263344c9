"""What `tfcompress.compress` made and measured; `tfcompress.report` formats it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converters.conversion import Conversion
from tfcompress.model import CompressedModel, Skipped, Step
from tfcompress.recipe import Recipe
from tfcompress.rows import Row


@dataclass(frozen=True)
class LayerReport:
    """One kernel as it stands in the finished file.

    Attributes:
        layer: Keras layer name.
        kernel: kernel name, `layer/attribute`.
        weights: how many it has.
        zeros: share of them that is 0 in the file.
        distinct: different values in the file.
        promised: what training promised of it, in words; each was proven on the file's integers.
        macs: multiply-accumulates of one inference.
        weight_bytes: size of the kernel in the file, in bytes.
        error: root mean square of the layer's output in the file minus that in the float file, divided by that of the
            float file's; None where it could not be measured.
        shares_values: whether a codebook was promised of it.
    """

    layer: str
    kernel: str
    weights: int
    zeros: float
    distinct: int
    promised: tuple[str, ...]
    macs: int
    weight_bytes: int
    error: float | None
    shares_values: bool = False


@dataclass(frozen=True, repr=False)
class Outcome:
    """A compression's result.

    Attributes:
        conversion: the finished file, its certificate, notes.
        report: the numbers, each with the way it was got.
        layers: the kernels, in file order.
        recipe: what was done.
        history: what each step did.
        notes: what the user should know, besides the notes of `conversion`.
        hashes: SHA-256 of the recipe, the model, the data and the training setup.
        compressed: the Keras model with its promises; None where the work was done in a child process.
        folder: where the files are; None if none were asked for.
    """

    conversion: Conversion
    report: tuple[Row, ...]
    layers: tuple[LayerReport, ...]
    recipe: Recipe
    history: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    hashes: Mapping[str, str] = field(default_factory=dict)
    compressed: CompressedModel | None = None
    folder: Path | None = None

    def value(self, name: str) -> Any:
        """The value of a row of the report, such as `accuracy_after`; None where there is no such row."""
        return next((row.value for row in self.report if row.name == name), None)

    def __repr__(self) -> str:
        """A line for notebooks; the weights of a model are nothing to read."""
        named = ("accuracy_before", "accuracy_after", "file_bytes", "gzip_bytes")
        told = "".join(f", {name}={self.value(name)}" for name in named)
        return f"Outcome(recipe={self.recipe.name!r}{told})"


@dataclass(frozen=True)
class PlannedStep:
    """A step of a dry run: what it would leave as it is."""

    technique: str
    fields: Mapping[str, Any]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Plan:
    """What a compression would do; nothing was trained.

    Attributes:
        recipe: the recipe, as checked.
        steps: its techniques and what each would skip.
        notes: how data and model were understood: loss, metric, restructured layers.
    """

    recipe: Recipe
    steps: tuple[PlannedStep, ...]
    notes: tuple[str, ...]

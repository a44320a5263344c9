"""The technique `prune`; its parts are in `tfcompress.pruning`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from tfcompress.model import CompressedModel, Skipped
from tfcompress.technique import Trained

if TYPE_CHECKING:
    from tfcompress.training import Trainer

_PATTERN = re.compile("([1-9][0-9]{0,3}):([1-9][0-9]{0,3})")


class Prune(Trained):
    """Makes the least important weights zero, with or without training in between.

    A mask m per kernel, w := m * w; at least the share `sparsity` of a kernel's weights, or of the model's by `budget`,
    is zero in the finished file. Gradual pruning is TF-MOT's: with t from 0 at `begin` to 1 at `end`,

        sparsity(t) = sparsity + (initial_sparsity - sparsity) * (1 - t)^power

    Sources: Zhu and Gupta, "To prune, or not to prune", arXiv:1710.01878 (gradual, polynomial); Han et al., "Learning
    both weights and connections", arXiv:1506.02626 (iterative); Renda et al., "Comparing rewinding and fine-tuning",
    arXiv:2003.02389 (each round trains with the whole learning-rate schedule); Zhou et al., "Learning N:M fine-grained
    structured sparse neural networks from scratch", arXiv:2102.04010. Those of the criteria and budgets are in
    `tfcompress.pruning`.
    """

    makes: ClassVar[frozenset[str]] = frozenset({"zeros"})
    keeps: ClassVar[frozenset[str]] = frozenset({"zeros"})

    sparsity: float = Field(
        default=0.6,
        gt=0,
        lt=1,
        description="Share of the weights that become zero. Adaptive: the most to try, and the first. n:m: follows "
        "from the pattern.",
    )
    mode: Literal["gradual", "one-shot", "iterative", "adaptive"] = Field(
        default="gradual",
        description="gradual: more and more while training. one-shot: all at once, then training. iterative: in rounds "
        "of pruning and training. adaptive: as sparse as maximum_loss permits on validation data, found in rounds: "
        "`sparsity` first, then bisection.",
    )
    structure: Literal["unstructured", "block", "n:m"] = Field(
        default="unstructured",
        description="What goes together: single weights; blocks; n of every m weights that follow each other.",
    )
    block: tuple[int, int] = Field(
        default=(1, 4),
        description="block: rows and columns, of the file's matrix of output channels by weights; a depthwise kernel's "
        "has positions by channels.",
    )
    pattern: str = Field(
        default="2:4",
        description="n:m: zeros in every group, and weights in a group, as TF-MOT counts: 3:4 keeps one of four. "
        "Groups lie along the input channels; a depthwise kernel's along its channels.",
    )
    criterion: Literal["l1", "l2", "taylor", "random"] = Field(
        default="l1",
        description="What makes a weight important: its magnitude (l1, l2), the loss's sensitivity to it (taylor), or "
        "nothing (random).",
    )
    budget: Literal["per-layer", "global", "hierarchical"] = Field(
        default="per-layer",
        description="Where the zeros go: the same share to each layer; wherever the least important weights are; first "
        "to layers by LAMP, then to weights inside them.",
    )
    schedule: Literal["polynomial", "constant"] = Field(
        default="polynomial", description="gradual: rising along a polynomial, or the whole sparsity from the start."
    )
    initial_sparsity: float = Field(default=0.0, ge=0, lt=1, description="gradual: sparsity at the start.")
    begin: float = Field(default=0.0, ge=0, le=1, description="gradual: share of the training before pruning starts.")
    end: float = Field(default=0.6, ge=0, le=1, description="gradual: share of the training when it is complete.")
    power: float = Field(default=3.0, gt=0, description="gradual: exponent of the polynomial.")
    frequency: float = Field(
        default=0.02, gt=0, le=1, description="gradual: share of the training between two updates of the masks."
    )
    rounds: int = Field(
        default=4,
        ge=1,
        le=50,
        description="iterative, adaptive: how many; they share the epochs as evenly as possible.",
    )
    maximum_loss: float = Field(
        default=0.01,
        ge=0,
        description="adaptive: how much of the validation metric may be lost, in its own unit (0.01 is a point of "
        "accuracy).",
    )
    samples: int = Field(default=512, ge=1, description="taylor: training samples to measure the sensitivity on.")
    layers: tuple[str, ...] = Field(
        default=("*",), description="Layers to prune; names or patterns such as 'conv2d_*'."
    )
    minimum_weights: int = Field(default=256, ge=1, description="Smaller kernels are skipped.")

    @field_validator("block")
    @classmethod
    def _check_block(cls, block: tuple[int, int]) -> tuple[int, int]:
        if min(block) < 1 or block == (1, 1):
            raise ValueError("a block has at least 2 weights, such as [1, 4]; for single weights use unstructured")
        return block

    @field_validator("pattern")
    @classmethod
    def _check_pattern(cls, pattern: str) -> str:
        found = _PATTERN.fullmatch(pattern)
        if not found or int(found[1]) >= int(found[2]):
            raise ValueError("expected zeros:group with fewer zeros than the group has weights, such as 2:4")
        return pattern

    @model_validator(mode="before")
    @classmethod
    def _take_sparsity_from_pattern(cls, fields: Any) -> Any:
        if not isinstance(fields, Mapping) or fields.get("structure") != "n:m":
            return fields
        found = _PATTERN.fullmatch(str(fields.get("pattern", "2:4")))
        if "sparsity" in fields or not found or int(found[1]) >= int(found[2]):
            return fields
        return {**fields, "sparsity": int(found[1]) / int(found[2])}

    @model_validator(mode="after")
    def _check_together(self) -> Prune:
        zeros, group = self.pattern_numbers
        if self.structure == "n:m" and abs(self.sparsity - zeros / group) > 1e-3:
            raise ValueError(
                f"pattern {self.pattern} makes {zeros} of every {group} weights zero, which is a sparsity of "
                f"{zeros / group:.3g}, not {self.sparsity:g}; leave sparsity out, or change the pattern"
            )
        if self.structure == "n:m" and (self.budget != "per-layer" or self.mode in ("iterative", "adaptive")):
            raise ValueError(
                "n:m fixes the sparsity of every layer; use it with budget per-layer and mode gradual or one-shot"
            )
        if self.begin >= self.end:
            raise ValueError(f"begin is {self.begin:g} and end {self.end:g}; pruning must begin before it ends")
        if self.initial_sparsity > self.sparsity:
            raise ValueError(f"initial_sparsity {self.initial_sparsity:g} is above sparsity {self.sparsity:g}")
        if self.mode in ("iterative", "adaptive") and self.epochs < self.rounds:
            raise ValueError(
                f"{self.mode} with rounds = {self.rounds} trains in every round and has epochs = {self.epochs} for "
                f"all; give at least {self.rounds} epochs, or fewer rounds"
            )
        return self

    @property
    def needs_validation(self) -> bool:
        """The adaptive mode decides by the validation metric."""
        return self.mode == "adaptive"

    @property
    def pattern_numbers(self) -> tuple[int, int]:
        """N and M of N:M: zeros in a group, weights in a group."""
        zeros, _, group = self.pattern.partition(":")
        return int(zeros), int(group)

    def plan(self, compressed: CompressedModel) -> tuple[Skipped, ...]:
        """Kernels that stay as they are; see `Technique.plan`.

        Raises:
            UsageError: a pattern that matches no layer.
            CompressionError: nothing to prune.
        """
        from tfcompress import selection
        from tfcompress.pruning.choice import choose_kernels

        selection.check("layers", self.layers, (layer.name for layer in compressed.model.layers))
        return choose_kernels(self, compressed)[1]

    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        """Prunes; see `Technique.apply`."""
        from tfcompress.pruning.modes import prune

        return prune(self, compressed, trainer)

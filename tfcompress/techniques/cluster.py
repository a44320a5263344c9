"""Weight sharing on the integer grid of the file; see `Cluster`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from converters.errors import CompressionError
from tfcompress.invariants import Array, Invariant, project
from tfcompress.model import CompressedModel, Ranges, Skipped
from tfcompress.technique import Trained

if TYPE_CHECKING:
    from converters.keras_models.kernels import Kernel
    from tfcompress.clustering.moving import MovingCodebook
    from tfcompress.clustering.rate import Rate
    from tfcompress.training import Trainer


class Cluster(Trained):
    """Lets all weights of a kernel share a few values, so that the int8 tensor in the file has at most that many.

    A weight is w = s q with a scale s per output channel (one for all of a Dense layer) and q one of k integers of
    -127..127, the same ones for all channels. Zeros of an earlier step stay; then 0 is one of the k. Codewords start
    with TF-MOT's centroid initializers on w / s, and follow the weights in training (`tfcompress.clustering.moving`).
    Batch normalization, `Rescaling` and the like are folded at the end: their factors go into the scales.

    With `bits_per_weight`, a weight gets the codeword that minimizes (w/s - c)^2 / sum (w/s)^2 + lambda bits, not the
    nearest one: bits is the codeword's length in a Huffman code of its kernel, and one lambda for all kernels rises in
    training until the average is what was asked for (`tfcompress.clustering.rate`; Chou, Lookabaugh, Gray 1989,
    "Entropy-Constrained Vector Quantization", IEEE Transactions on Acoustics, Speech, and Signal Processing 37:1).

    Source: Han et al., "Deep Compression", 2016, arXiv:1510.00149, section 3; with fixed scales and integers because
    16 float values become up to 16 integers *per channel* when a file is quantized.
    """

    makes: ClassVar[frozenset[str]] = frozenset({"codebook"})
    keeps: ClassVar[frozenset[str]] = frozenset({"zeros", "codebook"})

    clusters: int = Field(default=16, ge=2, le=256, description="Distinct values of a kernel at most, 0 included.")
    initialization: Literal["linear", "random", "density", "kmeans++"] = Field(
        default="kmeans++", description="Where the values start: TF-MOT's centroid initializers."
    )
    scope: Literal["per-layer", "model"] = Field(
        default="per-layer", description="per-layer: each kernel has values of its own. model: one codebook for all."
    )
    bits_per_weight: float | None = Field(
        default=None,
        gt=1,
        le=8,
        description="What weights take on average in a Huffman code, at most; reached in training. None: any number.",
    )
    scales: Literal["per-channel", "one"] = Field(
        default="per-channel",
        description="one: the same scale for all channels of a kernel, which a file for TFLM stores once.",
    )
    layers: tuple[str, ...] = Field(default=("*",), description="Layers to cluster; names or patterns.")
    minimum_weights: int = Field(default=256, ge=2, description="Kernels with fewer weights are skipped.")

    @model_validator(mode="after")
    def _check_together(self) -> Cluster:
        if self.bits_per_weight and self.scope == "model":
            raise ValueError("bits_per_weight gives each kernel codewords of its own; leave scope out")
        return self

    def plan(self, compressed: CompressedModel) -> tuple[Skipped, ...]:
        """The layers that get no codebook.

        Raises:
            UsageError: a pattern that matches no layer.
            CompressionError: a kernel with fewer weights than clusters, or nothing to cluster.
        """
        from tfcompress import selection

        selection.check("layers", self.layers, (layer.name for layer in compressed.model.layers))
        return self._select(compressed)[1]

    def apply(self, compressed: CompressedModel, trainer: Trainer) -> CompressedModel:
        """See `Technique.apply`."""
        from converters.keras_models.folding import fold_batch_norm
        from tfcompress import selection
        from tfcompress.clustering import units
        from tfcompress.clustering.following import Falling, Following
        from tfcompress.clustering.moving import average_bits, forget_unused
        from tfcompress.clustering.rate import Rate

        chosen, skipped, factors = self._select(compressed)
        largest = max(selection.weights_of(kernel) for kernel in chosen)
        rate = Rate(self.bits_per_weight, largest) if self.bits_per_weight else None
        moving = self._start(chosen, factors, compressed.invariants, trainer.seed, rate)
        model, promises = units.split(compressed.model, compressed.invariants)
        invariants = {**promises}
        for name, follower in moving.items():
            invariants[name] = (*invariants.get(name, ()), follower)
        following = Following(model, moving)
        falling = (Falling(rate, average_bits(moving.values())),) if rate else ()
        logs = trainer.fit(model, self, invariants=invariants, callbacks=(following, *falling))
        following.look()
        if rate:
            _reach(model, rate, moving)
            forget_unused(moving.values())
        # Before folding: the bias takes what constants before a kernel add, which is a sum over the kernel.
        _project(model, promises, moving)
        if rate:
            trainer.refresh(model, self)
        folded = fold_batch_norm(units.join(model, like=compressed.model))
        fixed = {name: follower.fixed(folded.factors.get(name, 1.0)) for name, follower in moving.items()}
        result = replace(compressed, model=folded.model)
        for name, codebook in fixed.items():
            result = result.promise(name, codebook)
        _project(result.model, result.invariants, {})
        weights = {**compressed.ranges.weights, **{name: codebook.scales for name, codebook in fixed.items()}}
        notes = tuple(f"{layer}: not folded, {reason}" for layer, reason in folded.unfolded)
        if rate:
            notes += (f"{average_bits(moving.values()):.3f} bits a weight in Huffman codes",)
        step = self.record(epochs=logs, skipped=skipped, notes=notes)
        ranges = Ranges(compressed.ranges.activations, weights)
        return replace(result, ranges=ranges, history=(*compressed.history, step))

    def _select(
        self, compressed: CompressedModel
    ) -> tuple[tuple[Kernel, ...], tuple[Skipped, ...], Mapping[str, Array]]:
        """The kernels to cluster, the layers that are left out, and what kernels will be multiplied by when folded."""
        from converters.keras_models.absorbed import absorbing
        from converters.keras_models.folding import fold_batch_norm
        from tfcompress import selection

        folded = fold_batch_norm(compressed.model)
        changed = absorbing(folded.model)
        chosen, skipped = selection.choose(
            compressed.model,
            layers=self.layers,
            freeze=self.freeze,
            minimum_weights=self.minimum_weights,
            unfit=lambda kernel: (
                changed.get(kernel.layer) or _unfit(kernel, compressed.invariants.get(kernel.name, ()))
            ),
            done="clustered",
        )
        for kernel in chosen:
            if (weights := selection.weights_of(kernel)) < self.clusters:
                raise CompressionError(
                    f"clusters is {self.clusters}, and {kernel.name} has only {weights} weights; lower clusters, or "
                    f"raise minimum_weights above {weights} to skip it"
                )
        return chosen, skipped, folded.factors

    def _start(
        self,
        chosen: Sequence[Kernel],
        factors: Mapping[str, Array],
        invariants: Mapping[str, Sequence[Invariant]],
        seed: int,
        rate: Rate | None,
    ) -> dict[str, MovingCodebook]:
        """A codebook for each chosen kernel, by kernel name, before training."""
        from tfcompress.clustering import initial

        groups = [tuple(chosen)] if self.scope == "model" else [(kernel,) for kernel in chosen]
        found: dict[str, MovingCodebook] = {}
        for group in groups:
            readers = [
                initial.reader(kernel, factors, invariants.get(kernel.name, ()), one_scale=self.scales == "one")
                for kernel in group
            ]
            found |= initial.start(
                readers, clusters=self.clusters, initialization=self.initialization, seed=seed, rate=rate
            )
        return found


def _reach(model: Any, rate: Rate, moving: Mapping[str, MovingCodebook]) -> None:
    """Sees to it that the kernels take no more bits than asked, where training was too short for that."""
    from converters.keras_models.kernels import kernels
    from tfcompress.clustering.moving import reach

    variables = {kernel.name: kernel.variable for kernel in kernels(model)}
    for name, values in reach(rate, moving, {name: variables[name].numpy() for name in moving}).items():
        variables[name].assign(values)


def _unfit(kernel: Kernel, promises: Sequence[Invariant]) -> str:
    if kernel.layer_class == "Embedding":
        return "an Embedding is a lookup table, whose scale in the file cannot be set"
    if any(promise.kind == "codebook" for promise in promises):
        return "kernel has a codebook from an earlier step, which stays"
    return ""


def _project(model: Any, invariants: Mapping[str, Sequence[Invariant]], moving: Mapping[str, MovingCodebook]) -> None:
    """Sets the kernels of this step's own model to what all promises want, exactly; no codebook moves any more."""
    from converters.keras_models.kernels import kernels

    for kernel in kernels(model):
        values = project(kernel.variable.numpy(), invariants.get(kernel.name, ()))
        kernel.variable.assign(moving[kernel.name].settled(values) if kernel.name in moving else values)

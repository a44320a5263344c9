"""The model that computes what a file will, from a finished `CompressedModel`."""

from __future__ import annotations

from typing import Any

from tfcompress.model import CompressedModel
from tfcompress.quantization.placement import place


def simulate(compressed: CompressedModel, *, bits: int | None = None) -> Any:
    """A Keras model that rounds kernels, inputs and activations as the file of `compressed` does.

    It computes in float64, so its sums are as exact as those of integers. What is left: runtimes round halves in
    different ways, and most of them divide by multiplying and shifting, which misses the nearest step now and then.

    Args:
        compressed: what the step `qat` returned, or a later one.
        bits: of the activations; by default what the last `qat` of its history trained with, else 8.

    Returns:
        A tf_keras model to call with samples in the model's units; outputs are float64 on the file's grid.
    """
    from tfcompress.quantization.wrapping import wrap

    trained = [step.fields for step in compressed.history if step.technique == "qat"]
    asked = bits or (int(trained[-1]["activation_bits"]) if trained else 8)
    placed = place(compressed.model)
    return wrap(compressed.model, placed, bits=asked, fixed=compressed.ranges, frozen=True).model

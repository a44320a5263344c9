"""What a file's operators have to do: the quantities that their time depends on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from converters.flatbuffer import FlatBuffer, Operator
from converters.flatbuffer.macs import macs_of

Kind = Literal["conv", "pointwise", "depthwise", "dense", "other"]
KINDS: tuple[Kind, ...] = ("conv", "pointwise", "depthwise", "dense", "other")

Shape = tuple[int, ...]
# What it costs depends on the encoding, which is therefore part of its name here: TFLM_DECODE/huffman.
DECODE = "TFLM_DECODE"
# FULLY_CONNECTED, and those that are computed as matrix products of the same kind.
_DENSE = ("FULLY_CONNECTED", "BATCH_MATMUL", "SVDF", "RNN", "LSTM")


@dataclass(frozen=True)
class Work:
    """What one operator has to do, once per inference.

    Attributes:
        name: of the operator, such as `CONV_2D` or `TFLM_DECODE/huffman`.
        layer: the Keras layer that it is from; empty where that is unknown.
        kind: which kernels compute it: `pointwise` is a convolution of 1x1, `other` sums no products.
        macs: multiply-accumulates.
        outputs: elements of its outputs.
        patches: elements of the input patches that the kernel reads, once for all output channels.
        taps: positions of a spatial kernel that are visited, over all outputs: each runs a loop over input channels.
        inputs: elements of its first input.
    """

    name: str
    layer: str
    kind: Kind
    macs: int
    outputs: int
    patches: int
    taps: int
    inputs: int


def work_of(flatbuffer: FlatBuffer) -> tuple[Work, ...]:
    """The work of every operator of the model, in the file's order."""
    tensors = flatbuffer.graphs[0].tensors

    def shapes(numbers: Sequence[int]) -> list[Shape | None]:
        return [tensors[number].shape if number >= 0 else None for number in numbers]

    def name(operator: Operator) -> str:
        encoding = tensors[operator.outputs[0]].encoding if operator.name == DECODE and operator.outputs else ""
        return f"{operator.name}/{encoding}" if encoding else operator.name

    return tuple(
        _work(name(operator), operator.layer, operator.macs, shapes(operator.inputs), shapes(operator.outputs))
        for operator in flatbuffer.operators
    )


def work_from_shapes(
    name: str, inputs: Sequence[Sequence[int] | None], outputs: Sequence[Sequence[int]], layer: str = ""
) -> Work:
    """The same for an operator that only its shapes are known of, as in tables of measurements."""
    came = [None if shape is None else tuple(shape) for shape in inputs]
    made = [tuple(shape) for shape in outputs]
    return _work(name, layer, macs_of(name, {}, came, made), came, made)


def fingerprint(works: Sequence[Work]) -> str:
    """Equal for models that compute the same products in the same order, whatever their weights are."""
    told = [(work.kind, work.macs, work.outputs) for work in works if work.macs]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def _work(name: str, layer: str, macs: int, inputs: Sequence[Any], outputs: Sequence[Any]) -> Work:
    made = sum(math.prod(shape) for shape in outputs if shape is not None)
    kernel = inputs[1] if len(inputs) > 1 and inputs[1] is not None else ()
    kind = _kind(name, kernel, macs)
    channels = outputs[0][-1] if outputs and outputs[0] else 1
    return Work(
        name=name,
        layer=layer,
        kind=kind,
        macs=macs,
        outputs=made,
        patches=macs // max(1, channels) if kind in ("conv", "pointwise") else 0,
        taps=macs // max(1, kernel[-1]) if kind == "conv" and kernel else 0,
        inputs=math.prod(inputs[0]) if inputs and inputs[0] is not None else 0,
    )


def _kind(name: str, kernel: Sequence[int], macs: int) -> Kind:
    if name == "DEPTHWISE_CONV_2D":
        return "depthwise"
    if macs and any(word in name for word in _DENSE):
        return "dense"
    if not macs:
        return "other"
    return "pointwise" if len(kernel) == 4 and kernel[1] == kernel[2] == 1 else "conv"

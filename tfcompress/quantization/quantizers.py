"""Rounding in TensorFlow as the integer kernels do it, in the form that TF-MOT's wrappers take.

    kernels        q = clip(round(w / s), -127, 127) s          s per channel: largest |w| / 127, or fixed
    activations    8 bits: 256 steps from low to high, shifted so that 0 is one of them
                   16 bits: 65,535 steps from -m to m

Gradients pass the rounding as if it were not there (Bengio et al. 2013, arXiv:1308.3432), and stop where an activation
is clipped. Scheme and moving ranges: Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (arXiv:1712.05877), as in TF-MOT's default 8-bit scheme, with three differences: a
depthwise kernel has a scale per channel, as in the file (TF-MOT takes its last axis); a kernel's scales may be fixed;
ranges start at samples instead of at -6..6, from which TF-MOT's average needs thousands of steps to depart, and leave
out as much of the extremes as makes the squared error smallest (`converters.calibration.histogram.mse_range`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from converters.calibration.histogram import Histogram, mse_range
from converters.keras_models.tf_mot import tf_mot

_TF_MOT = tf_mot().quantization.keras
Floats = npt.NDArray[np.float32]

# Share of the old range that stays at each step: an average over about the last hundred batches.
_MOMENTUM = 0.99
# A channel far smaller than the others gets a coarser grid than it could have, so that its bias fits 32 bits.
_SMALLEST_SCALE = 1e-4
# What a tensor spans at least: a dead one needs some range too.
_SMALLEST_SPAN = 1e-5
_RANGE_OF_ZEROS = (0.0, 1.0)


def kernel_scales(kernel: npt.ArrayLike, shape: Sequence[int]) -> Floats:
    """The steps of a kernel's grid: largest |weight| / 127 per channel, positive.

    Args:
        kernel: as Keras keeps it.
        shape: of the scales, broadcastable to the kernel; axes of length 1 share a scale.

    Returns:
        float32, of that shape. A channel of zeros gets that of the largest channel, which its bias is rounded with.
    """
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    largest = np.abs(np.asarray(kernel, np.float32)).max(axes, keepdims=True)
    top = largest.max() or np.float32(1)
    return np.where(largest > 0, np.maximum(largest, _SMALLEST_SCALE * top), top).astype(np.float32) / np.float32(127)


def training_unit(kernel: Floats, channel_axes: Sequence[int]) -> Floats:
    """What a kernel is divided by while it is trained: each channel is then as large as He et al. initialize it.

    Folding batch normalization leaves kernels of any size (behind bytes as input, thousandths), and optimizers such as
    Adam move every weight by about the learning rate, whatever its size. In these units one learning rate suits every
    kernel, as with the layer's own normalization before. He et al. 2015, "Delving Deep into Rectifiers",
    arXiv:1502.01852: standard deviation sqrt(2 / fan in).

    Args:
        kernel: as Keras keeps it.
        channel_axes: the axes that number its output channels.

    Returns:
        Positive float32, broadcastable to the kernel. A channel of zeros has the unit of the whole kernel.
    """
    axes = tuple(axis for axis in range(kernel.ndim) if axis not in channel_axes)
    squares = kernel.astype(np.float64) ** 2
    sizes = np.sqrt(squares.mean(axes, keepdims=True))
    whole = np.sqrt(squares.mean()) or 1.0
    fan_in = np.prod([kernel.shape[axis] for axis in axes])
    return np.asarray(np.where(sizes > 0, sizes, whole) / np.sqrt(2 / fan_in), np.float32)


def on_grid(kernel: Floats, scales: Floats) -> Floats:
    """The kernel rounded to integer multiples of its scales."""
    integers = np.clip(np.rint(kernel.astype(np.float64) / scales), -127, 127)
    return np.asarray(integers.astype(np.float32) * scales, np.float32)


def grid_range(low: float, high: float, bits: int) -> tuple[float, float]:
    """The range that an integer grid has exactly: 0 on it for 8 bits, symmetric for 16."""
    if high - low < _SMALLEST_SPAN:
        low, high = _RANGE_OF_ZEROS
    if bits == 16:
        largest = max(-low, high)
        return -largest, largest
    step = (high - low) / 255
    below = round(-low / step)
    return -below * step, (255 - below) * step


def grid_step(low: float, high: float, bits: int) -> float:
    """The distance of neighbours on the grid of a range that `grid_range` gave."""
    return high / 32767 if bits == 16 else (high - low) / 255


def rounded_bias(bias: Floats, step: float, scales: Floats) -> Floats:
    """A bias as multiples of the input's step times the kernel's scales, as integer kernels add it.

    Args:
        bias: float32 [n].
        step: of the input's grid.
        scales: of the kernel, one or n in the order of the bias.
    """
    steps = step * scales.astype(np.float64).reshape(-1)
    return (np.rint(bias.astype(np.float64) / steps) * steps).astype(np.float32)


def _rounded(values: Any, low: Any, high: Any, bits: int, *, symmetric: bool) -> Any:
    """`values` on a grid of 2**bits values from low to high; of one less where it is symmetric."""
    if symmetric:
        high = tf.maximum(-low, high)
        low = -high
    if values.dtype == tf.float32:
        return tf.quantization.fake_quant_with_min_max_vars(values, low, high, bits, narrow_range=symmetric)
    levels = 2**bits - (2 if symmetric else 1)
    step = (high - low) / levels
    below = tf.round(-low / step)
    return tf.clip_by_value(tf.round(values / step), -below, levels - below) * step


def _averaged(values: Any, low: Any, high: Any, bits: int) -> Any:
    """`values` on the grid of a range, halves away from the stored integer 0, as the integer kernels of pooling do.

    Of 64 pixels, one mean in 64 is a half. See tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h.
    """
    step = grid_step(low, high, bits)
    zero = 0.0 if bits == 16 else tf.round(-low / step) - 128
    stored = values / step + zero
    halves = 0.5 + 1e-9  # a half may come out a little smaller
    return (tf.sign(stored) * tf.floor(tf.abs(stored) + halves) - zero) * step


class KernelGrid(_TF_MOT.quantizers.Quantizer):  # type: ignore[misc,name-defined]
    """Rounds a kernel to int8, per channel.

    Args:
        shape: of the scales, broadcastable to the kernel.
        scales: where they are fixed; else the largest weight of each channel sets its scale anew at each step.
        unit: what the trained variable is multiplied by to be the kernel; broadcastable to it.
    """

    def __init__(self, shape: Sequence[int], scales: Floats | None, unit: Floats) -> None:
        self.shape = tuple(shape)
        self.scales = scales
        self.unit = unit

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Needs no variables."""
        del tensor_shape, name, layer
        return {}

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any]) -> Any:
        """The rounded kernel; see `Quantizer` of TF-MOT."""
        del training, weights
        inputs = inputs * tf.constant(self.unit, inputs.dtype)
        scales = self._measured(inputs) if self.scales is None else tf.constant(self.scales, inputs.dtype)
        integers = tf.clip_by_value(tf.round(inputs / scales), -127.0, 127.0)
        return inputs + tf.stop_gradient(integers * scales - inputs)

    def _measured(self, kernel: Any) -> Any:
        axes = [axis for axis, size in enumerate(self.shape) if size == 1]
        largest = tf.reduce_max(tf.abs(kernel), axes, keepdims=True)
        top = tf.reduce_max(largest)
        floor = tf.maximum(_SMALLEST_SCALE * top, 1e-20)
        return tf.stop_gradient(tf.maximum(largest, floor) / 127.0)

    def get_config(self) -> dict[str, Any]:
        """None: the wrapped model is never saved."""
        return {}


class OutputRange(_TF_MOT.quantizers.Quantizer):  # type: ignore[misc,name-defined]
    """Rounds an activation to the range that it had in the batches so far, or to a share of it.

    Args:
        bits: 8 or 16.
        widest: take the whole range ever seen, as for a model's inputs, instead of an average of the batches' ranges.
        known: (low, high) to start from, and to stay at: nothing is measured then.
    """

    def __init__(self, bits: int, *, widest: bool = False, known: tuple[float, float] | None = None) -> None:
        self.bits = bits
        self.widest = widest
        self.known = known
        self._lowest: Any = None
        self._highest: Any = None
        self._batches: Any = None
        # How much of the extremes is kept on either side of 0.
        self._shares = (1.0, 1.0)
        self._seen: Histogram | None = None

    @property
    def low(self) -> Any:
        """The lower end now, a scalar tensor."""
        return self._lowest * self._shares[0]

    @property
    def high(self) -> Any:
        """The upper end now, a scalar tensor."""
        return self._highest * self._shares[1]

    @property
    def step(self) -> float:
        """The distance of neighbours on the grid now."""
        return grid_step(*self.range, self.bits)

    @property
    def range(self) -> tuple[float, float]:
        """The range now, as `grid_range` gives it."""
        return grid_range(float(self.low), float(self.high), self.bits)

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Makes the variables, as weights of the layer around."""
        del tensor_shape
        if self._lowest is None:
            start = self.known or (0.0, 0.0)
            self._lowest, self._highest, self._batches = (
                layer.add_weight(f"{name}_{what}", (), initializer=_constant(value), trainable=False)
                for what, value in (("lowest", start[0]), ("highest", start[1]), ("batches", 0.0))
            )
        return {}

    def observe(self) -> None:
        """From now on, measures in inference too, and not only extremes."""
        self._seen = Histogram()

    def settle(self) -> None:
        """Ends what `observe` began: keeps the share of the extremes that has the smallest squared error.

        Raises:
            ValueError: a value was NaN or infinite.
        """
        seen, self._seen = self._seen, None
        extremes = float(self._lowest), float(self._highest)
        if not np.isfinite(extremes).all():
            raise ValueError("NaN or infinite")
        if seen is not None and not self.widest:
            low, high = (
                best / end if end else 1.0 for best, end in zip(mse_range(seen, self.bits), extremes, strict=True)
            )
            self._shares = low, high

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any]) -> Any:
        """The rounded activation; measures it first while training or observing."""
        del weights
        if (training or self._seen is not None) and self.known is None:
            self._measure(inputs)
        return self.rounded(inputs, self.low, self.high)

    def rounded(self, values: Any, low: Any, high: Any) -> Any:
        """Values on the grid of a range."""
        return _rounded(values, low, tf.maximum(high, low + _SMALLEST_SPAN), self.bits, symmetric=self.bits == 16)

    def _measure(self, values: Any) -> None:
        low, high = tf.minimum(tf.reduce_min(values), 0.0), tf.maximum(tf.reduce_max(values), 0.0)
        if self._seen is not None and np.isfinite((float(low), float(high))).all():
            self._seen.add(values.numpy().reshape(-1), float(low), float(high))
        if self.widest:
            self._lowest.assign(tf.minimum(self._lowest, low))
            self._highest.assign(tf.maximum(self._highest, high))
            return
        old = tf.minimum(_MOMENTUM, self._batches / (self._batches + 1.0))
        self._batches.assign_add(1.0)
        self._lowest.assign(old * self._lowest + (1.0 - old) * low)
        self._highest.assign(old * self._highest + (1.0 - old) * high)

    def get_config(self) -> dict[str, Any]:
        """None: the wrapped model is never saved."""
        return {}


class SameGrid(_TF_MOT.quantizers.Quantizer):  # type: ignore[misc,name-defined]
    """Rounds an activation to the grid of another one: average pooling keeps that of its input."""

    def __init__(self, source: Any) -> None:
        self.source = source

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Has no variables of its own."""
        del tensor_shape, name, layer
        return {}

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any]) -> Any:
        """The rounded activation."""
        del training, weights
        if inputs.dtype == tf.float64:
            return _averaged(inputs, self.source.low, self.source.high, self.source.bits)
        return self.source.rounded(inputs, self.source.low, self.source.high)

    def get_config(self) -> dict[str, Any]:
        """None: the wrapped model is never saved."""
        return {}


class FixedGrid(_TF_MOT.quantizers.Quantizer):  # type: ignore[misc,name-defined]
    """Rounds the output of softmax, sigmoid or tanh to the grid that its integer kernel has.

    8 bits: steps of 1/256 from 0, of 1/128 from -1. 16 bits: 1/32768 from -1.
    """

    def __init__(self, bits: int, kind: str) -> None:
        steps = 32768 if bits == 16 else 256 if kind == "positive" else 128
        self.bits = bits
        self.step = 1 / steps
        self.low = 0.0 if bits == 8 and kind == "positive" else -1.0
        self.high = self.low + (2**bits - 1) * self.step

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Needs no variables."""
        del tensor_shape, name, layer
        return {}

    def __call__(self, inputs: Any, training: bool, weights: dict[str, Any]) -> Any:
        """The rounded activation."""
        del training, weights
        return self.rounded(inputs, self.low, self.high)

    def rounded(self, values: Any, low: float, high: float) -> Any:
        """Values on the grid."""
        low, high = tf.constant(low, values.dtype), tf.constant(high, values.dtype)
        return _rounded(values, low, high, self.bits, symmetric=False)

    def get_config(self) -> dict[str, Any]:
        """None: the wrapped model is never saved."""
        return {}


def _constant(value: float) -> Any:
    return tf.constant_initializer(value)


class LayerQuantization(_TF_MOT.QuantizeConfig):  # type: ignore[misc,name-defined]
    """What a TF-MOT wrapper rounds of one layer: its kernel, its output, or both.

    Args:
        attribute: the layer's attribute that holds its kernel; empty for none.
        kernel: rounds it.
        output: rounds the output, after the layer's own activation.
    """

    def __init__(self, attribute: str, kernel: Any, output: Any) -> None:
        self._attribute = attribute
        self._kernel = kernel
        self._output = output

    def get_weights_and_quantizers(self, layer: Any) -> list[Any]:
        """The kernel."""
        return [(getattr(layer, self._attribute), self._kernel)] if self._attribute else []

    def get_activations_and_quantizers(self, layer: Any) -> list[Any]:
        """None: a fused activation has no rounding before it."""
        del layer
        return []

    def set_quantize_weights(self, layer: Any, quantize_weights: Sequence[Any]) -> None:
        """Gives the layer the rounded kernel to compute with."""
        if self._attribute:
            setattr(layer, self._attribute, quantize_weights[0])

    def set_quantize_activations(self, layer: Any, quantize_activations: Sequence[Any]) -> None:
        """Nothing to set."""
        del layer, quantize_activations  # AutoGraph, which compiles this, warns of a body without a statement

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """That of the output."""
        del layer
        return [self._output] if self._output else []

    def get_config(self) -> dict[str, Any]:
        """None: the wrapped model is never saved."""
        return {}


class QuantizedLayer(_TF_MOT.QuantizeWrapperV2):  # type: ignore[misc,name-defined]
    """TF-MOT's wrapper, which also obeys `trainable = False`: TF-MOT's own trains the kernel all the same."""

    @property
    def trainable_weights(self) -> list[Any]:
        """None of a frozen layer."""
        return list(super().trainable_weights) if self.layer.trainable else []

    @property
    def non_trainable_weights(self) -> list[Any]:
        """All of a frozen layer."""
        found = list(super().non_trainable_weights)
        return found if self.layer.trainable else self._dedup_weights([*super().trainable_weights, *found])


def input_layer() -> Any:
    """TF-MOT's layer that rounds a model's input."""
    from tensorflow_model_optimization.python.core.quantization.keras.quantize_layer import QuantizeLayer

    return QuantizeLayer

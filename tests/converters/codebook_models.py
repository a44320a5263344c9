"""Small tf_keras models whose kernels are integers of a codebook times known scales."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from converters import calibration, tflite
from converters.conversion import Calibrating
from converters.keras_models.kernels import Kernel, kernels
from converters.keras_models.tracing import freeze_keras
from converters.spec import ConversionSpec
from converters.weight_scales import apply

CODEBOOK = np.array([-127, -99, -74, -51, -33, -20, -9, -3, 0, 2, 8, 17, 31, 52, 88, 121])


@dataclass(frozen=True)
class Codebooks:
    """A model with its integers.

    Attributes:
        model: a tf_keras model of one input, `image`.
        integers: kernel name -> integers in Keras layout.
        scales: kernel name -> float32 scales that broadcast against them.
        samples: what it is calibrated on and run with.
        float_file: its float `.tflite`.
        ranges: measured on the samples.
    """

    model: Any
    integers: dict[str, np.ndarray]
    scales: dict[str, np.ndarray]
    samples: np.ndarray
    float_file: bytes
    ranges: dict[str, tuple[float, float]]

    def quantized(self, spec: ConversionSpec, scales: dict[str, np.ndarray] | None = None) -> bytes:
        """An integer file with these weight scales (the model's own by default), as `convert` makes it."""
        integers = tflite.quantize(self.float_file, self.ranges, spec)
        plain = Calibrating(weight_scales=self.scales if scales is None else scales).as_plain()
        return tflite.finish(apply(integers, self.float_file, plain["weight_scales"]))


def on_codebook(
    model: Any, *, dense_per_unit: bool = False, equal: tuple[str, ...] = (), zero_channel: bool = False
) -> Codebooks:
    """Puts every kernel of a model on the codebook, in place, and makes its float file.

    The first channel of each kernel has none of the large entries, so that measured scales would differ.

    Args:
        model: a tf_keras model of one input, `image`.
        dense_per_unit: whether Dense kernels have a scale for each unit.
        equal: layers that get the weights of the first of them.
        zero_channel: whether channel 1 of each kernel is all zeros.
    """
    generator = np.random.default_rng(0)
    integers, scales = {}, {}
    for kernel in kernels(model):
        integers[kernel.name], scales[kernel.name] = _draw(kernel, generator, dense_per_unit)
        if zero_channel:
            integers[kernel.name][..., 1] = 0
        kernel.variable.assign(integers[kernel.name] * scales[kernel.name])
        bias = getattr(model.get_layer(kernel.layer), "bias", None)
        if bias is not None:
            bias.assign(generator.normal(size=bias.shape) * 0.2)
    for name in equal[1:]:
        model.get_layer(name).set_weights(model.get_layer(equal[0]).get_weights())
    samples = generator.random((24, *model.input_shape[1:])).astype(model.inputs[0].dtype.name)
    float_file = tflite.float_file(freeze_keras(model, unroll=True), for_integers=True)
    return Codebooks(model, integers, scales, samples, float_file, calibration.collect(float_file, {"image": samples}))


def _draw(kernel: Kernel, generator: np.random.Generator, dense_per_unit: bool) -> tuple[np.ndarray, np.ndarray]:
    shape = kernel.scale_shape(False if dense_per_unit else None)
    fan_in = max(1, int(np.prod(kernel.shape)) // int(np.prod(kernel.scale_shape(False))))
    scales = (generator.uniform(0.5, 2.0, shape) * 1.5 / (60 * np.sqrt(fan_in))).astype(np.float32)
    integers = generator.choice(CODEBOOK, kernel.shape)
    first = tuple(0 if axis in kernel.channel_axes else slice(None) for axis in range(len(kernel.shape)))
    integers[first] = generator.choice(CODEBOOK[4:12], integers[first].shape)
    return integers, scales


def every_kind_of_layer() -> Any:
    """Conv2D, depthwise with a multiplier, 1x1, transposed, one-dimensional and Dense layers side by side.

    Each is an output of its own, of its layer's name, so that a rounding of one is not the input of the next.
    """
    import tf_keras as keras

    layers = keras.layers
    image = keras.Input((6, 6, 4), name="image")
    flat = layers.Flatten(name="flatten")(image)
    outputs = [
        layers.Conv2D(6, 3, padding="same", activation="relu", name="conv")(image),
        layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise")(image),
        layers.Conv2D(5, 1, name="pointwise")(image),
        layers.Conv2DTranspose(5, 3, strides=2, padding="same", name="transposed")(image),
        layers.Conv1D(6, 3, activation="relu", name="temporal")(layers.Reshape((12, 12), name="rows")(image)),
        layers.Dense(7, activation="relu", name="hidden")(flat),
        layers.Dense(3, use_bias=False, name="scores")(flat),
    ]
    return keras.Model(image, outputs)

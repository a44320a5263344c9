"""Whether calibration data is on the scale that a model was trained on: the commonest silent failure.

A trained model remembers its data. Batch normalization keeps the mean and variance that its input had in training, so
on data of the right scale its output has, per channel, a mean near beta and a standard deviation near |gamma|; images
of 0..1 given to a model of 0..255 make that deviation 255 times too small, in every channel alike. And a rescaling
that stands before everything else (`Rescaling(1/255)`) says which numbers it is made for.

Only what cannot be otherwise is an error. The limits follow from the moving averages themselves (new = momentum * old
+ (1 - momentum) * batch, from mean 0 and variance 1): after one step at momentum 0.999 the deviation seems
1 / sqrt(0.001) = 32 times too large on correct data, so `_TOO_LARGE` lies above; and it seems too small on correct
data only while the initial 1 dominates every channel's variance, which then hardly differ (`_is_trained`).
A model without batch normalization and without rescaling tells nothing, and is asked nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.calibration_data import Range
from converters.errors import DataError
from converters.graph_prefix import affine_start, outputs_until

Array = npt.NDArray[Any]

# Median over the channels of (measured deviation / |gamma|); correct data gave 0.9 to 1.2, 0..1 images 0.004, -1..1
# images 0.008, standardized ones 0.015, images with a quarter of the light 0.27 (MLPerf Tiny ResNet-8 and DS-CNN).
_TOO_SMALL, _TOO_LARGE = 1 / 20, 100.0
_UNUSUAL_SMALL, _UNUSUAL_LARGE = 1 / 5, 5.0
# Median over the channels of |measured mean - beta| / |gamma|; correct data gave 0.02 to 0.08.
_UNUSUAL_SHIFT = 3.0
_FEWEST_CHANNELS = 4
_FEWEST_VALUES = 64
_SAMPLES = 32
# A scale of 1/255 .. 1/127.5 at the front is meant for bytes (Keras: Rescaling(1/255), Rescaling(1/127.5, -1)).
_BYTE_SCALES = (1 / 256 * 0.99, 1 / 127.5 * 1.01)


@dataclass(frozen=True)
class Normalization:
    """What a batch normalization learned, per channel (float [channels]).

    Attributes:
        gamma: scale of its output.
        beta: mean of its output.
        mean: moving mean of its input.
        variance: moving variance of its input.
    """

    gamma: Array
    beta: Array
    mean: Array
    variance: Array


def normalizations_of(model: Any) -> dict[str, Normalization]:
    """The batch normalizations of a model of either Keras, over the last axis, by layer name, in the model's order."""
    found: dict[str, Normalization] = {}
    for layer in _layers(model):
        if type(layer).__name__ != "BatchNormalization" or not getattr(layer, "built", False):
            continue
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        axis = layer.axis[-1] if isinstance(layer.axis, (list, tuple)) else layer.axis
        shape = getattr(layer, "input_shape", None)
        if axis != -1 and not (isinstance(shape, tuple) and axis == len(shape) - 1) and axis not in (3, 1):
            continue
        gamma = np.ones_like(mean) if layer.gamma is None else np.asarray(layer.gamma)
        beta = np.zeros_like(mean) if layer.beta is None else np.asarray(layer.beta)
        found[layer.name] = Normalization(gamma=gamma, beta=beta, mean=mean, variance=variance)
    return found

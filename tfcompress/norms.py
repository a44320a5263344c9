"""Batch normalization's averages taken anew, from training batches and weights as they are. Imports TensorFlow.

While codewords are few, each training step moves some weights by a whole codeword, and moving averages lag behind: they
are those of weights that are gone. Averages over some batches with the final weights cost seconds (Nagel et al. 2022,
"Overcoming Oscillations in Quantization-Aware Training", arXiv:2203.11086, section 4, "batch-norm re-estimation").
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from tfcompress import fitting, selection
from tfcompress.task import Task

# ResNet-8's validation accuracy changes by less than 0.1 points after half as many.
_BATCHES, _SIZE = 40, 256


def refresh(model: Any, task: Task, *, freeze: Sequence[str], seed: int) -> None:
    """Sets the moving averages of a model's batch normalizations, in place.

    Args:
        model: a tf_keras model without wrappers.
        task: its training samples, augmented, are what is averaged over.
        freeze: layers that stay as they are; names or patterns.
        seed: of the order of the samples.
    """
    layers = [layer for layer in model.layers if isinstance(layer, tf_keras.layers.BatchNormalization)]
    norms = [layer for layer in layers if not selection.matches(layer.name, freeze)]
    kept = [(layer, layer.get_weights()) for layer in layers if layer not in norms]
    if not norms:
        return
    before = [layer.momentum for layer in norms]
    try:
        with fitting.seeded(seed, 0):
            batches = fitting.floats(task.training_batches(0, size=_SIZE, seed=seed))
            for number, (x, _) in enumerate(itertools.islice(batches, _BATCHES)):
                for layer in norms:
                    layer.momentum = number / (number + 1.0)
                samples = tf.nest.map_structure(tf.convert_to_tensor, x)
                model(task.augment(samples) if task.augment else samples, training=True)
    finally:
        for layer, momentum in zip(norms, before, strict=True):
            layer.momentum = momentum
        for layer, weights in kept:
            layer.set_weights(weights)

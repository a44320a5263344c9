"""Training towards the outputs of the model as it came, beside the labels. Imports TensorFlow.

    loss = (1 - share) loss(labels) + share T^2 KL(softmax(z_teacher / T) || softmax(z / T))

z are the logits; T^2 keeps the size of the gradients. Hinton, Vinyals, Dean 2015, "Distilling the Knowledge in a Neural
Network", arXiv:1503.02531, section 2. A teacher of the same network and more precise weights is that of Mishra and Marr
2018, "Apprentice", arXiv:1711.05852.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from converters.errors import UsageError
from converters.keras_models.folding import fold_batch_norm
from tfcompress import fitting
from tfcompress.task import Task

# The logarithm of a probability of 0; float32 has nothing smaller but denormal numbers.
_SMALLEST = 1e-30


class Distillation:
    """A teacher and how much it counts.

    Args:
        teacher: the model as it came; only read.
        task: which says what its outputs are.
        share: of the loss, 0 to 1.
        temperature: T.

    Raises:
        UsageError: the outputs are no classes.
    """

    def __init__(self, teacher: Any, task: Task, share: float, temperature: float) -> None:
        self._outputs = outputs_of(task, teacher)
        # Without batch normalization it is some faster, and its outputs are the same.
        self._teacher = fold_batch_norm(teacher).model
        self._share, self._temperature = share, temperature

    def loss(self, x: Any, outputs: Any, loss: Any) -> Any:
        """What to train on, in place of the loss of these outputs."""
        taught = tf.stop_gradient(self._logarithms(self._teacher(x, training=False)))
        learned = self._logarithms(outputs)
        divergence = tf.reduce_sum(tf.exp(taught) * (taught - learned), -1)
        return (1.0 - self._share) * loss + self._share * self._temperature**2 * tf.reduce_mean(divergence)

    def _logarithms(self, outputs: Any) -> Any:
        """Logarithms of the classes' probabilities at this temperature; a last axis of two for yes or no."""
        outputs = tf.cast(outputs, tf.float32)
        if self._outputs == "softmax":
            outputs = tf.math.log(tf.maximum(outputs, _SMALLEST))
        elif self._outputs == "sigmoid":
            both = tf.stack([outputs, 1.0 - outputs], -1)
            outputs = tf.math.log(tf.maximum(both, _SMALLEST))
        return tf.nn.log_softmax(outputs / self._temperature, -1)


def outputs_of(task: Task, model: Any) -> str:
    """What the outputs of a classifier are: `softmax`, `sigmoid`, or `logits` of a softmax.

    Raises:
        UsageError: they are no classes.
    """
    activation = fitting.last_activation(model)
    if activation in ("softmax", "sigmoid"):
        return activation
    loss = fitting.loss_of(task, model)
    if "Categorical" in type(loss).__name__ and loss.get_config().get("from_logits"):
        return "logits"
    raise UsageError(
        f"distill needs a classifier, and this model ends in {activation or 'no activation'} without a loss that takes "
        "logits; leave distill out, or end the model in softmax or sigmoid"
    )

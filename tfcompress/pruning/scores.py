"""How important the grains of a kernel are.

- l1, l2: mean absolute, mean squared weight. (For single weights the order is the same.)
- taylor: how much the loss changes, to first order, when the grain is set to zero: the mean over small batches of
  (sum of gradient x weight)^2 (Molchanov et al., "Importance estimation for neural network pruning", CVPR 2019,
  arXiv:1906.10771, equation 8). Gradients have no use beyond the batch: a trained model's mean gradient is zero.
- random: a draw; the baseline that every criterion must beat.

The scores of a kernel are float64 [grains]; larger is more important.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from converters.keras_models.kernels import kernels
from tfcompress.pruning.grains import Part
from tfcompress.training import Trainer

Array = npt.NDArray[Any]
Criterion = Literal["l1", "l2", "taylor", "random"]
Scores = dict[str, Array]

_TAYLOR_BATCH = 32  # small: squares of large batches' gradients vanish


def weights_of(model: Any, parts: Sequence[Part]) -> dict[str, Array]:
    """The kernels of a plain model, by name."""
    found = {kernel.name: kernel.variable for kernel in kernels(model)}
    return {part.name: found[part.name].numpy() for part in parts}


def score(criterion: Criterion, model: Any, parts: Sequence[Part], trainer: Trainer, samples: int) -> Scores:
    """The importance of every grain of a plain model.

    Args:
        criterion: which one.
        model: a functional tf_keras model without wrappers.
        parts: its kernels.
        trainer: data and loss of `taylor`, seed of `random`.
        samples: training samples for `taylor`.
    """
    if criterion == "taylor":
        variables = {kernel.name: kernel.variable for kernel in kernels(model)}
        return taylor(model, variables, parts, trainer, samples)
    if criterion == "random":
        return drawn(parts, trainer.seed)
    return {
        name: magnitude(criterion, part, weights)
        for part, (name, weights) in zip(parts, weights_of(model, parts).items(), strict=True)
    }


def magnitude(criterion: Literal["l1", "l2"], part: Part, weights: Array) -> Array:
    """Mean absolute or mean squared weight of each grain."""
    return part.averaged(np.abs(weights) if criterion == "l1" else np.square(weights, dtype=np.float64))


def energies(model: Any, parts: Sequence[Part]) -> Scores:
    """Sum of squared weights of each grain."""
    weights = weights_of(model, parts)
    return {part.name: part.summed(np.square(weights[part.name], dtype=np.float64)) for part in parts}


def drawn(parts: Sequence[Part], seed: int) -> Scores:
    """Random scores; a seed always gives the same."""
    return {
        part.name: np.random.default_rng((seed, number)).random(len(part.sizes)) for number, part in enumerate(parts)
    }


def taylor(
    model: Any, variables: Mapping[str, Any], parts: Sequence[Part], trainer: Trainer, samples: int
) -> Scores:
    """The Taylor scores on the first `samples` of the shuffled training data.

    Args:
        model: the model; wrappers are welcome.
        variables: kernel name -> variable in it.
        parts: the kernels.
        trainer: data and loss.
        samples: how many training samples.
    """
    import tensorflow as tf

    from tfcompress import fitting

    loss = fitting.loss_of(trainer.task, model)
    found = [variables[part.name] for part in parts]
    sums = [np.zeros(len(part.sizes)) for part in parts]

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def contributions(x: Any, y: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(found)
            value = loss_function(y, model(x, training=False))
        gradients = tape.gradient(value, found, unconnected_gradients="zero")
        return [tf.convert_to_tensor(one) * weight for one, weight in zip(gradients, found, strict=True)]

    loss_function = _mean_of(loss)
    seen = 0
    for x, y in fitting.floats(trainer.task.training_batches(0, size=_TAYLOR_BATCH, seed=trainer.seed)):
        inputs = tf.nest.map_structure(tf.convert_to_tensor, x)
        for total, part, one in zip(sums, parts, contributions(inputs, tf.convert_to_tensor(y)), strict=True):
            total += np.square(part.summed(one.numpy()))
        seen += len(y)
        if seen >= samples:
            break
    return {part.name: total / part.sizes for part, total in zip(parts, sums, strict=True)}


def _mean_of(loss: Any) -> Any:
    """A loss by name, as a function, or as an object: the mean over a batch either way."""
    import tensorflow as tf
    import tf_keras

    given = tf_keras.losses.get(loss)
    return lambda labels, outputs: tf.reduce_mean(given(labels, outputs))

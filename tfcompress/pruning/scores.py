"""How important the grains of a kernel are.

- l1, l2: mean absolute, mean squared weight. (For single weights the order is the same.)
- taylor: how much the loss changes, to first order, when the grain is set to zero: the mean over small batches of
  (sum of gradient x weight)^2 (Molchanov et al., "Importance estimation for neural network pruning", CVPR 2019,
  arXiv:1906.10771, equation 8). Gradients have no use beyond the batch: a trained model's mean gradient is zero.
- random: a draw; the baseline that every criterion must beat.

The scores of a kernel are float64 [grains]; larger is more important.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        return taylor(model, variables, parts, trainer, samples)()
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
) -> Callable[[], Scores]:
    """Measures the Taylor scores of the model as it then is, on the first samples of the shuffled training data.

    Args:
        model: the model; wrappers are welcome.
        variables: kernel name -> variable in it.
        parts: the kernels.
        trainer: data and loss.
        samples: how many training samples.
    """
    from tfcompress import fitting

    contributions = _contributions(
        model, [variables[part.name] for part in parts], fitting.loss_of(trainer.task, model)
    )

    def measure() -> Scores:
        sums = [np.zeros(len(part.sizes)) for part in parts]
        seen = 0
        for x, y in fitting.floats(trainer.task.training_batches(0, size=_TAYLOR_BATCH, seed=trainer.seed)):
            for total, part, one in zip(sums, parts, contributions(x, y), strict=True):
                total += np.square(part.summed(one))
            seen += len(y)
            if seen >= samples:
                break
        return {part.name: total / part.sizes for part, total in zip(parts, sums, strict=True)}

    return measure


def _contributions(model: Any, kernels: Sequence[Any], loss: Any) -> Callable[[Any, Any], list[Array]]:
    """A function of a batch: gradient x weight of each kernel."""
    import tensorflow as tf
    import tf_keras

    loss_of = tf_keras.losses.get(loss)  # by name, a function, or an object

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def contributions(x: Any, y: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            value = tf.reduce_mean(loss_of(y, model(x, training=False)))
        gradients = tape.gradient(value, kernels, unconnected_gradients="zero")
        return [tf.convert_to_tensor(one) * weight for one, weight in zip(gradients, kernels, strict=True)]

    def in_numpy(x: Any, y: Any) -> list[Array]:
        inputs, labels = tf.nest.map_structure(tf.convert_to_tensor, (x, y))
        return [one.numpy() for one in contributions(inputs, labels)]

    return in_numpy

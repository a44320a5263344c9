"""Pruning while training: TF-MOT's wrapper, schedules and step callback, on every kernel that this toolkit knows.

TF-MOT chooses where it can: single weights by magnitude, and N:M groups of Conv2D and Dense. For the rest (blocks,
Taylor, random, kernels that it has no layout for) its `Pruning` object is replaced by one that chooses by `grains`;
wrapper, variables, schedule and the moment of each update stay TF-MOT's.

Schedule: Zhu and Gupta, "To prune, or not to prune", 2017, arXiv:1710.01878.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.keras_models.bridge import layers
from converters.keras_models.bridge.kinds import TF_KERAS
from converters.keras_models.kernels import kernels
from converters.keras_models.rebuilding import Stage, clone, rebuild
from converters.keras_models.tf_mot import tf_mot
from tfcompress.pruning.grains import Part

Array = npt.NDArray[Any]
Choose = Callable[[Part, Array, float], Array]
"""(kernel, its weights, sparsity) -> mask."""


@dataclass(frozen=True)
class Timing:
    """When masks are updated, in training steps, counted from 1.

    Attributes:
        begin: first update.
        end: last update, at the full sparsity.
        frequency: steps from one update to the next; divides end - begin.
    """

    begin: int
    end: int
    frequency: int

    def is_turn(self, step: int) -> bool:
        """Whether masks are updated in a step."""
        return self.begin <= step <= self.end and (step - self.begin) % self.frequency == 0


def timing(steps: int, *, begin: float, end: float, frequency: float) -> Timing:
    """Shares of a training in steps, so that its last update is exactly at the end.

    TF-MOT's own schedule misses its target where the frequency does not divide the duration.

    Args:
        steps: steps of the training.
        begin: share of them before the first update.
        end: share of them before the last one.
        frequency: share of them between two.
    """
    first = min(max(1, round(begin * steps)), max(1, steps - 1))
    duration = max(1, min(steps, round(end * steps)) - first)
    updates = max(1, round((end - begin) / frequency))
    interval = max(1, duration // updates)
    return Timing(first, first + duration // interval * interval, interval)


@dataclass(frozen=True)
class Wrapped:
    """A model in TF-MOT's wrappers.

    Attributes:
        model: the model to train.
        wrappers: kernel name -> wrapper.
        variables: kernel name -> the kernel's variable, of every kernel of the model.
    """

    model: Any
    wrappers: Mapping[str, Any]
    variables: Mapping[str, Any]


def wrap(
    model: Any, parts: Sequence[Part], schedules: Mapping[str, Any], choose: Mapping[str, Choose], zeros: int
) -> Wrapped:
    """A copy of a model whose kernels are pruned while it is trained.

    Args:
        model: a plain functional tf_keras model; unchanged.
        parts: kernels to prune.
        schedules: kernel name -> TF-MOT schedule.
        choose: kernel name -> what chooses its mask; TF-MOT itself where there is none.
        zeros: N of N:M: zeros in each group; 0 without groups.
    """
    prune = tf_mot().sparsity.keras.prune_low_magnitude
    wrappers = {}
    for part in parts:
        layer = model.get_layer(part.kernel.layer)
        copied = layers.create(layer, layer.name, TF_KERAS)
        copied.get_prunable_weights = _getter(copied, part.kernel.attribute)
        pattern = (zeros, part.groups.shape[1]) if part.groups is not None else None
        wrappers[part.name] = prune(copied, pruning_schedule=schedules[part.name], sparsity_m_by_n=pattern)
    replaced = {
        part.kernel.layer: (Stage(wrappers[part.name], tuple(model.get_layer(part.kernel.layer).get_weights())),)
        for part in parts
    }
    wrapped = rebuild(model, replaced)
    for part in parts:
        _set_pruning(wrappers[part.name], part, choose.get(part.name))
    return Wrapped(wrapped, wrappers, _variables(wrapped, wrappers))


def masks(wrapped: Wrapped) -> dict[str, Array]:
    """The masks as training left them: kernel name -> bool; False for a weight that is zero."""
    return {name: np.asarray(wrapper.pruning_vars[0][1]) != 0 for name, wrapper in wrapped.wrappers.items()}


def unwrapped(wrapped: Wrapped, model: Any) -> Any:
    """A copy of the plain model with the trained weights."""
    bare = {id(wrapper): wrapper.layer.name for wrapper in wrapped.wrappers.values()}
    trained = {bare.get(id(layer), layer.name): layer for layer in wrapped.model.layers}
    plain = clone(model)
    for layer in plain.layers:
        layer.set_weights(trained[layer.name].get_weights())
    return plain


def schedule(sparsity: float, initial: float, power: float, when: Timing, kind: str) -> Any:
    """TF-MOT's schedule for one kernel: `constant`, or `polynomial` from `initial` to `sparsity`."""
    sparse = tf_mot().sparsity.keras
    if kind == "constant":
        return sparse.ConstantSparsity(sparsity, when.begin, when.end, when.frequency)
    return sparse.PolynomialDecay(min(initial, sparsity), sparsity, when.begin, when.end, power, when.frequency)


def step_callback() -> Any:
    """What TF-MOT's wrappers need while they are trained."""
    return tf_mot().sparsity.keras.UpdatePruningStep()


def refresh_callback(when: Timing, refresh: Callable[[], None]) -> Any:
    """Calls `refresh` right before each update of the masks; for scores that need gradients."""
    import tf_keras

    class Refresh(tf_keras.callbacks.Callback):  # type: ignore[misc]
        """Counts steps; a training that goes on after an interruption starts at a whole epoch."""

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._first = epoch * self.params["steps"] + 1

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            if when.is_turn(self._first + batch):
                refresh()

    return Refresh()


def _getter(layer: Any, attribute: str) -> Callable[[], list[Any]]:
    return lambda: [getattr(layer, attribute)]


def _set_pruning(wrapper: Any, part: Part, choose: Choose | None) -> None:
    # A layer that the model calls twice counts each training step twice.
    calls = len(wrapper._inbound_nodes)
    wrapper.pruning_obj = _pruning_type()(
        lambda: wrapper.pruning_step // calls,
        wrapper.pruning_vars,
        wrapper.pruning_schedule,
        wrapper.block_size,
        wrapper.block_pooling_type,
        wrapper.sparsity_m_by_n,
    )
    wrapper.pruning_obj.choose = None if choose is None else (part, choose)


def _pruning_type() -> Any:
    tf_mot()
    import tensorflow as tf
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

    class Chosen(pruning_impl.Pruning):  # type: ignore[misc]
        """TF-MOT's pruning, with another choice of what to lose."""

        choose: tuple[Part, Choose] | None = None

        def _maybe_update_block_mask(self, weights: Any) -> tuple[Any, Any]:
            if self.choose is None:
                return super()._maybe_update_block_mask(weights)  # type: ignore[no-any-return]
            part, choose = self.choose
            sparsity = self._pruning_schedule(self._step_fn())[1]

            def mask(array: Array, share: Array) -> Array:
                return choose(part, array, float(share)).astype(array.dtype)

            found = tf.numpy_function(mask, [weights, sparsity], weights.dtype)
            found.set_shape(weights.shape)
            return tf.zeros([], weights.dtype), found

    return Chosen


def _variables(model: Any, wrappers: Mapping[str, Any]) -> dict[str, Any]:
    inside = {id(wrapper): wrapper.layer for wrapper in wrappers.values()}
    bare = SimpleNamespace(layers=[inside.get(id(layer), layer) for layer in model.layers])
    return {kernel.name: kernel.variable for kernel in kernels(bare)}

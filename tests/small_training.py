"""A model and a task on which an epoch takes no time: 6 features, 3 classes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import tf_keras

from tfcompress.task import Task


def small_model(units: int = 3, activation: str | None = "softmax", *, hidden: int = 8, middle: Any = None) -> Any:
    """Dense "hidden" and Dense "scores", the same weights each time; `middle` is a layer between them."""
    tf_keras.utils.set_random_seed(0)
    x = inputs = tf_keras.layers.Input((6,), name="features")
    x = tf_keras.layers.Dense(hidden, activation="relu", name="hidden")(x)
    x = middle(x) if middle else x
    return tf_keras.Model(inputs, tf_keras.layers.Dense(units, activation=activation, name="scores")(x))


def some_task(**fields: Any) -> Task:
    """80, 20 and 20 samples, whose features tell the class; `fields` replace those of the task."""
    draws = np.random.default_rng(0)
    y = draws.integers(0, 3, 120)
    x = draws.normal(size=(120, 6)).astype(np.float32) + y[:, None]
    made = Task(x_train=x[:80], y_train=y[:80], x_val=x[80:100], y_val=y[80:100], x_test=x[100:], y_test=y[100:])
    return dataclasses.replace(made, **fields)

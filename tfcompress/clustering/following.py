"""What codebooks are told while they are trained: the factors of a norm behind a Dense layer, and how few bits to use.

A file has one scale for a whole Dense kernel, and folding batch normalization multiplies each of its channels by a
factor of its own. So while a normalization behind a Dense layer is still there, the scales of the channels are one
number over these factors, which change in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tf_keras

from converters.keras_models.simplify import fold_batch_norm
from tfcompress.clustering.moving import MovingCodebook
from tfcompress.clustering.rate import Rate
from tfcompress.invariants import Array

# Looking means to rebuild the model. The learning rate falls to 0, so that little changes after the last look.
_LOOKS = 24
# Training steps between two looks for better codewords.
_RENEWED_EVERY = 50


class Following(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Tells codebooks now and then what factors their channels will be folded with."""

    def __init__(self, model: Any, codebooks: Mapping[str, MovingCodebook]) -> None:
        super().__init__()
        self._twin = model
        self._tied = {name: codebook for name, codebook in codebooks.items() if codebook.tie.value.size}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Looks at the start of each epoch and some times in it."""
        every = max(self.params["steps"] * self.params["epochs"] // _LOOKS, 1)
        if self._tied and batch % every == 0:
            self.look()

    def look(self) -> None:
        """Tells them now."""
        factors = fold_batch_norm(self._twin).factors if self._tied else {}
        for name, codebook in self._tied.items():
            codebook.follow(inverted(factors[name]))


def inverted(factors: Array) -> Array:
    """One over the factors; a dead channel, whose factor is 0, gets what is usual for the others."""
    alive = np.abs(factors[factors != 0])
    usual = float(np.median(alive)) if alive.size else 1.0
    return 1.0 / np.where(factors == 0, usual, factors).astype(np.float64)


class Falling(tf_keras.callbacks.Callback):  # type: ignore[misc]
    """Lowers what is wanted of a rate, step by step."""

    def __init__(self, rate: Rate, start: float) -> None:
        super().__init__()
        self._rate, self._start, self._epoch = rate, start, 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Notes the epoch, which may not be the first one."""
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Tells what is wanted now."""
        steps, epochs = self.params["steps"], self.params["epochs"]
        share = (self._epoch * steps + batch) / (steps * epochs)
        self._rate.want(self._start, share, renews=batch % _RENEWED_EVERY == 0)

"""TF-MOT, imported without its side effect.

Importing it sets TF_USE_LEGACY_KERAS for the whole process (tensorflow_model_optimization/python/core/keras/compat.py),
and with it which Keras `tf.keras` is from then on. TF-MOT itself has decided by then, so the variable is put back.
"""

from __future__ import annotations

import os
from typing import Any

_VARIABLE = "TF_USE_LEGACY_KERAS"


def tf_mot() -> Any:
    """The module `tensorflow_model_optimization`, which works with tf_keras."""
    before = os.environ.get(_VARIABLE)
    try:
        import tensorflow_model_optimization
    finally:
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before
    return tensorflow_model_optimization

"""Makes Keras models small and fast for TFLite on microcontrollers and phones, and proves it.

result = tfcompress.convert(model, calibration=x_train[:200])
result.flatbuffer.save("model.tflite")

outcome = tfcompress.compress(model, "deep", task, output="compressed")
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import converters

if TYPE_CHECKING:
    from converters.keras_models.bridge import to_keras, to_tf_keras
    from tfcompress.compression import compress, plan
    from tfcompress.conversion import convert
    from tfcompress.data.audio import AudioFrontEnd, audio_features
    from tfcompress.evaluation import evaluate
    from tfcompress.recipe import Recipe
    from tfcompress.task import Task

if not (Path(converters.__file__ or "").parent / "conversion.py").is_file():
    raise ImportError(
        f"tfcompress needs its own package `converters`, but {converters.__file__} shadows it: rename that"
    )

__version__ = "0.1.0"
__all__ = [
    "AudioFrontEnd",
    "Recipe",
    "Task",
    "audio_features",
    "compress",
    "convert",
    "evaluate",
    "plan",
    "to_keras",
    "to_tf_keras",
]

_HOME = {
    "AudioFrontEnd": "tfcompress.data.audio",
    "audio_features": "tfcompress.data.audio",
    "Recipe": "tfcompress.recipe",
    "Task": "tfcompress.task",
    "compress": "tfcompress.compression",
    "plan": "tfcompress.compression",
    "convert": "tfcompress.conversion",
    "evaluate": "tfcompress.evaluation",
    "to_keras": "converters.keras_models.bridge",
    "to_tf_keras": "converters.keras_models.bridge",
}


def __getattr__(name: str) -> Any:
    # Imported at first use: `tfcompress --help` must not wait for NumPy.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'tfcompress' has no attribute {name!r}")

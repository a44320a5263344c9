"""The user's model, its tf_keras twin that techniques work on, and the way back.

twin = of(model).model          flat, simplified
model = back(twin, like=model)  in the user's Keras, with the user's layer names
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from converters.keras_models.simplify import Simplified


def of(model: Any) -> Simplified:
    """The twin, and what was done to its layers.

    Raises:
        ModelError: the model cannot cross to tf_keras.
    """
    from converters.keras_models.bridge import to_tf_keras
    from converters.keras_models.simplify import simplify

    return simplify(to_tf_keras(model))


def output_names(twin: Any, like: Any) -> dict[str, str]:
    """What the outputs of a twin are called in a file -> what those of the model `like`, in order, would be."""
    from converters.keras_models import tracing

    return dict(zip(tracing.output_names(twin), tracing.output_names(like), strict=True))


def back(twin: Any, *, like: Any) -> Any:
    """The model that techniques made of a twin, as the model `like` came.

    Raises:
        ModelError: it cannot cross to Keras 3.
    """
    from converters.keras_models.bridge import to_keras
    from converters.keras_models.bridge.kinds import TF_KERAS, kind_of
    from converters.keras_models.rejoining import rejoin

    rejoined = rejoin(twin, like)
    return rejoined if kind_of(like) is TF_KERAS else to_keras(rejoined)

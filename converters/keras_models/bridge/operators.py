"""What happens between layers, in one vocabulary: the names and arguments of the functions in `keras.ops`.

A Keras 3 operation node (`x * 2`, `keras.ops.mean(x)`), a TensorFlow function on a tf_keras tensor (`TFOpLambda`) and
an `Operator` layer all read as an `Operation`. In tf_keras an operation becomes a layer, never a TensorFlow function:
TF-MOT refuses to prune a model with a `TFOpLambda` in it, and its quantizer drops such a call's arguments.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tf_keras
from keras import ops

from converters.errors import BridgeError
from converters.keras_models.bridge import tf_functions
from converters.keras_models.bridge.kinds import Node
from converters.keras_models.bridge.structures import decode, encode

# Operation classes whose function is not called like the class in snake case.
_FUNCTION_NAMES = {
    "AllClose": "allclose",
    "BatchNorm": "batch_normalization",
    "HSVToRGB": "image.hsv_to_rgb",
    "IsIn": "isin",
    "LayerNorm": "layer_normalization",
    "RGBToGrayscale": "image.rgb_to_grayscale",
    "RGBToHSV": "image.rgb_to_hsv",
    "RMSNorm": "rms_normalization",
    "SearchSorted": "searchsorted",
}


@dataclass(frozen=True)
class Operation:
    """A call of the function `name` of `keras.ops` (`multiply`, `image.resize`) with these arguments."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def function_of(name: str) -> Callable[..., Any]:
    """The function of `keras.ops` called `name`.

    Raises:
        BridgeError: there is none.
    """
    place: Any = ops
    for part in name.split("."):
        place = None if part.startswith("_") else getattr(place, part, None)
    if not callable(place):
        raise BridgeError(f"keras.ops has no function {name!r} in this version of Keras ({keras.__version__})")
    return place  # type: ignore[no-any-return]


def read(node: Node) -> Operation | None:
    """The operation that a node of either Keras stands for; None where the node calls a layer.

    Raises:
        BridgeError: an operation that has no function in `keras.ops`.
    """
    layer = node.layer
    if isinstance(layer, Operator):
        given = list(node.args[0]) if isinstance(node.args[0], (list, tuple)) else [node.args[0]]
        return Operation(layer.operation, decode(layer.encoded["args"], given), decode(layer.encoded["kwargs"], given))
    if isinstance(layer, tf_keras.layers.Layer):
        found = tf_functions.read(node)
        return Operation(found[0], (), found[1]) if found else None
    return None if isinstance(layer, keras.layers.Layer) else _read_keras(node)


def _read_keras(node: Node) -> Operation:
    operation = node.layer
    class_name = type(operation).__name__
    name = _FUNCTION_NAMES.get(class_name, _snake_case(class_name))
    if type(operation).__module__.endswith(".image") and "." not in name:
        name = f"image.{name}"
    try:
        function = inspect.signature(function_of(name))
        settings = {key: value for key, value in operation.get_config().items() if key != "name"}
        call = inspect.signature(operation.call)
        if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in call.parameters.values()):
            arguments, kwargs = (*settings.values(), *node.args), dict(node.kwargs)
        else:
            arguments, kwargs = (), settings | call.bind(*node.args, **node.kwargs).arguments
        function.bind(*arguments, **kwargs)
    except (BridgeError, NotImplementedError, TypeError) as error:
        raise BridgeError(
            f"operation {operation.name!r} ({class_name}) cannot be read ({error}); "
            "use a function of keras.ops with constant settings, or a layer, in its place"
        ) from error
    return Operation(name, arguments, kwargs)


def _snake_case(class_name: str) -> str:
    # As Keras 3 does it (keras/src/utils/naming.py): LogSoftmax -> log_softmax, Relu6 -> relu6, RFFT -> rfft.
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


@tf_keras.saving.register_keras_serializable(package="tfcompress")
class Operator(tf_keras.layers.Layer):  # type: ignore[misc]
    """A tf_keras layer that calls one function of `keras.ops`; its constants are part of its configuration.

    Args:
        operation: name of the function in `keras.ops`.
        arguments: `{"args": ..., "kwargs": ...}` as `structures.encode` writes them.
        **settings: `name`, `dtype`, `trainable`, as every tf_keras layer takes them from its configuration.

    Call arguments:
        inputs: the tensor, or the list of tensors, that the arguments number.

    Raises:
        BridgeError: an operation that `keras.ops` does not have.
    """

    def __init__(self, operation: str, arguments: dict[str, Any], **settings: Any) -> None:
        # Constants and integer tensors must arrive as they are, as in Keras 3: no casting.
        super().__init__(**settings, autocast=False)
        self.operation = operation
        self._function = function_of(operation)
        self._text = json.dumps(arguments)  # text: tf_keras would wrap and track lists and dicts

    @property
    def encoded(self) -> dict[str, Any]:
        """The arguments, as given."""
        return dict(json.loads(self._text))

    def call(self, inputs: Any) -> Any:
        """Calls the function; tensors of any shape and type that it takes."""
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        encoded = self.encoded
        return self._function(*decode(encoded["args"], given), **decode(encoded["kwargs"], given))

    def compute_mask(self, inputs: Any, mask: Any = None) -> None:
        """None: a Keras 3 operation does not hand masks on either."""
        del inputs, mask

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs."""
        return dict(super().get_config()) | {"operation": self.operation, "arguments": self.encoded}

    def get_prunable_weights(self) -> list[Any]:
        """None of its constants is a weight: TF-MOT may prune the model around it."""
        return []


def operator_layer(operation: Operation, name: str, is_tensor: Callable[[Any], bool]) -> tuple[Operator, list[Any]]:
    """An `Operator` for `operation`, and the tensors to call it with.

    Raises:
        BridgeError: an argument that cannot be written down.
    """
    tensors: list[Any] = []

    def number(thing: Any) -> int | None:
        if not is_tensor(thing):
            return None
        tensors.append(thing)
        return len(tensors) - 1

    arguments = {"args": encode(operation.args, number), "kwargs": encode(operation.kwargs, number)}
    return Operator(operation.name, arguments, name=name), tensors

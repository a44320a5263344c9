"""What hangs on a layer (activations, initializers, regularizers, constraints), carried from one Keras to the other.

Activations cross by meaning, not by name: `hard_sigmoid` is relu6(x + 3) / 6 in Keras 3 and clip(0.2 x + 0.5, 0, 1) in
tf_keras, and a function that keeps its name would silently become the other one when TF-MOT clones the layer. What the
other side lacks is a function registered there under the package `tfcompress`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from converters.errors import BridgeError
from converters.keras_models.bridge.kinds import KERAS, TF_KERAS, Kind

Function = Callable[[Any], Any]


def hard_sigmoid(x: Any) -> Any:
    """Keras 3's: relu6(x + 3) / 6, in the form that TFLite's converter knows; any shape."""
    return tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


def hard_silu(x: Any) -> Any:
    """Keras 3's: x relu6(x + 3) / 6, in the form that TFLite's converter fuses to HARD_SWISH; any shape."""
    return x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


def hard_sigmoid_fifth(x: Any) -> Any:
    """The hard_sigmoid of tf_keras: clip(0.2 x + 0.5, 0, 1); any shape."""
    return keras.ops.clip(x * 0.2 + 0.5, 0.0, 1.0)


# Registered by a call: mypy --strict takes no untyped decorators.
for _function in (hard_sigmoid, hard_silu):
    tf_keras.saving.register_keras_serializable(package="tfcompress")(_function)
keras.saving.register_keras_serializable(package="tfcompress")(hard_sigmoid_fifth)


def _for_tf_keras(name: str) -> Function:
    # Keras 3's functions run on TensorFlow tensors too.
    function = getattr(keras.activations, name)

    def activation(x: Any) -> Any:
        return function(x)

    activation.__name__ = activation.__qualname__ = name
    registered: Function = tf_keras.saving.register_keras_serializable(package="tfcompress")(activation)
    return registered


_SAME = ("elu", "exponential", "gelu", "linear", "mish", "relu", "selu", "sigmoid", "softmax", "softplus", "softsign")
_ONLY_KERAS = (
    "celu",
    "glu",
    "hard_shrink",
    "hard_tanh",
    "log_sigmoid",
    "log_softmax",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
)

# Meaning -> (Keras 3's function, tf_keras's function). The names from tf.nn are what tf_keras itself resolves
# "relu6" and "leaky_relu" to, with Keras 3's slope (0.2).
ACTIVATIONS: Mapping[str, tuple[Function, Function]] = {
    **{name: (getattr(keras.activations, name), getattr(tf_keras.activations, name)) for name in (*_SAME, "tanh")},
    "silu": (keras.activations.silu, tf_keras.activations.swish),
    "relu6": (keras.activations.relu6, tf.nn.relu6),
    "leaky_relu": (keras.activations.leaky_relu, tf.nn.leaky_relu),
    "hard_sigmoid": (keras.activations.hard_sigmoid, hard_sigmoid),
    "hard_silu": (keras.activations.hard_silu, hard_silu),
    "hard_sigmoid_fifth": (hard_sigmoid_fifth, tf_keras.activations.hard_sigmoid),
    **{name: (getattr(keras.activations, name), _for_tf_keras(name)) for name in _ONLY_KERAS},
}

# The same functions as users also reach them. keras.ops.gelu is not among them: it approximates by default.
_ALIASES: Mapping[str, tuple[Function, ...]] = {
    "elu": (tf.nn.elu, keras.ops.elu),
    "exponential": (tf.exp, keras.ops.exp),
    "hard_sigmoid": (keras.ops.hard_sigmoid,),
    "hard_silu": (keras.ops.hard_silu,),
    "leaky_relu": (keras.ops.leaky_relu,),
    "log_softmax": (keras.ops.log_softmax, tf.nn.log_softmax),
    "relu": (tf.nn.relu, keras.ops.relu),
    "relu6": (keras.ops.relu6,),
    "selu": (tf.nn.selu, keras.ops.selu),
    "sigmoid": (tf.nn.sigmoid, keras.ops.sigmoid),
    "silu": (tf.nn.silu, keras.ops.silu),
    "softmax": (tf.nn.softmax, keras.ops.softmax),
    "softplus": (tf.nn.softplus, keras.ops.softplus),
    "softsign": (tf.nn.softsign, keras.ops.softsign),
    "tanh": (tf.nn.tanh, keras.ops.tanh),
}
_MEANING: Mapping[int, str] = {
    id(function): name
    for table in (_ALIASES, ACTIVATIONS)
    for name, functions in table.items()
    for function in functions
}


def activation(function: Any, target: Kind) -> Function:
    """The activation of `target` that computes what `function` computes.

    Raises:
        BridgeError: a function that is none of either Keras's.
    """
    name = "linear" if function is None else _MEANING.get(id(function))
    if name is None:
        raise BridgeError(
            f"its activation {getattr(function, '__name__', function)!r} is not one of Keras's own; "
            f"use one of {', '.join(sorted(ACTIVATIONS))}, or keras.ops between the layers"
        )
    return ACTIVATIONS[name][0 if target is KERAS else 1]


def initializer(thing: Any, target: Kind) -> Any:
    """The initializer of the same name and settings; None where `target` has none (weights are copied anyway)."""
    found = _same_class(thing, "initializers", target)
    return None if found is None else found[0](**found[1])


def penalty(thing: Any, module: str, target: Kind) -> Any:
    """The regularizer or constraint (`module` says which) of the same name and settings; None for None.

    Raises:
        BridgeError: `target` has none of that name: training the twin would not be training the original.
    """
    if thing is None:
        return None
    found = _same_class(thing, module, target)
    if found is None:
        raise BridgeError(
            f"its {module[:-1]} {type(thing).__name__!r} does not exist in {target.name}; "
            f"use one of keras.{module}, or take it off the layer"
        )
    return found[0](**found[1])


def _same_class(thing: Any, module: str, target: Kind) -> tuple[type, dict[str, Any]] | None:
    source = KERAS if type(thing).__module__.startswith("keras.") else TF_KERAS
    name = type(thing).__name__
    ours = getattr(getattr(source.package, module), name, None)
    theirs = getattr(getattr(target.package, module), name, None)
    if ours is not type(thing) or theirs is None or not inspect.isclass(theirs):
        return None
    known = inspect.signature(theirs).parameters
    settings = {key: value for key, value in thing.get_config().items() if key in known}
    if not isinstance(settings.get("seed"), (int, type(None))):
        settings["seed"] = None
    return theirs, settings

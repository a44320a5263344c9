"""One layer at a time: made anew in the other Keras from the table, its weights and flags copied.

The class must be exactly one of Keras's own: a class derived from it may compute anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from converters.errors import BridgeError
from converters.keras_models.bridge import attachments, kinds
from converters.keras_models.bridge.kinds import KERAS, Kind
from converters.keras_models.bridge.layer_arguments import ARGUMENTS, ONE_SIDED, PARTS, REFUSED, TF_KERAS_NAMES

_ATTACHED = ("initializer", "regularizer", "constraint", "activation")
_WRAPPED = ("layer", "backward_layer", "cell")


def class_name(layer: Any) -> str | None:
    """The layer's name in the table; None for a class that is not there, or only derived from one that is."""
    kind = kinds.kind_of(layer)
    name = type(layer).__name__
    if kind is None or name not in ARGUMENTS or getattr(kind.package.layers, name, None) is not type(layer):
        return None
    return name


def create(layer: Any, name: str, target: Kind) -> Any:
    """A new layer of `target` that computes what `layer` computes, once it has its weights.

    Args:
        layer: a layer of either Keras; only read.
        name: of the new layer.
        target: the Keras to make it in; the layer's own gives an independent copy.

    Raises:
        BridgeError: names the layer, what cannot cross, and the way out.
    """
    try:
        return _create(layer, name, target)
    except BridgeError as error:
        if str(error).startswith("layer "):
            raise
        raise BridgeError(
            f"layer {layer.name!r} ({type(layer).__name__}) cannot become a {target.name} layer: {error}"
        ) from error


def _create(layer: Any, name: str, target: Kind) -> Any:
    known = class_name(layer)
    source = kinds.kind_of(layer)
    # A Normalization layer that was adapted forgets that when it is cloned: its statistics become arguments.
    if source is target and known != "Normalization":
        return _clone(layer, name)
    if known is None:
        raise BridgeError(_why_not(layer))
    attached = {
        argument: _attachment(layer, argument, kind, target)
        for argument in ARGUMENTS[known]
        if (kind := argument.rsplit("_", 1)[-1]) in _ATTACHED
    }
    arguments = {argument: thing for argument, thing in attached.items() if thing is not None}
    config = layer.get_config()
    for argument, harmless in ONE_SIDED.get(known, {}).items():
        if config.get(argument, harmless[0]) not in harmless:
            raise BridgeError(f"{argument}={config[argument]!r} has no counterpart; set it to {harmless[0]!r}")
    policy = kinds.policy_of(layer)
    if "_from_" in policy:
        raise BridgeError(f"its weights are quantized by Keras ({policy}); pass the float model")
    for argument in ARGUMENTS[known]:
        if argument not in attached:
            renamed = argument if target is KERAS else TF_KERAS_NAMES.get((known, argument), argument)
            arguments[renamed] = _value(layer, known, argument, config, target)
    try:
        return getattr(target.package.layers, known)(**arguments, name=name, dtype=policy)
    except (TypeError, ValueError) as error:
        raise BridgeError(f"{target.name} refuses its settings ({str(error)[:200]}); use plainer ones") from error


def _clone(layer: Any, name: str) -> Any:
    try:
        return type(layer).from_config(dict(layer.get_config()) | {"name": name})
    except Exception as error:  # a custom layer may raise anything here; what it was is told
        raise BridgeError(
            f"it cannot be rebuilt from its own get_config() ({str(error)[:200]}); complete get_config and from_config"
        ) from error


def _why_not(layer: Any) -> str:
    name = type(layer).__name__
    if name in REFUSED:
        return REFUSED[name]
    if hasattr(layer, "symbol") and hasattr(layer, "function"):
        function = layer.symbol or name
        return f"the TensorFlow function {function!r}, called like this, is not known in keras.ops; use a layer"
    if kinds.is_model(layer):
        return "it is a model; build it as a functional model"
    own = type(layer).__module__.split(".")[0] in ("keras", "tf_keras")
    if own:
        return "the other Keras has no such layer; build it from other layers and keras.ops"
    return "it is a custom layer, whose code only runs in its own Keras; build it from Keras layers and keras.ops"


def _value(layer: Any, known: str, argument: str, config: Mapping[str, Any], target: Kind) -> Any:
    special = _SPECIAL.get((known, argument))
    if special is not None:
        return special(layer)
    if argument == "cells":
        return [create(cell, cell.name, target) for cell in layer.cells]
    if argument in _WRAPPED:
        return _part(layer, known, argument, target)
    wanted = TF_KERAS_NAMES.get((known, argument), argument) if kinds.kind_of(layer) is not KERAS else argument
    # tf_keras's Conv3DTranspose leaves its dilation out of its configuration.
    return plain(config[wanted] if wanted in config else getattr(layer, wanted, None))


def _attachment(layer: Any, argument: str, kind: str, target: Kind) -> Any:
    thing = getattr(layer, argument, getattr(layer, f"_{argument}", None))
    if kind == "initializer":
        return attachments.initializer(thing, target)
    if kind != "activation":
        return attachments.penalty(thing, f"{kind}s", target)
    if thing is not None and kinds.kind_of(thing) is not None:
        return create(thing, thing.name, target)
    return attachments.activation(thing, target)


def _part(layer: Any, known: str, argument: str, target: Kind) -> Any:
    attribute = "forward_layer" if (known, argument) == ("Bidirectional", "layer") else argument
    part = getattr(layer, attribute)
    # Bidirectional puts these prefixes before the names that it is given.
    name = part.name
    for prefix in ("forward_", "backward_"):
        while known == "Bidirectional" and name.startswith(prefix):
            name = name.removeprefix(prefix)
    return create(part, name, target)


def _statistic(which: str) -> Callable[[Any], Any]:
    def read(layer: Any) -> Any:
        value = np.asarray(getattr(layer, which))
        return value.reshape([value.shape[axis] for axis in layer._keep_axis]).tolist()

    return read


_SPECIAL: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    # tf_keras keeps the axis of a batch normalization in a list.
    ("BatchNormalization", "axis"): lambda layer: int(np.ravel(layer.axis)[0]),
    ("Discretization", "bin_boundaries"): lambda layer: [float(edge) for edge in np.ravel(layer.bin_boundaries)],
    ("Lambda", "function"): lambda layer: layer.function,
    ("Lambda", "output_shape"): lambda layer: getattr(layer, "_output_shape", None),
    ("Lambda", "arguments"): lambda layer: dict(layer.arguments),
    ("Normalization", "mean"): _statistic("mean"),
    ("Normalization", "variance"): _statistic("variance"),
}


def plain(value: Any) -> Any:
    """`value` without the wrappers that tf_keras puts around lists, dicts and shapes, and without NumPy scalars."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "as_list") and not isinstance(value, (list, tuple)):
        return tuple(value.as_list())
    if isinstance(value, (list, tuple)):
        items = [plain(item) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    return value


# --- weights and flags --------------------------------------------------------------------------------------------


def copy_state(source: Any, target: Any) -> None:
    """Copies weights and trainable flags from a layer to the one made from it, into inner layers too.

    Raises:
        BridgeError: the two do not hold the same weights.
    """
    target.trainable = source.trainable
    known = class_name(source)
    if known == "Normalization":
        return  # its statistics crossed as arguments
    if known is None:  # the same class in the same Keras
        target.set_weights(source.get_weights())
        return
    parts = list(zip(_parts(source, known), _parts(target, known), strict=True))
    for inner_source, inner_target in parts:
        copy_state(inner_source, inner_target)
    theirs = _own_weights(source, [part for part, _ in parts])
    ours = _own_weights(target, [part for _, part in parts])
    if {_last_name(weight) for weight in theirs} == {_last_name(weight) for weight in ours}:
        theirs, ours = sorted(theirs, key=_last_name), sorted(ours, key=_last_name)
    shapes = [[tuple(weight.shape) for weight in weights] for weights in (theirs, ours)]
    if shapes[0] != shapes[1]:
        raise BridgeError(
            f"layer {source.name!r} ({type(source).__name__}) has weights of shapes {shapes[0]}, "
            f"but its twin {shapes[1]}; report this, with the layer's get_config()"
        )
    for weight, twin in zip(theirs, ours, strict=True):
        twin.assign(weight.numpy())


def _parts(layer: Any, known: str) -> list[Any]:
    parts: list[Any] = []
    for attribute in PARTS.get(known, ()):
        part = getattr(layer, attribute)
        parts.extend(part if isinstance(part, (list, tuple)) else [part])
    return parts


def _own_weights(layer: Any, parts: list[Any]) -> list[Any]:
    elsewhere = {id(weight) for part in parts for weight in part.weights}
    return [weight for weight in layer.weights if id(weight) not in elsewhere]


def _last_name(weight: Any) -> str:
    return str(weight.name).split(":")[0].rsplit("/", 1)[-1]

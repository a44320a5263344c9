"""Between the two Kerases: the same model, rebuilt layer by layer, weights copied, outputs compared.

    twin = to_tf_keras(model)        for TF-MOT, which takes only tf_keras
    model = to_keras(twin)           back, whatever TF-MOT did to the structure

A model is read as a graph of calls (`graph.py`), each layer is made anew from one table (`layer_arguments.py`), each
operation between layers becomes a layer in tf_keras (`operators.py`) and a function of `keras.ops` in Keras 3.

The result is always functional, and flat: the layers of a nested model `inner` are called `inner_<layer>`, a layer
that is called at several places stays one layer, inputs and outputs keep their names, order and structure. A name
that is taken already gets a number. The model that comes in is only walked and run; nothing of it is shared with what
comes out, also where it was of the wanted kind already (TF-MOT changes the models it is given).
"""

from __future__ import annotations

from typing import Any

import keras

from converters.errors import BridgeError
from converters.keras_models.bridge import comparison, graph, layers, operator_layers, operators
from converters.keras_models.bridge.graph import Call, Graph, Value
from converters.keras_models.bridge.kinds import KERAS, TF_KERAS, Kind
from converters.keras_models.bridge.operators import Operation
from converters.keras_models.bridge.structures import substitute


def to_tf_keras(model: Any) -> Any:
    """The tf_keras twin of a model.

    Args:
        model: a functional or Sequential model of either Keras; unchanged.

    Returns:
        A functional `tf_keras.Model` with the same layers, weights, names and outputs; independent of `model`.

    Raises:
        BridgeError: names the layer that cannot cross, with the reason and a way out; or the outputs differ.
    """
    return _cross(model, TF_KERAS)


def to_keras(model: Any) -> Any:
    """The Keras 3 twin of a model.

    Args:
        model: a functional or Sequential model of either Keras; unchanged.

    Returns:
        A functional `keras.Model` with the same layers, weights, names and outputs; independent of `model`.

    Raises:
        BridgeError: names the layer that cannot cross, with the reason and a way out; or the outputs differ.
    """
    return _cross(model, KERAS)


def _cross(model: Any, target: Kind) -> Any:
    if keras.backend.backend() != "tensorflow":
        raise BridgeError(
            f"Keras runs on {keras.backend.backend()!r}; start Python with KERAS_BACKEND=tensorflow to build twins"
        )
    source = graph.read(model)
    twin, calls = _build(source, target)
    _copy_state(model, twin, source, calls)
    comparison.check(model, twin, source, calls)
    return twin


def _build(source: Graph, target: Kind) -> tuple[Any, list[Call]]:
    tensors: dict[Value, Any] = {}
    for entry in source.sources:
        shape, batch = entry.shape[1:], entry.shape[0]
        tensors[entry.value] = target.package.Input(shape, batch_size=batch, dtype=entry.dtype, name=entry.name)
    made: dict[int, Any] = {}
    calls = [_repeat(call, tensors, made, target) for call in source.calls]

    def arranged(structure: Any) -> Any:
        return substitute(structure, lambda item: tensors[item])

    model = target.package.Model(arranged(source.inputs), arranged(source.outputs), name=source.name)
    return model, calls


def _repeat(call: Call, tensors: dict[Value, Any], made: dict[int, Any], target: Kind) -> Call:
    """Makes one call in the target; returns it in terms of the target's layer, and notes its outputs in `tensors`."""
    if call.layer is None:
        function, twin_call = _operation(call, tensors, target)
    else:
        if id(call.layer) not in made:
            made[id(call.layer)] = layers.create(call.layer, call.name, target)
        function = made[id(call.layer)]
        twin_call = Call(call.name, function, "", call.args, call.kwargs, call.outputs)

    def tensor(thing: Any) -> Any:
        return tensors[thing] if isinstance(thing, Value) else thing

    try:
        outputs = target.flatten(function(*substitute(twin_call.args, tensor), **substitute(twin_call.kwargs, tensor)))
        tensors.update(zip(call.outputs, outputs, strict=True))
    except Exception as error:  # building a layer may raise anything; the layer is named, and the cause told
        what = call.operation or type(call.layer).__name__
        raise BridgeError(
            f"layer {call.name!r} ({what}) cannot be called in {target.name} as in the model "
            f"({str(error)[:300]}); use plainer arguments or another layer"
        ) from error
    return twin_call


def _operation(call: Call, tensors: dict[Value, Any], target: Kind) -> tuple[Any, Call]:
    if target is KERAS:
        return operators.function_of(call.operation), call
    values = {id(tensors[value]): value for value in call.inputs}

    def tensor(thing: Any) -> Any:
        return tensors[thing] if isinstance(thing, Value) else thing

    operation = Operation(call.operation, substitute(call.args, tensor), substitute(call.kwargs, tensor))
    try:
        layer, given = operator_layers.built_in(operation, call.name) or operators.operator_layer(
            operation, call.name, lambda thing: id(thing) in values
        )
    except BridgeError as error:
        raise BridgeError(
            f"operation {call.name!r} ({call.operation}) cannot become a tf_keras layer: {error}"
        ) from error
    inputs = [values[id(item)] for item in given]
    args = (inputs[0] if len(inputs) == 1 else inputs,)
    return layer, Call(call.name, layer, "", args, {}, call.outputs)


def _copy_state(model: Any, twin: Any, source: Graph, calls: list[Call]) -> None:
    if not model.trainable:
        twin.trainable = False  # sets every layer, so it comes before the layers' own flags
    copied: set[int] = set()
    for call, twin_call in zip(source.calls, calls, strict=True):
        if call.layer is not None and id(call.layer) not in copied:
            copied.add(id(call.layer))
            layers.copy_state(call.layer, twin_call.layer)

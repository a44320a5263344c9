"""A Keras model or a SavedModel signature becomes one frozen TensorFlow graph of static batch 1.

While a model is traced, each of its layers runs inside a name scope `L<index>`, so that every operator of the graph,
and later every tensor of the `.tflite` file, can be led back to a Keras layer: the scopes that Keras itself opens
are ambiguous (`conv2d_2` may be the layer `conv2d` after the name `conv2d_1` was taken).
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from converters.errors import ConversionError, ModelError
from converters.spec import InputSpec

_SCOPE = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")  # tensorflow/python/framework/ops.py, _VALID_SCOPE_NAME_REGEX

# An unrolled recurrent layer repeats its cell once per step; beyond this the graph is larger than any device.
MAXIMUM_UNROLLED_STEPS = 128


@dataclass(frozen=True)
class FrozenGraph:
    """A graph with its weights inside, ready to cross to another process.

    Attributes:
        graph: serialized `GraphDef`.
        inputs: the model's inputs, in order; a batch dimension of 1 stands before each shape.
        outputs: the model's output names, in order.
        input_tensors: graph tensor of each input.
        output_tensors: graph tensor of each output.
        layers: Keras layer names; scope `L<i>` of the graph belongs to `layers[i]`. Empty for a foreign SavedModel.
        notes: what was done to the graph that the user should know.
    """

    graph: bytes
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    input_tensors: tuple[str, ...]
    output_tensors: tuple[str, ...]
    layers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def is_keras(model: Any) -> bool:
    """Whether `model` is a model of either Keras."""
    return any(base.__module__.startswith(("keras.", "tf_keras.")) for base in type(model).__mro__)


def freeze_keras(model: Any, *, unroll: bool) -> FrozenGraph:
    """Traces a Keras model for inference with batch 1 and folds its weights into the graph.

    The model is the same afterwards as before: what tracing needs is set on the layers and taken off again.

    Args:
        model: a functional or sequential model of Keras 3 or tf_keras.
        unroll: whether recurrent layers are unrolled, which integer kernels need.

    Raises:
        ModelError: the model has no declared inputs, or an input has an open dimension besides the batch.
        ConversionError: a recurrent layer has too many steps to unroll.
    """
    import tensorflow as tf

    _check_backend(model)
    inputs = inputs_of(model)
    named = tuple(_leaf_layers(model))
    layers = tuple(layer for layer, _ in named)
    _check_precision(layers)
    notes: list[str] = []
    arguments = [tf.TensorSpec((1, *spec.shape), spec.dtype, name=f"input_{i}") for i, spec in enumerate(inputs)]

    def call(*tensors: Any) -> list[Any]:
        result = model(pack_inputs(model, tensors), training=False)
        # The identity gives every output a node of its own, also where an input is passed straight on.
        return [tf.identity(tensor) for tensor in tf.nest.flatten(result)]

    with contextlib.ExitStack() as patches:
        patches.enter_context(scope_names(model))
        for index, layer in enumerate(layers):
            patches.enter_context(_patched(layer, {"call": _scoped(layer.call, f"L{index}/")}))
        if unroll:
            for layer in _recurrent_layers(model):
                if not layer.unroll:
                    notes.append(f"recurrent layer {layer.name} was unrolled, which its integer kernels need")
                patches.enter_context(_patched(layer, {"unroll": True, "_could_use_gpu_kernel": False}))
            _check_steps(model)
        function = tf.function(call, autograph=False).get_concrete_function(*arguments)
    outputs = output_names(model, len(function.outputs))
    return _freeze(function, inputs, outputs, layers=tuple(name for _, name in named), notes=tuple(notes))


def freeze_signature(signature: Any, inputs: Sequence[InputSpec], outputs: Sequence[str]) -> FrozenGraph:
    """Folds a SavedModel's signature, called with batch 1, into a graph.

    Args:
        signature: a concrete function that takes keyword arguments and returns a dict of tensors.
        inputs: its inputs, as the caller wants them ordered.
        outputs: keys of its result, as the caller wants them ordered.

    Raises:
        ModelError: an input has an open dimension besides the batch.
    """
    import tensorflow as tf

    arguments = [tf.TensorSpec((1, *spec.shape), spec.dtype, name=f"input_{i}") for i, spec in enumerate(inputs)]

    def call(*tensors: Any) -> list[Any]:
        result = signature(**{spec.name: tensor for spec, tensor in zip(inputs, tensors, strict=True)})
        return [tf.identity(result[name]) for name in outputs]

    function = tf.function(call, autograph=False).get_concrete_function(*arguments)
    return _freeze(function, tuple(inputs), tuple(outputs))


def thaw(frozen: FrozenGraph) -> Any:
    """The concrete function of a frozen graph, in this process."""
    import tensorflow as tf

    definition = tf.compat.v1.GraphDef.FromString(frozen.graph)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(definition, name=""), [])
    tensor = wrapped.graph.as_graph_element
    return wrapped.prune([tensor(name) for name in frozen.input_tensors], [tensor(n) for n in frozen.output_tensors])


def _freeze(
    function: Any,
    inputs: tuple[InputSpec, ...],
    outputs: tuple[str, ...],
    *,
    layers: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> FrozenGraph:
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    constant = convert_variables_to_constants_v2(function, lower_control_flow=False)
    return FrozenGraph(
        graph=constant.graph.as_graph_def().SerializeToString(),
        inputs=inputs,
        outputs=outputs,
        input_tensors=tuple(tensor.name for tensor in constant.inputs),
        output_tensors=tuple(tensor.name for tensor in constant.outputs),
        layers=layers,
        notes=notes,
    )


def inputs_of(model: Any) -> tuple[InputSpec, ...]:
    """The inputs of a Keras model, in order.

    Raises:
        ModelError: it declares none, or one has an open dimension besides the batch.
    """
    try:
        tensors = list(model.inputs or ())
    except AttributeError:
        tensors = []
    if not tensors:
        raise ModelError(
            f"model {model.name!r} ({type(model).__name__}) declares no inputs; make it functional: "
            "inputs = keras.Input(shape); model = keras.Model(inputs, model(inputs))"
        )
    names = getattr(model, "input_names", None) or [tensor.name.partition(":")[0] for tensor in tensors]
    return tuple(_input(name, tensor.shape, tensor.dtype) for name, tensor in zip(names, tensors, strict=True))


def pack_inputs(model: Any, tensors: Sequence[Any]) -> Any:
    """`tensors`, one per input in the order of `inputs_of`, in the structure that the model is called with."""
    import tensorflow as tf

    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        structure = getattr(model, "_nested_inputs", None)
    if isinstance(structure, (dict, list, tuple)):
        return tf.nest.pack_sequence_as(structure, list(tensors))
    return tensors[0] if len(tensors) == 1 else list(tensors)


@contextlib.contextmanager
def scope_names(model: Any) -> Iterator[None]:
    """Meanwhile, the model and its layers have names that TensorFlow takes for scopes: "my model" is none."""
    with contextlib.ExitStack() as patches:
        for layer in model._flatten_layers():
            patches.enter_context(_patched(layer, _scope_name(layer)))
        yield


def _scope_name(layer: Any) -> dict[str, str]:
    attribute = "name" if "name" in vars(layer) else "_name"
    name = str(layer.name)
    return {} if _SCOPE.fullmatch(name) else {attribute: re.sub(r"[^A-Za-z0-9_.]", "_", f"layer_{name}")}


def _input(name: str, shape: Any, dtype: Any) -> InputSpec:
    dimensions = tuple(shape)[1:]
    if any(size is None for size in dimensions):
        shown = ", ".join("?" if size is None else str(size) for size in dimensions)
        raise ModelError(
            f"input {name!r} has shape (batch, {shown}); a .tflite file for small devices needs every dimension: "
            "build the model with a fixed input shape"
        )
    return InputSpec(name, tuple(int(size) for size in dimensions), getattr(dtype, "name", str(dtype)))


def _leaf_layers(model: Any, prefix: str = "") -> Iterator[tuple[Any, str]]:
    """Layers and operator nodes with their names: nested models are entered, composite layers are not.

    A layer of the nested model `inner` is called `inner_<layer>`, as in the bridge.
    """
    for layer in getattr(model, "operations", None) or model.layers:
        if getattr(layer, "layers", None) and hasattr(layer, "inputs"):
            yield from _leaf_layers(layer, f"{prefix}{layer.name}_")
        elif not type(layer).__name__.startswith("InputLayer"):
            yield layer, prefix + layer.name


def _check_backend(model: Any) -> None:
    if not any(base.__module__.startswith("keras.") for base in type(model).__mro__):
        return
    import keras

    if keras.config.backend() != "tensorflow":
        raise ModelError(
            f"Keras computes with {keras.config.backend()} in this process; only TensorFlow's graphs become .tflite "
            "files: save the model as .keras and pass its path, or set KERAS_BACKEND=tensorflow first"
        )


def _check_precision(layers: Sequence[Any]) -> None:
    for layer in layers:
        compute = getattr(layer, "compute_dtype", None)
        if compute in ("float16", "bfloat16"):
            raise ModelError(
                f"layer {layer.name!r} computes in {compute} (a mixed precision policy), which TFLite's converter does "
                "not take: build the model under the policy 'float32' and load these weights into it with set_weights"
            )


def _recurrent_layers(model: Any) -> Iterator[Any]:
    for layer in model._flatten_layers(include_self=False):
        if hasattr(layer, "unroll") and hasattr(layer, "return_sequences"):
            yield layer


def _check_steps(model: Any) -> None:
    for layer, _ in _leaf_layers(model):
        inner = getattr(layer, "forward_layer", layer)
        if not (hasattr(inner, "unroll") and hasattr(inner, "return_sequences")):
            continue
        shape = getattr(layer, "input_shape", None) or getattr(getattr(layer, "input", None), "shape", ())
        steps = shape[1] if isinstance(shape, tuple) and len(shape) == 3 else None
        if steps is not None and steps > MAXIMUM_UNROLLED_STEPS:
            raise ConversionError(
                f"recurrent layer {layer.name!r} runs {steps} steps; only up to {MAXIMUM_UNROLLED_STEPS} can be "
                "unrolled for integer kernels: shorten the sequence, use convolutions instead, or --dtype float32"
            )


def _scoped(call: Callable[..., Any], scope: str) -> Callable[..., Any]:
    import tensorflow as tf

    # The name is kept: Keras looks at the signature of `call` to decide which arguments to pass.
    @functools.wraps(call)
    def inside(*args: Any, **kwargs: Any) -> Any:
        with tf.name_scope(scope):
            return call(*args, **kwargs)

    return inside


@contextlib.contextmanager
def _patched(layer: Any, attributes: dict[str, Any]) -> Iterator[None]:
    """Sets instance attributes without Keras noticing, and takes them off again whatever happens."""
    before = dict(vars(layer))
    for name, value in attributes.items():
        object.__setattr__(layer, name, value)
    try:
        yield
    finally:
        for name in attributes:
            if name in before:
                object.__setattr__(layer, name, before[name])
            else:
                object.__delattr__(layer, name)


def output_names(model: Any, count: int | None = None) -> tuple[str, ...]:
    """What the outputs of a Keras model are called in its `.tflite` file, in order.

    Args:
        model: a functional or sequential model of either Keras.
        count: how many there are; by default as many as `model.outputs`.
    """
    # `output_names` is missing from the Sequential models of Keras 3; the layer behind each output is always known.
    histories = [getattr(tensor, "_keras_history", None) for tensor in model.outputs]
    operations = [getattr(history, "operation", None) or getattr(history, "layer", None) for history in histories]
    names = [operation.name for operation in operations if operation is not None]
    wanted = len(histories) if count is None else count
    if len(names) != wanted:
        return tuple(f"output_{i}" for i in range(wanted))
    taken: dict[str, int] = {}
    for i, name in enumerate(names):
        taken[name] = taken.get(name, 0) + 1
        names[i] = name if taken[name] == 1 else f"{name}_{taken[name] - 1}"
    return tuple(names)

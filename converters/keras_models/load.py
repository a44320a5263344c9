"""Loads a checked model file with the Keras that wrote it. Imports TensorFlow: for child processes only.

    model = load(safety.check("model.keras"))            a model of Keras 3 or of tf_keras
    graph = load(safety.check("saved_model"), need_layers=False)     a LoadedSavedModel: a graph, quickly

A SavedModel is loaded as a session graph and its variables are folded into constants. For the MLPerf Tiny keyword
model that takes a third of the time of `tf.saved_model.load`, which rebuilds all functions for training as well.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converters.errors import CompressionError, ModelError
from converters.keras_models.safety import ModelFile
from converters.spec import InputSpec

# After variables were folded, these are left only where one is written to, or is no weight.
_STATE_OPERATORS = frozenset(
    (
        "VarHandleOp",
        "VariableV2",
        "AssignVariableOp",
        "AssignAddVariableOp",
        "AssignSubVariableOp",
        "Assign",
        "HashTableV2",
        "MutableHashTableV2",
        "RngReadAndSkip",
        "RngSkip",
    )
)


@dataclass(frozen=True)
class LoadedSavedModel:
    """A signature of a SavedModel as a graph with its weights inside; it has no Keras layers.

    Attributes:
        path: the folder.
        signature: name of the signature.
        inputs: its inputs in order of their names, without the batch dimension.
        outputs: its output names in order.
        function: takes the inputs by name, each of shape (batch, *shape), and returns a dict by output name: arrays
            when called eagerly (slow: for comparisons), tensors while a `tf.function` is traced.
        layers_problem: why Keras layers cannot be had from this file.
    """

    path: Path
    signature: str
    inputs: tuple[InputSpec, ...]
    outputs: tuple[str, ...]
    function: Callable[..., dict[str, Any]] = field(repr=False)
    layers_problem: str = ""


def load(model_file: ModelFile, *, need_layers: bool = True, allow_code: bool = False) -> Any:
    """Loads a model without compiling it, so that a loss or metric of the user's own is no hindrance.

    Args:
        model_file: what `safety.check` returned.
        need_layers: for a SavedModel with Keras metadata: whether to rebuild its layers. A graph alone is enough for
            plain conversion, and faster.
        allow_code: must be what `safety.check` was given.

    Returns:
        a `keras.Model`, a `tf_keras.Model`, or a `LoadedSavedModel`.

    Raises:
        ModelError: the loader cannot read the file; the message says why.
    """
    if model_file.kind == "tflite":
        raise ModelError(f"{model_file.path} is a .tflite file already; this step needs a Keras model or a SavedModel")
    if model_file.kind == "saved_model":
        if need_layers and not model_file.layers_problem:
            return _load_keras(model_file, allow_code=allow_code)
        problem = model_file.layers_problem or "only its graph was loaded"
        return load_signature(model_file, layers_problem=problem)
    return _load_keras(model_file, allow_code=allow_code)


def require_layers(model: Any, step: str) -> None:
    """Refuses a SavedModel's bare graph where a step changes layers.

    Args:
        model: what `load` returned.
        step: what needs the layers, such as "pruning".

    Raises:
        ModelError: with the reason and the way out.
    """
    if isinstance(model, LoadedSavedModel):
        raise ModelError(
            f"{step} needs Keras layers, and {model.path} gives none: {model.layers_problem}; "
            "save the Keras model itself with model.save('model.keras') and use that file"
        )


def _load_keras(model_file: ModelFile, *, allow_code: bool) -> Any:
    if model_file.is_keras_3:
        import keras as library
    else:
        import tf_keras as library
    if model_file.is_twin:
        from converters.keras_models.bridge import attachments, operators  # noqa: F401  (importing registers)

    suffix = {"keras3": ".keras", "tf_keras": ".keras", "h5": ".h5"}.get(model_file.kind, "")
    try:
        with _with_suffix(model_file.path, suffix) as path:
            model = library.models.load_model(path, compile=False, safe_mode=not allow_code)
    except Exception as error:  # a loader can fail in any way on a file that is well-formed: one line for all of them
        name = "Keras 3" if model_file.is_keras_3 else "tf_keras"
        # Keras 3 writes .h5 files that it cannot read: those with operators such as `x * 2`.
        again = "save it as a .keras file, or " if model_file.kind == "h5" else ""
        raise ModelError(
            f"{model_file.path}: {name} cannot load it ({_first_line(error)}); {again}load it in Python and pass the "
            "model object: tfcompress.convert(model, ...)",
            details=f"{type(error).__name__}: {error}",
        ) from error
    return model


@contextlib.contextmanager
def _with_suffix(path: Path, suffix: str) -> Iterator[str]:
    """The path under a name with the suffix that Keras chooses its loader by; a copy where the name differs."""
    if path.name.endswith(suffix):
        # Absolute, because Keras takes names such as hf://... for something else than files.
        yield str(path.absolute())
        return
    with tempfile.TemporaryDirectory() as folder:
        yield shutil.copyfile(path, f"{folder}/model{suffix}")


# --- a SavedModel's graph -----------------------------------------------------------------------------------------


def load_signature(
    model_file: ModelFile, *, signature: str | None = None, layers_problem: str = "only its graph was loaded"
) -> LoadedSavedModel:
    """Loads one signature of a SavedModel as a graph with its weights inside.

    Args:
        model_file: what `safety.check` returned.
        signature: its name; by default `serving_default`, or the only one there is.
        layers_problem: what `require_layers` shall say.

    Raises:
        ModelError: there is no such signature, an input has an open dimension besides the batch, or TensorFlow cannot
            load the graph.
    """
    import tensorflow as tf

    name = _choose(model_file, signature)
    try:
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
            meta_graph = tf.compat.v1.saved_model.load(session, list(model_file.tags), str(model_file.path.absolute()))
            definition = meta_graph.signature_def[name]
            inputs = {key: tensor.name for key, tensor in sorted(definition.inputs.items())}
            outputs = {key: tensor.name for key, tensor in sorted(definition.outputs.items())}
            frozen = _fold_variables(session, list(outputs.values()))
    except CompressionError as error:
        raise ModelError(f"{model_file.path}: {error}") from None
    except Exception as error:  # the loader raises whatever a kernel does: one line for all of them
        raise ModelError(
            f"{model_file.path}: TensorFlow cannot load the graph ({_first_line(error)}); save the model again",
            details=f"{type(error).__name__}: {error}",
        ) from error
    return LoadedSavedModel(
        path=model_file.path,
        signature=name,
        inputs=tuple(_input(key, definition.inputs[key], model_file.path) for key in inputs),
        outputs=tuple(outputs),
        function=_callable(frozen, inputs, outputs),
        layers_problem=layers_problem,
    )


def _choose(model_file: ModelFile, signature: str | None) -> str:
    names = model_file.signatures
    shown = ", ".join(names) or "none"
    if signature is not None:
        if signature not in names:
            raise ModelError(f"{model_file.path} has no signature {signature!r}; it has: {shown}")
        return signature
    for usual in ("serving_default", "serve"):
        if usual in names:
            return usual
    if len(names) == 1:
        return names[0]
    raise ModelError(
        f"{model_file.path} has no signature 'serving_default' (it has: {shown}); save it with model.export(folder)"
    )


def _fold_variables(session: Any, output_tensors: Sequence[str]) -> Any:
    """The graph behind some tensors: its functions inlined, save for the bodies of loops, and weights as constants."""
    import tensorflow as tf

    nodes = sorted({name.partition(":")[0] for name in output_tensors})
    needed = tf.compat.v1.graph_util.extract_sub_graph(session.graph_def, nodes)
    inlined = _inline_functions(needed, nodes)
    folded = tf.compat.v1.graph_util.convert_variables_to_constants(session, inlined, nodes)
    for node in (*folded.node, *_nodes_of_functions(folded)):
        if node.op in _STATE_OPERATORS:
            raise ModelError(
                f"the graph keeps state while it computes (operator {node.op}, node {node.name}), as random "
                "augmentation layers do and tables of words; export the model without those layers, or save it with "
                "model.save('model.keras')"
            )
    return folded


def _inline_functions(graph: Any, outputs: Sequence[str]) -> Any:
    # Folding is wrong for a variable that two functions read, so there must be no functions. These are the steps of
    # TensorFlow's own convert_variables_to_constants_v2, which needs the slower `tf.saved_model.load`.
    from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
    from tensorflow.python.framework.convert_to_constants import disable_lower_using_switch_merge
    from tensorflow.python.grappler import tf_optimizer

    # Loops stay operators: as switches and merges they could not be converted.
    meta_graph = meta_graph_pb2.MetaGraphDef(graph_def=disable_lower_using_switch_merge(graph))
    for function in meta_graph.graph_def.library.function:
        # It names a second implementation for GPUs (LSTM, GRU), and would keep the function from being inlined.
        function.attr.pop("api_implements", None)
    for node in (*meta_graph.graph_def.node, *_nodes_of_functions(meta_graph.graph_def)):
        # A shape that was noted for another caller of the function makes the inlined graph contradict itself.
        node.attr.pop("_output_shapes", None)
    meta_graph.collection_def["train_op"].node_list.value.extend(outputs)
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.min_graph_nodes = -1
    config.graph_options.rewrite_options.optimizers.append("function")
    return tf_optimizer.OptimizeGraph(config, meta_graph)


def _nodes_of_functions(graph: Any) -> Iterator[Any]:
    for function in graph.library.function:
        yield from function.node_def


def _callable(definition: Any, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> Callable[..., dict[str, Any]]:
    import tensorflow as tf

    def in_graph(tensors: dict[str, Any]) -> dict[str, Any]:
        try:
            results = tf.graph_util.import_graph_def(
                definition,
                input_map={inputs[name]: tensor for name, tensor in tensors.items()},
                return_elements=list(outputs.values()),
                name="",
            )
        except ValueError as error:
            raise ModelError(f"the SavedModel's graph does not hold together ({_first_line(error)})") from error
        return dict(zip(outputs, results, strict=True))

    def eagerly(tensors: dict[str, Any]) -> dict[str, Any]:
        # A session, because a function that is called eagerly does not find the functions of an imported graph.
        # Its rewriter stays out: it replaces erf in a GELU by an approximation that is off by 1e-3.
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=config) as session:
            values = {name: tensor.numpy() for name, tensor in tensors.items()}
            feeds = {name: tf.compat.v1.placeholder(value.dtype, value.shape) for name, value in values.items()}
            results = in_graph(feeds)
            return dict(session.run(results, {feeds[name]: value for name, value in values.items()}))

    def call(**tensors: Any) -> dict[str, Any]:
        if tensors.keys() != inputs.keys():
            raise ModelError(f"the signature takes {', '.join(inputs)}; got {', '.join(tensors) or 'nothing'}")
        tensors = {name: tf.convert_to_tensor(tensor) for name, tensor in tensors.items()}
        # While a graph is traced the nodes go straight into it, where they see its static shapes.
        return eagerly(tensors) if tf.executing_eagerly() else in_graph(tensors)

    return call


def _input(name: str, tensor: Any, path: Path) -> InputSpec:
    import tensorflow as tf

    sizes = [dimension.size for dimension in tensor.tensor_shape.dim]
    if tensor.tensor_shape.unknown_rank or not sizes or sizes[0] not in (-1, 1) or any(size < 1 for size in sizes[1:]):
        shown = "of any rank" if tensor.tensor_shape.unknown_rank else [None if size < 0 else size for size in sizes]
        raise ModelError(
            f"{path}: input {name!r} has shape {shown}; a .tflite file for small devices needs a batch dimension "
            "(None or 1) and a fixed size in every other: save the model with a fixed input shape"
        )
    return InputSpec(name, tuple(sizes[1:]), str(tf.dtypes.as_dtype(tensor.dtype).name))


def _first_line(error: Exception) -> str:
    """What went wrong, out of a message of many lines; Keras names a class that it misses in the middle of one."""
    text = str(error)
    if missing := re.search(r"(Could not locate \w+|Unknown (layer|object):?) '[^']{1,80}'", text):
        return missing.group(0)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]

"""Does the twin compute what the original computes? Both are run on random input, as wholes and call by call."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from converters.errors import BridgeError
from converters.keras_models.bridge import kinds, operators
from converters.keras_models.bridge.graph import Call, Graph, Source, Value
from converters.keras_models.bridge.structures import substitute

# Largest difference, relative to the largest output, that float32 arithmetic in another order explains. The largest
# seen is 2e-6 (ResNet50: the two Kerases normalize batches with different kernels).
TOLERANCE = 1e-4
# The same for models that compute in half precision (10 bits of mantissa; bfloat16 has 7).
HALF_TOLERANCE = 5e-2

# Sizes tried for a free axis, until the original accepts them.
_FREE_SIZES = (16, 32, 64, 128, 224, 8)


def check(original: Any, twin: Any, graph: Graph, twin_calls: Sequence[Call], *, seed: int = 0) -> float:
    """Compares a model with its twin on random input.

    Args:
        original: the model that was read.
        twin: the model that was built.
        graph: what was read.
        twin_calls: the calls as made in the twin, in the order of `graph.calls`.
        seed: of the random input.

    Returns:
        The largest difference of an output, relative to the largest value of that output.

    Raises:
        BridgeError: they differ; says by how much and where they part. Or the original cannot be run or compared.
    """
    feeds, expected = _run_original(original, graph, seed)
    found = _flat(twin(_arranged(graph.inputs, feeds), training=False))
    tolerance = HALF_TOLERANCE if any("float16" in dtype for dtype in _dtypes(graph)) else TOLERANCE
    differences = [difference(one, other) for one, other in zip(expected, found, strict=True)]
    worst = max(differences)
    place = _first_parting(graph, twin_calls, feeds, tolerance)
    if worst > tolerance or place:
        number = int(np.argmax(differences))
        raise BridgeError(
            f"the twin of {graph.name!r} does not compute the same: output {number} differs by "
            f"{differences[number]:.2g} of its largest value (allowed {tolerance:g}); "
            f"{place or 'each layer agrees, so the model itself does more than its layers'}; "
            "write that part with other layers, or report it"
        )
    return worst


def difference(one: Any, other: Any) -> float:
    """Largest absolute difference of two arrays, relative to the largest magnitude in the first; inf for shapes apart.

    NaN equals NaN and an infinity itself; integers and booleans are compared as numbers.
    """
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape:
        return float("inf")
    if one.dtype == other.dtype == np.float32 and one.size:
        apart = np.abs(one - other).max() / max(np.abs(one).max(), 1e-6)
        if np.isfinite(apart):
            return float(apart)
    one, other = one.astype("float64"), other.astype("float64")
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    if same.all():
        return 0.0
    finite = np.abs(one[np.isfinite(one)])
    apart = np.abs(one[~same] - other[~same]).max() / max(finite.max(initial=0.0), 1e-6)
    return float("inf") if np.isnan(apart) else float(apart)


def _run_original(original: Any, graph: Graph, seed: int) -> tuple[dict[Value, Any], list[Any]]:
    free = any(None in source.shape[1:] for source in graph.sources)
    problem: Exception | None = None
    for size in _FREE_SIZES if free else (1,):
        feeds = random_inputs(graph, seed=seed, free_size=size)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                outputs = _flat(original(_arranged(graph.inputs, feeds), training=False))
        except (ValueError, TypeError, tf.errors.OpError) as error:
            problem = error
            continue
        if not all(np.isfinite(np.asarray(output).astype("float64")).any() for output in outputs):
            raise BridgeError(
                f"{graph.name!r} gives only NaN or infinity on random input, so a twin cannot be compared with it; "
                "check its weights"
            )
        return feeds, outputs
    raise BridgeError(
        f"{graph.name!r} cannot be run on random input of shapes {[source.shape for source in graph.sources]} "
        f"({str(problem)[:200]}); give its inputs fixed shapes"
    )


def random_inputs(graph: Graph, *, seed: int = 0, free_size: int = 16) -> dict[Value, Any]:
    """One random input per source, of its type: floats in -1..1, integers that the embeddings behind it know.

    Args:
        graph: whose inputs are filled.
        seed: of the generator.
        free_size: for the axes that are free; the batch is 2 where it is free.
    """
    generator = np.random.default_rng(seed)
    feeds = {}
    for source in graph.sources:
        free = [2, *[free_size] * len(source.shape)]
        shape = [size or instead for size, instead in zip(source.shape, free, strict=False)]
        vocabulary = _vocabulary(graph, source)
        if source.dtype == "string":
            raise BridgeError(f"input {source.name!r} takes strings, which a .tflite file cannot; feed it numbers")
        if source.dtype == "bool":
            values: Any = generator.integers(0, 2, shape)
        elif vocabulary is not None or "int" in source.dtype:
            values = generator.integers(0, vocabulary or 2, shape)
        else:
            values = generator.uniform(-1.0, 1.0, shape)
        feeds[source.value] = tf.constant(values, dtype=source.dtype)
    return feeds


def _vocabulary(graph: Graph, source: Source) -> int | None:
    """How many integers an input may take: the smallest vocabulary among the embeddings that it reaches."""
    reached = {source.value}
    sizes = []
    for call in graph.calls:
        if reached.isdisjoint(call.inputs):
            continue
        size = getattr(call.layer, "input_dim", None) or getattr(call.layer, "num_tokens", None)
        if size is not None and not callable(size):
            sizes.append(int(size))
        elif call.operation == "one_hot":
            sizes.append(int(call.kwargs["num_classes"]))
        elif not getattr(call.layer, "weights", []):
            reached.update(call.outputs)
    return min(sizes, default=None)


def _arranged(structure: Any, values: Mapping[Value, Any]) -> Any:
    return substitute(structure, lambda item: values[item] if isinstance(item, Value) else item)


def _flat(outputs: Any) -> list[Any]:
    return list(keras.tree.flatten(outputs))


def _dtypes(graph: Graph) -> list[str]:
    layers = [call.layer for call in graph.calls if call.layer is not None]
    return [source.dtype for source in graph.sources] + [kinds.policy_of(layer) for layer in layers]


# --- call by call -------------------------------------------------------------------------------------------------


def _first_parting(graph: Graph, twin_calls: Sequence[Call], feeds: dict[Value, Any], tolerance: float) -> str:
    """Runs both graphs call by call, on one batch; says where they part, or nothing."""
    last_use = {value: number for number, call in enumerate(graph.calls) for value in call.inputs}
    ours, theirs = dict(feeds), dict(feeds)
    for number, (call, twin_call) in enumerate(zip(graph.calls, twin_calls, strict=True)):
        outputs, twin_outputs = _run(call, ours), _run(twin_call, theirs)
        apart = max(difference(one, other) for one, other in zip(outputs, twin_outputs, strict=True))
        if apart > tolerance:
            what = call.operation or type(call.layer).__name__
            return f"they part at {call.name!r} ({what}) with {apart:.2g}"
        ours.update(zip(call.outputs, outputs, strict=True))
        theirs.update(zip(call.outputs, twin_outputs, strict=True))
        for value in call.inputs:
            if last_use[value] == number:
                ours.pop(value, None), theirs.pop(value, None)
    return ""


def _run(call: Call, values: Mapping[Value, Any]) -> list[Any]:
    function = operators.function_of(call.operation) if call.operation else call.layer
    kwargs = _arranged(call.kwargs, values)
    if call.layer is not None and "training" in kinds.call_arguments(call.layer):
        kwargs.setdefault("training", False)  # tf_keras's augmentation layers take True when nobody says
    return _flat(function(*_arranged(call.args, values), **kwargs))

"""Whether calibration data is on the scale that a model was trained on: the commonest silent failure.

A trained model remembers its data. Batch normalization keeps the mean and variance that its input had in training;
images of 0..1 given to a model of 0..255 make that input's deviation 255 times too small, in every channel alike. And
a rescaling that stands before everything else (`Rescaling(1/255)`) says which numbers it is made for.

Only what cannot be otherwise is an error, the rest a note. The limits follow from how the moving averages are made
(new = momentum * old + (1 - momentum) * batch, from mean 0 and variance 1): after a single step at momentum 0.999 the
deviation seems 1 / sqrt(0.001) = 32 times too large on correct data, so `_TOO_LARGE` lies above that; and it seems too
small on correct data only while the initial 1 outweighs what was seen, when the variances of the channels hardly
differ (`_LEAST_SPREAD`). A model without batch normalization and without rescaling tells nothing and is asked nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError
from converters.keras_models.tracing import FrozenGraph

Array = npt.NDArray[Any]

# Deviation measured / deviation in training, nine channels of ten. Correct data gave 0.9 to 1.2 (MLPerf Tiny ResNet-8
# and DS-CNN); for ResNet-8, images of 0..1 gave 0.004, -1..1 0.008, standardized 0.015, a quarter of the light 0.27.
_TOO_SMALL, _TOO_LARGE = 1 / 20, 60.0
# The same, median over the channels, from which on it is worth a note; raw int8 for DS-CNN's units gave 6.7.
_UNUSUAL_SMALL, _UNUSUAL_LARGE = 1 / 5, 5.0
# |mean measured - mean in training| in units of the training deviation, median; correct data gave 0.02 to 0.08, raw
# int8 for DS-CNN's units 4.7.
_UNUSUAL_SHIFT = 3.0
# Deviation of log(moving variance) over the channels: 0.72 and 0.78 in the first normalization of ResNet-8 and DS-CNN,
# 0.18 at least in their others, 0 in an untrained one.
_LEAST_SPREAD = 0.1
_FEWEST_CHANNELS = 4
_FEWEST_VALUES = 64
_SAMPLES = 32
# A first factor of 1/256 to 1/127.5 is made for bytes (Keras: Rescaling(1/255), Rescaling(1/127.5, -1)).
_BYTE_FACTORS = (0.99 / 256, 1.01 / 127.5)
_LARGEST_FOR_BYTES = 1.5


@dataclass(frozen=True)
class Normalization:
    """One batch normalization of a graph.

    Attributes:
        node: name of the graph node that normalizes.
        input_node: name of the node that gives its input, channels last.
        mean: moving mean of that input, float [channels].
        variance: moving variance of that input, float [channels].
    """

    node: str
    input_node: str
    mean: Array
    variance: Array


def check_range(
    graph: FrozenGraph,
    samples: Mapping[str, Array],
    *,
    allow_unusual: bool = False,
    notes: list[str] | None = None,
) -> None:
    """Compares the data with what the model remembers of its training data.

    Args:
        graph: the frozen graph (trusted by now: it is about to be converted); needs TensorFlow in this process.
        samples: one array [n, *shape] per input of the graph, in its order or by name; 32 samples are looked at.
        allow_unusual: what would be an error becomes a note.
        notes: receives what is unusual but not certainly wrong.

    Raises:
        DataError: the data cannot be on the scale that the model was trained on.
    """
    import tensorflow as tf

    told: list[str] = [] if notes is None else notes
    arrays = [samples[spec.name] for spec in graph.inputs] if len(graph.inputs) > 1 else list(samples.values())
    definition = tf.compat.v1.GraphDef.FromString(graph.graph)
    nodes = {node.name: node for node in definition.node}
    faults = _for_bytes(nodes, graph, arrays)
    remarks: list[str] = []
    # One over the raw channels of the input is too narrow to tell; the next one feels a wrong scale as well.
    wide = (found for found in _normalizations(nodes) if found.variance.size >= _FEWEST_CHANNELS)
    normalization = next(wide, None)
    if not faults and normalization is not None:
        values = _values_at(definition, graph, normalization.input_node, arrays)
        faults, remarks = _compare(normalization, values, _layer_name(normalization.node, graph))
    elif not faults and not any(_first_factor(nodes, name.partition(":")[0]) for name in graph.input_tensors):
        shown = ", ".join(f"{np.min(array):g} to {np.max(array):g}" for array in arrays)
        remarks.append(
            f"the model does not tell which scale it was trained on (no batch normalization, no Rescaling), so the "
            f"calibration data's range, {shown}, was taken as it is: make sure that it is the training data's"
        )
    if faults and not allow_unusual:
        raise DataError(f"{faults[0]}; scale it as in training (--scale), or --allow-unusual-data if this is meant")
    told += faults + remarks


def _compare(normalization: Normalization, values: Array, layer: str) -> tuple[list[str], list[str]]:
    """What is certainly wrong with `values` [rows, channels], and what is unusual."""
    known = normalization.variance > 0
    spread = np.std(np.log(normalization.variance[known])) if known.sum() >= _FEWEST_CHANNELS else 0.0
    if spread < _LEAST_SPREAD or len(values) < _FEWEST_VALUES or values.shape[1] != len(known):
        return [], []
    deviation = np.sqrt(normalization.variance[known])
    ratios = np.std(values, axis=0, dtype=np.float64)[known] / deviation
    shifts = np.abs(np.mean(values, axis=0, dtype=np.float64) - normalization.mean)[known] / deviation
    ratio, shift = float(np.median(ratios)), float(np.median(shifts))
    before = f"before {layer}" if layer else "before the first batch normalization"
    if np.quantile(ratios, 0.9) < _TOO_SMALL:
        return [
            f"the calibration data is on another scale than the training data: {before} the values vary "
            f"{1 / max(ratio, 1e-9):.3g} times less than in training (images of 0..1 where the model takes 0..255?)"
        ], []
    if np.quantile(ratios, 0.1) > _TOO_LARGE:
        return [
            f"the calibration data is on another scale than the training data: {before} the values vary "
            f"{ratio:.3g} times more than in training (images of 0..255 where the model takes 0..1 or -1..1?)"
        ], []
    if not _UNUSUAL_SMALL < ratio < _UNUSUAL_LARGE or shift > _UNUSUAL_SHIFT:
        return [], [
            f"the calibration data may not be scaled as the training data: {before} the values vary {ratio:.3g} times "
            f"as much as in training, and their mean is off by {shift:.3g} standard deviations"
        ]
    return [], []


def _for_bytes(nodes: Mapping[str, Any], graph: FrozenGraph, arrays: Sequence[Array]) -> list[str]:
    """A model that starts by dividing by 255 is made for 0..255."""
    for spec, tensor, array in zip(graph.inputs, graph.input_tensors, arrays, strict=True):
        factor = _first_factor(nodes, tensor.partition(":")[0])
        if factor is None or not _BYTE_FACTORS[0] <= factor <= _BYTE_FACTORS[1]:
            continue
        low, high = float(array.min()), float(array.max())
        if max(-low, high) <= _LARGEST_FOR_BYTES:
            return [
                f"calibration data for input {spec.name} reaches from {low:.3g} to {high:.3g}, but the model itself "
                f"starts by multiplying by {factor:.3g} (Rescaling): it takes 0..255"
            ]
    return []


def _first_factor(nodes: Mapping[str, Any], name: str) -> float | None:
    """The constant that the input called `name` is multiplied by before anything else, if there is one."""
    for _ in range(len(nodes)):
        readers = [node for node in nodes.values() if name in {_source(entry) for entry in node.input}]
        if len(readers) != 1:
            return None
        (reader,) = readers
        if reader.op not in ("Identity", "Cast"):
            break
        name = reader.name
    if reader.op not in ("Mul", "RealDiv"):
        return None
    first, second = (_constant(nodes, entry) for entry in reader.input)
    constant = second if first is None else first
    if constant is None or constant.size != 1 or (reader.op == "RealDiv" and second is None):
        return None
    value = float(constant.reshape(()))
    return value if reader.op == "Mul" else (1.0 / value if value else None)


# --- the graph --------------------------------------------------------------------------------------------------


def _normalizations(nodes: Mapping[str, Any]) -> Iterator[Normalization]:
    """Batch normalizations, channels last, in the graph's order, which is that of computation."""
    for node in nodes.values():
        if node.op.startswith("FusedBatchNorm") and node.attr["data_format"].s in (b"NHWC", b""):
            mean, variance = _constant(nodes, node.input[3]), _constant(nodes, node.input[4])
            if mean is not None and variance is not None and _constant(nodes, node.input[0]) is None:
                yield Normalization(node.name, _source(node.input[0]), mean.ravel(), variance.ravel())
        elif node.op == "Rsqrt":
            found = _written_out(nodes, node)
            if found is not None:
                yield found


def _written_out(nodes: Mapping[str, Any], root: Any) -> Normalization | None:
    """The normalization that `tf.nn.batch_normalization` writes out around `root` = rsqrt(variance + epsilon).

    x * inv + (beta - mean * inv) with inv = root * gamma; without gamma inv is `root`, without beta the last term
    is -mean * inv.
    """
    total = nodes[_source(root.input[0])]
    variance = _constant(nodes, total.input[0]) if total.op in ("Add", "AddV2") else None
    if variance is None:
        return None
    factors = {root.name}
    factors |= {reader.name for reader, other in _products(nodes, factors) if _constant(nodes, other) is not None}
    source, mean = "", None
    for _, other in _products(nodes, factors):
        constant, negated = _constant(nodes, other), nodes[_source(other)]
        if negated.op == "Neg":
            constant = _constant(nodes, negated.input[0])
        elif constant is None:
            source = _source(other)
            continue
        # gamma * root comes first; the mean is the last constant that is multiplied.
        mean = constant
    if not source or mean is None or mean.size != variance.size:
        return None
    return Normalization(root.name, source, mean.ravel(), variance.ravel())


def _products(nodes: Mapping[str, Any], factors: set[str]) -> Iterator[tuple[Any, str]]:
    """Each Mul that reads one of `factors`, with its other operand."""
    for node in nodes.values():
        if node.op == "Mul":
            first, second = node.input[0], node.input[1]
            if _source(first) in factors:
                yield node, second
            elif _source(second) in factors:
                yield node, first


def _constant(nodes: Mapping[str, Any], entry: str) -> Array | None:
    import tensorflow as tf

    node = nodes.get(_source(entry))
    while node is not None and node.op in ("Identity", "Cast", "Reshape") and node.input:
        node = nodes.get(_source(node.input[0]))
    if node is None or node.op != "Const":
        return None
    array: Array = tf.make_ndarray(node.attr["value"].tensor)
    return array


def _source(entry: str) -> str:
    return entry.lstrip("^").partition(":")[0]


def _layer_name(node: str, graph: FrozenGraph) -> str:
    scope, _, _ = node.partition("/")
    if graph.layers and scope[:1] == "L" and scope[1:].isdigit() and int(scope[1:]) < len(graph.layers):
        return f"layer {graph.layers[int(scope[1:])]}"
    return node.rpartition("/")[0]


def _values_at(definition: Any, graph: FrozenGraph, node: str, arrays: Sequence[Array]) -> Array:
    """What `node` gives for the first samples, as rows of channels."""
    import tensorflow as tf

    part = tf.compat.v1.graph_util.extract_sub_graph(definition, [node])
    kept = {entry.name for entry in part.node}
    fed = [
        (name, array) for name, array in zip(graph.input_tensors, arrays, strict=True) if name.partition(":")[0] in kept
    ]
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(part, name=""), [])
    element = wrapped.graph.as_graph_element
    function = wrapped.prune([element(name) for name, _ in fed], [element(f"{node}:0")])
    rows = []
    for sample in range(min(len(arrays[0]), _SAMPLES)):
        (values,) = function(*(tf.constant(array[sample : sample + 1]) for _, array in fed))
        rows.append(np.asarray(values).reshape(-1, values.shape[-1]))
    return np.concatenate(rows)

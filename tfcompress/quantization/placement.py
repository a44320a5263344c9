"""Where a `.tflite` file rounds: which outputs have an integer grid of their own, and which share or inherit one.

A quantization-aware model is worth what it has in common with the file. So this follows the quantizer and the kernels
(https://ai.google.dev/edge/litert/models/quantization_spec), layer by layer of a model whose batch norm is folded:

- A convolution, Dense or addition whose only reader is a ReLU is one operator with it: only the ReLU's output exists.
- Concatenation has one grid on both sides: what only it reads gets its grid.
- Max pooling, reshaping and padding keep the grid of what they read; average pooling too, but rounds to it.
- Softmax, sigmoid and tanh have grids that no training changes.

Any other layer is skipped: it computes in float while training, and its range is calibrated when the file is made. So
is a layer whose kernel the converter multiplies by constants beside it that could not be folded, which makes it another
one in the file.
TF-MOT's default 8-bit scheme knows no Conv1D and leaves kernels before a separate ReLU unrounded
(`LayerReLUQuantize` in default_8bit_transforms.py); both are handled here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tfcompress.model import Skipped

Role = Literal["computes", "own", "relu", "joins", "passes", "vanishes", "averages", "positive", "signed", "unknown"]

_CLASSES: Mapping[str, Role] = {
    **dict.fromkeys(("Conv1D", "Conv2D", "DepthwiseConv1D", "DepthwiseConv2D", "Conv2DTranspose", "Dense"), "computes"),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "LeakyReLU"), "own"),
    **dict.fromkeys(("GlobalAveragePooling1D", "GlobalAveragePooling2D"), "own"),
    "Concatenate": "joins",
    **dict.fromkeys(("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D"), "passes"),
    **dict.fromkeys(("Flatten", "Reshape", "Permute", "RepeatVector", "Cropping1D", "Cropping2D"), "passes"),
    **dict.fromkeys(("ZeroPadding1D", "ZeroPadding2D"), "passes"),
    **dict.fromkeys(("Dropout", "SpatialDropout1D", "SpatialDropout2D", "ActivityRegularization"), "vanishes"),
    **dict.fromkeys(("GaussianNoise", "GaussianDropout", "AlphaDropout"), "vanishes"),
    **dict.fromkeys(("AveragePooling1D", "AveragePooling2D"), "averages"),
    "Softmax": "positive",
}  # fmt: skip

_FUNCTIONS: Mapping[str, Role] = {
    **dict.fromkeys(("relu", "relu6"), "relu"),
    **dict.fromkeys(("swish", "silu", "gelu"), "own"),
    **dict.fromkeys(("softmax", "sigmoid"), "positive"),
    "tanh": "signed",
    "linear": "vanishes",
}

# Functions of keras.ops that a Keras 3 model calls without a layer.
_OPERATIONS: Mapping[str, Role] = {
    **_FUNCTIONS,
    **dict.fromkeys(("add", "subtract", "multiply"), "own"),
    **dict.fromkeys(("reshape", "transpose", "squeeze", "expand_dims"), "passes"),
    "concatenate": "joins",
}

_FUSES_RELU = frozenset({"Add", "Subtract", "Multiply", "Operator"})
_OWN_GRID = frozenset({"computes", "own", "relu", "joins"})


@dataclass(frozen=True)
class Placement:
    """Where a model is rounded.

    Attributes:
        kernels: layers whose kernel is rounded.
        outputs: layers and model inputs whose output has a grid of its own, in the model's order.
        shared: layer -> the layer or input of `outputs`, or of `fixed`, to whose grid its output is rounded.
        reads: layer of `kernels` -> the layer or input of `outputs` or `fixed` whose grid its input has.
        fixed: layer -> `positive` (softmax, sigmoid) or `signed` (tanh): the grid that its kernel has.
        ends: layers whose output is an output of the model.
        skipped: layers that are not rounded, and why.
    """

    kernels: tuple[str, ...]
    outputs: tuple[str, ...]
    shared: Mapping[str, str]
    reads: Mapping[str, str]
    fixed: Mapping[str, Literal["positive", "signed"]]
    ends: frozenset[str]
    skipped: tuple[Skipped, ...]


def place(model: Any, unfolded: Mapping[str, str] | None = None) -> Placement:
    """Finds where the file will round.

    Args:
        model: a flat functional tf_keras model, simplified, its batch normalization folded; only read.
        unfolded: layer -> reason, for each batch normalization or other constant that could not be folded.

    Returns:
        Names of layers and model inputs.
    """
    from converters.keras_models.absorbed import absorbing

    graph = _Graph(model)
    stays = "it stays a step of its own"
    reasons = {name: f"{stays}: {why}" for name, why in (unfolded or {}).items()}
    reasons |= graph.constant_arithmetic() | absorbing(model)
    roles = {name: "unknown" if name in reasons else role_of(layer) for name, layer in graph.layers.items()}
    merged = {name for name, role in roles.items() if role in _OWN_GRID and graph.merges(name, roles)}
    own = tuple(name for name, role in roles.items() if role in _OWN_GRID and name not in merged)
    fixed: dict[str, Any] = {name: role for name, role in roles.items() if role in ("positive", "signed")}
    outputs = (*graph.float_inputs, *own)
    known = {*outputs, *fixed}
    sources = {name: graph.source(name, roles) for name, role in roles.items() if role in ("averages", "computes")}
    sources = {name: source for name, source in sources.items() if source in known}
    skipped = [_skipped(graph.layers[name], reasons) for name, role in roles.items() if role == "unknown"]
    return Placement(
        tuple(name for name, role in roles.items() if role == "computes"),
        outputs,
        {name: source for name, source in sources.items() if roles[name] == "averages"},
        {name: source for name, source in sources.items() if roles[name] == "computes"},
        fixed,
        frozenset(graph.ends),
        tuple(skipped),
    )


def role_of(layer: Any) -> Role:
    """What a layer's operators do to the integer grid of what they read."""
    name = type(layer).__name__
    if type(layer).__module__.partition(".")[0] not in ("tf_keras", "keras", "converters"):
        return "unknown"
    if name == "Operator":
        return _OPERATIONS.get(layer.operation, "unknown")
    if name == "Activation":
        return _FUNCTIONS.get(getattr(layer.activation, "__name__", ""), "unknown")
    if name == "ReLU":
        plain = layer.max_value in (None, 6) and not layer.negative_slope and not layer.threshold
        return "relu" if plain else "own"
    if name == "UpSampling2D":
        return "passes" if layer.interpolation == "nearest" else "averages"
    role = _CLASSES.get(name, "unknown")
    fuses = getattr(getattr(layer, "activation", None), "__name__", "linear") in ("linear", "relu", "relu6")
    return role if role != "computes" or fuses else "unknown"


def _skipped(layer: Any, reasons: Mapping[str, str]) -> Skipped:
    what = type(layer).__name__
    if layer.name in reasons:
        reason = reasons[layer.name]
    elif what == "Operator":
        reason = f"the 8-bit scheme has no rule for the operation {layer.operation!r}"
    elif what == "Activation" or getattr(layer, "activation", None) is not None and what in _CLASSES:
        called = getattr(layer.activation, "__name__", type(layer.activation).__name__)
        reason = f"the 8-bit scheme has no rule for the activation {called!r}"
    else:
        reason = f"the 8-bit scheme has no rule for {what} layers"
    return Skipped(layer.name, f"{reason}; it trains in float, and its ranges are calibrated")


@dataclass
class _Graph:
    """Who makes a tensor and who reads it."""

    model: Any
    layers: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from converters.keras_models.rebuilding import nodes

        self._maker: dict[int, Any] = {}
        self._readers: dict[int, list[Any]] = {}
        for node in nodes(self.model):
            self.layers[node.layer.name] = node.layer
            self.calls.setdefault(node.layer.name, []).append(node)
            for tensor in node.outputs:
                self._maker[id(tensor)] = node
            for tensor in node.inputs:
                self._readers.setdefault(id(tensor), []).append(node)
        self._inputs = dict(zip(map(id, self.model.inputs), self.model.input_names, strict=True))
        floats = (tensor.dtype.is_floating for tensor in self.model.inputs)
        self.float_inputs = tuple(
            name for name, is_float in zip(self.model.input_names, floats, strict=True) if is_float
        )
        self._outputs = {id(tensor) for tensor in self.model.outputs}
        self.ends = {self._maker[number].layer.name for number in self._outputs if number in self._maker}

    def constant_arithmetic(self) -> dict[str, str]:
        """Operations with a constant, which the converter may give to a neighbour: layer -> why it is not rounded."""
        from converters.keras_models.constants import is_constant_arithmetic

        return {
            name: "arithmetic with a constant may become part of a neighbour in the file"
            for name, calls in self.calls.items()
            if type(self.layers[name]).__name__ == "Operator" and any(map(is_constant_arithmetic, calls))
        }

    def merges(self, name: str, roles: Mapping[str, Role]) -> bool:
        """Whether the output of each call of a layer gets its grid from the one layer that reads it."""
        return all(self._call_merges(node, roles) for node in self.calls[name])

    def _call_merges(self, node: Any, roles: Mapping[str, Role]) -> bool:
        tensor = node.outputs[0]
        while True:
            readers = self._readers.get(id(tensor), [])
            if len(readers) != 1 or id(tensor) in self._outputs:
                return False
            reader = readers[0].layer
            if roles[reader.name] != "vanishes":
                break
            tensor = readers[0].outputs[0]
        if roles[reader.name] == "relu":
            layer = node.layer
            linear = getattr(getattr(layer, "activation", None), "__name__", "linear") == "linear"
            return linear and (roles[layer.name] == "computes" or _fuses(layer))
        return roles[reader.name] == "joins"

    def source(self, name: str, roles: Mapping[str, Role]) -> str:
        """The layer or input whose grid a layer's input has; empty where its calls differ in that."""
        sources = {self._source(call.inputs[0], roles) for call in self.calls[name]}
        return sources.pop() if len(sources) == 1 else ""

    def _source(self, tensor: Any, roles: Mapping[str, Role]) -> str:
        while id(tensor) not in self._inputs:
            maker = self._maker[id(tensor)]
            if roles[maker.layer.name] not in ("passes", "vanishes", "averages"):
                return str(maker.layer.name)
            tensor = maker.inputs[0]
        return str(self._inputs[id(tensor)])


def _fuses(layer: Any) -> bool:
    return type(layer).__name__ in _FUSES_RELU and role_of(layer) == "own"

"""What the constants of a `.tflite` file are for: weights, biases, or operands that steer an operator.

- *biases*: what stands at the bias input of a convolution, a fully connected or a recurrent operator.
- *graph*: integers without a scale (int32, int64, bool, strings): shapes, axes, paddings, indices. They are part of
  how the operators are wired, hold nothing that was learned, and never shrink with the weights.
- *weights*: every other constant: kernels, matrices, tables, the constant operand of an ADD or MUL, PReLU slopes.

A DEQUANTIZE or DENSIFY operator stands between the stored constant and its consumer; it is looked through. What a
DECODE operator restores is a constant itself, and has the role of its consumer's input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, Protocol

Role = Literal["weights", "biases", "graph"]

# Operator -> its inputs that are biases. Sources: the operators' kernels in tensorflow/lite/kernels.
_BIASES: Mapping[str, tuple[int, ...]] = {
    "CONV_2D": (2,),
    "DEPTHWISE_CONV_2D": (2,),
    "FULLY_CONNECTED": (2,),
    "TRANSPOSE_CONV": (3,),
    "CONV_3D": (2,),
    "CONV_3D_TRANSPOSE": (3,),
    "RNN": (3,),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (3,),
    "BIDIRECTIONAL_SEQUENCE_RNN": (3, 7),
    "SVDF": (3,),
    "LSTM": (12, 13, 14, 15, 17),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (12, 13, 14, 15, 17),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (12, 13, 14, 15, 17, 29, 30, 31, 32, 34),
}

# Operator -> the input that is its weight, which names the operator's layer best.
_WEIGHTS: Mapping[str, int] = {
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "FULLY_CONNECTED": 1,
    "TRANSPOSE_CONV": 1,
    "CONV_3D": 1,
    "CONV_3D_TRANSPOSE": 1,
    "BATCH_MATMUL": 1,
    "PRELU": 1,
    "EMBEDDING_LOOKUP": 1,
    "GATHER": 0,
    "RNN": 1,
    "SVDF": 1,
    "UNIDIRECTIONAL_SEQUENCE_RNN": 1,
    "BIDIRECTIONAL_SEQUENCE_RNN": 1,
    "LSTM": 2,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 2,
    "BIDIRECTIONAL_SEQUENCE_LSTM": 2,
}

# Operators whose output k restores input k.
_RESTORES = frozenset({"DEQUANTIZE", "DENSIFY"})
_STEERING_DTYPES = frozenset({"int32", "int64", "uint32", "bool", "string"})


class _Tensor(Protocol):
    @property
    def dtype(self) -> str: ...
    @property
    def elements(self) -> int: ...
    @property
    def is_constant(self) -> bool: ...
    @property
    def is_quantized(self) -> bool: ...


class _Operator(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> tuple[int, ...]: ...
    @property
    def outputs(self) -> tuple[int, ...]: ...


def stored_in(operators: Iterable[_Operator], tensors: Sequence[_Tensor]) -> dict[int, int]:
    """Tensors that are restored when the model runs -> the constants that they are restored from."""
    found: dict[int, int] = {}
    for operator in operators:
        if operator.name not in _RESTORES:
            continue
        for output, source in zip(operator.outputs, operator.inputs, strict=False):
            if source >= 0 and tensors[source].is_constant:
                found[output] = source
    return found


def biases_of(operator: _Operator) -> tuple[int, ...]:
    """The tensors at the operator's bias inputs."""
    slots = _BIASES.get(operator.name, ())
    # The BASIC kind of LSTM has five inputs only: data, previous activation, weights, bias, previous state.
    if operator.name == "LSTM" and len(operator.inputs) == 5:
        slots = (3,)
    return tuple(operator.inputs[slot] for slot in slots if slot < len(operator.inputs) and operator.inputs[slot] >= 0)


def bias_lacks_scale(operators: Iterable[_Operator], tensors: Sequence[_Tensor]) -> bool:
    """Whether a quantized operator has a bias of plain integers, which LiteRT does not take."""
    for operator in operators:
        data = tensors[operator.inputs[0]] if operator.inputs and operator.inputs[0] >= 0 else None
        if data is not None and data.is_quantized:
            biases = [tensors[index] for index in biases_of(operator)]
            if any(bias.dtype in ("int32", "int64") and not bias.is_quantized for bias in biases):
                return True
    return False


def weight_of(operator: _Operator) -> int | None:
    """The tensor at the operator's weight input; None for an operator that has no such input."""
    slot = _WEIGHTS.get(operator.name)
    if slot is None or slot >= len(operator.inputs) or operator.inputs[slot] < 0:
        return None
    return operator.inputs[slot]


def roles(operators: Sequence[_Operator], tensors: Sequence[_Tensor]) -> list[Role | None]:
    """What each tensor of a graph is for; None where it is no constant."""
    stored = stored_in(operators, tensors)
    biases = {stored.get(index, index) for operator in operators for index in biases_of(operator)}
    found: list[Role | None] = []
    for index, tensor in enumerate(tensors):
        if not tensor.is_constant:
            found.append(None)
        elif index in biases:
            found.append("biases")
        else:
            steers = tensor.dtype in _STEERING_DTYPES and not tensor.is_quantized
            found.append("graph" if steers else "weights")
    return found

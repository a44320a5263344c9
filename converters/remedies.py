"""What to do about an operator that a file should not have, in plain words."""

from __future__ import annotations

from collections.abc import Mapping

# What came of which Keras layer or call, and what to write instead.
_CUSTOM: Mapping[str, str] = {
    "Erf": "replace the exact gelu by its tanh approximation (approximate=True), or use --dtype float16",
    "Erfc": "replace the exact gelu by its tanh approximation (approximate=True), or use --dtype float16",
    "TensorListReserve": "unroll the recurrent layer (unroll=True), or use a fixed batch and LSTM",
    "TensorListStack": "unroll the recurrent layer (unroll=True), or use a fixed batch and LSTM",
    "TensorListSetItem": "unroll the recurrent layer (unroll=True), or use a fixed batch and LSTM",
    "TensorListFromTensor": "unroll the recurrent layer (unroll=True), or use a fixed batch and LSTM",
    "TensorListGetItem": "unroll the recurrent layer (unroll=True), or use a fixed batch and LSTM",
    "Softplus": "replace softplus by relu or by log(1 + exp(x)) of builtin operators",
    "CropAndResize": "resize and crop before the model",
    "ImageProjectiveTransformV3": "take the augmentation layer out of the model that ships",
    "StatelessRandomUniformV2": "take the random layer out of the model that ships",
    "RFFT": "compute the spectrum before the model",
}

_FLOAT: Mapping[str, str] = {
    "GELU": "use relu or hard swish there, or --dtype float16",
    "ELU": "use relu or leaky relu there, or --dtype float16",
    "POW": "write the power as products, or use --dtype float16",
    "DIV": "multiply by the reciprocal if it is a constant, or use --dtype float16",
    "SIN": "compute it before the model, or use --dtype float16",
    "COS": "compute it before the model, or use --dtype float16",
    "EXP": "use softmax or sigmoid there if that is what it makes, or --dtype float16",
    "RANDOM_UNIFORM": "take the random layer out of the model that ships",
    "RANDOM_STANDARD_NORMAL": "take the random layer out of the model that ships",
    "LOCAL_RESPONSE_NORMALIZATION": "use batch normalization there, which is folded into the weights",
    "QUANTIZE": "ask for float inputs and outputs with --io float32, or convert with an integer --io",
    "DEQUANTIZE": "ask for float inputs and outputs with --io float32, or convert with an integer --io",
}

# They have integer kernels, so another cause left them in float.
_QUANTIZABLE = frozenset({
    "ADD", "AVERAGE_POOL_2D", "BATCH_MATMUL", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED",
    "LOGISTIC", "MAX_POOL_2D", "MEAN", "MUL", "PAD", "RELU", "RELU6", "RESHAPE", "SOFTMAX", "SPLIT", "STRIDED_SLICE",
    "SUB", "TANH", "TRANSPOSE", "TRANSPOSE_CONV", "UNIDIRECTIONAL_SEQUENCE_LSTM",
})  # fmt: skip

# What a batch of open size leaves in the graph.
_DYNAMIC = frozenset({"SHAPE", "PACK", "STRIDED_SLICE", "BROADCAST_ARGS", "FILL", "RANGE"})


def fix_for_custom(operator: str) -> str:
    """What to do about an operator that is not a builtin one; TensorFlow's own are called `Flex` and their name."""
    if not operator.startswith("Flex"):
        return "replace the layer by builtin ones, or name a target whose runtime has this operator"
    name = operator.removeprefix("Flex")
    return _CUSTOM.get(name, "replace it by operations that TFLite has, or use --dtype float16 on a runtime with Flex")


def fix_for_float(operator: str) -> str:
    """What to do about an operator that was left in float."""
    if operator in _QUANTIZABLE:
        return "it has an integer kernel: convert the float model again, with calibration data that reaches this layer"
    other = "replace the layer by one with an integer kernel, or use --dtype float16"
    return _FLOAT.get(operator, other)


def fix_for_kernel(operator: str, dtype: str, kernels: tuple[str, ...]) -> str:
    """What to do about an operator that a runtime cannot run in this type.

    Args:
        operator: its name.
        dtype: the type of its data.
        kernels: types that the runtime has kernels for.
    """
    if operator in _DYNAMIC:
        return "convert with a fixed batch of 1, which removes it, or choose another target"
    if kernels:
        return f"it has kernels for {', '.join(kernels)}: use that --dtype, replace the layer, or choose another target"
    return "replace the layer, or choose another target"

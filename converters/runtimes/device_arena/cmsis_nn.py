"""Scratch memory of CMSIS-NN under TFLM, by the library's own formulas, in bytes.

Sources: ARM-software/CMSIS-NN at 4ab83cc3, the commit that tflite-micro's ext_libs/cmsis_nn_download.sh pins; functions
`arm_*_get_buffer_size` in Source/*/arm_*_get_buffer_sizes_*.c. Who calls them with what: Prepare in
tensorflow/lite/micro/kernels/cmsis_nn/*.cc. `simd` is `none` (Cortex-M0, M0+, M3), `dsp` (M4, M7, M33) or `mve` (M55,
M85), as ARM_MATH_DSP and ARM_MATH_MVEI are defined by arm_nn_math_types.h; built with GCC or Clang (Arm's own compiler,
armclang, takes 4 bytes per input channel more for a 1x1 convolution with `dsp`), and with KERNELS_OPTIMIZED_FOR_SPEED,
TFLM's default, by which sums of constant weights lie in the tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from converters.runtimes.device_arena import reference
from converters.runtimes.device_arena.layer import Dims, Layer, Pair, channels_last, dims
from converters.runtimes.device_arena.lifetimes import is_stored
from converters.runtimes.device_arena.reference import Sizes

SIMD = ("none", "dsp", "mve")
# Include/arm_nnsupportfunctions.h: CH_IN_BLOCK_MVE, MAX of the fast int16 depthwise window,
# REVERSE_TCOL_EFFICIENT_THRESHOLD, CONVERT_DW_CONV_WITH_ONE_INPUT_CH_AND_OUTPUT_CH_ABOVE_THRESHOLD (not armclang).
_MVE_CHANNELS = 124
_FAST_S16_WINDOW = 512
_REVERSE_ABOVE = 16
_AS_CONVOLUTION_ABOVE = 1


def scratch(layer: Layer, simd: str, pointer: int = 4) -> Sizes:
    """The buffers that one operator asks for, in the order of its requests; of no bytes only where it does so, too."""
    rule = _RULES.get(layer.name)
    sizes = rule(layer, simd) if rule else reference.scratch(layer, pointer)
    return tuple(size for size in sizes if size > 0 or layer.name == "TRANSPOSE_CONV")


def persistent(layer: Layer, simd: str) -> Sizes:
    """What one operator keeps in the tail beyond the reference kernel."""
    if layer.name == "FULLY_CONNECTED" and _keeps_sums(layer):
        return _if_any(fully_connected_s8(simd, channels_last(layer.outputs[0])))
    if layer.name == "SVDF" and layer.dtype == "int8":
        # svdf.cc (CmsisNnPrepareSvdf): arm_svdf_s8_get_buffer_size
        return _if_any(4 * layer.tensor(1).shape[0] if simd == "mve" else 0)
    if layer.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" and layer.dtype in ("int8", "int16"):
        # unidirectional_sequence_lstm.cc (CMSIS_NN_PortOpData): two sums of weights for each of four gates
        return (layer.tensor(18).shape[1] * (4 if layer.dtype == "int8" else 8),) * 8
    return ()


def absent(layer: Layer) -> Sizes:
    """What the reference kernel keeps in the tail and this one does not.

    cmsis_nn/conv.cc, cmsis_nn/depthwise_conv.cc (Prepare): multipliers and shifts per channel only for integers.
    """
    if layer.name not in ("CONV_2D", "DEPTHWISE_CONV_2D") or layer.dtype in ("int8", "int16"):
        return ()
    weight = layer.tensor(1)
    return (4 * weight.shape[0 if layer.name == "CONV_2D" else -1],) * 2


# --- the library's formulas, named as there ---------------------------------------------------------------------


def convolve_s8(simd: str, source: Dims, window: Dims) -> int:
    """arm_convolve_s8_get_buffer_size: im2col, two columns of int16, or with MVE four of int8 in whole registers."""
    column = source.c * window.w * window.h
    return 4 * _round(column, 16) if simd == "mve" else 2 * _round(column, 4) * 2


def convolve_wrapper_s8(
    simd: str, source: Dims, window: Dims, target: Dims, *, stride: Pair, padding: Pair, dilation: Pair
) -> int:
    """arm_convolve_wrapper_s8_get_buffer_size."""
    whole = source.c == window.c
    if padding == (0, 0) and (window.h, window.w) == (1, 1) and dilation == (1, 1) and whole:
        return 0  # arm_convolve_1x1_s8_fast or arm_convolve_1x1_s8
    flat = source.h == 1 and dilation.w == 1 and window.h == 1 and stride.w * source.c % 4 == 0 and whole
    if flat and simd == "mve":
        return _convolve_1_x_n_s8_mve(source, window, target, stride.w, padding.w)
    return convolve_s8(simd, source, window)


def _convolve_1_x_n_s8_mve(source: Dims, window: Dims, target: Dims, stride: int, padding: int) -> int:
    """arm_convolve_1_x_n_s8_get_buffer_size_mve, with C's division towards zero."""
    uneven = int(math.fmod((target.w - 1) * stride + window.w - source.w, 2))
    right = max(1, int((padding + uneven + stride - 1) / stride)) if padding + uneven != 0 else 0
    left = max(1, (padding + stride - 1) // stride) if padding else 0
    if right + max(target.w - (right + left), 0) + left != target.w:
        return convolve_s8("mve", source, window)
    left_elements = padding * source.c
    right_elements = right * source.c if uneven else left_elements
    row = window.w * source.c
    return max(row + left_elements, row - source.c + right_elements)


def convolve_s16(simd: str, source: Dims, window: Dims) -> int:
    """arm_convolve_wrapper_s16_get_buffer_size."""
    column = source.c * window.w * window.h
    return 4 * _round(column, 8) * 2 if simd == "mve" else 2 * column * 2


def depthwise_wrapper_s8(
    simd: str, source: Dims, window: Dims, target: Dims, *, stride: Pair, padding: Pair, dilation: Pair
) -> int:
    """arm_depthwise_conv_wrapper_s8_get_buffer_size."""
    if simd == "mve" and source.c == 1 and target.c > _AS_CONVOLUTION_ABOVE:
        # arm_deptwise_conv_s8_one_in_ch_get_buffer_size_mve: a convolution, with the weights turned
        turned = Dims(window.c, window.h, window.w, window.n)
        size = convolve_wrapper_s8(simd, source, turned, target, stride=stride, padding=padding, dilation=dilation)
        return size + math.prod(window)
    if source.c != target.c or source.n != 1 or dilation != (1, 1):
        return 0
    if simd != "mve" and (window.h, window.w) == (3, 3) and max(padding) <= 1:
        return 0  # arm_depthwise_conv_3x3_s8
    return _depthwise_opt(simd, source, window)


def depthwise_wrapper_s4(simd: str, source: Dims, window: Dims, target: Dims, *, dilation: Pair) -> int:
    """arm_depthwise_conv_wrapper_s4_get_buffer_size."""
    if source.c != target.c or source.n != 1 or dilation != (1, 1):
        return 0
    return _depthwise_opt("mve" if simd == "mve" else "dsp", source, window)


def _depthwise_opt(simd: str, source: Dims, window: Dims) -> int:
    """arm_depthwise_conv_s8_opt_get_buffer_size."""
    area = window.w * window.h
    return {"none": 0, "dsp": source.c * area * 2, "mve": 4 * _MVE_CHANNELS * area}[simd]


def fully_connected_s8(simd: str, units: int) -> int:
    """arm_fully_connected_s8_get_buffer_size: a sum of weights per output."""
    return 4 * units if simd == "mve" else 0


def average_pool(simd: str, channels: int) -> int:
    """arm_avgpool_s8_get_buffer_size, arm_avgpool_s16_get_buffer_size: a sum per channel."""
    return 4 * channels if simd == "dsp" else 0


def transpose_conv_s8(simd: str, source: Dims, window: Dims, target: Dims, stride: Pair) -> tuple[int, int]:
    """arm_transpose_conv_s8_get_buffer_size and arm_transpose_conv_s8_get_reverse_conv_buffer_size."""
    if max(stride) <= 2 and source.c > _REVERSE_ABOVE:
        spread = Dims(source.n, source.h * stride.h, source.w * stride.w, source.c)
        return convolve_s8(simd, spread, window), source.c * window.w * window.h * window.n
    # The width is taken with the stride of the height there, too.
    columns = ((source.w - 1) * stride.w + max(window.w, stride.h)) * target.c
    return columns * max(window.h, stride.h) * 4, 0


# --- what TFLM's kernels ask of them ----------------------------------------------------------------------------


def _convolution(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/conv.cc (Prepare)."""
    source, weight, target = dims(layer.tensor(0)), dims(layer.tensor(1)), dims(layer.outputs[0])
    window = Dims(1, *weight[1:])
    if layer.dtype == "int8":
        padding = layer.padding(source, window)
        size = convolve_wrapper_s8(
            simd, source, window, target, stride=layer.stride, padding=padding, dilation=layer.dilation
        )
        return (size,)
    bias = layer.optional(2)
    if layer.dtype == "int16" and (bias is None or bias.dtype == "int64"):
        return (convolve_s16(simd, source, window),)
    return ()


def _depthwise(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/depthwise_conv.cc (Prepare): of int8 only."""
    if layer.dtype != "int8":
        return ()
    source, weight, target = dims(layer.tensor(0)), dims(layer.tensor(1)), dims(layer.outputs[0])
    window = Dims(1, weight.h, weight.w, target.c)
    if layer.tensor(1).dtype == "int4":
        return (depthwise_wrapper_s4(simd, source, window, target, dilation=layer.dilation),)
    padding = layer.padding(source, window)
    size = depthwise_wrapper_s8(
        simd, source, window, target, stride=layer.stride, padding=padding, dilation=layer.dilation
    )
    return (size,)


def _fully_connected(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/fully_connected.cc (Prepare)."""
    weight, target = layer.tensor(1), layer.outputs[0]
    if layer.dtype != "int8" or weight.dtype == "int4":
        return ()
    if _is_1x1(layer):
        # A scale per tensor is spread over the channels; arm_convolve_1x1_s8_fast itself needs nothing.
        return () if len(weight.scales) > 1 else (channels_last(target) * 4 * 2,)
    return () if _keeps_sums(layer) else (fully_connected_s8(simd, channels_last(target)),)


def _is_1x1(layer: Layer) -> bool:
    return len(layer.outputs[0].shape) > 2 and channels_last(layer.tensor(1)) % 4 == 0


def _keeps_sums(layer: Layer) -> bool:
    if layer.dtype != "int8" or layer.tensor(1).dtype == "int4" or _is_1x1(layer):
        return False
    bias = layer.optional(2)
    return is_stored(layer.tensor(1)) and (bias is None or is_stored(bias))


def _average_pool(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/pooling.cc (AveragePrepare)."""
    return (average_pool(simd, channels_last(layer.tensor(0))),) if layer.dtype in ("int8", "int16") else ()


def _batch_matmul(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/batch_matmul.cc (Prepare): a sum per column of the output."""
    return (fully_connected_s8(simd, channels_last(layer.outputs[0])),) if layer.dtype == "int8" else ()


def _transposed(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/transpose_conv.cc (Prepare)."""
    if layer.dtype != "int8":
        return reference.transposed(layer)
    source, weight, target = dims(layer.tensor(2)), dims(layer.tensor(1)), dims(layer.outputs[0])
    return transpose_conv_s8(simd, source, weight, target, layer.stride)


def _lstm(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/unidirectional_sequence_lstm.cc: three gates of integers, four of floats."""
    return reference.lstm(layer, 3 if layer.dtype in ("int8", "int16") else 4)


def _svdf(layer: Layer, simd: str) -> Sizes:
    """cmsis_nn/svdf.cc: as the reference kernel."""
    return reference.svdf(layer)


def _if_any(size: int) -> Sizes:
    return (size,) if size > 0 else ()


def _round(size: int, step: int) -> int:
    return -(-size // step) * step


_RULES: dict[str, Callable[[Layer, str], Sizes]] = {
    "AVERAGE_POOL_2D": _average_pool,
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transposed,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}

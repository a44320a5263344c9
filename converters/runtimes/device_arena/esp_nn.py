"""Scratch memory of ESP-NN under TFLM, by the library's own formulas, in bytes.

Sources: espressif/esp-nn 1.2.3 (d45b843), functions `esp_nn_get_*_scratch_size_*` in src/; who calls them with what:
Prepare in tensorflow/lite/micro/kernels/esp_nn/*.cc of espressif/esp-tflite-micro 1.4.0. `simd` is `esp32s3` or
`esp32p4` for the chips with vector instructions, `none` for all others (generic optimizations).
"""

from __future__ import annotations

from collections.abc import Callable

from converters.runtimes.device_arena import reference
from converters.runtimes.device_arena.layer import Dims, Layer, Pair, dims
from converters.runtimes.device_arena.reference import Sizes

SIMD = ("none", "esp32s3", "esp32p4")
# Bytes up to which the library works on a whole input, esp_nn_conv_esp32p4.c (L1D_BUDGET) and
# esp_nn_depthwise_conv_s8_esp32s3.c.
_P4_BUDGET = 32768
_S3_INPUT = 40 * 1024
_S3_INPUT_S16 = 48 * 1024
_S3_MARGIN = 64
_P4_MARGIN = 32


def scratch(layer: Layer, simd: str, pointer: int = 4) -> Sizes:
    """The buffers that one operator asks for, in the order of its requests; without those of no bytes."""
    rule = _RULES.get(layer.name)
    own = rule(layer, simd) if rule else ()
    return tuple(size for size in reference.scratch(layer, pointer) + own if size > 0)


# --- the library's formulas -------------------------------------------------------------------------------------


def convolve_s3(source: Dims, window: Dims, target: Dims, *, stride: Pair, padding: Pair) -> int:
    """esp_nn_get_conv_scratch_size_esp32s3."""
    if _is_1x1(window, stride, padding):
        return _pointwise(source, target) + _S3_MARGIN
    row, column = window.w * source.c, window.w * window.h * source.c
    if row < 16 <= column:
        long = _round(column, 16)
        return target.c * 4 + 16 + target.c * long + 16 + long + _S3_MARGIN
    padded = (source.w + 2 * padding.w) * (source.h + 2 * padding.h) * source.c if any(padding) else 0
    weights = window.w * window.h * _round(source.c, 16) * target.c
    aligned_weights = _round(row, 16) * window.h * target.c
    right = max(0, target.w * stride.w + window.w - 1 - source.w)
    bottom = max(0, target.h * stride.h + window.h - 1 - source.h)
    edges = (source.w + right) * (source.h + bottom) * source.c if right or bottom else 0
    return padded + weights + aligned_weights + edges + _S3_MARGIN + target.c * 4


def convolve_p4(source: Dims, window: Dims, target: Dims, *, stride: Pair, padding: Pair) -> int:
    """esp_nn_get_conv_scratch_size_esp32p4."""
    if _is_1x1(window, stride, padding):
        if source.c < 16:
            return target.c * 4 + 16 * target.c + 32 + _P4_MARGIN
        return _pointwise(source, target) + _P4_MARGIN
    always = target.c * 4 + _P4_MARGIN
    if not any(padding) and window.w * source.c >= 16:
        return window.w * window.h * _round(source.c, 16) * target.c + always
    column = window.w * window.h * source.c
    if column >= 16:
        return column + always
    channels = _round(-(-16 // window.w), 16)
    weights = window.w * window.h * channels * target.c
    if not any(padding):
        return weights + source.w * source.h * channels + always
    padded = (source.w + 2 * padding.w) * (source.h + 2 * padding.h) * source.c
    if padded + target.c * 4 <= _P4_BUDGET:
        return padded + window.w * window.h * _round(source.c, 16) * target.c + always
    # Beyond the budget in rows; a window this small has fewer than 16 bytes in a row.
    row = (source.w + 2 * padding.w) * channels
    budget, rows = _P4_BUDGET - target.c * 4 - weights, 1
    if budget > 0 and window.h * row <= budget:
        rows = min((budget - window.h * row) // (stride.h * row) + 1, target.h)
    return ((rows - 1) * stride.h + window.h + 2 * padding.h) * row + weights + always


def depthwise_s3(source: Dims, window: Dims, target: Dims, *, multiplier: int, stride: Pair, padding: Pair) -> int:
    """esp_nn_get_depthwise_conv_scratch_size_esp32s3."""
    weights = window.w * window.h * source.c * multiplier
    whole = source.w * source.h * source.c
    if multiplier == 1 and source.c % 8 == 0:
        if (window.h, window.w) == (3, 3):
            return _depthwise_3x3_s3(source, target, stride=stride, padding=padding)
        in_words = 2 * (weights + whole)
        rows = 2 * weights + 2 * source.w * window.h * source.c
        return (in_words if in_words <= _S3_INPUT_S16 else rows) + 32
    if multiplier == 1 and source.c > 3:
        return _depthwise_padded_s3(source, window, target)
    return 2 * (weights + whole) + 32 if multiplier % 4 == 0 else 32


def _depthwise_3x3_s3(source: Dims, target: Dims, *, stride: Pair, padding: Pair) -> int:
    weights = 9 * source.c
    if source.c % 16 == 0:
        if any(padding):
            wide, high = 2 * padding.w, 2 * padding.h
        else:
            wide, high = target.w * stride.w + 2 - source.w, target.h * stride.h + 2 - source.h
        if not wide and not high:
            return weights + 16
        whole = (source.w + wide) * (source.h + high) * source.c
        strip = (source.w + wide) * 3 * source.c
        return weights + (whole if whole <= _S3_INPUT else strip) + 16
    if source.c < 12:
        return 2 * (weights + source.w * source.h * source.c) + 32
    channels = _round(source.c, 16)
    wide = 2 * padding.w + max(0, target.w * stride.w + 2 - source.w)
    high = 2 * padding.h + max(0, target.h * stride.h + 2 - source.h)
    return (9 + (source.w + wide) * (source.h + high) + target.w * target.h) * channels + 64


def _depthwise_padded_s3(source: Dims, window: Dims, target: Dims) -> int:
    channels = _round(source.c, 8)
    place = _round(window.w * window.h * channels * 2, 16)
    place = _round(place + source.w * source.h * channels * 2, 16)
    place = _round(place + target.w * target.h * channels, 16)
    return place + 3 * channels * 4 + 16


def _is_1x1(window: Dims, stride: Pair, padding: Pair) -> bool:
    return (window.h, window.w) == (1, 1) and padding == (0, 0) and stride == (1, 1)


def _pointwise(source: Dims, target: Dims) -> int:
    """Padded input, weights and turned blocks of a 1x1 convolution, the same on both chips."""
    channels = _round(source.c, 8)
    area = source.w * source.h
    padded = area * channels if source.c % 8 else 0
    return padded + channels * target.c + (2 * 8 * channels if area >= 8 else 0)


def _round(size: int, step: int) -> int:
    return -(-size // step) * step


# --- what TFLM's kernels ask of them ----------------------------------------------------------------------------


def _convolution(layer: Layer, simd: str) -> Sizes:
    """esp_nn/conv.cc (Prepare); esp_nn_get_conv_scratch_size_opt is 0."""
    if layer.dtype != "int8" or simd == "none":
        return ()
    source, window, target = dims(layer.tensor(0)), dims(layer.tensor(1)), dims(layer.outputs[0])
    formula = convolve_s3 if simd == "esp32s3" else convolve_p4
    return (formula(source, window, target, stride=layer.stride, padding=layer.padding(source, window)),)


def _depthwise(layer: Layer, simd: str) -> Sizes:
    """esp_nn/depthwise_conv.cc (Prepare); the formulas of esp32p4 and of the generic code are 0."""
    if layer.dtype != "int8" or simd != "esp32s3":
        return ()
    source, window, target = dims(layer.tensor(0)), dims(layer.tensor(1)), dims(layer.outputs[0])
    size = depthwise_s3(
        source,
        window,
        target,
        multiplier=int(layer.option("depth_multiplier")),
        stride=layer.stride,
        padding=layer.padding(source, window),
    )
    return (size,)


def _softmax(layer: Layer, simd: str) -> Sizes:
    """esp_nn/softmax.cc (Prepare): esp_nn_get_softmax_scratch_size_*, a word for each along the second axis."""
    if layer.dtype != "int8" or layer.outputs[0].dtype != "int8" or layer.rank < 2:
        return ()
    return (4 * layer.tensor(0).shape[1],)


_RULES: dict[str, Callable[[Layer, str], Sizes]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "SOFTMAX": _softmax,
}

"""The sizes that the kernel libraries ask for, against their own C code.

How the numbers were got: `arm_*_get_buffer_size` of ARM-software/CMSIS-NN 4ab83cc3 were compiled with gcc 12 on x86-64,
once plain, once with -DARM_MATH_DSP, once with -DARM_MATH_DSP -DARM_MATH_MVEI (without the intrinsics, which these
functions do not use), and `esp_nn_get_*_scratch_size_*` of espressif/esp-nn d45b843 likewise. 20,000 random layers
(600,000 sizes) agreed with the formulas here; a few of each stand below.
"""

from __future__ import annotations

import numpy as np
import pytest
from small_tflite import G, Op, T, build

from converters.flatbuffer import FlatBuffer
from converters.runtimes.device_arena import cmsis_nn, esp_nn, reference
from converters.runtimes.device_arena.layer import Dims, Layer, Pair, layers

# simd, then n h w c of input, weights and output, then height and width of stride, padding, dilation
CONVOLUTIONS = [
    ("none", (1, 32, 32, 1, 1, 2, 10, 1, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 80),
    ("none", (1, 8, 96, 64, 1, 10, 2, 64, 1, 3, 95, 3, 1, 1, 2, 0, 2, 1), 5120),
    ("none", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1, 1, 1, 0, 2, 1, 2), 544),
    ("none", (1, 1, 8, 300, 1, 3, 3, 150, 1, 1, 3, 2, 1, 3, 0, 1, 1, 1), 10800),
    ("none", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 384),
    ("dsp", (1, 32, 32, 1, 1, 2, 10, 1, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 80),
    ("dsp", (1, 8, 96, 64, 1, 10, 2, 64, 1, 3, 95, 3, 1, 1, 2, 0, 2, 1), 5120),
    ("dsp", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1, 1, 1, 0, 2, 1, 2), 544),
    ("dsp", (1, 1, 8, 300, 1, 3, 3, 150, 1, 1, 3, 2, 1, 3, 0, 1, 1, 1), 10800),
    ("dsp", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 384),
    ("mve", (1, 32, 32, 1, 1, 2, 10, 1, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 128),
    ("mve", (1, 8, 96, 64, 1, 10, 2, 64, 1, 3, 95, 3, 1, 1, 2, 0, 2, 1), 5120),
    ("mve", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1, 1, 1, 0, 2, 1, 2), 576),
    ("mve", (1, 1, 8, 300, 1, 3, 3, 150, 1, 1, 3, 2, 1, 3, 0, 1, 1, 1), 10816),
    ("mve", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 384),
    ("mve", (1, 1, 32, 8, 1, 1, 5, 8, 1, 1, 32, 8, 1, 1, 0, 2, 1, 1), 56),  # 1 x n
    ("dsp", (1, 25, 5, 64, 1, 1, 1, 64, 1, 25, 5, 64, 1, 1, 0, 0, 1, 1), 0),  # 1 x 1
]
DEPTHWISE = [
    ("none", (1, 32, 32, 1, 1, 2, 10, 8, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 0),
    ("dsp", (1, 32, 32, 1, 1, 2, 10, 8, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 0),
    ("dsp", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 192),
    ("dsp", (1, 1, 8, 1, 1, 5, 1, 1, 1, 1, 11, 1, 1, 1, 0, 1, 1, 1), 10),
    ("dsp", (1, 8, 10, 125, 1, 3, 5, 125, 1, 2, 7, 125, 3, 1, 0, 0, 1, 1), 3750),
    ("dsp", (1, 2, 96, 1, 1, 1, 3, 1, 1, 1, 94, 1, 3, 1, 0, 0, 1, 1), 6),
    ("mve", (1, 32, 32, 1, 1, 2, 10, 8, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 288),
    ("mve", (1, 8, 96, 64, 1, 10, 2, 3, 1, 3, 95, 3, 1, 1, 2, 0, 2, 1), 0),
    ("mve", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 2976),
    ("mve", (2, 32, 3, 1, 1, 3, 3, 64, 2, 15, 6, 64, 2, 1, 0, 2, 1, 1), 640),
    ("mve", (1, 1, 8, 1, 1, 5, 1, 1, 1, 1, 11, 1, 1, 1, 0, 1, 1, 1), 2480),
]
DEPTHWISE_INT4 = [
    ("none", (1, 32, 32, 1, 1, 2, 10, 8, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 0),
    ("none", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 192),
    ("none", (1, 1, 8, 1, 1, 5, 1, 1, 1, 1, 11, 1, 1, 1, 0, 1, 1, 1), 10),
    ("none", (1, 8, 10, 125, 1, 3, 5, 125, 1, 2, 7, 125, 3, 1, 0, 0, 1, 1), 3750),
    ("dsp", (1, 32, 32, 1, 1, 2, 10, 8, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 0),
    ("dsp", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 192),
    ("dsp", (1, 1, 8, 1, 1, 5, 1, 1, 1, 1, 11, 1, 1, 1, 0, 1, 1, 1), 10),
    ("dsp", (1, 8, 10, 125, 1, 3, 5, 125, 1, 2, 7, 125, 3, 1, 0, 0, 1, 1), 3750),
    ("mve", (1, 32, 32, 1, 1, 2, 10, 8, 1, 16, 8, 8, 2, 3, 0, 0, 2, 1), 0),
    ("mve", (1, 8, 3, 16, 1, 2, 3, 16, 1, 6, 1, 16, 2, 3, 2, 1, 1, 1), 2976),
    ("mve", (1, 1, 8, 1, 1, 5, 1, 1, 1, 1, 11, 1, 1, 1, 0, 1, 1, 1), 2480),
    ("mve", (1, 8, 10, 125, 1, 3, 5, 125, 1, 2, 7, 125, 3, 1, 0, 0, 1, 1), 7440),
]
CONVOLUTIONS_INT16 = [
    ("none", (1, 32, 32, 1, 1, 2, 10, 1, 1, 16, 8, 8), 80),
    ("none", (1, 8, 96, 64, 1, 10, 2, 64, 1, 3, 95, 3), 5120),
    ("none", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1), 540),
    ("dsp", (1, 32, 32, 1, 1, 2, 10, 1, 1, 16, 8, 8), 80),
    ("dsp", (1, 8, 96, 64, 1, 10, 2, 64, 1, 3, 95, 3), 5120),
    ("dsp", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1), 540),
    ("mve", (1, 32, 32, 1, 1, 2, 10, 1, 1, 16, 8, 8), 192),
    ("mve", (1, 8, 96, 64, 1, 10, 2, 64, 1, 3, 95, 3), 10240),
    ("mve", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1), 1088),
]
TRANSPOSED = [
    ("dsp", (1, 32, 32, 1, 8, 2, 10, 1, 1, 16, 8, 8, 2, 3), (6592, 0)),
    ("dsp", (1, 8, 96, 64, 3, 10, 2, 64, 1, 3, 95, 3, 1, 1), (5120, 3840)),
    ("dsp", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1, 1, 1), (1176, 0)),
    ("dsp", (1, 1, 8, 300, 2, 3, 3, 300, 1, 1, 3, 2, 1, 3), (576, 0)),
    ("dsp", (1, 8, 3, 16, 16, 2, 3, 16, 1, 6, 1, 16, 2, 3), (1152, 0)),
    ("mve", (1, 32, 32, 1, 8, 2, 10, 1, 1, 16, 8, 8, 2, 3), (6592, 0)),
    ("mve", (1, 8, 96, 64, 3, 10, 2, 64, 1, 3, 95, 3, 1, 1), (5120, 3840)),
    ("mve", (1, 5, 96, 15, 1, 3, 3, 15, 1, 3, 98, 1, 1, 1), (1176, 0)),
    ("mve", (1, 1, 8, 300, 2, 3, 3, 300, 1, 1, 3, 2, 1, 3), (576, 0)),
    ("mve", (1, 8, 3, 16, 16, 2, 3, 16, 1, 6, 1, 16, 2, 3), (1152, 0)),
]
# width height channels of input, weights and output, then width and height of stride and padding
ESP_S3 = [
    ((32, 32, 1, 10, 2, 1, 8, 16, 8, 3, 2, 0, 0), 416),
    ((96, 8, 64, 2, 10, 64, 95, 3, 3, 1, 1, 0, 2), 155212),
    ((96, 5, 15, 3, 3, 15, 98, 3, 1, 1, 1, 2, 0), 15356),
    ((8, 1, 300, 3, 3, 150, 3, 1, 2, 3, 1, 1, 0), 23916),
    ((3, 8, 16, 3, 2, 16, 1, 6, 16, 3, 2, 1, 2), 5200),
    ((1, 2, 24, 3, 5, 24, 1, 1, 8, 1, 1, 0, 0), 7496),
]
ESP_P4 = [
    ((32, 32, 1, 10, 2, 1, 8, 16, 8, 3, 2, 0, 0), 84),
    ((96, 8, 64, 2, 10, 64, 95, 3, 3, 1, 1, 0, 2), 1324),
    ((96, 5, 15, 3, 3, 15, 98, 3, 1, 1, 1, 2, 0), 171),
    ((8, 1, 300, 3, 3, 150, 3, 1, 2, 3, 1, 1, 0), 2740),
    ((3, 8, 16, 3, 2, 16, 1, 6, 16, 3, 2, 1, 2), 192),
    ((1, 2, 24, 3, 5, 24, 1, 1, 8, 1, 1, 0, 0), 3904),
]
# the last number is the depth multiplier
ESP_S3_DEPTHWISE = [
    ((32, 32, 1, 10, 2, 3, 8, 16, 3, 3, 2, 0, 0, 3), 32),
    ((96, 5, 15, 3, 3, 60, 98, 3, 60, 1, 1, 2, 0, 4), 15512),
    ((3, 8, 16, 3, 2, 16, 1, 6, 16, 3, 2, 1, 2, 1), 992),
    ((1, 2, 24, 3, 5, 192, 1, 1, 192, 1, 1, 0, 0, 8), 5888),
    ((8, 16, 3, 3, 1, 24, 5, 18, 24, 2, 1, 2, 1, 8), 944),
    ((1, 5, 128, 1, 3, 128, 5, 3, 128, 1, 1, 2, 0, 1), 2080),
]


def _dims(numbers: tuple[int, ...]) -> tuple[Dims, Dims, Dims]:
    return Dims(*numbers[:4]), Dims(*numbers[4:8]), Dims(*numbers[8:12])


def _pairs(numbers: tuple[int, ...]) -> dict[str, Pair]:
    return {"stride": Pair(*numbers[12:14]), "padding": Pair(*numbers[14:16]), "dilation": Pair(*numbers[16:18])}


@pytest.mark.parametrize(("simd", "shape", "size"), CONVOLUTIONS)
def test_a_convolution_of_cmsis_nn(simd: str, shape: tuple[int, ...], size: int) -> None:
    assert cmsis_nn.convolve_wrapper_s8(simd, *_dims(shape), **_pairs(shape)) == size


@pytest.mark.parametrize(("simd", "shape", "size"), DEPTHWISE)
def test_a_depthwise_convolution_of_cmsis_nn(simd: str, shape: tuple[int, ...], size: int) -> None:
    assert cmsis_nn.depthwise_wrapper_s8(simd, *_dims(shape), **_pairs(shape)) == size


@pytest.mark.parametrize(("simd", "shape", "size"), DEPTHWISE_INT4)
def test_a_depthwise_convolution_of_four_bits(simd: str, shape: tuple[int, ...], size: int) -> None:
    assert cmsis_nn.depthwise_wrapper_s4(simd, *_dims(shape), dilation=Pair(*shape[16:18])) == size


@pytest.mark.parametrize(("simd", "shape", "size"), CONVOLUTIONS_INT16)
def test_a_convolution_of_16_bits(simd: str, shape: tuple[int, ...], size: int) -> None:
    assert cmsis_nn.convolve_s16(simd, *_dims(shape)[:2]) == size


@pytest.mark.parametrize(("simd", "shape", "sizes"), TRANSPOSED)
def test_a_transposed_convolution_of_cmsis_nn(simd: str, shape: tuple[int, ...], sizes: tuple[int, int]) -> None:
    assert cmsis_nn.transpose_conv_s8(simd, *_dims(shape), Pair(*shape[12:14])) == sizes


@pytest.mark.parametrize(("simd", "dense", "pool"), [("none", 0, 0), ("dsp", 0, 32), ("mve", 32, 0)])
def test_a_dense_layer_and_an_average_of_eight(simd: str, dense: int, pool: int) -> None:
    assert (cmsis_nn.fully_connected_s8(simd, 8), cmsis_nn.average_pool(simd, 8)) == (dense, pool)


def _esp(numbers: tuple[int, ...]) -> tuple[tuple[Dims, Dims, Dims], dict[str, Pair]]:
    source, window, target = (Dims(1, numbers[at + 1], numbers[at], numbers[at + 2]) for at in (0, 3, 6))
    wide = {"stride": Pair(numbers[10], numbers[9]), "padding": Pair(numbers[12], numbers[11])}
    return (source, window, target), wide


@pytest.mark.parametrize(("shape", "size"), ESP_S3)
def test_a_convolution_on_an_esp32_s3(shape: tuple[int, ...], size: int) -> None:
    tensors, options = _esp(shape)
    assert esp_nn.convolve_s3(*tensors, **options) == size


@pytest.mark.parametrize(("shape", "size"), ESP_P4)
def test_a_convolution_on_an_esp32_p4(shape: tuple[int, ...], size: int) -> None:
    tensors, options = _esp(shape)
    assert esp_nn.convolve_p4(*tensors, **options) == size


@pytest.mark.parametrize(("shape", "size"), ESP_S3_DEPTHWISE)
def test_a_depthwise_convolution_on_an_esp32_s3(shape: tuple[int, ...], size: int) -> None:
    tensors, options = _esp(shape)
    assert esp_nn.depthwise_s3(*tensors, multiplier=shape[13], **options) == size


def _one(name: str, inputs: list[T], output: T, options: tuple[str, dict[str, object]] | None = None) -> Layer:
    graph = G([*inputs, output], [Op(name, [one.name for one in inputs], [output.name], options)], ["x"], [output.name])
    return next(iter(layers(FlatBuffer(build(graph)))))


def _convolution(padding: int, stride: int) -> Layer:
    weights = T("w", (16, 3, 3, 4), values=np.ones((16, 3, 3, 4)), scales=[0.1] * 16)
    options = ("Conv2DOptions", {"padding": padding, "strideW": stride, "strideH": stride})
    side = -(-8 // stride) if padding == 0 else (8 - 3) // stride + 1
    return _one("CONV_2D", [T("x", (1, 8, 8, 4), scales=[0.1]), weights], T("y", (1, side, side, 16)), options)


def test_tflm_asks_for_what_the_layer_in_the_file_needs() -> None:
    # 3 * 3 * 4 = 36 values in a column: two of 16 bits, or four of 8 bits in 48, and a sum for each output channel
    assert cmsis_nn.scratch(_convolution(0, 1), "dsp") == (144,)
    assert cmsis_nn.scratch(_convolution(0, 1), "mve") == (192,)
    assert reference.scratch(_convolution(0, 1), 4) == ()


@pytest.mark.parametrize(("padding", "stride", "before"), [(0, 1, 1), (0, 2, 0), (1, 1, 0)])
def test_padding_is_that_of_the_kernels(padding: int, stride: int, before: int) -> None:
    # SAME with stride 2 on 8: (4 - 1) * 2 + 3 - 8 = 1, all of it behind
    layer = _convolution(padding, stride)
    assert layer.padding(Dims(1, 8, 8, 4), Dims(1, 3, 3, 4)) == Pair(before, before)


def test_sums_of_constant_weights_are_kept_and_others_are_scratch() -> None:
    weights = T("w", (6, 5), values=np.ones((6, 5)), scales=[0.1])
    layer = _one("FULLY_CONNECTED", [T("x", (1, 5)), weights], T("y", (1, 6)), ("FullyConnectedOptions", {}))
    assert (cmsis_nn.persistent(layer, "mve"), cmsis_nn.scratch(layer, "mve")) == ((24,), ())
    assert (cmsis_nn.persistent(layer, "dsp"), cmsis_nn.scratch(layer, "dsp")) == ((), ())
    moving = _one("FULLY_CONNECTED", [T("x", (1, 5)), T("w", (6, 5))], T("y", (1, 6)), ("FullyConnectedOptions", {}))
    assert (cmsis_nn.persistent(moving, "mve"), cmsis_nn.scratch(moving, "mve")) == ((), (24,))


def test_a_dense_layer_on_pixels_spreads_its_one_scale() -> None:
    weights = T("w", (6, 8), values=np.ones((6, 8)), scales=[0.1])
    layer = _one("FULLY_CONNECTED", [T("x", (1, 3, 8)), weights], T("y", (1, 3, 6)), ("FullyConnectedOptions", {}))
    assert cmsis_nn.scratch(layer, "dsp") == (48,)


def test_reference_kernels_ask_for_positions_and_sums() -> None:
    axes = T("axes", (2,), "int32", values=[1, 2])
    mean = _one("MEAN", [T("x", (1, 4, 4, 6), scales=[0.1]), axes], T("y", (1, 6)), ("ReducerOptions", {}))
    assert reference.scratch(mean, 4) == (24, 16, 8)
    many = _one("ADD_N", [T("x", (3,), "float32"), T("z", (3,), "float32")], T("y", (3,), "float32"))
    assert (reference.scratch(many, 4), reference.scratch(many, 8)) == ((8,), (16,))

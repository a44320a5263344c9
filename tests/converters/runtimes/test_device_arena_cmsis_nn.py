"""The arena with CMSIS-NN's kernels: what emulated processors reported.

How the numbers were got: tensorflow/tflite-micro 90b983c2 with CMSIS-NN 4ab83cc3 and KERNELS_OPTIMIZED_FOR_SPEED, built
with Debian's arm-none-eabi-g++ 12.2, a MicroInterpreter over each file, `arena_used_bytes()` after a run on
qemu-system-arm 7.2, on 2026-11-26. `none`: Cortex-M3 (machine mps2-an385), for BATCH_MATMUL, int8 SVDF and LSTM code
for a Cortex-M0+; `dsp`: Cortex-M4 (mps2-an386), most files also on an M33 and M7 (mps2-an505, mps2-an500),
which agreed; `mve`: Cortex-M55 (mps3-an547).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import packable_files
import pytest
import random_graphs
import small_files
from small_tflite import G, Op, T, build

from converters import encode
from converters.flatbuffer import FlatBuffer
from converters.runtimes import device_arena, tflm
from converters.runtimes.device_arena import planner
from converters.runtimes.device_arena.planner import Buffer

needs_tflm = pytest.mark.skipif(not tflm.available(), reason="TFLM is not available on this platform")

# Seed of a random graph -> bytes with `none` and `dsp`; with `mve` where they are others.
RANDOM = [968, 404, 840, 616, 1360, 960, 804, 820, 656, 932, 1296, 744, 432, 692, 1128, 812]
RANDOM_MVE = {6: 996, 14: 1512}


def _weights(name: str, *shape: int, axis: int = 0) -> T:
    return T(name, shape, values=np.ones(shape), scales=[0.1] * shape[axis], axis=axis)


def layers_of_many_kinds(dtype: str = "int8") -> bytes:
    """A depthwise and a usual convolution, a transposed one and an average, each of which asks for scratch memory."""
    bias = {"int8": "int32", "int16": "int64"}[dtype]
    shapes = {"x": (1, 12, 12, 8), "y1": (1, 12, 12, 8), "y2": (1, 6, 6, 20), "y3": (1, 12, 12, 6), "y4": (1, 3, 3, 6)}
    tensors = [T(name, shape, dtype, scales=[0.1]) for name, shape in shapes.items()]
    tensors += [_weights("w1", 1, 5, 5, 8, axis=3), _weights("w2", 20, 3, 3, 8), _weights("w3", 6, 3, 3, 20)]
    tensors += [
        T(f"b{number}", (size,), bias, values=np.zeros(size), scales=[0.01] * size)
        for number, size in ((1, 8), (2, 20), (3, 6))
    ]
    tensors.append(T("shape", (4,), "int32", values=[1, 12, 12, 6]))
    one, two, four = ({"padding": 0, "strideW": step, "strideH": step} for step in (1, 2, 4))
    operators = [
        Op("DEPTHWISE_CONV_2D", ["x", "w1", "b1"], ["y1"], ("DepthwiseConv2DOptions", {**one, "depthMultiplier": 1})),
        Op("CONV_2D", ["y1", "w2", "b2"], ["y2"], ("Conv2DOptions", two)),
        Op("TRANSPOSE_CONV", ["shape", "w3", "y2", "b3"], ["y3"], ("TransposeConvOptions", two)),
        Op("AVERAGE_POOL_2D", ["y3"], ["y4"], ("Pool2DOptions", {**four, "filterWidth": 4, "filterHeight": 4})),
    ]
    return build(G(tensors, operators, ["x"], ["y4"]))


def product() -> bytes:
    """BATCH_MATMUL of two inputs."""
    tensors = [T(name, (1, *shape), scales=[0.1]) for name, shape in (("x", (4, 6)), ("z", (6, 10)), ("y", (4, 10)))]
    operator = Op("BATCH_MATMUL", ["x", "z"], ["y"], ("BatchMatMulOptions", {}))
    return build(G(tensors, [operator], ["x", "z"], ["y"]))


def svdf() -> bytes:
    """SVDF of int8: eight filters of rank 2."""
    tensors = [
        T("x", (1, 6), scales=[0.5], zero_points=[3]),
        T("feature", (8, 6), values=np.ones((8, 6)), scales=[0.5]),
        T("time", (8, 4), "int16", values=np.ones((8, 4)), scales=[0.25]),
        T("bias", (4,), "int32", values=np.zeros(4), scales=[0.125]),
        T("state", (1, 32), "int16", scales=[0.5], variable=True),
        T("y", (1, 4), scales=[1.0]),
    ]
    inputs = ["x", "feature", "time", "bias", "state"]
    return build(G(tensors, [Op("SVDF", inputs, ["y"], ("SVDFOptions", {"rank": 2}))], ["x"], ["y"]))


def lstm(dtype: str) -> bytes:
    """UNIDIRECTIONAL_SEQUENCE_LSTM of five units over seven steps of six values."""
    size, units, steps = 6, 5, 7
    scale, bias = {"int8": (2.0**-7, "int32"), "int16": (2.0**-15, "int64")}[dtype]
    tensors = [T("x", (1, steps, size), dtype, scales=[scale]), T("y", (1, steps, units), dtype, scales=[scale])]
    tensors.append(T("output state", (1, units), dtype, scales=[scale], variable=True))
    tensors.append(T("cell state", (1, units), "int16", scales=[2.0**-11], variable=True))
    for gate in range(4):
        tensors.append(T(f"w{gate}", (units, size), values=np.ones((units, size)), scales=[0.5]))
        tensors.append(T(f"r{gate}", (units, units), values=np.ones((units, units)), scales=[0.5]))
        tensors.append(T(f"b{gate}", (units,), bias, values=np.zeros(units), scales=[0.5 * scale]))
    weights, recurrent, biases = ([f"{kind}{gate}" for gate in range(4)] for kind in "wrb")
    inputs = ["x", *weights, *recurrent, *[None] * 3, *biases, None, None, "output state", "cell state", *[None] * 4]
    options = ("UnidirectionalSequenceLSTMOptions", {"fusedActivationFunction": 4})
    return build(G(tensors, [Op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, ["y"], options)], ["x"], ["y"]))


def encoded() -> bytes:
    """A file whose weights are stored as three kinds of code, which DECODE restores into the arena."""
    plain = FlatBuffer(build(packable_files.network(width=96)))
    return encode.encode(plain, encodings=("huffman", "lut", "prune")).data


# File -> bytes with `none`, `dsp`, `mve`.
SMALL: dict[str, tuple[Callable[[], bytes], int, int, int]] = {
    "four bits": (lambda: build(packable_files.four_bits()), 468, 468, 468),
    "a network": (lambda: build(packable_files.network()), 2964, 2964, 7476),
    "two inputs": (small_files.two_inputs, 432, 432, 432),
    "many kinds of layers, int8": (layers_of_many_kinds, 4580, 4596, 15908),
    "many kinds of layers, 16x8": (lambda: layers_of_many_kinds("int16"), 11268, 11268, 11268),
    "a product of inputs": (product, 708, 708, 756),
    "SVDF, float32": (small_files.with_memory, 448, 448, 448),
    "SVDF, int8": (svdf, 580, 580, 612),
    "LSTM, int8": (lambda: lstm("int8"), 1876, 1876, 1876),
    "LSTM, 16x8": (lambda: lstm("int16"), 2084, 2084, 2084),
    "encoded": (encoded, 40708, 40708, 40756),
}
# File of MLPerf Tiny -> the same.
REAL = {
    "ic/pretrainedResnet_quant.tflite": (54980, 54996, 55028),
    "ic/pretrainedResnet.tflite": (199120, 199120, 199120),
    "kws/kws_ref_model.tflite": (22820, 22820, 27348),
}


def _predicted(data: bytes, simd: str) -> tuple[int, tuple[str, ...]]:
    found = device_arena.arena_on_device(data, kernels="cmsis-nn", simd=simd)
    return found.total_bytes, found.notes


@needs_tflm
@pytest.mark.parametrize("simd", ["none", "dsp", "mve"])
@pytest.mark.parametrize("seed", range(len(RANDOM)))
def test_random_graphs_on_emulated_processors(seed: int, simd: str) -> None:
    used = RANDOM_MVE.get(seed, RANDOM[seed]) if simd == "mve" else RANDOM[seed]
    assert _predicted(random_graphs.random_file(seed), simd) == (used, ())


@needs_tflm
@pytest.mark.parametrize("name", SMALL)
def test_small_files_on_emulated_processors(name: str) -> None:
    make, *used = SMALL[name]
    assert [_predicted(make(), simd) for simd in ("none", "dsp", "mve")] == [(size, ()) for size in used]


@needs_tflm
@pytest.mark.parametrize("name", REAL)
def test_real_models_on_emulated_processors(name: str, real_data: Path) -> None:
    data = (real_data / "mlperf_tiny" / name).read_bytes()
    assert [_predicted(data, simd) for simd in ("none", "dsp", "mve")] == [(size, ()) for size in REAL[name]]


def test_a_chain_of_equal_tensors_can_need_room_for_three() -> None:
    """The nine activations of DS-CNN: in the order of their operators two places are enough; in many others, three.

    The DS-CNN file with its tensors shuffled reported 30,820 bytes on an emulated Cortex-M4 and M33 and 30,884 on a
    Cortex-M55: the 31 KiB that were published for both kinds of board.
    """
    chain = [Buffer(8000, first, first + 1) for first in range(1, 10)]
    assert planner.height(chain) == planner.lower_bound(chain) == 16000
    chain[0], chain[4] = chain[4], chain[0]
    assert planner.height(chain) == 24000
    assert planner.lower_bound(chain) == 16000

"""The arena on a device: what an emulated Cortex-M4 reported, and what the real allocator counts on this host.

How the emulator's numbers were got: TFLM of espressif/esp-tflite-micro 1.4.0 with reference kernels, built with
Debian's arm-none-eabi-g++ 12.2 for a Cortex-M4, a MicroInterpreter over each file, `arena_used_bytes()` after a run on
qemu-system-arm (machine mps2-an386), on 2026-11-26.
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
from converters.errors import ModelError, UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import device_arena, tflm, tflm_arena
from converters.runtimes.device_arena import lifetimes, planner, reference, structs, tail
from converters.runtimes.device_arena.layer import layers
from converters.runtimes.device_arena.layouts import ARM, HOST, ILP32, size_of
from converters.runtimes.device_arena.lifetimes import Scratch

needs_tflm = pytest.mark.skipif(not tflm.available(), reason="TFLM is not available on this platform")

# Seed of a random graph -> bytes on the emulated Cortex-M4.
RANDOM = [968, 404, 824, 616, 1376, 944, 772, 788, 640, 916, 1264, 744, 432, 692, 1064, 780]
SMALL: dict[str, tuple[Callable[[], bytes], int]] = {
    "four bits": (lambda: build(packable_files.four_bits()), 564),
    "a loop": (lambda: build(*packable_files.loop()), 624),
    "SVDF": (small_files.with_memory, 448),
    "a network": (lambda: build(packable_files.network()), 2916),
    "two inputs": (small_files.two_inputs, 432),
}
# File of MLPerf Tiny -> bytes on the emulated Cortex-M4.
REAL = {
    "ic/pretrainedResnet_quant.tflite": 54340,
    "ic/pretrainedResnet.tflite": 201760,
    "kws/kws_ref_model.tflite": 22772,
}
# sizeof on a Cortex-M4, as gdb read it out of the debugging information of the sources that `structs.py` names, or as
# nm told it of an array of that size.
SIZES = """
    AllocationInfo 24
    DecodeStateHuffman 28
    DecodeStateLut 36
    DecodeStatePrune 40
    GreedyMemoryPlanner 44
    MicroAllocator 36
    MicroBuiltinDataAllocator 8
    NodeAndRegistration 32
    RecordingMicroAllocator 124
    RecordingSingleArenaBufferAllocator 52
    ScratchBufferHandle 4
    ScratchBufferRequest 12
    SingleArenaBufferAllocator 36
    SubgraphAllocations 8
    TfLiteAddParams 2
    TfLiteAffineQuantization 12
    TfLiteArgMaxParams 1
    TfLiteArgMinParams 1
    TfLiteBatchMatMulParams 3
    TfLiteCallOnceParams 4
    TfLiteCastParams 2
    TfLiteConcatenationParams 8
    TfLiteConvParams 28
    TfLiteCumsumParams 2
    TfLiteDepthToSpaceParams 4
    TfLiteDepthwiseConvParams 28
    TfLiteDivParams 1
    TfLiteEvalTensor 12
    TfLiteFullyConnectedParams 5
    TfLiteGatherParams 8
    TfLiteIfParams 8
    TfLiteL2NormParams 1
    TfLiteLeakyReluParams 4
    TfLiteMirrorPaddingParams 1
    TfLiteMulParams 1
    TfLitePackParams 8
    TfLitePoolParams 40
    TfLiteReducerParams 1
    TfLiteReshapeParams 36
    TfLiteResizeBilinearParams 2
    TfLiteResizeNearestNeighborParams 2
    TfLiteSVDFParams 8
    TfLiteShapeParams 1
    TfLiteSoftmaxParams 4
    TfLiteSpaceToDepthParams 4
    TfLiteSplitParams 4
    TfLiteSplitVParams 4
    TfLiteSqueezeParams 36
    TfLiteStridedSliceParams 24
    TfLiteSubParams 2
    TfLiteTensor 32
    TfLiteTransposeConvParams 16
    TfLiteUnidirectionalSequenceLSTMParams 16
    TfLiteUnpackParams 8
    TfLiteVarHandleParams 8
    TfLiteWhileParams 8
    activations.cc:Relu6OpData 8
    activations.cc:ReluOpData 28
    add.cc:OpDataAdd 60
    add_n.cc:OpData 40
    batch_matmul.cc:OpDataBatchMatmul 16
    call_once.cc:OpData 8
    cmsis_nn/add.cc:OpData 60
    cmsis_nn/batch_matmul.cc:OpData 36
    cmsis_nn/conv.cc:OpData 60
    cmsis_nn/depthwise_conv.cc:OpData 60
    cmsis_nn/fully_connected.cc:OpData 72
    cmsis_nn/pooling.cc:OpData 36
    cmsis_nn/softmax.cc:CMSISNNSoftmaxParams 64
    cmsis_nn/svdf.cc:CmsisNnOpDataSvdf 40
    cmsis_nn/transpose_conv.cc:OpData 76
    cmsis_nn/unidirectional_sequence_lstm.cc:OpData 912
    comparisons.cc:OpData 32
    concatenation.cc:OpData 24
    conv.cc:OpDataConv 56
    cumsum.cc:OpData 36
    dequantize.cc:DequantizeOpData 32
    div.cc:OpDataDiv 28
    elementwise.cc:OpDataAbsRsqrt 28
    elu.cc:OpData 256
    embedding_lookup.cc:OpData 8
    esp_nn/conv.cc:NodeData 60
    esp_nn/depthwise_conv.cc:NodeData 60
    esp_nn/softmax.cc:NodeData 64
    fully_connected.cc:OpDataFullyConnected 48
    hard_swish.cc:HardSwishParams 20
    if.cc:OpData 8
    l2norm.cc:L2NormalizationParams 4
    leaky_relu.cc:LeakyReluOpData 24
    log_softmax.cc:LogSoftmaxOpData 28
    logistic.cc:OpDataLogistic 16
    mirror_pad.cc:OpDataMirrorPad 20
    mul.cc:OpDataMul 36
    pad.cc:OpData 56
    pooling.cc:OpDataPooling 32
    prelu.cc:PreluParams 28
    quantize.cc:OpDataQuantizeReference 32
    reduce.cc:OpDataReduce 44
    softmax.cc:SoftmaxParams 56
    space_to_batch_nd.cc:SpaceToBatchParams 4
    strided_slice.cc:StridedSliceParams 84
    sub.cc:OpDataSub 52
    svdf.cc:OpDataSvdf 36
    unidirectional_sequence_lstm.cc:OpDataLSTM 688
"""
# The same compiled with g++ for this host.
HOST_SIZES = """
    SingleArenaBufferAllocator 72
    GreedyMemoryPlanner 72
    MicroAllocator 72
    MicroBuiltinDataAllocator 16
    RecordingSingleArenaBufferAllocator 104
    RecordingMicroAllocator 272
    DecodeStateLut 72
    DecodeStatePrune 80
    DecodeStateHuffman 56
    unidirectional_sequence_lstm.cc:OpDataLSTM 688
"""


def _table(text: str) -> list[tuple[str, int]]:
    return [(name, int(size)) for name, size in (line.split() for line in text.strip().splitlines())]


@pytest.mark.parametrize(("name", "size"), _table(SIZES))
def test_a_structure_is_as_large_as_the_compiler_makes_it(name: str, size: int) -> None:
    assert tail.sized(name, ARM).bytes == size


@pytest.mark.parametrize(("name", "size"), _table(HOST_SIZES))
def test_a_structure_on_this_host(name: str, size: int) -> None:
    assert tail.sized(name, HOST).bytes == size


def test_every_layout_was_compared_or_stands_beside_one_that_was() -> None:
    apart = structs.LAYOUTS.keys() - dict(_table(SIZES)).keys()
    assert apart == {f"{file}.cc:OpData" for file in ("select", "squared_difference", "tanh", "transpose_conv")} | {
        "var_handle.cc:OpData",
        "while.cc:OpData",
    }


@pytest.mark.parametrize(
    ("layout", "arm", "ilp32", "host"),
    [
        ("1 4", (8, 4), (8, 4), (8, 4)),
        ("e 1", (2, 1), (8, 4), (8, 4)),
        ("4 p 1", (12, 4), (12, 4), (24, 8)),
        ("1 8", (16, 8), (16, 8), (16, 8)),
        ("(4 1)*2 1", (20, 4), (20, 4), (20, 4)),
        ("1 <p|4*3>", (16, 4), (16, 4), (24, 8)),
        ("2*3 1", (8, 2), (8, 2), (8, 2)),
    ],
)
def test_members_are_aligned(layout: str, arm: tuple[int, int], ilp32: tuple[int, int], host: tuple[int, int]) -> None:
    sizes = [size_of(layout, abi) for abi in (ARM, ILP32, HOST)]
    assert [(one.bytes, one.alignment) for one in sizes] == [arm, ilp32, host]


def _host(data: bytes) -> tuple[tuple[int, int, int], int, int]:
    """What the real allocator counts, the port's head, and the tail by the structures and scales per channel."""
    file = FlatBuffer(data)
    counted = tflm_arena.parts(data)
    scratch = [
        Scratch(size, one.graph, one.operator.index)
        for one in layers(file)
        for size in reference.scratch(one, HOST.pointer)
    ]
    kernels = tail.kernel_sizes(file, HOST)
    for one in layers(file):
        if one.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernels += [4 * one.outputs[0].shape[-1]] * 2
        elif one.name == "FULLY_CONNECTED" and len(one.tensor(1).scales) > 1:
            kernels += [4 * len(one.tensor(1).scales)] * 2
    kept = tail.tail_bytes(file, HOST, kernels=kernels, scratches=len(scratch), recording=True)
    return counted, planner.height(lifetimes.buffers(file, scratch)), kept


@needs_tflm
@pytest.mark.parametrize("seed", range(24))
def test_head_and_tail_of_random_graphs_are_those_of_the_real_allocator(seed: int) -> None:
    (total, head, kept), planned, known = _host(random_graphs.random_file(seed))
    assert (planned, known, planned + known) == (head, kept, total)


@needs_tflm
@pytest.mark.parametrize("name", SMALL)
def test_head_and_tail_of_small_files_are_those_of_the_real_allocator(name: str) -> None:
    (_, head, kept), planned, known = _host(SMALL[name][0]())
    assert (planned, known) == (head, kept)


@needs_tflm
def test_head_and_tail_of_an_encoded_file_are_those_of_the_real_allocator() -> None:
    plain = FlatBuffer(build(packable_files.network(width=96)))
    packed = encode.encode(plain, encodings=("huffman", "lut", "prune"))
    assert packed.is_encoded
    (_, head, kept), planned, known = _host(packed.data)
    assert (planned, known) == (head, kept)


@needs_tflm
@pytest.mark.parametrize(("seed", "used"), list(enumerate(RANDOM)))
def test_random_graphs_on_an_emulated_cortex_m4(seed: int, used: int) -> None:
    found = device_arena.arena_on_device(random_graphs.random_file(seed))
    assert (found.total_bytes, found.notes) == (used, ())


@needs_tflm
@pytest.mark.parametrize("name", SMALL)
def test_small_files_on_an_emulated_cortex_m4(name: str) -> None:
    make, used = SMALL[name]
    assert device_arena.arena_on_device(make()).total_bytes == used


@needs_tflm
@pytest.mark.parametrize("name", REAL)
def test_real_models_on_an_emulated_cortex_m4(name: str, real_data: Path) -> None:
    data = (real_data / "mlperf_tiny" / name).read_bytes()
    found = device_arena.arena_on_device(data)
    assert found.total_bytes == REAL[name]
    assert found.total_bytes == found.activations_bytes + found.persistent_bytes
    assert _host(data)[1] == found.activations_bytes
    assert found.smallest_bytes == found.total_bytes


@needs_tflm
def test_cmsis_nn_makes_the_published_arena_of_resnet_8(real_data: Path) -> None:
    """54 KiB on a Cortex-M33, trimmed by hand (Renesas, MLPerf Tiny)."""
    data = (real_data / "mlperf_tiny" / "ic" / "pretrainedResnet_quant.tflite").read_bytes()
    found = device_arena.arena_on_device(data, kernels="cmsis-nn", simd="dsp")
    assert found.total_bytes == pytest.approx(54 * 1024, rel=0.01)
    # im2col of the convolutions with 16 channels on the largest image: two columns of 3 * 3 * 16 values of 16 bits
    assert found.scratch_bytes == 2 * 3 * 3 * 16 * 2


@needs_tflm
def test_an_arena_of_the_size_that_planning_takes_is_enough_on_this_host() -> None:
    """The same rules with the host's sizes, against the search for the smallest arena that works."""
    for data in (small_files.int8_dense(), build(packable_files.network()), random_graphs.random_file(4)):
        file = FlatBuffer(data)
        total, head, kept = tflm_arena.parts(data)
        found = device_arena.from_account(file, total, head, kept, kernels="reference", simd="none", rules=HOST)
        needed = tflm_arena.measure(data).smallest_bytes
        # The counting allocator is larger by a few words, and takes up to 16 bytes for alignment at either end.
        assert found.smallest_bytes <= needed + 64
        assert needed <= found.smallest_bytes + 32 + 264


@needs_tflm
def test_scratch_memory_makes_the_head_higher_where_activations_are_alive() -> None:
    weights = T("w", (4, 5, 5, 64), values=np.ones((4, 5, 5, 64)), scales=[0.1] * 4)
    tensors = [T("x", (1, 6, 6, 64), scales=[0.1]), weights, T("y", (1, 2, 2, 4), scales=[0.1])]
    options = ("Conv2DOptions", {"padding": 1, "strideW": 1, "strideH": 1})
    data = build(G(tensors, [Op("CONV_2D", ["x", "w", None], ["y"], options)], ["x"], ["y"]))
    plain = device_arena.arena_on_device(data)
    fast = device_arena.arena_on_device(data, kernels="cmsis-nn", simd="dsp")
    assert plain.lower_bound_bytes == 6 * 6 * 64 + 16
    assert fast.scratch_bytes == 2 * 5 * 5 * 64 * 2
    assert fast.lower_bound_bytes == plain.lower_bound_bytes + 2 * 5 * 5 * 64 * 2
    # Its structure has an index more, and there is a handle of the buffer; both may fit into what alignment left.
    assert 0 <= fast.persistent_bytes - plain.persistent_bytes <= 32
    assert fast.total_bytes == fast.activations_bytes + fast.scratch_bytes + fast.persistent_bytes


@needs_tflm
@pytest.mark.parametrize("kernels", device_arena.KERNELS)
def test_no_kernels_take_less_than_the_bound(kernels: str) -> None:
    for seed in range(12):
        for simd in device_arena.KERNELS[kernels]:
            found = device_arena.arena_on_device(random_graphs.random_file(seed), kernels=kernels, simd=simd)
            assert found.lower_bound_bytes <= found.activations_bytes + found.scratch_bytes
            assert found.notes == ()


@needs_tflm
def test_what_is_not_known_is_told() -> None:
    looped = device_arena.arena_on_device(build(*packable_files.loop()))
    assert any("WHILE" in note for note in looped.notes)
    file = FlatBuffer(small_files.int8_dense())
    other = device_arena.from_account(file, 9999, 48, 951, kernels="reference", simd="none", rules=ARM)
    assert any("port of TFLM's planner" in note for note in other.notes)
    assert any("is not the version whose sources were read" in note for note in other.notes)


def test_wrong_kernels_or_processors_are_refused() -> None:
    with pytest.raises(UsageError, match="kernels are one of reference, cmsis-nn, esp-nn, not 'fast'"):
        device_arena.arena_on_device(b"", kernels="fast")
    with pytest.raises(UsageError, match="simd is one of dsp, none, mve, not 'neon'"):
        device_arena.arena_on_device(b"", kernels="cmsis-nn", simd="neon")
    with pytest.raises(UsageError, match="abi is one of arm, ilp32"):
        device_arena.arena_on_device(b"", abi="avr")
    with pytest.raises(ModelError, match="no .tflite file"):
        device_arena.arena_on_device(b"nothing")

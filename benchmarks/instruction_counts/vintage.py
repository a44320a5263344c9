"""TFLM as it is now and as it was in June 2021, when MLPerf Tiny v0.5 was submitted: what its own Makefile compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.tflm_library import CXX, LEVELS, C

# What the models hold: methods of MicroMutableOpResolver, and the kernels' files, without `_common`.
_METHODS = (
    *("Add", "AveragePool2D", "Concatenation", "Conv2D", "Decode", "DepthwiseConv2D", "Dequantize", "FullyConnected"),
    *("HardSwish", "LeakyRelu", "Logistic", "MaxPool2D", "Mean", "Mul", "Pad", "Quantize", "Relu", "Relu6", "Reshape"),
    *("ResizeNearestNeighbor", "Softmax", "StridedSlice", "Sub", "Svdf", "Tanh", "Transpose", "TransposeConv"),
)
_KERNELS = (
    *("activations", "add", "concatenation", "conv", "decode", "decode_state", "decode_state_huffman"),
    *("decode_state_lut", "decode_state_prune", "depthwise_conv", "dequantize", "fully_connected", "hard_swish"),
    *("kernel_util", "leaky_relu", "logistic", "micro_tensor_utils", "mul", "pad", "pooling", "quantize", "reduce"),
    *("reshape", "resize_nearest_neighbor", "softmax", "strided_slice", "sub", "svdf", "tanh", "transpose"),
    *("transpose_conv",),
)
_RUNTIME = (
    *("tensorflow/lite/micro", "tensorflow/lite/micro/arena_allocator", "tensorflow/lite/micro/memory_planner"),
    *("tensorflow/lite/micro/tflite_bridge", "tensorflow/lite/core/api", "tensorflow/lite/core/c"),
    *("tensorflow/lite/kernels", "tensorflow/lite/kernels/internal", "tensorflow/lite/kernels/internal/reference"),
    *("tensorflow/compiler/mlir/lite/core/api", "tensorflow/compiler/mlir/lite/schema"),
    *("tensorflow/lite/c", "tensorflow/lite/schema"),
)
_HEADERS = (
    *("tensorflow/lite/micro/kernels/kernel_util.h", "tensorflow/lite/kernels/internal/common.h"),
    *("tensorflow/lite/kernels/internal/quantization_util.h", "tensorflow/lite/kernels/internal/tensor_ctypes.h"),
    *("tensorflow/lite/kernels/kernel_util.h", "tensorflow/lite/kernels/op_macros.h"),
)


@dataclass(frozen=True)
class Vintage:
    """One state of TFLM's tree and how it is compiled.

    Attributes:
        suffix: what follows the kernels' name.
        builds: optimization of runtime, kernels and optimized kernels, and further flags.
        methods: of MicroMutableOpResolver.
        kernels: files' names, without `_common`; one that the tree lacks is left out.
        headers: which nearly every file includes.
        cxx: flags of C++.
        c: flags of C.
        flags: of both.
        runtime: folders; one that the tree lacks is left out.
    """

    suffix: str
    builds: Mapping[str, tuple[Sequence[str], Sequence[str]]]
    methods: Sequence[str]
    headers: Sequence[str]
    cxx: Sequence[str]
    c: Sequence[str]
    flags: Sequence[str] = ()
    kernels: Sequence[str] = _KERNELS
    runtime: Sequence[str] = _RUNTIME


# TFLM's Makefile with BUILD_TYPE=default (its checks run, those of every index into a tensor as well) and
# BUILD_TYPE=release_with_logs; the latter for size.
NOW = Vintage(
    suffix="",
    builds={
        "default": (LEVELS["makefile"], ()),
        "release": (LEVELS["makefile"], ("-DNDEBUG",)),
        "size": (LEVELS["size"], ("-DNDEBUG",)),
    },
    methods=_METHODS,
    headers=(*_HEADERS, "tensorflow/lite/micro/micro_log.h", "tensorflow/lite/micro/micro_context.h"),
    cxx=CXX,
    c=C,
)
# Commit f583f92992c3c9dfb8e10f36d66b2fe7267cf7bc of 2021-06-09: its Makefile had OPTIMIZATION_LEVEL := -O3 for all
# files. Its targets/mcu_riscv_makefile.inc set -Os behind that, without NDEBUG, and so did Mbed OS
# (tools/profiles/develop.json): `size-default`; `size` is Mbed's tools/profiles/release.json.
IN_2021 = Vintage(
    suffix="-2021",
    builds={
        "default": (("-O3",) * 3, ()),
        "release": (("-O3",) * 3, ("-DNDEBUG",)),
        "size-default": (("-Os",) * 3, ()),
        "size": (("-Os",) * 3, ("-DNDEBUG",)),
    },
    methods=tuple(method for method in _METHODS if method != "Decode"),
    headers=_HEADERS,
    cxx=("-std=c++11", *(flag for flag in CXX if not flag.startswith("-std="))),
    c=("-std=c11",),
    # Today's converter stores one zero point for all channels; TFLM of 2021 reads one for each, and FlatBuffers stops
    # it. What it reads behind the vector is not used.
    flags=("-DTFLM_2021", "-DFLATBUFFERS_ASSERT(what)="),
)
VINTAGES = (NOW, IN_2021)


def vintage_of(kernels: str) -> Vintage:
    """That of a row's kernels."""
    return next(one for one in reversed(VINTAGES) if kernels.endswith(one.suffix))

"""Models whose operators are counted: two of MLPerf Tiny in their own shapes, and single operators of many shapes.

    python -m benchmarks.instruction_counts.models OUT [NAME]...

Writes `vww`, `ad`, and one file for each group of single operators: each operator has its own input and output. Weights
are random: the kernels' work depends on shapes alone, but for DECODE, whose weights are drawn for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tfcompress
from converters.flatbuffer import FlatBuffer
from converters.output import write_whole

Layers = Any  # a Keras layer or a function of tensors
_SAMPLES = 16
# kernel height, width, input channels, output channels, stride, height, width, padding, dilation.
CONVOLUTIONS = (
    *((1, 1, 4, 8, 1, 16, 16, "same", 1), (1, 1, 8, 16, 1, 24, 24, "same", 1), (1, 1, 16, 16, 1, 24, 24, "same", 1)),
    *((1, 1, 16, 64, 1, 12, 12, "same", 1), (1, 1, 32, 32, 1, 12, 12, "same", 1), (1, 1, 64, 64, 1, 8, 8, "same", 1)),
    *((1, 1, 64, 128, 1, 6, 6, "same", 1), (1, 1, 128, 128, 1, 6, 6, "same", 1), (1, 1, 128, 64, 1, 4, 4, "same", 1)),
    *((1, 1, 3, 8, 1, 24, 24, "same", 1), (1, 1, 1, 4, 1, 32, 32, "same", 1), (1, 1, 10, 12, 1, 10, 10, "same", 1)),
    *((1, 1, 32, 64, 2, 16, 16, "same", 1), (3, 3, 1, 8, 1, 32, 32, "same", 1), (3, 3, 3, 8, 2, 48, 48, "same", 1)),
    *((3, 3, 3, 16, 1, 32, 32, "same", 1), (3, 3, 4, 4, 1, 24, 24, "same", 1), (3, 3, 8, 8, 1, 24, 24, "same", 1)),
    *((3, 3, 16, 16, 1, 16, 16, "same", 1), (3, 3, 16, 32, 2, 16, 16, "same", 1), (3, 3, 32, 32, 1, 8, 8, "same", 1)),
    *((3, 3, 64, 64, 1, 8, 8, "same", 1), (3, 3, 64, 64, 2, 8, 8, "same", 1), (3, 3, 128, 16, 1, 6, 6, "same", 1)),
    *((3, 3, 32, 64, 1, 4, 4, "same", 1), (3, 3, 16, 16, 1, 12, 12, "valid", 1), (3, 3, 16, 16, 1, 16, 16, "same", 2)),
    *((5, 5, 1, 8, 1, 28, 28, "same", 1), (5, 5, 8, 16, 1, 12, 12, "same", 1), (5, 5, 16, 16, 1, 12, 12, "same", 1)),
    *((5, 5, 3, 32, 2, 20, 20, "same", 1), (1, 3, 16, 16, 1, 1, 48, "same", 1), (1, 5, 8, 16, 1, 1, 64, "same", 1)),
    *((1, 7, 32, 32, 1, 1, 32, "same", 1), (1, 3, 64, 64, 2, 1, 48, "same", 1), (10, 4, 1, 64, 2, 49, 10, "same", 1)),
)
# kernel, channels, multiplier, stride, height, width, padding.
DEPTHWISE = (
    *((3, 8, 1, 1, 24, 24, "same"), (3, 16, 1, 2, 24, 24, "same"), (3, 32, 1, 1, 12, 12, "same")),
    *((3, 64, 1, 1, 12, 12, "same"), (3, 64, 1, 2, 12, 12, "same"), (3, 128, 1, 1, 6, 6, "same")),
    *((3, 256, 1, 1, 3, 3, "same"), (3, 1, 8, 1, 32, 32, "same"), (3, 4, 8, 1, 12, 12, "same")),
    *((3, 3, 1, 1, 32, 32, "same"), (5, 8, 1, 1, 24, 24, "same"), (5, 64, 1, 1, 8, 8, "same")),
    *((3, 16, 1, 1, 16, 16, "valid"), (5, 1, 8, 1, 20, 20, "same"), (3, 24, 1, 1, 5, 5, "same")),
)
# inputs, outputs.
DENSE = (
    *((8, 2), (16, 16), (32, 8), (64, 10), (64, 64), (128, 128), (256, 10), (256, 64), (1024, 4), (1024, 64)),
    *((640, 128), (100, 30), (37, 11), (2, 256), (128, 256)),
)
# zeros, distinct other values, spread of the others: what an encoding is made for.
DECODED = {
    "lut": ((0.0, 4, 127), (0.0, 16, 127), (0.0, 120, 127)),
    "prune": ((0.5, 255, 127), (0.8, 255, 127), (0.95, 255, 127)),
    "huffman": ((0.0, 255, 4), (0.0, 255, 20), (0.7, 255, 20)),
}


def _vww(k: Any) -> Any:
    """MobileNetV1, width 0.25, as github.com/mlcommons/tiny, benchmark/training/visual_wake_words/vww_model.py."""
    blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *[(128, 1)] * 5, (256, 2), (256, 1)]
    start = k.Input((96, 96, 3))
    x = _normalized(k, k.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(start))
    for filters, stride in blocks:
        x = _normalized(k, k.layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x))
        x = _normalized(k, k.layers.Conv2D(filters, 1, padding="same", use_bias=False)(x))
    x = k.layers.Flatten()(k.layers.AveragePooling2D(x.shape[1:3])(x))
    return k.Model(start, k.layers.Dense(2, activation="softmax")(x))


def _ad(k: Any) -> Any:
    """Autoencoder, as github.com/mlcommons/tiny, benchmark/training/anomaly_detection/keras_model.py."""
    x = start = k.Input((640,))
    for units in (*[128] * 4, 8, *[128] * 4):
        x = _normalized(k, k.layers.Dense(units)(x))
    return k.Model(start, k.layers.Dense(640)(x))


def _normalized(k: Any, x: Any) -> Any:
    """Random statistics, as training leaves them: with the initial ones the values of a deep model die out."""
    spread, shift = k.initializers.RandomUniform(0.5, 1.5), k.initializers.RandomNormal(stddev=0.1)
    norm = k.layers.BatchNormalization(
        gamma_initializer=spread, beta_initializer=shift, moving_variance_initializer=spread
    )
    return k.layers.ReLU()(norm(x))


def _convolutions(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    for high, wide, channels, filters, stride, height, width, padding, dilation in CONVOLUTIONS:
        layer = k.layers.Conv2D(filters, (high, wide), strides=stride, padding=padding, dilation_rate=dilation)
        yield (height, width, channels), layer


def _depthwise(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    for size, channels, times, stride, height, width, padding in DEPTHWISE:
        layer = k.layers.DepthwiseConv2D(size, strides=stride, padding=padding, depth_multiplier=times)
        yield (height, width, channels), layer


def _dense(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    for inputs, outputs in DENSE:
        yield (inputs,), k.layers.Dense(outputs)


def _pooling(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    for kind in (k.layers.AveragePooling2D, k.layers.MaxPooling2D):
        yield (24, 24, 16), kind(2)
        yield (12, 12, 32), kind(4)
        yield (8, 8, 64), kind(8)
        yield (16, 16, 8), kind(3, strides=1, padding="same")
        yield (25, 5, 64), kind((25, 5))
    for shape in ((8, 8, 64), (4, 4, 128), (24, 24, 8)):
        yield shape, k.layers.GlobalAveragePooling2D()


def _elementwise(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    constant = np.linspace(-1, 1, 64, dtype=np.float32)
    for shape in ((16, 16, 16), (8, 8, 64), (64,)):
        yield shape, lambda x, y: x + y
        yield shape, lambda x, y: x * y
        yield shape, k.layers.ReLU()
    yield (8, 8, 64), lambda x: x + constant
    yield (8, 8, 64), lambda x: x * constant
    yield (16, 16, 16), lambda x, y: x - y
    yield (16, 16, 16), k.layers.ReLU(max_value=6.0)
    yield (16, 16, 16), k.layers.LeakyReLU(negative_slope=0.25)
    for shape in ((4096,), (256,)):
        for function in ("hard_swish", "sigmoid", "tanh"):
            yield shape, k.layers.Activation(function)
    for count in (2, 12, 128):
        yield (count,), k.layers.Softmax()


def _moves(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    yield (16, 16, 16), k.layers.Reshape((4096,))
    yield (8, 8), k.layers.Reshape((64,))
    yield (24, 24, 8), k.layers.ZeroPadding2D(1)
    yield (10, 10, 3), k.layers.ZeroPadding2D(2)
    yield (12, 12, 16), lambda x, y: k.ops.concatenate([x, y], -1)
    yield (12, 12, 16), lambda x, y: k.ops.concatenate([x, y], 1)
    yield (64,), lambda x, y: k.ops.concatenate([x, y], -1)
    yield (16, 16, 16), k.layers.Permute((3, 1, 2))
    yield (16, 16, 16), k.layers.Cropping2D(2)
    yield (12, 12, 8), k.layers.Conv2DTranspose(8, 3, strides=2, padding="same")
    yield (8, 8, 16), k.layers.Conv2DTranspose(16, 2, strides=2, padding="same")


def _reshape(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    """Apart from `_moves`, as TFLM of 2021 does not run all of those."""
    for shape in ((16, 16, 16), (8, 8), (8, 8, 64), (3, 3, 256)):
        yield shape, k.layers.Flatten()


def _few(k: Any) -> Iterator[tuple[tuple[int, ...], Layers]]:
    """Some of each kind, for the other types."""
    yield from list(_convolutions(k))[3:24:5]
    yield from list(_depthwise(k))[:4]
    yield from list(_dense(k))[3:8]
    yield (24, 24, 16), k.layers.AveragePooling2D(2)
    yield (24, 24, 16), k.layers.MaxPooling2D(2)
    yield (16, 16, 16), lambda x, y: x + y
    yield (4096,), k.layers.Activation("sigmoid")
    yield (12,), k.layers.Softmax()


GROUPS: Mapping[str, tuple[Callable[[Any], Iterator[tuple[tuple[int, ...], Layers]]], dict[str, Any]]] = {
    "convolutions": (_convolutions, {}),
    "depthwise": (_depthwise, {}),
    "dense": (_dense, {}),
    "pooling": (_pooling, {}),
    "elementwise": (_elementwise, {}),
    "moves": (_moves, {}),
    "reshape": (_reshape, {}),
    "float_io": (_pooling, {"io": "float32"}),
    "float32": (_few, {"dtype": "float32"}),
    "int16x8": (_few, {"dtype": "int16x8"}),
}


def _parallel(k: Any, branches: Iterator[tuple[tuple[int, ...], Layers]]) -> Any:
    """A model with one operator behind each input, or pair of inputs."""
    inputs, outputs = [], []
    for shape, layer in branches:
        pair = getattr(layer, "__code__", None) and layer.__code__.co_argcount == 2 and layer.__name__ == "<lambda>"
        own = [k.Input(shape) for _ in range(2 if pair else 1)]
        inputs += own
        outputs.append(layer(*own))
    return k.Model(inputs, outputs)


def _converted(model: Any, seed: int, **options: Any) -> bytes:
    """As int8 for TFLM with random calibration data, all alike, so that outputs of a pair have its inputs' scale."""
    random = np.random.default_rng(seed)
    data = [random.uniform(-4, 4, (_SAMPLES, *one.shape[1:])).astype(np.float32) for one in model.inputs]
    calibration = None if options.get("dtype") == "float32" else data
    found = tfcompress.convert(model, calibration, runtime="tflm", decode="off", allow_unusual_data=True, **options)
    return found.flatbuffer.data


def _encoded(plain: bytes, encoding: Any, zeros: float, distinct: int, spread: int) -> bytes:
    """The file with other weights, encoded."""
    random = np.random.default_rng(distinct)
    data = plain
    for tensor in FlatBuffer(plain).tensors:
        if not (tensor.is_constant and tensor.dtype == "int8" and tensor.elements > 1000):
            continue
        weights = _weights(random, tensor.shape, zeros, distinct, spread).tobytes()
        data = data.replace(FlatBuffer(plain).constant(tensor).tobytes(), weights)
    return tfcompress.convert(FlatBuffer(data), decode=encoding, runtime="tflm").flatbuffer.data


def _weights(random: Any, shape: tuple[int, ...], zeros: float, distinct: int, spread: int) -> NDArray[np.int8]:
    if spread < 127:
        values = np.clip(np.rint(random.normal(0, spread, shape)), -127, 127)
    else:
        values = random.choice(np.linspace(-127, 127, distinct).round(), shape)
    values[random.uniform(size=shape) < zeros] = 0
    return np.asarray(values, np.int8)


def make(out: Path, only: Sequence[str] = ()) -> None:
    """Writes all models, or those of some names, to a folder."""
    import keras as k

    k.utils.set_random_seed(0)
    out.mkdir(parents=True, exist_ok=True)
    for name, build in (("vww", _vww), ("ad", _ad)):
        if name in (only or (name,)):
            _write(out, name, _converted(build(k), 0))
    for name, (branches, options) in GROUPS.items():
        if name in (only or (name,)):
            _write(out, name, _converted(_parallel(k, branches(k)), 1, **options))
    if "decode" in (only or ("decode",)):
        _make_decoded(k, out)


def _make_decoded(k: Any, out: Path) -> None:
    layers = [((16, 16, 16), k.layers.Conv2D(32, 3)), ((64,), k.layers.Dense(64)), ((64,), k.layers.Dense(256))]
    plain = _converted(_parallel(k, iter(layers)), 2)
    for encoding, kinds in DECODED.items():
        for number, kind in enumerate(kinds):
            _write(out, f"decode_{encoding}_{number}", _encoded(plain, encoding, *kind))


def _write(out: Path, name: str, data: bytes) -> None:
    write_whole(out / f"{name}.tflite", data, force=True)
    operators = [operator.name for operator in FlatBuffer(data).operators]
    print(f"{name}: {len(data):,} bytes, {len(operators)} operators: {' '.join(sorted(set(operators)))}", flush=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2:])

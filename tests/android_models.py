"""Small `.tflite` files as the demo app shows them: images, words, numbers; with what goes beside them."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from small_tflite import G, Op, T, build

FULL = ("FullyConnectedOptions", {"fusedActivationFunction": 0})
_SCALE = {
    "int8": ((1 / 255,), (-128,)),
    "uint8": ((1 / 255,), (0,)),
    "float32": ((), None),
    "int16": ((1 / 32767,), (0,)),
}
_SHARES = {
    "int8": ((1 / 256,), (-128,)),
    "uint8": ((1 / 256,), (0,)),
    "float32": ((), None),
    "int16": ((1 / 32768,), (0,)),
}


def classifier(
    dtype: str = "int8",
    shape: Sequence[int] = (1, 4, 4, 1),
    *,
    classes: int = 3,
    softmax: bool = True,
    scales: Sequence[float] | None = None,
    points: Sequence[int] | None = None,
) -> bytes:
    """An input, quantized for 0 to 1 unless told otherwise -> dense -> shares of `classes`."""
    values = int(np.prod(shape))
    own, point = _SCALE[dtype]
    one, zero = (own, point) if scales is None else (scales, points)
    mid = {} if dtype == "float32" else {"scales": (0.05,), "zero_points": point if dtype == "int16" else (3,)}
    bias = {"float32": "float32", "int16": "int64"}.get(dtype, "int32")
    weight = "float32" if dtype == "float32" else "uint8" if dtype == "uint8" else "int8"
    kernel = np.random.default_rng(3).integers(1 if dtype == "uint8" else -9, 9, (classes, values))
    of_weight = {"float32": {}, "uint8": {"scales": (0.05,), "zero_points": (5,)}}.get(dtype, {"scales": (0.05,)})
    of_bias = {} if dtype == "float32" else {"scales": (0.05 * one[0],)}
    shares, at = _SHARES[dtype]
    tensors = [
        T("serving_default_x:0", shape, dtype, scales=one, zero_points=zero),
        T("flat/shape", (2,), "int32", values=[1, values]),
        T("flat", (1, values), dtype, scales=one, zero_points=zero),
        T("kernel", (classes, values), weight, values=kernel, **of_weight),
        T("bias", (classes,), bias, values=np.arange(classes), **of_bias),
        T("logits", (1, classes), dtype, **mid),
        T("shares", (1, classes), dtype, scales=shares, zero_points=at),
    ]
    operators = [
        Op("RESHAPE", ["serving_default_x:0", "flat/shape"], ["flat"], ("ReshapeOptions", {"newShape": [1, values]})),
        Op("FULLY_CONNECTED", ["flat", "kernel", "bias"], ["logits"], FULL),
        Op("SOFTMAX", ["logits"], ["shares"], ("SoftmaxOptions", {"beta": 1.0})),
    ]
    if not softmax:
        tensors, operators = tensors[:-1], operators[:-1]
    return build(G(tensors, operators, ["serving_default_x:0"], [tensors[-1].name]))


def words(rows: int = 5) -> bytes:
    """int32 [1, 4] -> rows of a table -> [1, 4, 2] -> flat -> shares of two."""
    tensors = [
        T("x", (1, 4), "int32"),
        T("table", (rows, 2), "float32", values=np.arange(2 * rows).reshape(rows, 2) / 10),
        T("rows", (1, 4, 2), "float32"),
        T("shape", (2,), "int32", values=[1, 8]),
        T("flat", (1, 8), "float32"),
        T("kernel", (2, 8), "float32", values=np.arange(16).reshape(2, 8) / 8),
        T("bias", (2,), "float32", values=[0, 0]),
        T("y", (1, 2), "float32"),
    ]
    operators = [
        Op("GATHER", ["table", "x"], ["rows"], ("GatherOptions", {"axis": 0})),
        Op("RESHAPE", ["rows", "shape"], ["flat"], ("ReshapeOptions", {"newShape": [1, 8]})),
        Op("FULLY_CONNECTED", ["flat", "kernel", "bias"], ["y"], ("FullyConnectedOptions", {})),
    ]
    return build(G(tensors, operators, ["x"], ["y"]))


def png(height: int, width: int, channels: int = 3, *, seed: int = 0, kind: str = "PNG", **options: object) -> bytes:
    """A picture of noise."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)
    Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(made := io.BytesIO(), kind, **options)
    return made.getvalue()


def wav(samples: np.ndarray, rate: int = 8000, *, channels: int = 1) -> bytes:
    """A .wav file of int16 or uint8 samples, made by the standard library; of float32 ones, by hand."""
    if samples.dtype == np.float32:
        head = struct.pack("<HHIIHH", 3, channels, rate, rate * 4 * channels, 4 * channels, 32)
        data = samples.astype("<f4").tobytes()
        body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"LIST" + struct.pack("<I", 3) + b"abc\0"
        body += b"data" + struct.pack("<I", len(data)) + data
        return b"RIFF" + struct.pack("<I", len(body)) + body
    with wave.open(made := io.BytesIO(), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(samples.dtype.itemsize)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return made.getvalue()


def report_of(data: bytes) -> bytes:
    """A report.json of this file."""
    row = {
        "name": "accuracy_after", "value": 0.97, "unit": "accuracy", "how": "measured",
        "runtime": "LiteRT 2.3.0", "target": "this machine", "source": "test split",
    }  # fmt: skip
    told = {
        "folder": "x", "rows": [row], "recipe": {"name": "int8"}, "notes": ["made by a test"],
        "hashes": {"file": hashlib.sha256(data).hexdigest()},
    }  # fmt: skip
    return json.dumps(told).encode()


def written(folder: Path, contents: Mapping[str, bytes | str]) -> dict[str, Path]:
    """Files in a folder, by name."""
    for name, content in contents.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return {name: folder / name for name in contents}

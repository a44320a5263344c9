"""What Pillow, NumPy, TensorFlow and Keras make of images, numbers, sounds and texts, which the demo app is held to."""

from __future__ import annotations

import base64
import io
import wave
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from converters.runtimes import quantized_io

Array = npt.NDArray[Any]

# (width, height) -> (width, height): up, down, both, thin, one pixel, the same.
RESIZES = [
    ((8, 8), (28, 28)),
    ((28, 28), (8, 8)),
    ((37, 23), (28, 28)),
    ((61, 45), (16, 16)),
    ((5, 5), (5, 9)),
    ((9, 4), (3, 4)),
    ((1, 1), (4, 3)),
    ((3, 1), (7, 2)),
    ((40, 31), (1, 1)),
    ((2, 50), (33, 3)),
    ((12, 12), (12, 12)),
    ((31, 17), (32, 16)),
    ((26, 43), (22, 34)),
    ((27, 40), (21, 28)),
    ((43, 44), (25, 17)),
    ((40, 60), (30, 28)),
]
VOCABULARY = [
    "",
    "[UNK]",
    "the",
    "cat",
    "sat",
    "on",
    "mat",
    "it's",
    "its",
    "çedilla",
    "Über",
    "über",
    "a-b",
    "ab",
    "犬",
    ".",
]
TEXTS = [
    "The cat sat on the mat.",
    "",
    "   \t\n ",
    "THE   CAT\tsat\non\r\nthe\vmat\f!",
    "it's its IT'S -- a-b, a_b [ab] {ab} <ab> ~ab` \\ab| \"ab\" ab's",
    "Über ÜBER über Çedilla çedilla",
    "the\u00a0cat the\u3000cat the\u2003cat the\u0085cat cat\u200b",
    "犬 犬。 cat犬",
    "dog bird fish unknown 123 3.14",
    "the " * 30,
    ". .. ...",
    "\U0001f600 the \U0001f600",
]


def packed(array: Array) -> str:
    """Base64 of an array's bytes, little endian."""
    return base64.b64encode(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()).decode()


def resizes() -> list[dict[str, Any]]:
    """Pillow's bilinear resize of noise, gray and RGB."""
    random, made = np.random.default_rng(0), []
    for size, to in RESIZES:
        for channels in (1, 3):
            pixels = random.integers(0, 256, (size[1], size[0], channels), np.uint8)
            image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
            resized = np.asarray(image.resize(to, Image.Resampling.BILINEAR))
            made.append(
                {"from": size, "to": to, "channels": channels, "pixels": packed(pixels), "resized": packed(resized)}
            )
    return made


def images() -> list[dict[str, Any]]:
    """RGB noise through every order of channels and layout, to the model's values."""
    random, made = np.random.default_rng(1), []
    for number, (channels, layout) in enumerate((c, x) for c in ("gray", "rgb", "bgr") for x in ("nhwc", "nchw")):
        pixels = random.integers(0, 256, (11, 13, 3), np.uint8)
        count = 1 if channels == "gray" else 3
        each = number % 2 == 1
        mean = [103.939, 116.779, 123.68][:count] if each else [127.5]
        std = [57.375, 57.12, 58.395][:count] if each else [127.5]
        image = (
            Image.fromarray(pixels)
            .convert("L" if channels == "gray" else "RGB")
            .resize((8, 6), Image.Resampling.BILINEAR)
        )
        values = np.asarray(image, np.float64).reshape(6, 8, count)
        values = (values[..., ::-1] if channels == "bgr" else values) - mean
        values = (values / std).astype(np.float32)
        values = values.transpose(2, 0, 1) if layout == "nchw" else values
        spec = {"kind": "image", "channels": channels, "layout": layout, "mean": mean, "std": std, "drawing": None}
        made.append({"input": spec, "shape": [1, *values.shape], "pixels": packed(pixels), "values": packed(values)})
    return made


def grays() -> dict[str, str]:
    """Pillow's `L` of every 15th level of each channel."""
    levels = np.array([*range(0, 256, 15), 254], np.uint8)
    rgb = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    return {"levels": packed(levels), "gray": packed(np.asarray(Image.fromarray(rgb).convert("L")))}


def quantizations() -> list[dict[str, Any]]:
    """The toolkit's own quantization of noise, ties, the type's ends and infinities, and the way back."""
    random, made = np.random.default_rng(2), []
    for dtype, scale, zero_point in [
        ("int8", 1 / 255, -128),
        ("int8", 0.0390625, 3),
        ("int8", 0.5, 0),
        ("uint8", 0.00784314, 128),
        ("uint8", 1.0, 0),
        ("int16", 1 / 32768, 0),
        ("int16", 0.00390625, 0),
    ]:
        step, limits = np.float32(scale), np.iinfo(dtype)
        wholes = random.integers(limits.min - 9, limits.max + 10, 200) - zero_point
        ties = (wholes + 0.5).astype(np.float32) * step
        noise = (random.uniform(limits.min - 5, limits.max + 5, 200) - zero_point).astype(np.float32) * step
        special = np.array([0.0, -0.0, np.inf, -np.inf, 3e38, -3e38, 1e-40], np.float32)
        values = np.concatenate([noise, ties, special]).astype(np.float32)
        scales, zero_points = np.array([scale], np.float32), np.array([zero_point])
        stored = quantized_io.quantize(values, dtype, scales, zero_points)
        back = quantized_io.dequantize(stored, scales, zero_points)
        made.append(
            {
                "type": dtype,
                "scale": float(step),
                "zero_point": zero_point,
                "values": packed(values),
                "stored": packed(stored),
                "back": packed(back),
            }
        )
    return made


def texts() -> list[dict[str, Any]]:
    """Keras' TextVectorization."""
    import keras

    made = []
    for standardize in ("lower_and_strip_punctuation", "lower", "none"):
        for mode in ("int", "multi_hot"):
            layer = keras.layers.TextVectorization(
                standardize=None if standardize == "none" else standardize,
                output_mode=mode,
                output_sequence_length=7 if mode == "int" else None,
                vocabulary=VOCABULARY[2:],
            )
            known = layer.get_vocabulary()
            if known != (VOCABULARY if mode == "int" else VOCABULARY[1:]):
                raise ValueError(f"Keras' vocabulary is {known}")
            values = np.asarray(layer(np.array(TEXTS)), np.float32)
            length = 7 if mode == "int" else len(VOCABULARY) - 1
            spec = {"kind": "text", "length": length, "mode": mode, "standardize": standardize}
            made.append(
                {"input": spec, "vocabulary": VOCABULARY, "texts": TEXTS, "values": values.astype(int).tolist()}
            )
    return made


def sounds() -> list[dict[str, Any]]:
    """`.wav` files by Python's wave module, and the samples in them."""
    random, made = np.random.default_rng(4), []
    for bits, channels in [(8, 1), (8, 2), (16, 1), (16, 2), (24, 1), (32, 1)]:
        wholes = random.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (50, channels))
        stored = wholes + 128 if bits == 8 else wholes
        raw = stored.astype("<i4").reshape(-1, 1).view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(channels)
            out.setsampwidth(bits // 8)
            out.setframerate(8000)
            out.writeframes(raw)
        samples = (wholes / 2.0 ** (bits - 1)).mean(axis=1).astype(np.float32)
        made.append({"wav": base64.b64encode(file.getvalue()).decode(), "rate": 8000, "samples": packed(samples)})
    return made

"""From a picture, a sound, a text or a row of numbers to a model's input, as the demo app does it on a phone.

docs/android.md says what each kind of input is; what is computed here is what the app must compute.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.android import wav
from converters.inputs import AudioInput, FeaturesInput, ImageInput, InputSpec, TextInput
from tfcompress.data import audio

Array = npt.NDArray[Any]

# What Keras' TextVectorization strips (keras/src/layers/preprocessing/text_vectorization.py) and splits at
# (tf.strings.split: ASCII white space); its lower-casing touches A to Z only.
_PUNCTUATION = re.compile(r"""[!"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~']""")
_SPACE = " \t\n\v\f\r"
_LOWER = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def from_file(content: bytes, spec: InputSpec, shape: Sequence[int], vocabulary: Sequence[str] = ()) -> Array | None:
    """A sample of a model folder as the model's input, in the float model's units.

    Args:
        content: a `.png`, `.wav`, `.txt` or `.csv` file, of the kind that `spec` is of.
        spec: what the input is.
        shape: of the input.
        vocabulary: of a text model.

    Returns:
        float32 `shape`, or integers for text; None for a sound of another sample rate, which the app resamples.
    """
    made: Array
    match spec:
        case ImageInput():
            made = _pixels(content, spec, shape)
        case AudioInput():
            clip = wav.read(content, "the clip")
            if clip.rate != spec.sample_rate:
                return None
            made = audio.audio_features([clip.samples], audio.AudioFrontEnd.of(spec))
        case TextInput():
            made = word_numbers(content.decode(), spec, vocabulary)
        case FeaturesInput():
            row = np.array([float(cell) for cell in content.decode().split(",")], np.float32)
            made = _scaled(row, spec)
    return made.reshape(shape)


def _pixels(content: bytes, spec: ImageInput, shape: Sequence[int]) -> Array:
    """Gray or three colours, then resized bilinearly, then (pixel - mean) / std, then laid out."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        picture = image.convert("L" if spec.channels == "gray" else "RGB")
        picture = picture.resize(spec.size(shape), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture).reshape(*reversed(picture.size), spec.depth)
    pixels = pixels[..., ::-1] if spec.channels == "bgr" else pixels
    scaled = _scaled(pixels, spec)
    return scaled.transpose(2, 0, 1) if spec.layout == "nchw" else scaled


def _scaled(values: Array, spec: ImageInput | FeaturesInput) -> Array:
    """(value - mean) / std in double precision, then float32."""
    made: Array = ((values.astype(np.float64) - np.array(spec.mean)) / np.array(spec.std)).astype(np.float32)
    return made


def word_numbers(text: str, spec: TextInput, vocabulary: Sequence[str]) -> Array:
    """What Keras' TextVectorization makes of a text: numbers of words, or a 1 for each word that occurs; [length]."""
    if spec.standardize != "none":
        text = text.translate(_LOWER)
    if spec.standardize == "lower_and_strip_punctuation":
        text = _PUNCTUATION.sub("", text)
    known: Mapping[str, int] = {word: number for number, word in enumerate(vocabulary)}
    numbers = [known.get(word, 1) for word in re.split(f"[{_SPACE}]+", text) if word]
    made = np.zeros(spec.length, np.float32 if spec.mode == "multi_hot" else np.int64)
    if spec.mode == "multi_hot":
        made[[number - 1 for number in numbers]] = 1
    else:
        made[: len(numbers)] = numbers[: spec.length]
    return made

"""What the app makes of a picture, a sound, a text or numbers is what Pillow, TensorFlow and Keras make of them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from android_models import png, wav
from PIL import Image

from converters.inputs import AudioInput, FeaturesInput, ImageInput, TextInput
from tfcompress.data.front_end import from_file, word_numbers

WORDS = ("", "[UNK]", "film", "great", "not", "über", "dont")


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content))).astype(np.int64)


def test_pixels_of_the_models_own_size_are_scaled_alone() -> None:
    content = png(4, 5)
    rgb = ImageInput(channels="rgb", mean=(127.5,), std=(127.5,))
    made = from_file(content, rgb, (1, 4, 5, 3))
    assert made is not None and made.dtype == np.float32
    assert np.array_equal(made[0], (pixels(content).astype(np.float32) - 127.5) / 127.5)
    bgr = ImageInput(channels="bgr", layout="nchw", mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0))
    made = from_file(content, bgr, (1, 3, 4, 5))
    expected = (pixels(content)[..., ::-1] - [1, 2, 3]) / [2, 4, 8]
    assert made is not None and np.allclose(made[0], expected.transpose(2, 0, 1))


def test_gray_is_made_by_pillows_own_integers() -> None:
    content = png(6, 6)
    red, green, blue = np.moveaxis(pixels(content), -1, 0)
    expected = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16
    for shape in ((1, 6, 6, 1), (1, 6, 6)):
        made = from_file(content, ImageInput(channels="gray", mean=(0.0,), std=(1.0,)), shape)
        assert made is not None and made.shape == shape and np.array_equal(made.reshape(6, 6), expected)


def test_other_sizes_are_gray_first_then_resized_by_pillow() -> None:
    content = png(40, 30)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(image.convert("L").resize((7, 9), Image.Resampling.BILINEAR))
    made = from_file(content, ImageInput(channels="gray", mean=(0.0,), std=(1.0,)), (1, 9, 7, 1))
    assert made is not None and np.array_equal(made[0, ..., 0], expected)


def test_a_gray_picture_fills_three_channels() -> None:
    content = png(4, 4, 1)
    made = from_file(content, ImageInput(channels="rgb", mean=(0.0,), std=(1.0,)), (1, 4, 4, 3))
    assert made is not None and np.array_equal(made[0], np.repeat(pixels(content)[..., np.newaxis], 3, axis=-1))


def test_a_sound_is_cut_or_filled_and_one_of_another_rate_is_left_to_the_app() -> None:
    spec = AudioInput(sample_rate=8000, samples=6, features="waveform", mean=0.5, std=2.0)
    tone = np.array([100, -100, 32767, -32768], np.int16)
    made = from_file(wav(tone), spec, (1, 6, 1))
    assert made is not None and made.shape == (1, 6, 1)
    assert np.allclose(made.ravel(), (np.append(tone / 32768, [0, 0]) - 0.5) / 2)
    assert from_file(wav(tone, 16000), spec, (1, 6, 1)) is None


def test_numbers_are_scaled() -> None:
    made = from_file(b"1,2,3\n", FeaturesInput(mean=(1.0,), std=(1.0, 2.0, 4.0)), (1, 3))
    assert made is not None and made.tolist() == [[0, 0.5, 0.5]]


def test_words_have_the_numbers_of_their_lines() -> None:
    numbers = word_numbers("Great FILM, don't\nmiss: not!", TextInput(length=6), WORDS)
    assert numbers.tolist() == [3, 2, 6, 1, 4, 0]
    assert word_numbers("great great great", TextInput(length=2), WORDS).tolist() == [3, 3]
    hot = word_numbers("great film great nonsense", TextInput(length=6, mode="multi_hot"), WORDS)
    assert hot.tolist() == [1, 1, 1, 0, 0, 0]


TEXTS = [
    "Great film, don't miss it!", "", "  tabs\tand\nlines\r\n ", "ÜBER great", "Ünder-standing (not) great…",
    "a_b c'd \"film\" film.film", "great\u00a0film", "great\u2003film", "not\x0bfilm\x0cgreat",
    "ΑΒΓ film İ", "[UNK] film",
]  # fmt: skip


@pytest.mark.parametrize("mode", ["int", "multi_hot"])
@pytest.mark.parametrize("standardize", ["lower_and_strip_punctuation", "lower", "none"])
def test_texts_become_what_keras_makes_of_them(mode: str, standardize: str) -> None:
    keras = pytest.importorskip("keras")
    asked = {"output_sequence_length": 8} if mode == "int" else {}
    layer = keras.layers.TextVectorization(
        standardize=None if standardize == "none" else standardize, output_mode=mode, **asked
    )
    layer.set_vocabulary([word for word in WORDS if word not in ("", "[UNK]")])
    listed = layer.get_vocabulary()
    words = tuple(listed) if mode == "int" else ("", *listed)
    assert words == WORDS
    length = 8 if mode == "int" else len(listed)
    spec = TextInput(length=length, mode=mode, standardize=standardize)  # type: ignore[arg-type]
    expected = np.asarray(layer(np.array(TEXTS)))
    for text, row in zip(TEXTS, expected, strict=True):
        assert word_numbers(text, spec, words).tolist() == row.tolist(), text

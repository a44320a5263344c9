"""Spoken digits (Free Spoken Digit Dataset) as a phone's microphone hears them: a small CNN, its data, its training.

    python examples/spoken_digits.py -o spoken.keras                          trains it, some minutes on a laptop
    tfcompress compress spoken.keras --recipe examples/small.toml --data examples/spoken_digits.py:task -o spoken

The recordings (https://github.com/Jakobovski/free-spoken-digit-dataset) are looked for in the folder `fsdd` of the
folder that TFCOMPRESS_DATA names: `recordings/*.wav` as they are published, or all of them in fsdd_8khz_int16.npz.
An eleventh class, `silence`, is noise without a voice: a phone that listens hears mostly that.
"""

from __future__ import annotations

import argparse
import os
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcompress import AudioFrontEnd, Task, audio_features
from tfcompress.errors import FileError

Array = npt.NDArray[Any]

# A second of sound becomes 49 frames of 32 ms, 20 ms apart, of 32 mel bands. `peak` makes loudness irrelevant, and
# log_offset is some 50 dB below a loud voice, so that what is fainter looks like silence. mean and std are those of
# the training features, rounded.
FRONT_END = AudioFrontEnd(
    sample_rate=8000,
    samples=8000,
    normalize="peak",
    features="log_mel",
    frame_length=256,
    frame_step=160,
    fft_length=256,
    power=1,
    mel_bins=32,
    lower_hz=80.0,
    upper_hz=3800.0,
    log_offset=0.1,
    mean=-0.2,
    std=1.3,
)
CLASSES = (*"0123456789", "silence")
SILENCE = 10
# Recordings 0 to 4 of each speaker and digit are the data set's official test split; 5 to 8 are validation here.
TEST_INDICES, VALIDATION_INDICES = range(5), range(5, 9)
# Training clips are heard this often, each time at another place, speed and loudness of the noise.
COPIES = 8
SPEED = 0.15
SIGNAL_TO_NOISE_DB = 3.0, 45.0
# So many of them have no noise at all, like a recording whose end is filled with zeros.
NOISELESS = 0.2
# The widest stretches of frames and bands that are blanked (SpecAugment, arXiv:1904.08779).
MASKED_FRAMES, MASKED_BANDS = 8, 5
EPOCHS, BATCH_SIZE, LEARNING_RATE = 20, 64, 3e-3


@dataclass(frozen=True)
class Recordings:
    """Clips of 16-bit samples at 8 kHz, with digit, speaker, and number among that speaker's of that digit."""

    clips: list[Array]
    digits: Array
    speakers: Array
    indices: Array


def task(without: str = "") -> Task:
    """Training and validation clips as a microphone hears them, and the 300 official test clips as they are.

    Inputs are float32 [n, 49, 32, 1]. Training and validation have a tenth of silence on top.

    Args:
        without: a speaker who is kept for the test alone, in place of the official split.
    """
    found = recordings()
    is_test = found.speakers == without if without else np.isin(found.indices, TEST_INDICES)
    is_val = np.isin(found.indices, VALIDATION_INDICES) & ~is_test
    rng = np.random.default_rng(0)
    x_train, y_train = _heard(found, np.flatnonzero(~is_test & ~is_val), COPIES, rng)
    x_val, y_val = _heard(found, np.flatnonzero(is_val), 1, rng)
    return Task(
        x_train=x_train,
        y_train=y_train,
        x_val=x_val,
        y_val=y_val,
        x_test=features([found.clips[number] for number in np.flatnonzero(is_test)]),
        y_test=found.digits[is_test],
        augment=augment,
        classes=CLASSES,
        source="Free Spoken Digit Dataset, " + (f"{without} is test" if without else "official test split"),
    )


def recordings() -> Recordings:
    """All of them, in the order of their names.

    Raises:
        FileError: they are not there.
    """
    folder = Path(os.environ.get("TFCOMPRESS_DATA", "data")) / "fsdd"
    packed = folder / "fsdd_8khz_int16.npz"
    if packed.is_file():
        with np.load(packed) as archive:
            clips = np.split(archive["samples"], archive["offsets"][1:-1])
            return Recordings(clips, archive["labels"].astype(np.int64), archive["speakers"], archive["index"])
    paths = sorted((folder / "recordings").glob("*.wav"))
    if not paths:
        raise FileError(f"{folder} has no recordings/*.wav; clone the data set there, or set TFCOMPRESS_DATA")
    names = [path.stem.split("_") for path in paths]
    digits, speakers, indices = zip(*names, strict=True)
    return Recordings(
        [_read(path) for path in paths], np.array(digits, int), np.array(speakers), np.array(indices, int)
    )


def _read(path: Path) -> Array:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def features(clips: list[Array]) -> Array:
    """The model's input, [n, 49, 32, 1]."""
    return audio_features(clips, FRONT_END)[..., np.newaxis]


def _heard(found: Recordings, numbers: Array, copies: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Inputs and labels of some recordings as a microphone hears them, and of a tenth as much silence."""
    numbers = np.tile(numbers, copies)
    silent = [_noise(rng) for _ in range(len(numbers) // 10)]
    x = features([microphone(found.clips[number], rng) for number in numbers] + silent)
    return x, np.concatenate([found.digits[numbers], np.full(len(silent), SILENCE)])


def microphone(clip: Array, rng: np.random.Generator) -> Array:
    """A second of sound with the clip somewhere in it: faster or slower, under noise, in another tone.

    Args:
        clip: 16-bit samples.
        rng: draws how.

    Returns:
        float64 [8000].
    """
    speed = rng.uniform(1 - SPEED, 1 + SPEED)
    voice = np.interp(np.arange(0, len(clip) - 1, speed), np.arange(len(clip)), clip / 32768)[: FRONT_END.samples]
    heard = np.zeros(FRONT_END.samples)
    start = rng.integers(0, len(heard) - len(voice) + 1)
    heard[start : start + len(voice)] = voice
    # Microphones and rooms favour low or high tones.
    heard[1:] -= rng.uniform(-0.5, 0.5) * heard[:-1]
    if rng.random() < NOISELESS:
        return heard
    loudness = np.sqrt(np.mean(voice**2)) * 10 ** (-rng.uniform(*SIGNAL_TO_NOISE_DB) / 20)
    return heard + loudness * _noise(rng)


def _noise(rng: np.random.Generator) -> Array:
    """A second of noise of deviation 1 whose power falls with frequency to a random extent, sometimes with a knock."""
    hertz = np.fft.rfftfreq(FRONT_END.samples, 1 / FRONT_END.sample_rate)
    spectrum = rng.normal(size=(2, len(hertz))) / (50 + hertz) ** rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum[0] + 1j * spectrum[1], FRONT_END.samples)
    noise /= noise.std()
    if rng.random() < 0.2:
        length = rng.integers(20, 400)
        start = rng.integers(0, len(noise) - length)
        noise[start : start + length] += rng.uniform(2, 20) * rng.normal(size=length) * np.linspace(1, 0, length)
    return noise


def augment(x: Any) -> Any:
    """Blanks a stretch of frames and one of bands in each sample; shape and dtype stay.

    Args:
        x: TensorFlow tensor [n, frames, bands, 1] of mean 0.
    """
    import tensorflow as tf

    def kept(length: int, widest: int) -> Any:
        # [n, length]: 0 in one stretch of up to `widest` places, 1 elsewhere
        width = tf.random.uniform((tf.shape(x)[0], 1), 0, widest + 1, tf.int32)
        start = tf.cast(tf.random.uniform((tf.shape(x)[0], 1)) * tf.cast(length - width + 1, tf.float32), tf.int32)
        place = tf.range(length) - start
        return tf.cast((place < 0) | (place >= width), x.dtype)

    return x * kept(x.shape[1], MASKED_FRAMES)[:, :, None, None] * kept(x.shape[2], MASKED_BANDS)[:, None, :, None]


def model() -> Any:
    """A Keras 3 model, untrained: a convolution and three depthwise-separable ones, about 13,000 weights."""
    from keras import Sequential, layers

    def normalized(layer: Any) -> list[Any]:
        return [
            layer,
            layers.BatchNormalization(name=f"{layer.name}_norm"),
            layers.ReLU(name=f"{layer.name}_relu"),
        ]

    def separable(filters: int, strides: int, number: int) -> list[Any]:
        depthwise = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False, name=f"depthwise_{number}")
        pointwise = layers.Conv2D(filters, 1, use_bias=False, name=f"pointwise_{number}")
        return [*normalized(depthwise), *normalized(pointwise)]

    return Sequential(
        [
            layers.Input((*FRONT_END.shape, 1), name="log_mel"),
            *normalized(layers.Conv2D(24, 3, 2, padding="same", use_bias=False, name="conv")),
            *separable(48, 2, 1),
            *separable(64, 1, 2),
            *separable(96, 2, 3),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(len(CLASSES), activation="softmax", name="digit"),
        ],
        name="spoken_digits",
    )


def train(data: Task, epochs: int = EPOCHS, *, seed: int = 0) -> Any:
    """The model, trained from scratch."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    made = model()
    count = data.count("train")
    batches = tf.data.Dataset.from_tensor_slices((data.x_train, data.y_train)).shuffle(count, seed).batch(BATCH_SIZE)
    varied = batches.map(lambda x, y: (augment(x), y), tf.data.AUTOTUNE).prefetch(2)
    steps = epochs * -(-count // BATCH_SIZE)
    made.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    made.fit(varied, validation_data=(data.x_val, data.y_val), epochs=epochs, verbose=2)
    return made


def main() -> None:
    """Trains, scores and writes the model."""
    parser = argparse.ArgumentParser(description="Trains the spoken digits model.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .keras file to write")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--without", default="", help="a speaker to be kept for the test: how a new voice fares")
    given = parser.parse_args()
    data = task(given.without)
    made = train(data, given.epochs)
    print(f"test accuracy: {made.evaluate(data.x_test, data.y_test, verbose=0)[1]:.4f}")
    made.save(given.output)


if __name__ == "__main__":
    main()

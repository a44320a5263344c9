"""Spoken digits (Free Spoken Digit Dataset) as log-mel features, and a small CNN: the float baseline.

    python -m benchmarks.spoken_digits -o FOLDER                       trains; writes FOLDER/spoken_digits.keras
    tfcompress evaluate spoken_digits.keras --data benchmarks/spoken_digits.py:task

Real data is looked for beside the checkout, or where TFCOMPRESS_DATA says. A clip is one second at 8 kHz, in the
middle of zeros where it is shorter, and becomes 49 frames of 32 ms, 20 ms apart, of 40 mel bands.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcompress.task import Task

Array = npt.NDArray[Any]

# No module of their own: `file.py:function` loads this file alone.
REAL_DATA = Path(os.environ.get("TFCOMPRESS_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
SAMPLE_RATE = 8_000
CLIP_SAMPLES = 8_000
FRAME_SAMPLES, HOP_SAMPLES, FFT_SAMPLES = 256, 160, 512
FRAME_COUNT = 1 + (CLIP_SAMPLES - FRAME_SAMPLES) // HOP_SAMPLES
MEL_BANDS = 40
# Hum and rumble are below the lowest band.
LOWEST_HERTZ = 60.0
# Added to a band's power before the logarithm: about the quantization noise of 16-bit samples.
POWER_FLOOR = 1e-6
# Recordings 0 to 4 of each speaker and digit are the data set's official test split.
TEST_INDICES = 5
# Frames by which a training clip moves at most, and the widest bands that are blanked (SpecAugment, arXiv:1904.08779).
SHIFT_FRAMES, MASKED_FRAMES, MASKED_BANDS = 6, 8, 6
BATCH_SIZE = 64
LEARNING_RATE = 3e-3


def task() -> Task:
    """2,430 training, 270 validation and 300 test clips: float32 [n, 49, 40, 1], normalized; labels 0..9.

    Each mel band has mean 0 and deviation 1 over the training clips. Validation holds out each digit in equal shares.
    """
    with np.load(REAL_DATA / "fsdd" / "fsdd_8khz_int16.npz") as archive:
        samples, ends, labels = archive["samples"], archive["offsets"], archive["labels"]
        is_test = archive["index"] < TEST_INDICES
    x = log_mel(np.stack([_one_second(samples[start:end]) for start, end in zip(ends[:-1], ends[1:], strict=True)]))
    train, val = _hold_out(np.flatnonzero(~is_test), labels)
    mean, deviation = x[train].mean(axis=(0, 1)), x[train].std(axis=(0, 1))
    x = ((x - mean) / deviation)[..., None].astype(np.float32)
    return Task(
        x_train=x[train],
        y_train=labels[train],
        x_val=x[val],
        y_val=labels[val],
        x_test=x[is_test],
        y_test=labels[is_test],
        augment=augment,
        classes=tuple(str(digit) for digit in range(10)),
        source="Free Spoken Digit Dataset, official test split; a tenth of the rest is validation (seed 0)",
    )


def log_mel(clips: Array) -> Array:
    """Natural logarithm of the power in each mel band.

    Args:
        clips: float32 [n, CLIP_SAMPLES], -1..1.

    Returns:
        float32 [n, FRAME_COUNT, MEL_BANDS].
    """
    frames = np.lib.stride_tricks.sliding_window_view(clips, FRAME_SAMPLES, axis=1)[:, ::HOP_SAMPLES]
    window = np.hanning(FRAME_SAMPLES).astype(np.float32)
    bands = _mel_filters()
    # One clip after the other: the spectra of all would take 600 MB.
    power = (np.abs(np.fft.rfft(clip * window, FFT_SAMPLES)) ** 2 @ bands for clip in frames)
    return np.log(np.stack([clip.astype(np.float32) for clip in power]) + np.float32(POWER_FLOOR))


def augment(x: Any) -> Any:
    """Moves each clip in time and blanks some of its frames and bands; shape and dtype stay.

    Args:
        x: TensorFlow tensor [n, frames, bands, 1], normalized, so that 0 is the mean.
    """
    import tensorflow as tf

    count, frames, bands = tf.shape(x)[0], x.shape[1], x.shape[2]

    def kept(length: int, widest: int) -> Any:
        # [n, length]: 0 in one stretch of up to `widest` places, 1 elsewhere
        width = tf.random.uniform((count, 1), 0, widest + 1, tf.int32)
        start = tf.cast(tf.random.uniform((count, 1)) * tf.cast(length - width + 1, tf.float32), tf.int32)
        place = tf.range(length) - start
        return tf.cast((place < 0) | (place >= width), x.dtype)

    shift = tf.random.uniform((count, 1), -SHIFT_FRAMES, SHIFT_FRAMES + 1, tf.int32)
    # Beyond the ends the first or last frame goes on.
    moved = tf.gather(x, tf.clip_by_value(tf.range(frames) + shift, 0, frames - 1), axis=1, batch_dims=1)
    return moved * kept(frames, MASKED_FRAMES)[:, :, None, None] * kept(bands, MASKED_BANDS)[:, None, :, None]


def build() -> Any:
    """A Keras 3 model: three convolutions, a depthwise-separable block, ten digits."""
    from keras import Sequential, layers

    def normalized(layer: Any) -> list[Any]:
        return [
            layer,
            layers.BatchNormalization(name=f"{layer.name}_norm"),
            layers.ReLU(name=f"{layer.name}_relu"),
        ]

    same = {"padding": "same", "use_bias": False}
    return Sequential(
        [
            layers.Input((FRAME_COUNT, MEL_BANDS, 1), name="log_mel"),
            *normalized(layers.Conv2D(32, 3, 2, name="conv_1", **same)),
            *normalized(layers.Conv2D(48, 3, 2, name="conv_2", **same)),
            *normalized(layers.Conv2D(64, 3, name="conv_3", **same)),
            *normalized(layers.DepthwiseConv2D(3, 2, name="depthwise", **same)),
            *normalized(layers.Conv2D(96, 1, name="pointwise", **same)),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="spoken_digits",
    )


def train(data: Task, epochs: int, *, seed: int = 0) -> Any:
    """The model, trained from scratch.

    Args:
        data: what `task` returns.
        epochs: passes over the training data.
        seed: of the weights, the order and the augmentation.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = build()
    steps = -(-data.count("train") // BATCH_SIZE)
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    samples = tf.data.Dataset.from_tensor_slices((data.x_train, data.y_train))
    batches = samples.shuffle(data.count("train"), seed=seed).batch(BATCH_SIZE)
    batches = batches.map(lambda x, y: (augment(x), y)).prefetch(2)
    model.fit(batches, validation_data=(data.x_val, data.y_val), epochs=epochs, verbose=2)
    return model


def _one_second(samples: Array) -> Array:
    """The middle second as float32, -1..1; silence on both sides of a shorter clip."""
    surplus = max(len(samples) - CLIP_SAMPLES, 0) // 2
    middle = samples[surplus : surplus + CLIP_SAMPLES].astype(np.float32) / 32768
    before = (CLIP_SAMPLES - len(middle)) // 2
    return np.pad(middle, (before, CLIP_SAMPLES - len(middle) - before))


def _mel_filters() -> Array:
    """Triangles [FFT_SAMPLES // 2 + 1, MEL_BANDS] whose tops are evenly spaced in mel, 2595 log10(1 + hertz / 700)."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (LOWEST_HERTZ, SAMPLE_RATE / 2))
    corners = 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(FFT_SAMPLES, 1 / SAMPLE_RATE)[:, None]
    rising = (hertz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - hertz) / (corners[2:] - corners[1:-1])
    return np.clip(np.minimum(rising, falling), 0, None).astype(np.float32)


def _hold_out(indices: Array, labels: Array) -> tuple[Array, Array]:
    """Training and validation indices: a tenth of each digit is held out."""
    random = np.random.default_rng(0)
    shuffled = [random.permutation(indices[labels[indices] == digit]) for digit in range(10)]
    held_out = np.concatenate([places[: round(len(places) / 10)] for places in shuffled])
    return np.setdiff1d(indices, held_out), np.sort(held_out)


def main() -> None:
    """Trains, scores on the test set, and writes the model."""
    parser = argparse.ArgumentParser(description="Trains a small CNN on spoken digits.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="gets spoken_digits.keras")
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    data = task()
    start = time.perf_counter()
    model = train(data, options.epochs)
    seconds = time.perf_counter() - start
    answers = {split: np.argmax(model.predict(data.inputs(split)["x"], verbose=0), -1) for split in ("val", "test")}
    scores = {split: np.mean(answer == getattr(data, f"y_{split}")) for split, answer in answers.items()}
    print(f"validation accuracy: {scores['val']:.4f}, test accuracy: {scores['test']:.4f}")
    print(f"{model.count_params()} parameters, {seconds:.0f} s of training")
    options.output.mkdir(parents=True, exist_ok=True)
    model.save(options.output / "spoken_digits.keras")


if __name__ == "__main__":
    main()

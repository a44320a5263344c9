"""Handwritten digits (MNIST) as the demo app's drawing pad makes them: a small CNN, its data, its training.

    python examples/handwritten_digits.py -o digits.keras                     trains it, some minutes on a laptop
    tfcompress compress digits.keras --recipe examples/small.toml --data examples/handwritten_digits.py:task -o digits

The four files of MNIST (train-images-idx3-ubyte.gz and so on) are looked for in the folder `mnist` of the folder that
TFCOMPRESS_DATA names; without that variable Keras downloads the data.
"""

from __future__ import annotations

import argparse
import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcompress import Task

Array = npt.NDArray[Any]

CLASSES = tuple("0123456789")
# The last images of the training set are for validation; MNIST's own test set is the test set.
VALIDATION = 5000
# What is done to a training image: turned by up to so many radians, sheared, and scaled by up to such shares.
TURN, SHEAR, SCALE = 0.2, 0.2, 0.1
# Fingers draw thinner and thicker lines than pens: how far a training image goes towards the darkest, or brightest, of
# the nine pixels around each at most.
THINNER, THICKER = 0.3, 0.7
EPOCHS, BATCH_SIZE, LEARNING_RATE = 8, 128, 2e-3


def task() -> Task:
    """55,000 training, 5,000 validation and 10,000 test images: float32 [n, 28, 28, 1] from 0 to 1, white on black."""
    (x, y), (x_test, y_test) = images()
    x, x_test = (part.astype(np.float32)[..., None] / 255 for part in (x, x_test))
    return Task(
        x_train=x[:-VALIDATION],
        y_train=y[:-VALIDATION],
        x_val=x[-VALIDATION:],
        y_val=y[-VALIDATION:],
        x_test=x_test,
        y_test=y_test,
        augment=augment,
        classes=CLASSES,
        source=f"MNIST, its own test set; the last {VALIDATION} training images are validation",
    )


def images() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """MNIST as it stands: ((images, labels) to train, (images, labels) to test), uint8 [n, 28, 28] and [n]."""
    if "TFCOMPRESS_DATA" not in os.environ:
        from keras.datasets import mnist

        (x, y), (x_test, y_test) = mnist.load_data()
        return (x, y), (x_test, y_test)
    folder = Path(os.environ["TFCOMPRESS_DATA"]) / "mnist"

    def read(part: str) -> tuple[Array, Array]:
        # The IDX format: a header of 16 bytes before images, of 8 before labels.
        pixels = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
        labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
        return np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)

    return read("train"), read("t10k")


def augment(x: Any) -> Any:
    """Turns, shears and scales each image, and makes its lines thinner or thicker; shape and dtype stay.

    Args:
        x: TensorFlow tensor [n, 28, 28, 1].
    """
    import tensorflow as tf

    def draw(low: float, high: float) -> Any:
        return tf.random.uniform((tf.shape(x)[0],), low, high)

    angle, shear = draw(-TURN, TURN), draw(-SHEAR, SHEAR)
    wide, high = draw(1 - SCALE, 1 + SCALE), draw(1 - SCALE, 1 + SCALE)
    # Output (column, row) comes from input (a column + b row + c, d column + e row + f): about the middle, 13.5.
    a, b = wide * tf.cos(angle), shear - tf.sin(angle)
    d, e = tf.sin(angle), high * tf.cos(angle)
    c, f = 13.5 * (1 - a - b), 13.5 * (1 - d - e)
    zero = tf.zeros_like(angle)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=x,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=(28, 28),
        interpolation="BILINEAR",
        fill_value=0.0,
        fill_mode="CONSTANT",
    )
    change = draw(-THINNER, THICKER)[:, None, None, None]
    thicker, thinner = tf.nn.max_pool2d(moved, 3, 1, "SAME"), -tf.nn.max_pool2d(-moved, 3, 1, "SAME")
    return moved + tf.maximum(change, 0) * (thicker - moved) + tf.maximum(-change, 0) * (thinner - moved)


def model() -> Any:
    """A Keras 3 model of three convolutions, untrained: about 30,000 weights."""
    from keras import Sequential, layers

    def convolution(filters: int, strides: int, padding: str, name: str) -> list[Any]:
        return [
            layers.Conv2D(filters, 3, strides, padding=padding, use_bias=False, name=name),
            layers.BatchNormalization(name=f"{name}_norm"),
            layers.ReLU(name=f"{name}_relu"),
        ]

    return Sequential(
        [
            layers.Input((28, 28, 1), name="image"),
            *convolution(16, 2, "same", "conv_1"),
            *convolution(32, 2, "same", "conv_2"),
            *convolution(48, 1, "valid", "conv_3"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="handwritten_digits",
    )


def train(data: Task, epochs: int = EPOCHS, *, seed: int = 0) -> Any:
    """The model, trained on varied images."""
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Trains the handwritten digits model.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .keras file to write")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args()
    train(task(), given.epochs).save(given.output)

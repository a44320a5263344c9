"""CIFAR-10 as JPEG files for the MLPerf Tiny ResNet-8: data with augmentation, and the float baseline.

    python -m benchmarks.cifar10 -o FOLDER                             fine-tunes; writes FOLDER/resnet8_jpeg.h5
    tfcompress evaluate resnet8_jpeg.h5 --data benchmarks/cifar10.py:task

Real data is looked for beside the checkout, or where TFCOMPRESS_DATA says. The images are JPEG of quality 75, on which
the published model loses 9 to 12 points of accuracy; so it is fine-tuned before anything is compared with it.
"""

from __future__ import annotations

import argparse
import functools
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tfcompress.data.lazy import Scaled
from tfcompress.task import Task

Array = npt.NDArray[Any]

# No module of their own: `file.py:function` loads this file alone.
REAL_DATA = Path(os.environ.get("TFCOMPRESS_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
# The last of the 50,000 training images, in the order of the data set.
VALIDATION_COUNT = 5_000
# Reflected pixels on each side before the random crop.
PAD = 4
BATCH_SIZE = 128
LEARNING_RATE = 1e-3


def task() -> Task:
    """45,000 training, 5,000 validation and 10,000 test images: float32 [n, 32, 32, 3], 0..255; labels 0..9.

    The images stay bytes in memory (180 MB) until a batch is asked for.
    """
    folder = REAL_DATA / "cifar10"
    x, y, classes = _read(folder / "cifar10_train_jpeg.npz")
    x_test, y_test, _ = _read(folder / "cifar10_test_jpeg.npz")
    return Task(
        x_train=_floats(x[:-VALIDATION_COUNT]),
        y_train=y[:-VALIDATION_COUNT],
        x_val=_floats(x[-VALIDATION_COUNT:]),
        y_val=y[-VALIDATION_COUNT:],
        x_test=_floats(x_test),
        y_test=y_test,
        augment=augment,
        classes=classes,
        source="CIFAR-10 as JPEG of quality 75, its own test set; the last 5,000 training images are validation",
    )


def augment(x: Any) -> Any:
    """Mirrors half of the images, pads by reflection and crops each at its own place; shape and dtype stay.

    Args:
        x: TensorFlow tensor [n, height, width, channels].
    """
    import tensorflow as tf

    count, height, width = tf.shape(x)[0], x.shape[1], x.shape[2]
    padded = tf.pad(tf.image.random_flip_left_right(x), [[0, 0], [PAD, PAD], [PAD, PAD], [0, 0]], "REFLECT")
    top, left = tf.unstack(tf.random.uniform((2, count, 1), 0, 2 * PAD + 1, tf.int32))
    rows = tf.gather(padded, top + tf.range(height), axis=1, batch_dims=1)
    return tf.gather(rows, left + tf.range(width), axis=2, batch_dims=1)


def fine_tune(data: Task, epochs: int, steps: int | None = None, *, seed: int = 0) -> Any:
    """The published model of MLPerf Tiny, fitted to these images: a `tf_keras.Model`.

    Args:
        data: what `task` returns.
        epochs: passes over the training data.
        steps: batches per epoch; None for all.
        seed: of the order, the augmentation and everything else that is random.
    """
    import tensorflow as tf
    import tf_keras

    tf_keras.utils.set_random_seed(seed)
    steps = steps or -(-data.count("train") // BATCH_SIZE)
    model = tf_keras.models.load_model(REAL_DATA / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", compile=False)
    rate = tf_keras.optimizers.schedules.CosineDecay(LEARNING_RATE, epochs * steps)
    model.compile(tf_keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    signature = (tf.TensorSpec((None, 32, 32, 3)), tf.TensorSpec((None,), tf.uint8))
    validation = tf.data.Dataset.from_generator(functools.partial(data.batches, "val"), output_signature=signature)
    for epoch in range(epochs):
        shuffled = functools.partial(data.training_batches, epoch, size=BATCH_SIZE, seed=seed)
        batches = tf.data.Dataset.from_generator(shuffled, output_signature=signature).take(steps)
        batches = batches.map(lambda x, y: (augment(x), y)).prefetch(2)
        model.fit(batches, validation_data=validation, initial_epoch=epoch, epochs=epoch + 1, verbose=2)
    return model


def _read(file: Path) -> tuple[Array, Array, tuple[str, ...]]:
    with np.load(file) as archive:
        encoded, ends = archive["jpeg"].tobytes(), archive["offsets"]
        labels, classes = archive["labels"], tuple(str(name) for name in archive["classes"])
    images = np.empty((len(labels), 32, 32, 3), np.uint8)
    for index in range(len(labels)):
        images[index] = Image.open(io.BytesIO(encoded[ends[index] : ends[index + 1]]))
    return images, labels, classes


def _floats(images: Array) -> Scaled:
    return Scaled(images, 1.0, 0.0)


def main() -> None:
    """Fine-tunes, scores on the test set, and writes the model."""
    parser = argparse.ArgumentParser(description="Fine-tunes the MLPerf Tiny ResNet-8 on CIFAR-10 as JPEG files.")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="gets resnet8_jpeg.h5")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, help="batches per epoch; all by default")
    options = parser.parse_args()
    data = task()
    model = fine_tune(data, options.epochs, options.steps)
    answers = np.concatenate([np.argmax(model.predict_on_batch(x), -1) for x, _ in data.batches("test")])
    print(f"test accuracy: {np.mean(answers == data.y_test):.4f}")
    options.output.mkdir(parents=True, exist_ok=True)
    model.save(options.output / "resnet8_jpeg.h5", include_optimizer=False)


if __name__ == "__main__":
    main()

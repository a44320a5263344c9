"""Ten things before the camera: MLPerf Tiny's ResNet-8, which its authors trained on CIFAR-10, made small as it is.

    tfcompress compress pretrainedResnet.h5 --recipe int8 --data examples/ten_things.py:task -o ten

In the folder that TFCOMPRESS_DATA names, the model (https://github.com/mlcommons/tiny, benchmark/training/
image_classification/trained_models) is looked for in mlperf_tiny/ic, and in cifar10 the first 4,000 training images as
four PNG of 1,000 rows with an image each, 500 test images, and the labels of the training images.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcompress import Task

Array = npt.NDArray[Any]

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def _folder() -> Path:
    return Path(os.environ.get("TFCOMPRESS_DATA", "data"))


def task() -> Task:
    """3,500 images to calibrate with, 500 for validation and 500 for the test: float32 [n, 32, 32, 3] from 0 to 255.

    The model has seen the images for calibration and validation while it was trained, and not those for the test.
    """
    from PIL import Image

    folder = _folder() / "cifar10"
    rows = [np.asarray(Image.open(folder / f"train_lossless_{number}.png").convert("RGB")) for number in range(4)]
    seen = np.concatenate(rows).reshape(-1, 32, 32, 3)
    with np.load(folder / "cifar10_train_jpeg.npz") as archive:
        labels = archive["labels"][: len(seen)].astype(np.int64)
    with np.load(folder / "cifar10_test_lossless500.npz") as archive:
        x_test, y_test = archive["x"], archive["y"].astype(np.int64)
    return Task(
        x_train=seen[:3500].astype(np.float32),
        y_train=labels[:3500],
        x_val=seen[3500:].astype(np.float32),
        y_val=labels[3500:],
        x_test=x_test.astype(np.float32),
        y_test=y_test,
        classes=CLASSES,
        source="CIFAR-10: the first 4,000 training images, and the 500 test images that MLPerf Tiny calibrates on",
    )


def model() -> Any:
    """The Keras model, as its authors trained it."""
    import keras

    return keras.models.load_model(_folder() / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", compile=False)


def pictures() -> list[Array]:
    """Pictures that may be passed on: a cat, and scikit-learn's temple and flower; uint8 [height, width, 3]."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    cat = Image.open(Path(__file__).resolve().parent / "pictures" / "cat.png").convert("RGB")
    return [np.asarray(cat), *load_sample_images().images]


def crops(count: int) -> Array:
    """Squares cut out of the pictures, float32 [n, 32, 32, 3]."""
    from PIL import Image

    rng, found, given = np.random.default_rng(0), [], pictures()
    for number in range(count):
        picture = given[number % len(given)]
        height, width = picture.shape[:2]
        side = rng.integers(min(height, width) // 3, min(height, width) + 1)
        top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
        square = Image.fromarray(picture[top : top + side, left : left + side])
        found.append(np.asarray(square.resize((32, 32), Image.Resampling.BILINEAR), np.float32))
    return np.stack(found)

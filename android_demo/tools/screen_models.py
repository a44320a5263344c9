"""Makes the small models that the tests of the app's screens open (app/src/test/resources/models).

    python android_demo/tools/screen_models.py      from the repository's root; takes a minute

Iris flowers as four numbers and cells of tumours as thirty, scikit-learn's two photographs as colour pictures, tones,
sentences, digits without a model.json, and a model with two inputs. The names of some may be given:
screen_models.py tones topics
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np
import sklearn.datasets
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_sample_image

RESOURCES = Path(__file__).parents[1] / "app/src/test/resources/models"
keras = tf.keras


def main() -> None:
    """Makes all of them anew."""
    keras.utils.set_random_seed(7)
    makers = {
        "iris": iris,
        "photos": photos,
        "plain": digits,
        "tones": tones,
        "topics": topics,
        "two_inputs": two_inputs,
        "cells": cells,
    }
    RESOURCES.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or makers:
        shutil.rmtree(RESOURCES / name, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            makers[name](Path(folder))


def tfcompress(*words: object) -> None:
    """Runs a command of the toolkit."""
    subprocess.run([sys.executable, "-m", "tfcompress", *map(str, words)], check=True)  # noqa: S603


def trained(model: keras.Model, x: np.ndarray, y: np.ndarray, path: Path, epochs: int = 40) -> Path:
    """Trains and keeps a model."""
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    print(path.stem, model.fit(x, y, epochs=epochs, batch_size=16, verbose=0).history["accuracy"][-1])
    model.save(path)
    return path


def convert(model: Path, x: np.ndarray, *options: str) -> Path:
    """Converts a model; its training inputs are the calibration data."""
    np.savez(model.with_suffix(".npz"), x_train=x)
    out = model.with_suffix(".tflite")
    tfcompress("convert", model, "-o", out, "--calibration", model.with_suffix(".npz"), *options)
    return out


def iris(folder: Path) -> None:
    """Numbers with names."""
    data = load_iris()
    x = data.data.astype(np.float32)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    )
    file = convert(trained(model, x, data.target, folder / "iris.keras", 60), x)
    numbers(folder, data, (0, 60, 120), file, "Iris flowers", RESOURCES / "iris")


def cells(folder: Path) -> None:
    """Thirty numbers, more than a screen has room for."""
    data = load_breast_cancer()
    mean, std = data.data.mean(axis=0), data.data.std(axis=0)
    x = ((data.data - mean) / std).astype(np.float32)
    model = keras.Sequential([keras.Input((30,)), keras.layers.Dense(2, activation="softmax")])
    file = convert(trained(model, x, data.target, folder / "cells.keras", 20), x)
    numbers(folder, data, (0, 19), file, "Cells of tumours", RESOURCES / "cells", mean, std)


def numbers(
    folder: Path, data: Any, rows: tuple[int, ...], file: Path, title: str, out: Path, mean: Any = (0,), std: Any = (1,)
) -> None:
    """Exports a model of scikit-learn's data, with some of its rows as samples."""
    (folder / "labels.txt").write_text("\n".join(data.target_names) + "\n")
    names = ", ".join(f'"{each}"' for each in data.feature_names)
    scaled = f"mean = {[float(value) for value in mean]}\nstd = {[float(value) for value in std]}\n"
    (folder / "input.toml").write_text(f'kind = "features"\nnames = [{names}]\n{scaled}')
    samples: list[object] = []
    for index in rows:
        sample = folder / f"{data.target_names[data.target[index]]}.csv"
        sample.write_text(",".join(f"{value:.7g}" for value in data.data[index]) + "\n")
        samples += ["--sample", sample]
    options = ["--labels", folder / "labels.txt", "--input", folder / "input.toml", *samples]
    tfcompress("export", file, "--for", "android", *options, "--title", title, "-o", out)


def photos(folder: Path) -> None:
    """Colour pictures that nobody would draw."""
    sources = {"flower": load_sample_image("flower.jpg"), "temple": load_sample_image("china.jpg")}
    x, y = [], []
    random = np.random.default_rng(7)
    for label, image in enumerate(sources.values()):
        for _ in range(200):
            side = int(random.integers(120, 360))
            top, left = random.integers(0, image.shape[0] - side), random.integers(0, image.shape[1] - side)
            cut = Image.fromarray(image[top : top + side, left : left + side]).resize((32, 32), Image.BILINEAR)
            x.append(np.asarray(cut, np.float32) / 255)
            y.append(label)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    file = convert(trained(model, np.stack(x), np.array(y), folder / "photos.keras"), np.stack(x))
    (folder / "labels.txt").write_text("\n".join(sources) + "\n")
    samples = []
    for name, image in sources.items():
        Image.fromarray(image[100:340, 200:440]).resize((160, 160), Image.BILINEAR).save(folder / f"{name}.png")
        samples += ["--sample", folder / f"{name}.png"]
    licence = Path(sklearn.datasets.__file__).parent / "images" / "README.txt"
    options = ["--labels", folder / "labels.txt", *samples, "--title", "Flower or temple", "--licence", licence]
    tfcompress("export", file, "--for", "android", *options, "-o", RESOURCES / "photos")


def digits(folder: Path) -> None:
    """A file without a model.json, whose output are logits."""
    data = load_digits()
    x = (data.images / 16).astype(np.float32)[..., None]
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, data.target, epochs=40, verbose=0)
    model.save(folder / "digits.keras")
    plain = convert(folder / "digits.keras", x, "--dtype", "float32")
    shutil.copy(plain, RESOURCES / "plain.tflite")


def tones(folder: Path) -> None:
    """A fifth of a second of sound at 8 kHz: is the tone low or high."""
    random = np.random.default_rng(7)
    y = np.arange(400) % 2
    time = np.arange(1600) / 8000
    hertz = np.where(y == 0, random.uniform(150, 400, 400), random.uniform(900, 2000, 400))
    phase = random.uniform(0, 6, 400)
    x = 0.5 * np.sin(2 * np.pi * hertz[:, None] * time + phase[:, None]) + random.normal(0, 0.02, (400, 1600))
    x = x.astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((1600,)),
            keras.layers.Reshape((1600, 1)),
            keras.layers.Conv1D(8, 16, strides=4, activation="relu"),
            keras.layers.Conv1D(8, 8, strides=4, activation="relu"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    file = convert(trained(model, x, y, folder / "tones.keras", 12), x)
    (folder / "labels.txt").write_text("low\nhigh\n")
    (folder / "input.toml").write_text(
        'kind = "audio"\nsample_rate = 8000\nsamples = 1600\nnormalize = "int16"\nfeatures = "waveform"\n'
        "mean = 0.0\nstd = 1.0\n"
    )
    samples = []
    for index, name in enumerate(("low", "high")):
        with wave.open(str(folder / f"{name}.wav"), "wb") as clip:
            clip.setnchannels(1)
            clip.setsampwidth(2)
            clip.setframerate(8000)
            clip.writeframes((x[index] * 32767).astype("<i2").tobytes())
        samples += ["--sample", folder / f"{name}.wav"]
    options = ["--labels", folder / "labels.txt", "--input", folder / "input.toml", *samples, "--title", "Low or high"]
    tfcompress("export", file, "--for", "android", *options, "-o", RESOURCES / "tones")


def topics(folder: Path) -> None:
    """A sentence about the weather or about food, by which of a few words occur."""
    sentences = {
        "weather": ["rain and wind today", "the sun shines today", "snow and cold wind", "warm sun no rain"],
        "food": ["bread and cheese", "soup with bread", "sweet cake and tea", "warm soup and cheese"],
    }
    words = sorted({word for each in sentences.values() for line in each for word in line.split()})
    x, y = [], []
    for label, lines in enumerate(sentences.values()):
        for line in lines * 20:
            x.append([0.0] + [float(word in line.split()) for word in words])
            y.append(label)
    values = np.array(x, np.float32)
    model = keras.Sequential([keras.Input((len(words) + 1,)), keras.layers.Dense(2, activation="softmax")])
    file = convert(trained(model, values, np.array(y), folder / "topics.keras"), values)
    (folder / "labels.txt").write_text("weather\nfood\n")
    (folder / "vocabulary.txt").write_text("\n".join(["", "[UNK]", *words]) + "\n")
    (folder / "input.toml").write_text(
        f'kind = "text"\nlength = {len(words) + 1}\nmode = "multi_hot"\nstandardize = "lower_and_strip_punctuation"\n'
    )
    samples = []
    for label, lines in sentences.items():
        (folder / f"{label}.txt").write_text(lines[0].capitalize() + ".\n")
        samples += ["--sample", folder / f"{label}.txt"]
    options = [
        "--labels",
        folder / "labels.txt",
        "--input",
        folder / "input.toml",
        *samples,
        "--title",
        "Weather or food",
    ]
    options += ["--vocabulary", folder / "vocabulary.txt"]
    tfcompress("export", file, "--for", "android", *options, "-o", RESOURCES / "topics")


def two_inputs(_: Path) -> None:
    """What the app can measure and cannot fill."""
    one, two = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([one, two], keras.layers.Dense(2)(keras.layers.Add()([one, two])))
    (RESOURCES / "two_inputs.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


if __name__ == "__main__":
    main()

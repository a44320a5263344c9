"""Spam among text messages (SMS Spam Collection): which words occur, and a small dense network.

    python examples/spam.py -o spam.keras                     trains it in seconds; writes vocabulary.txt beside it
    tfcompress compress spam.keras --recipe examples/small.toml --data examples/spam.py:task -o spam

The messages (https://archive.ics.uci.edu/dataset/228), one a line as `ham` or `spam`, a tab and the text, are looked
for in the file text/SMSSpamCollection.tsv of the folder that TFCOMPRESS_DATA names.
"""

from __future__ import annotations

import argparse
import functools
import html
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tfcompress import Task
from tfcompress.errors import FileError

Array = npt.NDArray[Any]

# What the file calls the classes, and what people do.
KINDS, CLASSES = ("ham", "spam"), ("not spam", "spam")
# The words that are known, with one place for all others; only those of training messages.
WORDS = 2000
# Shares of the messages, drawn by a fixed seed: there is no official split.
TEST, VALIDATION = 0.2, 0.1
EPOCHS, BATCH_SIZE, LEARNING_RATE = 20, 32, 1e-3


@dataclass(frozen=True)
class Messages:
    """Texts and what they are (0 not spam, 1 spam)."""

    texts: list[str]
    labels: Array

    def part(self, numbers: Array) -> Messages:
        """Some of them."""
        return Messages([self.texts[number] for number in numbers], self.labels[numbers])


def task() -> Task:
    """Float32 [n, WORDS]: 1 where a word occurs. Each message is there once, however often it was sent."""
    train, val, test = splits()
    return Task(
        x_train=features(train.texts),
        y_train=train.labels,
        x_val=features(val.texts),
        y_val=val.labels,
        x_test=features(test.texts),
        y_test=test.labels,
        classes=CLASSES,
        source="SMS Spam Collection without repeated messages, a fifth of it for the test (seed 0)",
    )


@functools.cache
def splits() -> tuple[Messages, Messages, Messages]:
    """Training, validation and test messages.

    Raises:
        FileError: they are not there.
    """
    path = Path(os.environ.get("TFCOMPRESS_DATA", "data")) / "text" / "SMSSpamCollection.tsv"
    if not path.is_file():
        raise FileError(f"{path} is not there; put the SMS Spam Collection there, or set TFCOMPRESS_DATA")
    # A message that stood on both sides of a split would be learnt by heart.
    lines = dict.fromkeys(html.unescape(line) for line in path.read_text(encoding="utf-8").splitlines())
    kinds, texts = zip(*(line.split("\t", 1) for line in lines), strict=True)
    found = Messages(list(texts), np.array([KINDS.index(kind) for kind in kinds]))
    order = np.random.default_rng(0).permutation(len(texts))
    test, val = round(TEST * len(order)), round((TEST + VALIDATION) * len(order))
    return found.part(order[val:]), found.part(order[test:val]), found.part(order[:test])


@functools.cache
def vectorization() -> Any:
    """Keras' TextVectorization with the words of the training messages."""
    import keras

    layer = keras.layers.TextVectorization(WORDS, output_mode="multi_hot", pad_to_max_tokens=True)
    layer.adapt(splits()[0].texts)
    return layer


def vocabulary() -> list[str]:
    """The lines of vocabulary.txt: padding, unknown words, then words by how often they occur."""
    return ["", *vectorization().get_vocabulary()]


def features(texts: list[str]) -> Array:
    """The model's input."""
    return np.asarray(vectorization()(texts), np.float32)


def model() -> Any:
    """A Keras 3 model, untrained: 16 sums over words, then spam or not."""
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((WORDS,), name="words"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(16, activation="relu", name="sums"),
            layers.Dense(len(CLASSES), activation="softmax", name="kind"),
        ],
        name="spam",
    )


def train(data: Task, epochs: int = EPOCHS, *, seed: int = 0) -> Any:
    """The model, trained from scratch."""
    import keras

    keras.utils.set_random_seed(seed)
    made = model()
    made.compile(keras.optimizers.Adam(LEARNING_RATE), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = (data.x_val, data.y_val)
    made.fit(data.x_train, data.y_train, BATCH_SIZE, epochs, validation_data=validation, verbose=2)
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Trains the spam model.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .keras file to write")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args()
    data = task()
    made = train(data, given.epochs)
    print(f"test accuracy: {made.evaluate(data.x_test, data.y_test, verbose=0)[1]:.4f}")
    made.save(given.output)
    given.output.with_name("vocabulary.txt").write_text("\n".join(vocabulary()) + "\n", encoding="utf-8")

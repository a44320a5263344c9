"""Makes the models that the demo app ships with, from data to model folder: trains, compresses, exports.

    python examples/make_android_models.py --work models_work -o android_demo/app/src/main/assets/models

The data must be in the folder that TFCOMPRESS_DATA names, as each example says. What is in the work folder already is
not made again: delete NAME.keras there to train anew, or the folder NAME to compress anew.
"""

from __future__ import annotations

import argparse
import io
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import handwritten_digits
import numpy as np
import spam
import spoken_digits
import ten_things

import tfcompress
from converters import folder
from converters.android import bundle
from tfcompress.export import Beside, export_android

HERE = Path(__file__).resolve().parent
RECIPE = HERE / "small.toml"
VECTORS = 24
# Beginnings of test messages that are fit to be shown: no names, and nothing that is not for children.
SHOWN_MESSAGES = {
    "not_spam.txt": "Where do you need to go",
    "not_spam_2.txt": "Yeah there's quite a bit left",
    "not_spam_3.txt": "Did you get any gift?",
    "spam.txt": "Reply to win",
    "spam_2.txt": "Camera - You are awarded",
    "spam_3.txt": "SMS AUCTION",
}
# Test recordings: digit, speaker.
SHOWN_RECORDINGS = ((0, "george"), (3, "jackson"), (5, "lucas"), (7, "nicolas"), (8, "theo"), (9, "yweweler"))
SHOWN_DIGITS = (0, 2, 3, 5, 7, 8)


@dataclass(frozen=True)
class Shipped:
    """A model that the app ships with.

    Attributes:
        example: the module with its model, data and training.
        title: what people call it.
        input: the table of docs/android.md.
        samples: makes inputs to try: file name -> content.
        files: further files that the export takes, by the name of its field.
        recipe: what it is compressed with.
        compare: whether its float32 form comes along.
        vectors: makes the inputs of the test vectors; by default test data.
    """

    example: ModuleType
    title: str
    input: Mapping[str, Any]
    samples: Callable[[], dict[str, bytes]]
    files: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    recipe: str | Path = RECIPE
    compare: bool = True
    vectors: Callable[[int], Any] | None = None

    @property
    def name(self) -> str:
        """Of the model's folder."""
        return self.example.__name__

    @property
    def data(self) -> str:
        """DATA for a command."""
        return f"{self.example.__file__}:task"


def digit_pictures() -> dict[str, bytes]:
    """The first test image of each shown digit, as PNG."""
    from PIL import Image

    x, y = handwritten_digits.images()[1]
    found = {}
    for digit in SHOWN_DIGITS:
        file = io.BytesIO()
        Image.fromarray(x[np.flatnonzero(y == digit)[0]]).save(file, "PNG")
        found[f"{digit}.png"] = file.getvalue()
    return found


def digit_recordings() -> dict[str, bytes]:
    """Test recordings of several speakers, as WAV."""
    every = spoken_digits.recordings()
    found = {}
    for digit, speaker in SHOWN_RECORDINGS:
        is_it = (every.digits == digit) & (every.speakers == speaker) & (every.indices == 0)
        file = io.BytesIO()
        with wave.open(file, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(spoken_digits.FRONT_END.sample_rate)
            sound.writeframes(every.clips[np.flatnonzero(is_it)[0]].astype("<i2").tobytes())
        found[f"{digit}.wav"] = file.getvalue()
    return found


def messages() -> dict[str, bytes]:
    """Test messages as text."""
    texts = spam.splits()[2].texts
    return {
        name: next(text for text in texts if text.startswith(beginning)).encode()
        for name, beginning in SHOWN_MESSAGES.items()
    }


SHIPPED = (
    Shipped(
        handwritten_digits,
        "Handwritten digits",
        {"kind": "image", "channels": "gray", "mean": 0.0, "std": 255.0, "drawing": "white on black"},
        digit_pictures,
    ),
    Shipped(spoken_digits, "Spoken digits", spoken_digits.FRONT_END.as_table(), digit_recordings),
    Shipped(
        spam,
        "Spam in text messages",
        {"kind": "text", "mode": "multi_hot", "standardize": "lower_and_strip_punctuation"},
        messages,
        {"vocabulary": lambda: "\n".join(spam.vocabulary()) + "\n"},
    ),
    Shipped(
        ten_things,
        "Ten things",
        {"kind": "image", "channels": "rgb", "mean": 0.0, "std": 1.0},
        lambda: {"cat.png": (HERE / "pictures" / "cat.png").read_bytes()},
        recipe="int8",  # nothing is trained: the data that trained it have no licence that would allow more
        compare=False,  # more than the app's other models together
        vectors=ten_things.crops,
    ),
)


def make(shipped: Shipped, work: Path) -> bundle.ModelFolder:
    """The model's folder, made by the same steps that a user takes.

    Args:
        shipped: which.
        work: where the trained model and the compression's results are kept.
    """
    example, name = shipped.example, shipped.name
    model, result, compare = work / f"{name}.keras", work / name, work / f"{name}_float32.tflite"
    if not model.exists():
        (example.train(example.task()) if hasattr(example, "train") else example.model()).save(model)
    if not result.exists():
        tfcompress.compress(model, shipped.recipe, shipped.data, output=result)
    if shipped.compare:
        tfcompress.convert(model, dtype="float32", runtime="litert").flatbuffer.save(compare, force=True)
    beside = Beside(
        labels=_written(work / f"{name}_labels.txt", "\n".join(example.CLASSES) + "\n"),
        samples=[_written(work / f"{name}_samples" / file, made) for file, made in shipped.samples().items()],
        compare=compare if shipped.compare else None,
        input=dict(shipped.input),
        licence=HERE / "licences" / f"{name}.txt",
        title=shipped.title,
        **{key: _written(work / f"{name}_{key}.txt", text()) for key, text in shipped.files.items()},
    )
    data = shipped.vectors(VECTORS) if shipped.vectors else shipped.data
    return export_android(result / "model.tflite", beside, data=data, vectors=VECTORS)


def _written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def main() -> None:
    """Makes all of them, or those that are named."""
    parser = argparse.ArgumentParser(description="Makes the models that the demo app ships with.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(one.name for one in SHIPPED)} [default: all]")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the folder of model folders")
    parser.add_argument("--work", type=Path, required=True, help="where trained models are kept")
    given = parser.parse_args()
    for made_here in (given.work, given.output):
        made_here.mkdir(parents=True, exist_ok=True)
    for shipped in SHIPPED:
        if not given.names or shipped.name in given.names:
            made = make(shipped, given.work)
            folder.write(given.output / shipped.name, made.files, bundle.FOLDER, force=True)
            size = sum(len(content) for content in made.files.values())
            print(f"{given.output / shipped.name}: {made.dtype}, {made.model_bytes:,} of {size:,} bytes", *made.notes)


if __name__ == "__main__":
    main()

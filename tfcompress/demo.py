"""The digits demo: real data that scikit-learn ships, a small CNN trained in seconds, then the whole main path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters import child
from converters.errors import FileError

EPOCHS = 12


@dataclass(frozen=True)
class Candidate:
    """One form of the demo model and what was measured of it.

    Attributes:
        name: `Keras`, `float32`, `int8`.
        file: where it is.
        file_bytes: its size.
        accuracy: runtime -> test accuracy, a fraction.
        latency_ms: median time of one inference with LiteRT on one thread of this machine; None for Keras.
        arena_bytes: working memory on TFLM; None where it was not measured.
    """

    name: str
    file: Path
    file_bytes: int
    accuracy: dict[str, float]
    latency_ms: float | None = None
    arena_bytes: int | None = None


def run(folder: Path, *, progress: child.Progress = child.no_progress) -> list[Candidate]:
    """Trains, converts, verifies, evaluates and measures; the files stay in `folder`, for the commands to be tried on.

    Raises:
        FileError: the folder cannot be made.
        CompressionError: a step failed.
    """
    from tfcompress.conversion import convert

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"the folder {folder} cannot be made: {error.strerror}; name another with -o") from error
    accuracy = prepare(folder, progress=progress)
    model, data = folder / "digits.keras", folder / "digits.npz"
    candidates = [Candidate("Keras", model, model.stat().st_size, {"Keras": accuracy})]
    for dtype in ("float32", "int8"):
        file = folder / f"digits_{dtype}.tflite"
        result = convert(model, data, dtype=dtype, runtime="litert", progress=progress)
        result.flatbuffer.save(file, force=True)
        candidates.append(_measure(dtype, file, data, progress))
    return candidates


def _measure(name: str, file: Path, data: Path, progress: child.Progress) -> Candidate:
    from converters.runtimes import tflm
    from converters.runtimes.choice import Runtime
    from tfcompress.benchmark.measure import measure
    from tfcompress.benchmark.plan import Plan
    from tfcompress.evaluation import evaluate

    runtimes: tuple[Runtime, ...] = ("litert", "tflm") if tflm.available() else ("litert",)
    scores = [evaluate(file, data, runtime=runtime, progress=progress) for runtime in runtimes]
    rows = {row.name: row.value for row in reversed(measure(file, plan=Plan(threads=(1,)), progress=progress))}
    arena = rows.get("arena")
    return Candidate(
        name=name,
        file=file,
        file_bytes=file.stat().st_size,
        accuracy={score.runtime: score.value for score in scores},
        latency_ms=float(rows["latency_p50"]),
        arena_bytes=arena if isinstance(arena, int) else None,
    )


def prepare(folder: Path, *, progress: child.Progress = child.no_progress) -> float:
    """Writes `digits.npz` and a trained `digits.keras` into `folder`.

    Returns:
        Test accuracy of the Keras model, a fraction.
    """
    accuracy = child.call(
        "tfcompress.demo:prepare_here", str(folder), what="training the demo model", progress=progress
    )
    return float(accuracy)


def prepare_here(folder: str, *, progress: child.Progress) -> float:
    """Trains the demo model in this (child) process; see `prepare`."""
    import keras
    import numpy as np

    keras.utils.set_random_seed(0)
    data = _digits()
    np.savez_compressed(Path(folder) / "digits.npz", **data)
    model = _build(keras)
    model.compile(keras.optimizers.Adam(3e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    class Report(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            progress("training a small CNN on the digits", epoch + 1, EPOCHS)

    validation = (data["x_val"], data["y_val"])
    model.fit(
        data["x_train"],
        data["y_train"],
        validation_data=validation,
        epochs=EPOCHS,
        batch_size=32,
        verbose=0,
        callbacks=[Report()],
    )
    model.save(Path(folder) / "digits.keras")
    return float(model.evaluate(data["x_test"], data["y_test"], verbose=0)[1])


def _digits() -> dict[str, Any]:
    """1,797 handwritten digits of 8x8 pixels, scaled to 0..1 and split 70/15/15, classes in equal shares."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x, y = (digits.images / 16.0).astype(np.float32)[..., None], digits.target
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.3, stratify=y, random_state=0)
    x_val, x_test, y_val, y_test = train_test_split(x_rest, y_rest, test_size=0.5, stratify=y_rest, random_state=0)
    return {"x_train": x_train, "y_train": y_train, "x_val": x_val, "y_val": y_val, "x_test": x_test, "y_test": y_test}


def _build(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 8, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv_1"),
            layers.BatchNormalization(name="norm_1"),
            layers.ReLU(name="relu_1"),
            layers.SeparableConv2D(32, 3, padding="same", activation="relu", name="conv_2"),
            layers.MaxPooling2D(name="pool"),
            layers.Conv2D(32, 3, activation="relu", name="conv_3"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )

"""A `.tflite` file as a C++ project for a microcontroller, with test vectors from the user's data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converters.child import Progress, no_progress
from converters.flatbuffer import FlatBuffer
from converters.microcontroller import bundle, catalogue, identifiers
from converters.microcontroller.bundle import Bundle
from tfcompress.export.draws import Draw, stem_of


def export(
    file: Path | str | FlatBuffer,
    format_name: str,
    *,
    data: Any = None,
    name: str | None = None,
    vectors: int = 5,
    arena_margin: int = 10,
    scale: str = "none",
    seed: int = 0,
    label: str | None = None,
    progress: Progress = no_progress,
) -> Bundle:
    """Makes the project; `converters.folder.write` puts its files in place.

    Args:
        file: the `.tflite` file.
        format_name: one of `converters.microcontroller.catalogue.names()`.
        data: for the test vectors: arrays `[n, ...]` in the float model's units (one, or one per input by name or in
            order), a Task, or the path of a data file; test samples are taken where there are any. None: random.
        name: namespace of the C++; by default from the file's name.
        vectors: how many test vectors.
        arena_margin: percent of the measured arena that is given on top.
        scale: how images of a data file become the model's units.
        seed: draws the samples, or random inputs.
        label: label column of a `.csv`.
        progress: called with stage, done, total.

    Raises:
        CompressionError: the message says what came, what was expected and what to do.
    """
    chosen = catalogue.find(format_name)
    draw = Draw(data, vectors, scale, seed, label)
    draw.check()
    flatbuffer = file if isinstance(file, FlatBuffer) else FlatBuffer.read(file)
    bundle.check(flatbuffer, chosen)
    stem = "network" if isinstance(file, FlatBuffer) else stem_of(Path(file))
    options = bundle.Options(vectors, seed, arena_margin, "the user's data" if data is not None else "")
    return bundle.make(
        flatbuffer,
        format_name,
        draw.samples(flatbuffer, progress),
        name=name or identifiers.namespace_of(stem),
        options=options,
        progress=progress,
    )

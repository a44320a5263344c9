"""Clips of sound in `.wav` files: what the demo app reads, and no more."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from converters.errors import DataError
from converters.runtimes.ports import Array

_PCM, _FLOAT = 1, 3
# (format, bits) -> type of a sample, and what makes -1..1 of it
_KINDS = {(_PCM, 8): ("u1", 128.0), (_PCM, 16): ("<i2", 32768.0), (_FLOAT, 32): ("<f4", 1.0)}
_RATES = range(1_000, 384_001)


@dataclass(frozen=True)
class Clip:
    """A clip.

    Attributes:
        rate: samples per second.
        samples: from -1 to 1, [n]; two channels as their mean.
    """

    rate: int
    samples: Array


def read(content: bytes, what: str) -> Clip:
    """The clip of a file.

    Raises:
        DataError: it is no `.wav` file, a damaged one, or of a kind that the app does not read.
    """
    chunks = dict(_chunks(content, what))
    head, data = chunks.get(b"fmt "), chunks.get(b"data")
    if head is None or len(head) < 16 or data is None:
        raise DataError(f"{what} is a .wav file without format or samples; record it again")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", head[:16])
    if (kind, bits) not in _KINDS or channels not in (1, 2):
        raise DataError(
            f"{what} has {channels} channels of {bits} bits (format {kind}); expected one or two of 8 or 16 bits PCM, "
            "or of 32-bit floats: save it as 16-bit PCM"
        )
    if rate not in _RATES:
        raise DataError(f"{what} has {rate} samples a second; expected {_RATES.start} to {_RATES.stop - 1}")
    dtype, full = _KINDS[kind, bits]
    width = np.dtype(dtype).itemsize * channels
    numbers = np.frombuffer(data[: len(data) // width * width], dtype).astype(np.float64)
    numbers = (numbers - 128 if bits == 8 else numbers) / full
    samples: Array = numbers.reshape(-1, channels).mean(axis=1)
    if not samples.size or not np.isfinite(samples).all():
        raise DataError(
            f"{what} holds {'samples that are no numbers' if samples.size else 'no samples'}; record it again"
        )
    return Clip(rate, samples)


def _chunks(content: bytes, what: str) -> Iterator[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise DataError(f"{what} is no .wav file; save the sound as a 16-bit PCM .wav")
    place = 12
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        # Recorders that were stopped leave sizes beyond the end: what is there counts.
        yield name, content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2

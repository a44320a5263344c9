"""Clips of sound in `.wav` files: what the demo app reads, and no more."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from converters.errors import DataError

_PCM, _FLOAT = 1, 3
_EXTENSIBLE = 0xFFFE  # the real format begins at byte 24 of a longer header
# (format, bits) -> type of a sample, and what makes -1..1 of it; three bytes are the upper ones of four
_KINDS = {
    (_PCM, 8): ("u1", 128.0),
    (_PCM, 16): ("<i2", 2.0**15),
    (_PCM, 24): ("<i4", 2.0**31),
    (_PCM, 32): ("<i4", 2.0**31),
    (_FLOAT, 32): ("<f4", 1.0),
}
_RATES = range(1, 768_001)
_MOST_CHANNELS = 32
_UNKNOWN_SIZE = 0xFFFF_FFFF  # what programs write that stream a clip: what is there counts


@dataclass(frozen=True)
class Clip:
    """A clip.

    Attributes:
        rate: samples per second.
        samples: from -1 to 1, float32 [n]; several channels as their mean.
    """

    rate: int
    samples: npt.NDArray[np.float32]


def read(content: bytes, what: str) -> Clip:
    """The clip of a file.

    Raises:
        DataError: it is no `.wav` file, a damaged or cut-off one, or of a kind that the app does not read.
    """
    chunks = dict(_chunks(content, what))
    head, data = chunks.get(b"fmt "), chunks.get(b"data")
    if head is None or len(head) < 16 or data is None:
        raise DataError(f"{what} is a .wav file without format or samples; record it again")
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", head[:16])
    if kind == _EXTENSIBLE and len(head) >= 26:
        kind = int.from_bytes(head[24:26], "little")
    if (kind, bits) not in _KINDS or not 1 <= channels <= _MOST_CHANNELS or rate not in _RATES:
        raise DataError(
            f"{what} has {channels} channels of {bits} bits (format {kind}) at {rate:,} Hz; expected PCM of 8 to 32 "
            "bits or 32-bit floats: save it as 16-bit PCM"
        )
    numbers = _numbers(data, kind, bits)
    samples = numbers[: len(numbers) // channels * channels].reshape(-1, channels).mean(axis=1)
    if not samples.size or not np.isfinite(samples).all():
        wrong = "samples that are no numbers" if samples.size else "no samples"
        raise DataError(f"{what} holds {wrong}; record it again")
    return Clip(rate, samples.astype(np.float32))


def _numbers(data: bytes, kind: int, bits: int) -> npt.NDArray[np.float64]:
    """Samples from -1 to 1, channel by channel; half a sample at the end is left out."""
    dtype, full = _KINDS[kind, bits]
    count = len(data) // (bits // 8)
    if bits == 24:
        upper = np.zeros((count, 4), np.uint8)
        upper[:, 1:] = np.frombuffer(data[: 3 * count], np.uint8).reshape(-1, 3)
        data = upper.tobytes()
    numbers = np.frombuffer(data, dtype, count).astype(np.float64)
    return (numbers - 128 if bits == 8 else numbers) / full


def _chunks(content: bytes, what: str) -> Iterator[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise DataError(f"{what} is no .wav file; save the sound as a 16-bit PCM .wav")
    place = 12
    while place + 8 <= len(content):
        name, size = content[place : place + 4], int.from_bytes(content[place + 4 : place + 8], "little")
        there = len(content) - place - 8
        if name == b"data" and there < size != _UNKNOWN_SIZE:
            raise DataError(
                f"{what} is cut off: it promises {size:,} bytes of samples and holds {there:,}; copy or record it again"
            )
        yield name, content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2

"""What all encodings share: the header of a table, and how TFLM sees the tensor that comes out.

A table starts with 16 bytes, the "decode common metadata": number of the encoding, version 1, two bytes unused, then
from byte 4 what the encoding defines, which starts with its own version 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.errors import ModelError

Array = NDArray[Any]

HEADER_BYTES = 16
# Elements of a tensor that a few bytes may stand for: 16 MiB of int8, more than the memory of any microcontroller.
MOST_ELEMENTS = 1 << 24
_VERSION = 1


@dataclass(frozen=True)
class Encoded:
    """A tensor as a DECODE operator reads it.

    Attributes:
        encoding: name of the encoding.
        stream: the operator's first input.
        table: its second input, header included; tensors with equal tables can share one.
    """

    encoding: str
    stream: bytes
    table: bytes


@dataclass(frozen=True)
class Layout:
    """The tensor that comes out of a DECODE operator.

    Attributes:
        dtype: NumPy name.
        shape: its shape.
        zero_points: one, or one per channel; empty without quantization.
        channels: number of its scales; 1 without quantization.
        axis: the axis of the channels.
    """

    dtype: str
    shape: tuple[int, ...]
    zero_points: tuple[int, ...] = ()
    channels: int = 1
    axis: int = 0

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def channels_last(self) -> bool:
        """Whether neighbouring elements are of different channels, as in a depthwise kernel."""
        return self.channels > 1 and self.axis == len(self.shape) - 1

    @property
    def is_supported(self) -> bool:
        """Whether TFLM takes the axis: the first, or the last; and channels of one size each."""
        return (self.channels_last or self.axis == 0) and self.elements % self.channels == 0

    def by_channel(self, values: Array) -> Array:
        """The elements of each channel as a row, `[channels, n]`, a view where possible."""
        flat = values.reshape(-1)
        return flat.reshape(-1, self.channels).T if self.channels_last else flat.reshape(self.channels, -1)

    def in_order(self, rows: Array) -> Array:
        """The inverse of `by_channel`, in one dimension."""
        return (rows.T if self.channels_last else rows).reshape(-1)


def header(number: int, *parameters: int) -> bytes:
    """The first 16 bytes of a table.

    Args:
        number: of the encoding.
        parameters: from byte 5 on, what the encoding defines.
    """
    return bytes((number, _VERSION, 0, 0, _VERSION, *parameters)).ljust(HEADER_BYTES, b"\0")


def number_of(table: bytes) -> int | None:
    """The number of the encoding that a table is for; None if it is too short or of another version."""
    if len(table) < HEADER_BYTES or table[1] != _VERSION or table[4] != _VERSION:
        return None
    return table[0]


def words(values: Array) -> Array:
    """The values as unsigned integers of their width, so that 0.0 and -0.0 differ, in one dimension."""
    flat = np.ascontiguousarray(values).reshape(-1)
    return flat.view(f"<u{flat.dtype.itemsize}")


def bits_of(stream: bytes, count: int, width: int) -> Array:
    """`count` unsigned numbers of `width` bits, the highest bit first, packed without gaps.

    Raises:
        ModelError: the stream is too short.
    """
    if len(stream) * 8 < count * width:
        raise ModelError(f"an encoded tensor has {len(stream)} bytes, too few for {count:,} values of {width} bits")
    bits = np.unpackbits(np.frombuffer(stream, np.uint8, -(-count * width // 8)), count=count * width)
    return bits.reshape(count, width) @ (1 << np.arange(width - 1, -1, -1))


def packed(numbers: Array, width: int) -> bytes:
    """The inverse of `bits_of`; the last byte is filled with zeros."""
    bits = numbers.reshape(-1, 1).astype(np.int64) >> np.arange(width - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()

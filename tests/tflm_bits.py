"""TFLM's Huffman reader word by word, as decode_state_huffman.{h,cc} have it: tells every 32-bit word that it fetches.

Source: github.com/tensorflow/tflite-micro at 90b983c2. Written apart from `converters.decode`, to check it.
"""

from __future__ import annotations

import struct

import numpy as np

_HEADER_BYTES = 16


class Reader:
    """`head_offset`, `head_hold` and `head_next` of TFLM; IndexError where TFLM would read behind the stream."""

    def __init__(self, stream: bytes) -> None:
        if len(stream) % 4:
            raise IndexError(f"{len(stream)} bytes are no whole words")
        self.words = struct.unpack(f">{len(stream) // 4}I", stream)
        self.offset, self.hold, self.next = 32, self.words[0], 1
        self.furthest = 1

    def take(self, count: int) -> int:
        output = 0
        if count > self.offset:
            output = (self.hold & ((1 << self.offset) - 1)) << (count - self.offset)
            count -= self.offset
            self.hold = self.words[self.next]
            self.next += 1
            self.furthest = max(self.furthest, self.next)
            self.offset = 32
        shift = self.offset - count
        output |= self.hold >> shift & ((1 << count) - 1)
        self.offset -= count
        return output

    def put_back(self, count: int) -> None:
        self.offset += count
        if self.offset > 32:
            self.offset -= 32
            self.next -= 1
            self.hold = self.words[self.next - 1]


def huffman(stream: bytes, table: bytes, count: int, dtype: str) -> tuple[np.ndarray, int]:
    """`count` values, and how many words of the stream were fetched for them."""
    is_wide = table[5] & 1
    if not is_wide and dtype != "int8":
        raise ValueError("a table of 16-bit elements is for int8")
    size, code, shift, low = (4, "I", 27, 0x07FFFFFF) if is_wide else (2, "H", 11, 0x07FF)
    found, first = 1 << (shift + 4), (table[5] >> 4) + 1
    elements = struct.unpack(f"<{(len(table) - _HEADER_BYTES) // size}{code}", table[_HEADER_BYTES:])
    reader = Reader(stream)
    values = []
    for _ in range(count):
        used = first
        place = reader.take(used)
        element = elements[place]
        while not element & found:
            used = (element >> shift & 15) + 1
            place += (element & low) + reader.take(used)
            element = elements[place]
        values.append(element)
        if used > (own := element >> shift & 15):
            reader.put_back(used - own)
    mask = (1 << (8 * np.dtype(dtype).itemsize)) - 1
    return np.array([value & mask for value in values], f"u{np.dtype(dtype).itemsize}").view(dtype), reader.furthest

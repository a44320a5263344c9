"""Damaged copies of files, the same ones every time: what a reader of untrusted files is tested on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

# Numbers that lead readers astray: nothing, everything, signs, sizes just beyond a limit.
_NASTY = (0, 1, 2, 3, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF)


def mutated(files: Sequence[bytes], count: int, *, seed: int) -> Iterator[bytes]:
    """`count` damaged files, each from one of `files` in turn: bits, bytes, words, cuts and transplanted pieces."""
    rng = np.random.default_rng(seed)
    ways = (_flip_bits, _set_bytes, _overwrite_words, _nudge_words, _truncate, _splice)
    for number in range(count):
        data = bytearray(files[number % len(files)])
        other = files[int(rng.integers(len(files)))]
        yield bytes(ways[int(rng.integers(len(ways)))](data, other, rng))


def _places(data: bytearray, rng: np.random.Generator) -> list[int]:
    """Half of the damage goes where tables and offsets are: to the ends of the file, beside the large weights."""
    limit = len(data) - 4
    near = min(limit, 4096)
    spots = []
    for _ in range(int(rng.integers(1, 9))):
        choice = rng.integers(4)
        if choice == 0:
            spots.append(int(rng.integers(near)))
        elif choice == 1:
            spots.append(limit - int(rng.integers(near)))
        else:
            spots.append(int(rng.integers(limit)))
    return spots


def _flip_bits(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    for place in _places(data, rng):
        data[place] ^= 1 << int(rng.integers(8))
    return data


def _set_bytes(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    for place in _places(data, rng):
        data[place] = int(rng.integers(256))
    return data


def _overwrite_words(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    for place in _places(data, rng):
        place -= place % 4
        data[place : place + 4] = int(rng.choice(_NASTY)).to_bytes(4, "little")
    return data


def _nudge_words(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    for place in _places(data, rng):
        place -= place % 4
        word = int.from_bytes(data[place : place + 4], "little") + int(rng.integers(-64, 65))
        data[place : place + 4] = (word % (1 << 32)).to_bytes(4, "little")
    return data


def _truncate(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    return data[: int(rng.integers(len(data)))]


def _splice(data: bytearray, other: bytes, rng: np.random.Generator) -> bytearray:
    size = int(rng.integers(1, 257))
    source, target = int(rng.integers(max(1, len(other) - size))), int(rng.integers(len(data)))
    data[target : target + size] = other[source : source + size]
    return data

"""How large C structures are with the rules of a processor's compiler.

A layout lists the members of a structure in their order: `p` a pointer or `size_t`, `1`, `2`, `4`, `8` a number of so
many bytes, `e` an enumeration whose values fit into a byte, `(...)` a structure within, `<a|b>` a union, `x*3` three of
them. A member lies at the next multiple of its alignment, which is its size, and for a structure its largest member's;
the whole is rounded up to its alignment (Procedure Call Standard for the Arm Architecture, AAPCS32 5.1 to 5.3; System V
ABI for x86-64, 3.1.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Abi:
    """Rules of a compiler.

    Attributes:
        name: for messages.
        pointer: bytes of a pointer and of `size_t`.
        enumeration: bytes of an enumeration whose values fit into a byte.
        package: whether TFLM is the Python package, which differs in a few structures (`structs.PACKAGE`).
    """

    name: str
    pointer: int
    enumeration: int
    package: bool = False


HOST = Abi("64-bit host", 8, 4, package=True)
# arm-none-eabi-gcc has -fshort-enums by default (AAPCS32 5.1.3 leaves the choice to the platform).
ARM = Abi("32-bit Arm without an operating system", 4, 1)
# Xtensa and RISC-V toolchains of the ESP32 family: an enumeration is an int.
ILP32 = Abi("32-bit, int enumerations", 4, 4)

_TOKEN = re.compile(r"[()<>|*]|\d+|[pe]")


@dataclass(frozen=True)
class Size:
    """Bytes and alignment of a type."""

    bytes: int
    alignment: int


@cache
def size_of(layout: str, abi: Abi) -> Size:
    """Bytes and alignment of a structure.

    Args:
        layout: its members, as told above, without the outer parentheses.
        abi: the compiler's rules.
    """
    tokens = iter([*_TOKEN.findall(layout), ")"])
    return _structure(tokens, abi)


def _structure(tokens: Iterator[str], abi: Abi) -> Size:
    members, _ = _members(tokens, abi)
    end, alignment = 0, 1
    for member, count in members:
        end = _up(end, member.alignment) + member.bytes * count
        alignment = max(alignment, member.alignment)
    return Size(_up(end, alignment), alignment)


def _union(tokens: Iterator[str], abi: Abi) -> Size:
    size, alignment, token = 0, 1, "|"
    while token == "|":
        members, token = _members(tokens, abi)
        ((member, count),) = members
        size, alignment = max(size, member.bytes * count), max(alignment, member.alignment)
    return Size(_up(size, alignment), alignment)


def _members(tokens: Iterator[str], abi: Abi) -> tuple[list[tuple[Size, int]], str]:
    """The members up to a closing token or a bar, and that token."""
    found: list[tuple[Size, int]] = []
    for token in tokens:
        if token in ")>|":
            return found, token
        if token == "*":
            found[-1] = (found[-1][0], found[-1][1] * int(next(tokens)))
        elif token == "(":
            found.append((_structure(tokens, abi), 1))
        elif token == "<":
            found.append((_union(tokens, abi), 1))
        else:
            width = {"p": abi.pointer, "e": abi.enumeration}.get(token) or int(token)
            found.append((Size(width, width), 1))
    raise ValueError("a layout ends within a structure")


def _up(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment

"""What a linker kept in a program: the pieces behind a GNU ld map, so that pieces of several programs can be united.

Of two programs the union is what one program with both needs: `--gc-sections` keeps what can be reached.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Output sections that lie in flash; `.data` is copied from there at the start.
_IN_FLASH = frozenset((".text", ".rodata", ".ARM.extab", ".ARM.exidx", ".preinit_array", ".init_array", ".data"))
_PLACED = re.compile(r"^ (\S+)\s+0x[0-9a-f]+\s+0x([0-9a-f]+) (\S.*)$")
_NAME_ALONE = re.compile(r"^ (\S+)$")
_MEMBER = re.compile(r"^(.*)\(([^()]+)\)$")
# ELF: section type SHT_GROUP, flag GRP_COMDAT of a group, flags SHF_MERGE and SHF_STRINGS of a section (gABI 4.1).
_GROUP, _COMDAT, _MERGE, _STRINGS = 17, 1, 0x10, 0x20


@dataclass(frozen=True)
class Piece:
    """Something that is in a program once, however many ask for it.

    Attributes:
        key: what it is: file and section, or, where the linker joins equals, their common name or content.
        bytes: its size, up to the alignment of what follows.
        origin: the file that the linker took it from; empty for constants that it joins.
    """

    key: tuple[str, bytes]
    bytes: int = field(compare=False)
    origin: str = field(compare=False)


@dataclass(frozen=True)
class _Section:
    name: str
    flags: int
    align: int
    entry: int
    content: bytes
    comdat: bool


def pieces(map_file: Path) -> frozenset[Piece]:
    """What the map says was kept and lies in flash."""
    text = map_file.read_text(encoding="utf-8", errors="replace")
    kept = text.partition("Linker script and memory map")[2]
    return frozenset(piece for name, size, file in _placed(kept) for piece in _united(name, size, file))


def _placed(text: str) -> Iterator[tuple[str, int, str]]:
    """Input section, size and file of every line; a long name stands on a line of its own."""
    output, name = "", ""
    for line in text.splitlines():
        if line and line[0] not in " \t":
            output, name = line.split()[0], ""
        elif alone := _NAME_ALONE.match(line):
            name = alone[1]
        else:
            found = _PLACED.match(f" {name} {line.strip()}" if name and line.startswith("    ") else line)
            name = ""
            if found and output in _IN_FLASH and not found[1].startswith("*"):
                yield found[1], int(found[2], 16), found[3]


def _united(name: str, size: int, file: str) -> Iterator[Piece]:
    """The section as one piece; mergeable constants as one piece each, which the map counts anywhere."""
    section = _sections(file).get(name)
    if section is None or not section.content:
        if size:
            yield Piece((f"{file}:{name}", b""), _aligned(size, 4), file)
    elif section.flags & _MERGE:
        for content in _entries(section):
            yield Piece((f"constant:{section.align}", content), _aligned(len(content), section.align), "")
    elif size:
        # One of equal inline functions is kept, of whichever file came first.
        key = name if section.comdat else f"{file}:{name}"
        yield Piece((key, b""), _aligned(size, max(2, section.align)), file)


def _aligned(size: int, align: int) -> int:
    return -(-size // align) * align


def _entries(section: _Section) -> Iterator[bytes]:
    """The constants of a section, each with its zero if it is a string."""
    if section.flags & _STRINGS and section.entry == 1:
        for text in section.content.split(b"\0")[:-1]:
            yield text + b"\0"
    else:
        step = section.entry or len(section.content)
        for start in range(0, len(section.content), step):
            yield section.content[start : start + step]


@functools.cache
def _sections(file: str) -> dict[str, _Section]:
    """Sections of an object, or of `archive(member)`, by name; of several of one name the last."""
    if member := _MEMBER.match(file):
        return _parsed(_members(member[1]).get(member[2], b""))
    path = Path(file)
    return _parsed(path.read_bytes()) if path.is_file() else {}


@functools.cache
def _members(archive: str) -> dict[str, bytes]:
    """Members of an archive by name (the System V form that GNU ar writes)."""
    data, found, names, at = Path(archive).read_bytes(), {}, b"", 8
    while at + 60 <= len(data):
        name, size = data[at : at + 16].decode().rstrip(), int(data[at + 48 : at + 58])
        body = data[at + 60 : at + 60 + size]
        if name == "//":
            names = body
        elif name[:1] == "/" and name[1:].isdigit():
            found[names[int(name[1:]) :].split(b"/\n")[0].decode()] = body
        elif name != "/":
            found[name.rstrip("/")] = body
        at += 60 + size + size % 2
    return found


def _parsed(elf: bytes) -> dict[str, _Section]:
    """Sections of a 32-bit little-endian ELF object; none of anything else."""
    if elf[:6] != b"\x7fELF\x01\x01":
        return {}
    table, entry, count, names_at = struct.unpack_from("<I10xHHH", elf, 32)
    headers = [struct.unpack_from("<10I", elf, table + number * entry) for number in range(count)]
    names = elf[headers[names_at][4] :]
    comdat: set[int] = set()
    for header in headers:
        if header[1] == _GROUP:
            words = struct.unpack_from(f"<{header[5] // 4}I", elf, header[4])
            comdat |= set(words[1:]) if words[0] & _COMDAT else set()
    found = {}
    for number, (name, kind, flags, _, start, size, _, _, align, step) in enumerate(headers):
        content = elf[start : start + size] if kind == 1 else b""
        called = names[name:].split(b"\0")[0].decode()
        found[called] = _Section(called, flags, max(1, align), step, content, number in comdat)
    return found

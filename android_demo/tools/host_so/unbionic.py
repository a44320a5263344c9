"""Makes a 64-bit Android library loadable by Debian's dynamic loader: `unbionic.py IN.so OUT.so`.

Bionic's libraries carry the version LIBC on their symbols, which glibc lacks: the tags that lead to versions are made
ones that a loader passes over. Imports whose meaning differs are renamed, so that shim.c takes them: the first letter
becomes a capital, in place, as the table of names has no room for more. No instruction is changed.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

RENAMED = {
    *("fprintf", "vfprintf", "fputc", "fwrite", "fflush", "fileno", "fclose", "sysconf", "strerror_r", "dlsym"),
    *(f"pthread_cond_{verb}" for verb in ("init", "destroy", "wait", "signal", "broadcast")),
}

# Of ELF64, as <elf.h> has them.
LOAD, DYNAMIC = 1, 2
STRTAB, SYMTAB, HASH = 5, 6, 4
VERSYM, VERDEF, VERDEFNUM, VERNEED, VERNEEDNUM = 0x6FFFFFF0, 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
PASSED_OVER = 0x60000FFF  # in the range of the operating system's own, and of no system that is known
DYNAMIC_ENTRY, SYMBOL = struct.Struct("<qQ"), struct.Struct("<IBBHQQ")


def convert(data: bytearray) -> None:
    """Changes the library in place."""
    if data[:5] != b"\x7fELF\x02":
        raise SystemExit("not a 64-bit ELF file")
    headers = segments(data)
    tags = dynamic(data, next(offset for kind, _, offset, _ in headers if kind == DYNAMIC))
    place = {tag: file_offset(headers, tags[tag][1]) for tag in (STRTAB, SYMTAB, HASH)}
    for tag in (VERSYM, VERDEF, VERDEFNUM, VERNEED, VERNEEDNUM):
        if tag in tags:
            struct.pack_into("<q", data, tags[tag][0], PASSED_OVER)
    (count,) = struct.unpack_from("<I", data, place[HASH] + 4)  # the second word of a hash table: its symbols
    for number in range(1, count):
        name_at, _, _, section, _, _ = SYMBOL.unpack_from(data, place[SYMTAB] + SYMBOL.size * number)
        start = place[STRTAB] + name_at
        name = data[start : data.index(0, start)].decode("latin1")
        if section == 0 and name in RENAMED:
            data[start] = ord(name[0].upper())


def segments(data: bytearray) -> list[tuple[int, int, int, int]]:
    """Kind, address, offset and size in the file of each segment."""
    (table,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    found = []
    for number in range(count):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, table + 56 * number)
        found.append((kind, address, offset, size))
    return found


def dynamic(data: bytearray, at: int) -> dict[int, tuple[int, int]]:
    """Where each tag of the dynamic section stands in the file, and its value."""
    found: dict[int, tuple[int, int]] = {}
    while True:
        tag, value = DYNAMIC_ENTRY.unpack_from(data, at)
        if tag == 0:
            return found
        found[tag] = (at, value)
        at += DYNAMIC_ENTRY.size


def file_offset(headers: list[tuple[int, int, int, int]], address: int) -> int:
    """Where an address of the loaded library stands in the file."""
    for kind, start, offset, size in headers:
        if kind == LOAD and start <= address < start + size:
            return offset + address - start
    raise SystemExit(f"no segment has the address {address:#x}")


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    library = bytearray(source.read_bytes())
    convert(library)
    target.write_bytes(library)

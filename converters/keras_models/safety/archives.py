"""Zip archives and folders of model files: nothing leaves them, nothing explodes, no pickles inside.

Only the directory of an archive and the heads of its arrays are read here; weights are not unpacked.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from converters.errors import FileError, ModelError, UnsafeModelError

MAXIMUM_MEMBERS = 10_000
MAXIMUM_UNPACKED_BYTES = 8 << 30  # four times what a .tflite file can hold
# Keras stores its members as they are. A bomb is both large and far larger than what is stored (CWE-409).
BOMB_FLOOR_BYTES = 32 << 20
BOMB_RATIO = 100

# What zipfile raises for damaged archives, besides BadZipFile.
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, KeyError, NotImplementedError)


@contextlib.contextmanager
def open_archive(source: Path | IO[bytes], where: str) -> Iterator[zipfile.ZipFile]:
    """A zip archive whose directory has been checked.

    Args:
        source: the file, or a stream that can seek.
        where: its name, for messages.

    Raises:
        UnsafeModelError: a member leaves the archive, is a link, is listed twice, or explodes.
        ModelError: the archive is damaged, here or later inside the `with` block.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            _check_members(archive.infolist(), where)
            yield archive
    except _DAMAGE as error:
        raise ModelError(f"{where}: damaged archive ({str(error)[:200]}); save or copy the model again") from None


def read_member(archive: zipfile.ZipFile, name: str, limit: int, where: str) -> bytes:
    """The bytes of one member, at most `limit`.

    Raises:
        UnsafeModelError: it is larger.
    """
    size = archive.getinfo(name).file_size
    if size > limit:
        raise UnsafeModelError(f"{where}: {name} has {size} bytes; expected at most {limit}")
    return archive.read(name)


def check_arrays(data: IO[bytes], where: str) -> None:
    """Refuses an `.npz` archive with pickled arrays, or with arrays larger than what is stored for them.

    Raises:
        UnsafeModelError: see above, and `open_archive`.
        ModelError: damaged.
    """
    with open_archive(data, where) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                _check_array(stream, member, f"{where}: {member.filename[:80]}")


def check_folder(folder: Path) -> None:
    """Refuses a folder with links that leave it, special files, or too many files.

    Raises:
        UnsafeModelError: see above.
        FileError: it cannot be read.
    """
    root = folder.resolve()
    count = 0
    try:
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                count += 1
                path = Path(parent, name)
                if path.is_symlink() and not path.resolve().is_relative_to(root):
                    raise UnsafeModelError(f"{folder}: {name} is a link that leaves the folder; copy the file into it")
                if not (path.is_dir() or path.is_file()):
                    raise UnsafeModelError(f"{folder}: {name} is neither a file nor a folder")
                if count > MAXIMUM_MEMBERS:
                    raise UnsafeModelError(f"{folder}: more than {MAXIMUM_MEMBERS} files; this is no SavedModel")
    except (OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
        raise FileError(f"{folder} cannot be read: {error}") from None


def stays_inside(name: str) -> bool:
    """Whether a name, joined to a folder, stays in that folder on every system."""
    path = PurePosixPath(name)
    return not (
        not name
        or "\0" in name
        or "\\" in name
        or ":" in name.split("/")[0]
        or path.is_absolute()
        or ".." in path.parts
    )


def _check_members(members: list[zipfile.ZipInfo], where: str) -> None:
    if len(members) > MAXIMUM_MEMBERS:
        raise UnsafeModelError(f"{where}: {len(members)} members; a model has at most {MAXIMUM_MEMBERS}")
    names: set[str] = set()
    unpacked = stored = 0
    for member in members:
        name = member.filename
        if not stays_inside(name) or not stays_inside(member.orig_filename):
            raise UnsafeModelError(f"{where}: member {name!r:.80} would be written outside the archive's folder")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise UnsafeModelError(f"{where}: member {name!r:.80} is a link or a special file")
        key = str(PurePosixPath(name)).casefold()
        if key in names:
            raise UnsafeModelError(f"{where}: member {name!r:.80} is there twice, so readers may see different files")
        names.add(key)
        if member.flag_bits & 1:
            raise ModelError(f"{where}: member {name!r:.80} is encrypted; save the model without a password")
        _check_growth(member.file_size, member.compress_size, f"{where}: member {name!r:.80}")
        unpacked += member.file_size
        stored += member.compress_size
    _check_growth(unpacked, stored, where)


def _check_growth(unpacked: int, stored: int, where: str) -> None:
    if unpacked > MAXIMUM_UNPACKED_BYTES:
        raise UnsafeModelError(f"{where}: {unpacked} bytes when unpacked; expected at most {MAXIMUM_UNPACKED_BYTES}")
    if unpacked > BOMB_FLOOR_BYTES and unpacked > BOMB_RATIO * max(stored, 1):
        raise UnsafeModelError(f"{where}: {stored} bytes become {unpacked} when unpacked; this is a decompression bomb")


def _check_array(stream: IO[bytes], member: zipfile.ZipInfo, where: str) -> None:
    head = io.BytesIO(stream.read(1 << 16))
    try:
        version = np.lib.format.read_magic(head)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0}.get(version, np.lib.format.read_array_header_2_0)
        shape, _, dtype = read_header(head)
    except (ValueError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError) as error:
        # An array of objects has a pickle behind its header; one without a header is a bare pickle.
        raise UnsafeModelError(f"{where} is no plain NumPy array ({str(error)[:120]})") from None
    if dtype.hasobject:
        raise UnsafeModelError(
            f"{where} is a pickled array, which runs code when it is read; save the weights as .weights.h5 "
            "(the default of model.save)"
        )
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise UnsafeModelError(f"{where} claims shape {shape!s:.60} but holds {member.file_size} bytes")

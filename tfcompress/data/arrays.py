"""DATA as `.npz` (several arrays) or `.npy` (one array): sizes are checked before anything is allocated.

An `.npy` file is mapped, not read; of an `.npz`, only the members asked for are read, each once.
"""

from __future__ import annotations

import lzma
import math
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError

Array = npt.NDArray[Any]

# Uncompressed; more belongs into an `.npy`, which is mapped from disk.
MAXIMUM_BYTES = 16 << 30
# What NumPy and zipfile raise on damaged files.
_DAMAGED = (
    *(ValueError, TypeError, OverflowError, OSError, EOFError, SyntaxError, RuntimeError, MemoryError),
    tokenize.TokenError,
)
_DAMAGED_ARCHIVE = (*_DAMAGED, zipfile.BadZipFile, zlib.error, lzma.LZMAError)
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_npy(path: Path) -> dict[str, Array]:
    """The one array of an `.npy` file, mapped from disk, under the key `x`.

    Raises:
        DataError: damaged, or holding Python objects.
    """
    try:
        with path.open("rb") as stream:
            _check_header(stream, path.stat().st_size, str(path))
        return {"x": np.load(path, mmap_mode="r", allow_pickle=False)}
    except _DAMAGED as error:
        raise DataError(f"{path} is no readable .npy array: {_brief(error)}; save it with np.save") from error


def read_npz(path: Path, wanted: Callable[[str], bool]) -> dict[str, Array]:
    """The members of an `.npz` archive for whose key `wanted` says yes; all others with no rows: their names count.

    Raises:
        DataError: damaged, too large, or holding Python objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            total = sum(info.file_size for key, info in members.items() if wanted(key))
            if total > MAXIMUM_BYTES:
                raise DataError(
                    f"{path} unpacks to {total:,} bytes, more than {MAXIMUM_BYTES:,}; "
                    "save the samples as one .npy file, which is read in part"
                )
            if not members:
                raise DataError(f"{path} is an empty archive; expected arrays such as x_train and y_train")
            return {key: _read_member(archive, info, wanted(key), path) for key, info in members.items()}
    except _DAMAGED_ARCHIVE as error:
        raise DataError(
            f"{path} is no readable .npz archive: {_brief(error)}; make it with "
            "np.savez(path, x_train=..., y_train=...)"
        ) from error


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, wanted: bool, path: Path) -> Array:
    what = f"{info.filename} in {path}"
    with archive.open(info) as stream:
        _check_header(stream, info.file_size, what)
    if not wanted:
        return np.empty(0)
    with archive.open(info) as stream:
        array: Array = np.lib.format.read_array(stream, allow_pickle=False)
        return array


def _check_header(stream: IO[bytes], size: int, what: str) -> None:
    """Refuses objects, and a header that promises more than the file has: NumPy would allocate it first."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADER_READERS:
        raise DataError(f"{what} is an array file of the unknown version {version}; save it with np.save")
    shape, _, dtype = _HEADER_READERS[version](stream)
    if dtype.hasobject:
        raise DataError(f"{what} holds Python objects (pickles), which are refused; save plain numbers")
    if math.prod(shape) * dtype.itemsize + stream.tell() != size:
        raise DataError(
            f"{what} is damaged: its header promises {math.prod(shape) * dtype.itemsize:,} bytes of "
            f"{dtype} {tuple(shape)}, there are {size - stream.tell():,}; make it again"
        )


def _brief(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__

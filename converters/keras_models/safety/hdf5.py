"""The structure of an HDF5 file: all data are inside it, and none are larger than the file can hold.

HDF5 is parsed by native code, which a damaged file can crash or send round in circles, so this belongs in a child
process; there a timer ends it. Weights are not read here.
"""

from __future__ import annotations

import contextlib
import math
import mmap
import signal
import struct
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from converters.errors import ModelError, UnsafeModelError
from converters.keras_models.safety.archives import BOMB_FLOOR_BYTES, BOMB_RATIO, MAXIMUM_UNPACKED_BYTES
from converters.keras_models.safety.configuration import MAXIMUM_BYTES

MAXIMUM_OBJECTS = 200_000
MAXIMUM_SECONDS = 60.0  # of processor time; ResNet50's 640 objects take 0.1 s
# Filters compiled into HDF5 and h5py: deflate, shuffle, fletcher32, szip, nbit, scale-offset, lzf. Others are plug-ins.
_FILTERS = frozenset((1, 2, 3, 4, 5, 6, 32000))
# What h5py raises for damaged files.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError, NotImplementedError)


def check_structure(source: Path | bytes, where: str) -> dict[str, str]:
    """Walks the whole file and refuses what leads out of it or explodes.

    Args:
        source: the file, or its bytes.
        where: its name, for messages.

    Returns:
        the text attributes of its root group that Keras writes: `model_config`, `keras_version`, where present, and
        `top` with the names of the root's members, joined by spaces.

    Raises:
        UnsafeModelError: external or soft links, external or virtual storage, plug-in filters, objects of Python, or
            data far larger than the file.
        ModelError: damaged.
    """
    import h5py

    try:
        with _contents(source) as (stream, data), _time_limit():
            _check_heaps(data)
            with h5py.File(stream, "r") as file:
                _check_tree(file, where, len(data))
                found = {name: _text(file, name) for name in ("model_config", "keras_version")}
                return {name: text for name, text in found.items() if text} | {"top": " ".join(file)}
    except _DAMAGE as error:
        raise ModelError(f"{where}: damaged HDF5 file ({str(error)[:200]}); save or copy the model again") from None


@contextlib.contextmanager
def _contents(source: Path | bytes) -> Iterator[tuple[Path | BytesIO, bytes | mmap.mmap]]:
    if isinstance(source, bytes):
        yield BytesIO(source), source
        return
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        yield source, mapped


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    """Ends the process when the native library does not return: no exception can be raised inside it.

    The caller of the child process then reports that it died of SIGPROF. The timer is left out where signals cannot
    be had (Windows, threads) or where somebody else uses this one.
    """
    can_be_had = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not can_be_had or signal.getsignal(signal.SIGPROF) is not signal.SIG_DFL:
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, MAXIMUM_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _check_heaps(data: bytes | mmap.mmap) -> None:
    """Walks the global heaps (HDF5 File Format Specification 3.0, III.E) before the library does.

    HDF5 1.14.6 loops for ever on a heap with a free block of size 0 (seen by fuzzing). Headers that the library
    refuses by itself are passed over; text in weights that looks like a header is no heap.
    """
    place = data.find(b"GCOL\1\0\0\0")
    while place >= 0:
        size = int.from_bytes(data[place + 8 : place + 16], "little")
        end = place + size
        block = place + 16
        while size >= 4096 and end <= len(data) and block + 16 <= end:
            index, _, _, length = struct.unpack("<HHIQ", data[block : block + 16])
            step = length if index == 0 else 16 + (length + 7) // 8 * 8
            if step == 0:
                raise ValueError(f"a block of size 0 in the global heap at byte {place}")
            block += step
        place = data.find(b"GCOL\1\0\0\0", place + 8)


def _check_tree(root: Any, where: str, file_bytes: int) -> None:
    import h5py

    pending = [root]
    visited: set[int] = set()
    total = _check_attributes(root, where)
    while pending:
        group = pending.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise UnsafeModelError(
                    f"{where}: {group.name}/{name} is a link ({type(link).__name__}) and not data; save the model "
                    "again with model.save"
                )
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in visited:
                continue
            visited.add(address)
            if len(visited) > MAXIMUM_OBJECTS:
                raise UnsafeModelError(f"{where}: more than {MAXIMUM_OBJECTS} objects; this is no model")
            if isinstance(item, h5py.Group):
                pending.append(item)
            elif isinstance(item, h5py.Dataset):
                total += _check_dataset(item, where)
            total += _check_attributes(item, where)
    if total > MAXIMUM_UNPACKED_BYTES or (total > BOMB_FLOOR_BYTES and total > BOMB_RATIO * file_bytes):
        raise UnsafeModelError(f"{where}: a file of {file_bytes} bytes claims {total} bytes of data; this is a bomb")


def _check_dataset(dataset: Any, where: str) -> int:
    """Returns the bytes that the dataset has in memory."""
    import h5py

    properties = dataset.id.get_create_plist()
    shown = f"{where}: {dataset.name}"
    if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
        raise UnsafeModelError(f"{shown} has its data in another file; save the model again with model.save")
    for index in range(properties.get_nfilters()):
        if properties.get_filter(index)[0] not in _FILTERS:
            raise UnsafeModelError(f"{shown} needs an HDF5 plug-in to be read; save the model again with model.save")
    _check_plain(dataset.dtype, shown)
    return math.prod(dataset.shape or ()) * int(dataset.dtype.itemsize)


def _check_attributes(item: Any, where: str) -> int:
    """Reads every attribute once, so that a damaged one fails here and not in a loader; returns their bytes."""
    total = 0
    for name in item.attrs:
        attribute = item.attrs.get_id(name)
        shown = f"{where}: attribute {name[:60]} of {item.name}"
        size = math.prod(attribute.shape or ()) * int(attribute.dtype.itemsize)
        if size > MAXIMUM_BYTES:
            raise UnsafeModelError(f"{shown} has {size} bytes; expected at most {MAXIMUM_BYTES}")
        _check_plain(attribute.dtype, shown)
        item.attrs[name]
        total += size
    return total


def _check_plain(dtype: Any, shown: str) -> None:
    import h5py

    if dtype.hasobject and h5py.check_string_dtype(dtype) is None:
        raise UnsafeModelError(f"{shown} holds references or lists of varying length; expected numbers or text")


def _text(file: Any, name: str) -> str:
    value = file.attrs.get(name, "")
    if isinstance(value, bytes):
        return value.decode()
    if not isinstance(value, str):
        raise ValueError(f"attribute {name} is not text")
    return value

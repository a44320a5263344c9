"""The structure of an HDF5 file: all data are inside it, and none are larger than the file can hold.

HDF5 is parsed by native code, so this belongs in a child process. Weights are not read here.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO, Any

from converters.errors import ModelError, UnsafeModelError
from converters.keras_models.archives import BOMB_FLOOR_BYTES, BOMB_RATIO, MAXIMUM_UNPACKED_BYTES
from converters.keras_models.config_check import MAXIMUM_BYTES

MAXIMUM_OBJECTS = 200_000
# Filters compiled into HDF5 and h5py: deflate, shuffle, fletcher32, szip, nbit, scale-offset, lzf. Others are plug-ins.
_FILTERS = frozenset((1, 2, 3, 4, 5, 6, 32000))
# What h5py raises for damaged files.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError, NotImplementedError)


def check_structure(source: Path | IO[bytes], where: str, *, file_bytes: int) -> dict[str, str]:
    """Walks the whole file and refuses what leads out of it or explodes.

    Args:
        source: the file, or a stream that can seek.
        where: its name, for messages.
        file_bytes: its size.

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
        with h5py.File(source, "r") as file:
            _check_tree(file, where, file_bytes)
            found = {name: _text(file, name, where) for name in ("model_config", "keras_version")}
            return {name: text for name, text in found.items() if text} | {"top": " ".join(file)}
    except _DAMAGE as error:
        raise ModelError(f"{where}: damaged HDF5 file ({str(error)[:200]}); save or copy the model again") from None


def _check_tree(root: Any, where: str, file_bytes: int) -> None:
    import h5py

    pending = [root]
    visited: set[int] = set()
    total = 0
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
    dtype = dataset.dtype
    if dtype.hasobject and h5py.check_string_dtype(dtype) is None:
        raise UnsafeModelError(f"{shown} holds references or lists of varying length; weights are plain numbers")
    return math.prod(dataset.shape or ()) * int(dtype.itemsize)


def _text(file: Any, name: str, where: str) -> str:
    import h5py

    if name not in file.attrs:
        return ""
    attribute = file.attrs.get_id(name)
    if attribute.get_storage_size() > MAXIMUM_BYTES:
        raise UnsafeModelError(f"{where}: attribute {name} has {attribute.get_storage_size()} bytes")
    if attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None:
        raise ModelError(f"{where}: attribute {name} is not text; save the model again with model.save")
    value = file.attrs[name]
    return value.decode() if isinstance(value, bytes) else str(value)

"""Output files appear whole or not at all: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from converters.errors import FileError


def check_free(path: Path, *, force: bool) -> None:
    """Raises FileError, before any work is done, if `path` could not be written.

    Raises:
        FileError: it exists and `force` is off, it is a folder, or its folder is not there or not writable.
    """
    if path.is_dir():
        raise FileError(f"{path} is a folder; name a file to write")
    if path.exists() and not path.is_file():
        raise FileError(f"{path} is a device or a pipe; name a file to write")
    if path.exists() and not force:
        raise FileError(f"{path} exists; give another name, or --force to replace it")
    if not path.parent.is_dir():
        raise FileError(f"the folder {path.parent} does not exist; create it first")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"the folder {path.parent} is not writable; choose another place")


@contextlib.contextmanager
def writing(path: Path, advice: str) -> Iterator[None]:
    """Makes one line of what the disk refuses meanwhile: it is full, over quota, read-only.

    Args:
        path: what is being written, for the message.
        advice: what became of it or what to do, for the message.

    Raises:
        FileError: an OSError came up.
    """
    try:
        yield
    except OSError as error:
        raise FileError(f"{path} could not be written: {error.strerror or error}; {advice}") from error


def write_whole(path: Path, data: bytes, *, force: bool = False) -> None:
    """Writes `data` to `path` so that the file is complete or absent.

    Raises:
        FileError: what `check_free` checks, or the disk refused (full, quota, read-only).
    """
    check_free(path, force=force)
    temporary = None
    try:
        with writing(path, "nothing was left behind"):
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as stream:
                temporary = Path(stream.name)
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            # A temporary file is private to its owner; the result gets the permissions of any newly made file.
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
    finally:
        # Also after Ctrl-C; once renamed, nothing is there any more.
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()

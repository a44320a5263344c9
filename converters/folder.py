"""The folder that an export makes: it appears whole or not at all, and replaces only one of its own kind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from converters.errors import FileError
from converters.output import writing


@dataclass(frozen=True)
class Kind:
    """What tells a folder of one export from other folders.

    Attributes:
        noun: what it is, for messages.
        manifest: JSON file in it whose `files` lists what the export made.
        example: a name that such a folder may have.
        built: names that building it leaves in it, which go with it.
    """

    noun: str
    manifest: str
    example: str
    built: frozenset[str] = frozenset()


def check_free(path: Path, kind: Kind, *, force: bool) -> None:
    """Raises FileError, before any work is done, if a folder of this kind could not be put at `path`.

    Raises:
        FileError: something is there and `force` is off, or it is of no such kind, or was added to by hand.
    """
    if path.name in ("", ".."):
        raise FileError(f"{path} names no folder that can be made; give a new name, such as {kind.example}")
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise FileError(f"{path} is no folder; give another name for the {kind.noun}")
    parent = path.absolute().parent
    if not parent.is_dir():
        raise FileError(f"the folder {parent} does not exist; create it first")
    if not os.access(parent, os.W_OK):
        raise FileError(f"the folder {parent} is not writable; choose another place")
    if not path.exists() or not any(path.iterdir()):
        return
    if not force:
        raise FileError(f"{path} exists; give another name, or --force to replace it")
    if stranger := _stranger(path, kind):
        raise FileError(
            f"{path} holds {stranger}, which is no part of a {kind.noun}; move it away, or give another name"
        )


def _stranger(path: Path, kind: Kind) -> str:
    """A file that no export made; empty if there is none."""
    try:
        made = set(json.loads((path / kind.manifest).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return sorted(entry.name for entry in path.iterdir())[0]
    for found in sorted(path.rglob("*")):
        relative = found.relative_to(path)
        if relative.parts[0] in kind.built:
            continue
        # An export makes no links, wherever they lead.
        if found.is_symlink() or not (found.is_dir() or relative.as_posix() in made):
            return relative.as_posix()
    return ""


def write(path: Path, files: Mapping[str, bytes], kind: Kind, *, force: bool = False) -> None:
    """Puts files at `path`, all of them or nothing.

    Args:
        path: the folder to make.
        files: path in it -> content.
        kind: what the folder is.
        force: replace a folder of this kind that is there.

    Raises:
        FileError: what `check_free` checks, or the disk refused.
    """
    check_free(path, kind, force=force)
    beside = None
    try:
        with writing(path, "nothing was left behind"):
            beside = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
            made, aside = beside / "made", beside / "replaced"
            for name, content in files.items():
                place = made / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
            if path.exists():
                path.rename(aside)
            try:
                made.rename(path)
            except OSError:
                if aside.exists():
                    aside.rename(path)
                raise
    finally:
        # Also after Ctrl-C; the finished folder is no longer in it.
        if beside is not None:
            with contextlib.suppress(OSError):
                shutil.rmtree(beside)

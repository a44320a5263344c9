"""What users rely on: an output file is complete or absent, and never replaced unasked."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

import pytest

from converters.errors import FileError
from converters.output import check_free, write_whole


def test_the_file_has_the_bytes_and_ordinary_permissions(tmp_path: Path) -> None:
    write_whole(tmp_path / "m.tflite", b"abc")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "m.tflite").read_bytes() == b"abc"
    assert stat.S_IMODE((tmp_path / "m.tflite").stat().st_mode) == 0o666 & ~umask
    assert [path.name for path in tmp_path.iterdir()] == ["m.tflite"]


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"old")
    with pytest.raises(FileError, match="--force"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    write_whole(path, b"new", force=True)
    assert path.read_bytes() == b"new"


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    import signal

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(FileError, match="could not be written.*nothing was left behind"):
            write_whole(tmp_path / "m.tflite", b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".", "missing/m.tflite"])
def test_a_place_that_cannot_be_written_is_named_before_any_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileError, match="folder"):
        check_free(tmp_path / name, force=False)


def test_a_device_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileError, match="device or a pipe"):
        write_whole(pipe, b"abc", force=True)
    assert stat.S_ISFIFO(pipe.stat().st_mode)

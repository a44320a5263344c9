"""The folder of an export appears whole or not at all, and nobody's work goes with an old one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converters import folder
from converters.errors import FileError

KIND = folder.Kind("model folder", "model.json", "digits", frozenset({"build"}))
FILES = {
    "model.json": json.dumps({"files": ["model.json", "model.tflite", "samples/7.png"]}).encode(),
    "model.tflite": b"bytes",
    "samples/7.png": b"pixels",
}


def contents(place: Path) -> dict[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder.write(tmp_path / "digits", FILES, KIND)
    return tmp_path / "digits"


def test_what_an_export_made_is_replaced_with_what_was_built_in_it(made: Path) -> None:
    (made / "build").mkdir()
    (made / "build" / "link").symlink_to("/")
    with pytest.raises(FileError, match="exists; give another name, or --force"):
        folder.write(made, FILES, KIND)
    fewer = {"model.json": b'{"files": ["model.json"]}'}
    folder.write(made, fewer, KIND, force=True)
    assert contents(made) == fewer and [path.name for path in made.parent.iterdir()] == ["digits"]


@pytest.mark.parametrize("place", ["mine.txt", "samples/mine.txt"])
def test_a_file_that_was_added_stops_it(place: str, made: Path) -> None:
    (made / place).write_text("work of a day")
    with pytest.raises(FileError, match=f"holds {place}, which is no part of a model folder; move it away"):
        folder.write(made, FILES, KIND, force=True)
    assert (made / place).read_text() == "work of a day"


@pytest.mark.parametrize("target", ["nowhere", ".", "model.json"])
@pytest.mark.parametrize("place", ["mine", "model.tflite"])
def test_a_link_stops_it_wherever_it_leads(place: str, target: str, made: Path) -> None:
    (made / place).unlink(missing_ok=True)
    (made / place).symlink_to(target)
    with pytest.raises(FileError, match=f"holds {place}, which"):
        folder.write(made, FILES, KIND, force=True)
    assert (made / place).is_symlink()


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"files": 3}', b'{"files": [[]]}', None])
def test_a_folder_of_somebody_else_is_never_replaced(manifest: bytes | None, tmp_path: Path) -> None:
    place = tmp_path / "photos"
    place.mkdir()
    (place / "cat.jpg").write_bytes(b"x")
    if manifest is not None:
        (place / "model.json").write_bytes(manifest)
    with pytest.raises(FileError, match=r"holds cat\.jpg"):
        folder.write(place, FILES, KIND, force=True)
    assert (place / "cat.jpg").exists()


def test_a_place_that_cannot_be_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    for name, said in (
        ("none/x", "does not exist; create it first"),
        ("file", "is no folder"),
        ("link", "is no folder"),
        ("..", "names no folder that can be made"),
    ):
        with pytest.raises(FileError, match=said):
            folder.check_free(tmp_path / name, KIND, force=True)


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    folder.write(tmp_path / "digits", FILES, KIND)
    assert contents(tmp_path / "digits") == FILES


def test_nothing_is_left_when_the_disk_refuses(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for place in (tmp_path / "new", made):
        with pytest.raises(FileError, match="No space left"):
            folder.write(place, FILES, KIND, force=True)
    assert contents(made) == FILES and [path.name for path in tmp_path.iterdir()] == ["digits"]

"""The TOML file that says what a model's input is: what `tfcompress export --input` and `AudioFrontEnd.read` take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converters.errors import FileError, brief
from tfcompress import toml_file


def read(path: Path | str) -> dict[str, Any]:
    """The keys of docs/android.md: the file's table `[input]`, or all of the file.

    Raises:
        FileError: it cannot be read, is no TOML, or has something beside `[input]`.
    """
    told = toml_file.parse(toml_file.read(Path(path), "a model's input, see docs/android.md"), str(path))
    if not isinstance(told.get("input"), dict):
        return told
    if other := next((key for key in told if key != "input"), None):
        raise FileError(f"{path} has {brief(other)} beside the table [input]; move it into the table, or leave it out")
    table: dict[str, Any] = told["input"]
    return table

"""The folder that a compression leaves, and the one beside it that holds a run's state until it is finished.

DIR            appears whole, at the end: model.tflite model.keras recipe.toml report.json report.md
DIR.partial    finished steps and checkpoints; `--resume` goes on from there
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from converters.errors import FileError, UsageError

_OURS = frozenset({"model.tflite", "model.keras", "recipe.toml", "report.json", "report.md", "report.html"})


class ResultFolder:
    """The place of a result.

    Raises:
        FileError: it exists and `force` is off, holds files of somebody else, or cannot be made.
    """

    def __init__(self, path: Path, *, force: bool = False, resume: bool = False) -> None:
        self.path = path
        self.work = path.with_name(f"{path.name}.partial")
        self._force = force
        self._check()
        if self.work.exists() and not resume and not force:
            raise FileError(
                f"{self.work} holds the state of an interrupted run: --resume goes on with it, --force begins anew"
            )
        if self.work.exists() and not resume:
            shutil.rmtree(self.work)

    def _check(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise FileError(f"{self.path} is a file; name a folder for the results")
        if self.path.is_dir() and any(self.path.iterdir()):
            if not self._force:
                raise FileError(f"{self.path} exists; give another name, or --force to replace it")
            strangers = sorted({entry.name for entry in self.path.iterdir()} - _OURS)
            if strangers:
                raise FileError(f"{self.path} holds {strangers[0]}, which is no result of compress; give another name")
        parent = self.path.absolute().parent
        if not parent.is_dir():
            raise FileError(f"the folder {parent} does not exist; create it first")
        if not os.access(parent, os.W_OK):
            raise FileError(f"the folder {parent} is not writable; choose another place")

    def begin(self, hashes: Mapping[str, str]) -> None:
        """Makes the folder of the run's state, or checks that it belongs to the same inputs.

        Raises:
            UsageError: an interrupted run had another model, recipe or data.
        """
        noted = self.work / "inputs.json"
        if noted.exists():
            before = json.loads(noted.read_text(encoding="utf-8"))
            changed = [name for name, value in hashes.items() if before.get(name) != value]
            if changed:
                raise UsageError(
                    f"{self.work} was begun with another {changed[0]}; resume with the same one, or --force begins anew"
                )
            return
        self.work.mkdir(parents=True, exist_ok=True)
        beside = noted.with_suffix(".part")
        beside.write_text(json.dumps(dict(hashes)), encoding="utf-8")
        beside.rename(noted)

    def finish(self, files: Mapping[str, bytes]) -> None:
        """Puts the finished folder in place, all of it or nothing, and removes the run's state.

        Args:
            files: name -> content; files that the run left in `work / "result"` come along.
        """
        result = self.work / "result"
        result.mkdir(parents=True, exist_ok=True)
        try:
            for name, content in files.items():
                (result / name).write_bytes(content)
            if self.path.exists():
                shutil.rmtree(self.path)
            result.rename(self.path)
        except OSError as error:
            raise FileError(f"{self.path} could not be written: {error.strerror}; the run is in {self.work}") from error
        shutil.rmtree(self.work, ignore_errors=True)

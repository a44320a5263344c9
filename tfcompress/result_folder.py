"""The folder that a compression leaves, and the one beside it that holds a run's state until it is finished.

DIR            appears whole, at the end: model.tflite model.keras recipe.toml report.json report.md
DIR.partial    finished steps and checkpoints; `--resume` goes on from there
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converters.errors import FileError, UsageError
from converters.output import writing

_NOTE = "inputs.json"  # in the folder of a run's state; none without
_NOTE_BESIDE = "inputs.json.part"
_OURS = frozenset(
    {"model.tflite", "model.tflite.names.json", "model.keras", "recipe.toml", "report.json", "report.md", "report.html"}
)


class ResultFolder:
    """The place of a result.

    Raises:
        FileError: it exists and `force` is off, holds files of somebody else, or cannot be made.
    """

    def __init__(self, path: Path, *, force: bool = False, resume: bool = False) -> None:
        if path.name in ("", ".."):
            raise FileError(f"{path} names no folder that can be made; give a new name, such as compressed")
        self.path = path
        self.work = path.with_name(f"{path.name}.partial")
        self._force, self._resume = force, resume
        self._begun = False
        self._check_place()
        self._check_work()

    @property
    def asked(self) -> dict[str, Any]:
        """The arguments that make another one of the same place, as plain data."""
        return {"path": str(self.path), "force": self._force, "resume": self._resume}

    def _check_work(self) -> None:
        if not self.work.exists():
            return
        entries = {entry.name for entry in self.work.iterdir()} if self.work.is_dir() else {self.work.name}
        # A run that was killed at its very beginning leaves the folder without its note.
        if _NOTE not in entries and entries - {_NOTE_BESIDE}:
            raise FileError(f"{self.work} is not the state of a run of compress; move it away, or give another name")
        if not self._resume and not self._force:
            raise FileError(
                f"{self.work} holds the state of an interrupted run: --resume goes on with it, --force begins anew"
            )

    def _is_bare(self) -> bool:
        """Whether the run's state holds nothing that an epoch has made."""
        return not any(path.is_file() for path in self.work.rglob("*") if path.name not in (_NOTE, _NOTE_BESIDE))

    def give_up(self) -> None:
        """Removes what this run left after it failed, if there is nothing in it to go on with."""
        if self._begun and self.work.is_dir() and self._is_bare():
            with contextlib.suppress(OSError):
                self._remove_work()

    def _check_place(self) -> None:
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

        Only here is the state of an earlier run removed, where `force` asks for that: call it when model, data and
        recipe are known to be good.

        Args:
            hashes: what the result depends on, by name.

        Raises:
            UsageError: an interrupted run had another model, recipe, data or training setup.
            FileError: what an interrupted run left is damaged.
        """
        self._check_work()
        noted = self.work / _NOTE
        if self._resume and noted.exists() and not self._is_bare():
            try:
                before = dict(json.loads(noted.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError) as error:
                raise FileError(f"{noted} is damaged ({error}); --force begins anew") from error
            changed = [name for name, value in hashes.items() if before.get(name) != value]
            if changed:
                what = changed[0].replace("_", " ")
                raise UsageError(
                    f"{self.work} was begun with another {what}; resume with the same one, or --force begins anew"
                )
            return
        with writing(self.work, "choose another place"):
            self._remove_work()
            self.work.mkdir()
            beside = self.work / _NOTE_BESIDE
            beside.write_text(json.dumps(dict(hashes)), encoding="utf-8")
            beside.rename(noted)
        self._begun = True

    def _remove_work(self) -> None:
        if not self.work.exists():
            return
        # The note goes last: a folder without it would be taken for a stranger's, should this be interrupted.
        for entry in self.work.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _NOTE:
                entry.unlink()
        shutil.rmtree(self.work)

    def save_model(self, model: Any) -> None:
        """Keeps the Keras model of the result, `model.keras`, until `finish` puts it in place.

        Raises:
            FileError: the disk is full; the run is kept.
        """
        path = self.work / "result" / "model.keras"
        with writing(path, "make room, then --resume"):
            path.parent.mkdir(exist_ok=True)
            model.save(path)

    def finish(self, files: Mapping[str, bytes]) -> None:
        """Puts the finished folder in place, all of it or nothing, and removes the run's state.

        Args:
            files: name -> content; files that the run left in `work / "result"` come along.

        Raises:
            FileError: something came to stand there since the run began, or the disk is full; the run is kept.
        """
        try:
            self._check_place()
        except FileError as error:
            raise FileError(
                f"{error}; the run is finished and kept in {self.work}: move {self.path} away, then --resume"
            ) from error
        result, aside = self.work / "result", self.work / "replaced"
        with writing(self.path, f"the run is in {self.work}"):
            result.mkdir(parents=True, exist_ok=True)
            for name, content in files.items():
                (result / name).write_bytes(content)
            if self.path.exists():
                shutil.rmtree(aside, ignore_errors=True)
                self.path.rename(aside)
            try:
                result.rename(self.path)
            except OSError:
                if aside.exists():
                    aside.rename(self.path)
                raise
        with contextlib.suppress(OSError):
            self._remove_work()

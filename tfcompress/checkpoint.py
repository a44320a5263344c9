"""What an interrupted training needs to go on: variables after the last whole epoch, and the logs so far."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import FileError
from converters.output import writing
from tfcompress.model import DAMAGE, Logs

_NOTE = "note.json"


@dataclass(frozen=True)
class Done:
    """How far a training is.

    Attributes:
        logs: what Keras logged, per epoch.
        seconds: wall time of these epochs, of all sessions.
        finished: whether the training has ended, be it before its last epoch.
    """

    logs: Logs = ()
    seconds: float = 0.0
    finished: bool = False


NOTHING_DONE = Done()


class Checkpoint:
    """One training's checkpoint in a folder: at most one epoch is lost.

    Variables are told apart by their order, which the same model, optimizer and promises always have.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, variables: Sequence[Any], done: Done) -> None:
        """Writes the state after a whole epoch; an interruption meanwhile leaves the epoch before.

        Raises:
            FileError: the disk is full.
        """
        arrays = [np.asarray(variable) for variable in variables]
        epochs = len(done.logs)
        told = {"logs": done.logs, "seconds": round(done.seconds, 2), "finished": done.finished}
        told["shapes"] = _shapes(arrays)
        beside, note = self._folder / f"{epochs}.npz.part", self._folder / f"{_NOTE}.part"
        with writing(self._folder, "make room, then --resume goes on after the epoch before"):
            self._folder.mkdir(parents=True, exist_ok=True)
            with beside.open("wb") as stream:
                np.savez(stream, *arrays)
            beside.rename(self._folder / f"{epochs}.npz")
            note.write_text(json.dumps(told), encoding="utf-8")
            note.rename(self._folder / _NOTE)
            for old in self._folder.glob("*.npz"):
                if old.stem != str(epochs):
                    old.unlink()

    def restore(self, variables: Sequence[Any]) -> Done:
        """Sets the variables to the last whole epoch and says how far that was; nothing where nothing was saved.

        Raises:
            FileError: what was saved is damaged, or is of another training.
        """
        if not (self._folder / _NOTE).exists():
            return NOTHING_DONE
        try:
            note = json.loads((self._folder / _NOTE).read_text(encoding="utf-8"))
            done = Done(tuple(note["logs"]), float(note["seconds"]), bool(note["finished"]))
            with np.load(self._folder / f"{len(done.logs)}.npz", allow_pickle=False) as state:
                # All are read before the first is set.
                arrays: list[npt.NDArray[Any]] = [state[f"arr_{index}"] for index in range(len(note["shapes"]))]
        except DAMAGE as error:
            raise FileError(f"the checkpoint in {self._folder} is damaged ({error}); --force begins anew") from error
        saved, wanted = _shapes(arrays), _shapes(variables)
        if saved != wanted:
            raise FileError(f"the checkpoint in {self._folder} {_difference(saved, wanted)}; --force begins anew")
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        return done


def seconds_in(folder: Path) -> float:
    """Wall time of all trainings whose checkpoints are somewhere in a folder.

    Raises:
        FileError: one of them is damaged.
    """
    total = 0.0
    for note in folder.rglob(_NOTE):
        try:
            total += float(json.loads(note.read_text(encoding="utf-8"))["seconds"])
        except DAMAGE as error:
            raise FileError(f"the checkpoint in {note.parent} is damaged ({error}); --force begins anew") from error
    return total


def _shapes(arrays: Sequence[Any]) -> list[list[int]]:
    return [list(np.shape(array)) for array in arrays]


def _difference(saved: list[list[int]], wanted: list[list[int]]) -> str:
    if len(saved) != len(wanted):
        return f"is of another training: it holds {len(saved)} arrays, this one has {len(wanted)}"
    index = next(number for number, shape in enumerate(saved) if shape != wanted[number])
    return f"is of another training: its array {index} has shape {saved[index]}, here it is {wanted[index]}"

"""What an interrupted training needs to go on: variables after the last whole epoch, and the logs so far."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Logs = tuple[Mapping[str, float], ...]


class Checkpoint:
    """One training's checkpoint in a folder: at most one epoch is lost.

    Variables are told apart by their order, which the same model, optimizer and promises always have.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, variables: Sequence[Any], logs: Logs) -> None:
        """Writes the state after a whole epoch; an interruption meanwhile leaves the epoch before."""
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = self._folder / f"{len(logs)}.npz.part"
        with beside.open("wb") as stream:
            np.savez(stream, *(np.asarray(variable) for variable in variables))
        beside.rename(self._folder / f"{len(logs)}.npz")
        note = self._folder / "logs.json.part"
        note.write_text(json.dumps(logs), encoding="utf-8")
        note.rename(self._folder / "logs.json")
        for old in self._folder.glob("*.npz"):
            if old.stem != str(len(logs)):
                old.unlink()

    def restore(self, variables: Sequence[Any]) -> Logs:
        """Sets the variables to the last whole epoch and returns its logs; none where nothing was saved."""
        try:
            logs = json.loads((self._folder / "logs.json").read_text(encoding="utf-8"))
            state = np.load(self._folder / f"{len(logs)}.npz", allow_pickle=False)
        except OSError:
            return ()
        with state:
            for index, variable in enumerate(variables):
                variable.assign(state[f"arr_{index}"])
        return tuple(logs)

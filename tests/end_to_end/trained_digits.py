"""The demo's trained model and its data, as tests hand them around."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Digits:
    folder: Path
    accuracy: float
    data: dict[str, Any]

    @property
    def model(self) -> Path:
        return self.folder / "digits.keras"

"""A trained model with its data, made once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tfcompress import demo


@dataclass(frozen=True)
class Digits:
    folder: Path
    accuracy: float
    data: dict[str, Any]

    @property
    def model(self) -> Path:
        return self.folder / "digits.keras"


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """The demo's trained CNN, its test accuracy (a fraction) and its data."""
    folder = tmp_path_factory.mktemp("digits")
    accuracy = demo.prepare(folder)
    with np.load(folder / "digits.npz", allow_pickle=False) as archive:
        return Digits(folder, accuracy, dict(archive))

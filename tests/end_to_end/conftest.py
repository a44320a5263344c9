"""A trained model with its data, made once for all tests of this folder."""

from __future__ import annotations

import numpy as np
import pytest
from trained_digits import Digits

from tfcompress import demo


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    """The demo's trained CNN, its test accuracy (a fraction) and its data."""
    folder = tmp_path_factory.mktemp("digits")
    accuracy = demo.prepare(folder)
    with np.load(folder / "digits.npz", allow_pickle=False) as archive:
        return Digits(folder, accuracy, dict(archive))

"""Where the tests on real models and data find them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real models and data; the test is skipped where it is not there."""
    named = os.environ.get("TFCOMPRESS_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "mlperf_tiny").is_dir():
        pytest.skip(f"real models and data are not at {folder}; set TFCOMPRESS_DATA to run this test")
    return folder

"""Model files, written once per test run of this folder by a child process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from converters import child


@pytest.fixture(scope="package")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("model_files")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))  # where the child finds sample_files
        child.call("sample_files:write_here", str(folder), what="writing the samples")
        yield folder

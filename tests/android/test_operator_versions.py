"""What a user of the export relies on: it refuses the operators that the app's own library refuses, and no others."""

from __future__ import annotations

import hashlib
import tomllib

import ask_library
import pytest
from two_builds import Pom

from converters.android import operators

built = pytest.mark.skipif(
    not ((ask_library.LIBRARY / "run_model").exists() and ask_library.library().exists()),
    reason="the app's library was not made loadable here: mvn -f android_demo verify does it, on Linux with gcc",
)


@built
def test_the_table_is_what_the_library_answers() -> None:
    assert dict(operators.versions()) == ask_library.versions()


@built
def test_the_table_names_the_file_that_was_asked() -> None:
    source = tomllib.loads(operators.FILE.read_text(encoding="utf-8"))["source"]
    assert hashlib.sha256(ask_library.library().read_bytes()).hexdigest() in source


def test_the_table_is_of_the_library_that_the_app_is_built_with() -> None:
    assert operators.runtime() == f"TensorFlow Lite {Pom().value('tflite.version')}"

"""A user who puts a model into the demo app's assets is told when the Maven build cannot take its name."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from two_builds import DEMO


def refused(folder: Path, *names: str, locale: str = "C.UTF-8") -> str:
    """What the build says before it does anything; nothing where it takes the names."""
    (folder / "tools").mkdir()
    shutil.copy(DEMO / "tools" / "apk.sh", folder / "tools")
    models = folder / "app" / "src" / "main" / "assets" / "models"
    for name in names:
        (models / name).parent.mkdir(parents=True, exist_ok=True)
        (models / name).write_bytes(b"")
    script = ["bash", "tools/apk.sh", "check_names"]
    done = subprocess.run(script, cwd=folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": locale}, capture_output=True)
    assert (done.returncode == 0) == (done.stderr == b""), done
    assert done.stderr.count(b"\n") <= 1, "one line"
    return done.stderr.decode()


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("name", ["w\u00e9in bare 2.tflite", "wein/samples/gr\u00fcn.png"])
def test_a_name_with_other_letters_is_refused_with_advice(name: str, locale: str, tmp_path: Path) -> None:
    told = refused(tmp_path, "digits/model.tflite", name, locale=locale)
    assert told.startswith("assets/models/w") and "ASCII letters only; rename it" in told
    assert "--title" in told


def test_names_with_spaces_are_taken(tmp_path: Path) -> None:
    assert refused(tmp_path, "wein bare 2.tflite", "my model/model.tflite", "my model/samples/green one.png") == ""


def test_a_project_without_assets_is_taken(tmp_path: Path) -> None:
    assert refused(tmp_path) == ""

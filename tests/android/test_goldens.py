"""What the demo app's Java tests are held to is what Pillow, TensorFlow, Keras and LiteRT make today."""

from __future__ import annotations

import base64
import json
from typing import Any

import golden_models
import make_goldens
import numpy as np
import PIL
import pytest

# Floating point differs in the last digits from one processor to another.
FLOATS = {"audio": 1e-4}


def _kept(name: str) -> Any:
    return json.loads((make_goldens.RESOURCES / "golden" / f"{name}.json").read_text(encoding="utf-8"))


def _plain(made: Any) -> Any:
    return json.loads(json.dumps(made))


def test_pillow_is_of_the_version_whose_order_of_passes_the_app_has() -> None:
    assert int(PIL.__version__.partition(".")[0]) >= 13


@pytest.mark.parametrize("name", [name for name in make_goldens.MADE if name not in FLOATS])
def test_a_golden_file_is_what_is_made_anew(name: str) -> None:
    assert _plain(make_goldens.MADE[name]()) == _kept(name)


@pytest.mark.parametrize("name", FLOATS)
def test_a_golden_file_of_floats_is_what_is_made_anew(name: str) -> None:
    made, kept = _plain(make_goldens.MADE[name]()), _kept(name)
    for new, old in zip(made, kept, strict=True):
        one, other = (np.frombuffer(base64.b64decode(case.pop("values")), "<f4") for case in (new, old))
        assert new == old
        np.testing.assert_allclose(one, other, rtol=0, atol=FLOATS[name])


@pytest.mark.parametrize("name", golden_models.RUN)
def test_a_models_outputs_are_what_litert_makes_anew(name: str) -> None:
    kept, made = _kept(f"runs_{name}"), _plain(golden_models.runs(make_goldens.RESOURCES / "models", name))
    for kernels in golden_models.KERNELS:
        pairs = zip(kept["kernels"][kernels]["vectors"], made["kernels"][kernels]["vectors"], strict=True)
        for old, new in pairs:
            assert old["inputs"] == new["inputs"]
            for one, other in zip(old["outputs"], new["outputs"], strict=True):
                assert _near(base64.b64decode(one), base64.b64decode(other), name)
    for key in ("sha256", "tolerance", "reals"):
        assert kept[key] == made[key]


def _near(one: bytes, other: bytes, name: str) -> bool:
    """Integers to the step; floats to the bar of the app's own tests, which any processor keeps."""
    if "float" not in name and not name.startswith("dynamic"):
        return one == other
    distance = np.abs(np.frombuffer(one, "<f4") - np.frombuffer(other, "<f4")).max()
    return bool(distance <= (1e-5 if "float32" in name else 1e-3))


def test_the_files_that_no_phone_runs_are_those_of_the_script() -> None:
    models = make_goldens.RESOURCES / "models"
    shrunk = golden_models.shrunk((models / "int8.tflite").read_bytes())
    for name, data in (golden_models.hostile() | shrunk).items():
        assert (models / f"{name}.tflite").read_bytes() == data

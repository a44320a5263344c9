"""Model files written by hand, without Keras: harmless and hostile configurations in both containers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from converters.errors import UnsafeModelError
from converters.keras_models import safety

METADATA = {"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}


def layer(class_name: str, module: str | None = "keras.layers", **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


def sequential(*layers: Any) -> dict[str, Any]:
    return layer("Sequential", "keras", name="sequential", layers=list(layers))


DENSE = layer("Dense", name="dense", units=2, activation="relu")


def keras_file(path: Path, config: Any, *, metadata: Any = METADATA, extra: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
        archive.writestr("metadata.json", json.dumps(metadata))
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def h5_file(path: Path, config: Any) -> Path:
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        file.attrs["keras_version"] = "2.4.0"
        file.create_group("model_weights").create_dataset("kernel", data=np.zeros((3, 2), "float32"))
    return path


def refusal(path: Path, *, allow_code: bool = False) -> str:
    with pytest.raises(UnsafeModelError) as caught:
        safety.check(path, allow_code=allow_code)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message

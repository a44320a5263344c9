"""One JSON file of results for several models; each entry belongs to one model file and one task."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from converters.output import write_whole
from tfcompress.environment import versions


def read(path: Path) -> dict[str, Any]:
    """What is there already: `models`, a list of entries."""
    told: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"models": []}
    return told


def write(path: Path, told: dict[str, Any]) -> None:
    """After each result, so that an interruption loses none."""
    write_whole(path, (json.dumps(told, indent=1) + "\n").encode(), force=True)


def entry(told: dict[str, Any], name: str, model: Path, task: str) -> dict[str, Any]:
    """The entry called `name`, a new one where there is none; exits where it is of another model file or task."""
    origin = {"name": name, "task": task, "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    found: dict[str, Any] | None = next((one for one in told["models"] if one["name"] == name), None)
    if found is None:
        found = dict(origin)
        told["models"].append(found)
    if any(found[key] != value for key, value in origin.items()):
        raise SystemExit(f"the results called {name} are of another model file or task; give another --name")
    return found


def stamp() -> dict[str, Any]:
    """When, with what and on what machine something was measured."""
    return {"date": datetime.now(UTC).date().isoformat(), "versions": versions()}

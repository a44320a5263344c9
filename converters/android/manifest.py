"""model.json: what a model folder says that the `.tflite` file itself cannot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from converters.inputs import InputSpec

FORMAT = 1
NAME = "model.json"


@dataclass(frozen=True)
class Promise:
    """What the compression's report says of the file, as it stands there.

    Attributes:
        rows: `name, value, unit, how, runtime, target, source` each.
        recipe: how the file was made; None where that is not told.
        notes: remarks.
    """

    rows: tuple[Mapping[str, Any], ...]
    recipe: Any
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """model.json.

    Attributes:
        title: what people call the model.
        sha256: of model.tflite.
        made_by: program and version.
        input: what goes in; of a file with several inputs, the first one.
        output: `classes`, or `values` for a regression.
        samples: file and label of each.
        report: None where none came along.
        files: paths of the folder, model.json among them.
    """

    title: str
    sha256: str
    made_by: str
    input: InputSpec
    output: Literal["classes", "values"]
    samples: tuple[tuple[str, str | None], ...]
    report: Promise | None
    files: tuple[str, ...]

    def as_json(self) -> bytes:
        """The file, with the keys of docs/android.md."""
        told: dict[str, Any] = {
            "format": FORMAT,
            "title": self.title,
            "sha256": self.sha256,
            "made_by": self.made_by,
            "input": self.input.as_table(),
            "output": self.output,
            "samples": [{"file": file, "label": label} for file, label in self.samples],
        }
        if self.report is not None:
            rows, notes = [dict(row) for row in self.report.rows], list(self.report.notes)
            told["report"] = {"rows": rows, "recipe": self.report.recipe, "notes": notes}
        told["files"] = list(self.files)
        return (json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()

"""Makes the files that the demo app's Java tests are held to; run by hand, from the repository's root.

python tests/android/make_goldens.py             golden/*.json anew, with the models that are there
python tests/android/make_goldens.py --models    trains and converts these models first (minutes)
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESOURCES = ROOT / "android_demo" / "app" / "src" / "test" / "resources"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import golden_audio  # noqa: E402
import golden_models  # noqa: E402
import golden_preprocessing  # noqa: E402

MADE: dict[str, Callable[[], Any]] = {
    "resize": golden_preprocessing.resizes,
    "image": golden_preprocessing.images,
    "gray": golden_preprocessing.grays,
    "quantize": golden_preprocessing.quantizations,
    "text": golden_preprocessing.texts,
    "wav": golden_preprocessing.sounds,
    "audio": golden_audio.features,
}


def write(name: str, content: Any) -> None:
    """Writes golden/NAME.json."""
    file = RESOURCES / "golden" / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, ensure_ascii=True) + "\n", encoding="utf-8")


def main() -> None:
    """Writes everything."""
    if "--models" in sys.argv[1:]:
        golden_models.convert_all(RESOURCES / "models")
    for name, make in MADE.items():
        write(name, make())
    for name in golden_models.RUN:
        write(f"runs_{name}", golden_models.runs(RESOURCES / "models", name))


if __name__ == "__main__":
    main()

"""What the safety of `tfcompress convert` costs: against a bare TFLiteConverter script, same model, same data, one run.

    python benchmarks/conversion_cost.py FOLDER_OF_REAL_DATA [--runs 5]

Writes `benchmarks/results/conversion_cost.json`. The commands take turns, so that a slow phase of the machine hits all.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from process_cost import Cost, run, summarize

from tfcompress.environment import versions

HERE = Path(__file__).parent


def prepare(data: Path, folder: Path) -> dict[str, tuple[Path, Path]]:
    """Models and calibration data: model name -> (model file, .npy file)."""
    import keras

    rows = Image.open(data / "cifar10" / "train_lossless_0.png").convert("RGB")
    np.save(folder / "cifar.npy", np.asarray(rows).reshape(-1, 32, 32, 3)[:200].astype(np.float32))
    keras.utils.set_random_seed(0)
    keras.applications.MobileNetV2(weights=None).save(folder / "mobilenet_v2.keras")
    images = np.random.default_rng(0).uniform(-1, 1, (100, 224, 224, 3)).astype(np.float32)
    np.save(folder / "images.npy", images)
    return {
        "resnet8": (data / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", folder / "cifar.npy"),
        "mobilenet_v2": (folder / "mobilenet_v2.keras", folder / "images.npy"),
    }


def commands(model: Path, samples: Path, folder: Path) -> dict[str, list[str]]:
    """What is compared, by name."""
    tool = str(Path(sys.executable).parent / "tfcompress")
    output = str(folder / "out.tflite")
    calibration = ["--calibration", str(samples), "--samples", "1000000"]
    return {
        "bare": [sys.executable, str(HERE / "bare_convert.py"), str(model), str(samples), output],
        "tfcompress": [tool, "convert", str(model), "-o", output, "--force", *calibration],
        "library": [sys.executable, str(HERE / "library_convert.py"), str(model), str(samples), output],
    }


def main() -> None:
    """Runs the comparison and writes its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    result: dict[str, object] = {"date": datetime.date.today().isoformat(), "versions": versions(), "models": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for model, (file, samples) in prepare(arguments.data, folder).items():
            contenders = commands(file, samples, folder)
            costs: dict[str, list[Cost]] = {contender: [] for contender in contenders}
            for turn in range(arguments.runs + 1):
                for contender, command in contenders.items():
                    cost = run(command)
                    if turn:  # the first turn only warms the disk cache
                        costs[contender].append(cost)
            result["models"][model] = {  # type: ignore[index]
                contender: summarize(values) | {"runs": arguments.runs} for contender, values in costs.items()
            }
            print(model, json.dumps(result["models"][model], indent=1))  # type: ignore[index]
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "conversion_cost.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()

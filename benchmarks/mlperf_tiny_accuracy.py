"""Accuracy of the MLPerf Tiny models before and after `tfcompress.convert` to int8.

    python benchmarks/mlperf_tiny_accuracy.py FOLDER_OF_REAL_DATA

Everything by default: 200 calibration samples, min-max. ResNet-8 draws them from the first 500 lossless CIFAR-10
training images and is scored on the 500 lossless test images that exist, and again on the other 3,500 lossless training
images, where chance weighs less. DS-CNN takes the first 100 keyword inputs and is scored on the other 900. Writes
`benchmarks/results/mlperf_tiny_accuracy.json`.
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tfcompress.conversion import convert
from tfcompress.environment import versions
from tfcompress.evaluation import evaluate

HERE = Path(__file__).parent
# Input scale and zero point of the benchmark's own int8 model: its features in the float model's units.
KEYWORD_SCALE, KEYWORD_ZERO_POINT = 0.5847029, 83


def resnet8(data: Path, *, unseen: bool) -> tuple[Path, dict[str, Any], str]:
    """Model file, calibration and test arrays, and what is scored."""
    folder = data / "cifar10"
    images = [np.asarray(Image.open(folder / f"train_lossless_{part}.png").convert("RGB")) for part in range(4)]
    train = np.concatenate(images).reshape(-1, 32, 32, 3).astype(np.float32)
    with np.load(folder / "cifar10_test_lossless500.npz") as test:
        x, y, scored_on = test["x"].astype(np.float32), test["y"], "500 lossless CIFAR-10 test images"
    if not unseen:
        with np.load(folder / "cifar10_train_jpeg.npz") as labels:
            x, y, scored_on = train[500:], labels["labels"][500:4000], "3,500 lossless CIFAR-10 training images"
    arrays = {"x_train": train[:500], "x_test": x, "y_test": y}
    return data / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", arrays, scored_on


def keywords(data: Path) -> tuple[Path, dict[str, Any], str]:
    """Model folder, calibration and test arrays, and what is scored."""
    with np.load(data / "mlperf_tiny" / "kws" / "kws01_test_inputs_int8.npz") as inputs:
        x = (inputs["x"].astype(np.float32) - KEYWORD_ZERO_POINT) * np.float32(KEYWORD_SCALE)
        y = inputs["y"]
    arrays = {"x_train": x[:100], "x_test": x[100:], "y_test": y[100:]}
    return data / "mlperf_tiny" / "kws" / "kws_ref_model", arrays, "900 keyword inputs"


def measure(name: str, model: Path, arrays: dict[str, Any], scored_on: str) -> dict[str, Any]:
    """One model's row."""
    with tempfile.TemporaryDirectory() as folder:
        data, file = Path(folder) / "data.npz", Path(folder) / "model.tflite"
        np.savez(data, **arrays)
        result = convert(model, data, runtime="tflm")
        result.flatbuffer.save(file)
        scores = {"keras": evaluate(model, data)}
        scores |= {runtime: evaluate(file, data, runtime=runtime) for runtime in ("litert", "tflm")}
    return {
        "name": name,
        "scored_on": scored_on,
        "file_bytes": len(result.flatbuffer.data),
        "float_bytes": result.float_bytes,
        **{key: score.value for key, score in scores.items()},
        "samples": scores["keras"].samples,
    }


def main() -> None:
    """Measures both models and writes the result."""
    data = Path(sys.argv[1])
    models = [
        measure("ResNet-8", *resnet8(data, unseen=True)),
        measure("ResNet-8", *resnet8(data, unseen=False)),
        measure("DS-CNN", *keywords(data)),
    ]
    result = {"date": datetime.date.today().isoformat(), "versions": versions(), "models": models}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "mlperf_tiny_accuracy.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(models, indent=1))


if __name__ == "__main__":
    main()

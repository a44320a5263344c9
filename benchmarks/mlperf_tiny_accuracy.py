"""Accuracy of the MLPerf Tiny models before and after `tfcompress.convert` to int8.

    python benchmarks/mlperf_tiny_accuracy.py FOLDER_OF_REAL_DATA

ResNet-8 is calibrated on 500 lossless CIFAR-10 training images and scored on the 500 lossless test images that exist;
DS-CNN is calibrated on the first 100 keyword inputs and scored on the other 900. Writes
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


def resnet8(data: Path) -> tuple[Path, dict[str, Any], str]:
    """Model file, calibration and test arrays, and what is scored."""
    image = Image.open(data / "cifar10" / "train_lossless_0.png").convert("RGB")
    train = np.asarray(image).reshape(-1, 32, 32, 3)[:500].astype(np.float32)
    with np.load(data / "cifar10" / "cifar10_test_lossless500.npz") as test:
        arrays = {"x_train": train, "x_test": test["x"].astype(np.float32), "y_test": test["y"]}
    return data / "mlperf_tiny" / "ic" / "pretrainedResnet.h5", arrays, "500 lossless CIFAR-10 test images"


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
        result = convert(model, data, samples=len(arrays["x_train"]), runtime="tflm")
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
    models = [measure("ResNet-8", *resnet8(data)), measure("DS-CNN", *keywords(data))]
    result = {"date": datetime.date.today().isoformat(), "versions": versions(), "models": models}
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "mlperf_tiny_accuracy.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(models, indent=1))


if __name__ == "__main__":
    main()

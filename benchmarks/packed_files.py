"""MLPerf Tiny's own int8 files made smaller by `tfcompress convert`, and whether outputs stay equal on all test inputs.

    python -m benchmarks.packed_files FOLDER_OF_REAL_DATA [--images N]

ResNet-8 runs on the 500 lossless and the 10,000 JPEG CIFAR-10 test images, DS-CNN on its 1,000 keyword inputs; on
LiteRT with three kernel sets and on TFLM for a file that both take, on TFLM for one of its own. Writes
`benchmarks/results/packed_files.json`.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

import tfcompress
from benchmarks import cifar10, result_file
from converters.child import GIB, Limits
from converters.flatbuffer import FlatBuffer
from converters.runtimes import choice

HERE = Path(__file__).parent
LIMITS = Limits(seconds=3600.0, memory_bytes=4 * GIB)


def images(data: Path, count: int) -> np.ndarray:
    """int8 [n, 32, 32, 3] as ResNet-8's input has them: pixel - 128."""
    with np.load(data / "cifar10" / "cifar10_test_lossless500.npz") as test:
        lossless = test["x"]
    jpeg = np.concatenate([x for x, _ in cifar10.task().batches("test")])[:count]
    return (np.concatenate([lossless, jpeg.astype(np.uint8)]).astype(np.int16) - 128).astype(np.int8)


def keywords(data: Path) -> np.ndarray:
    """int8 [n, 49, 10, 1] as they are."""
    with np.load(data / "mlperf_tiny" / "kws" / "kws01_test_inputs_int8.npz") as inputs:
        return np.asarray(inputs["x"], np.int8).reshape(-1, 49, 10, 1)


def differing(before: FlatBuffer, after: FlatBuffer, x: np.ndarray, runtime: choice.Runtime) -> int:
    """Samples on which any output byte differs."""
    jobs = os.cpu_count() or 1
    outputs = [
        choice.run(file.data, x, runtime=runtime, raw=True, jobs=jobs, limits=LIMITS)[0] for file in (before, after)
    ]
    return int(np.sum(np.any((outputs[0] != outputs[1]).reshape(len(x), -1), axis=1)))


def measure(name: str, path: Path, x: np.ndarray) -> dict[str, Any]:
    """Sizes and differences of one published file, for each engine."""
    before = FlatBuffer.read(path)
    packed: dict[str, Any] = {}
    for engine in ("litert", "tflm"):
        after = tfcompress.convert(path, runtime=engine, decode="off").flatbuffer
        runtimes = ("tflm",) if engine == "tflm" else choice.RUNTIMES
        packed[engine] = {
            "bytes": len(after.data),
            "ledger": dict(after.ledger),
            "differing": {runtime: differing(before, after, x, runtime) for runtime in runtimes},
        }
        print(name, engine, packed[engine], flush=True)
    return {
        "name": name,
        "bytes": len(before.data),
        "ledger": dict(before.ledger),
        "samples": len(x),
        "packed": packed,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the real data")
    parser.add_argument("--images", type=int, default=10_000, help="JPEG test images of CIFAR-10")
    given = parser.parse_args()
    os.environ.setdefault("TFCOMPRESS_DATA", str(given.data))
    folder = given.data / "mlperf_tiny"
    models = [
        measure("DS-CNN", folder / "kws" / "kws_ref_model.tflite", keywords(given.data)),
        measure("ResNet-8", folder / "ic" / "pretrainedResnet_quant.tflite", images(given.data, given.images)),
    ]
    result = {**result_file.stamp(), "models": models}
    (HERE / "results" / "packed_files.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

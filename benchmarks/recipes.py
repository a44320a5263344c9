"""What the packaged recipes make of a model: accuracy, bytes, zeros, values; the README's table is made from it.

    python -m benchmarks.recipes --name ResNet-8 --model resnet8_jpeg.h5 --task benchmarks/cifar10.py:task -o all.json

Results of one file may come from several models. Recipes that are in the results already are not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import tfcompress
from benchmarks import result_file
from converters.runtimes import choice, ports
from tfcompress import recipe
from tfcompress import task as tasks
from tfcompress.outcome import Outcome
from tfcompress.task import Task

AGREEMENT_SAMPLES = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what the model is called in the table")
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", required=True, help="as `tfcompress compress --data` takes it")
    parser.add_argument("--recipes", nargs="+", default=["int8", "qat", "pruned", "clustered", "deep"])
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    task = tasks.load(given.task)
    told = result_file.read(given.output)
    reports = result_file.entry(told, given.name, Path(given.model), given.task).setdefault("recipes", {})
    for name in given.recipes:
        chosen = recipe.load(name)
        if name in reports:
            if reports[name]["recipe_text"] != chosen.to_toml():
                raise SystemExit(f"{name} is not what it was when {given.output} was made; give a new --output")
            continue
        with tempfile.TemporaryDirectory() as folder:
            outcome = tfcompress.compress(_open(given.model), chosen, task, output=Path(folder) / "out")
            report = json.loads((Path(folder) / "out" / "report.json").read_text())
        if any(step.technique == "qat" for step in outcome.history):
            report["agreement"] = agreement(outcome, task)
        del report["folder"]  # which is gone
        reports[name] = report | {"recipe_text": chosen.to_toml()} | result_file.stamp()
        result_file.write(given.output, told)
        print(name, outcome.value("accuracy_before"), outcome.value("accuracy_after"), outcome.value("gzip_bytes"))


def _open(path: str) -> Any:
    from converters.keras_models import load, safety

    return load.load(safety.check(Path(path)))


def agreement(outcome: Outcome, task: Task) -> dict[str, int]:
    """How many output values of the file equal those of the quantization-aware model, in steps of the output scale."""
    from tfcompress.quantization.simulation import simulate

    x = next(iter(task.batches("test", AGREEMENT_SAMPLES)))[0].astype(np.float32)
    file = outcome.conversion.flatbuffer
    output = file.outputs[0]
    scale, zero = float(output.scales[0]), int(output.zero_points[0])
    arrays = ports.arrange(ports.inputs_of(file), x)
    found = np.rint(np.asarray(choice.run(file.data, arrays, runtime="litert", jobs=1)[0]) / scale) + zero
    simulate_model = simulate(outcome.compressed)
    trained = np.concatenate([np.asarray(simulate_model(x[i : i + 50], training=False)) for i in range(0, len(x), 50)])
    steps = np.abs(np.clip(np.rint(trained / scale) + zero, -128, 127) - found)
    return {
        "samples": len(x),
        "values": int(steps.size),
        "equal": int(np.sum(steps == 0)),
        "one step": int(np.sum(steps == 1)),
        "more": int(np.sum(steps > 1)),
        "samples with more": int(np.any(steps > 1, axis=1).sum()),
        "largest": int(steps.max()),
        "classes that differ": int(np.sum(trained.argmax(1) != found.argmax(1))),
    }


if __name__ == "__main__":
    main()

"""Our `deep` against TensorFlow's own chain (plain_pcqat.py): same model, data order, epochs, learning rates, seeds.

    python -m benchmarks.deep_against_pcqat --name ResNet-8 --model resnet8_jpeg.h5 --task benchmarks.cifar10:task \
        -o results.json

Each run is a process of its own. Both sides of a seed run at the same time, each on a core of its own, so that they
share the machine and whatever else it does, and neither gains when the other ends. Timed is what both do: from loading
the model to the file's bytes, child processes included; both have imported TensorFlow before. Accuracy is that of the
int8 file on LiteRT, on the test split, which neither has seen. Seeds that are in the results already are not run again.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import plain_pcqat, result_file
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file
from tfcompress import recipe
from tfcompress.evaluation import evaluate

SIDES = ("deep", "plain PCQAT")


def _ours(model: Path, task: Any, seed: int) -> dict[str, Any]:
    from converters.child import no_progress
    from converters.keras_models import load, safety
    from converters.keras_models.tf_mot import tf_mot
    from tfcompress import pipeline, steps
    from tfcompress.training import Trainer

    chosen = recipe.load("deep").model_copy(update={"seed": seed})
    tf_mot()  # the peer's libraries are imported before its time starts too
    started = time.perf_counter()
    opened = load.load(safety.check(model))
    compressed, _ = pipeline.prepare(opened, chosen, task)
    compressed = steps.run(compressed, chosen, Trainer(task), None)
    conversion = pipeline.converted(compressed, chosen, task, no_progress)
    return {
        "flatbuffer": conversion.flatbuffer.data,
        "seconds": time.perf_counter() - started,
        "step_seconds": [step.seconds for step in compressed.history],
        "skipped": sorted({f"{one.layer}: {one.reason}" for step in compressed.history for one in step.skipped}),
    }


def _peer(model: Path, task: Any, seed: int) -> dict[str, Any]:
    steps = recipe.load("deep").steps
    if len({step.batch_size for step in steps}) > 1:
        raise SystemExit("the steps of `deep` have batches of different sizes; the peer has one size for all")
    epochs = tuple(step.epochs for step in steps)

    def batches(epoch: int) -> Any:
        # Epochs go on counting there; here each step counts its own, with a seed of its own (tfcompress.steps).
        number = 0
        while epoch >= epochs[number]:
            epoch, number = epoch - epochs[number], number + 1
        return task.training_batches(epoch, size=steps[number].batch_size, seed=seed + number + 1)

    training = plain_pcqat.Training(
        sparsity=steps[0].sparsity,
        clusters=steps[1].clusters,
        epochs=epochs,
        learning_rates=tuple(step.learning_rate for step in steps),
        batch_size=steps[0].batch_size,
        seed=seed,
    )
    made = plain_pcqat.compress(model, task, training, batches)
    return {
        "flatbuffer": made.flatbuffer,
        "seconds": made.seconds,
        "step_seconds": list(made.step_seconds),
        "skipped": [],
    }


def _one(side: str, model: Path, task: Any, seed: int, keep: Path) -> dict[str, Any]:
    made = (_ours if side == SIDES[0] else _peer)(model, task, seed)
    data = made.pop("flatbuffer")
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{side.replace(' ', '_')}_{seed}.tflite").write_bytes(data)
    file = FlatBuffer(data)
    kernels = {name: kernel.values for name, kernel in kernels_in_file(file).items()}
    return {
        "side": side,
        "seed": seed,
        "accuracy": evaluate(file, task).value,
        "file_bytes": len(data),
        "gzip_bytes": len(gzip.compress(data, 9, mtime=0)),
        "kernels": {
            name: {"weights": int(k.size), "zeros": float(np.mean(k == 0)), "distinct": len(np.unique(k))}
            for name, k in kernels.items()
        },
        **made,
    }


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Over seeds. A run made without the other side beside it has no `seconds`, and its pair is not timed."""

    def of(side: str, key: str) -> list[Any]:
        return [run[key] for run in runs if run["side"] == side]

    pairs = zip(of(SIDES[0], "seconds"), of(SIDES[1], "seconds"), strict=True)
    timed = [pair for pair in pairs if None not in pair]

    def summary(number: int, side: str) -> dict[str, float]:
        accuracy = of(side, "accuracy")
        return {
            "accuracy_mean": statistics.mean(accuracy),
            "accuracy_lowest": min(accuracy),
            "accuracy_highest": max(accuracy),
            **{key: statistics.median(of(side, key)) for key in ("gzip_bytes", "file_bytes")},
            "seconds": statistics.median(pair[number] for pair in timed),
        }

    return {
        "sides": {side: summary(number, side) for number, side in enumerate(SIDES)},
        "timed_pairs": len(timed),
        "wall_ratio": statistics.median(ours / theirs for ours, theirs in timed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what the model is called in the table")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--task", default="benchmarks.cifar10:task", help="module:function that returns a Task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--keep", type=Path, default=Path("deep_files"), help="where the .tflite files go")
    parser.add_argument("--one", nargs=2, metavar=("SIDE", "SEED"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    module, _, function = given.task.partition(":")
    if given.one:
        _take_a_core(SIDES.index(given.one[0]))
    task = getattr(importlib.import_module(module), function)()
    if given.one:
        side, seed = given.one
        given.output.write_text(json.dumps(_one(side, given.model, task, int(seed), given.keep)))
        return
    told = result_file.read(given.output)
    model = result_file.entry(told, given.name, given.model, given.task)
    chosen = recipe.load("deep").to_toml()
    if model.setdefault("recipe", chosen) != chosen:
        raise SystemExit(f"`deep` is not what it was when {given.output} was made; give a new --output")
    model.setdefault("float_accuracy", evaluate(given.model, task).value)
    runs = model.setdefault("runs", [])
    for seed in given.seeds:
        if not any(run["seed"] == seed for run in runs):
            stamp = result_file.stamp()
            runs += [{**run, **stamp} for run in _at_once(given, seed)]
        model["summary"] = _summary(runs)
        result_file.write(given.output, told)


def _take_a_core(number: int) -> None:
    """Each side has a core of its own where the system can do that: neither waits for the other's threads."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


def _at_once(given: argparse.Namespace, seed: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "benchmarks.deep_against_pcqat", "--name", given.name]
    command += ["--model", str(given.model), "--task", given.task]
    parts = [given.output.with_suffix(f".{index}") for index in range(len(SIDES))]
    running = [
        subprocess.Popen([*command, "-o", str(part), "--keep", str(given.keep), "--one", side, str(seed)])
        for side, part in zip(SIDES, parts, strict=True)
    ]
    if any(process.wait() for process in running):
        raise SystemExit("a run failed")
    runs = [json.loads(part.read_text()) for part in parts]
    for part, run in zip(parts, runs, strict=True):
        part.unlink()
        print(f"{run['side']}, seed {seed}: accuracy {run['accuracy']:.4f}, {run['seconds']:.0f} s", flush=True)
    return runs


if __name__ == "__main__":
    main()

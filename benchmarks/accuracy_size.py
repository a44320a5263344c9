"""How accuracy falls with a file's bytes: recipes with fewer and fewer bits a weight, as a table and a plot.

    python -m benchmarks.accuracy_size --name ResNet-8 --model resnet8_jpeg.h5 --task benchmarks/cifar10.py:task \
        --work FOLDER -o benchmarks/results/accuracy_size.json --plot docs/accuracy_size.svg

Every point is one recipe, carried out from the float model. FOLDER gets the outcome of each by the recipe's name; what
is there already is taken, and an interrupted one goes on, so that recipes may also be run beforehand, several at once,
with `tfcompress compress ... -o FOLDER/NAME`. Files are scored once on the test split, as they are, on TFLM.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

import tfcompress
from benchmarks import result_file
from converters.encode import decoded
from converters.flatbuffer import FlatBuffer
from converters.flatbuffer.kernels import kernels_in_file
from tfcompress import recipe
from tfcompress.clustering.rate import huffman_bits
from tfcompress.recipe import Recipe

RECIPES = Path(__file__).resolve().parent / "recipes_accuracy_size"
KILO = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what the model is called in the table")
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", required=True, help="as `tfcompress compress --data` takes it")
    parser.add_argument("--recipes", nargs="+", default=["tiny", *map(str, sorted(RECIPES.glob("*.toml")))])
    parser.add_argument("--work", type=Path, required=True, metavar="FOLDER", help="where outcomes are, or shall be")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--plot", type=Path, help="an .svg or .png file")
    given = parser.parse_args()
    told = result_file.read(given.output)
    entry = result_file.entry(told, given.name, Path(given.model), given.task)
    points = entry.setdefault("points", {})
    for chosen in map(recipe.load, given.recipes):
        if chosen.name not in points:
            folder = _carried_out(chosen, given.model, given.task, given.work)
            points[chosen.name] = _point(folder) | {"recipe_text": chosen.to_toml()} | result_file.stamp()
            result_file.write(given.output, told)
        print(chosen.name, points[chosen.name]["bytes"], points[chosen.name]["accuracy"], flush=True)
    if given.plot:
        plot(told, given.plot)


def _carried_out(chosen: Recipe, model: str, task: str, work: Path) -> Path:
    """The folder with the outcome of a recipe."""
    folder = work / chosen.name
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.partial").exists()
        tfcompress.compress(model, chosen, task, output=folder, resume=unfinished)
    words = {"name": "", "description": ""}
    if recipe.load(folder / "recipe.toml").model_copy(update=words) != chosen.model_copy(update=words):
        raise SystemExit(f"{folder} is of another recipe than {chosen.name}; remove it, or give another --work")
    return folder


def _point(folder: Path) -> dict[str, Any]:
    """One row of the table: what the outcome's report says, and what its file holds."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    rows = {row["name"]: row for row in report["rows"]}
    file = FlatBuffer.read(folder / "model.tflite")
    plain = decoded(file)
    values = [np.asarray(kernel.values) for kernel in kernels_in_file(plain).values()]
    weights = sum(one.size for one in values)
    return {
        "float_accuracy": rows["accuracy_before"]["value"],
        "accuracy": rows["accuracy_after"]["value"],
        "runtime": rows["accuracy_after"]["runtime"],
        "validation_accuracy": report["history"][-1]["epochs"][-1].get("val_accuracy"),
        "bytes": len(file.data),
        "unencoded_bytes": len(plain.data),
        "gzip_bytes": rows["gzip_bytes"]["value"],
        "ledger": dict(file.ledger),
        "weights": weights,
        "bits_per_weight": sum(huffman_bits(np.unique(one, return_counts=True)[1]) for one in values) / weights,
        "zeros": sum(int((one == 0).sum()) for one in values) / weights,
        "values": max(len(np.unique(one)) for one in values if one.size >= 500),
        "epochs": sum(step.get("epochs", 0) for step in report["recipe"]["steps"]),
        "seed": report["recipe"]["seed"],
        "training_seconds": rows["training_seconds"]["value"],
        "arena": rows["arena"]["value"],
    }


def plot(told: dict[str, Any], path: Path) -> None:
    """Accuracy over bytes, with the float model's accuracy and one point below it."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "tfcompress"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    for model in told["models"]:
        points = sorted(model["points"].values(), key=lambda point: int(point["bytes"]))
        sizes = [point["bytes"] / KILO for point in points]
        (line,) = axes.plot(sizes, [point["accuracy"] * 100 for point in points], "o-", label=f"{model['name']}, int8")
        for size, point in zip(sizes, points, strict=True):
            note = f"{point['bits_per_weight']:.2f}"
            axes.annotate(note, (size, point["accuracy"] * 100), (7, -11), textcoords="offset points")
        before = points[0]["float_accuracy"] * 100
        axes.axhline(before, color=line.get_color(), linestyle="--", linewidth=1, label="its float model")
        axes.axhline(before - 1, color=line.get_color(), linestyle=":", linewidth=1, label="one point less")
    axes.set_xlabel("encoded file, thousand bytes (numbers: Huffman bits a weight)")
    axes.set_ylabel("test accuracy on TFLM, %")
    axes.margins(0.08, 0.12)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    main()

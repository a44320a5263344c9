"""Makes the tables of the README from the measured results and the demo app's models; `--check` only compares them.

python benchmarks/readme_tables.py [--check]
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MEBIBYTE = 1 << 20


def conversion_cost(result: dict[str, Any]) -> list[str]:
    """Rows of wall time and peak memory of each contender, with the ratio of medians to the bare script."""
    rows = ["| model | | wall time | peak memory | against bare |", "| --- | --- | --- | --- | --- |"]
    names = {
        "bare": "bare script",
        "tfcompress": "`tfcompress convert`",
        "library": "`tfcompress.convert`, model in memory",
    }
    for model, contenders in result["models"].items():
        bare = contenders["bare"]
        for key, name in names.items():
            cost = contenders[key]
            time_ratio = cost["seconds_median"] / bare["seconds_median"]
            memory_ratio = cost["peak_bytes_median"] / bare["peak_bytes_median"]
            seconds = f"{cost['seconds_median']:.1f} s ({cost['seconds_min']:.1f} to {cost['seconds_max']:.1f})"
            low, middle, high = (cost[f"peak_bytes_{which}"] / MEBIBYTE for which in ("min", "median", "max"))
            memory = f"{middle:.0f} MiB ({low:.0f} to {high:.0f})"
            rows.append(f"| {model} | {name} | {seconds} | {memory} | {time_ratio:.2f}x, {memory_ratio:.2f}x |")
    return [*rows, "", _measured([result])]


def mlperf_tiny_accuracy(result: dict[str, Any]) -> list[str]:
    """Rows of accuracy before and after, by runtime."""
    rows = ["| model | scored on | Keras | int8, LiteRT | int8, TFLM | file |", "| --- | --- | --- | --- | --- | --- |"]
    for model in result["models"]:
        values = " | ".join(f"{model[key]:.4f}" for key in ("keras", "litert", "tflm"))
        rows.append(f"| {model['name']} | {model['scored_on']} | {values} | {model['file_bytes']:,} bytes |")
    return [*rows, "", _measured([result])]


def recipes(result: dict[str, Any]) -> list[str]:
    """Rows of accuracy and sizes by model and recipe, from the reports that the recipes left."""
    head = ("model", "recipe", "Keras", "file", "bytes", "gzip", "zeros", "values per kernel", "epochs")
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for model in result["models"]:
        for name, report in model["recipes"].items():
            value = {row["name"]: row["value"] for row in report["rows"]}
            large = [layer for layer in report["layers"] if layer["weights"] >= 256]
            zeros = sum(layer["zeros"] * layer["weights"] for layer in large) / sum(one["weights"] for one in large)
            cells = (
                *(model["name"], f"`{name}`", f"{value['accuracy_before']:.4f}", f"{value['accuracy_after']:.4f}"),
                *(f"{value['file_bytes']:,}", f"{value['gzip_bytes']:,}", f"{zeros:.1%}"),
                f"{max(layer['distinct'] for layer in large)}",
                f"{sum(step.get('epochs', 0) for step in report['recipe']['steps'])}",
            )
            rows.append(f"| {' | '.join(cells)} |")
    reports = [report for model in result["models"] for report in model["recipes"].values()]
    return [
        *rows,
        "",
        "Accuracy on the test split, of the file on LiteRT; zeros and values of kernels of 256 weights or more.",
        _measured(reports),
    ]


def agreement(result: dict[str, Any]) -> list[str]:
    """Rows of how many output values of a file equal those of the quantization-aware model, and by how much not."""
    head = ("model", "recipe", "samples", "values", "equal", "one step", "more", "largest", "classes that differ")
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for model in result["models"]:
        for name, report in model["recipes"].items():
            if told := report.get("agreement"):
                numbers = (told[key] for key in ("samples", "values", "equal", "one step"))
                more = f"{told['more']:,} (in {told['samples with more']} samples)"
                cells = (
                    *(model["name"], f"`{name}`", *(f"{number:,}" for number in numbers)),
                    *(more, f"{told['largest']} steps", f"{told['classes that differ']}"),
                )
                rows.append(f"| {' | '.join(cells)} |")
    return rows


def deep_against_pcqat(result: dict[str, Any]) -> list[str]:
    """Rows of both sides, over seeds, for each model."""
    head = ("model", "", "accuracy (lowest to highest)", "zeros", "values per kernel", "bytes", "gzip", "wall time")
    rows = [f"| {' | '.join(head)} |".replace("|  |", "| |"), f"|{' --- |' * len(head)}"]
    told = []
    for model in result["models"]:
        rows.append(f"| {model['name']} | float | {model['float_accuracy']:.4f} |{' |' * 5}")
        for side, of in model["summary"]["sides"].items():
            runs = [run for run in model["runs"] if run["side"] == side]
            large = [one for run in runs for one in run["kernels"].values() if one["weights"] >= 256]
            zeros, distinct = ([one[key] for one in large] for key in ("zeros", "distinct"))
            cells = (
                model["name"],
                f"`{side}`" if side == "deep" else side,
                f"{of['accuracy_mean']:.4f} ({of['accuracy_lowest']:.4f} to {of['accuracy_highest']:.4f})",
                *(f"{min(zeros):.0%} to {max(zeros):.0%}", f"{min(distinct)} to {max(distinct)}"),
                *(f"{of['file_bytes']:,.0f}", f"{of['gzip_bytes']:,.0f}", f"{of['seconds']:.0f} s"),
            )
            rows.append(f"| {' | '.join(cells)} |")
        seeds = len({run["seed"] for run in model["runs"]})
        ratio, pairs = model["summary"]["wall_ratio"], model["summary"]["timed_pairs"]
        told.append(
            f"{model['name']}: {seeds} seeds; wall time of `deep` over plain PCQAT {ratio:.2f}x, median of {pairs} "
            f"{'pair' if pairs == 1 else 'pairs'} that ran at once."
        )
    return [
        *(*rows, "", *told),
        "Zeros and values of kernels of 256 weights or more, in all seeds; bytes and times are medians.",
        _measured([run for model in result["models"] for run in model["runs"]]),
    ]


def accuracy_size(result: dict[str, Any]) -> list[str]:
    """Rows of what is left of the accuracy in fewer and fewer bytes."""
    head = ("model", "recipe", "bits a weight", "bytes", "not encoded", "accuracy", "points", "zeros", "epochs")
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    points = [point for model in result["models"] for point in model["points"].values()]
    for model in result["models"]:
        for name, point in sorted(model["points"].items(), key=lambda one: -one[1]["bytes"]):
            cells = (
                *(model["name"], f"`{name}`", f"{point['bits_per_weight']:.2f}"),
                *(f"{point['bytes']:,}", f"{point['unencoded_bytes']:,}", f"{point['accuracy']:.4f}"),
                f"{(point['accuracy'] - point['float_accuracy']) * 100:+.2f}",
                *(f"{point['zeros']:.0%}", f"{point['epochs']}"),
            )
            rows.append(f"| {' | '.join(cells)} |")
    floats = ", ".join(
        f"{one['name']} {next(iter(one['points'].values()))['float_accuracy']:.4f}" for one in result["models"]
    )
    return [
        *rows,
        "",
        f"Test accuracy of the encoded file on TFLM; points: beside the float model's ({floats}).",
        _measured(points),
    ]


def packed_files(result: dict[str, Any]) -> list[str]:
    """Rows of sizes of a published file, and what becomes of it for each runtime."""
    parts = ("weights", "biases", "quantization", "names", "graph")
    rows = [
        f"| model | file | bytes | {' | '.join(parts)} | outputs equal |",
        f"| --- | --- | --- |{' --- |' * len(parts)} --- |",
    ]
    names = {"litert": "for every runtime", "tflm": "for TFLM"}
    for model in result["models"]:
        files = [("as published", model, None)]
        files += [(names[engine], packed, packed["differing"]) for engine, packed in model["packed"].items()]
        for name, file, differing in files:
            cells = " | ".join(f"{file['ledger'][part]:,}" for part in parts)
            equal = "" if differing is None else _equal(differing, model["samples"])
            rows.append(f"| {model['name']} | {name} | {file['bytes']:,} | {cells} | {equal} |")
    return [*rows, "", _measured([result])]


def cost_model(result: dict[str, Any]) -> list[str]:
    """A row for each board: what was predicted without and with measurements on it, beside simple predictors."""
    head = (
        "board",
        "core",
        "points",
        "no measurement",
        "MACs only",
        "simple",
        "anchored",
        "MACs only",
        "simple",
    )
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for board, told in result["boards"].items():
        cores = sorted({one["core"] for one in result["records"] if one["board"] == board})
        rows.append(f"| {board} | {', '.join(cores)} | {told['points']} | {_errors(told)} |")
    rows.append(f"| **mean of boards** | | **{result['points']}** | {_errors(result['headline'])} |")
    ways = (("without a measurement on the board", "unanchored"), ("anchored", "anchored"))
    shares = [f"{words} {result['headline'][way]['within_10_percent']:.0%}" for words, way in ways]
    held = [f"{result['all'][way]['interval_holds']:.0%} of {result['all'][way]['points']}" for _, way in ways]
    widths = [f"{result['all'][way]['interval_factor']:.2f}" for _, way in ways]
    told = (
        f"Within 10 %: {', '.join(shares)}. The 80 % intervals hold {held[0]} held-out points without a measurement on "
        f"the board, and {held[1]} anchored; their median width is a factor of {widths[0]} and {widths[1]} up and down."
    )
    untold, every = result["untold_build"], result["all"]
    words = (
        "How the kernels of `pcl-scepu02` were built is not published; they are taken as TFLM's Makefile of the time "
        f"built them (-O3, checks on). With checks off, the means (no measurement, and anchored) would be "
        f"{_means(untold['2021'])}; with -Os, {_means(untold['2021-small'])}. Over all {every['boards']} boards with a "
        f"processor, also those on which few or other models ran, they are {_means(every)}."
    )
    return [*rows, "", told, words, _measured([result]).replace("Measured", "Computed")]


def cost_model_runtimes(result: dict[str, Any]) -> list[str]:
    """A row for each runtime family, and one for the open runtimes together."""
    head = ("runtime", "boards", "points", "no measurement", "interval", "anchored", "interval")
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    groups = [*result["families"].items(), ("**all that run the user's file**", result["open_runtimes"])]
    for name, told in groups:
        cells = [
            f"{told[way]['error_percent']:.1f}% | /x {told[way]['interval_factor']:.2f}"
            for way in ("unanchored", "anchored")
        ]
        rows.append(f"| {name} | {told['boards']} | {told['points']} | {' | '.join(cells)} |")
    return rows


def _means(told: dict[str, Any]) -> str:
    return " and ".join(f"{told[way]['error_percent']:.1f}%" for way in ("unanchored", "anchored"))


def _errors(told: dict[str, Any]) -> str:
    return " | ".join(
        f"{told[way][name]:.1f}%"
        for way in ("unanchored", "anchored")
        for name in ("error_percent", "macs_only_percent", "simple_percent")
    )


def demo_models() -> list[str]:
    """Rows of what the demo app ships with, from the report in each model's folder."""
    head = ("model", "input", "float32", "int8", "float32 file", "int8 file", "zeros")
    rows = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for file in sorted((ROOT / "android_demo" / "app" / "src" / "main" / "assets" / "models").glob("*/model.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        value = {row["name"]: row["value"] for row in told["report"]["rows"]}
        cells = (
            *(told["title"], told["input"]["kind"]),
            *(f"{value['accuracy_before']:.4f}", f"{value['accuracy_after']:.4f}"),
            *(f"{value['float_file_bytes']:,}", f"{value['file_bytes']:,}", f"{value['sparsity']:.0%}"),
        )
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _equal(differing: dict[str, int], samples: int) -> str:
    """On how many samples, by runtime; in one word where it is the same on all."""
    equal = {runtime: samples - count for runtime, count in differing.items()}
    if len(set(equal.values())) == 1:
        who = "TFLM" if list(equal) == ["tflm"] else "LiteRT (three kernel sets) and TFLM"
        return f"{next(iter(equal.values())):,} of {samples:,}, {who}"
    return ", ".join(f"{runtime} {count:,} of {samples:,}" for runtime, count in equal.items())


def _measured(results: list[dict[str, Any]]) -> str:
    """When and where."""
    dates = sorted({one["date"] for one in results})
    processors = sorted({one["versions"]["processor"] for one in results})
    return f"Measured {' to '.join(dict.fromkeys((dates[0], dates[-1])))} on {' and '.join(processors)}."


# Name of a table in the README -> the result file that it is made from, and what makes it.
TABLES: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "conversion_cost": ("conversion_cost", conversion_cost),
    "mlperf_tiny_accuracy": ("mlperf_tiny_accuracy", mlperf_tiny_accuracy),
    "recipes": ("recipes", recipes),
    "agreement": ("recipes", agreement),
    "deep_against_pcqat": ("deep_against_pcqat", deep_against_pcqat),
    "accuracy_size": ("accuracy_size", accuracy_size),
    "packed_files": ("packed_files", packed_files),
    "cost_model": ("cost_model", cost_model),
    "cost_model_runtimes": ("cost_model", cost_model_runtimes),
}


def made() -> dict[str, list[str]]:
    """Every table by its name, anew."""
    tables = {"demo_models": demo_models()}
    for name, (source, make) in TABLES.items():
        file = ROOT / "benchmarks" / "results" / f"{source}.json"
        if not file.exists():
            raise SystemExit(f"{file.relative_to(ROOT)} is not there; measure the table {name} first")
        tables[name] = make(json.loads(file.read_text(encoding="utf-8")))
    return tables


def fill(text: str) -> str:
    """The README with every table made anew."""
    for name, lines in made().items():
        table = "\n".join(lines)
        pattern = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = pattern.subn(lambda found, table=table: f"{found[1]}\n{table}\n\n{found[2]}", text)
        if count != 1:
            raise SystemExit(f"README.md has {count} places for the table {name}; expected 1")
    return text


def main() -> None:
    """Writes or checks the README."""
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    after = fill(before)
    if "--check" in sys.argv:
        raise SystemExit(
            0 if after == before else "README.md differs from benchmarks/results; run this without --check"
        )
    readme.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Makes the README's tables from the files in `benchmarks/results`; `--check` only says whether they are equal.

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
    rows.append("")
    rows.append(f"Measured {result['date']} on {result['versions']['processor']}.")
    return rows


def mlperf_tiny_accuracy(result: dict[str, Any]) -> list[str]:
    """Rows of accuracy before and after, by runtime."""
    rows = ["| model | scored on | Keras | int8, LiteRT | int8, TFLM | file |", "| --- | --- | --- | --- | --- | --- |"]
    for model in result["models"]:
        values = " | ".join(f"{model[key]:.4f}" for key in ("keras", "litert", "tflm"))
        rows.append(f"| {model['name']} | {model['scored_on']} | {values} | {model['file_bytes']:,} bytes |")
    rows.append("")
    rows.append(f"Measured {result['date']} on {result['versions']['processor']}.")
    return rows


TABLES: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "conversion_cost": conversion_cost,
    "mlperf_tiny_accuracy": mlperf_tiny_accuracy,
}


def fill(text: str) -> str:
    """The README with every table made anew."""
    for name, make in TABLES.items():
        file = ROOT / "benchmarks" / "results" / f"{name}.json"
        table = "\n".join(make(json.loads(file.read_text(encoding="utf-8"))))
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

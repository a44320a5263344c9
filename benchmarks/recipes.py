"""What the packaged recipes make of a model: accuracy, bytes, zeros, values; the README's table is made from it.

    python -m benchmarks.recipes --name ResNet-8 --model resnet8_jpeg.h5 --task benchmarks/cifar10.py:task -o all.json

Results of one file may come from several models. Recipes that are in the results already are not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import tfcompress
from tfcompress.environment import versions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what the model is called in the table")
    parser.add_argument("--model", required=True)
    parser.add_argument("--task", required=True, help="as `tfcompress compress --data` takes it")
    parser.add_argument("--recipes", nargs="+", default=["int8", "qat", "pruned", "clustered", "deep"])
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    told = json.loads(given.output.read_text()) if given.output.exists() else {"models": []}
    model = next((one for one in told["models"] if one["name"] == given.name), None)
    if model is None:
        model = {"name": given.name, "task": given.task, "recipes": {}}
        told["models"].append(model)
    for name in given.recipes:
        if name in model["recipes"]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            outcome = tfcompress.compress(given.model, name, given.task, output=Path(folder) / "out")
            model["recipes"][name] = json.loads((Path(folder) / "out" / "report.json").read_text())
        told |= {"date": datetime.now(UTC).date().isoformat(), "versions": versions()}
        given.output.write_text(json.dumps(told, indent=1) + "\n")
        print(name, outcome.value("accuracy_before"), outcome.value("accuracy_after"), outcome.value("gzip_bytes"))


if __name__ == "__main__":
    main()

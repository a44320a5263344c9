"""Instructions that TFLM's kernels execute for each operator, counted on emulated processors.

    python -m benchmarks.instruction_counts --tflm DIR --tflm-commit SHA --third-party DIR \
        --cmsis-nn DIR --cmsis-nn-commit SHA --cmsis DIR --work DIR \
        [--vintage 2021] [--build cortex-m4,reference,release]... MODEL...

Writes `benchmarks/results/instruction_counts.json`; rows of other builds and models that are there stay. The method is
in docs/instruction_counts.md. Needs arm-none-eabi-g++, gcc and QEMU up to 8.2.
"""

from __future__ import annotations

import argparse
import datetime
import fcntl
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.instruction_counts.build import HERE, MACHINES, flags_of, program
from benchmarks.instruction_counts.emulator import Run, count, difference, plugin
from benchmarks.instruction_counts.vintage import IN_2021, VINTAGES, vintage_of
from benchmarks.tflm_library import CORES, Sources, run
from converters import decode
from converters.flatbuffer import FlatBuffer, Operator
from converters.output import write_whole

RESULT = HERE.parent / "results" / "instruction_counts.json"
# Those that are stored, by the tree that they are built from.
BUILDS = {
    "now": (
        *(f"{core},{kernels},release" for core in CORES for kernels in ("reference", "cmsis-nn")),
        *("cortex-m4,reference,default", "cortex-m4,cmsis-nn,default"),
        *("cortex-m4,reference,size", "cortex-m4,cmsis-nn,size"),
        *("rv32imc,reference,release", "rv32imc,reference,size"),
    ),
    "2021": tuple(
        f"{where},{build}"
        for where in ("cortex-m4,reference-2021", "cortex-m4,cmsis-nn-2021", "rv32imc,reference-2021")
        for build in IN_2021.builds
    ),
}
# What the flatbuffer's schema calls padding.
_PADDING = {0: "same", 1: "valid"}
_OPTIONS = ("stride_h", "stride_w", "dilation_h_factor", "dilation_w_factor", "depth_multiplier", "filter_height",
            "filter_width", "fused_activation_function", "axis", "beta")  # fmt: skip


def rows(model: Path, build: str, found: Run) -> Iterator[dict[str, Any]]:
    """One row per operator; of encoded models the DECODE operators only, as the shapes of the others are elsewhere."""
    core, kernels, level = build.split(",")
    file = FlatBuffer(model.read_bytes())
    for operator, counts in zip(file.operators, found.operators, strict=True):
        if file.is_encoded and operator.name != decode.OPERATOR:
            continue
        yield {
            "core": core,
            "kernels": kernels,
            "build": level,
            "model": model.stem,
            "operator": operator.index,
            "name": operator.name,
            **_shapes(file, operator),
            "options": _options(file, operator),
            "macs": operator.macs,
            **counts,
        }


def _shapes(file: FlatBuffer, operator: Operator) -> dict[str, Any]:
    inputs = [file.tensors[number] for number in operator.inputs if number >= 0]
    outputs = [file.tensors[number] for number in operator.outputs]
    kept = {"inputs": [list(one.shape) for one in inputs], "outputs": [list(one.shape) for one in outputs]}
    return {"dtype": outputs[0].dtype, "input_dtype": inputs[0].dtype, **kept}


def _options(file: FlatBuffer, operator: Operator) -> dict[str, Any]:
    kept = {name: operator.options[name] for name in _OPTIONS if name in operator.options}
    if "padding" in operator.options:
        kept["padding"] = _PADDING[operator.options["padding"]]
    coded = [file.tensors[number].coded for number in operator.outputs]
    if coded and coded[0]:
        kept |= {"encoding": coded[0].encoding, "encoded_bytes": coded[0].bytes}
    return kept


def facts(arguments: argparse.Namespace, kernels: str, told: dict[str, Any]) -> dict[str, Any]:
    """What the numbers were made with; commits and builds of another vintage stay as they were told."""
    vintage = vintage_of(kernels)
    commits = {"tflm": arguments.tflm_commit, "cmsis_nn": arguments.cmsis_nn_commit}
    commits = {name + vintage.suffix: commit for name, commit in commits.items()}
    old = {name: told[name] for name in told if name.startswith(("tflm", "cmsis_nn"))}
    compilers = sorted({machine.tools for machine in MACHINES.values()})
    return {
        "how": "simulated",
        "source": "python -m benchmarks.instruction_counts, see docs/instruction_counts.md",
        "qemu": run(["qemu-system-arm", "--version"]).splitlines()[0],
        "compiler": [run([f"{tools}-g++", "--version"]).splitlines()[0] for tools in compilers],
        **(old | commits),
        "flags": {
            "cores": {core: _legible(flags_of(core)) for core in MACHINES},
            **{f"builds{one.suffix}": one.builds for one in VINTAGES},
        },
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machines": {core: machine.name for core, machine in MACHINES.items()},
    }


def _legible(flags: Sequence[str]) -> str:
    return " ".join(flag for flag in flags if not flag.startswith("-isystem"))


def merged(told: dict[str, Any], new: list[dict[str, Any]], model: str, build: str) -> list[dict[str, Any]]:
    """The rows with those of one model and build replaced."""
    key = (*build.split(","), model)
    old = [row for row in told.get("rows", []) if (row["core"], row["kernels"], row["build"], row["model"]) != key]
    return sorted(
        [*old, *new], key=lambda row: (row["core"], row["kernels"], row["build"], row["model"], row["operator"])
    )


def write(told: dict[str, Any]) -> None:
    """One row a line."""
    head = json.dumps({name: value for name, value in told.items() if name != "rows"}, indent=1)
    lines = ",\n".join("  " + json.dumps(row) for row in told["rows"])
    write_whole(RESULT, (head[:-2] + ',\n "rows": [\n' + lines + "\n ]\n}\n").encode(), force=True)


def store(arguments: argparse.Namespace, model: Path, build: str, found: Run) -> None:
    """Adds one run to the file; several of these commands may work at the same time."""
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        models = {**told.get("models", {}), model.stem: hashlib.sha256(model.read_bytes()).hexdigest()}
        overhead = dict(told.get("overhead_instructions_per_operator", {}))
        if found.between:
            overhead[build] = found.between["instructions"]
        all_rows = merged(told, list(rows(model, build, found)), model.stem, build)
        told_by = facts(arguments, build.split(",")[1], told)
        write({**told_by, "models": models, "overhead_instructions_per_operator": overhead, "rows": all_rows})


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("tflm", "third-party", "cmsis-nn", "cmsis", "work"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("tflm-commit", "cmsis-nn-commit"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--vintage", choices=list(BUILDS), default="now", help="which builds, where --build names none")
    parser.add_argument("--build", action="append")
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    return parser.parse_args()


def main() -> None:
    """Builds, counts and writes."""
    given = parse()
    sources = Sources(given.tflm, given.third_party, given.cmsis_nn, given.cmsis)
    for build in given.build or BUILDS[given.vintage]:
        core, kernels, level = build.split(",")
        built = program(core, kernels, level, sources, given.work)
        counter = plugin(core, given.work)
        for model in given.models:
            found = count(built, core, model, counter)
            store(given, model, build, found)
            total = sum(one["instructions"] for one in found.operators)
            print(
                f"{build} {model.stem}: {total:,} instructions, outputs differ by {difference(model, found):g}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Runs a model on an emulated processor and reads what the plugin counted."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.instruction_counts.build import HERE, MACHINES
from benchmarks.tflm_library import run
from converters.errors import FileError

# In the order in which the plugin prints them.
CLASSES = ("instructions", "loads", "stores", "branches", "multiplies", "divides", "vector")
# The loop in main.cc that is counted first: a jump, then 1000 times three instructions, one of them a branch.
KNOWN_LOOP = {**dict.fromkeys(CLASSES, 0), "instructions": 3001, "branches": 1001}


@dataclass(frozen=True)
class Run:
    """One run of a model.

    Attributes:
        operators: for each operator, the count of each of `CLASSES`.
        between: the same for what the runtime does between two operators.
        outputs: the first 64 bytes of each output, as hexadecimal digits.
        arena: bytes that the interpreter took.
    """

    operators: Sequence[Mapping[str, int]]
    between: Mapping[str, int]
    outputs: Sequence[str]
    arena: int


def plugin(folder: Path) -> Path:
    """Compiles the plugin."""
    made = folder / "plugin.so"
    folder.mkdir(parents=True, exist_ok=True)
    run(["gcc", "-shared", "-fPIC", "-O2", "-DISA_THUMB=1", str(HERE / "plugin.c"), "-o", str(made)])
    return made


def count(program: Path, core: str, model: Path, counter: Path) -> Run:
    """Runs a model once.

    Args:
        program: what `build.program` made.
        core: a key of `MACHINES`.
        model: the `.tflite` file.
        counter: the plugin.

    Raises:
        FileError: the program failed, or the plugin did not count the known loop right.
    """
    machine = MACHINES[core]
    board = ["-machine", machine.name, "-nographic", "-monitor", "none", "-serial", "none"]
    load = f"loader,file={model.resolve()},addr=0x{machine.model:x},force-raw=on"
    own = ["-semihosting-config", "enable=on,target=native", "-plugin", str(counter), "-kernel", str(program)]
    command = ["qemu-system-arm", *board, "-device", load, *own]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, stdin=subprocess.DEVNULL)
    said = done.stdout.splitlines()
    if "done" not in said:
        raise FileError(f"{model.name} on {core} failed: {' '.join(said)[-300:]} {done.stderr[-300:]}")
    counted = [line.split() for line in done.stderr.splitlines() if line.startswith(("begin ", "end "))]
    pieces = [(word, dict(zip(CLASSES, map(int, numbers), strict=True))) for word, *numbers in counted]
    (_, loop), *operators = [found for found in pieces if found[0] == "end"]
    if loop != KNOWN_LOOP:
        raise FileError(f"the plugin counted {loop} for a loop of {KNOWN_LOOP}; it does not fit this QEMU")
    # The first two stand for the start of the program and for AllocateTensors.
    between = [found for word, found in pieces if word == "begin"][2:]
    outputs = [line.partition(" ")[2] for line in said if line.startswith("output ")]
    arena = next(int(line.split()[1]) for line in said if line.startswith("arena "))
    return Run([found for _, found in operators], between[0] if between else {}, outputs, arena)

"""Runs a model on an emulated processor and reads what the plugin counted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.instruction_counts.build import HERE, MACHINES
from benchmarks.tflm_library import CORES, run
from converters.errors import FileError
from converters.flatbuffer import FlatBuffer, Tensor
from converters.runtimes import tflm

# In the order in which the plugin prints them.
CLASSES = ("instructions", "loads", "stores", "branches", "multiplies", "divides", "vector")
# The loop in main.cc that is counted first: a jump, then 1000 times three instructions, one of them a branch.
KNOWN_LOOP = {**dict.fromkeys(CLASSES, 0), "instructions": 3001, "branches": 1001}
_KNOWN_LOOP_RISCV = {**KNOWN_LOOP, "instructions": 2001, "branches": 1000}


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


def plugin(core: str, folder: Path) -> Path:
    """Compiles the plugin for the instructions of a core."""
    thumb = core in CORES
    made = folder / f"plugin{thumb:d}.so"
    part = made.with_suffix(f".{os.getpid()}")
    folder.mkdir(parents=True, exist_ok=True)
    run(["gcc", "-shared", "-fPIC", "-O2", f"-DISA_THUMB={thumb:d}", str(HERE / "plugin.c"), "-o", str(part)])
    part.rename(made)  # another of these commands may have the old one open
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
    board += [] if core in CORES else ["-bios", "none"]
    load = f"loader,file={model.resolve()},addr=0x{machine.model:x},force-raw=on"
    own = ["-semihosting-config", "enable=on,target=native", "-plugin", str(counter), "-kernel", str(program)]
    command = [machine.emulator, *board, "-device", load, *own]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, stdin=subprocess.DEVNULL)
    said = (done.stdout + done.stderr).splitlines()  # QEMU's semihosting prints to either
    if "done" not in said:
        raise FileError(f"{model.name} on {core} failed: {' '.join(said)[-500:]}")
    counted = [line.split() for line in done.stderr.splitlines() if line.startswith(("begin ", "end "))]
    pieces = [(word, dict(zip(CLASSES, map(int, numbers), strict=True))) for word, *numbers in counted]
    (_, loop), *operators = [found for found in pieces if found[0] == "end"]
    known = KNOWN_LOOP if core in CORES else _KNOWN_LOOP_RISCV
    if loop != known:
        raise FileError(f"the plugin counted {loop} for a loop of {known}; it does not fit this QEMU")
    # The first two stand for the start of the program and for AllocateTensors.
    between = [found for word, found in pieces if word == "begin"][2:]
    outputs = [line.partition(" ")[2] for line in said if line.startswith("output ")]
    arena = next(int(line.split()[1]) for line in said if line.startswith("arena "))
    return Run([found for _, found in operators], between[0] if between else {}, outputs, arena)


def difference(model: Path, found: Run) -> float:
    """Largest difference between the emulator's outputs and those of TFLM on this machine, in the outputs' own units.

    0 is expected of integers from reference kernels; CMSIS-NN's may differ by a step per operator.
    """
    file = FlatBuffer(model.read_bytes())
    expected = tflm.run(file.data, [_filled(one) for one in file.inputs], raw=True)
    largest = 0.0
    for text, whole in zip(found.outputs, expected, strict=True):
        here = np.frombuffer(bytes.fromhex(text), whole.dtype)
        there = whole.reshape(-1)[: len(here)]
        largest = max(largest, float(np.abs(here.astype(np.float64) - there.astype(np.float64)).max()))
    return largest


def _filled(tensor: Tensor) -> NDArray[Any]:
    """What `Fill` in main.cc puts into an input."""
    dtype = np.dtype(tensor.dtype)
    if dtype == np.float32:
        values = np.array(list(islice(_states(), tensor.elements))) / 128 - 1
        return values.astype(dtype).reshape(tensor.shape)
    return np.frombuffer(bytes(islice(_states(), tensor.elements * dtype.itemsize)), dtype).reshape(tensor.shape)


def _states() -> Iterator[int]:
    """The highest bytes of a linear congruential generator; its constants are Numerical Recipes'."""
    state = 1
    while True:
        state = (state * 1664525 + 1013904223) % (1 << 32)
        yield state >> 24

"""The runtimes by the names that users choose them by."""

from __future__ import annotations

from typing import Literal, cast, get_args

from converters.child import Limits, Progress, no_progress
from converters.errors import UsageError
from converters.flatbuffer import FlatBuffer
from converters.runtimes import litert, tflm
from converters.runtimes.litert import Kernels
from converters.runtimes.ports import Array, Inputs

Runtime = Literal["litert", "litert-builtin", "litert-reference", "tflm"]
RUNTIMES: tuple[Runtime, ...] = get_args(Runtime)
KERNELS: dict[str, Kernels] = {"litert": "default", "litert-builtin": "builtin", "litert-reference": "reference"}


def checked(runtime: str) -> None:
    """Raises UsageError unless `runtime` is one of `RUNTIMES`."""
    if runtime not in RUNTIMES:
        raise UsageError(f"runtime is {runtime!r}; expected one of {', '.join(RUNTIMES)}")


def for_file(flatbuffer: FlatBuffer, runtime: str | None) -> tuple[Runtime, str]:
    """The runtime to run a file on, and a note where the file left no choice.

    Args:
        flatbuffer: the file.
        runtime: what was asked for; None for LiteRT, or TFLM where the file is for TFLM only.

    Raises:
        UsageError: an unknown runtime, or one that cannot run this file.
    """
    if runtime is not None:
        checked(runtime)
    reason = flatbuffer.only_tflm
    if runtime == "tflm" or not reason:
        return cast("Runtime", runtime or "litert"), ""
    if runtime is not None:
        raise UsageError(f"{runtime} cannot run this file: {reason}; --runtime tflm")
    return "tflm", f"run on TFLM: {reason}"


def describe(runtime: Runtime, *, threads: int | None = None) -> str:
    """Name and version for a report; TFLM without a version where this platform has no build of it."""
    checked(runtime)
    if runtime == "tflm":
        return tflm.describe() if tflm.available() else "TFLM"
    return litert.describe(KERNELS[runtime], threads=threads)


def run(
    data: bytes,
    inputs: Inputs | Array,
    *,
    runtime: Runtime = "litert",
    jobs: int = 1,
    raw: bool = False,
    limits: Limits | None = None,
    progress: Progress = no_progress,
) -> list[Array]:
    """Outputs of a `.tflite` file for given samples; see `litert.run` and `tflm.run` for arguments and errors."""
    checked(runtime)
    if runtime == "tflm":
        return tflm.run(data, inputs, jobs=jobs, raw=raw, limits=limits, progress=progress)
    return litert.run(data, inputs, kernels=KERNELS[runtime], jobs=jobs, raw=raw, limits=limits, progress=progress)

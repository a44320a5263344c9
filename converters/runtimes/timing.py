"""Repeated runs of a loaded model: how long each took, and how much memory the process came to hold."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.child import Progress, no_progress
from converters.runtimes.ports import Array, Port

# The first runs fill caches and let the processor's clock rise; half a second is enough of that for a slow model.
WARM_UP_RUNS = 5
WARM_UP_SECONDS = 0.5
# A quantile of fewer runs than this says nothing.
LEAST_RUNS = 3


@dataclass(frozen=True)
class Timing:
    """What repeated runs of one model showed.

    Attributes:
        times_ms: float64 `[runs]`, milliseconds of each run after warm-up.
        peak_memory_bytes: growth of the process's resident memory from before the model was loaded to its highest
            point, the file's own bytes included; None where the platform does not tell.
    """

    times_ms: npt.NDArray[np.float64]
    peak_memory_bytes: int | None

    def quantile(self, fraction: float) -> float:
        """Time in milliseconds that `fraction` of the runs stayed under."""
        return float(np.quantile(self.times_ms, fraction))

    def as_plain(self) -> dict[str, Any]:
        """Plain values that can leave a child process."""
        return {"times_ms": self.times_ms, "peak_memory_bytes": self.peak_memory_bytes}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Timing:
        """The inverse of `as_plain`."""
        return cls(plain["times_ms"], plain["peak_memory_bytes"])


def repeat(
    invoke: Callable[[], None], *, runs: int, seconds: float, progress: Progress = no_progress
) -> npt.NDArray[np.float64]:
    """Times `invoke` in milliseconds, after a warm-up, `runs` times or until `seconds` have passed."""
    warm_until = time.perf_counter() + WARM_UP_SECONDS
    for _ in range(WARM_UP_RUNS):
        invoke()
        if time.perf_counter() > warm_until:
            break
    deadline = time.perf_counter() + seconds
    times_ns: list[int] = []
    stride = max(1, runs // 100)
    while len(times_ns) < runs:
        start = time.perf_counter_ns()
        invoke()
        times_ns.append(time.perf_counter_ns() - start)
        if len(times_ns) % stride == 0:
            progress("timing", len(times_ns), runs)
        if len(times_ns) >= LEAST_RUNS and time.perf_counter() > deadline:
            break
    return np.asarray(times_ns, np.float64) / 1e6


def random_inputs(ports: Sequence[Port], count: int, *, seed: int) -> list[Array]:
    """Samples `[count, *shape]` per input, in the file's own types, from `seed`.

    Quantized and 8-bit inputs get every integer of their type alike, floats lie evenly in -1..1. Wider integers are
    0 or 1: they are most often indices, and those two are valid in any table.
    """
    generator = np.random.default_rng(seed)
    samples: list[Array] = []
    for port in ports:
        shape, dtype = (count, *port.shape), np.dtype(port.dtype)
        if dtype.kind in "iu":
            whole = port.is_quantized or dtype.itemsize == 1
            limits = np.iinfo(dtype)
            low, high = (limits.min, limits.max) if whole else (0, 1)
            samples.append(generator.integers(low, high, shape, dtype, endpoint=True))
        elif dtype.kind == "b":
            samples.append(generator.integers(0, 2, shape).astype(bool))
        else:
            samples.append(generator.uniform(-1.0, 1.0, shape).astype(dtype))
    return samples


@dataclass(frozen=True)
class Memory:
    """Resident memory of this process before something was loaded."""

    before_bytes: int | None

    @classmethod
    def start(cls) -> Memory:
        """Takes the present state as the baseline."""
        # Writing 5 resets the peak to the present (proc(5), clear_refs); imports before this point do not count then.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        return cls(_status_bytes("VmRSS"))

    def peak_bytes(self, *, already_resident: int) -> int | None:
        """Growth up to the highest point, plus what was needed and loaded before; None where it is not known."""
        peak = _status_bytes("VmHWM")
        if peak is None or self.before_bytes is None:
            return None
        return max(0, peak - self.before_bytes) + already_resident


def _status_bytes(name: str) -> int | None:
    # VmHWM belongs to this program alone; ru_maxrss would survive from the parent through fork and exec.
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found.group(1)) * 1024 if found else None

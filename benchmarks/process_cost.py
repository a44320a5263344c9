"""Wall time and peak memory of a command, summed over its whole process tree."""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

SAMPLE_EVERY_SECONDS = 0.02


@dataclass(frozen=True)
class Cost:
    """What one run took.

    Attributes:
        seconds: wall time from start to exit.
        peak_bytes: largest sum of the resident sets of the command and all its descendants, sampled every 20 ms.
    """

    seconds: float
    peak_bytes: int


def run(command: Sequence[str]) -> Cost:
    """Runs a command to its end; raises CalledProcessError if it fails."""
    start = time.perf_counter()
    process = psutil.Popen(list(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _tree_bytes(process))
        time.sleep(SAMPLE_EVERY_SECONDS)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    return Cost(seconds, peak)


def summarize(costs: Sequence[Cost]) -> dict[str, float]:
    """Minimum, median and maximum of time (seconds) and memory (bytes)."""
    seconds = [cost.seconds for cost in costs]
    peaks = [cost.peak_bytes for cost in costs]
    return {
        "seconds_min": min(seconds),
        "seconds_median": statistics.median(seconds),
        "seconds_max": max(seconds),
        "peak_bytes_min": min(peaks),
        "peak_bytes_median": statistics.median(peaks),
        "peak_bytes_max": max(peaks),
    }


def _tree_bytes(process: psutil.Process) -> int:
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                total += member.memory_info().rss
    return total

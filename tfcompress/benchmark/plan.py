"""What to measure, and the machine it is measured on."""

from __future__ import annotations

import os
from dataclasses import dataclass

from converters.child import GIB, Limits
from converters.errors import UsageError
from converters.runtimes import choice
from converters.runtimes.choice import RUNTIMES, Runtime
from tfcompress.environment import processor
from tfcompress.rows import How, Row

NOT_AVAILABLE = "not available on this platform"


def default_threads() -> tuple[int, ...]:
    """One thread, and as many as this machine has cores."""
    return tuple(dict.fromkeys((1, os.cpu_count() or 1)))


@dataclass(frozen=True)
class Plan:
    """What a benchmark measures.

    Attributes:
        runtimes: `litert` (XNNPACK), `litert-builtin`, `litert-reference`, `tflm`; None for LiteRT and TFLM, or TFLM
            alone where the file is for it only.
        threads: thread counts that LiteRT is timed with.
        runs: most timed runs of each.
        seconds: time after which no further run of the same kind begins.
        samples: random inputs on which outputs are compared.
        seed: of the random inputs.
        per_operator: whether every operator is timed, on TFLM if it is among the runtimes that take the file, else on
            the first of them.
    """

    runtimes: tuple[Runtime, ...] | None = None
    threads: tuple[int, ...] = ()
    runs: int = 50
    seconds: float = 10.0
    samples: int = 20
    seed: int = 0
    per_operator: bool = False

    def __post_init__(self) -> None:
        for runtime in self.runtimes or ():
            choice.checked(runtime)
        if self.runtimes == ():
            raise UsageError(f"no runtime was named; expected some of {', '.join(RUNTIMES)}")
        for name, value in (("threads", min(self.threads, default=1)), ("runs", self.runs), ("samples", self.samples)):
            if value < 1:
                raise UsageError(f"{name} is {value}; expected at least 1")

    @property
    def limits(self) -> Limits:
        """Of one child process: several times what the slowest of them needs by this plan."""
        return Limits(seconds=60.0 + 3 * self.seconds + 5 * self.samples, memory_bytes=4 * GIB)


def host_row(name: str, value: float | str, unit: str, runtime: str, *, how: How = "measured") -> Row:
    """A row about this machine."""
    return Row(name, value, unit, how, runtime, "host", processor())

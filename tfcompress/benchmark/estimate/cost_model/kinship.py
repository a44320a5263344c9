"""How alike two measurements are: the covariance of the cost model's Gaussian process.

What a model costs on a system, in cycles, is

    log cycles = log instructions(operators, library, instruction set) - log(scalar / scalar of a Cortex-M4) + residual

`scalar` is the core's CoreMark per MHz, which tells how many plain instructions it gets through in a cycle; how much
of that carries over to kernels is learnt as a slope. The residual has a part for the system as a whole, one for each
kind of operator, and one for the model; each is a sum of independent effects of what two systems may share: the kernel
library, the runtime and its age, the processor core, the board. The covariance of two residuals is therefore a sum
over what they share:

    sum over levels l with l(a) = l(b):   scale_l + kind_l * (shares_a . shares_b) + model_l * [model_a = model_b]

`shares` are the shares of the kinds of operators in the instructions of a model, which is the first order of what one
kind's price changes in the logarithm of the sum. Runtimes of different age are alike as exp(-years / 2). Beside these

    memory_dense, board_dense   Dense layers read each weight once, so that memory may set their pace: boards whose
                                weights lie alike, and one board
    scalar                      the slope of the residual over log scalar
    unpublished_core            one core whose CoreMark is a guess
    noise                       of one measurement

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfcompress.benchmark.estimate.cost_model.work import KINDS

Matrix = NDArray[np.float64]

# A runtime's kernels change with its releases; half of what is known of one is left after 1.4 years.
_YEARS = 2.0
# What is known before any measurement: the whole level within a factor of e.
_INTERCEPT = 1.0

# CoreMark per MHz of the core that most measurements are of (Arm's product page of the Cortex-M4).
CORTEX_M4 = 3.42

_LEVELS = ("all", "age", "library", "family", "version", "core", "core_library", "board", "system")
_PARTS = ("scale", "kind", "model")
# Levels that have no part of their own: `all` has the intercept, and what follows is too fine for the data.
_LEFT_OUT = ("all_scale", "age_model", "library_model", "core_library_model", "system_model")

VARIANCES = (
    *(f"{level}_{part}" for level in _LEVELS for part in _PARTS if f"{level}_{part}" not in _LEFT_OUT),
    *("memory_dense", "board_dense", "unpublished_core", "scalar", "noise"),
)


@dataclass(frozen=True)
class System:
    """What executes a model.

    Attributes:
        board: the physical board, under one name for all its spellings.
        memory: where weights lie by default, such as `internal-flash`; empty where no source says it.
        core: its processor core, as in `cores.toml`.
        counted: the emulated core whose instructions stand for this one's; see `instructions.counted_on`.
        scalar: the core's CoreMark per MHz.
        published: whether that CoreMark is published; else it is a typical one, and the core may be off by more.
        family: of the runtime, as in its TOML.
        library: whose kernels it runs.
        build: how these were built, where other instructions were counted for that: `checked` without NDEBUG; `2021`,
            `2021-checked` and `2021-small` TFLM of June 2021 with NDEBUG, without, and without for size; empty for the
            present kernels with NDEBUG.
        year: age of the runtime.
        name: of this very system; two measurements of one system share more than a board and a runtime.
    """

    board: str
    memory: str
    core: str
    counted: str
    scalar: float
    published: bool
    family: str
    library: str
    build: str
    year: float
    name: str


@dataclass(frozen=True)
class Point:
    """A model on a system.

    Attributes:
        system: what runs it.
        model: fingerprint of the model.
        shares: of each kind of operator in its instructions, `[len(KINDS)]`; they sum to 1.
    """

    system: System
    model: str
    shares: tuple[float, ...]


def components(left: Sequence[Point], right: Sequence[Point]) -> dict[str, Matrix]:
    """For each variance the matrix that it multiplies, `[len(left), len(right)]`; `noise` is left to the caller."""
    kinds = np.array([point.shares for point in left]) @ np.array([point.shares for point in right]).T
    models = _equal([point.model for point in left], [point.model for point in right])
    found: dict[str, Matrix] = {}
    for level, alike in _likeness([point.system for point in left], [point.system for point in right]).items():
        for part, matrix in zip(_PARTS, (1.0, kinds, models), strict=True):
            if f"{level}_{part}" not in _LEFT_OUT:
                found[f"{level}_{part}"] = alike * matrix
    dense = [np.array([point.shares[KINDS.index("dense")] for point in points]) for points in (left, right)]
    memories = _known_and_equal([point.system.memory for point in left], [point.system.memory for point in right])
    found["memory_dense"] = memories * np.outer(dense[0], dense[1])
    boards = _equal([point.system.board for point in left], [point.system.board for point in right])
    found["board_dense"] = boards * np.outer(dense[0], dense[1])
    cores = _equal([point.system.core for point in left], [point.system.core for point in right])
    found["unpublished_core"] = cores * np.array([[not point.system.published] for point in left])
    speeds = [np.log([point.system.scalar / CORTEX_M4 for point in points]) for points in (left, right)]
    found["scalar"] = np.outer(speeds[0], speeds[1])
    return found


def covariance(left: Sequence[Point], right: Sequence[Point], variances: Mapping[str, float]) -> Matrix:
    """Covariance of the residuals without noise, `[len(left), len(right)]`."""
    total: Matrix = np.full((len(left), len(right)), _INTERCEPT)
    for name, matrix in components(left, right).items():
        total += variances[name] * matrix
    return total


def _likeness(left: Sequence[System], right: Sequence[System]) -> dict[str, Matrix]:
    def same(*names: str) -> Matrix:
        pairs = [[tuple(getattr(one, name) for name in names) for one in systems] for systems in (left, right)]
        return _equal(*pairs)

    years = np.abs(np.subtract.outer([one.year for one in left], [one.year for one in right]))
    return {
        "all": np.ones((len(left), len(right))),
        "age": np.exp(-years / _YEARS),
        "library": same("library"),
        "family": same("family"),
        "version": same("family") * np.exp(-years / _YEARS),
        "core": same("core"),
        "core_library": same("core", "library"),
        "board": same("board"),
        "system": same("name"),
    }


def _known_and_equal(left: Sequence[str], right: Sequence[str]) -> Matrix:
    known = np.array([[float(bool(value))] for value in left])
    both: Matrix = _equal(left, right) * known
    return both


def _equal(left: Sequence[object], right: Sequence[object]) -> Matrix:
    numbers = {value: index for index, value in enumerate(dict.fromkeys([*left, *right]))}
    rows, columns = ([numbers[value] for value in values] for values in (left, right))
    return np.equal.outer(rows, columns).astype(np.float64)

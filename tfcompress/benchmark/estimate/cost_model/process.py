"""The Gaussian process: what measurements say of a model on a system that was not measured."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfcompress.benchmark.estimate.cost_model.kinship import Matrix, Point, covariance
from tfcompress.benchmark.estimate.cost_model.work import KINDS

# Of a normal distribution: 80 % lie within this many standard deviations.
Z80 = 1.2815515655446004


@dataclass(frozen=True)
class Measured:
    """Points with their residuals: log of measured cycles less log of counted instructions."""

    points: tuple[Point, ...]
    residuals: tuple[float, ...]

    def plus(self, points: Sequence[Point], residuals: Sequence[float]) -> Measured:
        """These and others."""
        return Measured((*self.points, *points), (*self.residuals, *residuals))


@dataclass(frozen=True)
class Belief:
    """What is believed of one point's residual.

    Attributes:
        mean: of the residual.
        variance: of the residual, noise included.
        of_kinds: what each kind of operator costs beside the mean's level, as log factors `[len(KINDS)]`.
    """

    mean: float
    variance: float
    of_kinds: tuple[float, ...]


def believe(measured: Measured, points: Sequence[Point], variances: Sequence[Mapping[str, float]]) -> list[Belief]:
    """Mean and variance of the residual at each point, given the measurements.

    Args:
        measured: the measurements.
        points: what is asked about.
        variances: of the process, several sets of equal right: the answer is their mixture's mean and variance.
    """
    each = [_believe(measured, points, one) for one in variances]
    return [_mixed(beliefs) for beliefs in zip(*each, strict=True)]


def mixture(means: Sequence[float], variances: Sequence[float]) -> tuple[float, float]:
    """Mean and variance of a mixture of equal parts, from theirs."""
    return float(np.mean(means)), float(np.mean(variances) + np.var(means))


def _mixed(beliefs: Sequence[Belief]) -> Belief:
    mean, variance = mixture([one.mean for one in beliefs], [one.variance for one in beliefs])
    kinds = np.mean([belief.of_kinds for belief in beliefs], axis=0)
    return Belief(mean, variance, tuple(float(one) for one in kinds))


def _believe(measured: Measured, points: Sequence[Point], variances: Mapping[str, float]) -> list[Belief]:
    """The same for one set of variances (Rasmussen and Williams, 2.23 and 2.24)."""
    inverse = _inverse(measured.points, tuple(variances.items()))
    # Each point is asked for as it is, and as if it were of one kind of operator only.
    asked = [*points, *(_of_kind(point, kind) for point in points for kind in range(len(KINDS)))]
    across = covariance(asked, measured.points, variances)
    solved = inverse @ np.column_stack([measured.residuals, across[: len(points)].T])
    means = across @ solved[:, 0]
    own = np.diag(covariance(points, points, variances)) + variances["noise"]
    spread = own - np.einsum("ij,ji->i", across[: len(points)], solved[:, 1:])
    kinds = means[len(points) :].reshape(len(points), len(KINDS))
    return [
        Belief(float(mean), float(max(variance, variances["noise"])), tuple(float(one) for one in row))
        for mean, variance, row in zip(means[: len(points)], spread, kinds, strict=True)
    ]


@functools.lru_cache(maxsize=16)
def _inverse(points: tuple[Point, ...], variances: tuple[tuple[str, float], ...]) -> Matrix:
    """Of the covariance of what was measured, noise included: the same for every target and file."""
    named = dict(variances)
    ours = covariance(points, points, named)
    ours[np.diag_indices_from(ours)] += named["noise"]
    inverse: Matrix = np.linalg.inv(ours).astype(np.float64)
    return inverse


def _of_kind(point: Point, kind: int) -> Point:
    return Point(point.system, "", tuple(float(index == kind) for index in range(len(KINDS))))

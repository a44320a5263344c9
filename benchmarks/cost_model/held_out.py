"""Predictions of boards that a training side does not know, in closed form.

For a Gaussian process with covariance K (noise included) and residuals r, a block b that is left out is predicted as

    variance_b = ([K^-1]_bb)^-1            mean_b = r_b - variance_b [K^-1 r]_b

so that one inverse gives every fold (Rasmussen and Williams 2006, 5.10 to 5.12, for a block in place of a point).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tfcompress.benchmark.estimate.cost_model.kinship import covariance
from tfcompress.benchmark.estimate.cost_model.process import Measured, mixture


@dataclass(frozen=True)
class Fold:
    """A held-out point, as the rest of the measurements sees it.

    Attributes:
        index: of the point.
        mean: believed residual.
        deviation: standard deviation of that belief, noise included, before calibration.
        residual: the true one.
    """

    index: int
    mean: float
    deviation: float
    residual: float

    @property
    def error(self) -> float:
        """Relative error of the prediction: predicted over measured, less 1."""
        return float(np.expm1(self.mean - self.residual))

    @property
    def score(self) -> float:
        """How many standard deviations the truth is away."""
        return (self.residual - self.mean) / self.deviation


class HeldOut:
    """Measurements under fixed variances (several sets of equal right), any block of which can be left out."""

    def __init__(self, measured: Measured, variances: Sequence[Mapping[str, float]]) -> None:
        self.sides = [_Side(measured, one) for one in variances]

    def block(self, left_out: Sequence[int], asked: Sequence[int]) -> list[Fold]:
        """What the rest says of some of the points that are left out: the mixture of what each set says."""
        each = [side.block(left_out, asked) for side in self.sides]
        return [_mixed(folds) for folds in zip(*each, strict=True)]


def _mixed(folds: Sequence[Fold]) -> Fold:
    mean, variance = mixture([fold.mean for fold in folds], [fold.deviation**2 for fold in folds])
    return Fold(folds[0].index, mean, math.sqrt(variance), folds[0].residual)


class _Side:
    """The same under one set of variances."""

    def __init__(self, measured: Measured, variances: Mapping[str, float]) -> None:
        total = covariance(measured.points, measured.points, variances)
        total[np.diag_indices_from(total)] += variances["noise"]
        self.inverse = np.linalg.inv(total)
        self.residuals = np.array(measured.residuals)
        self.weights = self.inverse @ self.residuals

    def block(self, left_out: Sequence[int], asked: Sequence[int]) -> list[Fold]:
        """What the rest says of some of the points that are left out."""
        chosen = np.array(left_out)
        variance = np.linalg.inv(self.inverse[np.ix_(chosen, chosen)])
        means = self.residuals[chosen] - variance @ self.weights[chosen]
        place = {index: number for number, index in enumerate(left_out)}
        return [
            Fold(index, float(means[at]), float(np.sqrt(variance[at, at])), float(self.residuals[index]))
            for index in asked
            for at in (place[index],)
        ]


def unanchored(process: HeldOut, measured: Measured, board: str) -> list[Fold]:
    """Every point of a board, from other boards alone."""
    block = [index for index, point in enumerate(measured.points) if point.system.board == board]
    return process.block(block, block)


def anchored(process: HeldOut, measured: Measured, board: str) -> list[Fold]:
    """Every point of a board, from other boards and the other models of the same system.

    Points of a system that has no other model are left out: nothing anchors them.
    """
    block = [index for index, point in enumerate(measured.points) if point.system.board == board]
    folds: list[Fold] = []
    for index in block:
        name = measured.points[index].system.name
        anchors = {other for other in block if other != index and measured.points[other].system.name == name}
        if anchors:
            folds += process.block([other for other in block if other not in anchors], [index])
    return folds

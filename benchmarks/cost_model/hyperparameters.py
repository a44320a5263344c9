"""Variances of the cost model, by maximum a posteriori: the likelihood of the measurements and a wide prior.

Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), equations 5.8 and 5.9.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from tfcompress.benchmark.estimate.cost_model.kinship import VARIANCES, components
from tfcompress.benchmark.estimate.cost_model.process import Measured

# Medians of the prior: standard deviations of the logarithm. A core, a library or a runtime may change the level by
# tens of per cent, one kind of operator by less; boards with the same core differ by some per cent.
_COARSE = ("age", "library", "family", "version", "core")
_DEVIATIONS = {
    **{f"{level}_scale": 0.3 for level in _COARSE},
    **{f"{level}_kind": 0.15 for level in ("all", *_COARSE)},
    **{f"{level}_model": 0.1 for level in ("all", *_COARSE)},
    **{f"{level}_{part}": 0.05 for level in ("core_library", "board", "system") for part in ("scale", "kind", "model")},
    "memory_dense": 0.3,
    "board_dense": 0.3,
    "unpublished_core": 0.3,
    "scalar": 0.3,
    "noise": 0.02,
}
# Of the logarithm of a variance. None is right: estimates are the mean over all of them.
_PRIOR_SPREADS = (1.0, 1.5, 2.0, 3.0)


def fit(measured: Measured) -> tuple[dict[str, float], ...]:
    """The variances that the measurements and the prior make likeliest, one set for each width of the prior."""
    return tuple(_likeliest(measured, spread) for spread in _PRIOR_SPREADS)


def _likeliest(measured: Measured, spread: float) -> dict[str, float]:
    """The variances that the measurements and a prior of this width make likeliest."""
    matrices = components(measured.points, measured.points)
    residuals = np.array(measured.residuals)
    middle = np.log([_DEVIATIONS[name] ** 2 for name in VARIANCES])
    identity = np.eye(len(residuals))

    def loss(logs: np.ndarray) -> tuple[float, np.ndarray]:
        values = np.exp(logs)
        total = 1.0 + values[-1] * identity
        for name, value in zip(VARIANCES[:-1], values[:-1], strict=True):
            total += value * matrices[name]
        lower = np.linalg.cholesky(total)
        inverse = np.linalg.inv(total)
        weights = inverse @ residuals
        off = (logs - middle) / spread
        told = 0.5 * residuals @ weights + np.log(np.diag(lower)).sum() + 0.5 * off @ off
        slope = 0.5 * (inverse - np.outer(weights, weights))
        gradient = [value * (slope * matrices[name]).sum() for name, value in zip(VARIANCES[:-1], values, strict=False)]
        gradient.append(values[-1] * np.trace(slope))
        return float(told), np.array(gradient) + off / spread

    found = minimize(loss, middle, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return {name: float(f"{value:.4g}") for name, value in zip(VARIANCES, np.exp(found.x), strict=True)}

"""How well outputs agree with labels: accuracy, top-k, AUC, F1, mean squared error; and which of them a task means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from converters.errors import DataError, UsageError
from tfcompress.data.labels import are_class_numbers, one_number_each

Array = npt.NDArray[Any]

NAMES = ("accuracy", "top-5", "auc", "f1", "mse")


@dataclass(frozen=True)
class Metric:
    """A metric and why it was taken.

    Attributes:
        name: `accuracy`, `top-K` for a number K, `auc`, `f1` or `mse`.
        reason: for people; empty where they chose it themselves.
    """

    name: str
    reason: str = ""

    def __post_init__(self) -> None:
        if self.name not in NAMES and not re.fullmatch(r"top-[1-9]\d*", self.name):
            raise UsageError(f"metric is {self.name!r}; expected accuracy, top-K (such as top-5), auc, f1 or mse")

    @property
    def unit(self) -> str:
        """`fraction`, or `squared units of y` for the error."""
        return "squared units of y" if self.name == "mse" else "fraction"


def infer(labels: Array, outputs: Array) -> Metric:
    """The metric that labels of this kind and outputs of this shape call for.

    Args:
        labels: `[n, ...]`.
        outputs: `[n, ...]`.
    """
    classes = _classes(outputs)
    if are_class_numbers(labels, outputs.shape):
        if classes > 1:
            return Metric("accuracy", f"the labels are whole numbers and the model has {classes} outputs")
        if set(np.unique(labels).tolist()) <= {0, 1}:
            return Metric("accuracy", "the labels are 0 and 1 and the model has one output")
        return Metric("mse", "the labels are numbers beyond 0 and 1 and the model has one output")
    if classes > 1 and labels.shape == outputs.shape and _is_one_hot(labels):
        return Metric("accuracy", "the labels are one-hot")
    return Metric("mse", "the labels are real numbers")


def score(metric: Metric, labels: Array, outputs: Array) -> float:
    """Value of `metric`: a fraction, or an error in squared units of the labels.

    Args:
        metric: which.
        labels: `[n]` class numbers, `[n, classes]` one-hot, or real numbers shaped like the outputs.
        outputs: `[n, classes]` scores, `[n]` or `[n, 1]` for a single output, more axes for sequences.

    Raises:
        DataError: labels that do not fit the outputs or the metric.
    """
    if len(labels) != len(outputs):
        raise DataError(f"there are {len(labels)} labels and {len(outputs)} outputs; each sample needs one label")
    if metric.name == "mse":
        return _mean_squared_error(labels, outputs)
    classes, scores = _classification(labels, outputs)
    if metric.name == "auc":
        return _area_under_curve(classes, scores)
    if metric.name == "f1":
        return _f1(classes, scores)
    return _top(classes, scores, 1 if metric.name == "accuracy" else int(metric.name.removeprefix("top-")))


def _classes(outputs: Array) -> int:
    return int(outputs.shape[-1]) if outputs.ndim > 1 else 1


def _is_one_hot(labels: Array) -> bool:
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=-1) == 1).all())


def _mean_squared_error(labels: Array, outputs: Array) -> float:
    if not one_number_each(labels.shape, outputs.shape):
        raise DataError(
            f"labels of shape {list(labels.shape)} do not fit outputs of shape {list(outputs.shape)}; "
            "the mean squared error needs one number for each output, in the same layout"
        )
    difference = labels.astype(np.float64).reshape(outputs.shape) - outputs.astype(np.float64)
    return float(np.mean(difference**2))


def _classification(labels: Array, outputs: Array) -> tuple[Array, Array]:
    """Class numbers `[m]` and scores `[m, classes]`; a single output becomes two columns.

    Positions of a sequence count as samples. A single output outside 0..1 is a logit, whose threshold is 0.
    """
    if _classes(outputs) == 1:
        positive = outputs.reshape(-1).astype(np.float64)
        is_logit = positive.min() < 0 or positive.max() > 1
        scores = np.stack([-positive if is_logit else 1 - positive, positive], axis=1)
    else:
        scores = outputs.reshape(-1, outputs.shape[-1])
    numbers = labels
    if labels.shape == outputs.shape and _classes(outputs) > 1:
        if not _is_one_hot(labels):
            raise DataError("the labels are neither class numbers nor one-hot; give class numbers, or --metric mse")
        numbers = labels.argmax(axis=-1)
    if not one_number_each(numbers.shape, outputs.shape[: max(1, outputs.ndim - 1)]):
        raise DataError(
            f"labels of shape {list(labels.shape)} do not fit outputs of shape {list(outputs.shape)}; "
            "give one class number per sample"
        )
    numbers = numbers.reshape(-1)
    if numbers.dtype.kind not in "iubf" or not np.array_equal(numbers, np.trunc(numbers)):
        raise DataError("the labels are not class numbers; give whole numbers from 0, or --metric mse")
    highest, lowest = int(numbers.max()), int(numbers.min())
    if lowest < 0 or highest >= scores.shape[1]:
        raise DataError(
            f"the labels go from {lowest} to {highest}, and the model tells {scores.shape[1]} classes apart "
            f"(0 to {scores.shape[1] - 1}); are these the right model and data?"
        )
    return numbers.astype(np.int64), scores


def _top(classes: Array, scores: Array, k: int) -> float:
    if k >= scores.shape[1]:
        raise UsageError(f"top-{k} of {scores.shape[1]} classes is always right; ask for fewer")
    # Integer models tie often. The lowest class number wins, as with argmax; so top-1 is the accuracy.
    best = np.argsort(-scores.astype(np.float64), axis=1, kind="stable")[:, :k]
    return float(np.mean((best == classes[:, np.newaxis]).any(axis=1)))


def _area_under_curve(classes: Array, scores: Array) -> float:
    """Area under the ROC curve; with more than two classes the mean over classes of one against the rest.

    Samples are ranked by the probability of the class, for logits the one that softmax gives it. Its order is that of
    the difference between two logits, and of `x[c] - log(sum of exp(x))` for more.
    """
    from sklearn.metrics import roc_auc_score

    present = np.unique(classes)
    if len(present) < 2:
        raise DataError(f"all labels are class {present[0]}; the AUC needs samples of at least two classes")
    columns = [1] if scores.shape[1] == 2 else present.tolist()
    ranked = scores.astype(np.float64)
    if not _are_probabilities(ranked):
        # No exponential is left to round to 0 or 1, which would tie what differs.
        two = ranked.shape[1] == 2
        ranked = ranked - (ranked[:, ::-1] if two else np.logaddexp.reduce(ranked, axis=1, keepdims=True))
    return float(np.mean([roc_auc_score(classes == column, ranked[:, column]) for column in columns]))


def _are_probabilities(scores: Array) -> bool:
    # Of 8-bit outputs each column may be a step of 1/256 or two off, and the sum as many as there are columns.
    tolerance = 1e-3 + scores.shape[1] / 128
    is_within = scores.min() >= -1e-3 and scores.max() <= 1 + 1e-3
    return bool(is_within and np.abs(scores.sum(axis=1) - 1).max() <= tolerance)


def _f1(classes: Array, scores: Array) -> float:
    """F1 of class 1 with two classes, else the mean of all classes' F1 (macro)."""
    from sklearn.metrics import f1_score

    predicted = scores.argmax(axis=1)
    return float(f1_score(classes, predicted, average="binary" if scores.shape[1] == 2 else "macro", zero_division=0))

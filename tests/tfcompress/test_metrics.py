"""What users rely on: metrics equal scikit-learn's, ties are broken as argmax does, misfitting labels are refused."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score, top_k_accuracy_score

from converters.errors import DataError, UsageError
from tfcompress.metrics import Metric, infer, score

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.dirichlet(np.ones(4), 300)
CLASSES = np.array([RANDOM.choice(4, p=row) for row in SCORES])
BINARY = SCORES[:, 0] > 0.2
LIKELY = np.clip(SCORES[:, :1] + RANDOM.normal(0, 0.2, (300, 1)), 0, 1)


def test_classification_metrics_equal_scikit_learns() -> None:
    assert score(Metric("accuracy"), CLASSES, SCORES) == np.mean(SCORES.argmax(1) == CLASSES)
    assert score(Metric("top-2"), CLASSES, SCORES) == top_k_accuracy_score(CLASSES, SCORES, k=2)
    assert score(Metric("auc"), CLASSES, SCORES) == pytest.approx(roc_auc_score(CLASSES, SCORES, multi_class="ovr"))
    assert score(Metric("f1"), CLASSES, SCORES) == f1_score(CLASSES, SCORES.argmax(1), average="macro")


def test_a_single_output_is_the_score_of_class_one() -> None:
    assert score(Metric("auc"), BINARY, LIKELY) == pytest.approx(roc_auc_score(BINARY, LIKELY[:, 0]))
    assert score(Metric("accuracy"), BINARY, LIKELY) == np.mean((LIKELY[:, 0] > 0.5) == BINARY)
    assert score(Metric("f1"), BINARY, LIKELY) == f1_score(BINARY, LIKELY[:, 0] > 0.5)


def test_a_single_logit_has_its_threshold_at_zero() -> None:
    logits = np.array([[-3.0], [0.3], [2.0], [-0.1]])
    assert score(Metric("accuracy"), np.array([0, 1, 1, 0]), logits) == 1.0


def test_two_logits_are_ranked_by_their_difference() -> None:
    logits, labels = np.array([[0, 1], [5, 4], [0, 2], [6, 5]], np.float32), np.array([1, 0, 1, 0])
    assert score(Metric("accuracy"), labels, logits) == 1.0
    assert score(Metric("auc"), labels, logits) == 1.0


def test_probabilities_next_to_zero_keep_their_order() -> None:
    low = np.array([1e-20, 2e-20, 3e-20, 4e-20])
    for outputs in (low[:, np.newaxis], np.stack([1 - low, low], axis=1)):
        assert score(Metric("auc"), np.array([0, 0, 1, 1]), outputs) == 1.0


def test_the_auc_of_logits_is_that_of_their_probabilities() -> None:
    logits = np.log(SCORES) + RANDOM.normal(0, 50, (300, 1))
    expected = score(Metric("auc"), CLASSES, SCORES)
    assert score(Metric("auc"), CLASSES, logits) == pytest.approx(expected)
    two = SCORES[:, :2] / SCORES[:, :2].sum(axis=1, keepdims=True)
    shifted = np.log(two) + RANDOM.normal(0, 50, (300, 1))
    expected = score(Metric("auc"), BINARY, two)
    assert score(Metric("auc"), BINARY, shifted) == pytest.approx(expected)


def test_probabilities_of_eight_bits_are_no_logits() -> None:
    stored = np.minimum(np.round(SCORES * 256), 255) / 256
    expected = roc_auc_score(CLASSES, SCORES, multi_class="ovr")
    ranked = [roc_auc_score(column == CLASSES, stored[:, column]) for column in range(4)]
    assert score(Metric("auc"), CLASSES, stored) == np.mean(ranked) == pytest.approx(expected, abs=1e-3)


def test_one_hot_and_column_labels_count_as_class_numbers() -> None:
    expected = score(Metric("accuracy"), CLASSES, SCORES)
    assert score(Metric("accuracy"), np.eye(4)[CLASSES], SCORES) == expected
    assert score(Metric("accuracy"), CLASSES[:, np.newaxis], SCORES) == expected


def test_ties_go_to_the_lowest_class_as_with_argmax() -> None:
    tied = np.zeros((4, 3))
    labels = np.array([0, 1, 2, 0])
    assert score(Metric("accuracy"), labels, tied) == 0.5
    assert score(Metric("top-1"), labels, tied) == 0.5
    assert score(Metric("top-2"), labels, tied) == 0.75


def test_positions_of_a_sequence_count_as_samples() -> None:
    outputs = np.eye(3)[np.array([[0, 1], [2, 2]])]
    assert score(Metric("accuracy"), np.array([[0, 1], [2, 0]]), outputs) == 0.75


def test_the_mean_squared_error_does_not_broadcast() -> None:
    labels, outputs = np.array([1.0, 2.0, 3.0]), np.array([[1.0], [2.0], [5.0]])
    assert score(Metric("mse"), labels, outputs) == pytest.approx(4 / 3)
    assert score(Metric("mse"), labels[:, np.newaxis], outputs.reshape(3, 1, 1)) == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    ("labels", "outputs", "name"),
    [
        (np.array([0, 2]), np.zeros((2, 3)), "accuracy"),
        (np.array([[0], [2]]), np.zeros((2, 3)), "accuracy"),
        (np.array([0, 1]), np.zeros((2, 1)), "accuracy"),
        (np.array([True, False]), np.zeros(2), "accuracy"),
        (np.eye(3), np.zeros((3, 3)), "accuracy"),
        (np.array([0.0, 2.0], np.float32), np.zeros((2, 3)), "accuracy"),
        (np.array([[0.0], [2.0]]), np.zeros((2, 3)), "accuracy"),
        (np.array([0.0, 1.0]), np.zeros((2, 1)), "accuracy"),
        (np.array([3, 7]), np.zeros((2, 1)), "mse"),
        (np.array([3.0, 7.0]), np.zeros((2, 1)), "mse"),
        (np.array([[0.0, 2.0], [1.0, 1.0]]), np.zeros((2, 2)), "mse"),
        (np.array([0.5, 1.5]), np.zeros((2, 1)), "mse"),
        (np.full((2, 3), 0.3), np.zeros((2, 3)), "mse"),
    ],
)
def test_the_metric_follows_from_labels_and_outputs(labels: np.ndarray, outputs: np.ndarray, name: str) -> None:
    metric = infer(labels, outputs)
    assert metric.name == name
    assert metric.reason


@pytest.mark.parametrize(
    ("name", "labels", "outputs", "message"),
    [
        ("accuracy", np.array([0, 4]), np.zeros((2, 4)), "labels go from 0 to 4, and the model tells 4 classes apart"),
        ("accuracy", np.array([0.5, 1]), np.zeros((2, 4)), "not class numbers"),
        ("accuracy", np.array([0, 1, 1]), np.zeros((2, 4)), "3 labels and 2 outputs"),
        ("accuracy", np.zeros((2, 3), int), np.zeros((2, 4)), r"labels of shape \[2, 3\] do not fit"),
        ("mse", np.zeros((2, 3)), np.zeros((2, 4)), r"labels of shape \[2, 3\] do not fit"),
        ("mse", np.zeros((2, 3, 4, 5)), np.zeros((2, 4, 5, 3)), "needs one number for each output, in the same layout"),
        ("mse", np.zeros((2, 12)), np.zeros((2, 3, 4)), r"labels of shape \[2, 12\] do not fit"),
        ("accuracy", np.zeros((2, 4, 3), int), np.zeros((2, 3, 4, 5)), r"labels of shape \[2, 4, 3\] do not fit"),
        ("auc", np.array([1, 1]), np.zeros((2, 4)), "all labels are class 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(name: str, labels: np.ndarray, outputs: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        score(Metric(name), labels, outputs)


@pytest.mark.parametrize("name", ["acuracy", "top-0", "top-x", "top5"])
def test_an_unknown_metric_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match="expected accuracy, top-K"):
        Metric(name)


def test_top_k_of_k_classes_is_refused() -> None:
    with pytest.raises(UsageError, match="always right"):
        score(Metric("top-4"), CLASSES, SCORES)

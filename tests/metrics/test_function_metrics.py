"""Scores of functions against hand-counted examples and against exhaustive search."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, r2_score

from genoformer.metrics.functions import (
    best_threshold,
    micro_f1,
    multiclass_scores,
    multilabel_scores,
    regression_scores,
)


def test_classes_by_hand():
    labels, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 0])
    scores = multiclass_scores(predicted, labels, ["a", "b", "never"])
    assert scores["accuracy"] == pytest.approx(3 / 5)
    assert scores["per_class"]["a"] == pytest.approx({"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3, "n": 3})
    assert scores["per_class"]["b"] == pytest.approx({"precision": 0.5, "recall": 0.5, "f1": 0.5, "n": 2})
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert scores["mcc"] == pytest.approx((2 * 1 - 1 * 1) / 6)


@pytest.mark.parametrize("seed", range(6))
def test_best_threshold_equals_the_search_over_all_scores_with_ties(seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 6, (30, 4)) / 5, (rng.random((30, 4)) < 0.3).astype(float)
    threshold = best_threshold(scores, labels)
    best = max(f1_score(labels.ravel(), (scores >= t).ravel()) for t in np.unique(scores))
    assert micro_f1(scores >= threshold, labels) == pytest.approx(best)
    assert multilabel_scores(scores, labels, list("abcd"))["micro_fmax"] == pytest.approx(best)


def test_terms_that_do_not_occur_have_no_score_of_their_own():
    scores = multilabel_scores(np.array([[0.9, 0.2], [0.1, 0.3]]), np.array([[1.0, 0.0], [0.0, 0.0]]), ["a", "b"], 0.5)
    assert scores["per_class"] == {"a": {"aupr": 1.0}} and scores["micro_f1"] == 1.0
    assert micro_f1(np.zeros((2, 2)), np.zeros((2, 2))) == 0.0


def test_numbers_by_hand_and_against_scikit_learn():
    predicted, values = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 5.0])
    scores = regression_scores(predicted, values)
    assert scores["rmse"] == pytest.approx((2 / 3) ** 0.5)
    assert scores["r2"] == pytest.approx(r2_score(values, predicted)) == pytest.approx(0.75)
    assert scores["r"] == pytest.approx(0.98198, abs=1e-5)
    assert regression_scores(np.ones(3), values)["r"] == 0.0

"""What an evaluation found, for pictures."""

import json

import numpy as np
import pytest

from genoformer.metrics.bases import BaseScores, score_bins
from genoformer.metrics.label_outcomes import class_outcomes, term_outcomes
from genoformer.metrics.outcomes import base_outcomes, bin_probabilities, number_outcomes


def test_bins_of_scores_know_their_probability():
    probabilities = np.linspace(0.001, 0.999, 999)
    assert np.abs(bin_probabilities()[score_bins(probabilities)] - probabilities).max() < 0.001
    assert (np.diff(bin_probabilities()) >= 0).all()


def test_reliability_of_bases_is_the_share_that_is_there_among_what_was_said():
    generator = np.random.default_rng(0)
    said = generator.uniform(0, 1, (60_000, 1))
    scores = BaseScores(("a",))
    scores.update(said, generator.uniform(0, 1, said.shape) < said**2)
    points = base_outcomes(scores)["reliability"]["a"]
    assert [round(point["n"], -3) for point in points] == [6000] * 10
    for point in points:
        assert point["outcome"] == pytest.approx(point["probability"] ** 2, abs=0.03)  # 6,000 draws each


def test_confusion_has_the_right_class_in_rows():
    found = class_outcomes(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), ["x", "y"])
    assert found["confusion"] == {"names": ["x", "y"], "counts": [[1, 1], [0, 2]]}
    assert found["table"]["columns"]["recall"] == [0.5, 1.0] and "reliability" not in found


def test_everything_is_json_without_nan():
    generator = np.random.default_rng(1)
    logits, right = generator.normal(size=(50, 3)), generator.integers(0, 3, 50)
    labels = (generator.uniform(size=(50, 3)) < 0.3).astype(np.float32)
    labels[:, 2] = 0
    empty = BaseScores(("a", "b"))
    empty.update(np.zeros((4, 2)), np.zeros((4, 2)))
    for found in (
        class_outcomes(logits.argmax(1), right, list("abc"), logits), term_outcomes(logits, labels, list("abc")),
        number_outcomes(logits[:, 0], logits[:, 1]), base_outcomes(empty),
    ):  # fmt: skip
        assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_many_numbers_are_thinned_and_many_classes_have_no_matrix():
    assert len(number_outcomes(np.zeros(5000), np.zeros(5000))["numbers"]["said"]) <= 600
    names = [str(i) for i in range(40)]
    assert "confusion" not in class_outcomes(np.arange(40), np.arange(40), names)

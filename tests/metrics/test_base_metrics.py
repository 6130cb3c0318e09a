"""Base-level scores against scikit-learn: ties, empty classes, weights, batches."""

import numpy as np
import pytest
from sklearn import metrics as truth

from genoformer.metrics.bases import N_BINS, BaseScores, average_precision, score_bins

NAMES = ("a", "b", "c")


def population(kind, n=20_000, seed=0):
    """Targets and logits [n, 3]: overlapping normals, crowded extremes, coarse ties, or rare positives."""
    rng = np.random.default_rng(seed)
    n, rate = (500_000, 0.002) if kind == "rare" else (n, 0.4)
    targets = rng.random((n, 3)) < rate
    scale = {"crowded": 8.0, "rare": 2.0}.get(kind, 1.0)
    logits = rng.normal(np.where(targets, scale, -scale), 1.0 + scale / 2)
    return targets, np.round(logits) if kind == "ties" else logits


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("kind", ["plain", "crowded", "ties", "rare"])
@pytest.mark.parametrize("from_logits", [False, True])
def test_scores_equal_scikit_learn(kind, from_logits):
    targets, logits = population(kind)
    weights = np.random.default_rng(1).integers(0, 3, targets.shape).astype(float)
    scores = BaseScores(NAMES)
    scores.update(logits if from_logits else sigmoid(logits), targets, weights, from_logits=from_logits)
    for c, (name, found) in enumerate(scores.compute().items()):
        yes, weight, target = logits[:, c] >= 0, weights[:, c], targets[:, c]
        precision, recall, f1, _ = truth.precision_recall_fscore_support(
            target, yes, average="binary", sample_weight=weight, zero_division=0
        )
        mcc = truth.matthews_corrcoef(target, yes, sample_weight=weight)
        auprc = truth.average_precision_score(target, logits[:, c], sample_weight=weight)
        assert name == NAMES[c]
        np.testing.assert_allclose(
            [found[key] for key in ("precision", "recall", "f1", "mcc")], [precision, recall, f1, mcc], atol=1e-12
        )
        assert found["auprc"] == pytest.approx(auprc, abs=1e-3)  # the histogram has a fixed number of bins
        assert (found["n"], found["n_positive"]) == (weight.sum(), weight[target].sum())


def test_uniform_probabilities_stay_within_a_thousandth():
    rng = np.random.default_rng(2)
    probabilities = rng.random((50_000, 1))
    targets = rng.random((50_000, 1)) < probabilities
    scores = BaseScores(["only"])
    scores.update(probabilities, targets)
    expected = truth.average_precision_score(targets[:, 0], probabilities[:, 0])
    assert scores.compute()["only"]["auprc"] == pytest.approx(expected, abs=1e-3)


def test_one_tied_score_has_the_base_rate_as_average_precision():
    scores = BaseScores(["only"])
    scores.update(np.full((10, 1), 0.7), np.array([[1]] * 3 + [[0]] * 7))
    assert scores.compute()["only"]["auprc"] == pytest.approx(0.3)


def test_class_without_positives_has_no_area_and_zero_f1():
    scores = BaseScores(["none", "all"])
    scores.update(np.array([[0.9, 0.9], [0.1, 0.1]]), np.array([[0, 1], [0, 1]]))
    result = scores.compute()
    assert np.isnan(result["none"]["auprc"]) and result["none"]["f1"] == 0 and result["none"]["mcc"] == 0
    assert result["all"]["auprc"] == 1.0 and result["all"]["recall"] == 0.5


def test_no_data_gives_zeros():
    assert BaseScores(["a"]).compute()["a"]["f1"] == 0
    assert np.isnan(average_precision(np.zeros(N_BINS), np.zeros(N_BINS)))


def test_batches_and_merged_workers_equal_one_update():
    targets, logits = population("plain", n=1000)
    whole, left, right = BaseScores(NAMES), BaseScores(NAMES), BaseScores(NAMES)
    whole.update(sigmoid(logits), targets)
    left.update(sigmoid(logits[:400]).reshape(4, 100, 3), targets[:400].reshape(4, 100, 3))
    right.update(sigmoid(logits[400:]), targets[400:])
    merged = left + right
    np.testing.assert_array_equal(merged.histogram, whole.histogram)
    np.testing.assert_array_equal(merged.confusion, whole.confusion)
    assert left.confusion.sum() == 3 * 400


def test_masked_bases_never_count_even_as_nan():
    scores = BaseScores(["a"])
    scores.update(np.array([[np.nan], [0.9]]), np.array([[1], [1]]), np.array([[0], [1]]))
    assert scores.compute()["a"]["n"] == 1


def test_update_leaves_its_input_alone():
    targets, logits = population("plain", n=50)
    copies = targets.copy(), logits.copy()
    BaseScores(NAMES).update(logits, targets, from_logits=True)
    np.testing.assert_array_equal(targets, copies[0])
    np.testing.assert_array_equal(logits, copies[1])


def test_bins_rise_with_the_score_and_agree_between_logits_and_probabilities():
    logits = np.linspace(-30, 30, 5001)
    bins = score_bins(logits, from_logits=True)
    assert (np.diff(bins) >= 0).all() and bins[0] == 0 and bins[-1] == N_BINS - 1
    middle = np.abs(logits) < 12
    assert np.abs(bins - score_bins(sigmoid(logits)))[middle].max() <= 1
    assert score_bins(np.array([0.0, 1.0])).tolist() == [0, N_BINS - 1]


@pytest.mark.parametrize(
    ("scores", "match"),
    [(np.array([[1.5]]), "probabilities"), (np.array([[np.nan]]), "NaN"), (np.zeros((1, 2)), r"\(1, 2\)")],
)
def test_scores_that_are_no_probabilities_are_refused(scores, match):
    with pytest.raises(ValueError, match=match):
        BaseScores(["a"]).update(scores, np.ones((1, 1)))


def test_merging_other_classes_is_refused():
    with pytest.raises(ValueError, match="classes differ"):
        BaseScores(["a"]) + BaseScores(["b"])

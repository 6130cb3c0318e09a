"""Calibration against scikit-learn and by hand."""

import json

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from genoformer.metrics.calibration import HIGHEST, LOWEST, IsotonicCalibrator, brier, ece
from genoformer.metrics.calibration_fit import fit_isotonic


def population(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    probabilities = rng.random(n)
    return probabilities, (rng.random(n) < probabilities**2).astype(float)


def test_ece_equals_the_quantile_curve_of_scikit_learn():
    probabilities, outcomes = population()
    observed, predicted = calibration_curve(outcomes, probabilities, n_bins=15, strategy="quantile")
    # 3000 distinct values fall 200 to a bin on both sides.
    assert ece(probabilities, outcomes) == pytest.approx(np.abs(observed - predicted).mean(), abs=1e-3)


def test_ece_by_hand():
    # Two bins: [.1, .3] with outcomes 0, 1 and [.8, 1.] with 1, 1.
    assert ece([0.8, 0.1, 1.0, 0.3], [1, 0, 1, 1], n_bins=2) == pytest.approx((2 * 0.3 + 2 * 0.1) / 4)


def test_ece_with_ties_does_not_depend_on_the_order():
    rng = np.random.default_rng(0)
    probabilities, outcomes = np.repeat([0.2, 0.7], 50), np.tile([0, 1, 1, 0, 1], 20)
    shuffled = rng.permutation(100)
    expected = pytest.approx((abs(0.6 - 0.2) + abs(0.6 - 0.7)) / 2)
    assert ece(probabilities, outcomes, n_bins=2) == expected
    assert ece(probabilities[shuffled], outcomes[shuffled]) == pytest.approx(ece(probabilities, outcomes))


def test_one_tied_value_over_all_bins_has_one_gap():
    assert ece(np.full(90, 0.5), np.tile([0, 0, 1], 30)) == pytest.approx(0.5 - 1 / 3)


def test_ece_of_calibrated_probabilities_is_small_and_of_wrong_ones_large():
    rng = np.random.default_rng(1)
    probabilities = rng.random(100_000)
    outcomes = rng.random(100_000) < probabilities
    assert ece(probabilities, outcomes) < 0.01
    assert ece(1 - probabilities, outcomes) > 0.4


def test_brier_equals_scikit_learn():
    probabilities, outcomes = population()
    assert brier(probabilities, outcomes) == pytest.approx(brier_score_loss(outcomes, probabilities), abs=1e-12)


def test_empty_population_has_no_error_value():
    assert np.isnan(ece([], [])) and np.isnan(brier([], []))


@pytest.mark.parametrize("function", [ece, brier])
@pytest.mark.parametrize(
    ("probabilities", "outcomes", "match"),
    [([1.2], [1], "1.2"), ([np.nan], [1], "nan"), ([0.5], [2], "2.0"), ([0.5, 0.5], [1], r"\(2,\)")],
)
def test_values_that_are_no_probabilities_are_refused(function, probabilities, outcomes, match):
    with pytest.raises(ValueError, match=match):
        function(probabilities, outcomes)


def test_calibrator_equals_scikit_learn_between_its_limits():
    probabilities, outcomes = population()
    scores = 20 * probabilities - 7
    calibrator = fit_isotonic(scores, outcomes)
    asked = np.linspace(-10, 20, 999)
    expected = IsotonicRegression(out_of_bounds="clip").fit(scores, outcomes).predict(asked)
    np.testing.assert_allclose(calibrator.apply(asked), np.clip(expected, LOWEST, HIGHEST), atol=1e-12)


def test_weights_count_as_equal_points():
    scores, outcomes = population(300)
    twice = np.arange(300) < 100
    weighted = fit_isotonic(scores, outcomes, np.where(twice, 2.0, 1.0))
    repeated = fit_isotonic(np.append(scores, scores[twice]), np.append(outcomes, outcomes[twice]))
    np.testing.assert_allclose(weighted.apply(scores), repeated.apply(scores), atol=1e-12)


def test_calibrator_survives_json_exactly():
    calibrator = fit_isotonic(*population(seed=3))
    again = IsotonicCalibrator.from_dict(json.loads(json.dumps(calibrator.to_dict())))
    assert again == calibrator


def test_calibration_lowers_the_error_on_other_data():
    calibrator = fit_isotonic(*population(20_000, seed=1))
    probabilities, outcomes = population(20_000, seed=2)
    assert ece(calibrator.apply(probabilities), outcomes) < 0.02 < ece(probabilities, outcomes)


def test_certainty_is_never_claimed():
    calibrator = fit_isotonic([0.0, 1.0, 2.0, 3.0], [0, 0, 1, 1])
    assert calibrator.apply([-100.0, 100.0]).tolist() == [LOWEST, HIGHEST]


def test_one_kind_of_outcome_is_legal():
    assert fit_isotonic([1.0, 2.0], [1, 1]).apply(1.5) == HIGHEST


@pytest.mark.parametrize(("x", "y"), [([], []), ([1, 0], [0, 1]), ([0, 1], [1, 0]), ([0], [0, 1]), ([0], [np.nan])])
def test_stored_map_that_does_not_rise_is_refused(x, y):
    with pytest.raises(ValueError, match="rising"):
        IsotonicCalibrator.from_dict({"x": x, "y": y})


@pytest.mark.parametrize(("scores", "outcomes"), [([], []), ([np.inf], [1]), ([1.0, 2.0], [1])])
def test_population_that_cannot_be_fitted_is_refused(scores, outcomes):
    with pytest.raises(ValueError, match="finite"):
        fit_isotonic(scores, outcomes)

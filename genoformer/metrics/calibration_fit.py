"""Fitting of what turns scores into probabilities; ``calibration`` applies it, and starts faster."""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.isotonic import IsotonicRegression

from genoformer.metrics.calibration import IsotonicCalibrator


def fit_temperature(logits: np.ndarray, classes: np.ndarray) -> float:
    """The number by which logits are divided so that their softmax is as likely as it can be.

    Args:
        logits: [n, C].
        classes: Class numbers [n].

    Returns:
        0.05 to 20: a model that is right everywhere would ask for 0.

    Reference:
        Guo et al. 2017, arXiv:1706.04599, section 4.2.
    """

    def cost(log_temperature: float) -> float:
        scaled = log_softmax(np.asarray(logits, np.float64) / np.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(classes)), classes].mean())

    return float(np.exp(minimize_scalar(cost, bounds=(np.log(0.05), np.log(20.0)), method="bounded").x))


def fit_isotonic(scores: np.ndarray, outcomes: np.ndarray, weight: np.ndarray | None = None) -> IsotonicCalibrator:
    """A rising map from scores to probabilities, by isotonic regression.

    Args:
        scores: Any finite numbers, higher means more likely, [n].
        outcomes: 0 or 1, [n].
        weight: What each of them counts, more than 0, [n]; None for all alike.

    Raises:
        ValueError: If the population is empty, shapes differ or a score is not finite.
    """
    scores, outcomes = np.asarray(scores, np.float64), np.asarray(outcomes, np.float64)
    if scores.ndim != 1 or scores.shape != outcomes.shape or len(scores) == 0 or not np.isfinite(scores).all():
        raise ValueError(f"expected finite scores and outcomes [n], n > 0, found {scores.shape}, {outcomes.shape}")
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, outcomes, weight)
    return IsotonicCalibrator(tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist()))

"""Do probabilities mean what they say: calibration error, Brier score, and corrections; their fit stands apart."""

from dataclasses import dataclass

import numpy as np

LOWEST, HIGHEST = 0.0005, 0.9995
"""A calibrated probability is never 0 or 1: no finite population proves certainty."""


def ece(probabilities: np.ndarray, outcomes: np.ndarray, n_bins: int = 15) -> float:
    """Expected calibration error over bins of equal mass.

    The population is sorted by probability and cut into ``n_bins`` runs of nearly equal size; the error is the mean
    over the population of |mean outcome - mean probability| of its bin. Equal probabilities may fall into two bins;
    each carries the mean outcome of its equals, so that the order of the input changes nothing.

    Args:
        probabilities: In [0, 1], [n].
        outcomes: 0 or 1, [n].
        n_bins: Number of bins; fewer when the population is smaller.

    Returns:
        0 (perfect) to 1; NaN for an empty population.

    Raises:
        ValueError: If shapes differ, or a value is outside [0, 1].
    """
    probabilities, outcomes = _checked(probabilities, outcomes)
    if len(probabilities) == 0:
        return float("nan")
    values, group, sizes = np.unique(probabilities, return_inverse=True, return_counts=True)
    gap_of_value = np.bincount(group, outcomes) / sizes - values
    gaps = np.array_split(np.repeat(gap_of_value, sizes), min(n_bins, len(group)))
    return float(sum(abs(gap.sum()) for gap in gaps) / len(group))


def brier(probabilities: np.ndarray, outcomes: np.ndarray) -> float:
    """Mean squared difference between probability and outcome, [n] each; NaN for an empty population.

    Raises:
        ValueError: If shapes differ, or a value is outside [0, 1].
    """
    probabilities, outcomes = _checked(probabilities, outcomes)
    return float(np.mean((probabilities - outcomes) ** 2)) if len(probabilities) else float("nan")


def reliability(probabilities: np.ndarray, outcomes: np.ndarray, n_bins: int = 15) -> list[dict[str, float]]:
    """Points of a reliability plot: bins of nearly equal size, sorted by probability.

    Args:
        probabilities: In [0, 1], [n].
        outcomes: 0 or 1, [n].
        n_bins: Number of bins; fewer when the population is smaller.

    Returns:
        For each bin "probability" and "outcome" (means) and "n".

    Raises:
        ValueError: If shapes differ, or a value is outside [0, 1].
    """
    probabilities, outcomes = _checked(probabilities, outcomes)
    bins = np.array_split(np.argsort(probabilities, kind="stable"), max(1, min(n_bins, len(outcomes))))
    return [
        {"probability": float(probabilities[bin].mean()), "outcome": float(outcomes[bin].mean()), "n": len(bin)}
        for bin in bins
        if len(bin)
    ]


def class_probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Softmax of logits over a temperature, see ``calibration_fit.fit_temperature``.

    Args:
        logits: [n, C].
        temperature: Above 0.

    Returns:
        float64 [n, C].
    """
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _checked(probabilities: np.ndarray, outcomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    probabilities, outcomes = np.asarray(probabilities, np.float64), np.asarray(outcomes, np.float64)
    if probabilities.ndim != 1 or probabilities.shape != outcomes.shape:
        raise ValueError(f"expected two shapes [n], found {probabilities.shape} and {outcomes.shape}")
    for name, values in (("probability", probabilities), ("outcome", outcomes)):
        wrong = values[~((values >= 0) & (values <= 1))]
        if len(wrong):
            raise ValueError(f"expected a {name} in [0, 1], found {wrong[0]}")
    return probabilities, outcomes


@dataclass(frozen=True, slots=True)
class IsotonicCalibrator:
    """A rising, piecewise linear map from scores to probabilities.

    Args:
        x: Scores at the corners, rising.
        y: Probabilities at the corners, not falling.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        values = np.array([self.x, self.y], dtype=np.float64) if len(self.x) == len(self.y) else np.zeros((2, 0))
        if values.size == 0 or not np.isfinite(values).all() or (np.diff(values) < 0).any():
            raise ValueError("expected x and y of equal length, not empty, finite and rising")

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities of scores, the same shape, float64, in [0.0005, 0.9995]."""
        return np.clip(np.interp(np.asarray(scores, np.float64), self.x, self.y), LOWEST, HIGHEST)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists for a JSON file."""
        return {"x": list(self.x), "y": list(self.y)}

    @classmethod
    def from_dict(cls, stored: dict[str, list[float]]) -> "IsotonicCalibrator":
        """Read back ``to_dict``; ValueError if the lists make no rising map, KeyError if one is missing."""
        return cls(tuple(float(value) for value in stored["x"]), tuple(float(value) for value in stored["y"]))

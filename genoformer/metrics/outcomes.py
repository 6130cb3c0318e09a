"""What one evaluation found, as far as a picture needs it: tables, and how often probabilities came true.

All of it is plain JSON, so that it can lie beside the weights that it belongs to.
"""

from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np

from genoformer.metrics.bases import N_BINS, BaseScores, score_bins
from genoformer.metrics.calibration import class_probabilities, reliability
from genoformer.metrics.functions import multiclass_scores, multilabel_scores

N_TENTHS = 10
MAX_CLASSES = 24
"""A larger confusion matrix cannot be read."""
MAX_CURVES = 6
LEAST_BASES = 20
"""A share of fewer bases says nothing."""
MAX_POINTS = 600
GRID_LOGITS = np.linspace(-40.0, 40.0, 160_001)

Points = list[dict[str, float]]


class Outcomes(TypedDict):
    """What was found; a key is left out where a task has no such thing.

    Attributes:
        table: Scores of each class: "names", and a column of numbers by name; None where a number has no meaning.
        confusion: "names", and "counts" by class that is right (rows) and class that was said.
        reliability: Points by name, see ``calibration.reliability``.
        of: What the probabilities are of, in a few words.
        numbers: Numbers that are right and those that were said, in the same order.
    """

    table: NotRequired[dict[str, Any]]
    confusion: NotRequired[dict[str, Any]]
    reliability: NotRequired[dict[str, Points]]
    of: NotRequired[str]
    numbers: NotRequired[dict[str, list[float]]]


def base_outcomes(scores: BaseScores) -> Outcomes:
    """Outcomes of independent outputs per base."""
    found = scores.compute()
    columns = ("precision", "recall", "f1", "mcc", "auprc", "n_positive")
    curves = {name: base_reliability(scores.histogram[c]) for c, name in enumerate(scores.class_names)}
    frequent = sorted(found, key=lambda name: -found[name]["n_positive"])[:MAX_CURVES]
    return {
        "table": _table(found, columns),
        "reliability": {name: points for name, points in curves.items() if name in frequent and len(points) > 1},
        "of": "an output at a base",
    }


def base_reliability(histogram: np.ndarray) -> Points:
    """Points of a reliability plot from histograms of scores, one for each tenth of probability that holds bases.

    Args:
        histogram: Weights of negatives and of positives in each bin of ``bases.score_bins``, [2, N_BINS].
    """
    probability = bin_probabilities()
    tenth = np.minimum((probability * N_TENTHS).astype(int), N_TENTHS - 1)
    n = histogram.sum(axis=0)
    sums = [np.bincount(tenth, weights, minlength=N_TENTHS) for weights in (n, n * probability, histogram[1])]
    return [
        {"probability": float(said / bases), "outcome": float(true / bases), "n": float(bases)}
        for bases, said, true in zip(*sums, strict=True)
        if bases >= LEAST_BASES
    ]


def bin_probabilities() -> np.ndarray:
    """Probability in the middle of each bin of ``bases.score_bins``, [N_BINS]."""
    bins = score_bins(GRID_LOGITS, from_logits=True)
    sums = np.bincount(bins, 1 / (1 + np.exp(-GRID_LOGITS)), minlength=N_BINS)
    counts = np.bincount(bins, minlength=N_BINS)
    filled = np.flatnonzero(counts)
    return np.interp(np.arange(N_BINS), filled, sums[filled] / counts[filled])


def class_outcomes(
    said: np.ndarray, right: np.ndarray, names: Sequence[str], logits: np.ndarray | None = None
) -> Outcomes:
    """Outcomes of one class among several.

    Args:
        said: Class numbers [n].
        right: Class numbers [n].
        names: Names by number.
        logits: [n, C]; without them nothing is known of probabilities.
    """
    scores = multiclass_scores(said, right, names)
    found: Outcomes = {"table": _table(scores["per_class"], ("precision", "recall", "f1", "n"))}
    if len(names) <= MAX_CLASSES:
        counts = np.bincount(right * len(names) + said, minlength=len(names) ** 2)
        found["confusion"] = {"names": list(names), "counts": counts.reshape(len(names), -1).tolist()}
    if logits is not None:
        surest = class_probabilities(logits, 1.0).max(axis=1)
        found["reliability"] = {"likeliest class": reliability(surest, said == right, N_TENTHS)}
        found["of"] = "the likeliest class, before calibration"
    return found


def term_outcomes(logits: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> Outcomes:
    """Outcomes of any number of terms.

    Args:
        logits: [n, C].
        labels: 0 or 1, [n, C].
        names: Names of the terms.
    """
    per_class = multilabel_scores(logits, labels, names)["per_class"]
    counted = {
        name: {**per_class[name], "n": float(labels[:, c].sum())} for c, name in enumerate(names) if name in per_class
    }
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64).ravel()))
    return {
        "table": _table(counted, ("aupr", "n")),
        "reliability": {"all terms": reliability(probabilities, labels.ravel(), N_TENTHS)},
        "of": "a term, before calibration",
    }


def number_outcomes(said: np.ndarray, right: np.ndarray) -> Outcomes:
    """Outcomes of numbers, [n] each; of many, some that are evenly spread in their order."""
    chosen = slice(None, None, max(1, -(-len(said) // MAX_POINTS)))
    return {"numbers": {"right": right[chosen].astype(float).tolist(), "said": said[chosen].astype(float).tolist()}}


def _table(scores: dict[str, dict[str, float]], columns: Sequence[str]) -> dict[str, Any]:
    rows = scores.values()
    numbers = {c: [float(row[c]) if np.isfinite(row[c]) else None for row in rows] for c in columns}
    return {"names": list(scores), "columns": numbers}

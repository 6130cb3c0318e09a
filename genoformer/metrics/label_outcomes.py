"""What an evaluation of classes and terms found, as far as a picture needs it; see ``outcomes``."""

from collections.abc import Sequence

import numpy as np

from genoformer.metrics.calibration import class_probabilities, reliability
from genoformer.metrics.functions import multiclass_scores, multilabel_scores
from genoformer.metrics.outcomes import N_TENTHS, Outcomes, score_table

MAX_CLASSES = 24
"""A larger confusion matrix cannot be read."""


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
    found: Outcomes = {"table": score_table(scores["per_class"], ("precision", "recall", "f1", "n"))}
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
        "table": score_table(counted, ("aupr", "n")),
        "reliability": {"all terms": reliability(probabilities, labels.ravel(), N_TENTHS)},
        "of": "a term, before calibration",
    }

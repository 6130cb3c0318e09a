"""Scores of labels of whole sequences: one class of several, sets of terms, numbers.

The measures are those of scikit-learn; here they are put together and their edge cases fixed.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import average_precision_score, f1_score, matthews_corrcoef, precision_recall_fscore_support


def multiclass_scores(predicted: np.ndarray, labels: np.ndarray, class_names: Sequence[str]) -> dict:
    """Accuracy, macro-F1, MCC, and precision, recall and F1 of each class.

    Macro-F1 is the mean over all classes of the model, also over those that the reference lacks (F1 0 there).

    Args:
        predicted: Class numbers [n].
        labels: Class numbers [n].
        class_names: Names by number.
    """
    numbers = range(len(class_names))
    parts = precision_recall_fscore_support(labels, predicted, labels=list(numbers), zero_division=0.0)
    return {
        "n": len(labels),
        "accuracy": float(np.mean(predicted == labels)),
        "macro_f1": float(parts[2].mean()),
        "mcc": float(matthews_corrcoef(labels, predicted)),
        "per_class": {
            name: dict(zip(("precision", "recall", "f1", "n"), (float(part[c]) for part in parts), strict=True))
            for c, name in enumerate(class_names)
        },
    }


def multilabel_scores(
    scores: np.ndarray, labels: np.ndarray, term_names: Sequence[str], threshold: float | None = None
) -> dict:
    """Micro-F1 at a threshold, micro-AUPR, and the mean AUPR of the terms that occur.

    Args:
        scores: Higher is more likely, [n, C].
        labels: 0 or 1, [n, C].
        term_names: Names of the terms.
        threshold: A score that is not lower is a yes; None takes the best one for these labels ("micro_fmax").
    """
    occurs = np.any(labels, axis=0)
    per_term = {
        name: float(average_precision_score(labels[:, c], scores[:, c]))
        for c, name in enumerate(term_names)
        if occurs[c]
    }
    used = best_threshold(scores, labels) if threshold is None else threshold
    return {
        "n": len(labels),
        "micro_fmax" if threshold is None else "micro_f1": micro_f1(scores >= used, labels),
        "threshold": float(used),
        "micro_aupr": float(average_precision_score(labels.ravel(), scores.ravel())),
        "macro_aupr": float(np.mean(list(per_term.values()))) if per_term else 0.0,
        "per_class": {name: {"aupr": value} for name, value in per_term.items()},
    }


def micro_f1(predicted: np.ndarray, labels: np.ndarray) -> float:
    """F1 over all pairs of sequence and term, bool or 0 and 1, [n, C]; 0 where nothing is predicted or labelled."""
    return float(f1_score(labels.ravel(), predicted.ravel(), zero_division=0.0))


def best_threshold(scores: np.ndarray, labels: np.ndarray) -> float:
    """The score from which on a yes gives the highest micro-F1; the highest such score when several do.

    Args:
        scores: [n, C].
        labels: 0 or 1, [n, C].
    """
    flat = scores.ravel()
    order = np.argsort(-flat, kind="stable")
    ranked, hits = flat[order], np.cumsum(labels.ravel()[order])
    f1 = 2 * hits / (np.arange(1, len(flat) + 1) + hits[-1])
    is_last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    return float(ranked[np.argmax(np.where(is_last_of_equals, f1, -1.0))])


def threshold_of_precision(scores: np.ndarray, is_right: np.ndarray, precision: float, n_least: int) -> float | None:
    """The lowest score from which on a share of the answers is right; None if there is none.

    Args:
        scores: Of the answers, higher is surer, [n].
        is_right: Whether each is right, bool [n].
        precision: The share.
        n_least: Answers that there must be from the score on: fewer show nothing.
    """
    if not len(scores):
        return None
    order = np.argsort(-scores, kind="stable")
    ranked, numbers = scores[order], np.arange(1, len(scores) + 1)
    is_last_of_equals = np.append(ranked[1:] != ranked[:-1], True)
    is_enough = (np.cumsum(is_right[order]) >= precision * numbers) & (numbers >= n_least) & is_last_of_equals
    return float(ranked[np.flatnonzero(is_enough)[-1]]) if is_enough.any() else None


def regression_scores(predicted: np.ndarray, values: np.ndarray) -> dict[str, float | int]:
    """Pearson's r, R² and root mean squared error of numbers [n]; r is 0 where either does not vary."""
    spread = float(np.sum((values - values.mean()) ** 2))
    error = float(np.sum((values - predicted) ** 2))
    varies = spread > 0 and np.ptp(predicted) > 0
    return {
        "n": len(values),
        "r": float(np.corrcoef(predicted, values)[0, 1]) if varies else 0.0,
        "r2": 1 - error / spread if spread > 0 else 0.0,
        "rmse": (error / len(values)) ** 0.5,
    }

"""Scores of predicted terms as in CAFA: over sequences, for each branch of an ontology.

Reference: Radivojac et al. 2013, doi:10.1038/nmeth.2340; Jiang et al. 2016, doi:10.1186/s13059-016-1037-6.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

N_THRESHOLDS = 201


@dataclass(frozen=True)
class Curve:
    """Means over sequences at falling thresholds, float64 [t] each.

    Attributes:
        thresholds: A score that is not lower is a yes.
        precision: Mean over the sequences with a yes.
        recall: Mean over all sequences.
        remaining: Mean information of the terms that were missed.
        misinformation: Mean information of the terms that were wrong.
    """

    thresholds: np.ndarray
    precision: np.ndarray
    recall: np.ndarray
    remaining: np.ndarray
    misinformation: np.ndarray

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of precision and recall, 0 where both are."""
        total = self.precision + self.recall
        return np.divide(2 * self.precision * self.recall, total, out=np.zeros_like(total), where=total > 0)


def curve_of(
    scores: np.ndarray, labels: np.ndarray, information: np.ndarray, thresholds: np.ndarray | None = None
) -> Curve:
    """The curve of one branch; sequences without a term of it are left out.

    Args:
        scores: Higher is more likely, [n, C].
        labels: 0 or 1, with every implied term, [n, C].
        information: Of each term, [C].
        thresholds: Falling; by default quantiles of the scores, so that a rising function of them changes nothing.
    """
    annotated = labels.any(axis=1)
    scores, yes = scores[annotated], labels[annotated].astype(bool)
    if thresholds is None:
        quantiles = np.quantile(scores, np.linspace(0, 1, N_THRESHOLDS), method="higher") if scores.size else []
        thresholds = np.unique(quantiles)[::-1]
    rows = np.array([_point(scores >= threshold, yes, information) for threshold in thresholds]).reshape(-1, 4)
    return Curve(np.asarray(thresholds, np.float64), *rows.T)


def _point(said: np.ndarray, yes: np.ndarray, information: np.ndarray) -> tuple[float, float, float, float]:
    n, hits = max(1, len(yes)), (said & yes).sum(axis=1)
    n_said = said.sum(axis=1)
    has_any = n_said > 0
    precision = float((hits[has_any] / n_said[has_any]).mean()) if has_any.any() else 0.0
    recall = float((hits / yes.sum(axis=1)).sum() / n)
    remaining, wrong = ((~said & yes) @ information).sum() / n, ((said & ~yes) @ information).sum() / n
    return precision, recall, float(remaining), float(wrong)


def best_common_threshold(scores: np.ndarray, labels: np.ndarray, namespaces: Sequence[str]) -> float:
    """The score from which on a yes gives the highest mean F1 over the branches.

    One threshold for all branches keeps what is said coherent.

    Args:
        scores: [n, C].
        labels: 0 or 1, with every implied term, [n, C].
        namespaces: Branch of each column.
    """
    thresholds = np.unique(np.quantile(scores, np.linspace(0, 1, N_THRESHOLDS), method="higher"))[::-1]
    f1 = np.zeros(len(thresholds))
    for columns in _columns(namespaces).values():
        f1 += curve_of(scores[:, columns], labels[:, columns], np.zeros(len(columns)), thresholds).f1
    return float(thresholds[f1.argmax()])


def ontology_scores(
    scores: np.ndarray, labels: np.ndarray, namespaces: Sequence[str], information: np.ndarray, said: np.ndarray
) -> dict[str, dict[str, float]]:
    """Fmax, F1 of what was said, Smin and AUPR of each branch that a sequence has.

    AUPR is the sum over thresholds of the gain in recall times the precision there.

    Args:
        scores: Higher is more likely, [n, C].
        labels: 0 or 1, with every implied term, [n, C].
        namespaces: Branch of each column.
        information: Of each term in bits, from the training part, [C].
        said: What was called, at a threshold from validation, bool [n, C].
    """
    found = {}
    for namespace, columns in _columns(namespaces).items():
        part, truth, bits = scores[:, columns], labels[:, columns], information[columns]
        if not truth.any():
            continue
        curve = curve_of(part, truth, bits)
        called = curve_of(said[:, columns].astype(float), truth, bits, np.array([0.5]))
        found[namespace] = {
            "n": int(truth.any(axis=1).sum()),
            "fmax": float(curve.f1.max()),
            "f1": float(called.f1[0]),
            "smin": float(np.hypot(curve.remaining, curve.misinformation).min()),
            "aupr": float((np.diff(curve.recall, prepend=0.0) * curve.precision).sum()),
        }
    return found


def _columns(namespaces: Sequence[str]) -> dict[str, np.ndarray]:
    names = np.asarray(namespaces)
    return {str(name): np.flatnonzero(names == name) for name in np.unique(names)}

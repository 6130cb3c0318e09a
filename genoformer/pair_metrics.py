"""Scores of predicted base pairs: precision, recall and F1 of one RNA, means over many."""

from collections.abc import Iterable

import numpy as np

from genoformer.structures.dot_bracket import pairs_of


def pair_scores(predicted: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Scores of the pairs of one RNA; a pair is right when both of its bases are.

    Args:
        predicted: Partners [L], see ``structures.dot_bracket``.
        reference: Partners [L].

    Returns:
        "precision", "recall" and "f1". Without pairs in the reference and in the prediction all are 1.
    """
    found, wanted = pairs_of(predicted), pairs_of(reference)
    n_right = int((reference[found[:, 0]] == found[:, 1]).sum())
    if not len(found) and not len(wanted):
        return {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    return {
        "precision": n_right / max(1, len(found)),
        "recall": n_right / max(1, len(wanted)),
        "f1": 2 * n_right / (len(found) + len(wanted)),
    }


def mean_pair_scores(scores: Iterable[dict[str, float]]) -> dict[str, float]:
    """Mean over RNAs of each score, as published tables have it; NaN without RNAs."""
    rows = list(scores)
    return {name: float(np.mean([row[name] for row in rows])) for name in ("precision", "recall", "f1")}

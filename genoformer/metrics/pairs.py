"""Scores of predicted base pairs: precision, recall and F1 of one RNA, means over many."""

from collections.abc import Iterable

import numpy as np

from genoformer.structures.dot_bracket import pairs_of

SEPARATIONS = {"all": (6, None), "short": (6, 12), "medium": (12, 24), "long": (24, None)}
"""Ranges of the distance along the chain, as CASP has them: from, and below."""
FRACTIONS = {"L": 1, "L/2": 2, "L/5": 5}


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


def contact_precision(scores: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Share of true contacts among the best L, L/2 and L/5 pairs of a chain of L residues, by separation.

    Args:
        scores: Higher is more likely, [L, L], symmetric.
        labels: int8 [L, L]: 1 contact, 0 none, below 0 unknown; unknown pairs are not counted.

    Returns:
        By name such as "long L/5"; a range without known pairs is left out. With fewer pairs than asked for, all count.
    """
    i, j = np.nonzero(np.triu(labels >= 0, min(low for low, _ in SEPARATIONS.values())))
    order = np.argsort(-scores[i, j], kind="stable")
    separation, hits = (j - i)[order], labels[i, j][order] == 1
    found = {}
    for name, (low, high) in SEPARATIONS.items():
        chosen = hits[(separation >= low) & (separation < (high or len(labels)))]
        for fraction, divisor in FRACTIONS.items():
            if len(chosen):
                found[f"{name} {fraction}"] = float(chosen[: max(1, len(labels) // divisor)].mean())
    return found


def mean_contact_precision(rows: Iterable[dict[str, float]]) -> dict[str, float]:
    """Mean of each precision over the chains that have such pairs."""
    rows = list(rows)
    names = [f"{name} {fraction}" for name in SEPARATIONS for fraction in FRACTIONS]
    found = {name: [row[name] for row in rows if name in row] for name in names}
    return {name: float(np.mean(values)) for name, values in found.items() if values}

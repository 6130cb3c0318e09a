"""Base-level scores, added up over batches: precision, recall, F1, MCC and area under the precision-recall curve.

The state is a fixed number of counts per class, whatever the length of the genome; the states of several workers add.
"""

import numpy as np

N_BINS = 4096
LOGIT_RANGE = 16.0
"""Logits beyond this are one bin; float32 probabilities are 0 or 1 from about 16.6 on."""


class BaseScores:
    """Confusion counts at a threshold of 0.5 and a histogram of scores, for each class by itself.

    Args:
        class_names: One name per class, in the order of the last axis.
    """

    def __init__(self, class_names: tuple[str, ...] | list[str]) -> None:
        self.class_names = tuple(class_names)
        n_classes = len(self.class_names)
        # Sums of weights by class, target (0 or 1) and bin, or decision at 0.5.
        self.histogram = np.zeros((n_classes, 2, N_BINS))
        self.confusion = np.zeros((n_classes, 2, 2))

    def update(
        self, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None, *, from_logits: bool = False
    ) -> None:
        """Add a batch. A base of weight 0 does not count; a probability of exactly 0.5 is a yes.

        Args:
            scores: Probabilities, or logits with ``from_logits``, [..., C].
            targets: 0 or 1, bool or number, the same shape.
            weights: Not negative, the same shape; None weighs every base 1.
            from_logits: ``scores`` are logits.

        Raises:
            ValueError: If shapes differ, or a score that counts is NaN or no probability.
        """
        n_classes = len(self.class_names)
        scores = np.asarray(scores, np.float64)
        weights = np.ones_like(scores) if weights is None else np.asarray(weights, np.float64)
        targets = np.asarray(targets)
        if not scores.shape == targets.shape == weights.shape or scores.shape[-1:] != (n_classes,):
            raise ValueError(
                f"expected three shapes [..., {n_classes}], found {scores.shape}, {targets.shape}, {weights.shape}"
            )
        counted = weights > 0
        if np.isnan(scores[counted]).any() or (not from_logits and _outside_unit(scores[counted])):
            raise ValueError("scores hold NaN" if from_logits else "expected probabilities in [0, 1] without NaN")
        scores = np.where(counted, scores, 0.5)
        bins = score_bins(scores, from_logits=from_logits)
        yes = scores >= (0.0 if from_logits else 0.5)
        for c in range(n_classes):
            self._add_class(
                c, bins[..., c].ravel(), yes[..., c].ravel(), targets[..., c].ravel() > 0, weights[..., c].ravel()
            )

    def _add_class(self, c: int, bins: np.ndarray, yes: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> None:
        flat = np.bincount(positive * N_BINS + bins, weights, minlength=2 * N_BINS)
        self.histogram[c] += flat.reshape(2, N_BINS)
        self.confusion[c] += np.bincount(positive * 2 + yes, weights, minlength=4).reshape(2, 2)

    def merge(self, other: "BaseScores") -> "BaseScores":
        """The scores of both, as a third object; ValueError if the classes differ."""
        if self.class_names != other.class_names:
            raise ValueError(f"classes differ: {self.class_names} and {other.class_names}")
        total = BaseScores(self.class_names)
        total.histogram = self.histogram + other.histogram
        total.confusion = self.confusion + other.confusion
        return total

    __add__ = merge

    def compute(self) -> dict[str, dict[str, float]]:
        """Per class: precision, recall, f1, mcc, auprc, n_positive and n (sums of weights).

        A ratio without denominator is 0, as in scikit-learn; ``auprc`` of a class without positives is NaN.
        """
        return {name: self._compute_class(c) for c, name in enumerate(self.class_names)}

    def _compute_class(self, c: int) -> dict[str, float]:
        (tn, fp), (fn, tp) = self.confusion[c].tolist()
        negatives, positives = self.histogram[c]
        return {
            **binary_scores(tp, fp, fn, tn),
            "auprc": average_precision(positives, negatives),
            "n_positive": fn + tp,
            "n": tn + fp + fn + tp,
        }


def _outside_unit(scores: np.ndarray) -> bool:
    return bool(((scores < 0) | (scores > 1)).any())


def score_bins(scores: np.ndarray, *, from_logits: bool = False) -> np.ndarray:
    """Bin of each score, 0 to ``N_BINS`` - 1, rising with the score.

    Half of the bins divide the probability evenly, half divide the logit: trained models crowd at 0 and 1, where even
    bins of the probability alone would tie most bases.
    """
    with np.errstate(divide="ignore", over="ignore"):
        if from_logits:
            logits, probabilities = scores, 1 / (1 + np.exp(-scores))
        else:
            logits, probabilities = np.log(scores) - np.log1p(-scores), scores
    place = 0.5 * probabilities + 0.5 * (np.clip(logits, -LOGIT_RANGE, LOGIT_RANGE) / (2 * LOGIT_RANGE) + 0.5)
    return np.minimum((place * N_BINS).astype(np.int64), N_BINS - 1)


def average_precision(positives: np.ndarray, negatives: np.ndarray) -> float:
    """Average precision from two histograms of scores, bins rising; bases of one bin are ties.

    Sum over bins, highest first, of the step in recall times the precision at that bin: the definition of
    scikit-learn's ``average_precision_score``. With ``N_BINS`` the two differ by less than 0.001 for a thousand or
    more positives; with a few dozen, ties that the bins make can cost more.

    Args:
        positives: Weight of the positives in each bin, [n].
        negatives: Weight of the negatives in each bin, [n].

    Returns:
        0 to 1; NaN without positives.
    """
    total = positives.sum()
    if total <= 0:
        return float("nan")
    steps = positives[::-1]
    hits = np.cumsum(steps)
    called = hits + np.cumsum(negatives[::-1])
    filled = called > 0
    return float((steps[filled] * hits[filled] / called[filled]).sum() / total)


def binary_scores(tp: float, fp: float, fn: float, tn: float) -> dict[str, float]:
    """Precision, recall, f1 and mcc of one confusion table; 0 where the denominator is 0."""
    spread = float(tp + fp) * float(tp + fn) * float(tn + fp) * float(tn + fn)
    return {
        **precision_recall_f1(tp, tp + fp, tp + fn),
        "mcc": (float(tp) * tn - float(fp) * fn) / spread**0.5 if spread else 0.0,
    }


def precision_recall_f1(n_hits: float, n_predicted: float, n_reference: float) -> dict[str, float]:
    """Precision, recall and f1 when hits are counted once on either side; 0 where the denominator is 0."""
    both = n_predicted + n_reference
    return {
        "precision": n_hits / n_predicted if n_predicted else 0.0,
        "recall": n_hits / n_reference if n_reference else 0.0,
        "f1": 2 * n_hits / both if both else 0.0,
    }

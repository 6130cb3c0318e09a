"""Fitting weights and confidence maps to candidates of sequence whose genes are known."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from genoformer.decoding.decoder import Scorer
from genoformer.decoding.frames import best_starts, frame_groups, log_shares, rate_starts
from genoformer.decoding.scoring import (
    GENE_FEATURES,
    GENE_STATISTICS,
    DecoderWeights,
    candidate_scores,
    feature_names,
    gene_features,
    second_look_features,
    second_look_names,
    start_features,
    start_names,
    start_scores,
)
from genoformer.errors import DataError
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.metrics.calibration_fit import fit_isotonic

RIDGE = 1.0
"""Keeps the weight of a start codon that hardly occurs near zero; like that of a logistic regression with C = 1, it
counts less the more frames there are."""

MOST_STEPS, LEAST_GAIN, LEAST_STEP = 50, 1e-10, 1e-6
"""Steps of a fit, what the last one must gain for each frame, and the least part of a step that is tried."""

ORF_SPACING = 1 << 40


def frame_of_gene(start: np.ndarray, end: np.ndarray, strand: np.ndarray) -> np.ndarray:
    """The open-frame number that a gene's 3′ end belongs to, as in ``CANDIDATE_DTYPE``."""
    return np.where(strand > 0, 2 * end, 2 * start + 1)


def truth_of(candidates: np.ndarray, genes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which candidates are right, which are not to be judged.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        genes: Gene table of the same sequence (start, end, strand, masked).

    Returns:
        Right frame, right start, judged: three bool arrays [N]. Candidates of which more than half lies in a masked
        gene are not judged.
    """
    real = genes[~genes["masked"]]
    frames = frame_of_gene(real["start"], real["end"], real["strand"])
    starts = np.where(real["strand"] > 0, real["start"], real["end"])
    order = np.argsort(frames)
    at = np.minimum(np.searchsorted(frames[order], candidates["orf"]), len(frames) - 1)
    frame_right = frames[order][at] == candidates["orf"] if len(frames) else np.zeros(len(candidates), bool)
    five_prime = np.where(candidates["strand"] > 0, candidates["start"], candidates["end"])
    start_right = frame_right & (starts[order][at] == five_prime) if len(frames) else frame_right
    return frame_right, start_right, ~mostly_masked(candidates, genes[genes["masked"]])


def mostly_masked(candidates: np.ndarray, masked: np.ndarray) -> np.ndarray:
    """Rows of which more than half lies in masked genes, bool [N].

    Args:
        candidates: Fields start and end.
        masked: Gene table.
    """
    if len(masked) == 0 or len(candidates) == 0:
        return np.zeros(len(candidates), bool)
    covered = np.zeros(int(max(masked["end"].max(), candidates["end"].max())) + 1, np.int64)
    for gene in masked:
        covered[gene["start"] + 1 : gene["end"] + 1] = 1
    covered = np.cumsum(covered)
    inside = covered[candidates["end"]] - covered[candidates["start"]]
    return 2 * inside > candidates["end"] - candidates["start"]


def fit_starts(
    candidates: np.ndarray,
    evidence: np.ndarray | None,
    start_right: np.ndarray,
    around: np.ndarray | None = None,
    weight: np.ndarray | None = None,
) -> dict[str, float]:
    """Conditional logit over the starts of each frame whose true start is among the candidates.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        evidence: The genome's statistics on them, or None to fit weights that do without.
        start_right: bool [N].
        around: From ``neighbours.start_neighbours``, or None for a first look.
        weight: What each row counts, the same within a frame, float64 [N]; None for all alike.

    Returns:
        Weight of each feature.
    """
    known = np.isin(candidates["orf"], candidates["orf"][start_right])
    rows, right = candidates[known], start_right[known]
    tables = [None if table is None else table[known] for table in (evidence, around)]
    features = start_features(rows, *tables)
    spread = np.maximum(features.std(axis=0), 1e-6)
    features /= spread
    group, frames = frame_groups(rows)
    counts = np.ones(len(rows)) if weight is None else _mean_one(weight[known], group)

    weights = _conditional_logit(features, right, group, len(frames), counts)
    return dict(zip(start_names(*tables), map(float, weights / spread), strict=True))


def _conditional_logit(
    features: np.ndarray, right: np.ndarray, group: np.ndarray, n_groups: int, counts: np.ndarray
) -> np.ndarray:
    """Weights of the columns, by Newton's method: the cost is convex, and columns are few.

    Args:
        features: float64 [N, F].
        right: The row of each group that is right, bool [N].
        group: Number of the group of each row, [N].
        n_groups: Of all rows.
        counts: What each row counts, the same within a group, float64 [N].
    """
    members = csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))), shape=(n_groups, len(group)))
    of_group = members @ counts / np.maximum(members @ np.ones(len(group)), 1)

    def cost(weights: np.ndarray, log_p: np.ndarray) -> float:
        return RIDGE * weights @ weights / 2 - (counts * log_p)[right].sum()

    weights = np.zeros(features.shape[1])
    log_p = log_shares(features @ weights, group, n_groups)
    for _ in range(MOST_STEPS):
        share = np.exp(log_p)
        slope = RIDGE * weights - features.T @ (counts * (right - share))
        means = (members @ (share[:, None] * features)) * np.sqrt(of_group)[:, None]
        curve = features.T @ ((counts * share)[:, None] * features) - means.T @ means + RIDGE * np.eye(len(weights))
        step, before, size = np.linalg.solve(curve, slope), cost(weights, log_p), 1.0
        gain = slope @ step
        if gain <= LEAST_GAIN * max(n_groups, 1):
            break
        while size > LEAST_STEP:
            tried = log_shares(features @ (weights - size * step), group, n_groups)
            if cost(weights - size * step, tried) <= before - size * gain / 4:
                break
            size /= 2
        weights, log_p = weights - size * step, tried
    return weights


def _mean_one(weight: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Weights of rows whose mean over the groups is 1, so that the penalty of a fit means the same with any weights."""
    of_group = np.ones(group.max(initial=-1) + 1)
    of_group[group] = weight
    return weight / (of_group.mean() if len(of_group) else 1.0)


def fit_genes(
    candidates: np.ndarray,
    evidence: np.ndarray | None,
    frame_right: np.ndarray,
    start_weights: dict[str, float],
    stop_rate: np.ndarray,
    weight: np.ndarray | None = None,
) -> dict[str, float]:
    """Logistic regression on the best start of each open frame.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        evidence: As for ``fit_starts``.
        frame_right: bool [N].
        start_weights: From ``fit_starts``.
        stop_rate: Of the genome each candidate comes from, float [N].
        weight: What each row counts, float64 [N]; None for all alike.

    Returns:
        Weight of each feature.
    """
    scores = start_scores(candidates, evidence, start_weights)
    best = best_starts(candidates, scores)
    best_evidence = None if evidence is None else evidence[best]
    features = gene_features(candidates[best], best_evidence, stop_rate=stop_rate[best])
    names = feature_names(GENE_FEATURES, GENE_STATISTICS, evidence)
    return _logistic(features, frame_right[best], names, _rows_of(weight, best))


def _rows_of(weight: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if weight is None else weight[rows]


def _logistic(
    features: np.ndarray, right: np.ndarray, names: tuple[str, ...], weight: np.ndarray | None
) -> dict[str, float]:
    """Weights of a logistic regression whose first column is the intercept."""
    spread = np.maximum(features.std(axis=0), 1e-6)
    spread[0] = 1.0
    counts = None if weight is None else weight / weight.mean()
    model = LogisticRegression(C=1.0, fit_intercept=False, solver="newton-cholesky", tol=1e-6)
    model.fit(features / spread, right, counts)
    return dict(zip(names, map(float, model.coef_[0] / spread), strict=True))


@dataclass(frozen=True)
class FitRows:
    """Judged candidates with the truth about them, from any number of genomes.

    Attributes:
        candidates: Rows of ``CANDIDATE_DTYPE``; ``orf`` is unique over all genomes.
        frame_right: A gene ends where the row's open frame ends, bool [N].
        start_right: And begins where the row begins, bool [N].
        stop_rate: Of the genome the row comes from, float64 [N].
        evidence: From ``statistics.evidence_of``, float64 [N, 8], or None.
        neighbours: From ``neighbours.neighbour_features``, float64 [N, 5], or None: only a second look needs them.
        around: From ``neighbours.start_neighbours``, float64 [N, 6], or None: the same.
        natural: The sequence is as it was found, bool [N]. Starts are learned from such rows alone: recoding draws anew
            most of what stands around a start. None: all are.
        weight: What a row counts, more than 0, the same for all of a genome, float64 [N]; None: all count alike.
    """

    candidates: np.ndarray
    frame_right: np.ndarray
    start_right: np.ndarray
    stop_rate: np.ndarray
    evidence: np.ndarray | None = None
    neighbours: np.ndarray | None = None
    around: np.ndarray | None = None
    natural: np.ndarray | None = None
    weight: np.ndarray | None = None

    @property
    def start_known(self) -> np.ndarray:
        """Right starts to learn from, bool [N]."""
        return self.start_right if self.natural is None else self.start_right & self.natural

    @classmethod
    def concatenate(cls, parts: list["FitRows"]) -> "FitRows":
        """All rows, with open frames renumbered so that those of different parts stay apart."""
        shifted = []
        for number, part in enumerate(parts):
            rows = part.candidates.copy()
            rows["orf"] += number * ORF_SPACING
            shifted.append(rows)
        return cls(
            candidates=np.concatenate(shifted),
            frame_right=np.concatenate([part.frame_right for part in parts]),
            start_right=np.concatenate([part.start_right for part in parts]),
            stop_rate=np.concatenate([part.stop_rate for part in parts]),
            evidence=_joined(part.evidence for part in parts),
            neighbours=_joined(part.neighbours for part in parts),
            around=_joined(part.around for part in parts),
            natural=_joined(part.natural for part in parts),
            weight=_joined(part.weight for part in parts),
        )


def _joined(columns: Iterable[np.ndarray | None]) -> np.ndarray | None:
    """One column of all parts; None where a part has none."""
    known = []
    for column in columns:
        if column is None:
            return None
        known.append(column)
    return np.concatenate(known)


def fit_rows(candidates: np.ndarray, genes: np.ndarray, stop_rate: float, evidence: np.ndarray | None) -> FitRows:
    """The judged candidates of one stretch of sequence.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        genes: Gene table of the same sequence.
        stop_rate: Of the genome.
        evidence: For every candidate, or None.
    """
    frame_right, start_right, judged = truth_of(candidates, genes)
    rates = np.full(int(judged.sum()), stop_rate)
    kept_evidence = None if evidence is None else evidence[judged]
    return FitRows(candidates[judged], frame_right[judged], start_right[judged], rates, kept_evidence)


def fit_scorer(rows: FitRows) -> Scorer:
    """Weights and confidence maps; with the genome's statistics if the rows have evidence.

    Raises:
        DataError: If there is no gene, or nothing but genes, to learn from.
    """
    if not rows.start_known.any() or rows.frame_right.all():
        raise DataError(
            "DECODER-001", "the held-out regions hold no genes to fit the decoder to.",
            fix="Hold out more sequence with --data.split.validation.",
        )  # fmt: skip
    start = fit_starts(rows.candidates, rows.evidence, rows.start_known, weight=rows.weight)
    gene = fit_genes(rows.candidates, rows.evidence, rows.frame_right, start, rows.stop_rate, rows.weight)
    weights = DecoderWeights(start, gene)
    _, frame_odds, log_start = candidate_scores(rows.candidates, rows.evidence, weights, stop_rate=rows.stop_rate)
    best = best_starts(rows.candidates, log_start)
    return Scorer(weights, *_confidence(rows, frame_odds[best], log_start, best))


def fit_second_look(rows: FitRows, first: Scorer) -> Scorer:
    """The same scorer with weights for a second look, and the confidence maps that belong to them.

    Args:
        rows: With what stands around them.
        first: From ``fit_scorer``.

    Raises:
        ValueError: If the rows lack what stands around them.
    """
    candidates, evidence, around, neighbours = rows.candidates, rows.evidence, rows.around, rows.neighbours
    if around is None or neighbours is None:
        raise ValueError("expected rows with neighbours and around, as a second look needs them")
    starts = fit_starts(candidates, evidence, rows.start_known, around, rows.weight)
    scores = start_scores(candidates, evidence, starts, around)
    log_start, best, _ = rate_starts(candidates, scores)
    best_evidence = None if evidence is None else evidence[best]
    names = feature_names(GENE_FEATURES, GENE_STATISTICS, best_evidence)
    features = gene_features(candidates[best], best_evidence, stop_rate=rows.stop_rate[best])
    columns = second_look_features(features, neighbours[best], names)
    second = _logistic(columns, rows.frame_right[best], second_look_names(names), _rows_of(rows.weight, best))
    weights = replace(first.weights, second=second, second_start=starts)
    odds = columns @ np.array(list(second.values()))
    return Scorer(weights, *_confidence(rows, odds, log_start, best))


def _confidence(
    rows: FitRows, odds: np.ndarray, log_start: np.ndarray, best: np.ndarray
) -> tuple[IsotonicCalibrator, IsotonicCalibrator]:
    """Confidence maps of genes, from the log-odds of each frame, and of starts, from their share in it."""
    genes = fit_isotonic(odds, rows.frame_right[best], _rows_of(rows.weight, best))
    right = best[rows.frame_right[best] & (True if rows.natural is None else rows.natural[best])]
    return genes, fit_isotonic(np.exp(log_start[right]), rows.start_right[right], _rows_of(rows.weight, right))

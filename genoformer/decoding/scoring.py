"""From the evidence of a candidate to its log-odds, with weights that were fitted on annotated sequence.

Two questions, two linear models: which start of an open frame is right (a softmax over its starts), and is there a gene
in this frame at all (a logistic regression at its best start). A candidate's score is the second, less what its start
loses against the best start of the frame. Both questions are asked again when a first choice of genes tells what stands
around each frame.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from genoformer.annotation.genetic_code import CODONS, GeneticCode
from genoformer.decoding.candidates import is_partial_5
from genoformer.decoding.frames import rate_starts
from genoformer.decoding.neighbours import (
    NEIGHBOUR_FEATURES,
    START_NEIGHBOURS,
    Bounds,
    neighbour_features,
    start_neighbours,
)
from genoformer.decoding.orfs import EDGE_START
from genoformer.decoding.statistics import EVIDENCE
from genoformer.files.numbers import read_numbers

START_FEATURES = ("codon_sum", "n_codons", "start_logit", "upstream", "atg", "gtg", "ttg", "other", "edge")
GENE_FEATURES = (
    "intercept",
    "codon_mean",
    "codon_sum",
    "log_codons",
    "start_logit",
    "stop_logit",
    "upstream",
    "open_frame",
    "mean_times_log",
    "edge_5",
    "edge_3",
)
OF_GENOME = ("network", "size")
"""Evidence that is the same for all starts of a genome."""
START_STATISTICS = tuple(name for name in EVIDENCE if name not in OF_GENOME)
SIZE_TIMES = ("size_log_codons", "size_codon_mean")
GENE_STATISTICS = ("hexamer_mean", "hexamer_sum", "hexamer_mean_times_log", *EVIDENCE[1:], *SIZE_TIMES)
LATER_NAMES = frozenset({"network", "size", *SIZE_TIMES})
"""Bundles that were made before this evidence was known have no weight for it: 0."""
FREE_TIMES = ("codon_mean", "log_codons", "open_frame", "mean_times_log", "hexamer_mean", "hexamer_mean_times_log")
"""Evidence whose weight depends on whether the place is free: a second look multiplies these by "free"."""
LOGIT_LIMIT = 10.0
SUM_SCALE = 50.0
OPEN_LIMIT = 12.0


@dataclass(frozen=True)
class DecoderWeights:
    """Weights of the two models, by feature name.

    Attributes:
        start: Weight of each of ``START_FEATURES``, and of ``START_STATISTICS`` where the genome's are used.
        gene: Weight of each of ``GENE_FEATURES``, and of ``GENE_STATISTICS`` where the genome's are used.
        second: Weights of the gene model's second look, by the names of ``second_look_names``; None = there is none.
        second_start: Weights of the start model's second look: those of ``start`` and ``START_NEIGHBOURS``.
    """

    start: dict[str, float]
    gene: dict[str, float]
    second: dict[str, float] | None = None
    second_start: dict[str, float] | None = None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], *, with_statistics: bool) -> "DecoderWeights":
        """Read the fields as JSON has them.

        Args:
            stored: Weights by the names of the fields.
            with_statistics: Those of a scorer that is given the statistics of a genome.

        Raises:
            KeyError, TypeError, ValueError: If a weight is missing, unknown, or no number.
        """
        names = {
            "start": START_FEATURES + (START_STATISTICS if with_statistics else ()),
            "gene": GENE_FEATURES + (GENE_STATISTICS if with_statistics else ()),
        }
        if stored.get("second") is not None:
            names |= {"second": second_look_names(names["gene"]), "second_start": names["start"] + START_NEIGHBOURS}
        known = {field.name for field in fields(cls)}
        if unknown := [name for name in stored if name not in known]:
            raise ValueError(f"unknown weights: {', '.join(unknown)}")
        tables = {part: _completed(stored[part], expected) for part, expected in names.items()}
        return cls(**{part: read_numbers(table, names[part]) for part, table in tables.items()})


def _completed(stored: Any, names: tuple[str, ...]) -> Any:
    """Weights with those that bundles lack."""
    return {**dict.fromkeys(LATER_NAMES.intersection(names), 0.0), **stored} if isinstance(stored, dict) else stored


def start_features(
    candidates: np.ndarray, evidence: np.ndarray | None = None, around: np.ndarray | None = None
) -> np.ndarray:
    """What speaks for each start, one column per name of ``start_names``, float64 [N, F].

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        evidence: From ``statistics.evidence_of``, or None to do without the genome's statistics.
        around: From ``neighbours.start_neighbours``, or None for a first look.
    """
    return np.stack(list(_start_columns(candidates, evidence, around)), axis=1).astype(np.float64)


def _start_columns(
    candidates: np.ndarray, evidence: np.ndarray | None, around: np.ndarray | None
) -> Iterator[np.ndarray]:
    kind = candidates["kind"]
    named = [kind == CODONS.index(codon) for codon in ("ATG", "GTG", "TTG")]
    edge = kind == EDGE_START
    yield candidates["codon_sum"] / SUM_SCALE
    yield candidates["n_codons"] / SUM_SCALE
    yield np.clip(candidates["start_logit"], -LOGIT_LIMIT, LOGIT_LIMIT)
    yield candidates["upstream"]
    yield from named
    yield ~(named[0] | named[1] | named[2] | edge)
    yield edge
    if evidence is not None:
        yield evidence[:, 0] / SUM_SCALE
        yield from evidence[:, 1 : len(START_STATISTICS)].T
    if around is not None:
        yield from around.T


def start_names(evidence: np.ndarray | None, around: np.ndarray | None = None) -> tuple[str, ...]:
    """Names of the columns of ``start_features``, given the same tables."""
    names = feature_names(START_FEATURES, START_STATISTICS, evidence)
    return names if around is None else names + START_NEIGHBOURS


def gene_features(
    candidates: np.ndarray, evidence: np.ndarray | None = None, *, stop_rate: float | np.ndarray
) -> np.ndarray:
    """What speaks for a gene, one column per feature name, float64 [N, F].

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        evidence: From ``statistics.evidence_of``, or None to do without the genome's statistics.
        stop_rate: Chance that a codon of sequence without genes is a stop, see ``random_stop_rate``.
    """
    n = np.maximum(candidates["n_codons"], 1).astype(np.float64)
    mean = candidates["codon_sum"] / n
    columns = [
        np.ones(len(n)),
        mean,
        np.clip(candidates["codon_sum"] / SUM_SCALE, -10, 10),
        np.log(n),
        np.clip(candidates["start_logit"], -LOGIT_LIMIT, LOGIT_LIMIT),
        np.clip(candidates["stop_logit"], -LOGIT_LIMIT, LOGIT_LIMIT),
        candidates["upstream"],
        np.minimum(-n * np.log1p(-stop_rate), OPEN_LIMIT),
        mean * np.log(n),
        is_partial_5(candidates),
        candidates["closed"] == 0,
    ]
    if evidence is not None:
        hexamer_mean = evidence[:, 0] / n
        hexamer_sum = np.clip(evidence[:, 0] / SUM_SCALE, -10, 10)
        size = evidence[:, EVIDENCE.index("size")]
        columns += [hexamer_mean, hexamer_sum, hexamer_mean * np.log(n), *evidence[:, 1:].T]
        columns += [size * np.log(n), size * mean]
    return np.stack(columns, axis=1).astype(np.float64)


def second_look_features(features: np.ndarray, neighbours: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Columns ``second_look_names(names)``, float64 [N, F + 5 + P].

    Args:
        features: From ``gene_features``, [N, F].
        neighbours: From ``neighbours.neighbour_features``, [N, 5].
        names: Of the columns of ``features``.
    """
    free = neighbours[:, NEIGHBOUR_FEATURES.index("free")]
    products = [features[:, names.index(name)] * free for name in FREE_TIMES if name in names]
    return np.column_stack((features, neighbours, *products))


def second_look_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the columns of ``second_look_features``, from those of the first look."""
    return (*names, *NEIGHBOUR_FEATURES, *(f"free_{name}" for name in FREE_TIMES if name in names))


def random_stop_rate(base_counts: np.ndarray, code: GeneticCode) -> float:
    """Chance that three random bases of this composition are a stop codon, strands averaged.

    Args:
        base_counts: Counts of A, C, G, T, shape [4].
        code: Genetic code.
    """
    gc = (base_counts[1] + base_counts[2] + 1) / (base_counts.sum() + 2)
    share = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    codons = np.flatnonzero(code.stop_mask)
    return float((share[codons >> 4] * share[(codons >> 2) & 3] * share[codons & 3]).sum())


def start_scores(
    candidates: np.ndarray,
    evidence: np.ndarray | None,
    weights: Mapping[str, float],
    around: np.ndarray | None = None,
) -> np.ndarray:
    """Score of each start, comparable within its open frame, float64 [N].

    Column after column: tables of all starts took most of the time. A row's score does not depend on the others.

    Args:
        candidates: As for ``start_features``, like the other tables.
        evidence: Likewise.
        weights: By the names of ``start_names``.
        around: Likewise.
    """
    total, names = np.zeros(len(candidates)), start_names(evidence, around)
    for name, column in zip(names, _start_columns(candidates, evidence, around), strict=True):
        total += np.multiply(column, weights[name], dtype=np.float64)
    return total


def gene_scores(
    candidates: np.ndarray, evidence: np.ndarray | None, weights: DecoderWeights, *, stop_rate: float | np.ndarray
) -> np.ndarray:
    """Log-odds of each candidate as if it were the start of its frame, float64 [N]."""
    names = feature_names(GENE_FEATURES, GENE_STATISTICS, evidence)
    features = gene_features(candidates, evidence, stop_rate=stop_rate)
    return features @ np.array([weights.gene[name] for name in names])


def feature_names(own: tuple[str, ...], statistics: tuple[str, ...], evidence: np.ndarray | None) -> tuple[str, ...]:
    """Names of the columns of a feature table."""
    return own if evidence is None else own + statistics


def candidate_scores(
    candidates: np.ndarray, evidence: np.ndarray | None, weights: DecoderWeights, *, stop_rate: float | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Everything the selection needs.

    Returns:
        Score of each row (log-odds of its frame at the best start, less what this start loses against the best);
        log-odds of each row's frame; log-probability of each row's start in its frame. All float64 [N].
    """
    log_start, best, group = rate_starts(candidates, start_scores(candidates, evidence, weights.start))
    best_evidence = None if evidence is None else evidence[best]
    best_rate = np.broadcast_to(stop_rate, len(candidates))[best]
    frame_odds = gene_scores(candidates[best], best_evidence, weights, stop_rate=best_rate)[group]
    return frame_odds + log_start - log_start[best][group], frame_odds, log_start


def second_look_scores(
    candidates: np.ndarray,
    evidence: np.ndarray | None,
    genes: np.ndarray,
    bounds: Bounds,
    weights: DecoderWeights,
    *,
    stop_rate: float | np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As ``candidate_scores``, when ``genes`` stand around the candidates.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``, whole open frames.
        evidence: From ``statistics.evidence_of``, or None.
        genes: The genes chosen so far.
        bounds: Of the sequence that is looked at, see ``neighbours.neighbour_features``.
        weights: With those of a second look.
        stop_rate: See ``random_stop_rate``.

    Raises:
        ValueError: If the weights have none of a second look.
    """
    if weights.second is None or weights.second_start is None:
        raise ValueError("expected weights of a second look, found those of a first one alone")
    around = start_neighbours(candidates, genes, bounds)
    log_start, best, group = rate_starts(candidates, start_scores(candidates, evidence, weights.second_start, around))
    best_evidence = None if evidence is None else evidence[best]
    names = feature_names(GENE_FEATURES, GENE_STATISTICS, best_evidence)
    best_rate, *of_best = (np.broadcast_to(value, len(candidates))[best] for value in (stop_rate, *bounds))
    features = gene_features(candidates[best], best_evidence, stop_rate=best_rate)
    columns = second_look_features(
        features, neighbour_features(candidates[best], genes, (of_best[0], of_best[1])), names
    )
    odds = (columns @ np.array([weights.second[name] for name in second_look_names(names)]))[group]
    return odds + log_start - log_start[best][group], odds, log_start


DEFAULT_WEIGHTS = DecoderWeights(
    start={
        "codon_sum": 0.44, "n_codons": 1.41, "start_logit": 0.4, "upstream": -0.32,
        "atg": 2.33, "gtg": 0.52, "ttg": -0.59, "other": -2.27, "edge": 0.0,
    },
    gene={
        "intercept": -4.04, "codon_mean": 0.03, "codon_sum": 0.26, "log_codons": 1.6, "start_logit": 0.42,
        "stop_logit": 0.37, "upstream": -0.11, "open_frame": 0.3, "mean_times_log": 0.03, "edge_5": 0.0, "edge_3": 0.0,
    },
)  # fmt: skip
"""For comparing models during training; fitted once on E. coli K-12. A bundle has its own."""

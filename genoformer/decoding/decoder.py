"""What a bundle knows about turning candidates into genes: weights, confidence maps and overlap rules."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np

from genoformer.decoding.joined import join
from genoformer.decoding.neighbours import Bounds
from genoformer.decoding.prior import StatisticsPrior
from genoformer.decoding.scoring import DecoderWeights, candidate_scores, second_look_scores
from genoformer.decoding.selection import OverlapRules, select_genes
from genoformer.decoding.statistics import ENOUGH_CODONS, EVIDENCE, GenomeStatistics, evidence_of
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.threads import on_threads

ROWS_AT_A_TIME = 25_000
"""Feature tables are made for this many candidates at once, so that memory does not follow the record's length."""

KEPT_ROWS = 1_500_000
"""What statistics say of up to this many candidates of a record, some 100 MB, is kept from look to look."""

SECOND_LOOKS = 2
"""How often the frames are judged again by the genes around them; a third time changes next to nothing."""


@dataclass(frozen=True)
class Scored:
    """Candidates with their scores, row by row.

    Attributes:
        score: What the selection adds up, float64 [N].
        frame_odds: Log-odds of the row's open frame, float64 [N].
        start_share: Probability of the row's start among those of its frame, float64 [N].
    """

    score: np.ndarray
    frame_odds: np.ndarray
    start_share: np.ndarray


@dataclass(frozen=True)
class Scorer:
    """Weights with the confidence maps that belong to them.

    Attributes:
        weights: Weights of evidence.
        gene_confidence: Log-odds of a frame → chance that its 3′ end is right.
        start_confidence: Share of a start among those of its frame → chance that it is right, given the 3′ end.
    """

    weights: DecoderWeights
    gene_confidence: IsotonicCalibrator
    start_confidence: IsotonicCalibrator

    def to_dict(self) -> dict:
        """Plain JSON types; the inverse of ``from_dict``."""
        maps = {"gene_confidence": self.gene_confidence.to_dict(), "start_confidence": self.start_confidence.to_dict()}
        return {"weights": {name: table for name, table in asdict(self.weights).items() if table is not None}, **maps}

    @classmethod
    def from_dict(cls, stored: dict, *, with_statistics: bool) -> "Scorer":
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: If a field is missing, unknown or out of range.
        """
        gene = IsotonicCalibrator.from_dict(stored["gene_confidence"])
        start = IsotonicCalibrator.from_dict(stored["start_confidence"])
        return cls(DecoderWeights.from_dict(stored["weights"], with_statistics=with_statistics), gene, start)


@dataclass(frozen=True)
class GeneDecoder:
    """Scorers: for a model's outputs alone, and for outputs and the statistics of the genome at hand.

    Attributes:
        plain: Where there is too little sequence for statistics, or they are not wanted.
        adapted: With statistics; None if the bundle has no such weights.
        short: With those of a sequence too short to tell enough by itself: they are also the prior's. None: as
            ``adapted``.
        rules: What neighbouring genes may share.
        prior: Statistics of other genomes, for a genome too short to have its own; None if the bundle has none.
    """

    plain: Scorer
    adapted: Scorer | None = None
    short: Scorer | None = None
    rules: OverlapRules = field(default_factory=OverlapRules)
    prior: StatisticsPrior | None = None

    def to_dict(self) -> dict:
        """Plain JSON types; the inverse of ``from_dict``."""
        parts = {"adapted": self.adapted, "short": self.short, "prior": self.prior}
        stored = {name: None if part is None else part.to_dict() for name, part in parts.items()}
        return {"plain": self.plain.to_dict(), "rules": asdict(self.rules), **stored}

    @classmethod
    def from_dict(cls, stored: dict) -> "GeneDecoder":
        """Read what ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError: If a field is missing, unknown or out of range.
        """
        # Bundles of before have neither a prior nor a scorer of short sequence.
        with_statistics = {"adapted": stored["adapted"], "short": stored.get("short")}
        scorers = {
            name: None if part is None else Scorer.from_dict(part, with_statistics=True)
            for name, part in with_statistics.items()
        }
        prior = StatisticsPrior.from_dict(stored["prior"]) if stored.get("prior") else None
        plain = Scorer.from_dict(stored["plain"], with_statistics=False)
        return cls(plain, rules=OverlapRules(**stored["rules"]), prior=prior, **scorers)

    def scorer(self, statistics: GenomeStatistics | None) -> Scorer:
        """The scorer that fits what is known."""
        if statistics is None or self.adapted is None:
            return self.plain
        return self.adapted if self.short is None or statistics.n_codons >= ENOUGH_CODONS else self.short

    def score(
        self, codes: np.ndarray, candidates: np.ndarray, stop_rate: float | np.ndarray,
        statistics: GenomeStatistics | None = None,
    ) -> Scored:  # fmt: skip
        """Score candidates of one record, each open frame by itself.

        Args:
            codes: uint8 base codes, forward strand, shape [L]; looked at for the statistics alone.
            candidates: Rows of ``CANDIDATE_DTYPE``.
            stop_rate: See ``scoring.random_stop_rate``; an array [N] for candidates of several records.
            statistics: Of the genome at hand, or None.
        """
        look = partial(candidate_scores, weights=self.scorer(statistics).weights)
        return _score_with(look, candidates, stop_rate, self._evidence_at(codes, candidates, statistics))

    def choose(
        self, codes: np.ndarray, candidates: np.ndarray, stop_rate: float, statistics: GenomeStatistics | None = None
    ) -> tuple[Scored, np.ndarray]:
        """Score candidates of one record with what the genes around them tell, and choose.

        Arguments as for ``score``.

        Returns:
            The scores of the last look; rows of the best compatible set, sorted by start.
        """
        if len(candidates) <= ROWS_AT_A_TIME:
            known = self._evidence(codes, candidates, statistics)
            return self._choose_known(candidates, known, self.scorer(statistics).weights, stop_rate, (0, len(codes)))
        evidence, weights = self._evidence_at(codes, candidates, statistics), self.scorer(statistics).weights
        scored = _score_with(partial(candidate_scores, weights=weights), candidates, stop_rate, evidence)
        chosen = self.select(candidates, scored)
        if weights.second is None:
            return scored, chosen
        for _ in range(SECOND_LOOKS):
            genes = candidates[chosen]
            del scored  # a long record's scores are large, and another look finds them anew
            look = partial(second_look_scores, genes=genes, bounds=(0, len(codes)), weights=weights)
            scored = _score_with(look, candidates, stop_rate, evidence)
            chosen = self.select(candidates, scored)
        return scored, chosen

    def choose_each(
        self, records: Sequence[tuple[np.ndarray, np.ndarray]], stop_rates: Sequence[float],
        statistics: Sequence[GenomeStatistics | None],
    ) -> list[tuple[Scored, np.ndarray]]:  # fmt: skip
        """``choose`` for each of many short records, in one look at all of them.

        Args:
            records: Base codes and candidates of each.
            stop_rates: Of each.
            statistics: For each; one scorer must fit them all, see ``scorer``.
        """
        scorers = [self.scorer(known) for known in statistics]
        if any(scorer is not scorers[0] for scorer in scorers):
            raise ValueError("expected records of which one scorer knows enough, found several")
        evidence = [self._evidence(*record, known) for record, known in zip(records, statistics, strict=True)]
        together = join([len(codes) for codes, _ in records], [candidates for _, candidates in records])
        known = [table for table in evidence if table is not None]
        scored, chosen = self._choose_known(
            together.rows, np.concatenate(known) if known else None, (scorers or [self.plain])[0].weights,
            np.array(stop_rates)[together.record],
            (together.begins[together.record], together.ends[together.record]), together.begins,
        )  # fmt: skip
        edges = np.searchsorted(together.record, np.arange(len(records) + 1))
        places = np.searchsorted(together.record[chosen], np.arange(len(records) + 1))
        return [
            (Scored(scored.score[low:high], scored.frame_odds[low:high], scored.start_share[low:high]), rows - low)
            for (low, high), rows in zip(pairwise(edges), np.split(chosen, places[1:-1]), strict=True)
        ]

    def _choose_known(
        self, candidates: np.ndarray, known: np.ndarray | None, weights: DecoderWeights,
        stop_rate: float | np.ndarray, bounds: Bounds, parts: np.ndarray | None = None,
    ) -> tuple[Scored, np.ndarray]:  # fmt: skip
        """``choose`` where what the statistics say is known; numbers of a record may be arrays, one for each row."""
        scored = _scored(candidate_scores(candidates, known, weights, stop_rate=stop_rate))
        chosen = self.select(candidates, scored, parts)
        for _ in range(SECOND_LOOKS if weights.second is not None and len(candidates) else 0):
            genes = candidates[chosen]
            scored = _scored(second_look_scores(candidates, known, genes, bounds, weights, stop_rate=stop_rate))
            chosen = self.select(candidates, scored, parts)
        return scored, chosen

    def _evidence(self, codes, candidates, statistics) -> np.ndarray | None:
        """What the statistics say of each row, if there are weights for it."""
        return None if statistics is None or self.adapted is None else evidence_of(codes, candidates, statistics)

    def _evidence_at(self, codes, candidates, statistics) -> "EvidenceAt":
        """The same for rows from one to another; of many rows it is found again whenever it is asked for."""
        if len(candidates) > KEPT_ROWS:
            return lambda begin, end: self._evidence(codes, candidates[begin:end], statistics)
        if statistics is None or self.adapted is None:
            return lambda begin, end: None
        known = np.empty((len(candidates), len(EVIDENCE)))

        def find(rows: tuple[int, int]) -> None:
            known[slice(*rows)] = evidence_of(codes, candidates[slice(*rows)], statistics)

        on_threads(find, frame_slices(candidates["orf"]))
        return lambda begin, end: known[begin:end]

    def select(self, candidates: np.ndarray, scored: Scored, parts: np.ndarray | None = None) -> np.ndarray:
        """Rows of the best compatible set, sorted by start; of each of several ``parts``, see ``select_genes``."""
        rows = candidates
        return select_genes(rows["start"], rows["end"], rows["orf"], scored.score, self.rules, parts)


EvidenceAt = Callable[[int, int], np.ndarray | None]


def _score_with(look, candidates: np.ndarray, stop_rate: float | np.ndarray, evidence: EvidenceAt) -> Scored:
    """Scores of one look, as ``candidate_scores`` gives them, some rows at a time."""
    columns = np.empty((3, len(candidates)))

    def score(rows: tuple[int, int]) -> None:
        begin, end = rows
        rate = stop_rate[begin:end] if isinstance(stop_rate, np.ndarray) else stop_rate
        columns[:, begin:end] = look(candidates[begin:end], evidence(begin, end), stop_rate=rate)

    on_threads(score, frame_slices(candidates["orf"]))
    return _scored(columns)


def _scored(columns: Sequence[np.ndarray] | np.ndarray) -> Scored:
    """What ``candidate_scores`` gives."""
    return Scored(columns[0], columns[1], np.exp(columns[2]))


def frame_slices(orf: np.ndarray) -> list[tuple[int, int]]:
    """Cut rows into runs of about ``ROWS_AT_A_TIME``, never inside an open frame.

    Args:
        orf: Open-frame number of each row, equal ones together, [N].

    Returns:
        (begin, end) of each run; none for no rows.
    """
    if len(orf) == 0:
        return []
    edges = np.flatnonzero(np.diff(orf)) + 1
    wanted = np.arange(ROWS_AT_A_TIME, len(orf), ROWS_AT_A_TIME)
    cuts = edges[np.minimum(np.searchsorted(edges, wanted), len(edges) - 1)] if len(edges) else edges
    bounds = [0, *dict.fromkeys(int(cut) for cut in cuts), len(orf)]
    return list(pairwise(bounds))

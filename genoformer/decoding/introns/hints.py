"""What is known of genes from elsewhere, such as introns of RNA-seq: evidence in the decoder beside the outputs.

A hint adds to the score of what it names, in the units of the model's outputs with their fitted weights; it forbids
nothing, and what no hint names loses nothing: RNA-seq sees some genes and not others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from genoformer.annotation.read_hints import HINT_DTYPE, KINDS
from genoformer.annotation.record_rows import digest_rows
from genoformer.decoding.introns.evidence import BEGIN, ENTER, FINISH, LEAVE, Evidence
from genoformer.decoding.introns.weights import IntronWeights

SITE_LOG_ODDS, SUPPORT_LOG_ODDS, MOST_LOG_ODDS = 3.0, 1.0, 7.0
"""A hint with one read behind it counts as an output that is so much larger at each of its boundaries; tenfold support
adds ``SUPPORT_LOG_ODDS`` times ln 10, up to the last of them: a model errs about sites more often than many reads do.
"""
BASE_LOG_ODDS = 3.0
"""What a coding or intergenic base of a hint adds to the outputs of that base."""
_INTRON, _CODING, _START, _STOP, _INTERGENIC = range(len(KINDS))
_NOTHING = np.empty(0, HINT_DTYPE)


@dataclass(frozen=True)
class Hints:
    """Hints about a genome.

    Attributes:
        rows: Rows of ``HINT_DTYPE`` by record id; see ``read_hints``.
    """

    rows: Mapping[str, np.ndarray] = field(default_factory=dict)

    def of(self, record_id: str, shift: int = 0) -> np.ndarray | None:
        """Hints about one record, or about what begins at base ``shift`` of it; None without."""
        rows = self.rows.get(record_id, _NOTHING)
        if not len(rows):
            return None
        moved = rows.copy()
        moved["start"] -= shift
        moved["end"] -= shift
        return moved

    def digest(self) -> str | None:
        """SHA-256 over record ids and hints, 64 hexadecimal digits; None without any."""
        return digest_rows(self.rows)


def add_hints(evidence: Evidence, hints: np.ndarray, start: int, weights: IntronWeights) -> None:
    """Add hints to the scores of a block, in place.

    Boundaries that the bases forbid stay forbidden.

    Args:
        evidence: Scores of the bases and boundaries from ``start`` on.
        hints: Rows of ``HINT_DTYPE`` of the record.
        start: First base of the block.
        weights: Of the decoder.
    """
    n = evidence.sites.shape[2]
    near = hints[(hints["end"] >= start) & (hints["start"] < start + n)]
    strength = np.minimum(SITE_LOG_ODDS + SUPPORT_LOG_ODDS * np.log(near["support"]), MOST_LOG_ODDS)
    for row, log_odds in zip(near, strength, strict=True):
        low, high = int(row["start"]) - start, int(row["end"]) - start
        for strand in (0, 1) if row["strand"] == 0 else (int(row["strand"] < 0),):
            for kind, place in _boundaries(int(row["kind"]), strand, low, high):
                if 0 <= place < n:
                    weight = weights.splice if kind in (LEAVE, ENTER) else weights.signal
                    evidence.sites[strand, kind, place] += weight * log_odds
            span = slice(max(low, 0), min(high, n))
            if row["kind"] == _CODING:
                evidence.emit[strand, :3, span] += weights.state * BASE_LOG_ODDS
            elif row["kind"] == _INTERGENIC:
                evidence.emit[strand, :6, span] -= weights.state * BASE_LOG_ODDS


def _boundaries(kind: int, strand: int, low: int, high: int) -> list[tuple[int, int]]:
    """Kinds of boundary that a hint names, and where."""
    if kind == _INTRON:
        return [(LEAVE, low), (ENTER, high)]
    if kind in (_START, _STOP):
        return [(BEGIN, low)] if (kind == _START) == (strand == 0) else [(FINISH, high)]
    return []

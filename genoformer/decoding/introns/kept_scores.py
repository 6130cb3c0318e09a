"""What the last bases of a record were scored with: genes that are certain are looked at again with it."""

from dataclasses import dataclass

import numpy as np

from genoformer.decoding.introns.evidence import Evidence

KEPT_BP = 500_000
"""Scores of so many bases are kept: 50 MB. Of genes that become certain later than that nothing more is said."""


@dataclass(frozen=True)
class ScoredWindow:
    """Scores of the boundaries and bases from ``start`` on; see ``Evidence``.

    Attributes:
        start: First boundary.
        emit: [2, 7, n].
        sites: [2, 4, n].
        pairs: uint8 [2, 2, n].
        coding: Log-odds of the outputs by bases of the codon read before, [2, 3, n].
    """

    start: int
    emit: np.ndarray
    sites: np.ndarray
    pairs: np.ndarray
    coding: np.ndarray

    @property
    def end(self) -> int:
        """One behind the last boundary."""
        return self.start + self.pairs.shape[2]


class KeptScores:
    """Keeps blocks of scores in half the precision that they were made in."""

    def __init__(self) -> None:
        self._blocks: list[ScoredWindow] = []

    def keep(self, start: int, states: np.ndarray, evidence: Evidence) -> None:
        """Keep what a block is scored with.

        Args:
            start: Its first boundary.
            states: Log-odds of the outputs, see ``evidence.Terms``.
            evidence: Its scores.
        """
        emit, sites = evidence.emit.astype(np.float32), evidence.sites.astype(np.float32)
        kept = ScoredWindow(start, emit, sites, evidence.pairs, states[:, :3].astype(np.float16))
        self._blocks = [block for block in self._blocks if block.end > kept.end - KEPT_BP] + [kept]

    def has(self, start: int) -> bool:
        """Whether what begins at this boundary is still there."""
        return bool(self._blocks) and self._blocks[0].start <= start

    def window(self, start: int, end: int) -> ScoredWindow:
        """The boundaries [start, end), in full precision; they must be there."""
        parts = [(block, slice(max(start - block.start, 0), end - block.start)) for block in self._blocks]
        parts = [(block, inside) for block, inside in parts if block.end > start and block.start < end]

        def joined(name: str, kind: type) -> np.ndarray:
            return np.concatenate([getattr(block, name)[..., inside] for block, inside in parts], axis=-1).astype(kind)

        return ScoredWindow(
            start, joined("emit", np.float64), joined("sites", np.float64), joined("pairs", np.uint8),
            joined("coding", np.float32),
        )  # fmt: skip

"""Stretches in which no gene may lie: ribosomal and transfer RNA, and what else the user knows to be no gene."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from genoformer.annotation.read_bed import merge_intervals
from genoformer.annotation.record_rows import digest_rows

MASK_TOLERANCE_BP = 9
"""Bases that a gene and a masked interval may share at their ends.

Programs that find RNA genes miss their ends by some bases. In E. coli K-12 (annotation of NC_000913.3) no CDS shares a
base with any of the 108 rRNA and tRNA genes; of the 44 pairs of a CDS and another RNA gene that overlap, 18 share at
most 9 bp, the others 11 or more.
"""


@dataclass(frozen=True)
class Mask:
    """Masked intervals of a genome.

    Attributes:
        intervals: Disjoint (start, end) in ascending order by record id, int64 [N, 2]; see ``read_bed_intervals``.
    """

    intervals: Mapping[str, np.ndarray] = field(default_factory=dict)

    def of(self, record_id: str) -> np.ndarray:
        """Intervals of one record, int64 [N, 2]."""
        return self.intervals.get(record_id, np.empty((0, 2), np.int64))

    def digest(self) -> str | None:
        """SHA-256 over record ids and intervals, 64 hexadecimal digits; None where nothing is masked."""
        return digest_rows({name: intervals.astype("<i8") for name, intervals in self.intervals.items()})


def overlaps_mask(start: np.ndarray, end: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """True where a gene would lie in a masked interval.

    That is where the two share more than ``MASK_TOLERANCE_BP``, or one holds the other: a short interval inside a gene
    counts, too.

    Args:
        start: First base of each gene, 0-based, int64 [N].
        end: One past its last base, int64 [N].
        intervals: Disjoint (start, end) in ascending order, int64 [M, 2].

    Returns:
        bool [N].
    """
    first = np.searchsorted(intervals[:, 1], start, side="right")
    last = np.searchsorted(intervals[:, 0], end, side="left") - 1
    touched = np.flatnonzero(first <= last)
    found = np.zeros(len(start), bool)
    for at in (first[touched], last[touched]):
        found[touched] |= _collides(start[touched], end[touched], intervals[at])
    # Between the outer two there is an interval that the gene holds.
    found[first < last - 1] = True
    return found


def _collides(start: np.ndarray, end: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    low, high = intervals.T
    shared = np.minimum(end, high) - np.maximum(start, low)
    return (shared > MASK_TOLERANCE_BP) | (shared == np.minimum(end - start, high - low))


def open_intervals(intervals: np.ndarray, *, length: int, margin: int) -> np.ndarray:
    """Intervals of a circular record in coordinates of its opened form with ``margin`` bases repeated on both sides.

    Args:
        intervals: Disjoint (start, end) in ascending order, int64 [N, 2].
        length: Length of the record in bp.
        margin: Bases repeated on each side, at most ``length``.

    Returns:
        Disjoint (start, end) in ascending order, int64 [M, 2]; what touches over the origin is one. Intervals at the
        ends may reach beyond the opened record.
    """
    turns = np.concatenate([intervals + margin + turn * length for turn in (-1, 0, 1)])
    return merge_intervals(turns)


def mostly_inside(start: np.ndarray, end: np.ndarray, intervals: np.ndarray) -> np.ndarray:
    """True where more than half of a gene lies in the intervals.

    Args:
        start: First base of each gene, 0-based, int64 [N].
        end: One past its last base, int64 [N].
        intervals: Disjoint (start, end) in ascending order, int64 [M, 2].

    Returns:
        bool [N].
    """
    before = np.concatenate(([0], np.cumsum(intervals[:, 1] - intervals[:, 0])))

    def covered_to(place: np.ndarray) -> np.ndarray:
        """Bases of intervals in front of a place."""
        n_begun = np.searchsorted(intervals[:, 0], place, side="left")
        last_end = np.concatenate(([0], intervals[:, 1]))[n_begun]
        return before[n_begun] - np.maximum(last_end - place, 0)

    return 2 * (covered_to(end) - covered_to(start)) > end - start

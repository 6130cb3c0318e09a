"""What the genes around a frame say about it: is the place taken, and how much room do its neighbours leave.

In bacteria genes stand close together. A long open frame in a stretch that no other gene claims is very likely a gene,
whatever its codons look like; one that lies on another gene is very likely none. So a first choice of genes tells much
about the frames that it left out, most of all on a genome on which the first choice misses many.
"""

import numba
import numpy as np

NEIGHBOUR_FEATURES = ("free", "left_over", "gap", "operon", "near")
REACH_BP = 3_000
"""Neighbours further away than this count as this far away."""
NEAR_BP = 60
"""Neighbours whose ends are at most this far apart, overlapping or not: the distance of genes in an operon."""
START_NEIGHBOURS = ("overlap_4", "overlap_1", "behind_20", "behind_60", "into_20", "overlap")
MAX_OVERLAP_BP = 200
FAR_BP = np.iinfo(np.int64).max // 2
"""Further than any sequence is long."""
SMALL_GAP_BP = 20.0
"""Added to lengths before their logarithm is taken: less than this makes no difference."""


Bounds = tuple[int | np.ndarray, int | np.ndarray]
"""(first base, one past the last base) of the sequence that is looked at; arrays [N] where it differs by candidate."""


def neighbour_features(candidates: np.ndarray, genes: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Columns ``NEIGHBOUR_FEATURES`` of each candidate, float64 [N, 5].

    "free" is the share of the candidate that no gene covers; "gap" the logarithm of the room between its neighbours,
    "left_over" of what the candidate would leave of it; "near" the number of neighbours, 0 to 2, whose ends are within
    ``NEAR_BP`` of its own, "operon" those of them on its strand. A gene in the candidate's own open frame is the
    candidate itself and does not count. All of it is the same read backwards.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        genes: Rows of ``CANDIDATE_DTYPE``, any order: the genes chosen so far.
        bounds: Of the sequence that is looked at, in the same coordinates.
    """
    order = np.lexsort((genes["end"], genes["start"]))
    highest_end = np.maximum.accumulate(genes["end"][order])
    out = np.zeros((len(candidates), len(NEIGHBOUR_FEATURES)))
    low, high = (np.full(len(candidates), bound, np.int64) for bound in bounds)
    _look_around(*_places(candidates), *_places(genes[order]), highest_end, low, high, out)
    return out


def _places(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return rows["start"].astype(np.int64), rows["end"].astype(np.int64), rows["strand"].astype(np.int64)


def start_neighbours(candidates: np.ndarray, genes: np.ndarray, bounds: Bounds) -> np.ndarray:
    """How each start stands to the end of the gene before it on its strand, float64 [N, 6].

    Columns ``START_NEIGHBOURS``: the start codon overlaps the stop codon by four bases (ATGA) or by one (TAATG), begins
    less than 20 or less than 60 bases behind it, reaches into the gene by at most 20 bases; and the overlap itself, in
    units of 50 bases. In an operon the right start is most often one of the first three.

    Args:
        candidates: Rows of ``CANDIDATE_DTYPE``.
        genes: As for ``neighbour_features``.
        bounds: As for ``neighbour_features``; genes that end outside of all of them do not count.
    """
    out = np.zeros((len(candidates), len(START_NEIGHBOURS)))
    for strand in (1, -1):
        rows, own = candidates["strand"] == strand, genes[genes["strand"] == strand]
        start, end = along_strand(candidates[rows], strand)
        low = np.min(bounds[0], initial=FAR_BP) if strand > 0 else -np.max(bounds[1], initial=-FAR_BP)
        ends = np.sort(along_strand(own, strand)[1])
        ends = np.concatenate(([-FAR_BP], ends[ends > low]))
        gap = start - ends[np.searchsorted(ends, end) - 1]
        inside = np.clip(-gap, 0, MAX_OVERLAP_BP)
        columns = (gap == -4, gap == -1, (gap >= 0) & (gap < 20), (gap >= 20) & (gap < 60), (gap < 0) & (gap >= -20))
        out[rows] = np.stack((*columns, inside / 50.0), axis=1)
    return out


def along_strand(rows: np.ndarray, strand: int) -> tuple[np.ndarray, np.ndarray]:
    """5′ and 3′ ends as coordinates that rise along the strand."""
    return (rows["start"], rows["end"]) if strand > 0 else (-rows["end"], -rows["start"])


@numba.njit(cache=True, nogil=True)
def _is_same_frame(start, end, strand, other_start, other_end, other_strand):
    """Overlapping and in one frame of one strand: two genes cannot be, so this is one gene with two starts."""
    if strand != other_strand or other_end <= start or other_start >= end:
        return False
    return (start - other_start) % 3 == 0 if strand > 0 else (end - other_end) % 3 == 0


@numba.njit(cache=True, nogil=True)
def _look_around(start, end, strand, gene_start, gene_end, gene_strand, highest_end, low, high, out):
    for i in range(len(start)):
        left, right = max(start[i] - REACH_BP, low[i]), min(end[i] + REACH_BP, high[i])
        last = right
        left_strand, right_strand = 0, 0
        covered, covered_to = 0, start[i]
        j = np.searchsorted(highest_end, left, side="right")
        while j < len(gene_start) and gene_start[j] < last:
            if not _is_same_frame(start[i], end[i], strand[i], gene_start[j], gene_end[j], gene_strand[j]):
                begin, stop = max(gene_start[j], covered_to), min(gene_end[j], end[i])
                if stop > begin:
                    covered, covered_to = covered + stop - begin, stop
                side = gene_start[j] + gene_end[j] - start[i] - end[i]
                if side < 0 and gene_end[j] > left:
                    left, left_strand = gene_end[j], gene_strand[j]
                elif side > 0 and gene_start[j] < right:
                    right, right_strand = gene_start[j], gene_strand[j]
            j += 1
        out[i, 0] = 1.0 - covered / (end[i] - start[i])
        out[i, 1] = np.log(max(start[i] - left, 0) + max(right - end[i], 0) + SMALL_GAP_BP)
        out[i, 2] = np.log(max(right - left, 0) + SMALL_GAP_BP)
        for distance, other in ((start[i] - left, left_strand), (right - end[i], right_strand)):
            if other != 0 and abs(distance) <= NEAR_BP:
                out[i, 3] += 1.0 if other == strand[i] else 0.0
                out[i, 4] += 1.0

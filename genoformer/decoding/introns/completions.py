"""How good the best gene can become from each of its boundaries on: the compiled part of the search for alternatives.

One strand, low to high, without other genes: values go from high to low, so that each follows from those behind it.
Places count from the first boundary of the room, and frames are positions of codons' first bases modulo three.
"""

from typing import NamedTuple

import numba
import numpy as np

from genoformer.decoding.introns.evidence import BEGIN, ENTER, FINISH, LEAVE
from genoformer.decoding.introns.state import BEGUN, ENTERED, NEVER, Tables

N_FOLLOWING = 25


class Room(NamedTuple):
    """Where a gene may lie, with everything that its score is added up from.

    Attributes:
        strand: 0 for "+", 1 for "-".
        sites: float64 [4, n]: by kind of boundary.
        pairs: uint8 [2, n]: see ``Evidence``.
        coding: float64 [3, n]: sums over the bases before each boundary, by frame.
        introns: float64 [3, n]: likewise, by bases of the codon read before the intron.
        before: float64 [n]: what precedes a coding sequence that begins here adds, untranslated region and all.
        behind: float64 [n]: what follows one that ends here adds.
        stops: int64 [n]: the next boundary, this one or behind it in its frame, where a stop codon ends; n for none.
        classes: int64 [3, n]: class of the bases of a codon that an intron from here on splits, see ``Tables``.
        following: int64 [n]: two bases from here on, as ``Tables.blocked`` counts them.
    """

    strand: int
    sites: np.ndarray
    pairs: np.ndarray
    coding: np.ndarray
    introns: np.ndarray
    before: np.ndarray
    behind: np.ndarray
    stops: np.ndarray
    classes: np.ndarray
    following: np.ndarray


@numba.njit(cache=True, nogil=True)
def complete(tables: Tables, room: Room) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores of the best rest of a gene, −inf where none fits.

    Args:
        tables: Of the decoder.
        room: Where the gene lies.

    Returns:
        From where coding sequence begins on, [n]; from where an exon is entered on, by bases of the codon read, [3, n];
        from where an exon is left on, likewise. None has the score of that boundary itself.
    """
    n = room.sites.shape[1]
    begun, entered, left = np.full(n, NEVER), np.full((3, n), NEVER), np.full((3, n), NEVER)
    # Best ends of introns beyond the table, by bases read, pair and the two bases behind.
    far = np.full((3, 2, N_FOLLOWING), NEVER)
    n_near = len(tables.intron_logs)
    enters = np.flatnonzero(room.sites[ENTER] != NEVER)
    first, beyond = len(enters), len(enters)
    for k in range(n - 1, -1, -1):
        while first > 0 and enters[first - 1] > k:
            first -= 1
        while beyond > 0 and enters[beyond - 1] - k >= n_near:
            beyond -= 1
            c = enters[beyond]
            for phase in range(3):
                total = room.introns[phase, c] + room.sites[ENTER, c] + entered[phase, c] + tables.intron_slope * c
                kind = room.following[c]
                far[phase, room.pairs[1, c], kind] = max(far[phase, room.pairs[1, c], kind], total)
        if room.sites[LEAVE, k] != NEVER:
            for phase in range(3):
                left[phase, k] = _best_intron(tables, room, entered, far, enters[first:beyond], phase, k)
        if room.sites[ENTER, k] != NEVER:
            for phase in range(3):
                entered[phase, k] = _best_exon(tables, room, left, ENTERED, (k - phase) % 3, k)
        if room.sites[BEGIN, k] != NEVER:
            begun[k] = _best_exon(tables, room, left, BEGUN, k % 3, k)
    return begun, entered, left


@numba.njit(inline="always")
def _best_intron(tables, room, entered, far, enters, phase, k):
    """Best rest behind an exon that is left at ``k``; ``enters`` are the boundaries that the table reaches."""
    best, pair = NEVER, room.pairs[0, k]
    blocked = tables.blocked[room.strand, phase, room.classes[phase, k]]
    for c in enters:
        if room.pairs[1, c] == pair and not blocked[room.following[c]]:
            total = room.introns[phase, c] + room.sites[ENTER, c] + entered[phase, c] + tables.intron_logs[c - k]
            best = max(best, total)
    last = len(tables.intron_logs) - 1
    for kind in range(N_FOLLOWING):
        if not blocked[kind]:
            beyond = tables.intron_logs[last] - tables.intron_slope * (k + last)
            best = max(best, far[phase, pair, kind] + beyond)
    return best - room.introns[phase, k]


@numba.njit(inline="always")
def _best_exon(tables, room, left, kind, frame, k):
    """Best rest from an exon on that begins at ``k``."""
    best, limit = NEVER, open_until(room, kind, frame, k)
    for b in range(k + 1, min(limit + 1, room.sites.shape[1])):
        if room.sites[LEAVE, b] != NEVER and b < limit:
            phase = (b - frame) % 3
            total = room.coding[frame, b] + room.sites[LEAVE, b] + tables.costs[1] + left[phase, b]
            best = max(best, total + exon_log(tables, room.strand, kind, ENTERED, b - k))
        if room.sites[FINISH, b] != NEVER and b % 3 == frame:
            total = room.coding[frame, b] + room.sites[FINISH, b] + room.behind[b]
            best = max(best, total + exon_log(tables, room.strand, kind, BEGUN, b - k))
    return best - room.coding[frame, k]


@numba.njit(cache=True, nogil=True)
def open_until(room, kind, frame, k):
    """Where the first stop codon ends that an exon which begins at ``k`` would hold: left before it, ended there."""
    first = k + 3 + (frame - k) % 3
    if kind == BEGUN and room.strand == 1:
        first += 3  # it begins with its stop codon
    return room.stops[first] if first < len(room.stops) else len(room.stops)


@numba.njit(cache=True, nogil=True)
def exon_log(tables, strand, kind, ends, length):
    """Log-probability of the length of an exon, weighted."""
    last = tables.exon_logs.shape[-1] - 1
    return tables.exon_logs[strand, kind, ends, min(length, last)] + tables.exon_slope * max(length - last, 0)

"""Which candidates become genes: the set with the highest total score under the overlap rules.

Neighbours form a chain in which both ends increase. They may overlap by ``max_overlap_bp``, and every overlapping base
costs ``overlap_cost``. A gene nested inside another belongs to it: its score, less ``nested_cost``, is added to the
outer gene's. Only genes longer than ``max_overlap_bp`` are nested: a shorter one could lie in two neighbours at once.
Both are solved exactly by dynamic programming; greedy choice is not.
"""

from dataclasses import dataclass

import numba
import numpy as np

from genoformer.files.numbers import read_number

MOST_OVERLAP_BP = 100_000


@dataclass(frozen=True)
class OverlapRules:
    """What neighbouring genes may share.

    Attributes:
        max_overlap_bp: Longest overlap of two genes in a chain.
        overlap_cost: Score lost per overlapping base.
        nested_cost: Score lost for a gene that lies inside another.

    Raises:
        TypeError, ValueError: If a value is no number, or out of range.
    """

    max_overlap_bp: int = 120
    overlap_cost: float = 0.02
    nested_cost: float = 6.0

    def __post_init__(self) -> None:
        for value in (self.overlap_cost, self.nested_cost):
            read_number(value)
        if type(self.max_overlap_bp) is not int or not 0 <= self.max_overlap_bp <= MOST_OVERLAP_BP:
            raise ValueError(f"expected an overlap from 0 to {MOST_OVERLAP_BP} bp, found {self.max_overlap_bp!r}")


def select_genes(
    start: np.ndarray, end: np.ndarray, orf: np.ndarray, score: np.ndarray, rules: OverlapRules,
    parts: np.ndarray | None = None,
) -> np.ndarray:  # fmt: skip
    """Indices of the best-scoring compatible candidates.

    Only candidates with a positive score can enter. Two candidates of one open frame never enter together. Equal
    totals go to the candidate with the shorter overlap, then to the one listed first after sorting by coordinates.

    Args:
        start: First base, 0-based, int64 [N].
        end: One past the last base, int64 [N].
        orf: Open-frame number, int64 [N].
        score: Log-odds, float64 [N].
        rules: What neighbours may share.
        parts: Where each of several sequences begins in these coordinates, ascending: none has genes that reach into
            another, and each has a chain of its own. One sequence if None.

    Returns:
        Indices into the input, int64, sorted by start, then end.
    """
    live = np.flatnonzero(score > 0)
    order = live[np.lexsort((start[live], end[live]))]
    columns = (start[order], end[order], orf[order], score[order].astype(np.float64))
    can_nest = (columns[3] > rules.nested_cost) & (columns[1] - columns[0] > rules.max_overlap_bp)
    inner = np.flatnonzero(can_nest)
    bonus, nested_in = _nested_bonus(*columns, inner, rules.nested_cost)
    cuts = np.empty(0, np.int64) if parts is None else np.searchsorted(columns[1], parts[1:], side="right")
    edges = np.concatenate(([0], cuts, [len(order)])).astype(np.int64)
    chain = _best_chains(*columns[:3], columns[3] + bonus, edges, rules.max_overlap_bp, rules.overlap_cost)
    chosen = [int(i) for i in chain]
    for outer in chain:
        chosen.extend(_nested_chain(columns, nested_in, inner, int(outer), rules.nested_cost))
    picked = order[np.array(sorted(set(chosen)), dtype=np.int64)]
    return picked[np.lexsort((end[picked], start[picked]))]


def _nested_chain(columns, nested_in, inner, outer, nested_cost):
    """Indices (into the sorted columns) of the best chain inside ``outer``."""
    if not nested_in[outer]:
        return []
    start, end, orf, score = columns
    inside = inner[(start[inner] > start[outer]) & (end[inner] < end[outer]) & (orf[inner] != orf[outer])]
    picked = _best_chain(start[inside], end[inside], orf[inside], score[inside] - nested_cost, 0, 0.0)
    return [int(inside[i]) for i in picked]


@numba.njit(cache=True, nogil=True)
def _nested_bonus(start, end, orf, score, inner, nested_cost):
    """For each candidate the best total of genes strictly inside it, and whether there are any."""
    bonus, any_inside = np.zeros(len(start)), np.zeros(len(start), np.bool_)
    inner_end = end[inner]
    inner_start_min = np.empty(len(inner), np.int64)
    lowest = np.int64(1) << 62
    for j in range(len(inner) - 1, -1, -1):
        lowest = min(lowest, start[inner[j]])
        inner_start_min[j] = lowest
    for i in range(len(start)):
        first = np.searchsorted(inner_end, start[i])
        if first < len(inner) and inner_start_min[first] < end[i]:
            last = np.searchsorted(inner_end, end[i])
            best = np.zeros(last - first + 1)
            for j in range(first, last):
                k = inner[j]
                here = best[j - first]
                if start[k] > start[i] and end[k] < end[i] and orf[k] != orf[i]:
                    before = 0.0
                    for m in range(j - 1, first - 1, -1):
                        if end[inner[m]] <= start[k]:
                            before = best[m - first + 1]
                            break
                    here = max(here, before + score[k] - nested_cost)
                best[j - first + 1] = here
            if best[last - first] > 0:
                bonus[i], any_inside[i] = best[last - first], True
    return bonus, any_inside


@numba.njit(cache=True, nogil=True)
def _best_chains(start, end, orf, score, edges, max_overlap_bp, overlap_cost):
    """``_best_chain`` of the rows between neighbouring ``edges``, as indices into all of them."""
    chains = np.empty(len(start), np.int64)
    n = 0
    for part in range(len(edges) - 1):
        low, high = edges[part], edges[part + 1]
        chain = _best_chain(
            start[low:high], end[low:high], orf[low:high], score[low:high], max_overlap_bp, overlap_cost
        )
        for row in chain:
            chains[n] = low + row
            n += 1
    return chains[:n]


@numba.njit(cache=True, nogil=True)
def _best_chain(start, end, orf, score, max_overlap_bp, overlap_cost):
    """Indices of the chain with the highest total; input sorted by end, then start."""
    n = len(start)
    total, before = np.empty(n), np.full(n, -1, np.int64)
    best_so_far, best_index = np.empty(n), np.empty(n, np.int64)
    for j in range(n):
        reach, link = 0.0, -1
        clear = np.searchsorted(end, start[j], side="right") - 1
        if clear >= 0 and best_so_far[clear] > 0:
            reach, link = best_so_far[clear], best_index[clear]
        for i in range(clear + 1, j):
            overlap = end[i] - start[j]
            if overlap > max_overlap_bp:
                break  # sorted by end: those after it overlap more
            if start[i] >= start[j] or end[i] >= end[j] or orf[i] == orf[j]:
                continue
            value = total[i] - overlap_cost * overlap
            if value > reach:
                reach, link = value, i
        total[j], before[j] = score[j] + reach, link
        if j > 0 and best_so_far[j - 1] >= total[j]:
            best_so_far[j], best_index[j] = best_so_far[j - 1], best_index[j - 1]
        else:
            best_so_far[j], best_index[j] = total[j], j
    chain = []
    i = best_index[n - 1] if n > 0 and best_so_far[n - 1] > 0 else -1
    while i >= 0:
        chain.append(i)
        i = before[i]
    return np.array(chain[::-1], np.int64)

"""How sure the decoder is of each end of a coding part: how much worse the best path is that lacks this end.

The path is found in one scan, and the outputs are forgotten behind it. What a gene was scored with is kept until the
gene is certain; then the stretch around it is scanned again, once as it is and once for each of its ends, with that end
forbidden. That is exact as long as the better path without the end differs inside the stretch.
"""

from collections.abc import Iterable, Iterator

import numba
import numpy as np

from genoformer.decoding.introns.automaton import close, scan
from genoformer.decoding.introns.evidence import BEGIN, ENTER, FINISH, LEAVE
from genoformer.decoding.introns.kept_scores import KeptScores, ScoredWindow
from genoformer.decoding.introns.state import NEVER, State, Tables, new_state

FLANK_BP = 500
"""So much of the neighbourhood of a gene may look otherwise without one of its ends."""
WHOLE_BP, REACH_BP = 20_000, 5_000
"""A longer stretch is not scanned as a whole for each of its ends, but this far on both sides of the end."""
N_NODES = 4096


class Margins:
    """Fills in what the rows of genes say of themselves, while a stretch is decoded.

    Args:
        tables: Of the decoder.
        kept: What the stretch was scored with, as far as it was scored.
        codes: uint8 base codes of the record up to the end of the stretch.
        start: First base of the stretch.
    """

    def __init__(self, tables: Tables, kept: KeptScores, codes: np.ndarray, start: int) -> None:
        self._tables, self._kept, self._codes = tables, kept, codes
        self._start, self._end = start, len(codes)
        self._waiting: list[np.ndarray] = []
        self._nodes, self._values = np.empty((N_NODES, 5), np.int64), np.empty(N_NODES)

    def fill(self, genes: Iterable[np.ndarray], reached: int) -> Iterator[np.ndarray]:
        """Genes that are known with their surroundings, in order.

        Args:
            genes: Rows of ``PART_DTYPE`` of genes behind all those given before.
            reached: One behind the last base that was kept.
        """
        self._waiting += genes
        while self._waiting:
            rows = self._waiting[0]
            low, high = max(int(rows["low"][0]) - FLANK_BP, self._start), int(rows["high"][0]) + FLANK_BP
            if high > reached and reached < self._end:
                return
            self._fill_gene(rows, low, min(high, self._end))
            yield self._waiting.pop(0)

    def _fill_gene(self, rows: np.ndarray, low: int, high: int) -> None:
        last = high + (high == self._end)  # there is a boundary behind the last base, too
        if not self._kept.has(low):
            return
        window = self._kept.window(low, last)
        strand = 0 if rows["strand"][0] == 1 else 1
        rows["codon_evidence"] = codon_evidence(rows, window.coding[strand], low)
        ends = list(_ends(rows, strand))
        sites = [site for _, _, site in ends]
        if high - low <= WHOLE_BP:
            losses = self._losses(window, sites, low, high)
        else:
            spans = [(max(low, at - REACH_BP), min(high, at + REACH_BP)) for _, _, at in sites]
            losses = [self._losses(window, [site], *span)[0] for site, span in zip(sites, spans, strict=True)]
        for (i, name, _), loss in zip(ends, losses, strict=True):
            rows[name][i] = loss

    def _losses(self, window: ScoredWindow, sites: list[tuple[int, int, int]], low: int, high: int) -> list[float]:
        """What the best path through a stretch, whose ends cut genes off, loses without each of these sites.

        What lies before a site is scanned once for all behind it.
        """
        inside = slice(low - window.start, high + (high == self._end) - window.start)
        scores = [np.ascontiguousarray(array[..., inside]) for array in (window.emit, window.sites, window.pairs)]
        usual, other, position, without = new_state(self._tables, low), new_state(self._tables, low), low, []
        for strand, kind, at in sites:
            self._scan(usual, scores, low, position, at)
            copy_state(usual, other)
            place, position = (strand, kind, at - low), at
            score, scores[1][place] = scores[1][place], NEVER
            without.append(self._finish(other, scores, low, at, high))
            scores[1][place] = score
        best = self._finish(usual, scores, low, position, high)
        return [max(best - value, 0.0) for value in without]

    def _finish(self, state: State, scores: list[np.ndarray], low: int, position: int, high: int) -> float:
        """Score of the best path at the end of the stretch."""
        self._scan(state, scores, low, position, high + (high == self._end))
        close(self._tables, state, high, self._nodes, self._values, 0)
        return float(state.value[0])

    def _scan(self, state: State, scores: list[np.ndarray], low: int, position: int, to: int) -> None:
        while position < to:  # nobody follows the path back: nodes are written over
            arrays = (self._codes, *scores, position, to, low, self._nodes, self._values, 0)
            position, _ = scan(self._tables, state, *arrays)


def _ends(rows: np.ndarray, strand: int) -> Iterator[tuple[int, str, tuple[int, int, int]]]:
    """Ends of coding parts that no record cuts off, low to high: row, name of its margin, and (strand, kind, place)."""
    last = len(rows) - 1
    for i, row in enumerate(rows):
        if i > 0 or not row["cut_low"]:
            yield i, "low_margin", (strand, ENTER if i else BEGIN, int(row["start"]))
        if i < last or not row["cut_high"]:
            yield i, "high_margin", (strand, LEAVE if i < last else FINISH, int(row["end"]))


@numba.njit(cache=True, nogil=True)
def copy_state(source, target):
    """Make one state of a scan like another, as far as it is in use."""
    target.value[:], target.link[:] = source.value, source.link
    target.exon_range[:], target.intron_range[:] = source.exon_range, source.intron_range
    target.far_exon_value[:], target.far_exon_link[:] = source.far_exon_value, source.far_exon_link
    target.far_intron_value[:], target.far_intron_link[:] = source.far_intron_value, source.far_intron_link
    for strand in range(2):
        for k in range(3):
            for j in range(source.exon_range[strand, k, 0], source.exon_range[strand, k, 1]):
                target.exon_value[strand, k, j] = source.exon_value[strand, k, j]
                for column in range(4):
                    target.exon_link[strand, k, j, column] = source.exon_link[strand, k, j, column]
            for j in range(source.intron_range[strand, k, 0], source.intron_range[strand, k, 1]):
                target.intron_value[strand, k, j] = source.intron_value[strand, k, j]
                for column in range(4):
                    target.intron_link[strand, k, j, column] = source.intron_link[strand, k, j, column]


def codon_evidence(rows: np.ndarray, coding: np.ndarray, start: int) -> float:
    """Mean log-odds of the coding bases of a gene, as the outputs have them before any decoding.

    Args:
        rows: Of the gene, rows of ``PART_DTYPE``.
        coding: Log-odds by bases of the codon read before, low to high, on the gene's strand, [3, n].
        start: First base of ``coding``.
    """
    lengths = rows["end"] - rows["start"]
    offset, total = int(rows["phase_offset"][0]), int(lengths.sum())
    read = (-offset if rows["strand"][0] == 1 else offset - total) % 3
    summed = 0.0
    for low, high in zip((rows["start"] - start).tolist(), (rows["end"] - start).tolist(), strict=True):
        places = np.arange(low, high)
        summed += float(coding[(read + places - low) % 3, places].sum())
        read += high - low
    return summed / total

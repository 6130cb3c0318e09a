"""What the genome at hand says about its own genes: learned from confident calls, used to score all candidates again.

What a model trained on other genomes cannot know: hexamer usage in reading frames against the whole sequence, how often
each start codon is used, the bases around a start, and the motif before it (the ribosome binding site). Counts of
several records add up.

Reference: the idea of training on the genome itself is Prodigal's (Hyatt et al., BMC Bioinformatics 11 (2010) 119);
hexamers, start codons and upstream motifs are the same kinds of evidence, the estimates are simpler.
"""

from dataclasses import dataclass

import numba
import numpy as np

from genoformer.decoding.binding_site import SITE_FIRST, WINDOW_BP, BindingSite, find_site, site_odds
from genoformer.decoding.orfs import EDGE_START

N_HEXAMERS = 4**6
N_MOTIFS = 4**5
CONTEXT, OPENING_FROM = (-24, 30), 12
"""Bases around a start, from its first base; 0-based, half-open. From the twelfth on they are the gene's opening."""
BEFORE_CODONS = 30
"""Codons before a start whose hexamers tell whether the gene has begun already; the last lies right before it."""
MOTIF_FIRST, MOTIF_LAST = -20, -8
"""Where the five bases of a binding site may begin, from the first base of the start."""
HEXAMER_PRIOR = 8.0
CONTEXT_PRIOR = 10.0
MOTIF_PRIOR = 10.0
MIN_CODONS = 20_000
"""Below this many codons in confident genes the statistics are not used: hexamer estimates would be noise."""

EVIDENCE = ("hexamer_sum", "start_usage", "context", "motif", "site", "before", "opening")


@dataclass
class GenomeCounts:
    """Counts that statistics are made of; ``+`` adds records.

    Attributes:
        coding: In-frame hexamers of confident genes, [4096].
        background: Hexamers at every position of both strands, [4096].
        kinds: Start codons of confident genes, [65].
        context: Bases around starts, row 0 chosen, row 1 the other start codons of the same frames, [2, W, 4].
        motifs: Windows before a start that hold each 5-mer, chosen and others, [2, 1024].
        windows: Windows counted, chosen and others, [2].
        upstream: Base codes before confident genes, from ``SITE_FIRST`` on, 4 where there is none, [N, 18].
    """

    coding: np.ndarray
    background: np.ndarray
    kinds: np.ndarray
    context: np.ndarray
    motifs: np.ndarray
    windows: np.ndarray
    upstream: np.ndarray

    @classmethod
    def zero(cls) -> "GenomeCounts":
        """Counts of nothing."""
        width = CONTEXT[1] - CONTEXT[0]
        shapes = (N_HEXAMERS, N_HEXAMERS, EDGE_START + 1, (2, width, 4), (2, N_MOTIFS), 2)
        return cls(*(np.zeros(shape, np.int64) for shape in shapes), np.empty((0, WINDOW_BP), np.uint8))

    def __add__(self, other: "GenomeCounts") -> "GenomeCounts":
        sums = (a + b for a, b in zip(self.tables(), other.tables(), strict=True))
        return GenomeCounts(*sums, np.concatenate((self.upstream, other.upstream)))

    def tables(self) -> tuple[np.ndarray, ...]:
        """All counts, in the order of the attributes."""
        return (self.coding, self.background, self.kinds, self.context, self.motifs, self.windows)


@dataclass(frozen=True)
class GenomeStatistics:
    """Log-odds of each kind of evidence, natural logarithm.

    Attributes:
        hexamer: In-frame hexamer in a gene against anywhere, [4096].
        usage: Start codon against the most frequent one, [65].
        context: Base at each position around a start against other start codons, [W, 4].
        motif: 5-mer before a start against before other start codons, [1024].
        site: The binding site as one motif with its distance.
    """

    hexamer: np.ndarray
    usage: np.ndarray
    context: np.ndarray
    motif: np.ndarray
    site: BindingSite


def count_genes(codes: np.ndarray, candidates: np.ndarray, chosen: np.ndarray) -> GenomeCounts:
    """Counts of one record.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        candidates: Rows of ``CANDIDATE_DTYPE``.
        chosen: Rows that are confident genes; the other starts of their frames are what they are compared with.
    """
    counts = GenomeCounts.zero()
    _count_background(codes, counts.background)
    counts.background += counts.background[_reverse_complement_hexamers()]
    is_chosen = np.zeros(len(candidates), np.bool_)
    is_chosen[chosen] = True
    of_gene = np.isin(candidates["orf"], candidates["orf"][chosen]) & (candidates["kind"] != EDGE_START)
    rows = np.flatnonzero(of_gene)
    _count_starts(codes, *_columns(candidates[rows]), is_chosen[rows], *counts.tables())
    first, strand, _, _ = _columns(candidates[rows[is_chosen[rows]]])
    counts.upstream = np.empty((len(first), WINDOW_BP), np.uint8)
    _copy_upstream(codes, first, strand, counts.upstream)
    return counts


def estimate_statistics(counts: GenomeCounts) -> GenomeStatistics | None:
    """Log-odds from counts; None where there is too little to learn from (``MIN_CODONS``)."""
    if counts.coding.sum() < MIN_CODONS or min(counts.windows) == 0:
        return None
    background = (counts.background + 1.0) / (counts.background.sum() + N_HEXAMERS)
    coding = (counts.coding + HEXAMER_PRIOR * N_HEXAMERS * background) / (
        counts.coding.sum() + HEXAMER_PRIOR * N_HEXAMERS
    )
    usage = np.log((counts.kinds + 1.0) / (counts.kinds.max() + 1.0))
    usage[EDGE_START] = 0.0
    base = counts.context + CONTEXT_PRIOR / 4
    base = base / base.sum(axis=2, keepdims=True)
    other = counts.motifs[1] * counts.windows[0] / counts.windows[1]
    frequent = int(((counts.motifs[0] - other) / np.sqrt(other + MOTIF_PRIOR)).argmax())
    word = np.array([frequent >> shift & 3 for shift in (8, 6, 4, 2, 0)])
    return GenomeStatistics(
        hexamer=np.log(coding / background),
        usage=usage,
        context=np.log(base[0] / base[1]),
        motif=np.log((counts.motifs[0] + MOTIF_PRIOR) / (other + MOTIF_PRIOR)),
        site=find_site(counts.upstream, word),
    )


def evidence_of(codes: np.ndarray, candidates: np.ndarray, statistics: GenomeStatistics) -> np.ndarray:
    """What the statistics say of each candidate, columns ``EVIDENCE``, float64 [N, 7]; starts at an edge have only
    hexamers.

    "before" is the mean of the hexamers before the start, read in its frame: high where the gene has begun earlier.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        candidates: Rows of ``CANDIDATE_DTYPE``.
        statistics: Of the genome.
    """
    out = np.zeros((len(candidates), len(EVIDENCE)))
    site = statistics.site
    tables = (statistics.hexamer, statistics.usage, statistics.context, statistics.motif)
    tables += (site.motif, site.place, site.share)
    _score_rows(codes, *_columns(candidates), *tables, out)
    return out


@numba.njit(cache=True, nogil=True)
def mean_hexamer(codes, first, strand, n_codons, hexamer):
    """Mean log-odds of the hexamers that begin at each of ``n_codons`` codons read from base ``first`` on."""
    total = 0.0
    for i in range(n_codons):
        word = _word(codes, first + 3 * i * strand, strand, 6)
        total += hexamer[word] if word >= 0 else 0.0
    return total / n_codons


def _columns(candidates: np.ndarray) -> tuple[np.ndarray, ...]:
    """First base in reading direction, strand, start codon and number of codons of each row."""
    first = np.where(candidates["strand"] > 0, candidates["start"], candidates["end"] - 1)
    return first, candidates["strand"].astype(np.int64), candidates["kind"].astype(np.int64), candidates["n_codons"]


def _reverse_complement_hexamers() -> np.ndarray:
    numbers = np.arange(N_HEXAMERS)
    return sum((3 - ((numbers >> (2 * i)) & 3)) << (2 * (5 - i)) for i in range(6))


@numba.njit(cache=True, nogil=True)
def _word(codes, position, strand, n):
    """Number of the ``n`` bases read from ``position`` along the strand; -1 beyond an end or at an unknown base."""
    value = 0
    for i in range(n):
        at = position + strand * i
        if at < 0 or at >= len(codes) or codes[at] > 3:
            return -1
        value = value * 4 + (codes[at] if strand > 0 else 3 - codes[at])
    return value


@numba.njit(cache=True, nogil=True)
def _count_background(codes, background):
    value, known = 0, 0
    for code in codes:
        known = known + 1 if code < 4 else 0
        value = (value * 4 + (code & 3)) & 4095
        if known >= 6:
            background[value] += 1


@numba.njit(cache=True, nogil=True)
def _count_starts(codes, first, strand, kind, n_codons, chosen, coding, background, kinds, context, motifs, windows):
    seen = np.zeros(len(motifs[0]), np.int64)
    for row in range(len(first)):
        side = 0 if chosen[row] else 1
        if chosen[row]:
            kinds[kind[row]] += 1
            for i in range(n_codons[row] - 1):
                word = _word(codes, first[row] + 3 * i * strand[row], strand[row], 6)
                if word >= 0:
                    coding[word] += 1
        windows[side] += 1
        for i in range(context.shape[1]):
            base = _word(codes, first[row] + (i + CONTEXT[0]) * strand[row], strand[row], 1)
            if base >= 0:
                context[side, i, base] += 1
        for i in range(MOTIF_FIRST, MOTIF_LAST + 1):
            word = _word(codes, first[row] + i * strand[row], strand[row], 5)
            if word >= 0 and seen[word] != row + 1:
                seen[word] = row + 1
                motifs[side, word] += 1


@numba.njit(cache=True, nogil=True)
def _copy_upstream(codes, first, strand, out):
    for row in range(len(first)):
        for i in range(WINDOW_BP):
            base = _word(codes, first[row] + (SITE_FIRST + i) * strand[row], strand[row], 1)
            out[row, i] = base if base >= 0 else 4


@numba.njit(cache=True, nogil=True)
def _score_rows(codes, first, strand, kind, n_codons, hexamer, usage, context, motif, bases, place, share, out):
    windows = np.empty((1, WINDOW_BP), np.uint8)
    for row in range(len(first)):
        total = 0.0
        for i in range(n_codons[row] - 1):
            word = _word(codes, first[row] + 3 * i * strand[row], strand[row], 6)
            if word >= 0:
                total += hexamer[word]
        out[row, 0] = total
        if kind[row] == EDGE_START:
            continue
        out[row, 1] = usage[kind[row]]
        for i in range(len(context)):
            base = _word(codes, first[row] + (i + CONTEXT[0]) * strand[row], strand[row], 1)
            if base >= 0 and not 0 <= i + CONTEXT[0] < 3:
                out[row, 2 if i + CONTEXT[0] < OPENING_FROM else 6] += context[i, base]
        best = 0.0
        for i in range(MOTIF_FIRST, MOTIF_LAST + 1):
            word = _word(codes, first[row] + i * strand[row], strand[row], 5)
            if word >= 0:
                best = max(best, motif[word])
        out[row, 3] = best
        _copy_upstream(codes, first[row : row + 1], strand[row : row + 1], windows)
        out[row, 4] = site_odds(windows[0], bases, place, share)
        earliest = first[row] - 3 * (BEFORE_CODONS + 1) * strand[row]
        out[row, 5] = mean_hexamer(codes, earliest, strand[row], BEFORE_CODONS, hexamer)

"""What the genome at hand says about its own genes: learned from confident calls, used to score all candidates again.

What a model trained on other genomes cannot know: hexamer usage in reading frames against the whole sequence, how often
each start codon is used, the bases around a start, and the motif before it (the ribosome binding site).

Reference: the idea of training on the genome itself is Prodigal's (Hyatt et al., BMC Bioinformatics 11 (2010) 119);
hexamers, start codons and upstream motifs are the same kinds of evidence, the estimates are simpler.
"""

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np

from genoformer.decoding.binding_site import WINDOW_BP, BindingSite, find_site, site_odds
from genoformer.decoding.genome_counts import (
    CONTEXT,
    MOTIF_FIRST,
    MOTIF_LAST,
    N_HEXAMERS,
    GenomeCounts,
    columns,
    copy_upstream,
    word_at,
)
from genoformer.decoding.orfs import EDGE_START

OPENING_FROM = 12
"""From this base on those around a start are the gene's opening."""
BEFORE_CODONS = 30
"""Codons before a start whose hexamers tell whether the gene has begun already; the last lies right before it."""
HEXAMER_PRIOR = 8.0
CONTEXT_PRIOR = 10.0
MOTIF_PRIOR = 10.0
STARTS_IN_PRIOR = 200.0
"""As many starts as what is known of other genomes counts for."""
SITE_MIN_GENES = 500
"""From so many genes on a genome's binding site is found in itself."""
MIN_CODONS = 20_000
"""Below this many codons in confident genes a genome does not tell enough by itself: hexamers would be noise."""
ENOUGH_CODONS = 100_000
"""From here on a genome tells more than others about it."""

USUAL_EVIDENCE, MOST_EVIDENCE, CODONS_IN_USUAL = 3.0, 3.7, 1_000.0
"""What a network says of a codon of a gene in a genome of a group that it has not seen, log-odds: usually, and at most;
for how many codons of the genome at hand the first counts. Decoders are fitted to such genomes: of one that the network
knows better they would think that it exaggerates."""

USUAL_GENE_CODONS, GENES_IN_USUAL = 280.0, 10.0
"""Length of a gene that is long enough to be sure, usually, and for how many genes of the genome at hand it counts."""

EVIDENCE = ("hexamer_sum", "start_usage", "context", "motif", "site", "before", "opening", "network", "size")


@dataclass(frozen=True)
class GenomeStatistics:
    """Log-odds of each kind of evidence, natural logarithm.

    Attributes:
        hexamer: In-frame hexamer in a gene against anywhere, [4096].
        usage: Start codon against the most frequent one, [65].
        context: Base at each position around a start against other start codons, [W, 4].
        motif: 5-mer before a start against before other start codons, [1024].
        site: The binding site as one motif with its distance.
        n_codons: Codons of the genome's own genes that they were learned from.
        network: What the model says of a codon of them, less ``USUAL_EVIDENCE``: in a very strange genome it is less
            sure of all genes.
        size: Logarithm of their mean length in ``USUAL_GENE_CODONS``: a genome of short genes has more that are very
            short.
    """

    hexamer: np.ndarray
    usage: np.ndarray
    context: np.ndarray
    motif: np.ndarray
    site: BindingSite
    n_codons: int = 0
    network: float = 0.0
    size: float = 0.0

    @property
    def are_own(self) -> bool:
        """Whether the genome told enough by itself."""
        return self.n_codons >= MIN_CODONS

    @cached_property
    def hexamer_ratios(self) -> np.ndarray:
        """``exp(hexamer)``: a prior is asked for them by each of a thousand records."""
        return np.exp(self.hexamer)

    @cached_property
    def motif_ratios(self) -> np.ndarray:
        """``exp(motif)``."""
        return np.exp(self.motif)


def estimate_statistics(counts: GenomeCounts, prior: GenomeStatistics | None = None) -> GenomeStatistics | None:
    """Log-odds from counts.

    Args:
        counts: Of the genome.
        prior: Of other genomes of its composition; counts where the genome has less than ``ENOUGH_CODONS``, for
            ``HEXAMER_PRIOR`` per hexamer and ``STARTS_IN_PRIOR`` starts.

    Returns:
        None where there is too little to learn from (``MIN_CODONS``) and no prior.
    """
    n_codons = int(counts.coding.sum())
    if n_codons >= ENOUGH_CODONS:
        prior = None
    if prior is None and (n_codons < MIN_CODONS or min(counts.windows) == 0):
        return None
    background = (counts.background + 1.0) / (counts.background.sum() + N_HEXAMERS)
    expected = background if prior is None else _normalized(background * prior.hexamer_ratios)
    coding = _normalized(counts.coding + HEXAMER_PRIOR * N_HEXAMERS * expected)
    return GenomeStatistics(
        hexamer=np.log(coding / background),
        usage=_usage(counts.kinds, prior),
        context=_context(counts.context, prior),
        motif=_motif(counts, prior),
        site=_site(counts, prior),
        n_codons=n_codons,
        network=_network(counts),
        size=_size(counts),
    )


def _network(counts: GenomeCounts) -> float:
    said, n_codons = counts.network
    more = float((said - USUAL_EVIDENCE * n_codons) / (n_codons + CODONS_IN_USUAL))
    return min(more, MOST_EVIDENCE - USUAL_EVIDENCE)


def _size(counts: GenomeCounts) -> float:
    mean = (counts.coding.sum() + GENES_IN_USUAL * USUAL_GENE_CODONS) / (counts.kinds.sum() + GENES_IN_USUAL)
    return float(np.log(mean / USUAL_GENE_CODONS))


def _normalized(table: np.ndarray) -> np.ndarray:
    return table / table.sum(axis=-1, keepdims=True)


def _usage(kinds: np.ndarray, prior: GenomeStatistics | None) -> np.ndarray:
    expected = np.ones(len(kinds))
    if prior is not None:
        expected = np.exp(prior.usage)
        expected[EDGE_START] = 0.0
        expected *= STARTS_IN_PRIOR / expected.sum()
    usage = np.log(np.maximum(kinds + expected, 1e-9) / (kinds + expected).max())
    usage[EDGE_START] = 0.0
    return usage


def _context(context: np.ndarray, prior: GenomeStatistics | None) -> np.ndarray:
    other = _normalized(context[1] + CONTEXT_PRIOR / 4)
    if prior is None:
        return np.log(_normalized(context[0] + CONTEXT_PRIOR / 4) / other)
    expected = STARTS_IN_PRIOR * _normalized(other * np.exp(prior.context))
    return np.log(_normalized(context[0] + expected) / other)


def _motif(counts: GenomeCounts, prior: GenomeStatistics | None) -> np.ndarray:
    expected = 1.0 if prior is None else prior.motif_ratios
    return np.log((counts.motifs[0] + MOTIF_PRIOR * expected) / (_motifs_by_chance(counts) + MOTIF_PRIOR))


def _motifs_by_chance(counts: GenomeCounts) -> np.ndarray:
    return counts.motifs[1] * counts.windows[0] / max(counts.windows[1], 1)


def _site(counts: GenomeCounts, prior: GenomeStatistics | None) -> BindingSite:
    if prior is not None and len(counts.upstream) < SITE_MIN_GENES:
        return prior.site
    return find_site(counts.upstream, _frequent_word(counts))


def _frequent_word(counts: GenomeCounts) -> np.ndarray:
    """Bases of the 5-mer that stands before starts most unexpectedly often."""
    other = _motifs_by_chance(counts)
    frequent = int(((counts.motifs[0] - other) / np.sqrt(other + MOTIF_PRIOR)).argmax())
    return np.array([frequent >> shift & 3 for shift in (8, 6, 4, 2, 0)])


def evidence_of(codes: np.ndarray, candidates: np.ndarray, statistics: GenomeStatistics) -> np.ndarray:
    """What the statistics say of each candidate, columns ``EVIDENCE``, float64 [N, 9]; starts at an edge have only
    hexamers, "network" and "size".

    "before" is the mean of the hexamers before the start, read in its frame: high where the gene has begun earlier.
    "network" and "size" are the same for all.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        candidates: Rows of ``CANDIDATE_DTYPE``.
        statistics: Of the genome.
    """
    out = np.zeros((len(candidates), len(EVIDENCE)))
    out[:, EVIDENCE.index("network")] = statistics.network
    out[:, EVIDENCE.index("size")] = statistics.size
    site = statistics.site
    tables = (statistics.hexamer, statistics.usage, statistics.context, statistics.motif)
    _score_rows(codes, *columns(candidates), *tables, site.motif, site.place, site.share, out)
    return out


@numba.njit(cache=True, nogil=True)
def mean_hexamer(codes, first, strand, n_codons, hexamer):
    """Mean log-odds of the hexamers that begin at each of ``n_codons`` codons read from base ``first`` on."""
    total = 0.0
    for i in range(n_codons):
        word = word_at(codes, first + 3 * i * strand, strand, 6)
        total += hexamer[word] if word >= 0 else 0.0
    return total / n_codons


@numba.njit(cache=True, nogil=True)
def _goes_on(first, strand, n_codons, row):
    """Whether a row is the row before it, with more codons before its start: its hexamers need not be summed again."""
    is_same = strand[row] == strand[row - 1] and n_codons[row] >= n_codons[row - 1] > 0
    return is_same and first[row] + 3 * strand[row] * (n_codons[row] - n_codons[row - 1]) == first[row - 1]


@numba.njit(cache=True, nogil=True)
def _score_rows(codes, first, strand, kind, n_codons, hexamer, usage, context, motif, bases, place, share, out):
    windows = np.empty((1, WINDOW_BP), np.uint8)
    for row in range(len(first)):
        total, n_more = 0.0, n_codons[row] - 1
        if row > 0 and _goes_on(first, strand, n_codons, row):
            total, n_more = out[row - 1, 0], n_codons[row] - n_codons[row - 1]
        for i in range(n_more - 1, -1, -1):
            word = word_at(codes, first[row] + 3 * i * strand[row], strand[row], 6)
            if word >= 0:
                total += hexamer[word]
        out[row, 0] = total
        if kind[row] == EDGE_START:
            continue
        out[row, 1] = usage[kind[row]]
        for i in range(len(context)):
            base = word_at(codes, first[row] + (i + CONTEXT[0]) * strand[row], strand[row], 1)
            if base >= 0 and not 0 <= i + CONTEXT[0] < 3:
                out[row, 2 if i + CONTEXT[0] < OPENING_FROM else 6] += context[i, base]
        best = 0.0
        for i in range(MOTIF_FIRST, MOTIF_LAST + 1):
            word = word_at(codes, first[row] + i * strand[row], strand[row], 5)
            if word >= 0:
                best = max(best, motif[word])
        out[row, 3] = best
        copy_upstream(codes, first[row : row + 1], strand[row : row + 1], windows)
        out[row, 4] = site_odds(windows[0], bases, place, share)
        earliest = first[row] - 3 * (BEFORE_CODONS + 1) * strand[row]
        out[row, 5] = mean_hexamer(codes, earliest, strand[row], BEFORE_CODONS, hexamer)

"""Genes whose UGA is perhaps no stop: it may be selenocysteine, and the gene goes on behind it.

A gene with selenocysteine is found as two: one that ends at UGA, and one that begins at some start codon behind it in
the same frame. Such a pair gives itself away: the codons between the two look like a gene, to the model and by the
genome's own hexamers, and the second gene's start does not look like one.
"""

import numpy as np

from genoformer.decoding.neighbours import along_strand
from genoformer.decoding.statistics import GenomeStatistics, mean_hexamer
from genoformer.sequence.alphabet import encode_bases

GAP_BP = (15, 150)
"""Shortest and longest distance of the two genes; within less there are too few codons to tell."""
MAX_START_LOGIT = -4.0
MIN_UPSTREAM = 3.0
MIN_HEXAMER = -0.1
"""Found on E. coli and H. influenzae as networks of other genomes read them: 3 of 6 notes and 1 of 1 are right there,
and 3 of 3 and 1 of 2 of the genes with selenocysteine get one."""


def read_through_genes(codes: np.ndarray, genes: np.ndarray, statistics: GenomeStatistics | None) -> np.ndarray:
    """True for genes that end at a UGA which is likely read through, bool [N].

    Args:
        codes: uint8 base codes of the record, forward strand, shape [L].
        genes: Chosen rows of ``CANDIDATE_DTYPE``, of a genetic code in which UGA is a stop.
        statistics: Of the genome; without them nothing is found.
    """
    found = np.zeros(len(genes), np.bool_)
    if statistics is None:
        return found
    for strand in (1, -1):
        own = np.flatnonzero((genes["strand"] == strand) & (genes["closed"] == 1))
        starts, ends = along_strand(genes[own], strand)
        order = np.argsort(ends)
        own, starts, ends = own[order], starts[order], ends[order]
        gap, behind = starts[1:] - ends[:-1], genes[own[1:]]
        likely = (gap % 3 == 0) & (gap >= GAP_BP[0]) & (gap <= GAP_BP[1])
        likely &= (behind["start_logit"] < MAX_START_LOGIT) & (behind["upstream"] > MIN_UPSTREAM)
        for i in np.flatnonzero(likely):
            stop = int(abs(ends[i])) - (3 if strand > 0 else -2)  # first base of the stop codon
            if _is_uga(codes, stop, strand):
                between = mean_hexamer(codes, stop + 3 * strand, strand, int(gap[i]) // 3, statistics.hexamer)
                found[own[i]] = between >= MIN_HEXAMER
    return found


def _is_uga(codes: np.ndarray, first: int, strand: int) -> bool:
    codon = codes[first : first + 3] if strand > 0 else codes[first - 2 : first + 1]
    return bool((codon == encode_bases("TGA" if strand > 0 else "TCA")).all())

"""Which genetic code a record is read with: what the model says of every UGA that ends an open frame of a gene.

What a network says of bases does not depend on the code, only the open frames do. Where UGA is a stop, genes end at it,
and the network sees the end of a gene there; where it is none, it sees a gene go on. Frames are looked for under both
codes, so that the genes of either can follow.
"""

import numba
import numpy as np

from genoformer.annotation.genetic_code import CODONS
from genoformer.decoding.caller import record_stop_rate
from genoformer.decoding.decoder import GeneDecoder
from genoformer.decoding.genome_counts import columns, word_at
from genoformer.decoding.options import CallOptions
from genoformer.decoding.readings import OTHER, OWN, readings
from genoformer.sequence.alphabet import encode_bases

UGA_IS_GLYCINE = 25
"""NCBI's number of the code."""
UGA, UGG = CODONS.index("TGA"), CODONS.index("TGG")

MIN_CODON_EVIDENCE = 1.0
"""Mean evidence per codon of a frame that counts as one of a gene."""
MOST_ODDS = 4.0
"""What one UGA says at most: it may be selenocysteine in a genome in which others are stops."""
MIN_EVIDENCE = 2 * MOST_ODDS
"""Log-odds from which on UGA is no stop, all UGA together: two that are surely read, and none against them."""
EVIDENCE_PER_KB = 0.8
"""The least in long sequence, so that doubts do not add up, about genes in decay above all. Means per kb:
-.3 to .1 in genomes of code 11, 5.7 in one of code 4, 1.0 to 4.5 in others that were rewritten in it."""
MIN_UGA, MIN_UGA_SHARE = 2, 0.35
"""In genes that are found when UGA is no stop, and of UGA and UGG together: who reads it uses it."""
MIN_CODONS = 1_000
"""Fewer may be those of a few proteins with much tryptophan."""
TRYPTOPHAN_SHARE = 0.015
"""UGA and UGG together, of all codons, where both are tryptophan: more than proteins have (.011)."""
MIN_UGG_SHARE = 0.003
"""Of UGG, where it alone is tryptophan."""
GLYCINE_Z = 3.0
"""Standard deviations of a Poisson count above ``TRYPTOPHAN_SHARE``."""


def choose_code(
    codes: np.ndarray, candidates: np.ndarray, decoder: GeneDecoder, options: CallOptions, margin: int = 0
) -> int:
    """NCBI number of the code of a record; that which is expected where nothing speaks against it.

    Args:
        codes: uint8 base codes of the record as the model read it, [L].
        candidates: Rows of ``READ_DTYPE``.
        decoder: The bundle's.
        options: Of the model pass.
        margin: Bases at both ends that stand elsewhere, too: those of a circular record that was opened.
    """
    if options.other_code is None:
        return options.genetic_code
    needed = max(MIN_EVIDENCE, EVIDENCE_PER_KB * (len(codes) - 2 * margin) / 1_000)
    if uga_evidence(codes, candidates, margin).sum() < needed:
        return options.genetic_code
    counts = codon_counts(codes, candidates, decoder, options, margin)
    if counts[UGA] < max(MIN_UGA, MIN_UGA_SHARE * (counts[UGA] + counts[UGG])):
        return options.genetic_code
    return UGA_IS_GLYCINE if is_glycine(counts) else options.other_code


def _ends_inside(rows: np.ndarray, codes: np.ndarray, margin: int) -> np.ndarray:
    """True where the 3′ end lies in no margin, bool [N]: whole frames, and each of a circle once."""
    ends = np.where(rows["strand"] > 0, rows["end"], rows["start"] + 1)
    return (ends > margin) & (ends <= len(codes) - margin)


def uga_evidence(codes: np.ndarray, candidates: np.ndarray, margin: int = 0) -> np.ndarray:
    """Log-odds that UGA is no stop, from each open frame of a gene that ends at one, float64 [N].

    Args:
        codes: uint8 base codes of the record as the model read it, [L].
        candidates: Rows of ``READ_DTYPE``.
        margin: As for ``choose_code``.
    """
    is_closed = (candidates["readings"] == OWN) & (candidates["closed"] == 1)  # what ends at UGA has no other reading
    rows = candidates[is_closed & _ends_inside(candidates, codes, margin)]
    rows = rows[_ends_at_uga(codes, rows)]
    rows = rows[np.lexsort((rows["codon_sum"], rows["orf"]))]
    best = rows[np.append(rows["orf"][1:] != rows["orf"][:-1], True)[: len(rows)]]  # one start of each frame
    coding = best[best["codon_sum"] > MIN_CODON_EVIDENCE * best["n_codons"]]
    return -np.clip(coding["stop_logit"].astype(np.float64), -MOST_ODDS, MOST_ODDS)


def _ends_at_uga(codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """True for rows whose stop codon is UGA, bool [N]."""
    found = np.zeros(len(rows), np.bool_)
    for strand, column, shift, stop in ((1, "end", -3, "TGA"), (-1, "start", 0, "TCA")):
        own = rows["strand"] == strand
        first = rows[column][own] + shift
        found[own] = (codes[first[:, None] + np.arange(3)] == encode_bases(stop)).all(axis=1)
    return found


def codon_counts(
    codes: np.ndarray, candidates: np.ndarray, decoder: GeneDecoder, options: CallOptions, margin: int = 0
) -> np.ndarray:
    """Codons of each kind in genes that are found when UGA is no stop, int64 [64]; arguments as for ``choose_code``.

    The statistics of the genome at hand take no part: they follow from the code.
    """
    rows = candidates[(candidates["readings"] & OTHER > 0) & _ends_inside(candidates, codes, margin)]
    *_, (_, own) = readings(options)
    counts = np.zeros(64, np.int64)
    if len(rows):
        scored = decoder.score(codes, rows, record_stop_rate(codes, own))
        first, strand, _, n_codons = columns(rows[decoder.select(rows, scored)])
        _count_codons(codes, first, strand, n_codons, counts)
    return counts


def is_glycine(counts: np.ndarray) -> bool:
    """Whether UGA, which is no stop, cannot be tryptophan: with UGG there would be too much of it.

    Args:
        counts: Codons of each kind in genes, [64].
    """
    total, ugg = int(counts.sum()), int(counts[UGG])
    if total < MIN_CODONS:
        return False
    expected = TRYPTOPHAN_SHARE * total
    return ugg >= MIN_UGG_SHARE * total and int(counts[UGA]) + ugg - expected > GLYCINE_Z * np.sqrt(expected)


@numba.njit(cache=True, nogil=True)
def _count_codons(codes, first, strand, n_codons, counts):
    for row in range(len(first)):
        for i in range(n_codons[row]):
            codon = word_at(codes, first[row] + 3 * i * strand[row], strand[row], 3)
            if codon >= 0:
                counts[codon] += 1

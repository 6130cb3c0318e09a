"""Genes of release factor 2 whose first codons lie in another frame: the ribosome shifts by one base at an early UGA.

Where there is little release factor 2 the ribosome waits at the UGA of CUUUGAC, slips from CUU to UUU and goes on in
the frame +1: so prfB controls itself. Gene finders see the long second part and cannot see its true start. The sign is
the CTTTGAC behind a short open frame, in front of a frame of the length of release factor 2 that has the two motifs by
which this protein reads UGA and UAA (SPF, in alphaproteobacteria SPY too) and cuts the peptide off (GGQ).

Reference: Craigen et al., PNAS 82 (1985) 3616 (the frameshift); Baranov et al., EMBO Rep 3 (2002) 373 (its site in most
bacteria); Ito et al., Nature 403 (2000) 680 (SPF); Frolova et al., RNA 5 (1999) 1014 (GGQ).
"""

import re

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode, codon_indices, translate
from genoformer.decoding.neighbours import along_strand
from genoformer.sequence.alphabet import encode_bases, reverse_complement

SITE = {1: encode_bases("CTTTGAC").tobytes(), -1: encode_bases("GTCAAAG").tobytes()}
"""By strand, as the forward strand reads it."""
SHIFTED = 4
"""First base of the site that is read in the frame behind the shift."""
FIRST_CODONS = (12, 40)
"""Codons of the short frame before the UGA, at least and at most; 18 to 29 in the genomes at hand."""
FACTOR_CODONS = (300, 420)
"""Codons behind the shift; 337 to 351 in the genomes at hand."""
MOTIFS = re.compile("SP[FY].{20,80}GGQ")


def frameshift_genes(codes: np.ndarray, genes: np.ndarray, code: GeneticCode) -> np.ndarray:
    """True for genes that begin, most likely, in another frame before a UGA, bool [N].

    Args:
        codes: uint8 base codes of the record, forward strand, shape [L].
        genes: Chosen rows of ``CANDIDATE_DTYPE``.
        code: Genetic code.
    """
    found = np.zeros(len(genes), np.bool_)
    if not code.stop_mask[codon_indices(encode_bases("TGA"))[0]]:
        return found
    for strand in (1, -1):
        sites = [match.start() for match in re.finditer(re.escape(SITE[strand]), np.ascontiguousarray(codes).data)]
        if not sites:
            continue
        own = np.flatnonzero((genes["strand"] == strand) & (genes["closed"] == 1))
        starts, ends = along_strand(genes[own], strand)
        by_end = {int(end): int(i) for i, end in zip(own, ends, strict=True)}
        first = dict(zip(own.tolist(), starts.tolist(), strict=True))
        for low in sites:
            read, before = _around(codes, low, strand)
            site = low if strand > 0 else -low - len(SITE[strand])  # along the strand
            length = _length_of_factor(read[before + SHIFTED :], code)
            gene = None if length is None else by_end.get(site + SHIFTED + length)
            if gene is not None and first[gene] > site - 3 * FIRST_CODONS[1]:
                found[gene] = _has_first_codons(read, before + 3, code)
    return found


def _around(codes: np.ndarray, low: int, strand: int) -> tuple[np.ndarray, int]:
    """Bases of the strand around a site whose lowest base is ``low``, and how many of them are in front of it."""
    before, behind = 3 * FIRST_CODONS[1], SHIFTED + 3 * FACTOR_CODONS[1] + 3
    high = low + len(SITE[strand])
    if strand > 0:
        first = max(0, low - before)
        return codes[first : low + behind], low - first
    return reverse_complement(codes[max(0, high - behind) : high + before]), min(before, len(codes) - high)


def _length_of_factor(read: np.ndarray, code: GeneticCode) -> int | None:
    """Bases of the frame behind a shift, with its stop codon, if it looks like release factor 2."""
    codons = codon_indices(read[: 3 * FACTOR_CODONS[1] + 3])
    stops = np.flatnonzero((codons >= 0) & code.stop_mask[codons])
    if len(stops) == 0 or stops[0] < FACTOR_CODONS[0]:
        return None
    n_codons = int(stops[0])
    return 3 * n_codons + 3 if MOTIFS.search(translate(read[: 3 * n_codons], code)) else None


def _has_first_codons(read: np.ndarray, uga: int, code: GeneticCode) -> bool:
    """Whether a start codon stands at the right distance before a UGA, with no stop codon between them."""
    low = uga - 3 * min(FIRST_CODONS[1], uga // 3)
    codons = codon_indices(read[low:uga])[::-1]  # the first one stands right before the UGA
    stops = np.flatnonzero((codons < 0) | code.stop_mask[codons])
    open_codons = codons[: stops[0]] if len(stops) else codons
    return bool(code.start_mask[open_codons[FIRST_CODONS[0] - 1 :]].any())

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

SITE = encode_bases("CTTTGAC").tobytes()
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
    for strand, read in ((1, codes), (-1, reverse_complement(codes))):
        sites = [match.start() for match in re.finditer(re.escape(SITE), read.tobytes())]
        if not sites:
            continue
        own = np.flatnonzero((genes["strand"] == strand) & (genes["closed"] == 1))
        starts, ends = along_strand(genes[own], strand)
        shift = 0 if strand > 0 else len(codes)
        by_end = {int(end) + shift: int(i) for i, end in zip(own, ends, strict=True)}
        first = dict(zip(own.tolist(), (starts + shift).tolist(), strict=True))
        for site in sites:
            end = _end_of_factor(read, site + SHIFTED, code)
            gene = None if end is None else by_end.get(end)
            if gene is not None and first[gene] > site - 3 * FIRST_CODONS[1]:
                found[gene] = _has_first_codons(read, site + 3, code)
    return found


def _end_of_factor(read: np.ndarray, first: int, code: GeneticCode) -> int | None:
    """One past the stop codon of the frame behind a shift, if it looks like release factor 2."""
    codons = codon_indices(read[first : first + 3 * FACTOR_CODONS[1] + 3])
    stops = np.flatnonzero((codons >= 0) & code.stop_mask[codons])
    if len(stops) == 0 or stops[0] < FACTOR_CODONS[0]:
        return None
    n_codons = int(stops[0])
    protein = translate(read[first : first + 3 * n_codons], code)
    return first + 3 * n_codons + 3 if MOTIFS.search(protein) else None


def _has_first_codons(read: np.ndarray, uga: int, code: GeneticCode) -> bool:
    """Whether a start codon stands at the right distance before a UGA, with no stop codon between them."""
    low = uga - 3 * min(FIRST_CODONS[1], uga // 3)
    codons = codon_indices(read[low:uga])[::-1]  # the first one stands right before the UGA
    stops = np.flatnonzero((codons < 0) | code.stop_mask[codons])
    open_codons = codons[: stops[0]] if len(stops) else codons
    return bool(code.start_mask[open_codons[FIRST_CODONS[0] - 1 :]].any())

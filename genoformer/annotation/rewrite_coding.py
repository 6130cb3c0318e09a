"""Coding sequences rewritten with other codons for the same or similar amino acids: augmentation in reading frame."""

import numpy as np

from genoformer.annotation.genetic_code import codon_indices
from genoformer.annotation.recode import draw_recoding


def rewrite_coding(
    codes: np.ndarray, *, synonymous: float, substituted: float, genetic_code: int, generator: np.random.Generator
) -> np.ndarray:
    """Draw codons anew, toward a codon usage that is drawn for the whole sequence (see ``annotation.recode``).

    Stop codons, codons with an unknown base and one or two bases left over at the end stay.

    Args:
        codes: uint8 base codes in reading frame, [L]; left unchanged.
        synonymous: Share of the codons that are drawn anew.
        substituted: Largest share of the codons that may change their amino acid as well, following BLOSUM62; the share
            of one sequence is drawn evenly from 0 on.
        genetic_code: NCBI number; 1 is right wherever 11 is.
        generator: Source of randomness.

    Returns:
        uint8 [L].

    Raises:
        UsageError: If there is no such genetic code.
    """
    recoding = draw_recoding(genetic_code, generator)
    codons = codon_indices(codes)
    may_change = (codons >= 0) & ~recoding.code.stop_mask[codons]
    is_other = generator.random(len(codons)) < generator.uniform(0, substituted)
    is_drawn = may_change & ((generator.random(len(codons)) < synonymous) | is_other)
    cumulative = np.where(is_other[:, None], recoding.other[codons], recoding.same[codons])  # [L // 3, 64]
    drawn = (cumulative < generator.random((len(codons), 1))).sum(axis=1).clip(max=63)
    codons = np.where(is_drawn, drawn, codons)
    written = np.array(codes, dtype=np.uint8)
    bases = np.stack((codons >> 4, codons >> 2 & 3, codons & 3), axis=1).astype(np.uint8)
    frame = written[: 3 * len(codons)].reshape(-1, 3)  # a view of ``written``
    frame[is_drawn] = bases[is_drawn]
    return written

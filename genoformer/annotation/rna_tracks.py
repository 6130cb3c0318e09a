"""Per-base labels of rRNA and tRNA genes, in the two bits of label tracks that genes of proteins leave free.

A base holds ``RRNA`` or ``TRNA`` inside such a gene, and both bits, ``NO_RNA``, where it was looked for and is not.
Neither bit says nothing: tracks without labels of RNA are never read as sequence without RNA.
"""

from collections.abc import Iterable

import numpy as np

from genoformer.annotation.models import RRNA_KIND, TRNA_KIND, RnaGene
from genoformer.annotation.tracks import NO_RNA, RRNA, TRNA

BITS = {RRNA_KIND: RRNA, TRNA_KIND: TRNA}
LONGEST_LABELLED_TRNA_BP = 300
"""A tRNA has at most about 100 bases, and its introns in archaea and nuclei about as many; those of plastids have
hundreds or thousands, with genes inside, and say nothing of what a tRNA looks like."""


def add_rna_labels(tracks: np.ndarray, genes: Iterable[RnaGene], *, circular: bool = False) -> None:
    """Add the labels of a contig whose RNA genes are known, in place.

    Nothing is said of pseudogenes, of tRNA genes with very long introns, and of bases that genes of both kinds share.

    Args:
        tracks: uint8 labels without those of RNA, row 0 for "+", row 1 for "-", forward coordinates, shape [2, L].
        genes: All rRNA and tRNA genes of the contig; what lies behind its end is cut off.
        circular: The contig is circular: a gene over the origin wraps around.
    """
    length_bp = tracks.shape[1]
    seen = np.zeros_like(tracks)
    for gene in genes:
        row, bits = seen[0 if gene.strand == "+" else 1], BITS[gene.kind] if _is_usual(gene) else NO_RNA
        row[gene.start : gene.end] |= bits
        if circular:
            row[: min(max(gene.end - length_bp, 0), length_bp)] |= bits
    # What is in no gene holds both bits, what cannot be told holds none.
    tracks |= np.where((seen == 0) | (seen == NO_RNA), seen ^ NO_RNA, seen)


def _is_usual(gene: RnaGene) -> bool:
    is_long = gene.kind == TRNA_KIND and gene.end - gene.start > LONGEST_LABELLED_TRNA_BP
    return not (gene.pseudo or is_long)


def in_rna_genes(tracks: np.ndarray) -> np.ndarray:
    """True at bases of rRNA and tRNA genes of either strand, bool [L].

    Args:
        tracks: uint8 labels, shape [2, L].
    """
    rna = tracks & NO_RNA
    return ((rna == RRNA) | (rna == TRNA)).any(axis=0)

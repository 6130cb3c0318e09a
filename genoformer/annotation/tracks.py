"""Gene models ↔ per-base labels: which codon position a base holds on each strand, where starts and stops lie.

A gene that such labels cannot express (joined, shifted, pseudo, ambiguous ...) is masked over its whole span on both
strands, and counted by reason: it is neither a positive nor a negative example.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from genoformer.annotation.gene_sequence import coding_positions, coding_sequence, excepted_codons
from genoformer.annotation.genetic_code import GeneticCode, codon_indices, get_genetic_code
from genoformer.annotation.models import Gene, sort_genes
from genoformer.annotation.stop_codons import include_stop_codons

CODON_0, CODON_1, CODON_2, START, STOP, MASKED = 1, 2, 4, 8, 16, 128
RRNA, TRNA = 32, 64
"""Of bits of RNA genes, see ``rna_tracks``: both together mean that there is neither."""
NO_RNA = RRNA | TRNA
GENE_TABLE = np.dtype([("start", "i8"), ("end", "i8"), ("strand", "i1"), ("masked", "?")])
# A gene cut off by the contig end begins or ends with whole codons in some files: up to two bases from the end.
END_SLACK_BP = 2


def label_tracks(
    codes: np.ndarray, genes: Iterable[Gene], *, genetic_code: int, circular: bool = False
) -> tuple[np.ndarray, Counter[str]]:
    """Per-base labels of both strands as bits.

    ``CODON_0``, ``CODON_1`` and ``CODON_2`` cover the gene from start to stop codon inclusive. ``START`` and ``STOP``
    are on the first base in reading direction of the start and the stop codon: on "-" that is the highest coordinate
    of the codon. A CDS that ends before its stop codon gets it (see ``stop_codons``). Overlapping genes are or-ed. A
    gene cut off by the contig end lacks ``START`` or ``STOP``.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        genes: The genes of this contig.
        genetic_code: NCBI translation table of the contig.
        circular: The contig is circular: genes over the origin wrap around, and no gene is cut off.

    Returns:
        uint8 labels, shape [2, L], row 0 for "+", row 1 for "-", both in forward coordinates; and how many genes were
        masked, by reason.

    Raises:
        UsageError: If there is no such genetic code.
    """
    code = get_genetic_code(genetic_code)
    tracks = np.zeros((2, len(codes)), dtype=np.uint8)
    masked: Counter[str] = Counter()
    for gene in include_stop_codons(codes, genes, genetic_code, circular=circular):
        reason = why_masked(codes, gene, code, circular=circular)
        if reason is None:
            _label_gene(tracks[0 if gene.strand == "+" else 1], gene)
            continue
        masked[reason] += 1
        for start, end in masked_intervals(gene):
            tracks[:, _span_positions(start, end, len(codes), circular)] |= MASKED
    return tracks, masked


def masked_rows(mask: np.ndarray) -> np.ndarray:
    """One masked row of ``GENE_TABLE`` for each run of True.

    Args:
        mask: bool [L].
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.astype(np.int8), [0]))))
    rows = np.zeros(len(edges) // 2, GENE_TABLE)
    rows["start"], rows["end"], rows["strand"], rows["masked"] = edges[::2], edges[1::2], 1, True
    return rows


def gene_table(codes: np.ndarray, genes: Iterable[Gene], *, genetic_code: int, circular: bool = False) -> np.ndarray:
    """The genes of a contig as rows of ``GENE_TABLE``, sorted by start; strand is 1 or -1.

    ``masked`` follows the rules of ``label_tracks``. A trans-spliced gene gives one masked row for each part.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        genes: The genes of this contig.
        genetic_code: NCBI translation table of the contig.
        circular: The contig is circular.

    Returns:
        Structured array, shape [G].

    Raises:
        UsageError: If there is no such genetic code.
    """
    code = get_genetic_code(genetic_code)
    rows = []
    for gene in sort_genes(include_stop_codons(codes, genes, genetic_code, circular=circular)):
        masked = why_masked(codes, gene, code, circular=circular) is not None
        spans = masked_intervals(gene) if masked else ((gene.start, gene.end),)
        rows += [(start, end, 1 if gene.strand == "+" else -1, masked) for start, end in spans]
    return np.array(sorted(rows), dtype=GENE_TABLE)


def why_masked(
    codes: np.ndarray, gene: Gene, code: GeneticCode, *, circular: bool = False, with_introns: bool = False
) -> str | None:
    """The reason why labels cannot express the gene, or None if they can.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        gene: A gene of the contig.
        code: Genetic code of the contig.
        circular: The contig is circular.
        with_introns: The labels can express a gene of several parts.
    """
    reason = _why_model_masked(gene, with_introns) or _why_place_masked(gene, len(codes), circular)
    return reason or _why_sequence_masked(codes, gene, code)


def _why_model_masked(gene: Gene, with_introns: bool) -> str | None:
    if gene.pseudo:
        return "pseudogene"
    if gene.trans_spliced:
        return "trans-spliced"
    if gene.slippage:
        return "ribosomal slippage"
    if gene.is_shifted:
        return "gap too short for an intron"
    return "joined" if len(gene.parts) > 1 and not with_introns else None


def _why_place_masked(gene: Gene, length_bp: int, circular: bool) -> str | None:
    if gene.start >= length_bp or gene.end > (2 * length_bp if circular else length_bp):
        return "outside the contig"
    if gene.end - gene.start > length_bp:
        return "longer than the contig"
    low, high = (gene.partial_5, gene.partial_3) if gene.strand == "+" else (gene.partial_3, gene.partial_5)
    low_is_cut = not circular and gene.start <= END_SLACK_BP
    high_is_cut = not circular and gene.end >= length_bp - END_SLACK_BP
    return "partial inside the contig" if (low and not low_is_cut) or (high and not high_is_cut) else None


def _why_sequence_masked(codes: np.ndarray, gene: Gene, code: GeneticCode) -> str | None:
    if gene.phase_offset and not gene.partial_5:
        return "incomplete first codon"
    frame_bp = gene.length_bp - gene.phase_offset
    if (frame_bp % 3 and not gene.partial_3) or frame_bp < 3:
        return "length not a multiple of three"
    indices = codon_indices(coding_sequence(codes, gene)[gene.phase_offset :])
    if (indices < 0).any():
        return "ambiguous bases"
    if not gene.partial_5 and not code.start_mask[indices[0]]:
        return "no start codon"
    if not gene.partial_3 and not code.stop_mask[indices[-1]]:
        return "no stop codon"
    inner = indices if gene.partial_3 else indices[:-1]
    stops = set(np.flatnonzero(code.stop_mask[inner]).tolist())
    return "internal stop codon" if stops - set(excepted_codons(gene, len(codes))) else None


def _label_gene(row: np.ndarray, gene: Gene) -> None:
    """Set the bits of one representable gene in its strand's row, in place."""
    positions = coding_positions(gene, len(row))
    row[positions] |= np.left_shift(1, (np.arange(len(positions)) - gene.phase_offset) % 3).astype(np.uint8)
    if not gene.partial_5:
        row[positions[0]] |= START
    if not gene.partial_3:
        row[positions[-3]] |= STOP


def masked_intervals(gene: Gene) -> tuple[tuple[int, int], ...]:
    """The whole gene with its gaps; only the parts when splicing joins distant transcripts."""
    return gene.parts if gene.trans_spliced else ((gene.start, gene.end),)


def _span_positions(start: int, end: int, length_bp: int, circular: bool) -> np.ndarray:
    if circular:
        return np.arange(start, min(end, start + length_bp)) % length_bp
    return np.arange(start, min(end, length_bp))

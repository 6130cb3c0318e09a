"""Ends of CDS, which files write in several ways: the sequence decides whether a start or stop codon is there."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from genoformer.annotation.gene_sequence import coding_sequence, start_codon
from genoformer.annotation.genetic_code import GeneticCode, codon_indices, get_genetic_code
from genoformer.annotation.locations import join_touching, merge_spans
from genoformer.annotation.models import Gene, Span
from genoformer.sequence.alphabet import encode_bases

STOPS_WITHOUT_CODE = 11
"""Genetic code where a file names none: its stop codons are those of the standard code, too."""
_ATG = encode_bases(b"ATG")


def include_stop_codons(
    codes: np.ndarray, genes: Iterable[Gene], genetic_code: int, *, circular: bool = False
) -> list[Gene]:
    """The same genes, each CDS with the stop codon that follows it in the transcript.

    A CDS grows by three bases when its own last codon is no stop codon, the next three bases of the transcript are one,
    and it is whole codons long from its first one on. Beyond the known exons the transcript goes on without an intron.
    An end that is missing for want of a row alone (``Gene.assumed_5``) is there where a stop codon or ATG is, but for
    ends of the contig, where genes are cut off.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        genes: Genes of the contig.
        genetic_code: NCBI translation table of the contig.
        circular: The contig is circular: the transcript goes on over the origin.

    Returns:
        Genes in the given order.

    Raises:
        UsageError: If there is no such genetic code.
    """
    code = get_genetic_code(genetic_code)
    return [_with_stop(codes, _with_ends(codes, gene, code, circular), code, circular) for gene in genes]


def _with_ends(codes: np.ndarray, gene: Gene, code: GeneticCode, circular: bool) -> Gene:
    """The gene with the ends that the bases show, where the file only lacks rows of their codons."""
    if gene.pseudo or gene.trans_spliced or gene.is_shifted or gene.end > (2 if circular else 1) * len(codes):
        return gene
    low_is_cut, high_is_cut = (False, False) if circular else (gene.start < 3, gene.end > len(codes) - 3)
    five_is_cut, three_is_cut = (low_is_cut, high_is_cut) if gene.strand == "+" else (high_is_cut, low_is_cut)
    if gene.assumed_3 and not three_is_cut and not (gene.length_bp - gene.phase_offset) % 3:
        closed = _with_stop(codes, replace(gene, partial_3=False, assumed_3=False), code, circular)
        gene = closed if _ends_in_stop(codes, closed, code) else gene
    # Rarer start codons stand at the first base of a torn gene by chance too often.
    if gene.assumed_5 and not (five_is_cut or gene.phase_offset) and np.array_equal(start_codon(codes, gene), _ATG):
        return replace(gene, partial_5=False, assumed_5=False)
    return gene


def _with_stop(codes: np.ndarray, gene: Gene, code: GeneticCode, circular: bool) -> Gene:
    last_bp = 2 * len(codes) if circular else len(codes)
    is_odd = gene.pseudo or gene.trans_spliced or gene.is_shifted or gene.end > last_bp
    if is_odd or gene.partial_3 or (gene.length_bp - gene.phase_offset) % 3 or _ends_in_stop(codes, gene, code):
        return gene
    # On "-" the stop codon may lie before base 0 of a circle.
    placed = gene.shifted(len(codes)) if circular and gene.start < 3 and gene.strand == "-" else gene
    added = _next_spans(placed, 3)
    if any(start < 0 or end > last_bp for start, end in added):
        return gene
    longer = _longer(placed, added)
    return longer if longer.start < len(codes) and _ends_in_stop(codes, longer, code) else gene


def _longer(gene: Gene, added: list[Span]) -> Gene:
    """The gene with more coding parts, and with exons that hold them."""
    exons = merge_spans([*gene.exons, *added]) if gene.exons else ()
    return replace(with_parts(gene, sorted((*gene.parts, *added))), exons=exons)


def _ends_in_stop(codes: np.ndarray, gene: Gene, code: GeneticCode) -> bool:
    last = codon_indices(coding_sequence(codes, gene)[-3:])
    return bool(len(last) and last[0] >= 0 and code.stop_mask[last[0]])


def _next_spans(gene: Gene, n_bp: int) -> list[Span]:
    """Where the ``n_bp`` transcript bases behind the CDS lie; behind the last known exon it goes on without intron."""
    is_plus = gene.strand == "+"
    last = gene.end if is_plus else gene.start
    found: list[Span] = []
    for start, end in gene.exons if is_plus else gene.exons[::-1]:
        start, end = (max(start, last), end) if is_plus else (start, min(end, last))
        if n_bp and start < end:
            taken = min(n_bp, end - start)
            found.append((start, start + taken) if is_plus else (end - taken, end))
            n_bp -= taken
    low, high = gene.transcript_span
    if n_bp:
        found.append((max(last, high), max(last, high) + n_bp) if is_plus else (min(last, low) - n_bp, min(last, low)))
    return found


def without_stop_codon(gene: Gene) -> Gene:
    """The same gene without its last three bases, which may lie in two or three parts; a partial 3' end stays.

    Raises:
        ValueError: If nothing would be left.
    """
    if gene.partial_3:
        return gene
    left_bp, kept = gene.length_bp - 3, []
    if left_bp < 1:
        raise ValueError(f"gene {gene.id!r} is no more than a stop codon")
    for start, end in gene.parts if gene.strand == "+" else gene.parts[::-1]:
        taken = min(left_bp, end - start)
        if taken:
            kept.append((start, start + taken) if gene.strand == "+" else (end - taken, end))
        left_bp -= taken
    return with_parts(gene, sorted(kept))


def with_parts(gene: Gene, parts: list[Span]) -> Gene:
    """The same gene with other coding parts, ascending; parts that touch become one."""
    merged = join_touching(parts)
    return replace(gene, start=merged[0][0], end=merged[-1][1], parts=merged)

"""Gene models with introns ↔ per-base labels: one exclusive state per base and strand, and bits at boundaries.

The low three bits of a label are its state: intergenic, untranslated, codon position 0, 1, 2, intron after 0, 1 or 2
bases of a codon. ``START`` and ``STOP`` mark the first base of the start and stop codon as in ``tracks``, ``DONOR`` the
first base of an intron, ``ACCEPTOR`` the first base behind one, all in reading direction. Introns between untranslated
exons are masked on their strand: no state stands for them.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from genoformer.annotation.gene_sequence import coding_positions
from genoformer.annotation.genetic_code import get_genetic_code
from genoformer.annotation.isoforms import choose_isoforms
from genoformer.annotation.models import Gene, Span, sort_genes
from genoformer.annotation.stop_codons import include_stop_codons
from genoformer.annotation.tracks import GENE_TABLE, MASKED, START, STOP, masked_intervals, why_masked

INTERGENIC, UNTRANSLATED, CODING, INTRON = 0, 1, 2, 5
"""States; ``CODING`` and ``INTRON`` are the first of three, by codon position and phase."""
STATE_MASK = 7
DONOR, ACCEPTOR = 32, 64


def intron_tracks(
    codes: np.ndarray, genes: Iterable[Gene], *, genetic_code: int, circular: bool = False
) -> tuple[np.ndarray, Counter[str]]:
    """Per-base labels of both strands.

    One isoform stands for each gene (see ``choose_isoforms``), its CDS with stop codon (see ``stop_codons``). A gene
    that labels cannot express is masked over its span on both strands. Where two genes of one strand claim a base for
    different coding or intron states, the base is masked on that strand; untranslated regions yield to both.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        genes: The genes of this contig.
        genetic_code: NCBI translation table of the contig.
        circular: The contig is circular; genes over the origin are masked.

    Returns:
        uint8 labels, shape [2, L], row 0 for "+", row 1 for "-", both in forward coordinates; and how many genes were
        masked, by reason.

    Raises:
        UsageError: If there is no such genetic code.
    """
    tracks = np.zeros((2, len(codes)), dtype=np.uint8)
    masked: Counter[str] = Counter()
    spans: list[Span] = []
    for gene in include_stop_codons(codes, choose_isoforms(genes), genetic_code):
        reason = _why_masked(codes, gene, genetic_code, circular)
        if reason is None:
            _label_gene(tracks[0 if gene.strand == "+" else 1], gene)
            continue
        masked[reason] += 1
        spans += masked_intervals(gene)
    for start, end in spans:
        tracks[:, np.arange(start, min(end, start + len(codes))) % len(codes)] |= MASKED
    return tracks, masked


def intron_gene_table(
    codes: np.ndarray, genes: Iterable[Gene], *, genetic_code: int, circular: bool = False
) -> np.ndarray:
    """The chosen isoforms of a contig as rows of ``GENE_TABLE``; start and end are those of the CDS, introns included.

    ``masked`` follows the rules of ``intron_tracks``.

    Args:
        codes: uint8 base codes of the contig, forward strand, shape [L].
        genes: The genes of this contig.
        genetic_code: NCBI translation table of the contig.
        circular: The contig is circular.

    Returns:
        Structured array, shape [G].
    """
    rows = []
    for gene in include_stop_codons(codes, choose_isoforms(genes), genetic_code):
        masked = _why_masked(codes, gene, genetic_code, circular) is not None
        spans = masked_intervals(gene) if masked else ((gene.start, gene.end),)
        rows += [(start, end, 1 if gene.strand == "+" else -1, masked) for start, end in spans]
    return np.array(sorted(rows), dtype=GENE_TABLE)


def _why_masked(codes: np.ndarray, gene: Gene, genetic_code: int, circular: bool) -> str | None:
    if gene.end > len(codes):
        return "over the origin" if circular else "outside the contig"
    return why_masked(codes, gene, get_genetic_code(genetic_code), circular=circular, with_introns=True)


def _label_gene(row: np.ndarray, gene: Gene) -> None:
    """Set the labels of one gene in its strand's row, in place."""
    states = np.zeros(len(row), dtype=np.uint8)
    low, high = gene.transcript_span
    for start, end in gene.exons:
        states[start:end] = UNTRANSLATED
    for (_, before), (after, _) in pairwise(gene.exons):
        if not gene.start <= before < gene.end:
            row[before:after] |= MASKED
    positions = coding_positions(gene, len(row))
    states[positions] = CODING + (np.arange(len(positions)) - gene.phase_offset) % 3
    signals = np.zeros(len(row), dtype=np.uint8)
    if not gene.partial_5:
        signals[positions[0]] |= START
    if not gene.partial_3:
        signals[positions[-3]] |= STOP
    for donor, acceptor, phase in _introns(gene):
        inside = slice(donor, acceptor) if gene.strand == "+" else slice(acceptor + 1, donor + 1)
        states[inside] = INTRON + phase
        signals[donor] |= DONOR
        signals[acceptor] |= ACCEPTOR
    _merge(row[low:high], states[low:high], signals[low:high])


def _introns(gene: Gene) -> list[tuple[int, int, int]]:
    """First base of the intron and first base behind it, in reading direction, with the phase, of every intron."""
    parts = gene.parts if gene.strand == "+" else gene.parts[::-1]
    found, read_bp = [], -gene.phase_offset
    for part, following in pairwise(parts):
        read_bp += part[1] - part[0]
        ends = (part[1], following[0]) if gene.strand == "+" else (part[0] - 1, following[1] - 1)
        found.append((*ends, read_bp % 3))
    return found


def _merge(row: np.ndarray, states: np.ndarray, signals: np.ndarray) -> None:
    """Add one gene to the labels that are there, in place."""
    there = row & STATE_MASK
    differ = (there > UNTRANSLATED) & (states > UNTRANSLATED) & (there != states)
    row[:] = (row & ~np.uint8(STATE_MASK)) | np.maximum(there, states) | signals
    row[differ] |= MASKED


def genes_of_tracks(tracks: np.ndarray, contig: str = "") -> list[Gene]:
    """Genes that labels hold complete, from start to stop codon: the inverse of ``intron_tracks``, exons included.

    Genes that touch a masked base inside their CDS are left out.

    Args:
        tracks: Labels in forward coordinates, uint8 [2, L].
        contig: Name for the genes.
    """
    genes = []
    for strand, row in (("+", tracks[0]), ("-", tracks[1][::-1])):
        for parts, exons in _read_strand(row):
            if strand == "-":
                parts, exons = (tuple((len(row) - e, len(row) - s) for s, e in spans[::-1]) for spans in (parts, exons))
            exons = exons if (exons[0][0], exons[-1][1]) != (parts[0][0], parts[-1][1]) else ()
            genes.append(Gene(contig, parts[0][0], parts[-1][1], strand, parts=parts, exons=exons))
    return sort_genes(genes)


def _read_strand(row: np.ndarray) -> list[tuple[tuple[Span, ...], tuple[Span, ...]]]:
    """Coding parts and exons of the complete genes of one strand, read 5' to 3'."""
    states = row & STATE_MASK
    coding = np.flatnonzero((states >= CODING) & (states < INTRON))
    stops = np.flatnonzero(row & STOP)
    found = []
    for start in np.flatnonzero(row & START):
        following = stops[stops > start]
        stop = coding[coding >= following[0]][:3] if len(following) else []
        if len(stop) < 3:
            continue
        end = int(stop[-1]) + 1
        inner = states[start:end]
        is_whole = (inner > UNTRANSLATED).all() and not (row[start:end] & MASKED).any()
        if is_whole and not (row[start + 1 : end] & START).any():
            parts = _runs(inner < INTRON, int(start))
            low = int(start) - _run_length(states[:start][::-1] == UNTRANSLATED)
            high = end + _run_length(states[end:] == UNTRANSLATED)
            exons = ((low, parts[0][1]), *parts[1:])
            found.append((parts, (*exons[:-1], (exons[-1][0], high))))
    return found


def _runs(flags: np.ndarray, offset: int) -> tuple[Span, ...]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]))) + offset
    return tuple(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _run_length(flags: np.ndarray) -> int:
    """How many of the first flags are set before one is not."""
    return len(flags) if flags.all() else int(np.argmin(flags))

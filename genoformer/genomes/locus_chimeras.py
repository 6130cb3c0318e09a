"""Loci with the introns of many genes: training data from short pieces of exon, intron and exon.

A template gives both ends of a gene, with untranslated regions and flanks. Between them lie introns with the exonic
bases at their sides, in frame, and coding sequence of other pieces until the exons are as long as those of real genes.
Every codon is one that stands in a gene.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from genoformer.annotation.gene_sequence import start_codon, translate_gene
from genoformer.annotation.genetic_code import codon_indices, get_genetic_code
from genoformer.annotation.models import Gene
from genoformer.genomes.locus_contigs import Locus, mirrored
from genoformer.sequence.alphabet import decode_bases, reverse_complement
from genoformer.sequence.records import Record

MIN_INNER_CODONS = 2
"""Whole codons of an exon between two introns, at the least."""


@dataclass(frozen=True)
class IntronPiece:
    """An intron with coding bases on both sides.

    Attributes:
        before: uint8 base codes, the end of an exon.
        intron: uint8 base codes.
        after: uint8 base codes, the beginning of the next exon.
        frame: Place of the first whole codon in ``before``: 0, 1 or 2.
    """

    before: np.ndarray
    intron: np.ndarray
    after: np.ndarray
    frame: int

    @property
    def phase(self) -> int:
        """Bases of a codon that stand before the intron."""
        return (len(self.before) - self.frame) % 3

    @property
    def rest(self) -> int:
        """Bases behind the intron that complete this codon."""
        return -self.phase % 3

    @property
    def codons(self) -> np.ndarray:
        """Whole codons of the two exons joined, uint8 [n, 3]."""
        return _whole_codons(np.concatenate([self.before, self.after])[self.frame :])


def find_frame(before: np.ndarray, intron: np.ndarray, after: np.ndarray, genetic_code: int) -> IntronPiece | None:
    """The piece in its reading frame; None unless the exons, joined, have exactly one without a stop codon.

    Pieces of untranslated exons mostly have none, and of short exons often two.
    """
    joined, stops = np.concatenate([before, after]), get_genetic_code(genetic_code).stop_mask
    codons = [codon_indices(joined[frame:]) for frame in range(3)]
    is_open = [(indices >= 0).all() and not stops[indices].any() for indices in codons]
    return IntronPiece(before, intron, after, is_open.index(True)) if sum(is_open) == 1 else None


def find_templates(record: Record, genes: Iterable[Gene], genetic_code: int, flank_bp: int) -> list[Locus]:
    """Complete genes that stand apart and have no intron in an untranslated region, each in reading direction.

    Args:
        record: The record.
        genes: Its genes, one for each locus.
        genetic_code: NCBI number.
        flank_bp: Bases on each side of a template, which no other transcript reaches.
    """
    spans = [(gene, *gene.transcript_span) for gene in genes]
    found = []
    for gene, start, end in spans:
        low, high = start - flank_bp, end + flank_bp
        alone = not any(other is not gene and first < high and last > low for other, first, last in spans)
        if low < 0 or high > len(record) or not alone or len(gene.transcript_exons) != len(gene.parts):
            continue
        codes, moved = record.codes[low:high], gene.shifted(-low)
        if gene.strand == "-":
            codes, moved = reverse_complement(codes), mirrored(moved, len(codes))
        if is_complete(codes, moved, genetic_code):
            found.append(Locus(f"{record.id}:{start + 1}-{end}", codes, moved))
    return found


def is_complete(codes: np.ndarray, gene: Gene, genetic_code: int) -> bool:
    """Whether a gene reads from ATG to its only stop codon, both in one exon."""
    if gene.pseudo or gene.trans_spliced or gene.partial_5 or gene.partial_3 or gene.length_bp % 3:
        return False
    if min(end - start for start, end in (gene.parts[0], gene.parts[-1])) < 3:
        return False
    protein = translate_gene(codes, gene, genetic_code)
    return decode_bases(start_codon(codes, gene)) == "ATG" and protein.find("*") == len(protein) - 1


def build_chimeras(
    templates: Sequence[Locus], pieces: Sequence[IntronPiece], *, n: int, intron_counts: Sequence[int],
    exon_bp: Sequence[int], seed: int, most_introns: int = 12,
) -> list[Locus]:  # fmt: skip
    """Genes of templates and pieces; each piece gives its intron to one gene at most.

    Args:
        templates: Give the ends, see ``find_templates``.
        pieces: Give introns, and coding bases between them.
        n: How many genes; fewer if the pieces do not suffice.
        intron_counts: Numbers of introns to draw from.
        exon_bp: Lengths of exons between introns to draw from, bp.
        seed: Decides everything that is random.
        most_introns: More are not put into a gene.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(pieces)).tolist()
    chimeras: list[Locus] = []
    while len(chimeras) < n:
        template = templates[int(rng.integers(len(templates)))]
        n_introns = min(most_introns, int(rng.choice(intron_counts)))
        if n_introns > len(order):
            break
        chosen = [pieces[order.pop()] for _ in range(n_introns)]
        inner = [_inner_exon(*sides, int(rng.choice(exon_bp)), pieces, rng) for sides in pairwise(chosen)]
        chimeras.append(_assemble(f"chimera-{len(chimeras) + 1}", template, chosen, inner))
    return chimeras


def _inner_exon(
    left: IntronPiece, right: IntronPiece, length_bp: int, pieces: Sequence[IntronPiece], rng: np.random.Generator
) -> np.ndarray:
    """About ``length_bp`` coding bases from behind the intron of ``left`` to before that of ``right``."""
    n = max(MIN_INNER_CODONS, round((length_bp - left.rest - right.phase) / 3))
    first = _whole_codons(left.after[left.rest :])[: (n + 1) // 2]
    last = _whole_codons(right.before[right.frame :])
    last = last[max(0, len(last) - (n - len(first))) :]
    filling, missing = [], n - len(first) - len(last)
    while missing > 0:
        filling.append(pieces[int(rng.integers(len(pieces)))].codons[:missing])
        missing -= len(filling[-1])
    codons = np.concatenate([first, *filling, last]).ravel()
    return np.concatenate([left.after[: left.rest], codons, right.before[len(right.before) - right.phase :]])


def _assemble(name: str, template: Locus, chosen: Sequence[IntronPiece], inner: Sequence[np.ndarray]) -> Locus:
    """The template's ends, its first and last exon as long as they were where that is possible, around the rest."""
    codes, gene = template.codes, template.gene
    (start, first_end), (last_start, end) = gene.parts[0], gene.parts[-1]
    if len(gene.parts) == 1:
        first_end = last_start = start + (end - start) // 6 * 3
    before, after = chosen[0].before[chosen[0].frame :], chosen[-1].after
    head_bp, tail_bp = (
        max(3, (length_bp - len(own)) // 3 * 3)
        for length_bp, own in ((first_end - start, before), (end - last_start, after))
    )
    after = after[: chosen[-1].rest + len(_whole_codons(after[chosen[-1].rest :])) * 3]
    head, tail = codes[: start + head_bp], codes[end - tail_bp :]
    exons = [np.concatenate([head, before]), *inner, np.concatenate([after, tail])]
    pieces = [exons[0]]
    for piece, exon in zip(chosen, exons[1:], strict=True):
        pieces += [piece.intron, exon]
    ends = np.cumsum([len(piece) for piece in pieces]).tolist()
    grown = ends[-1] - len(codes)
    first, last = gene.transcript_span
    parts, transcript = (
        tuple(zip([low, *ends[1:-1:2]], [*ends[:-1:2], high + grown], strict=True))
        for low, high in ((start, end), (first, last))
    )
    made = replace(gene, id=name, start=start, end=end + grown, parts=parts, exons=transcript)
    return Locus(name, np.concatenate(pieces), made)


def _whole_codons(codes: np.ndarray) -> np.ndarray:
    return codes[: len(codes) // 3 * 3].reshape(-1, 3)

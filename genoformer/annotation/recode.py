"""Annotated sequence rewritten as another genome might have written it: other GC content, codons and amino acids.

A model that has seen two or three genomes knows their composition too well. Recoding draws codons of genes anew, and
bases between genes, toward a composition drawn for each piece; what tells where genes begin and end stays: start and
stop codons, the bases before a start, genes of RNA, and every base that two genes share. Labels are as right after it
as before.
"""

from dataclasses import dataclass
from functools import cache

import numba
import numpy as np
from Bio.Align import substitution_matrices

from genoformer.annotation.genetic_code import CODONS, GeneticCode, get_genetic_code
from genoformer.annotation.rna_tracks import in_rna_genes
from genoformer.annotation.tracks import CODON_0, CODON_1, CODON_2, MASKED, START, STOP
from genoformer.sequence.alphabet import reverse_complement

UPSTREAM_BP = 20
"""Bases before a start that stay: the binding site of the ribosome lies 5 to 15 bases before it."""
AROUND_RNA_BP = 20
"""Bases on both sides of an RNA gene that stay: signals around it, and ends that files set differently."""
MAX_TILT = 2.8
"""Largest preference for G and C over A and T, natural logarithm: third codon positions of .06 to .94 GC."""
CODON_NOISE = 0.5
MAX_REPLACED = 0.6
"""Largest share of codons that may change their amino acid; which one follows BLOSUM62."""
MAIN_STRETCH_BP, ISLAND_BP = (5_000, 60_000), (2_000, 16_000)
"""Shortest stretch of the genome's own composition and the mean of what is added; shortest and longest island."""
ISLAND_TILT = 0.9
"""Spread of the preference for G and C over islands."""
CODE_SWITCHES = {11: (11, 11, 11, 11, 4), 4: (4, 4, 11)}
"""Genetic codes a piece may be rewritten to, drawn evenly: UGA is a stop in 11 and tryptophan in 4."""


@dataclass(frozen=True)
class Recoding:
    """What one piece is rewritten toward.

    Attributes:
        code: Genetic code written.
        same: Chance of each codon in place of a codon when the amino acid stays, cumulative, [64, 64].
        other: The same when the amino acid may change, [64, 64].
        replaced: Share of codons that may change their amino acid.
        bases: Composition between genes, A C G T, cumulative, [4].
        redrawn: Share of bases between genes that are drawn anew.
    """

    code: GeneticCode
    same: np.ndarray
    other: np.ndarray
    replaced: float
    bases: np.ndarray
    redrawn: float


def draw_recoding(
    genetic_code: int, generator: np.random.Generator, *, tilt: float | None = None, written: int | None = None
) -> Recoding:
    """Draw a composition.

    Args:
        genetic_code: NCBI number of the sequence; 4 and 11 may be written as each other.
        generator: Source of randomness.
        tilt: Preference for G and C, natural logarithm; drawn up to ``MAX_TILT`` if None.
        written: NCBI number of the code to write; drawn if None.

    Raises:
        UsageError: If there is no such genetic code.
    """
    drawn_code = int(generator.choice(CODE_SWITCHES.get(genetic_code, (genetic_code,))))
    target = get_genetic_code(drawn_code if written is None else written)
    drawn_tilt = generator.uniform(-MAX_TILT, MAX_TILT)
    tilt = drawn_tilt if tilt is None else tilt
    noise = generator.normal(0, CODON_NOISE, 64)
    taste = np.exp(tilt * _gc_of_codons() + noise) * ~target.stop_mask
    same = _similarity(genetic_code, target.number, 0.0) * taste
    other = _similarity(genetic_code, target.number, generator.uniform(0.5, 1.2)) * taste
    # Between genes composition follows codon usage at about half its strength.
    gc = 1 / (1 + np.exp(0.35 - 0.45 * tilt + generator.normal(0, 0.2)))
    skew = np.exp(generator.normal(0, 0.1, 4))
    bases = np.array([1 - gc, gc, gc, 1 - gc]) * skew
    return Recoding(
        target, _cumulative(same), _cumulative(other), generator.uniform(0, MAX_REPLACED),
        np.cumsum(bases / bases.sum()), generator.uniform(0.5, 1.0),
    )  # fmt: skip


def recode(codes: np.ndarray, tracks: np.ndarray, recoding: Recoding, generator: np.random.Generator) -> np.ndarray:
    """Rewrite a piece of sequence.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        tracks: uint8 labels of both strands in forward coordinates, shape [2, L], see ``label_tracks``.
        recoding: From ``draw_recoding``, for the genetic code of the sequence.
        generator: Source of randomness.

    Returns:
        New codes, shape [L]. Masked bases, unknown bases and codons cut by the ends stay.
    """
    plus, minus = tracks[0], np.ascontiguousarray(tracks[1, ::-1])
    kept = _shared_bases(tracks) | ((tracks[0] | tracks[1]) & MASKED).astype(bool) | (codes > 3)
    _keep_boundaries(plus, kept)
    _keep_boundaries(minus, kept[::-1])
    _keep_rna_genes(tracks, kept)
    free = ((tracks[0] | tracks[1]) & (CODON_0 | CODON_1 | CODON_2)) == 0
    drawn = generator.random((4, len(codes)))
    out = codes.copy()
    new_bases = np.minimum(np.searchsorted(recoding.bases, drawn[3]), 3).astype(np.uint8)
    redrawn = free & ~kept & (drawn[2] < recoding.redrawn)
    out[redrawn] = new_bases[redrawn]
    _recode_strand(out, plus, kept, drawn, recoding)
    turned = reverse_complement(out)
    _recode_strand(turned, minus, kept[::-1], drawn[:, ::-1], recoding)
    return reverse_complement(turned)


def recode_genome(
    codes: np.ndarray, tracks: np.ndarray, genetic_code: int, *, written: int, tilt: float,
    generator: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """Rewrite a whole record toward one composition, with islands of others: genomes take up genes from strangers.

    Args:
        codes: uint8 base codes, forward strand, shape [L].
        tracks: As for ``recode``.
        genetic_code: NCBI number of the code of the sequence.
        written: Of the code that is written.
        tilt: Preference for G and C of the genome, natural logarithm.
        generator: Source of randomness.

    Returns:
        New codes, shape [L].
    """
    main = draw_recoding(genetic_code, generator, tilt=tilt, written=written)
    out, start = np.empty_like(codes), 0
    while start < len(codes):
        recoding, length = main, MAIN_STRETCH_BP[0] + generator.exponential(MAIN_STRETCH_BP[1])
        if generator.random() < 0.5:
            # Strangers have been there for a while: their composition is on its way to the middle.
            own_tilt = generator.normal(tilt - 0.4 * np.sign(tilt), ISLAND_TILT)
            recoding = draw_recoding(genetic_code, generator, tilt=own_tilt, written=written)
            length = generator.uniform(*ISLAND_BP)
        piece = slice(start, start + int(length))
        out[piece] = recode(codes[piece], np.ascontiguousarray(tracks[:, piece]), recoding, generator)
        start = piece.stop
    return out


def _recode_strand(codes, labels, kept, drawn, recoding: Recoding) -> None:
    """Rewrite the genes of the strand that is read, in place."""
    stops = np.flatnonzero(recoding.code.stop_mask)
    tables = (recoding.same, recoding.other, recoding.replaced, recoding.code.stop_mask, stops)
    _rewrite_codons(codes, labels, np.ascontiguousarray(kept), np.ascontiguousarray(drawn[:2]), *tables)


def _shared_bases(tracks: np.ndarray) -> np.ndarray:
    """Bases that more than one gene reads, bool [L]."""
    bits = [(row & bit) > 0 for row in tracks for bit in (CODON_0, CODON_1, CODON_2)]
    return np.sum(bits, axis=0) > 1


def _keep_boundaries(labels: np.ndarray, kept: np.ndarray) -> None:
    """Mark start and stop codons and what lies before a start, in place."""
    for position in np.flatnonzero(labels & START):
        kept[max(position - UPSTREAM_BP, 0) : position + 3] = True
    for position in np.flatnonzero(labels & STOP):
        kept[position : position + 3] = True


def _keep_rna_genes(tracks: np.ndarray, kept: np.ndarray) -> None:
    """Mark genes of rRNA and tRNA and what lies around them, in place."""
    inside = in_rna_genes(tracks)
    if inside.any():
        reach = np.convolve(inside, np.ones(2 * AROUND_RNA_BP + 1), mode="full")
        kept |= reach[AROUND_RNA_BP : AROUND_RNA_BP + len(inside)] > 0.5


@cache
def _gc_of_codons() -> np.ndarray:
    return np.array([sum(base in "GC" for base in codon) for codon in CODONS], dtype=float)


def _similarity(read: int, written: int, sharpness: float) -> np.ndarray:
    """How well a codon of one code can stand for a codon of another, [64, 64]; sharpness 0: same amino acid only."""
    same, lost = _exchange(read, written)
    return same.astype(float) if sharpness == 0 else np.exp(sharpness * lost)


@cache
def _exchange(read: int, written: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether two codons of two codes mean the same amino acid, and what BLOSUM62 loses by the exchange, [64, 64]."""
    blosum, of_old, of_new = _blosum62(), get_genetic_code(read).aa, get_genetic_code(written).aa
    scores = np.array([[blosum.get((a, b), -np.inf) for b in of_new] for a in of_old])
    own = np.array([[blosum.get((a, a), 0.0)] for a in of_old])
    return np.array([[a == b for b in of_new] for a in of_old]), scores - own


@cache
def _blosum62() -> dict[tuple[str, str], float]:
    table = substitution_matrices.load("BLOSUM62")
    letters = [letter for letter in table.alphabet if letter.isalpha() and letter not in "BZXJUO"]
    return {(a, b): float(table[a, b]) for a in letters for b in letters}


def _cumulative(weights: np.ndarray) -> np.ndarray:
    """Rows as cumulative chances; a codon that nothing can stand for stays what it is."""
    lost = weights.sum(axis=1) == 0
    weights[lost] = np.eye(len(weights))[lost]
    return np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)


@numba.njit(cache=True, nogil=True)
def _rewrite_codons(codes, labels, kept, drawn, same, other, replaced, stop_mask, stops):
    for i in range(len(codes) - 2):
        a, b, c = codes[i], codes[i + 1], codes[i + 2]
        if labels[i] & CODON_0 == 0 or labels[i + 1] & CODON_1 == 0 or labels[i + 2] & CODON_2 == 0:
            continue
        if a > 3 or b > 3 or c > 3:
            continue
        codon = 16 * a + 4 * b + c
        if labels[i] & STOP:
            if stop_mask[codon]:
                continue
            codon = stops[int(drawn[0, i] * len(stops))]
        elif kept[i] or kept[i + 1] or kept[i + 2]:
            continue
        else:
            table = other if drawn[1, i] < replaced else same
            codon = min(np.searchsorted(table[codon], drawn[0, i], side="right"), 63)
        codes[i], codes[i + 1], codes[i + 2] = codon // 16, codon // 4 % 4, codon % 4

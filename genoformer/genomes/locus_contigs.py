"""Contigs made of single-gene loci and generated sequence between them: training data from little, without a giveaway.

In a set of single-gene loci every gene has the same strand and begins at the same place. Here each locus keeps a random
part of its flanks, lies in a random direction, and is followed by random sequence with the composition of real
intergenic sequence, so that neither place nor direction tells anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numba
import numpy as np

from genoformer.annotation.models import Gene
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.records import Record

CONTEXT_BP = 4
"""Bases that the next one depends on in generated sequence: 256 contexts, of which 100 kb see each 400 times."""


@dataclass(frozen=True)
class Locus:
    """One gene with its surroundings.

    Attributes:
        id: Name.
        codes: uint8 base codes, [L].
        gene: The gene, in coordinates of the locus; its contig is the locus.
    """

    id: str
    codes: np.ndarray
    gene: Gene


def build_contigs(
    loci: Sequence[Locus], composition: np.ndarray, *, prefix: str, seed: int, flank_bp: int = 99,
    gap_bp: tuple[int, int] = (200, 3000), loci_per_contig: int = 20,
) -> list[tuple[Record, list[Gene]]]:  # fmt: skip
    """Shuffle loci and join them by generated sequence, which also begins and ends each contig.

    Args:
        loci: Each is used once.
        composition: Of the generated sequence, see ``count_composition``.
        prefix: Contigs are called PREFIX-001, PREFIX-002 …
        seed: Decides everything that is random.
        flank_bp: Most bases kept on each side of a transcript; from none to this many, evenly.
        gap_bp: Least and most bases of generated sequence between two loci.
        loci_per_contig: The last contig may have fewer.

    Returns:
        Records with their genes, in coordinates of the record.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(loci))
    contigs = []
    for number, first in enumerate(range(0, len(loci), loci_per_contig), start=1):
        chosen = [loci[i] for i in order[first : first + loci_per_contig]]
        contigs.append(_build_contig(f"{prefix}-{number:03d}", chosen, composition, rng, flank_bp, gap_bp))
    return contigs


def _build_contig(
    name: str, loci: Sequence[Locus], composition: np.ndarray, rng: np.random.Generator, flank_bp: int,
    gap_bp: tuple[int, int],
) -> tuple[Record, list[Gene]]:  # fmt: skip
    pieces, genes = [_gap(composition, rng, gap_bp)], []
    for locus in loci:
        codes, gene = _cut(locus, rng, flank_bp)
        if rng.random() < 0.5:
            codes, gene = reverse_complement(codes), mirrored(gene, len(codes))
        genes.append(replace(gene.shifted(sum(map(len, pieces))), contig=name))
        pieces += [codes, _gap(composition, rng, gap_bp)]
    return Record(name, np.concatenate(pieces)), genes


def _gap(composition: np.ndarray, rng: np.random.Generator, gap_bp: tuple[int, int]) -> np.ndarray:
    return generate(composition, int(rng.integers(gap_bp[0], gap_bp[1] + 1)), rng)


def _cut(locus: Locus, rng: np.random.Generator, flank_bp: int) -> tuple[np.ndarray, Gene]:
    """The transcript with a random part of what surrounds it."""
    start, end = locus.gene.transcript_span
    low, high = max(0, start - int(rng.integers(flank_bp + 1))), end + int(rng.integers(flank_bp + 1))
    return locus.codes[low:high], locus.gene.shifted(-low)


def mirrored(gene: Gene, length_bp: int) -> Gene:
    """The same gene on the reverse complement of a sequence of ``length_bp``."""
    return replace(
        gene,
        start=length_bp - gene.end,
        end=length_bp - gene.start,
        strand="-" if gene.strand == "+" else "+",
        parts=tuple((length_bp - end, length_bp - start) for start, end in gene.parts[::-1]),
        exons=tuple((length_bp - end, length_bp - start) for start, end in gene.exons[::-1]),
        transl_except=tuple((length_bp - end, length_bp - start, aa) for start, end, aa in gene.transl_except[::-1]),
    )


def count_composition(pieces: Iterable[np.ndarray]) -> np.ndarray:
    """How often each base follows each context of ``CONTEXT_BP`` bases, one added to every count; both strands.

    Args:
        pieces: uint8 base codes of real sequence; contexts with unknown bases do not count.

    Returns:
        float64 counts, [4 ** CONTEXT_BP, 4].
    """
    counts = np.ones((4**CONTEXT_BP, 4))
    for piece in pieces:
        for codes in (piece, reverse_complement(piece)):
            if len(codes) <= CONTEXT_BP:
                continue
            windows = np.lib.stride_tricks.sliding_window_view(codes, CONTEXT_BP + 1).astype(np.int64)
            windows = windows[(windows < N_CODE).all(axis=1)]
            context = windows[:, :-1] @ (4 ** np.arange(CONTEXT_BP - 1, -1, -1))
            np.add.at(counts, (context, windows[:, -1]), 1)
    return counts


def generate(composition: np.ndarray, length_bp: int, rng: np.random.Generator) -> np.ndarray:
    """Random sequence in which each base depends on the ``CONTEXT_BP`` before it.

    Args:
        composition: Counts of ``count_composition``.
        length_bp: Length.
        rng: Source of randomness.

    Returns:
        uint8 base codes, [length_bp].
    """
    thresholds = np.cumsum(composition / composition.sum(axis=1, keepdims=True), axis=1)[:, :3]
    context = int(rng.choice(len(composition), p=composition.sum(axis=1) / composition.sum()))
    return _walk(thresholds, context, rng.random(length_bp))


@numba.njit(cache=True)
def _walk(thresholds: np.ndarray, context: int, draws: np.ndarray) -> np.ndarray:
    codes = np.empty(len(draws), dtype=np.uint8)
    for i in range(len(draws)):
        base = 0
        while base < 3 and draws[i] >= thresholds[context, base]:
            base += 1
        codes[i] = base
        context = (4 * context + base) % len(thresholds)
    return codes


def shared_with(codes: Iterable[np.ndarray], others: Iterable[np.ndarray], *, window_bp: int = 60) -> list[bool]:
    """Which sequences share a stretch of ``window_bp`` bases, on either strand, with any of the others.

    Args:
        codes: uint8 base codes of each sequence that is asked about.
        others: uint8 base codes of each sequence that is compared.
        window_bp: Length of the stretch; stretches with unknown bases do not count.
    """
    owners: dict[bytes, set[int]] = {}
    n_sequences = 0
    for number, sequence in enumerate(codes):
        n_sequences = number + 1
        for window in _windows(sequence, window_bp):
            owners.setdefault(window, set()).add(number)
    shared: set[int] = set()
    for other in others:
        for strand in (other, reverse_complement(other)):
            for window in _windows(strand, window_bp):
                shared |= owners.get(window, set())
    return [number in shared for number in range(n_sequences)]


def _windows(codes: np.ndarray, window_bp: int) -> Iterable[bytes]:
    text = codes.tobytes()
    return (text[i : i + window_bp] for i in range(len(text) - window_bp + 1) if codes[i] < N_CODE)

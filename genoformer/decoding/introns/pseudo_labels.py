"""Labels from a model's own genes with introns, to train it on a genome that nobody has annotated.

Genes that it is sure of are examples. All that could be a gene beside them is masked: genes that it is less sure
of, open frames too long for chance, and a stretch on both sides of sure genes, whose untranslated ends nobody knows.
The rest is intergenic. A gene with one wrong exon would teach to miss an exon: only whole genes are sure or not.
"""

import numpy as np

from genoformer.annotation.genetic_code import GeneticCode, get_genetic_code
from genoformer.annotation.intron_tracks import intron_gene_table, intron_tracks
from genoformer.annotation.models import Gene
from genoformer.annotation.tracks import MASKED, masked_rows
from genoformer.decoding.introns.motifs import N_TRIPLETS, triplets_of
from genoformer.sequence.alphabet import reverse_complement

FLANK_BP = 150
"""Beside a sure gene, where its untranslated ends may lie."""


def intron_pseudo_labels(
    codes: np.ndarray, genes: list[Gene], *, genetic_code: int, sure: float, shortest_frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Labels of one record from the genes that a model finds in it.

    Args:
        codes: uint8 base codes, forward strand, [L].
        genes: What the decoder has found, their ``score`` the confidence that all coding parts are right.
        genetic_code: NCBI number.
        sure: Least score of a sure gene; genes that the record cuts off never are.
        shortest_frame: Open frames of so many codons outside sure genes are masked.

    Returns:
        Bits of ``annotation.intron_tracks``, uint8 [2, L], and rows of ``GENE_TABLE`` sorted by start: the sure genes,
        and what is doubtful as masked rows.
    """
    is_whole = [not (gene.partial_5 or gene.partial_3) for gene in genes]
    examples = [gene for gene, whole in zip(genes, is_whole, strict=True) if whole and (gene.score or 0.0) >= sure]
    names = {id(gene) for gene in examples}
    covered, doubtful = (np.zeros(len(codes), dtype=bool) for _ in range(2))
    for gene in genes:
        low, high = gene.transcript_span
        if id(gene) in names:
            covered[low:high] = True
            doubtful[max(0, low - FLANK_BP) : high + FLANK_BP] = True
        else:
            doubtful[low:high] = True
    for low, high in _open_frames(codes, get_genetic_code(genetic_code), shortest_frame):
        if 2 * np.count_nonzero(covered[low:high]) <= high - low:
            doubtful[low:high] = True
    doubtful &= ~covered
    tracks, _ = intron_tracks(codes, examples, genetic_code=genetic_code)
    tracks[:, doubtful] |= MASKED
    table = np.concatenate([intron_gene_table(codes, examples, genetic_code=genetic_code), masked_rows(doubtful)])
    return tracks, np.sort(table, order=("start", "end"))


def frame_of_chance(stop_rate: float, log_probability: float) -> int:
    """How many codons chance leaves open with no more than this log-probability.

    Args:
        stop_rate: Chance that a codon of sequence without genes is a stop.
        log_probability: Negative.
    """
    return int(np.ceil(log_probability / np.log1p(-stop_rate))) if 0 < stop_rate < 1 else np.iinfo(np.int64).max


def _open_frames(codes: np.ndarray, code: GeneticCode, shortest: int) -> list[tuple[int, int]]:
    """Stretches without a stop codon in a frame of either strand, forward coordinates; unknown bases end them, too."""
    found = []
    ends = np.append(code.stop_mask, True)
    for is_minus, strand in ((False, codes), (True, reverse_complement(codes))):
        is_end = ends[np.minimum(triplets_of(strand), N_TRIPLETS)]
        for frame in range(3):
            stops = np.flatnonzero(is_end[frame::3])
            edges = np.concatenate([[-1], stops, [len(is_end[frame::3])]])
            for i in np.flatnonzero(np.diff(edges) - 1 >= shortest):
                low, high = frame + 3 * (int(edges[i]) + 1), frame + 3 * int(edges[i + 1])
                found.append((len(codes) - high, len(codes) - low) if is_minus else (low, high))
    return found

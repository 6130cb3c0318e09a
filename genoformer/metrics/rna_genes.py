"""Scores of rRNA and tRNA genes: which are found at all, whatever their ends."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping

from genoformer.annotation.models import RNA_KINDS, RnaGene
from genoformer.metrics.bases import precision_recall_f1
from genoformer.metrics.genes import split_at_origin

LEAST_SHARE = 0.5
"""Of the longer one of two genes that the other one must cover."""


def score_rna_genes(
    predicted: Iterable[RnaGene], reference: Iterable[RnaGene], lengths: Mapping[str, int]
) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 by kind, of kinds that either side has.

    A predicted gene is right when one of the reference, of its kind and strand, shares at least half of the bases of
    the longer one with it; each gene stands for one at most. Predictions that lie so on pseudogenes of the reference,
    which are none to be found, are ignored.

    Args:
        predicted: What is judged.
        reference: What is true.
        lengths: Of the contigs, in bp: genes over the origin of a circle go on at its beginning.

    Returns:
        For each kind "precision", "recall", "f1", "n_predicted" and "n_reference".
    """
    own, true = [gene for gene in predicted if not gene.pseudo], list(reference)
    return {
        kind: _score_kind([g for g in own if g.kind == kind], [g for g in true if g.kind == kind], lengths)
        for kind in RNA_KINDS
        if any(gene.kind == kind for gene in (*own, *true))
    }


def _score_kind(predicted: list[RnaGene], reference: list[RnaGene], lengths: Mapping[str, int]) -> dict[str, float]:
    shared = _shared_bp(predicted, reference, lengths)
    longer = {(i, j): max(_length(predicted[i]), _length(reference[j])) for i, j in shared}
    pairs = [(-bp / longer[pair], *pair) for pair, bp in shared.items() if bp >= LEAST_SHARE * longer[pair]]
    matched: dict[int, int] = {}  # predicted gene by the number of that of the reference
    taken: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in taken and j not in matched:
            matched[j] = i
            taken.add(i)
    n_ignored = sum(reference[j].pseudo for j in matched)
    n_predicted, n_reference = len(predicted) - n_ignored, sum(not gene.pseudo for gene in reference)
    scores = precision_recall_f1(len(matched) - n_ignored, n_predicted, n_reference)
    return {**scores, "n_predicted": n_predicted, "n_reference": n_reference}


def _shared_bp(
    predicted: list[RnaGene], reference: list[RnaGene], lengths: Mapping[str, int]
) -> dict[tuple[int, int], int]:
    """Bases that two genes on one strand share, by their numbers; none where they share none."""
    found: dict[tuple[int, int], int] = defaultdict(int)
    true = _by_strand(reference, lengths)
    for place, pieces in _by_strand(predicted, lengths).items():
        there = true.get(place, [])
        longest = max((end - start for start, end, _ in there), default=0)
        for start, end, i in pieces:
            at = bisect_left(there, (start - longest,))
            while at < len(there) and there[at][0] < end:
                low, high, j = there[at]
                if high > start:
                    found[i, j] += min(end, high) - max(start, low)
                at += 1
    return found


def _by_strand(genes: list[RnaGene], lengths: Mapping[str, int]) -> dict[tuple[str, str], list[tuple[int, int, int]]]:
    """Start, end and number of the pieces of genes, ascending, by contig and strand."""
    found: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for number, gene in enumerate(genes):
        for start, end in split_at_origin((gene.start, gene.end), lengths[gene.contig]):
            found[gene.contig, gene.strand].append((start, end, number))
    return {place: sorted(pieces) for place, pieces in found.items()}


def _length(gene: RnaGene) -> int:
    return gene.end - gene.start

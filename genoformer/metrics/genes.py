"""Gene-level scores: which predicted genes have the right 3' end, and which are right at both ends.

A reference gene counts when both its ends are known and one interval holds it. The others (joined, shifted,
trans-spliced, pseudo, partial) are masked: nobody can find them by these rules. A prediction with more than half of its
coding bases in masked spans, on either strand, is neither right nor wrong, unless its 3' end is that of a counted gene.
All counts are of different ends and genes, on both sides: a reference scored against itself is perfect.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.metrics.bases import precision_recall_f1

IGNORED_SHARE = 0.5

Span = tuple[int, int]
End = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class GeneCounts:
    """Counts that precision, recall and F1 follow from; those of several genomes add.

    Args:
        n_predicted: Different predicted genes that count.
        n_predicted_ends: Different 3' ends among them.
        n_ignored: Predictions in masked spans.
        n_reference: Different reference genes that count.
        n_reference_ends: Different 3' ends among them: genes with alternative starts share one.
        n_masked: Reference genes that do not count.
        n_three_prime: 3' ends found.
        n_exact: Genes found with both ends.
    """

    n_predicted: int = 0
    n_predicted_ends: int = 0
    n_ignored: int = 0
    n_reference: int = 0
    n_reference_ends: int = 0
    n_masked: int = 0
    n_three_prime: int = 0
    n_exact: int = 0

    def __add__(self, other: "GeneCounts") -> "GeneCounts":
        names = [field.name for field in fields(self)]
        return GeneCounts(**{name: getattr(self, name) + getattr(other, name) for name in names})

    def compute(self) -> dict:
        """Precision, recall and f1 under "three_prime" and "exact", and the counts."""
        return {
            "three_prime": precision_recall_f1(self.n_three_prime, self.n_predicted_ends, self.n_reference_ends),
            "exact": precision_recall_f1(self.n_exact, self.n_predicted, self.n_reference),
            **{field.name: getattr(self, field.name) for field in fields(self)},
        }


def count_genes(
    predicted: Iterable[Gene],
    reference: Iterable[Gene],
    *,
    lengths: Mapping[str, int] | None = None,
    ignore_masked: bool = True,
) -> GeneCounts:
    """Match predicted genes to reference genes by contig, strand and position.

    Args:
        predicted: Genes with the contig names of the reference; pseudogenes among them are no predictions.
        reference: All reference genes, the masked ones too.
        lengths: Length in bp by contig, for genes over the origin of circular contigs.
        ignore_masked: Without it every prediction counts, also those in masked spans.

    Returns:
        The counts of all contigs together.
    """
    predicted, reference, lengths = [gene for gene in predicted if not gene.pseudo], list(reference), lengths or {}
    counted = [gene for gene in reference if is_counted(gene)]
    masked = [gene for gene in reference if not is_counted(gene)]
    true_ends, true_genes = _distinct(counted, lengths)
    judged = predicted
    if ignore_masked:
        spans = _masked_coverage(masked, lengths)
        judged = [
            gene
            for gene in predicted
            if three_prime_end(gene, lengths) in true_ends or not _is_in_masked(gene, spans, lengths)
        ]
    ends, genes = _distinct(judged, lengths)
    return GeneCounts(
        n_predicted=len(genes),
        n_predicted_ends=len(ends),
        n_ignored=len(predicted) - len(judged),
        n_reference=len(true_genes),
        n_reference_ends=len(true_ends),
        n_masked=len(masked),
        n_three_prime=len(ends & true_ends),
        n_exact=len(genes & true_genes),
    )


def _distinct(genes: Iterable[Gene], lengths: Mapping[str, int]) -> tuple[set[End], set[tuple[End, int]]]:
    """The different 3' ends, and the different pairs of 3' and 5' end."""
    pairs = {(three_prime_end(gene, lengths), _inside(gene.five_prime[0], gene.contig, lengths)) for gene in genes}
    return {end for end, _ in pairs}, pairs


def is_counted(gene: Gene) -> bool:
    """Whether a reference gene is a positive example; else it is masked."""
    return gene.is_simple and not (gene.partial_5 or gene.partial_3)


def masked_spans(gene: Gene) -> tuple[Span, ...]:
    """What a masked gene covers: its whole span, or its parts when they come from distant transcripts."""
    return gene.parts if gene.trans_spliced else ((gene.start, gene.end),)


def three_prime_end(gene: Gene, lengths: Mapping[str, int]) -> End:
    """Contig, last base in reading direction (inside the contig) and strand."""
    position, strand = gene.three_prime
    return gene.contig, _inside(position, gene.contig, lengths), strand


def _inside(position: int, contig: str, lengths: Mapping[str, int]) -> int:
    return position % lengths[contig] if contig in lengths else position


def split_at_origin(span: Span, length_bp: int | None) -> list[Span]:
    """The one or two pieces of a span that may run beyond the end of a circular contig."""
    start, end = span
    if length_bp is None or end <= length_bp:
        return [span]
    if start >= length_bp:  # a part of a trans-spliced gene
        return [(start - length_bp, end - length_bp)]
    return [(0, length_bp)] if end - start >= length_bp else [(start, length_bp), (0, end - length_bp)]


class Coverage:
    """How many bases of any interval lie in a set of spans; overlapping spans count once."""

    def __init__(self, spans: Iterable[Span]) -> None:
        merged: list[list[int]] = []
        for start, end in sorted(spans):
            if merged and start <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self._starts, self._ends = np.array(merged, dtype=np.int64).reshape(-1, 2).T
        self._before = np.concatenate([[0], np.cumsum(self._ends - self._starts)])

    def count_bp(self, start: int, end: int) -> int:
        """Covered bases of ``[start, end)``."""
        return self._count_below(end) - self._count_below(start)

    @property
    def n_bp(self) -> int:
        """Covered bases."""
        return int(self._before[-1])

    def ranks(self, positions: np.ndarray) -> np.ndarray:
        """How many covered bases lie before each of these covered positions, int64, shape as given."""
        i = np.searchsorted(self._starts, positions, side="right") - 1
        return self._before[i] + positions - self._starts[i]

    def _count_below(self, position: int) -> int:
        i = int(np.searchsorted(self._starts, position))
        return int(self._before[i]) - (max(0, int(self._ends[i - 1]) - position) if i else 0)


def _masked_coverage(masked: Iterable[Gene], lengths: Mapping[str, int]) -> dict[str, Coverage]:
    spans: dict[str, list[Span]] = defaultdict(list)
    for gene in masked:
        for span in masked_spans(gene):
            spans[gene.contig] += split_at_origin(span, lengths.get(gene.contig))
    return {contig: Coverage(found) for contig, found in spans.items()}


def _is_in_masked(gene: Gene, spans: Mapping[str, Coverage], lengths: Mapping[str, int]) -> bool:
    if gene.contig not in spans:
        return False
    pieces = [piece for part in gene.parts for piece in split_at_origin(part, lengths.get(gene.contig))]
    covered_bp = sum(spans[gene.contig].count_bp(start, end) for start, end in pieces)
    return covered_bp > IGNORED_SHARE * gene.length_bp

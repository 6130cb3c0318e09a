"""Scores of genes with introns: bases, splice sites, exons, chains of exons, genes.

Only coding parts count for exons, chains and genes, and only genes whose both ends are known. A base is of one class,
whatever the strand: coding before intron before untranslated before intergenic, where genes lie over each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from genoformer.annotation.isoforms import choose_isoforms, group_isoforms
from genoformer.annotation.models import Gene, Span
from genoformer.metrics.bases import binary_scores, precision_recall_f1

BASE_CLASSES = ("intergenic", "utr", "intron", "coding")
INTERGENIC, UTR, INTRON, CODING = range(4)
COMMON_INTRON_BP = 30
"""Shorter introns are rare (the shortest known: ``models.SHORTEST_INTRON_BP``)."""
PLACES = ("donor", "acceptor", "splice_site", "exon")
LEVELS = (*PLACES, "chain", "isoform", "gene")


@dataclass
class IntronCounts:
    """Counts that every score follows from; those of several contigs add.

    Attributes:
        bases: Confusion of classes, reference by row, [4, 4]; masked bases are left out.
        stranded: The same with the strand: intergenic, then utr, intron, coding of "+" and of "-", [7, 7].
        hits: Right predictions by level.
        predicted: Predictions by level.
        reference: Reference items by level.
        n_masked: Reference genes that do not count.
    """

    bases: np.ndarray = field(default_factory=lambda: np.zeros((4, 4), np.int64))
    stranded: np.ndarray = field(default_factory=lambda: np.zeros((7, 7), np.int64))
    hits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    predicted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    reference: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    n_masked: int = 0

    def __add__(self, other: "IntronCounts") -> "IntronCounts":
        added = {
            name: {level: getattr(self, name)[level] + getattr(other, name)[level] for level in LEVELS}
            for name in ("hits", "predicted", "reference")
        }
        bases, stranded = self.bases + other.bases, self.stranded + other.stranded
        return IntronCounts(bases, stranded, **added, n_masked=self.n_masked + other.n_masked)

    def compute(self) -> dict:
        """JSON types: each level; under "bases" the mcc of all classes, with and without strand, and each class."""
        levels = {
            level: {
                **precision_recall_f1(self.hits[level], self.predicted[level], self.reference[level]),
                "hits": self.hits[level], "predicted": self.predicted[level], "reference": self.reference[level],
            }
            for level in LEVELS
        }  # fmt: skip
        bases = {name: _class_scores(self.bases, i) for i, name in enumerate(BASE_CLASSES)}
        mcc = {"mcc": matthews(self.bases), "mcc_stranded": matthews(self.stranded)}
        return {**levels, "bases": {**mcc, "n": int(self.bases.sum()), "classes": bases}, "n_masked": self.n_masked}


def _class_scores(confusion: np.ndarray, i: int) -> dict[str, float]:
    tp, fn, fp = int(confusion[i, i]), int(confusion[i].sum()), int(confusion[:, i].sum())
    return binary_scores(tp, fp - tp, fn - tp, int(confusion.sum()) - fn - fp + tp)


def matthews(confusion: np.ndarray) -> float:
    """Matthews correlation of several classes; 0 where it is not defined.

    Args:
        confusion: Counts, reference by row, [C, C].

    Reference:
        Gorodkin, Computational Biology and Chemistry 28, 2004: the measure R_K.
    """
    counts = confusion.astype(np.float64)
    total, right = counts.sum(), np.trace(counts)
    true, found = counts.sum(axis=1), counts.sum(axis=0)
    spread = (total**2 - (true**2).sum()) * (total**2 - (found**2).sum())
    return float((right * total - true @ found) / np.sqrt(spread)) if spread > 0 else 0.0


def count_intron_genes(predicted: Iterable[Gene], reference: Iterable[Gene], length_bp: int) -> IntronCounts:
    """Compare the genes of one contig.

    Genes of both may have isoforms, and each predicted chain counts once. A predicted gene is right when a chain of it
    is that of any isoform of the reference. "isoform" compares chains with those of all isoforms; chains, exons, splice
    sites and bases are compared with one isoform of each reference gene (see ``choose_isoforms``).

    Args:
        predicted: Predicted genes.
        reference: Every CDS of the reference.
        length_bp: Length of the contig.
    """
    predicted = [gene for gene in predicted if not gene.pseudo]
    reference = list(reference)
    whole = [gene for gene in reference if _is_whole(gene)]
    masked = [gene for gene in choose_isoforms(reference) if not _is_whole(gene)]
    chosen = choose_isoforms(whole)
    spans = [span for gene in masked for span in (gene.parts if gene.trans_spliced else (gene.transcript_span,))]
    judged = [gene for gene in predicted if not _lies_in(gene, spans) or _chain(gene) in {_chain(g) for g in whole}]
    counts = IntronCounts(n_masked=len(masked))
    real = np.ones(length_bp, dtype=bool)
    for start, end in spans:
        real[start:end] = False
    truth, found = (paint_classes(genes, length_bp)[real] for genes in (chosen, predicted))
    counts.stranded = np.bincount(7 * truth + found, minlength=49).reshape(7, 7)
    blind = np.array([0, 1, 2, 3, 1, 2, 3])
    counts.bases = np.bincount(4 * blind[truth] + blind[found], minlength=16).reshape(4, 4)
    for level in PLACES:
        _compare(counts, level, _items(level, judged), _items(level, chosen))
    for level, truth_genes in (("chain", chosen), ("isoform", whole)):
        _compare(counts, level, {_chain(gene) for gene in judged}, {_chain(gene) for gene in truth_genes})
    _count_genes(counts, judged, whole)
    return counts


def _is_whole(gene: Gene) -> bool:
    return not (gene.pseudo or gene.trans_spliced or gene.is_shifted or gene.partial_5 or gene.partial_3)


def _lies_in(gene: Gene, spans: list[tuple[int, int]]) -> bool:
    """More than half of the coding bases lie in masked spans."""
    covered = sum(max(0, min(end, high) - max(start, low)) for start, end in gene.parts for low, high in spans)
    return covered > 0.5 * gene.length_bp


def _chain(gene: Gene) -> tuple:
    return gene.strand, gene.parts


def _items(level: str, genes: Iterable[Gene]) -> set[tuple]:
    """What a level compares: exons, or first bases of introns ("donor") and behind them ("acceptor"), or both."""
    if level == "exon":
        return {(gene.strand, *part) for gene in genes for part in gene.parts}
    found = set()
    for gene in genes:
        for (_, low), (high, _) in pairwise(gene.parts):
            ends = {"donor": low, "acceptor": high} if gene.strand == "+" else {"donor": high, "acceptor": low}
            found |= {(gene.strand, name, place) for name, place in ends.items() if level in (name, "splice_site")}
    return found


def _compare(counts: IntronCounts, level: str, found: set, truth: set) -> None:
    counts.hits[level], counts.predicted[level], counts.reference[level] = len(found & truth), len(found), len(truth)


def _count_genes(counts: IntronCounts, predicted: list[Gene], reference: list[Gene]) -> None:
    """A gene is found when any of its isoforms is predicted exactly."""
    owner = {_chain(gene): number for number, group in enumerate(group_isoforms(reference)) for gene in group}
    hits = {owner[_chain(gene)] for gene in predicted if _chain(gene) in owner}
    # One gene may be predicted by several isoforms, by programs that give alternatives; two may be the same chain.
    found = {frozenset(map(_chain, group)) for group in group_isoforms(predicted)}
    counts.hits["gene"], counts.predicted["gene"] = len(hits), len(found)
    counts.reference["gene"] = len(set(owner.values()))


def paint_classes(genes: Iterable[Gene], length_bp: int) -> np.ndarray:
    """Class of every base, 0 to 6: intergenic, then utr, intron, coding on "+" and on "-"; int64 [length_bp].

    Where genes lie over each other the higher class of ``BASE_CLASSES`` counts; "+" before "-" in a tie.
    """
    rank = np.zeros((2, length_bp), dtype=np.int64)
    for gene in genes:
        row = rank[0 if gene.strand == "+" else 1]
        layers: list[tuple[int, Sequence[Span]]] = [(UTR, gene.transcript_exons), (CODING, gene.parts)]
        for exons in (gene.transcript_exons, gene.parts):
            layers.append((INTRON, [(low, high) for (_, low), (high, _) in pairwise(exons)]))
        for kind, spans in layers:
            for start, end in spans:
                row[start:end] = np.maximum(row[start:end], kind)
    return np.where(rank[0] >= rank[1], rank[0], np.where(rank[1] > 0, 3 + rank[1], 0))


def have_introns(genes: Iterable[Gene]) -> bool:
    """Whether most genes of several parts have an intron, not only a shift of the reading frame between the parts."""
    joined = [gene for gene in genes if len(gene.parts) > 1]
    return 2 * sum(map(_is_spliced, joined)) > len(joined)


def _is_spliced(gene: Gene) -> bool:
    gaps = (start - end for (_, end), (start, _) in pairwise(gene.parts))
    return not (gene.pseudo or gene.slippage or gene.trans_spliced) and max(gaps) >= COMMON_INTRON_BP

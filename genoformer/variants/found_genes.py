"""Genes of a reference and of its changed form beside each other: what is lost, gained, moved, or less sure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from genoformer.annotation.models import Gene
from genoformer.variants.alleles import Change
from genoformer.variants.reports import GeneChange

Namer = Callable[[Gene], str]
"""The name of a gene of the reference, or of one at that place in the changed sequence."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A gene with its ends as places in the reference.

    Attributes:
        gene: As it was found, in coordinates of the reference or of the changed sequence.
        low: First base, as a place in the reference.
        high: One past the last, likewise.
        introns: Ends of its introns, likewise.
    """

    gene: Gene
    low: int
    high: int
    introns: tuple[tuple[int, int], ...] = ()

    @property
    def first(self) -> int:
        """The 5′ end."""
        return self.low if self.gene.strand == "+" else self.high

    @property
    def last(self) -> int:
        """The 3′ end."""
        return self.high if self.gene.strand == "+" else self.low


def placed(genes: Iterable[Gene], change: Change | None = None, length: int = 0) -> list[Placed]:
    """Genes with their places in the reference.

    Args:
        genes: In coordinates of the sequence that they were found in.
        change: What was changed in that sequence, in coordinates of the reference; None for the reference.
        length: Of a circular reference, whose genes may go on behind its end; 0 for others.
    """
    changed_length = length + change.growth_bp if change is not None and length else 0

    def at(position: int) -> int:
        if changed_length and position > changed_length:
            return at(position - changed_length) + length
        if change is None or position <= change.start:
            return position
        if position >= change.start + len(change.bases):
            return position - change.growth_bp
        return change.start

    return [
        Placed(
            gene, at(gene.start), at(gene.end),
            tuple((at(low), at(high)) for (_, low), (high, _) in zip(gene.parts, gene.parts[1:], strict=False)),
        )
        for gene in genes
    ]  # fmt: skip


def gene_changes(
    before: list[Placed], after: list[Placed], change: Change, name: Namer, min_change: float, length: int = 0
) -> list[tuple[GeneChange, Placed]]:
    """What becomes different, by place, each with the gene that it is about.

    Genes are the same when they share strand and 5′ end, or else strand and 3′ end. Where both ends of a gene belong to
    two genes of the changed sequence, the one at the 5′ end is the gene, and the other is gained. Two genes that became
    one are both told of.

    Args:
        before: Genes of the reference.
        after: Genes of the changed sequence.
        change: The change.
        name: Names genes.
        min_change: Smaller changes of confidence alone are not told.
        length: Of a circular reference; 0 for others.
    """
    found: list[tuple[GeneChange, Placed]] = []
    left = {(one.gene.strand, one.last): one for one in after}
    by_start = {(one.gene.strand, one.first): one for one in after}
    for one in before:
        same_end, same_start = left.get((one.gene.strand, one.last)), by_start.get((one.gene.strand, one.first))
        is_inside = any(one.low <= change.start + turn <= one.high for turn in (0, length))
        is_broken = change.growth_bp % 3 != 0 and is_inside
        if same_end is not None and (same_start is same_end or same_start is None):
            left.pop((one.gene.strand, one.last), None)
            found += [(told, one) for told in _same_end(one, same_end, name(one.gene), min_change, is_broken)]
        elif same_start is not None:
            left.pop((one.gene.strand, same_start.last), None)
            effect = "frame_broken" if is_broken else "end_moved"
            further = _further(one, one.last, same_start.last)
            found.append((_told(effect, one, same_start, name(one.gene), further), one))
        else:
            found.append((_told("gene_lost", one, None, name(one.gene)), one))
    for other in left.values():
        found.append((_told("gene_gained", None, other, name(other.gene)), other))
    return sorted(found, key=lambda pair: (pair[1].low, pair[1].high, pair[0].effect))


def _same_end(one: Placed, other: Placed, name: str, min_change: float, is_broken: bool) -> list[GeneChange]:
    """Of a gene that ends where it did; what is left behind a shift of the frame has another start."""
    told = []
    if one.first != other.first:
        effect = "frame_broken" if is_broken else "start_moved"
        told.append(_told(effect, one, other, name, _further(one, one.first, other.first)))
    if set(one.introns) - set(other.introns):
        told.append(_told("splice_lost", one, other, name))
    if set(other.introns) - set(one.introns):
        told.append(_told("splice_made", one, other, name))
    if told:
        return told
    old, new = one.gene.score, other.gene.score
    if old is not None and new is not None and abs(new - old) >= min_change:
        return [_told("confidence", one, other, name)]
    return []


def _further(one: Placed, old: int, new: int) -> int:
    """How far a place lies downstream of another on the gene's strand."""
    return new - old if one.gene.strand == "+" else old - new


def _told(effect: str, one: Placed | None, other: Placed | None, name: str, moved_bp: int = 0) -> GeneChange:
    gene = one or other
    strand = gene.gene.strand if gene is not None else "+"
    before, after = (None if each is None else each.gene.score for each in (one, other))
    return GeneChange(effect, name, strand, before, after, moved_bp)

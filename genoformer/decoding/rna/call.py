"""A gene of rRNA or tRNA that was found in a sequence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RnaCall:
    """A gene of rRNA or tRNA; 0-based, half-open, forward coordinates.

    Attributes:
        start: First base.
        end: One past the last.
        strand: 1 or -1.
        kind: ``models.RRNA_KIND`` or ``models.TRNA_KIND``.
        score: Its probability.
        product: What an rRNA is called, "" if nothing says which it is.
        anticodon: Of a tRNA, three letters, "" if nothing says which.
    """

    start: int
    end: int
    strand: int
    kind: str
    score: float
    product: str = ""
    anticodon: str = ""

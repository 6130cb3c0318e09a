"""What a recipe has to know of labelled sequences: how many, how long, of which kind, with which labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from genoformer.applications.functions.sequence_kind import reads_as_gene
from genoformer.genomes.relatives import related_groups
from genoformer.labels.tables import LabelledSequence
from genoformer.labels.values import split_terms


@dataclass(frozen=True)
class Facts:
    """Labelled sequences in numbers.

    Attributes:
        lengths: Length of each sequence in bp, rising.
        coding: Share that reads as coding sequences.
        labels: How many sequences each class or term has; empty for numbers.
        groups: How many sequences each group has; empty where nothing groups them.
        families: Sizes of groups of near copies, of two and more; empty where nobody has looked.
    """

    lengths: Sequence[int]
    coding: float = 0.0
    labels: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    families: Sequence[int] = ()

    @property
    def n(self) -> int:
        """Sequences."""
        return len(self.lengths)

    @property
    def median_bp(self) -> int:
        """Half of the sequences are no longer."""
        return self.length_of_share(0.5)

    @property
    def longest_bp(self) -> int:
        """Length of the longest sequence."""
        return self.lengths[-1]

    @property
    def one_length(self) -> float:
        """Share of the sequences that have the median length."""
        return self.lengths.count(self.median_bp) / self.n

    def length_of_share(self, share: float) -> int:
        """Length in bp that this share of the sequences does not exceed."""
        return self.lengths[min(self.n - 1, int(share * self.n))]

    def longer_than(self, bp: int) -> float:
        """Share of the sequences that are longer."""
        return sum(length > bp for length in self.lengths) / self.n

    def mean_bp(self, max_bp: int) -> float:
        """Mean length as it is read, up to ``max_bp``."""
        return sum(min(length, max_bp) for length in self.lengths) / self.n


def facts_of(
    sequences: Sequence[LabelledSequence], kind: str, separator: str, *, min_share: float | None = None
) -> Facts:
    """The facts about sequences.

    Args:
        sequences: With labels; at least one.
        kind: "multiclass", "multilabel" or "regression".
        separator: Between the terms of one sequence.
        min_share: Part of the 16-mers that near copies share; None does not look for any.
    """
    terms = [] if kind == "regression" else [split_terms(one.label, kind, separator) for one in sequences]
    return Facts(
        lengths=sorted(len(one.codes) for one in sequences),
        coding=sum(reads_as_coding(one.codes) for one in sequences) / len(sequences),
        labels=dict(Counter(term for row in terms for term in row).most_common()),
        groups=dict(Counter(one.group for one in sequences if one.group)),
        families=[] if min_share is None else families_of([one.codes for one in sequences], min_share),
    )


def families_of(codes: Sequence[np.ndarray], min_share: float) -> list[int]:
    """Sizes of the groups of near copies, largest first; sequences without one are left out."""
    sizes = np.bincount(related_groups(codes, min_share))
    return sorted(sizes[sizes > 1].tolist(), reverse=True)


def reads_as_coding(codes: np.ndarray) -> bool:
    """Whether a sequence is whole codons from a start codon on, without a stop codon before the last one.

    That the last one is a stop codon is not asked for: many tables leave it off, and hardly anything else is so.
    """
    return len(codes) % 3 == 0 and reads_as_gene(codes)

"""Pair probabilities of a long sequence as a list: the likeliest partners of each base in place of all L² numbers."""

from dataclasses import dataclass

import numpy as np

from genoformer.structures.dot_bracket import pairs_of

MOST_PARTNERS = 100
"""Partners of a base that are kept; a base gives .01 or more to this many at most."""


@dataclass(frozen=True)
class PairList:
    """Pairs of one sequence with their probabilities.

    Attributes:
        pairs: int32 [n, 2], i < j, 0-based, in order.
        probability: float32 [n].
        alone: Chance of each base to have no partner, in the list or not, float64 [L].
        rest: Mean probability of the partners of each base that are possible and not in the list, float64 [L]; None
            if there are none.
    """

    pairs: np.ndarray
    probability: np.ndarray
    alone: np.ndarray
    rest: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.alone)


PairProbabilities = np.ndarray | PairList
"""Of all pairs, float [L, L], symmetric; or those of a list."""


def listed_pairs(
    found: PairProbabilities, smallest: float, partners: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs that are at least so probable, int [n, 2], i < j, in order, and their probabilities [n].

    Args:
        found: What is known.
        smallest: Probability from which on pairs are listed.
        partners: A structure whose pairs are listed whatever their probability.
    """
    if isinstance(found, PairList):
        chosen = found.probability >= smallest
        if partners is not None:
            chosen |= partners[found.pairs[:, 0]] == found.pairs[:, 1]
        return found.pairs[chosen], found.probability[chosen]
    listed = np.triu(found >= smallest, 1)
    if partners is not None:
        listed[tuple(pairs_of(partners).T)] = True
    pairs = np.argwhere(listed)
    return pairs, found[pairs[:, 0], pairs[:, 1]]


def shortened(pairs: np.ndarray, probability: np.ndarray, length: int, most: int = MOST_PARTNERS) -> PairList:
    """A list of the pairs that are among the likeliest of one of their two bases.

    Args:
        pairs: All that are possible, int32 [n, 2], i < j, in order.
        probability: Of each, float32 [n].
        length: Of the sequence.
        most: Pairs of each base that are kept.
    """
    firsts, seconds = pairs.T
    sums = sums_of_pairs(pairs, probability, length)
    by_second = np.argsort(seconds, kind="stable")
    starts = np.searchsorted(firsts, np.arange(length + 1))
    ends = np.searchsorted(seconds[by_second], np.arange(length + 1))
    kept = np.zeros(len(pairs), bool)
    for base in range(length):
        mine = np.concatenate([np.arange(*starts[base : base + 2]), by_second[slice(*ends[base : base + 2])]])
        kept[mine if len(mine) <= most else mine[np.argpartition(-probability[mine], most)[:most]]] = True
    alone = np.maximum(0.0, 1.0 - sums)
    if kept.all():
        return PairList(pairs, probability, alone)
    left_out = pairs[~kept]
    n_left_out = np.bincount(left_out.ravel(), minlength=length)
    rest = sums_of_pairs(left_out, probability[~kept], length) / np.maximum(1, n_left_out)
    return PairList(pairs[kept], probability[kept], alone, rest)


def sums_of_pairs(pairs: np.ndarray, probability: np.ndarray, length: int) -> np.ndarray:
    """Sum of the pairs of each base, float64 [L]."""
    firsts, seconds = (np.bincount(side, weights=probability, minlength=length) for side in pairs.T)
    return firsts + seconds

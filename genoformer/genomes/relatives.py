"""Groups of sequences that share k-mers: what must not be divided between training and test."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from genoformer.genomes.leakage import distinct_kmers

NEIGHBOURS = 8
"""Sequences with one k-mer, in their order, up to so far apart count as sharing it: not all pairs of a large family."""


def related_groups(codes: Sequence[np.ndarray], min_share: float) -> np.ndarray:
    """Number of the group of each sequence: those of which one shares a part of its 16-mers with the other, and so on.

    Near copies on either strand are found, as by ``leakage``, and remote relatives are not. A sequence without a 16-mer
    of known bases is alone. Memory is some hundred bytes for each base.

    Args:
        codes: uint8 base codes of each sequence.
        min_share: Part of the distinct 16-mers of the one that has fewer, above 0 and at most 1.

    Raises:
        ValueError: If the share is out of range.
    """
    if not 0 < min_share <= 1:
        raise ValueError(f"expected a share above 0 and at most 1, found {min_share}")
    rows = [distinct_kmers(sequence) for sequence in codes]
    totals = np.array([len(row) for row in rows], np.int64)
    owners = np.repeat(np.arange(len(rows)), totals)
    kmers = np.concatenate([np.empty(0, np.uint64), *rows])
    order = np.argsort(kmers, kind="stable")
    pairs, counts = _shared(kmers[order], owners[order], len(rows))
    first, second = pairs // max(1, len(rows)), pairs % max(1, len(rows))
    is_close = counts >= min_share * np.minimum(totals[first], totals[second])
    edges = (np.ones(is_close.sum()), (first[is_close], second[is_close]))
    return connected_components(coo_matrix(edges, shape=(len(rows), len(rows))), directed=False)[1]


def _shared(kmers: np.ndarray, owners: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of sequences as ``first * n + second``, and the k-mers that they share; k-mers rise, owners of each too."""
    found = [np.empty(0, np.int64)]
    for apart in range(1, NEIGHBOURS + 1):
        is_same = kmers[:-apart] == kmers[apart:]
        found.append(owners[:-apart][is_same] * n + owners[apart:][is_same])
    return np.unique(np.concatenate(found), return_counts=True)

"""Sequences as numbers for models that know no order, or only places."""

from collections.abc import Sequence

import numpy as np

from genoformer.baselines.count_models import context_numbers

N_BASES = 4


def kmer_frequencies(sequences: Sequence[np.ndarray], max_k: int = 4) -> np.ndarray:
    """Share of each k-mer among the k-mers of known bases, for k from 1 to ``max_k``; float64 [n, sum of 4^k].

    Args:
        sequences: uint8 base codes of each.
        max_k: Longest k-mer.
    """
    return np.array([np.concatenate([_frequencies(codes, k) for k in range(1, max_k + 1)]) for codes in sequences])


def one_hot(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Four columns for each place, all zero for an unknown base; float64 [n, 4 L].

    Args:
        sequences: uint8 base codes, all of one length.

    Raises:
        ValueError: If lengths differ.
    """
    if len({len(codes) for codes in sequences}) > 1:
        raise ValueError("one-hot features need sequences of one length")
    codes = np.stack(list(sequences))
    return (codes[:, :, None] == np.arange(N_BASES)).reshape(len(codes), -1).astype(np.float64)


def _frequencies(codes: np.ndarray, k: int) -> np.ndarray:
    numbers = context_numbers(codes, k)
    counts = np.bincount(numbers[numbers >= 0], minlength=N_BASES**k)
    return counts / max(1, counts.sum())

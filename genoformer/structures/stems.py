"""Stems of a structure: pairs that lie on one another without a gap on either side."""

import numpy as np

from genoformer.structures.dot_bracket import pairs_of


def stems_of(partners: np.ndarray) -> np.ndarray:
    """Stems, int64 [n, 3], by their first base: first base i, its partner j, and number of pairs.

    Pair ``k`` of a stem joins ``i + k`` and ``j - k``.

    Args:
        partners: As ``dot_bracket.parse_dot_bracket`` gives them.

    Example:
        >>> from genoformer.structures.dot_bracket import parse_dot_bracket
        >>> stems_of(parse_dot_bracket("((.((...))))")).tolist()
        [[0, 11, 2], [3, 9, 2]]
    """
    pairs = pairs_of(partners)
    if not len(pairs):
        return np.empty((0, 3), np.int64)
    goes_on = (np.diff(pairs[:, 0]) == 1) & (np.diff(pairs[:, 1]) == -1)
    first = np.flatnonzero(np.concatenate([[True], ~goes_on]))
    sizes = np.diff([*first.tolist(), len(pairs)])
    return np.column_stack([pairs[first], sizes])

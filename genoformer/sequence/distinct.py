"""Distinct numbers of a long array."""

import numpy as np


def distinct(values: np.ndarray) -> np.ndarray:
    """The distinct values, rising.

    ``numpy.unique`` finds distinct whole numbers by hashing (since 2.3) and takes a hundred times as long where there
    are millions of them (2.4.6: 10 s for 6 million, sorting them .1 s).

    Args:
        values: Of any type that can be sorted, shape [n]; left as it is.
    """
    rising = np.sort(values)
    is_first = np.ones(len(rising), bool)
    is_first[1:] = rising[1:] != rising[:-1]
    return rising[is_first]

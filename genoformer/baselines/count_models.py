"""Counts of short contexts, interpolated over their lengths: what a model of hidden bases must beat.

Both models mix every order with the one below it, p_m = (n_m + a p_(m-1)) / (N_m + a), down to a quarter for each base.

Reference: MacKay and Peto 1995, A hierarchical Dirichlet language model, with one strength for all orders.
"""

from collections.abc import Iterable

import numpy as np

N_BASES = 4
STRENGTH = 20.0


def context_numbers(codes: np.ndarray, m: int) -> np.ndarray:
    """Bases [p, p + m) as a number of base 4, for p from 0 to L - m; -1 where one is unknown; int64 [L - m + 1]."""
    n = max(0, len(codes) - m + 1)
    numbers, unknown = np.zeros(n, np.int64), np.zeros(n, bool)
    for i in range(m):
        part = codes[i : i + n].astype(np.int64)
        numbers, unknown = numbers << 2 | part & 3, unknown | (part >= N_BASES)
    return np.where(unknown, -1, numbers)


class MarkovModel:
    """Each base from those before it, up to ``order`` of them.

    Args:
        order: Longest context, 0 to 11.
        strength: Weight of the order below, in counts.
    """

    def __init__(self, order: int = 11, strength: float = STRENGTH) -> None:
        self.order, self.strength = order, strength
        self.counts = [np.zeros(N_BASES ** (m + 1), np.int64) for m in range(order + 1)]

    def add(self, codes: np.ndarray) -> None:
        """Count one strand of a sequence, uint8 [L]."""
        for m, counts in enumerate(self.counts):
            numbers = context_numbers(codes, m + 1)
            counts += np.bincount(numbers[numbers >= 0], minlength=len(counts))

    def probabilities(self, codes: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Chance of the base that stands at each position, float64 [n]; the base itself must be known.

        Args:
            codes: uint8 [L].
            positions: int64 [n].
        """
        found = np.full(len(positions), 1 / N_BASES)
        for m, counts in enumerate(self.counts):
            numbers = _at(context_numbers(codes, m + 1), positions - m)
            found = _mix(found, counts.reshape(-1, N_BASES), numbers, self.strength)
        return found


class TwoSidedModel:
    """Each base of a hidden run from the bases before and behind the run, the same number of both.

    Args:
        run_bp: Length of the run.
        order: Most bases on each side.
        strength: Weight of the order below, in counts.
    """

    def __init__(self, run_bp: int, order: int = 5, strength: float = STRENGTH) -> None:
        self.run_bp, self.order, self.strength = run_bp, order, strength
        self.counts = np.empty((run_bp, order + 1), object)
        for j in range(run_bp):
            for m in range(order + 1):
                self.counts[j, m] = np.zeros(N_BASES ** (2 * m + 1), np.int64)

    def add(self, codes: np.ndarray) -> None:
        """Count one strand of a sequence, uint8 [L]."""
        starts = np.arange(len(codes) - self.run_bp + 1)
        for m in range(self.order + 1):
            context = self._contexts(codes, starts, m)
            for j in range(self.run_bp):
                numbers = _with_base(context, codes[starts + j])
                counts = self.counts[j, m]
                counts += np.bincount(numbers[numbers >= 0], minlength=len(counts))

    def probabilities(self, codes: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Chance of every base of the runs that begin at ``starts``, float64 [n, run_bp].

        Args:
            codes: uint8 [L].
            starts: int64 [n].
        """
        found = np.full((len(starts), self.run_bp), 1 / N_BASES)
        for m in range(self.order + 1):
            context = self._contexts(codes, starts, m)
            for j in range(self.run_bp):
                numbers = _with_base(context, codes[starts + j])
                found[:, j] = _mix(found[:, j], self.counts[j, m].reshape(-1, N_BASES), numbers, self.strength)
        return found

    def _contexts(self, codes: np.ndarray, starts: np.ndarray, m: int) -> np.ndarray:
        """The m bases on both sides as one number, -1 where one is unknown or beyond the end."""
        numbers = context_numbers(codes, m)
        left, right = _at(numbers, starts - m), _at(numbers, starts + self.run_bp)
        return np.where((left < 0) | (right < 0), -1, left << 2 * m | right)


def bits_per_base(probabilities: Iterable[np.ndarray]) -> float:
    """Mean of -log2 over all bases; NaN without any."""
    flat = np.concatenate([np.empty(0), *(np.ravel(part) for part in probabilities)])
    return float(-np.log2(flat).mean()) if len(flat) else float("nan")


def _at(numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
    inside = (places >= 0) & (places < len(numbers))
    found = np.full(len(places), -1, np.int64)
    found[inside] = numbers[places[inside]]
    return found


def _with_base(context: np.ndarray, base: np.ndarray) -> np.ndarray:
    return np.where((context < 0) | (base >= N_BASES), -1, context << 2 | base)


def _mix(below: np.ndarray, counts: np.ndarray, numbers: np.ndarray, strength: float) -> np.ndarray:
    """Counts [contexts, 4] mixed with the order below; where the context is unknown that order stands alone."""
    known = numbers >= 0
    context, base = numbers[known] >> 2, numbers[known] & 3
    seen = counts[context]
    mixed = below.copy()
    mixed[known] = (seen[np.arange(len(seen)), base] + strength * below[known]) / (seen.sum(axis=1) + strength)
    return mixed

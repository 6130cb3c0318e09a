"""The ribosome binding site of a genome: its motif, how far before the start it stands, and in which share of genes.

A mixture: with some chance a window before a start holds the motif at one of its positions, else it is background.
Expectation-maximisation fits it to the windows of confident genes, from a word that is frequent there.

Reference: expectation-maximisation for one motif occurrence per window, at most, follows Bailey and Elkan (Proc. ISMB
2 (1994) 28); that the distance to the start is part of the site follows Besemer et al. (Nucleic Acids Res. 29 (2001)
2607).
"""

from dataclasses import dataclass

import numba
import numpy as np

MOTIF_BP = 6
SITE_FIRST, SITE_LAST = -20, -8
"""Where the motif may begin, from the first base of the start codon."""
WINDOW_BP = SITE_LAST + MOTIF_BP - SITE_FIRST
MAX_WINDOWS = 20_000
"""Genes that are enough to know the site; of more, every n-th is looked at."""
ROUNDS = 40
BASE_PRIOR, PLACE_PRIOR = 5.0, 1.0
FIRST_GUESS = 0.76
"""Chance of each base of the word that the motif is started from."""


@dataclass(frozen=True)
class BindingSite:
    """A motif that stands before starts.

    Attributes:
        motif: Natural log-odds of each base at each place of the motif against the background, [6, 4].
        place: Chance of each first base of the motif, from ``SITE_FIRST`` to ``SITE_LAST``, [13].
        share: Share of the genes that have the motif.
    """

    motif: np.ndarray
    place: np.ndarray
    share: float


def find_site(windows: np.ndarray, word: np.ndarray) -> BindingSite:
    """Fit the site to the windows of confident genes; the order of the windows does not matter.

    Args:
        windows: uint8 base codes from ``SITE_FIRST`` on, 5′ to 3′, at least one known base, [N, 18].
        word: Base codes of a word that is frequent in them, at most six.
    """
    windows, weight = np.unique(windows, axis=0, return_counts=True)
    every = -(-len(windows) // MAX_WINDOWS)
    windows, weight = windows[::every], weight[::every].astype(np.float64)
    known = np.array([weight @ (windows == base).sum(axis=1) for base in range(4)]) + 1.0
    background = known / known.sum()
    motif = np.tile(background, (MOTIF_BP, 1))
    motif[: len(word)] = (1 - FIRST_GUESS) / 3
    motif[np.arange(len(word)), word] = FIRST_GUESS
    place, share = np.full(SITE_LAST - SITE_FIRST + 1, 1 / (SITE_LAST - SITE_FIRST + 1)), 0.5
    for _ in range(ROUNDS):
        site = BindingSite(np.log(motif / background), place, share)
        bases, places, total = _expected(windows, weight, site.motif, place, share)
        share = min(max(total / weight.sum(), 0.01), 0.99)
        place = (places + PLACE_PRIOR) / (places + PLACE_PRIOR).sum()
        motif = bases + BASE_PRIOR * background
        motif /= motif.sum(axis=1, keepdims=True)
    return BindingSite(np.log(motif / background), place, share)


@numba.njit(cache=True, nogil=True)
def site_odds(window, motif, place, share):
    """Log-odds of one window [18] against the background; a place with an unknown base counts as without motif."""
    ratio = 1.0 - share
    for p in range(len(place)):
        ratio += share * place[p] * _ratio_at(window, motif, p)
    return np.log(ratio)


@numba.njit(cache=True, nogil=True)
def _ratio_at(window, motif, p):
    total = 0.0
    for i in range(MOTIF_BP):
        base = window[p + i]
        if base > 3:
            return 0.0
        total += motif[i, base]
    return np.exp(total)


@numba.njit(cache=True, nogil=True)
def _expected(windows, weight, motif, place, share):
    """Expected bases of the motif [6, 4], places [13] and motifs in all, each window counted by its weight."""
    bases, places, total = np.zeros((MOTIF_BP, 4)), np.zeros(len(place)), 0.0
    ratios = np.empty(len(place))
    for n in range(len(windows)):
        whole = 1.0 - share
        for p in range(len(place)):
            ratios[p] = share * place[p] * _ratio_at(windows[n], motif, p)
            whole += ratios[p]
        for p in range(len(place)):
            expected = weight[n] * ratios[p] / whole
            if expected > 0.0:
                places[p] += expected
                total += expected
                for i in range(MOTIF_BP):
                    bases[i, windows[n, p + i]] += expected
    return bases, places, total

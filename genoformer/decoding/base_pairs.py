"""From pair probabilities to a secondary structure: nested by maximum expected accuracy, or with crossing pairs.

Reference: Do, Woods and Batzoglou 2006, CONTRAfold, Bioinformatics 22, e90, section 2.3.
"""

import networkx
import numba
import numpy as np

from genoformer.structures.dot_bracket import ALONE, writable
from genoformer.structures.pair_list import PairList, PairProbabilities

MIN_HAIRPIN = 3
"""Bases between the two of a pair, at least: the backbone cannot turn on fewer."""
PAIR_KINDS = {"GC": 0, "CG": 0, "AT": 1, "TA": 1, "GT": 2, "TG": 2}
N_PAIR_KINDS = 3
NO_PAIR = -1
SMALLEST = 1e-4
"""Pairs that are less probable are in no structure."""


def pair_kinds(codes: np.ndarray, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
    """Kind of pair that two bases can make, U read as T: 0 for GC, 1 for AU, 2 for GU, -1 for none; int8 [h, w].

    Args:
        codes: uint8 base codes [L]; ambiguous bases pair with nothing.
        rows: First bases; all L by default.
        columns: Second bases.
    """
    table = np.full((16, 16), NO_PAIR, np.int8)
    for pair, kind in PAIR_KINDS.items():
        table["ACGT".index(pair[0]), "ACGT".index(pair[1])] = kind
    kinds = table[codes[rows, None], codes[None, columns]]
    places = np.arange(len(codes), dtype=np.int32)
    kinds[np.abs(places[rows, None] - places[None, columns]) <= MIN_HAIRPIN] = NO_PAIR
    return kinds


def nested_structure(found: PairProbabilities, gamma: float = 1.0) -> np.ndarray:
    """The structure without crossing pairs that has the highest expected accuracy.

    It maximises 2 ``gamma`` times the probabilities of its pairs plus those of its bases without one to be without one;
    a larger ``gamma`` makes more pairs. Pairs with a probability below ``SMALLEST`` are not considered.

    Args:
        found: Probabilities, float [L, L], symmetric, zero where no pair is possible; or a list of pairs. Of a list,
            pairs that are worth less than leaving both bases alone are not looked at: they are in no best structure.
        gamma: Weight of pairs.

    Returns:
        Partners, int64 [L], see ``structures.dot_bracket``. Time grows with L² times the possible partners of a base,
        memory is 12 bytes times L².
    """
    firsts, seconds, probability, alone = _weighed(found)
    gains = 2 * gamma * probability
    if isinstance(found, PairList):
        worth = gains >= alone[firsts] + alone[seconds]
        firsts, seconds, gains = firsts[worth], seconds[worth], gains[worth]
    starts = np.searchsorted(firsts, np.arange(len(alone) + 1))
    return _best_nested(gains, seconds, starts, alone)


def _weighed(found: PairProbabilities) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs that a structure may have, both bases and how probable they are, and each base to be alone, float64."""
    if isinstance(found, PairList):
        chosen = found.probability >= SMALLEST
        firsts, seconds = found.pairs[chosen].T.astype(np.int64)
        return firsts, seconds, found.probability[chosen].astype(np.float64), found.alone
    weights = np.triu(np.asarray(found, np.float64), MIN_HAIRPIN + 1)
    alone = np.maximum(0.0, 1.0 - np.asarray(found, np.float64).sum(axis=1))
    firsts, seconds = np.nonzero(weights >= SMALLEST)
    return firsts, seconds, weights[firsts, seconds], alone


@numba.njit(cache=True)
def _best_nested(gains, seconds, starts, alone):
    """Partners of the best structure; the pairs p of base i, ``starts[i] <= p < starts[i + 1]``, end at seconds[p]."""
    n = len(alone)
    # best[i, j]: value of bases i to j - 1; rows are filled from the last base backwards.
    best = np.zeros((n + 2, n + 1))
    choice = np.full((n + 1, n + 1), -1, np.int32)
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n + 1):
            best[i, j] = alone[i] + best[i + 1, j]
        for p in range(starts[i], starts[i + 1]):
            k = seconds[p]
            inside = gains[p] + best[i + 1, k]
            for j in range(k + 1, n + 1):
                value = inside + best[k + 1, j]
                if value > best[i, j]:
                    best[i, j], choice[i, j] = value, p
    partners = np.full(n, -1, np.int64)
    lows, highs, n_open = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64), 1
    lows[0], highs[0] = 0, n
    while n_open:
        n_open -= 1
        i, j = lows[n_open], highs[n_open]
        if i >= j:
            continue
        p = choice[i, j]
        if p < 0:
            lows[n_open], highs[n_open] = i + 1, j
            n_open += 1
            continue
        k = seconds[p]
        partners[i], partners[k] = k, i
        lows[n_open], highs[n_open] = i + 1, k
        lows[n_open + 1], highs[n_open + 1] = k + 1, j
        n_open += 2
    return partners


def crossing_structure(found: PairProbabilities, gamma: float = 1.0) -> np.ndarray:
    """The structure of highest expected accuracy in which pairs may cross: a matching of maximum weight.

    Args:
        found: Probabilities, float [L, L], symmetric, zero where no pair is possible; or a list of pairs.
        gamma: Weight of pairs.

    Returns:
        Partners, int64 [L], without pairs that cross in more ways than there are kinds of brackets.
    """
    firsts, seconds, probability, alone = _weighed(found)
    # What a pair is worth beyond leaving both bases alone; the others are in no best structure.
    gains = 2 * gamma * probability - alone[firsts] - alone[seconds]
    worth = gains > 0
    graph: networkx.Graph[int] = networkx.Graph()
    edges = firsts[worth].tolist(), seconds[worth].tolist(), gains[worth].tolist()
    graph.add_weighted_edges_from(zip(*edges, strict=True))
    partners = np.full(len(alone), ALONE, np.int64)
    for i, j in networkx.max_weight_matching(graph):
        partners[i], partners[j] = j, i
    return writable(partners)

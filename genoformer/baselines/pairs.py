"""Simple models of base pairs: a linear model of neighbouring pairs, and ViennaRNA."""

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression

from genoformer.decoding.base_pairs import N_PAIR_KINDS, pair_kinds
from genoformer.structures.folding import WHOLE_BP
from genoformer.structures.pair_list import PairList, PairProbabilities, shortened, sums_of_pairs

OFFSETS = (-3, -2, -1, 0, 1, 2, 3)
"""Pairs (i + o, j - o) that the linear model looks at: the stem that a pair would stand in."""
PER_RNA = 300
"""Pairs of each training RNA that the linear model sees."""

AT_ONCE = 1 << 18
"""Pairs whose features are made at a time."""

Probabilities = Callable[[np.ndarray], PairProbabilities]
"""From uint8 base codes [L] to pair probabilities, a list of them for more than ``WHOLE_BP`` bases."""


def fit_stem_logistic(codes: Sequence[np.ndarray], partners: Sequence[np.ndarray], seed: int) -> Probabilities:
    """Logistic regression on the kinds of a pair and of its neighbours in the stem, and on the distance.

    Args:
        codes: uint8 base codes of each training RNA.
        partners: Partners of each.
        seed: Of the pairs that are looked at.
    """
    rng = np.random.default_rng(seed)
    features, outcomes, weights = [], [], []
    for sequence, wanted in zip(codes, partners, strict=True):
        i, j = np.nonzero(np.triu(pair_kinds(sequence) >= 0))
        if not len(i):
            continue
        chosen = rng.choice(len(i), min(PER_RNA, len(i)), replace=False)
        features.append(stem_features(sequence, i[chosen], j[chosen]))
        outcomes.append(wanted[i[chosen]] == j[chosen])
        # Each pair stands for those of its RNA that were not drawn.
        weights.append(np.full(len(chosen), len(i) / len(chosen)))
    weight = np.concatenate(weights)
    model = LogisticRegression(max_iter=500)
    model.fit(np.concatenate(features), np.concatenate(outcomes), sample_weight=weight / weight.mean())

    def probabilities(sequence: np.ndarray) -> PairProbabilities:
        if len(sequence) > WHOLE_BP:
            return list_of(sequence)
        found = np.zeros((len(sequence), len(sequence)))
        i, j = np.nonzero(np.triu(pair_kinds(sequence) >= 0))
        if len(i):
            found[i, j] = model.predict_proba(stem_features(sequence, i, j))[:, 1]
        return normalised(found + found.T)

    def list_of(sequence: np.ndarray) -> PairList:
        pairs = np.argwhere(np.triu(pair_kinds(sequence) >= 0)).astype(np.int32)
        parts = np.split(pairs, range(AT_ONCE, len(pairs), AT_ONCE))
        found = [model.predict_proba(stem_features(sequence, *part.T))[:, 1] for part in parts if len(part)]
        sure = np.concatenate([np.empty(0), *found])
        sums = sums_of_pairs(pairs, sure, len(sequence))
        highest = np.maximum(1.0, np.maximum(sums[pairs[:, 0]], sums[pairs[:, 1]]))
        return shortened(pairs, (sure / highest).astype(np.float32), len(sequence))

    return probabilities


def stem_features(codes: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Kinds of the pairs (i + o, j - o), one-hot, and the logarithm of the distance; float64 [n, F].

    Args:
        codes: uint8 base codes [L].
        i: First bases [n].
        j: Second bases [n].
    """
    reach = max(OFFSETS)
    kinds = np.pad(pair_kinds(codes), reach, constant_values=-1)
    columns = [kinds[i + reach + o, j + reach - o] == kind for o in OFFSETS for kind in range(N_PAIR_KINDS)]
    return np.column_stack([*columns, np.log(j - i)]).astype(np.float64)


def normalised(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities divided so that none of a base's partners sum to more than 1; symmetric as the input."""
    sums = np.maximum(1.0, probabilities.sum(axis=1))
    return probabilities / np.maximum(sums[:, None], sums[None, :])

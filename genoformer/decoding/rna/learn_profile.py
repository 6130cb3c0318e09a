"""Profiles of rRNA genes from annotated ones: aligned with the gene most like the others, and counted by column."""

from collections.abc import Sequence

import numpy as np

from genoformer.decoding.rna.alignment import Profile, aligned_columns

WORD_BP = 12
"""Of words that two genes share, which say how alike they are."""
SAME_SHARE = 0.9
"""Genes that share more of their words are copies of one."""
MOST_GENES = 60
"""Aligned, the most different ones: more say little that these do not."""
ROUNDS = 2
FIRST_MATCH, FIRST_GAP = (1.2, -1.0), 6.0
"""Natural logarithm: what equal and different bases and a gap count while there is only one gene to align with."""
PSEUDOCOUNT = 1.5
KEEP_SHARE = 0.5
"""Columns in which fewer of the genes have a base are left out."""


def learn_profile(genes: Sequence[np.ndarray]) -> Profile | None:
    """What genes of one kind look like; None without genes.

    Args:
        genes: uint8 base codes of each, in reading direction.
    """
    chosen = distinct_genes(genes)
    if not chosen:
        return None
    profile = _of_one(chosen[_central(chosen)])
    for _ in range(ROUNDS):
        profile = _counted(chosen, [aligned_columns(gene, profile) for gene in chosen], len(profile))
    return profile


def distinct_genes(genes: Sequence[np.ndarray]) -> list[np.ndarray]:
    """One gene of those that are nearly the same; at most ``MOST_GENES``, each the least like those before."""
    unique = list({gene.tobytes(): gene for gene in genes}.values())
    words = [_words(gene) for gene in unique]
    if not unique:
        return []
    left = list(range(1, len(unique)))
    order, nearest = [0], np.array([_shared(words[i], words[0]) for i in range(len(unique))])
    while left and len(order) < MOST_GENES:
        i = min(left, key=lambda i: (nearest[i], i))
        if nearest[i] > SAME_SHARE:
            break
        order.append(i)
        left.remove(i)
        nearest = np.maximum(nearest, [_shared(words[k], words[i]) for k in range(len(unique))])
    return [unique[i] for i in order]


def _words(gene: np.ndarray) -> set[bytes]:
    text = gene.tobytes()
    return {text[i : i + WORD_BP] for i in range(len(text) - WORD_BP + 1)}


def _shared(one: set[bytes], other: set[bytes]) -> float:
    return len(one & other) / max(min(len(one), len(other)), 1)


def _central(genes: Sequence[np.ndarray]) -> int:
    """Of the longest quarter, the gene that shares most words with all: a short one lacks what others have."""
    words, least = [_words(gene) for gene in genes], np.percentile([len(gene) for gene in genes], 75)
    alike = [sum(len(one & other) for other in words) for one in words]
    return int(np.argmax([n if len(gene) >= least else -1 for n, gene in zip(alike, genes, strict=True)]))


def _of_one(gene: np.ndarray) -> Profile:
    scores = np.full((len(gene), 5), FIRST_MATCH[1], np.float32)
    scores[np.arange(len(gene)), np.minimum(gene, 4)] = FIRST_MATCH[0]
    scores[:, 4] = 0
    gaps = np.full(len(gene), FIRST_GAP, np.float32)
    return Profile(scores, gaps, gaps.copy())


def _counted(genes: Sequence[np.ndarray], aligned: Sequence[np.ndarray], m: int) -> Profile:
    bases = np.full((len(genes), m), -2, np.int64)  # -1: a gap, -2: not known
    inserted = np.full((len(genes), m), False)
    for row, (gene, columns) in enumerate(zip(genes, aligned, strict=True)):
        has = columns >= 0
        bases[row, has] = np.minimum(gene[columns[has]], 4)
        bases[row, columns == -1] = -1
        places = np.flatnonzero(has)
        inserted[row, places[:-1][np.diff(columns[places]) > np.diff(places)]] = True
    weights = _weights(bases)[:, None]
    counts = np.stack([(weights * (bases == base)).sum(axis=0) for base in range(4)], axis=1)
    known = (weights * (bases > -2)).sum(axis=0)
    kept = counts.sum(axis=1) >= KEEP_SHARE * np.maximum(known, weights.sum() / 4)
    shares = (counts + PSEUDOCOUNT / 4) / (counts.sum(axis=1, keepdims=True) + PSEUDOCOUNT)
    scores = np.concatenate([np.log(shares / 0.25), np.zeros((m, 1))], axis=1)
    gaps = bases == -1
    deleted = gaps & ~np.pad(gaps, ((0, 0), (1, 0)))[:, :-1]
    # A gap that begins in a column that is left out begins with the next one that is kept.
    group = np.cumsum(kept) - kept
    insertion, deletion = (_cost((weights * what).sum(axis=0), known, group, kept) for what in (inserted, deleted))
    return Profile(scores[kept].astype(np.float32), insertion, deletion)


def _cost(begun: np.ndarray, known: np.ndarray, group: np.ndarray, kept: np.ndarray) -> np.ndarray:
    n = np.bincount(np.minimum(group, kept.sum() - 1), begun, kept.sum())
    return -np.log((n + 0.05) / (known[kept] + n + 2)).astype(np.float32)


def _weights(bases: np.ndarray) -> np.ndarray:
    """Weights of the genes that sum to their number: those unlike the others count more.

    Reference: Henikoff and Henikoff, J. Mol. Biol. 243 (1994) 574.
    """
    weights = np.zeros(len(bases))
    for column in bases.T:
        values, places, counts = np.unique(column[column > -2], return_inverse=True, return_counts=True)
        if len(values):
            weights[column > -2] += 1 / (len(values) * counts[places])
    return weights * len(bases) / max(weights.sum(), 1e-9)

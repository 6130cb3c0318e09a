"""RNAs with base pairs as samples: crops, mutations that keep the pairs, and features of every two bases."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.decoding.base_pairs import N_PAIR_KINDS, pair_kinds
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.dot_bracket import ALONE, pairs_of
from genoformer.structures.folding import WHOLE_BP
from genoformer.tasks.rna_pairs import pair_labels

UNKNOWN = -2
"""Partner of a base whose pair leaves the crop."""
STRETCH_BP = 512
"""What evaluation while training sees of RNAs of more than ``WHOLE_BP`` bases."""
PAIR_LETTERS = np.array([[2, 1], [1, 2], [0, 3], [3, 0], [2, 3], [3, 2]], np.uint8)
PAIR_SHARES = np.array([0.295, 0.295, 0.14, 0.14, 0.065, 0.065])
"""GC, CG, AU, UA, GU, UG: rounded shares among the 210,148 pairs of ArchiveII."""


def pair_features(codes: np.ndarray, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
    """What the head is told of every two bases, the kind of pair; float32 [F, h, w].

    Args:
        codes: uint8 base codes [L].
        rows: First bases; all L by default.
        columns: Second bases.
    """
    return (pair_kinds(codes, rows, columns) == np.arange(N_PAIR_KINDS)[:, None, None]).astype(np.float32)


@dataclass(frozen=True)
class PairSamples:
    """Makes samples of RNAs.

    Attributes:
        codes: Base codes of each.
        partners: Partners of each, see ``structures.dot_bracket``.
        tokenizer: The model's tokenizer.
        crop_bp: Longest stretch in training.
        mutated: Largest share of pairs and single bases that training draws anew; pairs stay pairs.
    """

    codes: Sequence[np.ndarray]
    partners: Sequence[np.ndarray]
    tokenizer: KmerTokenizer
    crop_bp: int = 160
    mutated: float = 0.0

    def __call__(self, number: int, generator: np.random.Generator | None) -> dict[str, np.ndarray]:
        """Sample of one RNA; without a generator all of it, or the fullest stretch of a long one."""
        codes, partners = self.codes[number], self.partners[number]
        if generator is not None:
            start, end = choose_crop(partners, self.crop_bp, generator)
        else:
            start, end = (0, len(codes)) if len(codes) <= WHOLE_BP else fullest_crop(partners, STRETCH_BP)
        codes, partners = codes[start:end], crop_partners(partners, start, end)
        if generator is not None:
            if self.mutated:
                codes = mutate(codes, partners, self.mutated * generator.random(), generator)
        return {
            "token_ids": self.tokenizer.encode(codes),
            "labels": pair_labels(codes, partners),
            "pair_features": pair_features(codes),
        }


def choose_crop(partners: np.ndarray, crop_bp: int, generator: np.random.Generator) -> tuple[int, int]:
    """A stretch of ``crop_bp`` bases, or all; it holds both ends of a pair drawn at random, if one is so narrow."""
    if len(partners) <= crop_bp:
        return 0, len(partners)
    pairs = pairs_of(partners)
    pairs = pairs[pairs[:, 1] - pairs[:, 0] < crop_bp]
    low, high = 0, len(partners) - crop_bp
    if len(pairs):
        first, second = pairs[generator.integers(len(pairs))]
        low, high = max(low, second + 1 - crop_bp), min(high, first)
    start = int(generator.integers(low, high + 1))
    return start, start + crop_bp


def fullest_crop(partners: np.ndarray, crop_bp: int) -> tuple[int, int]:
    """The first stretch of ``crop_bp`` bases, of at least so many, that holds the most pairs."""
    pairs = pairs_of(partners)
    pairs = pairs[pairs[:, 1] - pairs[:, 0] < crop_bp]
    # A pair (i, j) is in the stretches that start from j + 1 - crop_bp to i.
    changes = np.zeros(len(partners) + 1, np.int64)
    np.add.at(changes, np.maximum(0, pairs[:, 1] + 1 - crop_bp), 1)
    np.add.at(changes, pairs[:, 0] + 1, -1)
    start = int(changes.cumsum()[: len(partners) - crop_bp + 1].argmax())
    return start, start + crop_bp


def crop_partners(partners: np.ndarray, start: int, end: int) -> np.ndarray:
    """Partners inside [start, end); ``UNKNOWN`` where the partner lies outside."""
    cut = partners[start:end]
    inside = (cut >= start) & (cut < end)
    return np.where(cut == ALONE, ALONE, np.where(inside, cut - start, UNKNOWN))


def mutate(codes: np.ndarray, partners: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Bases with a share of the pairs drawn anew as pairs, and of the single bases drawn anew from these.

    Structure outlives sequence: what is learned must not depend on the letters of a family.

    Args:
        codes: uint8 base codes [L]; left unchanged.
        partners: int64 [L].
        share: Of pairs and of single bases, 0 to 1.
        generator: Source of chance.
    """
    codes, pairs, single = codes.copy(), pairs_of(partners), np.flatnonzero(partners == ALONE)
    pairs = pairs[generator.random(len(pairs)) < share]
    drawn = PAIR_LETTERS[generator.choice(len(PAIR_LETTERS), len(pairs), p=PAIR_SHARES)]
    codes[pairs[:, 0]], codes[pairs[:, 1]] = drawn[:, 0], drawn[:, 1]
    chosen = single[generator.random(len(single)) < share]
    if len(chosen):
        codes[chosen] = generator.permutation(codes[single])[: len(chosen)]
    return codes

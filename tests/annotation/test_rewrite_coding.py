"""Codons drawn anew: the protein stays, or changes as much as was asked."""

import numpy as np
import pytest

from genoformer.annotation.genetic_code import translate
from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.sequence.alphabet import encode_bases


def coding(n=600, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, 3 * n).astype(np.uint8)
    return codes


def rewrite(codes, synonymous, substituted, seed=1):
    generator = np.random.default_rng(seed)
    return rewrite_coding(codes, synonymous=synonymous, substituted=substituted, genetic_code=1, generator=generator)


def test_synonyms_keep_the_protein_and_change_the_codons():
    codes = coding()
    before = codes.copy()
    written = [rewrite(codes, 1.0, 0.0, seed) for seed in range(5)]
    assert {translate(row, 1) for row in written} == {translate(codes, 1)}
    assert all(0.2 < (row != codes).mean() < 0.5 for row in written)
    assert np.array_equal(codes, before)
    gc = [np.isin(row, (1, 2)).mean() for row in written]
    assert max(gc) - min(gc) > 0.05


def test_substitutions_change_some_amino_acids_to_similar_ones():
    codes = coding(4000)
    shares = []
    for seed in range(6):
        one, other = translate(codes, 1), translate(rewrite(codes, 0.0, 0.4, seed), 1)
        assert [i for i, letter in enumerate(one) if letter == "*"] == [
            i for i, letter in enumerate(other) if letter == "*"
        ]
        shares.append(np.mean([a != b for a, b in zip(one, other, strict=True)]))
    assert max(shares) < 0.4 and np.mean(shares) > 0.02


def test_unknown_bases_stops_and_what_is_left_over_stay():
    codes = encode_bases("TAANNNACNTGATT")
    assert np.array_equal(rewrite(codes, 1.0, 0.9), codes)


@pytest.mark.parametrize("length", [0, 1, 2, 3])
def test_short_sequences_are_legal(length):
    assert len(rewrite(np.zeros(length, np.uint8), 1.0, 0.5)) == length

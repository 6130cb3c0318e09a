"""Interpolated counts by hand, against plain counting, and as probabilities."""

import numpy as np
import pytest

from genoformer.baselines.count_models import MarkovModel, TwoSidedModel, bits_per_base, context_numbers
from genoformer.sequence.alphabet import encode_bases


def random_codes(n, seed=0):
    return np.random.default_rng(seed).integers(0, 4, n).astype(np.uint8)


def test_contexts_by_hand():
    assert context_numbers(encode_bases("ACGNT"), 2).tolist() == [1, 6, -1, -1]
    assert context_numbers(encode_bases("ACG"), 0).tolist() == [0, 0, 0, 0]
    assert context_numbers(encode_bases("AC"), 5).tolist() == []


def test_markov_by_hand():
    model = MarkovModel(order=1, strength=2.0)
    model.add(encode_bases("AACAG"))
    p0 = {"A": (3 + 0.5) / 7, "G": (1 + 0.5) / 7}
    found = model.probabilities(encode_bases("GAGA"), np.array([0, 1, 2]))
    assert found.tolist() == pytest.approx([p0["G"], (0 + 2 * p0["A"]) / 2, (1 + 2 * p0["G"]) / 5])


def test_two_sides_by_hand():
    model = TwoSidedModel(run_bp=1, order=1, strength=2.0)
    model.add(encode_bases("ACAACA"))
    p0 = (2 + 0.5) / 8
    assert model.probabilities(encode_bases("ACA"), np.array([1]))[0, 0] == pytest.approx((2 + 2 * p0) / 4)
    assert model.probabilities(encode_bases("ACA"), np.array([0]))[0, 0] == pytest.approx((4 + 0.5) / 8)


@pytest.mark.parametrize("make", [lambda: MarkovModel(3), lambda: TwoSidedModel(3, 2)])
def test_chances_of_the_four_bases_sum_to_one(make):
    model = make()
    model.add(random_codes(500))
    codes, position = random_codes(40, 1), np.array([20])
    total = 0.0
    for base in range(4):
        codes[20] = base
        total += np.ravel(model.probabilities(codes, position))[0]
    assert total == pytest.approx(1.0)


def test_a_regular_sequence_is_learned_and_a_random_one_is_not():
    regular = np.tile(encode_bases("ACGTTGCA"), 500)
    one, other = MarkovModel(6), TwoSidedModel(2, 3)
    one.add(regular)
    other.add(regular)
    places = np.arange(100, 200)
    assert (
        bits_per_base([one.probabilities(regular, places)])
        < 0.1
        > bits_per_base([other.probabilities(regular, places)])
    )
    noise = random_codes(300_000)
    model = MarkovModel(3)
    model.add(noise)
    assert bits_per_base([model.probabilities(random_codes(5000, 3), np.arange(5000))]) == pytest.approx(2.0, abs=0.01)


def test_unknown_bases_fall_back_to_shorter_contexts():
    model = MarkovModel(4)
    model.add(random_codes(1000))
    codes = encode_bases("ACNGT")
    assert model.probabilities(codes, np.array([4]))[0] > 0
    assert TwoSidedModel(2, 3).probabilities(codes, np.array([3])).tolist() == [[0.25, 0.25]]

"""Structures from pair probabilities: against all structures of short sequences."""

import numpy as np
import pytest

from genoformer.decoding.base_pairs import MIN_HAIRPIN, crossing_structure, nested_structure, pair_kinds
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures.dot_bracket import ALONE, OPENING, parse_dot_bracket, write_dot_bracket


def all_structures(length: int, crossing: bool):
    """Partners of every structure of a length, by trying all."""

    def extend(i, partners):
        if i == length:
            yield list(partners)
            return
        if partners[i] >= 0:
            yield from extend(i + 1, partners)
            return
        yield from extend(i + 1, partners)
        for j in range(i + MIN_HAIRPIN + 1, length):
            is_free = partners[j] < 0 and (
                crossing or all(not (i < partners[k] < j) for k in range(i) if partners[k] >= 0)
            )
            if is_free:
                partners[i], partners[j] = j, i
                yield from extend(i + 1, partners)
                partners[i] = partners[j] = -1

    yield from extend(0, [-1] * length)


def expected_accuracy(partners, probabilities, gamma):
    alone = 1 - probabilities.sum(axis=1)
    return sum(max(0, alone[i]) if j < 0 else gamma * probabilities[i, j] for i, j in enumerate(partners))


def random_probabilities(length, seed):
    rng = np.random.default_rng(seed)
    weights = np.triu(rng.random((length, length)) ** 3 * (rng.random((length, length)) < 0.5), MIN_HAIRPIN + 1)
    weights = weights + weights.T
    return weights / max(1.0, weights.sum(axis=1).max())


@pytest.mark.parametrize("crossing", [False, True])
@pytest.mark.parametrize("gamma", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(4))
def test_no_structure_is_better_than_the_one_found(crossing, gamma, seed):
    probabilities = random_probabilities(10, seed)
    found = (crossing_structure if crossing else nested_structure)(probabilities, gamma)
    best = max(expected_accuracy(partners, probabilities, gamma) for partners in all_structures(10, crossing))
    assert expected_accuracy(found.tolist(), probabilities, gamma) == pytest.approx(best)
    write_dot_bracket(found)  # partners are mutual


def test_a_knot_is_found_only_where_pairs_may_cross():
    knot = parse_dot_bracket("(((..[[[.)))...]]]")
    probabilities = np.zeros((len(knot), len(knot)))
    for i, j in enumerate(knot.tolist()):
        if j >= 0:
            probabilities[i, j] = 0.9 if i < 12 and j < 12 else 0.8
    assert write_dot_bracket(crossing_structure(probabilities)) == "(((..[[[.)))...]]]"
    assert write_dot_bracket(nested_structure(probabilities)) == "(((......)))......"


def test_pairs_that_cross_in_more_ways_than_there_are_brackets_are_left_out():
    n = len(OPENING) + 5
    found = np.zeros((2 * n, 2 * n))
    found[np.arange(n), np.arange(n) + n] = found[np.arange(n) + n, np.arange(n)] = 0.9
    partners = crossing_structure(found)
    assert partners[: len(OPENING)].tolist() == list(range(n, n + len(OPENING)))
    assert (partners[len(OPENING) : n] == ALONE).all()
    assert parse_dot_bracket(write_dot_bracket(partners)).tolist() == partners.tolist()


def test_empty_and_hopeless_sequences_have_no_pairs():
    assert nested_structure(np.zeros((0, 0))).tolist() == []
    assert nested_structure(np.zeros((5, 5))).tolist() == [-1] * 5
    assert crossing_structure(np.zeros((5, 5))).tolist() == [-1] * 5


def test_bases_pair_as_in_rna_and_not_within_a_hairpin_of_three():
    kinds = pair_kinds(encode_bases("GUANNNNCCRUU"))
    assert kinds[0].tolist() == [-1, -1, -1, -1, -1, -1, -1, 0, 0, -1, 2, 2]
    assert kinds[2, 10] == 1 and kinds[10, 2] == 1 and (kinds == kinds.T).all()
    assert pair_kinds(encode_bases("GAAAC"))[0, 4] == 0 and pair_kinds(encode_bases("GAAC"))[0, 3] == -1

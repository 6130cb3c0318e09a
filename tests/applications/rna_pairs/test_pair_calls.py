"""What is chosen for models of base pairs: families count alike."""

import numpy as np
import pytest

from genoformer.applications.rna_pairs import calibrate
from genoformer.applications.rna_pairs.calibrate import CHOOSING, WEIGHTS, choose_weight, fit_pair_calibration
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures.dot_bracket import parse_dot_bracket

ALONE, PAIRED = parse_dot_bracket("......."), parse_dot_bracket("(.....)")


def one_pair(probability):
    found = np.zeros((7, 7))
    found[0, 6] = found[6, 0] = probability
    return found


@pytest.mark.parametrize(("groups", "finds_pairs"), [("aaaaabc", False), ("aaaaaaa", True)])
def test_families_count_alike_in_the_weight_of_pairs(groups, finds_pairs):
    """A pair is true in five RNAs and false in two; finding it takes a gamma above 2, as its bases are alone at .8."""
    fitted = fit_pair_calibration([one_pair(0.2)] * 7, [PAIRED] * 5 + [ALONE] * 2, list(groups))
    assert (fitted["gamma"] > 2) == finds_pairs
    assert fitted["isotonic"]


def test_weight_is_chosen_on_a_part_of_each_family_and_the_smallest_of_the_best_wins(monkeypatch):
    seen = []

    def fold(codes, said, weight):
        seen.append((len(codes), weight))
        return one_pair(0.9 if weight >= 0.1 else 0.0)

    monkeypatch.setattr(calibrate, "fold_probabilities", fold)
    codes = [encode_bases("GAAAAAC" + "A" * (i // 100)) for i in range(110)]
    groups = ["many"] * 100 + ["few"] * 10
    assert choose_weight(codes, [one_pair(0.5)] * 110, [PAIRED] * 110, groups) == 0.1
    assert seen.count((8, WEIGHTS[0])) == 10 and 10 < seen.count((7, WEIGHTS[0])) <= CHOOSING

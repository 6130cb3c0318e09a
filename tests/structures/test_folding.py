"""The prior is what ViennaRNA says, in our layout."""

import numpy as np
import pytest

from genoformer.errors import UsageError
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures import folding
from genoformer.structures.dot_bracket import pairs_of, write_dot_bracket

HAIRPIN = "GGGGCAAAAGCCCCUUUUU"


def test_probabilities_are_those_of_viennarna(need_package):
    rna = need_package("RNA")
    found = folding.fold_probabilities(encode_bases(HAIRPIN))
    _, _ = rna.pf_fold(HAIRPIN)
    wanted = [[rna.get_pr(min(i, j), max(i, j)) if i != j else 0.0 for j in range(1, 20)] for i in range(1, 20)]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
    assert found[0, 13] > 0.9 and found.sum(axis=1).max() <= 1 + 1e-5


def test_structure_is_that_of_minimum_free_energy_and_n_pairs_with_nothing(need_package):
    need_package("RNA")
    assert write_dot_bracket(folding.fold_structure(encode_bases(HAIRPIN))) == "(((((....)))))....."
    assert not len(pairs_of(folding.fold_structure(encode_bases("GGGGNNNNNNNRYNN"))))


def test_mixture_is_a_geometric_mean_and_no_base_has_partners_for_more_than_one():
    said, folded = np.zeros((6, 6)), np.zeros((6, 6))
    said[0, 5] = said[5, 0] = 0.9
    folded[0, 5] = folded[5, 0] = 0.4
    folded[0, 4] = folded[4, 0] = 0.6
    mixed = folding.mix_probabilities(said, folded, 0.5)
    assert mixed[0, 5] == pytest.approx(0.6, abs=1e-3) and 0 < mixed[0, 4] < 0.01
    assert mixed.sum(axis=1).max() <= 1 and mixed[1].sum() == pytest.approx(0, abs=1e-9)
    assert np.allclose(folding.mix_probabilities(said, folded, 1.0), said)


def test_missing_package_is_named_with_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(folding.importlib, "import_module", missing)
    with pytest.raises(UsageError, match=r"genoformer\[structure\]"):
        folding.load_viennarna()

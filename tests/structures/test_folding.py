"""The prior is what ViennaRNA says, in our layout."""

import numpy as np
import pytest

from genoformer.errors import UsageError
from genoformer.sequence.alphabet import encode_bases
from genoformer.structures import folding
from genoformer.structures.dot_bracket import pairs_of, parse_dot_bracket, write_dot_bracket

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


def test_second_expert_has_its_say_in_every_structure(need_package):
    """All structures of a short RNA, counted one by one: energy of ViennaRNA times what the other says of each base."""
    rna, bases, weight = need_package("RNA"), "GGGGAAAAUCCC", 0.3
    said = np.full((12, 12), 0.02)
    np.fill_diagonal(said, 0.0)
    said[0, 11] = said[11, 0] = 0.5
    said[3, 8] = said[8, 3] = 0.3
    alone = 1 - said.sum(axis=1)
    compound = rna.fold_compound(bases)
    sums, total = np.zeros((12, 12)), 0.0
    for structure in compound.subopt(5000):
        partners = parse_dot_bracket(structure.structure)
        chances = [alone[i] if j < 0 else said[i, j] for i, j in enumerate(partners)]
        boltzmann = np.exp(-compound.eval_structure(structure.structure) / (rna.exp_param().kT / 1000))
        chance = boltzmann * np.prod(chances) ** weight
        total += chance
        for i, j in pairs_of(partners):
            sums[i, j] += chance
            sums[j, i] += chance
    found = folding.fold_probabilities(encode_bases(bases), said, weight)
    # Energies are whole tens of cal/mol in ViennaRNA, which is up to .8 % for each pair of a structure.
    np.testing.assert_allclose(found, sums / total, rtol=0.04, atol=1e-6)
    assert 0.1 < found.max() < 0.9 and np.abs(found - folding.fold_probabilities(encode_bases(bases))).max() > 0.05


def test_missing_package_is_named_with_what_to_install(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(folding.importlib, "import_module", missing)
    with pytest.raises(UsageError, match=r"genoformer\[structure\]"):
        folding.load_viennarna()

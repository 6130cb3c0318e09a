"""What is said of a genome by how sure the network is of its genes."""

import pytest

from genoformer.annotation.models import Gene
from genoformer.decoding.familiarity import FAMILIAR_SHARE, LONG_GENE_BP, familiarity, long_gene_evidence


def gene(length_bp, evidence):
    return Gene("c", 0, length_bp, "+", codon_evidence=evidence)


def test_only_long_genes_with_evidence_count():
    genes = [gene(LONG_GENE_BP, 1.0), gene(900, 2.0), gene(600, 5.0), gene(LONG_GENE_BP - 3, 90.0), gene(900, None)]
    assert long_gene_evidence(genes) == [1.0, 2.0, 5.0]


@pytest.mark.parametrize(("evidence", "familiar"), [(4.0 * FAMILIAR_SHARE, True), (4.0 * FAMILIAR_SHARE - 0.1, False)])
def test_a_genome_is_strange_below_a_share_of_the_evidence_of_home(evidence, familiar):
    found = familiarity(evidence, 4.0)
    assert found["looks_familiar"] is familiar
    assert found["codon_evidence_in_training"] == 4.0 and found["codon_evidence"] == round(evidence, 2)


def test_unknown_stays_unknown():
    assert familiarity(3.0, None) == {
        "codon_evidence": 3.0, "codon_evidence_in_training": None, "looks_familiar": None,
    }  # fmt: skip
    assert familiarity(None, 4.0)["looks_familiar"] is None

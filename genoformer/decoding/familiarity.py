"""Does a genome look like those the model was trained on: how sure the network is of the codons of the genes found.

A network that reads strange sequence is unsure of its codons, or sure of the contrary; the decoder then finds genes by
the statistics of the genome and by the room they have, and misses more of them.
"""

from collections.abc import Iterable

from genoformer.annotation.models import Gene

LONG_GENE_BP = 300
"""Only genes of this length count: their codons tell enough."""

FAMILIAR_SHARE = 0.6
"""A genome whose genes have less than this share of the evidence of home looks unlike anything in training. A round
number: no curve of scores over it has been measured."""


def long_gene_evidence(genes: Iterable[Gene]) -> list[float]:
    """``codon_evidence`` of the long ones among the genes."""
    return [g.codon_evidence for g in genes if g.codon_evidence is not None and g.length_bp >= LONG_GENE_BP]


def familiarity(evidence: float | None, at_home: float | None) -> dict[str, float | bool | None]:
    """What ``summary.json`` says of it.

    Args:
        evidence: Median of ``long_gene_evidence`` of the genes found; None where there are none.
        at_home: The same on held-out sequence of the training genomes; None for a model that does not say.

    Returns:
        "codon_evidence", "codon_evidence_in_training" and "looks_familiar", None where unknown.
    """
    return {
        "codon_evidence": None if evidence is None else round(evidence, 2),
        "codon_evidence_in_training": None if at_home is None else round(at_home, 2),
        "looks_familiar": None if evidence is None or at_home is None else evidence >= FAMILIAR_SHARE * at_home,
    }

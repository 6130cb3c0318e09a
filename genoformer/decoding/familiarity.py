"""Does a genome look like those the model was trained on: how sure the network is of the codons of the genes found.

A network that reads strange sequence is unsure of its codons, or sure of the contrary; the decoder then finds genes by
the statistics of the genome and by the room they have, and misses more of them. Measured with networks of one genome
reading another: with three quarters of the evidence of home the scores are those of home, with a quarter 3 % of the
genes are lost (docs/results.md).
"""

from collections.abc import Iterable

import numpy as np

from genoformer.annotation.models import Gene

LONG_GENE_BP = 300
"""Only genes of this length count: their codons tell enough."""

FAMILIAR_SHARE = 0.6
"""A genome whose genes have less than this share of the evidence of home looks unlike anything in training."""


def median_evidence(genes: Iterable[Gene]) -> float | None:
    """Median over long genes of ``codon_evidence``; None where there are none."""
    values = [g.codon_evidence for g in genes if g.codon_evidence is not None and g.length_bp >= LONG_GENE_BP]
    return float(np.median(values)) if values else None


def familiarity(evidence: float | None, at_home: float | None) -> dict[str, float | bool | None]:
    """What ``summary.json`` says of it.

    Args:
        evidence: ``median_evidence`` of the genes found.
        at_home: The same on held-out sequence of the training genomes; None for a model that does not say.

    Returns:
        "codon_evidence", "codon_evidence_in_training" and "looks_familiar", None where unknown.
    """
    known = evidence is not None and at_home is not None
    return {
        "codon_evidence": None if evidence is None else round(evidence, 2),
        "codon_evidence_in_training": None if at_home is None else round(at_home, 2),
        "looks_familiar": evidence >= FAMILIAR_SHARE * at_home if known else None,
    }

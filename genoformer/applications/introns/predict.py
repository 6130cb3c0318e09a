"""Genes with introns of FASTA files: predicted as all genes are, with another finder."""

from dataclasses import dataclass

from genoformer.applications.genes.predict import GenePredictor
from genoformer.applications.introns.caller import IntronGeneFinder


@dataclass(frozen=True)
class IntronPredictor(GenePredictor):
    """A request and its model."""

    find_with = IntronGeneFinder

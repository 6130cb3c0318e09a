"""What a prediction of secondary structure is asked to do."""

from dataclasses import dataclass

from genoformer.inference.parts import Part
from genoformer.inference.sequence_predict import SequenceRequest


@dataclass(frozen=True)
class CodonRequest(SequenceRequest):
    """What is asked of a model of secondary structure."""

    known_formats = Part("genoformer.applications.codon_structure.outputs:FORMATS")

"""What a prediction of contacts is asked to do."""

from dataclasses import dataclass

from genoformer.inference.parts import Part
from genoformer.inference.sequence_predict import SequenceRequest


@dataclass(frozen=True)
class ContactRequest(SequenceRequest):
    """What is asked of a model of contacts."""

    known_formats = Part("genoformer.applications.contacts.outputs:FORMATS")

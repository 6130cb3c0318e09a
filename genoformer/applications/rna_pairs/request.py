"""What a prediction of base pairs is asked to do."""

import argparse
from dataclasses import dataclass
from typing import Any

from genoformer.inference.parts import Part
from genoformer.inference.sequence_predict import SequenceRequest


@dataclass(frozen=True)
class PairRequest(SequenceRequest):
    """What is asked of a model of base pairs.

    Attributes:
        crossing: Pairs of a structure may cross.
    """

    crossing: bool = False

    known_formats = Part("genoformer.applications.rna_pairs.outputs:FORMATS")

    @classmethod
    def add_arguments(cls, group: argparse._ArgumentGroup) -> None:
        group.add_argument("--crossing", action="store_true", help="let base pairs cross (pseudoknots)")

    @classmethod
    def settings_of(cls, args: argparse.Namespace) -> dict[str, Any]:
        return {"crossing": args.crossing}

"""What a prediction of functions is asked to do."""

import argparse
from dataclasses import dataclass

from genoformer.inference.parts import Part
from genoformer.inference.reading import Reading
from genoformer.inference.sequence_predict import SequenceRequest, table_columns_of


@dataclass(frozen=True)
class FunctionRequest(SequenceRequest):
    """What is asked of a model of functions."""

    known_formats = Part("genoformer.applications.functions.outputs:FORMATS")

    @classmethod
    def add_arguments(cls, group: argparse._ArgumentGroup) -> None:
        group.add_argument(
            "--allow-empty", action="store_true", help="an empty FASTA file is no error (a genome without genes)"
        )

    @classmethod
    def reading_of(cls, args: argparse.Namespace) -> Reading:
        return Reading(args.on_bad_record, allow_empty=args.allow_empty, **table_columns_of(args))

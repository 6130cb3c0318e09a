"""What the data modules of structures share: from parts to samples."""

from collections.abc import Sequence
from typing import Protocol

from genoformer.batches.structures import EvaluationStructures, MakeItem, TrainingStructures
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.kmers import KmerTokenizer


class StructureParts(Protocol):
    """A data module whose samples are made from sequences with the text of their structures."""

    parts: dict[str, list[LabelledSequence]]
    tokenizer: KmerTokenizer
    seed: int

    def build_samples(self, sequences: Sequence[LabelledSequence], *, is_training: bool) -> MakeItem:
        """What makes samples of some sequences."""


def training_structures(data: StructureParts, batch_size: int) -> TrainingStructures:
    """Samples of the training part; ValueError if they do not fill a batch."""
    members = data.parts["train"]
    samples = data.build_samples(members, is_training=True)
    codes = [sequence.codes for sequence in members]
    return TrainingStructures(codes, samples, data.tokenizer, seed=data.seed, batch_size=batch_size)


def evaluation_structures(data: StructureParts, part: str) -> EvaluationStructures:
    """Every sequence of a part once, whole."""
    members = data.parts[part]
    return EvaluationStructures(len(members), data.build_samples(members, is_training=False))

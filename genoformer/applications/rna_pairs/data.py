"""The LightningDataModule of base pairs: RNAs with their structures, from files of pairs or from a table."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from genoformer.batches.pair_samples import PairSamples
from genoformer.batches.structures import EvaluationStructures, TrainingStructures, collate_structures
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.pair_files import is_pair_file, read_pair_files
from genoformer.tasks.options import read_options
from genoformer.tasks.rna_pairs import IMPOSSIBLE, PairOptions
from genoformer.training.labelled_data import LabelledData, as_list
from genoformer.training.settings import LabelSplit, Loader, ModelReading, PairAugmentation, check_crop
from genoformer.training.structure_data import evaluation_structures, training_structures


class PairData(LabelledData):
    """RNAs with base pairs.

    Args:
        labels: Files of pairs (.dbn, .bpseq, .ct), or tables with a column of structures in dot-bracket; a list.
        columns: Columns of a table; the label is the structure, the group a family. The group "file" is the name of the
            file, as always with files of pairs.
        split: How the parts are found.
        loader: How RNAs become batches.
        augment: What training changes.
        crop_bp: Longest stretch in training; pairs that leave it are unknown there.

    Raises:
        UsageError: If a number is out of range.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        columns: TableColumns = TableColumns("structure", "sequence", "id"),
        split: LabelSplit = LabelSplit(),
        loader: Loader = Loader(batch_size=8),
        augment: PairAugmentation = PairAugmentation(),
        crop_bp: int = 160,
    ) -> None:
        super().__init__([as_list(labels)], split, loader)
        check_crop(crop_bp, "crop_bp")
        self.columns, self.crop_bp, self.mutated = columns, crop_bp, augment.mutated
        self.channels = ["pair"]

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Read as a model does; UsageError if its tokens are no bases."""
        if reading.stride != 1:
            message = f"base pairs need a token for each base, found {reading.stride}."
            raise UsageError("CONFIG-005", message, where="model.stride")
        if reading.n_global_tokens:
            raise UsageError("CONFIG-016", "the task rna_pairs has none.", where="model.encoder.n_global_tokens")
        self.options = read_options(PairOptions, reading.options, reading.task)
        self.collate = partial(collate_structures, ignored=IMPOSSIBLE)
        return super().bind(reading, seed=seed, work_dir=work_dir)

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """RNAs with structures in dot-bracket; DataError where a table's structure does not fit its bases."""
        (paths,) = self.inputs
        files = [path for path in paths if is_pair_file(path)]
        tables = [path for path in paths if not is_pair_file(path)]
        found = [*read_pair_files(files), *(read_label_table(tables, self.columns, [], log) if tables else [])]
        for example in found:
            check_structure(example)
        short = [example for example in found if len(example.codes) <= self.options.max_bp]
        for example in found:
            if len(example.codes) > self.options.max_bp:
                log.add("PAIRS-101", f"{example.where}: {len(example.codes):,} bases are too many; it is left out.")
        return short

    def build_samples(self, sequences: Sequence[LabelledSequence], *, is_training: bool) -> PairSamples:
        """Samples of some RNAs."""
        codes = [sequence.codes for sequence in sequences]
        partners = [parse_dot_bracket(sequence.label) for sequence in sequences]
        mutated = self.mutated if is_training else 0.0
        return PairSamples(codes, partners, self.tokenizer, self.crop_bp, mutated)

    def training_samples(self, batch_size: int) -> TrainingStructures:
        """Samples of the training part; ValueError if they do not fill a batch."""
        return training_structures(self, batch_size)

    def evaluation_samples(self, part: str) -> EvaluationStructures:
        """Every sequence of a part once, whole."""
        return evaluation_structures(self, part)


def check_structure(example: LabelledSequence) -> np.ndarray:
    """Partners of an example; DataError if its structure is none, or does not fit its bases."""
    try:
        partners = parse_dot_bracket(example.label)
    except ValueError as error:
        raise DataError("PAIRS-003", f"{error}.", where=example.where) from error
    if len(partners) != len(example.codes):
        raise DataError(
            "PAIRS-003", f"{len(partners)} brackets and dots for {len(example.codes)} bases.", where=example.where
        )
    return partners

"""The LightningDataModule of base pairs: RNAs with their structures, from files of pairs or from a table."""

from collections.abc import Sequence

import numpy as np

from genoformer.batches.pair_samples import PairSamples
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.labels.tables import LabelledSequence, TableColumns, read_label_table
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.structures.dot_bracket import parse_dot_bracket
from genoformer.structures.pair_files import is_pair_file, read_pair_files
from genoformer.tasks.options import read_options
from genoformer.tasks.rna_pairs import IMPOSSIBLE, PairOptions
from genoformer.training.structure_data import StructureData


class PairData(StructureData):
    """RNAs with base pairs.

    Args:
        labels: Files of pairs (.dbn, .bpseq, .ct), or tables with a column of structures in dot-bracket; a list.
        label_column: Column of the structures.
        sequence_column: Column of the bases.
        id_column: Column of the ids.
        group_column: Column of what must not be divided (family); "file" is the name of the file, as always with files
            of pairs.
        split: File with id, part (train, validation, test) and perhaps family in each line, in place of the four that
            follow.
        by: "random", "group" or "column", see docs/tasks/function.md.
        validation: Fraction of the RNAs, or names of groups.
        test: The same for the test part; nothing by default.
        split_seed: Decides random parts.
        batch_size: RNAs of one step of one process.
        samples_per_epoch: RNAs between two validations; by default all of them once.
        num_workers: Processes that load; 0 is fastest on a CPU.
        seed: Decides order and augmentation.
        crop_bp: Longest stretch in training; pairs that leave it are unknown there.
        mutated: Largest share of pairs and single bases that training draws anew; pairs stay pairs.
        k: Bases per token; follows model.k.
        stride: Bases that each token owns; follows model.stride.
        options: Settings of the task; follow model.options.
        n_global_tokens: Follows model.encoder; none are possible here.
        work_dir: Folder of the run.

    Raises:
        UsageError: If a number is out of range.
    """

    def __init__(
        self,
        labels: str | list[str] | None = None,
        label_column: str = "structure",
        sequence_column: str = "sequence",
        id_column: str = "id",
        group_column: str | None = None,
        split: str | None = None,
        by: str = "random",
        validation: float | list[str] = 0.1,
        test: float | list[str] | None = None,
        split_seed: int = 0,
        batch_size: int = 8,
        samples_per_epoch: int | None = None,
        num_workers: int = 0,
        seed: int = 0,
        crop_bp: int = 160,
        mutated: float = 0.0,
        k: int = 1,
        stride: int = 1,
        options: dict[str, bool | int | float | str] | None = None,
        n_global_tokens: int = 0,
        work_dir: str = ".",
    ) -> None:
        how = {"by": by, "validation": validation, "test": test, "seed": split_seed, "file": split}
        super().__init__(
            labels, how, KmerTokenizer(k=k, stride=stride), batch_size=batch_size,
            samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed, ignored=IMPOSSIBLE,
        )  # fmt: skip
        self.columns = TableColumns(label_column, sequence_column, id_column, group_column)
        self.options = read_options(PairOptions, options, "rna_pairs")
        self.crop_bp, self.mutated = crop_bp, mutated
        self.channels = ["pair"]
        check_pair_settings(stride, n_global_tokens, crop_bp, mutated)

    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """RNAs with structures in dot-bracket; DataError where a table's structure does not fit its bases."""
        files = [path for path in self.paths if is_pair_file(path)]
        tables = [path for path in self.paths if not is_pair_file(path)]
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


def check_pair_settings(stride: int, n_global_tokens: int, crop_bp: int, mutated: float) -> None:
    """UsageError for settings that make no sense together."""
    if stride != 1:
        raise UsageError("CONFIG-005", f"base pairs need a token for each base, found {stride}.", where="model.stride")
    if n_global_tokens:
        raise UsageError("CONFIG-016", "the task rna_pairs has none.", where="model.encoder.n_global_tokens")
    if crop_bp < 1 or not 0 <= mutated <= 1:
        raise UsageError("CONFIG-009", f"crop_bp {crop_bp} or mutated {mutated} is out of range.", where="data")

"""What the data modules of structures share: labelled sequences to parts, parts to samples."""

import hashlib
import json
import sys
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from genoformer.annotation.text_lines import read_lines
from genoformer.batches.structures import (
    EvaluationStructures,
    MakeItem,
    TrainingStructures,
    collate_structures,
)
from genoformer.errors import DataError, UsageError, WarningLog
from genoformer.files import sha256_file
from genoformer.labels.splits import split_labelled
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.training.labelled_data import LabelledData, as_list, require_files


class StructureData(LabelledData):
    """Sequences with a structure each; a kind of structure says how it reads them and makes samples of them.

    Args:
        labels: A file, or a list of them.
        split: How the parts are found: "by", "validation", "test" and "seed" as ``label_splits`` has them, and "file".
        tokenizer: The model's tokenizer.
        batch_size: Sequences of one step of one process.
        samples_per_epoch: Sequences between two validations; all of them once if None.
        num_workers: Processes that load.
        seed: Decides order and augmentation.
        ignored: Label of padding.
    """

    linked = ("k", "stride", "options")

    def __init__(
        self, labels: str | list[str] | None, split: dict, tokenizer: KmerTokenizer, *, batch_size: int,
        samples_per_epoch: int | None, num_workers: int, seed: int, ignored: int,
    ) -> None:  # fmt: skip
        super().__init__(
            tokenizer, partial(collate_structures, ignored=ignored), batch_size=batch_size,
            samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed,
        )  # fmt: skip
        self.paths, self.split = as_list(labels), split

    @abstractmethod
    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """All sequences; the label is the structure as text."""

    @abstractmethod
    def build_samples(self, sequences: Sequence[LabelledSequence], *, is_training: bool) -> MakeItem:
        """What makes samples of some sequences."""

    def input_digest(self) -> str:
        """SHA-256 of the contents of the input files.

        Raises:
            UsageError: If there is no input.
            MissingFileError: If a file is not there.
        """
        if not self.paths:
            raise UsageError("LABELS-001", "no labels are given.", where="data.labels", fix="Give --data.labels FILE.")
        inputs = [*self.paths, *([self.split["file"]] if self.split["file"] else [])]
        require_files(inputs)
        return hashlib.sha256(json.dumps([sha256_file(path) for path in inputs]).encode()).hexdigest()

    def setup(self, stage: str | None = None) -> None:
        """Read the sequences and divide them."""
        if self.parts:
            return
        self.input_digest()
        log = WarningLog()
        sequences = self.read(log)
        how = {name: value for name, value in self.split.items() if name != "file"}
        groups = None
        if self.split["file"]:
            parts, groups = read_parts(self.split["file"])
            sequences = with_parts(sequences, parts, log)
            how = {**how, "by": "column"}
        numbers = split_labelled(sequences, **how, both_strands=False, log=log)
        if groups is not None:
            sequences = [replace(sequence, group=groups[sequence.id]) for sequence in sequences]
        self.parts = {part: [sequences[i] for i in chosen] for part, chosen in numbers.items()}
        self.training_set()
        for line in log.lines():
            print(f"genoformer: {line}", file=sys.stderr)

    def training_samples(self, batch_size: int) -> TrainingStructures:
        """Samples of the training part; ValueError if they do not fill a batch."""
        members = self.parts["train"]
        return TrainingStructures(
            [sequence.codes for sequence in members], self.build_samples(members, is_training=True), self.tokenizer,
            seed=self.seed, batch_size=batch_size,
        )  # fmt: skip

    def evaluation_samples(self, part: str) -> EvaluationStructures:
        """Every sequence of a part once, whole."""
        members = self.parts[part]
        return EvaluationStructures(len(members), self.build_samples(members, is_training=False))

    def card_lines(self) -> list[str]:
        """What the model card says of the data."""
        described = ", ".join(
            f"{name} {Path(value).name if name == 'file' else value}" for name, value in self.split.items() if value
        )
        return self.describe_parts(self.paths, described)


def read_parts(path: str | Path) -> tuple[dict[str, str], dict[str, str]]:
    """Part and group of each id, from a file with id, part and, if there are groups, group in each line.

    Lines with "#" are not read; a group that is not there is "".

    Raises:
        DataError: If a line has no two or three columns, or an id comes twice.
    """
    parts: dict[str, str] = {}
    groups: dict[str, str] = {}
    for number, line in read_lines(Path(path)):
        cells = line.split("\t")
        if not line.strip() or line.startswith("#"):
            continue
        if len(cells) not in (2, 3) or cells[0] in parts:
            message = f'the id "{cells[0]}" comes twice.' if cells[0] in parts else "expected id and part, by a tab."
            raise DataError("SPLIT-006", message, where=f"{path} line {number}")
        parts[cells[0]], groups[cells[0]] = cells[1], (*cells[2:], "")[0]
    return parts, groups


def with_parts(sequences: Sequence[LabelledSequence], parts: dict[str, str], log: WarningLog) -> list[LabelledSequence]:
    """The sequences that have a part, with its name as their group; the others are counted.

    Raises:
        UsageError: If none has one.
    """
    known = [sequence for sequence in sequences if sequence.id in parts]
    for sequence in sequences:
        if sequence.id not in parts:
            log.add("SPLIT-007", f'{sequence.where}: "{sequence.id}" is in no part of the split; it is left out.')
    if not known:
        raise UsageError("SPLIT-008", "no sequence has an id of the split.", where="data.split")
    return [replace(sequence, group=parts[sequence.id]) for sequence in known]

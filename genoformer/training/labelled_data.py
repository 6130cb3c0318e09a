"""What all data modules of labelled sequences have in common: files that are there, parts, and loaders."""

import hashlib
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Self

import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset

from genoformer.annotation.text_lines import digest_input
from genoformer.batches.tables import TrainingSequences
from genoformer.errors import MissingFileError, UsageError, WarningLog
from genoformer.genomes.relatives import related_groups
from genoformer.labels.split_file import read_parts, with_parts
from genoformer.labels.splits import split_labelled
from genoformer.labels.tables import LabelledSequence
from genoformer.nn.config import EncoderConfig
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan
from genoformer.training.run_batches import RunBatches, check_seed
from genoformer.training.settings import LabelSplit, Loader, ModelReading


class LabelledData(pl.LightningDataModule, ABC):
    """Labelled sequences in ``parts``, each once in validation and test; a task says how they are read and sampled.

    A subclass sets ``collate`` in ``bind``, which must be called before anything is read.

    Args:
        inputs: Files with labels and sequences, by kind; the first kind that has some names the data.
        split: How the parts are found.
        loader: How samples become batches.
        others: Files that are read besides.
    """

    both_strands = False
    """A sequence and its reverse complement count as equal."""
    collate: Callable

    def __init__(
        self, inputs: Sequence[list[str]], split: LabelSplit, loader: Loader, *, others: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.inputs, self.others = inputs, [*as_list(split.file), *others]
        self.split, self.batches = split, RunBatches(loader)
        self.parts: dict[str, list[LabelledSequence]] = {}

    def bind(self, reading: ModelReading, *, seed: int = 0, work_dir: str | Path = ".") -> Self:
        """Take what follows from the model and from the run.

        Args:
            reading: How the model reads.
            seed: Decides order and augmentation.
            work_dir: Folder of the run.

        Raises:
            UsageError: If the data cannot be read in this way.
        """
        self.seed = check_seed(seed)
        self.tokenizer = KmerTokenizer(k=reading.k, stride=reading.stride)
        return self

    def check_model(self, encoder: EncoderConfig, plan: TilePlan) -> None:
        """UsageError if the model wants the bases that tokens own: labelled sequences come as tokens alone."""
        if encoder.base_embedding:
            raise UsageError("CONFIG-016", "this task cannot feed it.", where="model.encoder.base_embedding")

    @abstractmethod
    def read(self, log: WarningLog) -> list[LabelledSequence]:
        """All sequences, with the text of their labels."""

    @abstractmethod
    def training_samples(self, batch_size: int) -> TrainingSequences:
        """Samples of the training part for batches over all processes; ValueError if they do not fill one."""

    @abstractmethod
    def evaluation_samples(self, part: str) -> Dataset:
        """Every sequence of a part once."""

    def encode_parts(self, log: WarningLog) -> None:
        """Turn the labels of all parts into numbers, where samples are not made from their text."""

    def input_digest(self) -> str:
        """SHA-256 of the contents of the input files.

        Raises:
            UsageError: If there is no input.
            MissingFileError: If a file is not there.
        """
        if not any(self.inputs):
            raise UsageError("LABELS-001", "no labels are given.", where="data.labels", fix="Give --data.labels FILE.")
        kinds = [*self.inputs, self.others]
        for paths in kinds:
            require_files(paths)
        return hashlib.sha256(json.dumps([list(map(digest_input, paths)) for paths in kinds]).encode()).hexdigest()

    def prepare_data(self) -> None:
        """Nothing: files are read where they are."""

    def setup(self, stage: str | None = None) -> None:
        """Read the sequences and divide them."""
        if self.parts:
            return
        self.input_digest()
        log = WarningLog()
        self.parts = self._divide(self.read(log), log)
        self.encode_parts(log)
        self.training_set()
        for line in log.lines():
            print(f"genoformer: {line}", file=sys.stderr)

    def _divide(self, sequences: Sequence[LabelledSequence], log: WarningLog) -> dict[str, list[LabelledSequence]]:
        how, groups, units = asdict(self.split), None, None
        share = how.pop("relatives")
        if path := how.pop("file"):
            parts, groups = read_parts(path)
            sequences, how["by"] = with_parts(sequences, parts, log), "column"
        elif share is not None:
            units = related_groups([sequence.codes for sequence in sequences], share).tolist()
        numbers = split_labelled(sequences, **how, both_strands=self.both_strands, units=units, log=log)
        if groups is not None:
            sequences = [replace(sequence, group=groups[sequence.id]) for sequence in sequences]
        return {part: [sequences[i] for i in chosen] for part, chosen in numbers.items()}

    def training_set(self, world_size: int = 1) -> TrainingSequences:
        """Training samples for this number of processes.

        Raises:
            UsageError: If they do not fill a batch.
        """
        try:
            return self.training_samples(self.batches.loader.batch_size * world_size)
        except ValueError as error:
            raise UsageError("CONFIG-008", f"{error}.", where="data.loader.batch_size") from error

    def train_dataloader(self) -> DataLoader:
        """Batches from where the run stands."""
        return self.batches.training(self)

    def val_dataloader(self) -> DataLoader:
        """The validation part once."""
        return self.batches.evaluation(self, "validation")

    def test_dataloader(self) -> DataLoader:
        """The test part once; UsageError if there is none."""
        return self.batches.evaluation(self, "test")

    def records(self, part: str) -> Iterator[Record]:
        """The sequences of a part."""
        return (Record(sequence.id, sequence.codes) for sequence in self.parts[part])

    def card_lines(self) -> list[str]:
        """Lines of the model card: files, sizes of the parts, and how they were divided."""
        sizes = ", ".join(f"{len(members):,} {part}" for part, members in self.parts.items())
        names = ", ".join(Path(path).name for path in next(paths for paths in self.inputs if paths))
        how = {**asdict(self.split), "file": Path(self.split.file).name if self.split.file else None}
        described = ", ".join(f"{name} {value}" for name, value in how.items() if value)
        return [f"- {names}: {sizes} sequences", "", f"Split: {described}."]


def as_list(value: str | list[str] | None) -> list[str]:
    """One file, several or none as a list."""
    return [value] if isinstance(value, str) else list(value or [])


def require_files(paths: Iterable[str]) -> None:
    """MissingFileError for the first that is not there."""
    for path in paths:
        if not Path(path).is_file():
            raise MissingFileError("DATA-003", "there is no such file.", where=path, fix="Check the path.")

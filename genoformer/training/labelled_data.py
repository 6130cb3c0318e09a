"""What all data modules of labelled sequences share: files that are there, and parts."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from genoformer.batches.tables import TrainingSequences
from genoformer.errors import MissingFileError, UsageError
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.records import Record
from genoformer.training.batched_data import BatchedData


class LabelledData(BatchedData):
    """Labelled sequences in ``parts``, each once in validation and test; how they are read is said elsewhere.

    Args:
        tokenizer: The model's tokenizer.
        collate: Makes a batch of samples.
        batch_size: Sequences of one step of one process.
        samples_per_epoch: Sequences between two validations; all of them once if None.
        num_workers: Processes that load.
        seed: Decides order and augmentation.

    Raises:
        UsageError: If a number is too low.
    """

    def __init__(
        self, tokenizer: KmerTokenizer, collate: Callable, *, batch_size: int, samples_per_epoch: int | None,
        num_workers: int, seed: int,
    ) -> None:  # fmt: skip
        super().__init__(
            collate, batch_size=batch_size, samples_per_epoch=samples_per_epoch, num_workers=num_workers, seed=seed
        )
        self.tokenizer = tokenizer
        self.parts: dict[str, list[LabelledSequence]] = {}

    @abstractmethod
    def training_samples(self, batch_size: int) -> TrainingSequences:
        """Samples of the training part for batches over all processes; ValueError if they do not fill one."""

    def prepare_data(self) -> None:
        """Nothing: files are read where they are."""

    def training_set(self, world_size: int = 1) -> TrainingSequences:
        """Training samples.

        Raises:
            UsageError: If they do not fill a batch.
        """
        try:
            return self.training_samples(self.batch_size * world_size)
        except ValueError as error:
            raise UsageError("CONFIG-008", f"{error}.", where="data.batch_size") from error

    def part(self, name: str) -> list[LabelledSequence]:
        """The sequences of a part."""
        return self.parts[name]

    def records_of(self, part: str) -> Iterator[Record]:
        """The sequences of a part."""
        return (Record(sequence.id, sequence.codes) for sequence in self.parts[part])

    def describe_parts(self, paths: Iterable[str], split: str) -> list[str]:
        """Lines of the model card: files, sizes of the parts, and how they were divided."""
        sizes = ", ".join(f"{len(members):,} {part}" for part, members in self.parts.items())
        names = ", ".join(Path(path).name for path in paths)
        return [f"- {names}: {sizes} sequences", "", f"Split: {split}."]


def as_list(value: str | list[str] | None) -> list[str]:
    """One file, several or none as a list."""
    return [value] if isinstance(value, str) else list(value or [])


def require_files(paths: Iterable[str]) -> None:
    """MissingFileError for the first that is not there."""
    for path in paths:
        if not Path(path).is_file():
            raise MissingFileError("DATA-003", "there is no such file.", where=path, fix="Check the path.")

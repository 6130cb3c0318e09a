"""What all data modules of labelled sequences share: files that are there, and parts to loaders."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path

import pytorch_lightning as pl
from torch.utils.data import DataLoader, Dataset

from genoformer.batches.sampler import RunSampler
from genoformer.batches.table_dataset import TrainingSequences
from genoformer.errors import MissingFileError, UsageError
from genoformer.label_table import LabelledSequence
from genoformer.sequence.kmers import KmerTokenizer
from genoformer.training.loaders import build_loader
from genoformer.training.processes import own_share


class LabelledData(pl.LightningDataModule, ABC):
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
        super().__init__()
        if batch_size < 1 or min(seed, num_workers) < 0:
            raise UsageError("CONFIG-009", "batch_size, num_workers or seed is too low.", where="data")
        self.tokenizer, self.collate = tokenizer, collate
        self.batch_size, self.samples_per_epoch, self.num_workers = batch_size, samples_per_epoch, num_workers
        self.seed = seed
        self.parts: dict[str, list[LabelledSequence]] = {}
        self.sampler: RunSampler | None = None
        self.position = {"epoch": 0, "batch": 0}

    @abstractmethod
    def training_samples(self, batch_size: int) -> TrainingSequences:
        """Samples of the training part for batches over all processes; ValueError if they do not fill one."""

    @abstractmethod
    def evaluation_samples(self, part: str) -> Dataset:
        """Every sequence of a part once."""

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

    def train_dataloader(self) -> DataLoader:
        """Batches from where the run stands."""
        world_size, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        dataset = self.training_set(world_size)
        n_samples = self.samples_per_epoch or dataset.epoch_length
        self.sampler = RunSampler(n_samples, self.batch_size, rank=rank, world_size=world_size)
        self.sampler.load_state_dict(self.position)
        return self._loader(dataset, batch_sampler=self.sampler)

    def val_dataloader(self) -> DataLoader:
        """Every validation sequence once."""
        return self._evaluation("validation")

    def test_dataloader(self) -> DataLoader:
        """Every test sequence once.

        Raises:
            UsageError: If there is no test part.
        """
        if not self.parts["test"]:
            raise UsageError("CONFIG-010", "there is no test part.", where="data.test", fix="Give --data.test.")
        return self._evaluation("test")

    def _evaluation(self, part: str) -> DataLoader:
        dataset = self.evaluation_samples(part)
        return self._loader(dataset, batch_size=self.batch_size, sampler=own_share(self.trainer, len(dataset)))

    def _loader(self, dataset: Dataset, **batches) -> DataLoader:
        return build_loader(dataset, collate=self.collate, num_workers=self.num_workers, seed=self.seed, **batches)

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

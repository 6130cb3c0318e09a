"""What all data modules share: samples to loaders, from where a run stands."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset

from genoformer.batches.sampler import RunSampler
from genoformer.errors import UsageError
from genoformer.nn.config import EncoderConfig
from genoformer.sequence.records import Record
from genoformer.stream import TilePlan
from genoformer.training.processes import own_share
from genoformer.training.signals import start_worker


class BatchedData(pl.LightningDataModule, ABC):
    """Training samples in an order of their own, and each of validation and test once, over all processes.

    Args:
        collate: Makes a batch of samples.
        batch_size: Samples of one step of one process.
        samples_per_epoch: Samples between two validations; the training set's ``epoch_length`` if None.
        num_workers: Processes that load.
        seed: Decides order and augmentation.

    Raises:
        UsageError: If a number is too low.
    """

    def __init__(
        self, collate: Callable, *, batch_size: int, samples_per_epoch: int | None, num_workers: int, seed: int
    ) -> None:
        super().__init__()
        if batch_size < 1 or min(seed, num_workers) < 0:
            raise UsageError("CONFIG-009", "batch_size, num_workers or seed is too low.", where="data")
        self.collate, self.batch_size, self.samples_per_epoch = collate, batch_size, samples_per_epoch
        self.num_workers, self.seed = num_workers, seed
        self.sampler: RunSampler | None = None
        self.position = {"epoch": 0, "batch": 0}

    def check_model(self, encoder: EncoderConfig, plan: TilePlan) -> None:
        """Refuse a model that cannot be fed with this data.

        Raises:
            UsageError: If it wants the bases that tokens own.
        """
        if encoder.base_embedding:
            raise UsageError("CONFIG-016", "this task cannot feed it.", where="model.encoder.base_embedding")

    @abstractmethod
    def part(self, name: str) -> Sequence:
        """What "train", "validation" or "test" consists of."""

    @abstractmethod
    def records_of(self, part: str) -> Iterator[Record]:
        """The sequences of a part, to be looked through for what parts share."""

    @abstractmethod
    def training_set(self, world_size: int = 1) -> Dataset:
        """Training samples for this number of processes."""

    @abstractmethod
    def evaluation_samples(self, part: str) -> Dataset:
        """Every sample of a part once."""

    def train_dataloader(self) -> DataLoader:
        """Batches from where the run stands."""
        world_size, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer else (1, 0)
        dataset = self.training_set(world_size)
        n_samples = self.samples_per_epoch or dataset.epoch_length
        self.sampler = RunSampler(n_samples, self.batch_size, rank=rank, world_size=world_size)
        self.sampler.load_state_dict(self.position)
        return self._loader(dataset, batch_sampler=self.sampler)

    def val_dataloader(self) -> DataLoader:
        """The validation part once."""
        return self._evaluation("validation")

    def test_dataloader(self) -> DataLoader:
        """The test part once.

        Raises:
            UsageError: If there is none.
        """
        if not self.part("test"):
            raise UsageError("CONFIG-010", "there is no test part.", where="data.test", fix="Give --data.test.")
        return self._evaluation("test")

    def _evaluation(self, part: str) -> DataLoader:
        dataset = self.evaluation_samples(part)
        return self._loader(dataset, batch_size=self.batch_size, sampler=own_share(self.trainer, len(dataset)))

    def _loader(self, dataset: Dataset, **batches) -> DataLoader:
        # A generator of its own: making an iterator draws from it, and must not disturb the run's random state.
        return DataLoader(
            dataset, collate_fn=self.collate, num_workers=self.num_workers, worker_init_fn=start_worker,
            persistent_workers=self.num_workers > 0, pin_memory=torch.cuda.is_available(),
            generator=torch.Generator().manual_seed(self.seed), **batches,
        )  # fmt: skip

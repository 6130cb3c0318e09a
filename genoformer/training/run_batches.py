"""From samples to loaders: training samples from where a run stands, those of validation and test once."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset

from genoformer.batches.sampler import RunSampler
from genoformer.errors import UsageError
from genoformer.training.processes import own_share
from genoformer.training.settings import Loader
from genoformer.training.signals import start_worker


class Samples(Protocol):
    """What a data module has, for its loaders to be made."""

    trainer: Any
    collate: Callable
    seed: int

    @property
    def parts(self) -> Mapping[str, Sequence]:
        """What the parts consist of."""

    def training_set(self, world_size: int = 1) -> Any:
        """Training samples for this number of processes; of a set that has a length, with it as ``epoch_length``."""

    def evaluation_samples(self, part: str) -> Any:
        """Every sample of a part once; it has a length."""


class RunBatches:
    """Loaders of one run, over all of its processes.

    Args:
        loader: Sizes.

    Attributes:
        sampler: Of the training samples; None before there is a loader.
        position: Epoch and batch at which training begins.
    """

    def __init__(self, loader: Loader) -> None:
        self.loader = loader
        self.sampler: RunSampler | None = None
        self.position = {"epoch": 0, "batch": 0}

    def training(self, data: Samples) -> DataLoader:
        """Batches of training samples in an order of their own, from where the run stands."""
        world_size, rank = (data.trainer.world_size, data.trainer.global_rank) if data.trainer else (1, 0)
        dataset = data.training_set(world_size)
        n_samples = self.loader.samples_per_epoch or dataset.epoch_length
        self.sampler = RunSampler(n_samples, self.loader.batch_size, rank=rank, world_size=world_size)
        self.sampler.load_state_dict(self.position)
        return self._loader(data, dataset, batch_sampler=self.sampler)

    def begin_epoch(self, epoch: int) -> None:
        """Let training samples begin at their first batch of an epoch.

        Raises:
            ValueError: If there is no loader of training samples.
        """
        if self.sampler is None:
            raise ValueError(f"epoch {epoch} cannot begin: there is no loader of training samples yet.")
        self.sampler.load_state_dict({"epoch": epoch, "batch": 0})

    def evaluation(self, data: Samples, part: str) -> DataLoader:
        """Each sample of "validation" or "test" once.

        Raises:
            UsageError: If there is none.
        """
        if not data.parts[part]:
            where = f"data.split.{part}"
            raise UsageError("CONFIG-010", f"there is no {part} part.", where=where, fix=f"Give --{where}.")
        dataset = data.evaluation_samples(part)
        if n_rows := getattr(dataset, "n_rows", 0):
            world_size, rank = (data.trainer.world_size, data.trainer.global_rank) if data.trainer else (1, 0)
            walking = RunSampler(len(dataset), n_rows // world_size, rank=rank, world_size=world_size)
            return self._loader(data, dataset, batch_sampler=walking)
        sampler = own_share(data.trainer, len(dataset))
        return self._loader(data, dataset, batch_size=self.loader.batch_size, sampler=sampler)

    def _loader(self, data: Samples, dataset: Dataset, **batches) -> DataLoader:
        # A generator of its own: making an iterator draws from it, and must not disturb the run's random state.
        n_workers = self.loader.num_workers
        return DataLoader(
            dataset, collate_fn=data.collate, num_workers=n_workers, worker_init_fn=start_worker,
            persistent_workers=n_workers > 0, pin_memory=torch.cuda.is_available(),
            generator=torch.Generator().manual_seed(data.seed), **batches,
        )  # fmt: skip


def check_seed(seed: int) -> int:
    """The seed; UsageError if it is negative."""
    if seed < 0:
        raise UsageError("CONFIG-009", f"a seed is at least 0, found {seed}.", where="seed_everything")
    return seed

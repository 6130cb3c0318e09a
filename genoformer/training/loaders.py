"""The loader of batches that all data modules use."""

from collections.abc import Callable

import torch
from torch.utils.data import DataLoader, Dataset

from genoformer.training.signals import start_worker


def build_loader(dataset: Dataset, *, collate: Callable, num_workers: int, seed: int, **batches) -> DataLoader:
    """A loader that leaves the run's random state alone.

    Args:
        dataset: Samples.
        collate: Makes a batch of some.
        num_workers: Processes that load; 0 loads in this one.
        seed: Of the run.
        batches: Which samples make a batch, as ``DataLoader`` takes it.
    """
    # A generator of its own: making an iterator draws from it, and must not disturb the run's random state.
    return DataLoader(
        dataset, collate_fn=collate, num_workers=num_workers, worker_init_fn=start_worker,
        persistent_workers=num_workers > 0, pin_memory=torch.cuda.is_available(),
        generator=torch.Generator().manual_seed(seed), **batches,
    )  # fmt: skip

"""Structures as samples: random crops for training, whole sequences for evaluation."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from genoformer.batches.tables import TrainingSequences
from genoformer.sequence.kmers import PAD_ID, KmerTokenizer

Item = dict[str, np.ndarray]
MakeItem = Callable[[int, np.random.Generator | None], Item]
"""Number of a sequence, and for training a source of chance, to arrays by name: ``token_ids`` [T], ``labels`` [T] or
[T, T], perhaps ``pair_features`` [F, T, T]."""


class TrainingStructures(TrainingSequences):
    """Sample ``i`` of a run is a pure function of the seed and ``i``; see ``TrainingSequences`` for their order.

    Args:
        codes: Base codes of each sequence.
        make_item: Makes a sample.
        seed: Seed of the run.
        batch_size: Samples that share a step, over all processes.
    """

    def __init__(
        self, codes: Sequence[np.ndarray], make_item: MakeItem, tokenizer: KmerTokenizer, *, seed: int, batch_size: int
    ) -> None:
        super().__init__(codes, np.empty(0), tokenizer, seed=seed, batch_size=batch_size, both_strands=False)
        self.make_item = make_item

    def __getitem__(self, index: int) -> Item:
        return self.make_item(self.place(index), np.random.Generator(np.random.Philox(key=[self.seed, index])))


class EvaluationStructures(Dataset):
    """Every sequence once, in order; ``make_item`` says how much of it.

    Args:
        n: Number of sequences.
        make_item: Makes a sample.
    """

    def __init__(self, n: int, make_item: MakeItem) -> None:
        self.n, self.make_item = n, make_item

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, index: int) -> Item:
        return self.make_item(index, None)


def collate_structures(items: Sequence[Item], *, ignored: int) -> dict[str, torch.Tensor]:
    """Stack samples, padded to the longest.

    Args:
        items: Samples.
        ignored: Label of padding.

    Returns:
        ``token_ids`` int64 [B, T], ``PAD_ID`` behind the end; ``valid_mask`` bool, True = real; ``labels`` int8 and
        ``pair_features`` float32 when the items have them, padded along every axis of tokens.
    """
    token_ids = np.stack([_padded(item["token_ids"], items, PAD_ID, 1) for item in items]).astype(np.int64)
    batch = {"token_ids": torch.from_numpy(token_ids)}
    batch["valid_mask"] = batch["token_ids"] != PAD_ID
    if "labels" in items[0]:
        n_axes = items[0]["labels"].ndim
        labels = np.stack([_padded(item["labels"], items, ignored, n_axes) for item in items])
        batch["labels"] = torch.from_numpy(labels.astype(np.int8))
    if "pair_features" in items[0]:
        features = np.stack([_padded(item["pair_features"], items, 0.0, 2) for item in items])
        batch["pair_features"] = torch.from_numpy(features.astype(np.float32))
    return batch


def _padded(values: np.ndarray, items: Sequence[Item], fill: float, n_axes: int) -> np.ndarray:
    """The array with its last ``n_axes`` axes as long as the longest sample."""
    missing = max(len(item["token_ids"]) for item in items) - values.shape[-1]
    return np.pad(values, [(0, 0)] * (values.ndim - n_axes) + [(0, missing)] * n_axes, constant_values=fill)

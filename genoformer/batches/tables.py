"""Labelled sequences as token ids: training samples with augmentation, evaluation samples with all their views."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np
import torch
from torch.utils.data import Dataset

from genoformer.annotation.rewrite_coding import rewrite_coding
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.kmers import CLS_ID, PAD_ID, KmerTokenizer

Sample = Mapping[str, object]
"""What a data set gives its collate function, by name."""
POOL_BATCHES = 16
"""Batches over which sequences are sorted by length, so that a batch needs little padding."""


class Views(TypedDict):
    """A sequence in every way in which a model reads it.

    Attributes:
        views: Token ids [T] of each.
        label: Number, or [C]; left out where nothing is known.
    """

    views: list[np.ndarray]
    label: NotRequired[torch.Tensor]


class TrainingSequences(Dataset):
    """Sample ``i`` of a run is a pure function of the seed and ``i``; an epoch shows each sequence at most once.

    What does not fill a batch is left out of an epoch, another few each time. With ``weights`` an epoch shows a
    sequence in proportion to its weight, so that it may come more than once, or not at all.

    Args:
        codes: Base codes of each sequence.
        targets: Labels, [n] or [n, C].
        tokenizer: The model's tokenizer.
        seed: Seed of the run.
        batch_size: Samples that share a step, over all processes.
        both_strands: Read the reverse complement with probability one half.
        masked: Share of the bases that are read as unknown.
        rewriting: Settings of ``rewrite_coding``; None leaves the codons as they are.
        weights: How often each sequence is drawn, [n], relative to the others; None for all alike.

    Raises:
        ValueError: If the sequences do not fill a batch.
    """

    def __init__(
        self, codes: Sequence[np.ndarray], targets: np.ndarray, tokenizer: KmerTokenizer, *, seed: int, batch_size: int,
        both_strands: bool, masked: float = 0.0, rewriting: dict | None = None, weights: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        if len(codes) < batch_size:
            raise ValueError(f"{len(codes)} sequences do not fill a batch of {batch_size}")
        self.codes, self.targets, self.tokenizer, self.seed = codes, targets, tokenizer, seed
        self.batch_size, self.both_strands = batch_size, both_strands
        self.masked, self.rewriting = masked, rewriting
        self.weights = weights
        self.epoch_length = len(codes) // batch_size * batch_size
        self.lengths = np.array([len(sequence) for sequence in codes])
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))

    def place(self, index: int) -> int:
        """Number of the sequence that sample ``index`` shows."""
        epoch, place = divmod(index, self.epoch_length)
        if self._order[0] != epoch:
            self._order = epoch, self._epoch_order(epoch)
        return int(self._order[1][place])

    def _epoch_order(self, epoch: int) -> np.ndarray:
        """Sequences in random order, sorted by length within pools of batches; then whole batches in random order."""
        rng = np.random.default_rng([self.seed, epoch])
        order = self._drawn(rng)
        pool = POOL_BATCHES * self.batch_size
        pools = [order[start : start + pool] for start in range(0, len(order), pool)]
        order = np.concatenate([members[np.argsort(self.lengths[members], kind="stable")] for members in pools])
        batches = order.reshape(-1, self.batch_size)
        return batches[rng.permutation(len(batches))].ravel()

    def _drawn(self, rng: np.random.Generator) -> np.ndarray:
        """The sequences of an epoch in random order."""
        if self.weights is None:
            return rng.permutation(len(self.codes))[: self.epoch_length]
        expected = np.cumsum(self.weights) * (self.epoch_length / np.sum(self.weights))
        # Of the two whole numbers next to what is expected of a sequence, one is how often it comes.
        drawn = np.searchsorted(expected, np.arange(self.epoch_length) + rng.random(), side="right")
        return rng.permutation(np.minimum(drawn, len(self.codes) - 1))

    def __getitem__(self, index: int) -> Sample:
        number = self.place(index)
        generator = np.random.Generator(np.random.Philox(key=[self.seed, index]))
        codes = self.codes[number]
        if self.rewriting:
            codes = rewrite_coding(codes, **self.rewriting, generator=generator)
        if self.masked:
            codes = np.where(generator.random(len(codes)) < self.masked, np.uint8(N_CODE), codes)
        if self.both_strands and generator.random() < 0.5:
            codes = reverse_complement(codes)
        return Views(views=[self.tokenizer.encode(codes)], label=torch.as_tensor(self.targets[number]))


class EvaluationSequences(Dataset):
    """Every sequence once, in order, as its strand or as both strands.

    Args:
        codes: Base codes of each sequence.
        targets: Labels, [n] or [n, C].
        tokenizer: The model's tokenizer.
        both_strands: Two views of each sequence.
    """

    def __init__(
        self, codes: Sequence[np.ndarray], targets: np.ndarray, tokenizer: KmerTokenizer, *, both_strands: bool
    ) -> None:
        self.codes, self.targets, self.tokenizer, self.both_strands = codes, targets, tokenizer, both_strands

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, index: int) -> Views:
        views = sequence_views(self.codes[index], self.tokenizer, both_strands=self.both_strands)
        return {"views": views, "label": torch.as_tensor(self.targets[index])}


def sequence_views(codes: np.ndarray, tokenizer: KmerTokenizer, *, both_strands: bool) -> list[np.ndarray]:
    """Token ids of a sequence in every way in which a model reads it."""
    strands = [codes, reverse_complement(codes)] if both_strands else [codes]
    return [tokenizer.encode(strand) for strand in strands]


def collate_views(items: Sequence[Views], *, n_global_tokens: int = 0) -> dict[str, torch.Tensor]:
    """Stack sequences, padded to the longest; views of a sequence stand side by side.

    Args:
        items: ``views``, V arrays of token ids, and perhaps ``label`` of each sequence.
        n_global_tokens: CLS tokens put in front of each view, G.

    Returns:
        ``token_ids`` int64 [B * V, G + T], ``PAD_ID`` behind the end; ``valid_mask`` bool, True = real; with G > 0 also
        ``global_mask``; ``labels`` [B, …] when the items have one.
    """
    views = [view for item in items for view in item["views"]]
    token_ids = np.full((len(views), n_global_tokens + max(map(len, views))), PAD_ID, dtype=np.int64)
    token_ids[:, :n_global_tokens] = CLS_ID
    for row, view in zip(token_ids, views, strict=True):
        row[n_global_tokens : n_global_tokens + len(view)] = view
    batch = {"token_ids": torch.from_numpy(token_ids)}
    batch["valid_mask"] = batch["token_ids"] != PAD_ID
    if n_global_tokens:
        batch["global_mask"] = torch.zeros_like(batch["valid_mask"])
        batch["global_mask"][:, :n_global_tokens] = True
    if "label" in items[0]:
        batch["labels"] = torch.stack([item["label"] for item in items])
    return batch

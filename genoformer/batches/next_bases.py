"""Crops of a store as the tokens before each place, and the bases that stand there."""

import numpy as np
import torch

from genoformer.annotation.tracks import MASKED
from genoformer.batches.crops import STRANDS, CropDataset, Item, TileDataset
from genoformer.batches.masked_crops import read_bases
from genoformer.genomes.hiding import N_KNOWN
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.sequence.alphabet import N_CODE
from genoformer.sequence.kmers import KmerTokenizer


class NextBaseCrops(CropDataset):
    """Random crops, or rows that walk, see ``CropDataset``, of tokens that are read one place late."""

    def __getitem__(self, index: int) -> Item:
        continuation = self.continuation(index)
        goes_on = bool(continuation.get("continues", False))
        return {**next_base_item(self.store, self.tokenizer, *self.place(index), goes_on=goes_on), **continuation}


class NextBaseTiles(TileDataset):
    """Tiles on both strands, see ``TileDataset``, of tokens that are read one place late."""

    def read(self, number: int, *, goes_on: bool) -> Item:
        """The tokens before each place, and the bases."""
        return next_base_item(self.store, self.tokenizer, *self.places[number], goes_on=goes_on)


def next_base_item(
    store: Store, tokenizer: KmerTokenizer, region: Region, start: int, end: int, strand: str, *, goes_on: bool
) -> Item:
    """Tokens and bases of [start, end) as read on one strand.

    Args:
        store: The store.
        tokenizer: Its tokens do not overlap.
        region: The region the crop lies in.
        start: First base, forward coordinates.
        end: One behind the last base.
        strand: "+" or "-".
        goes_on: The token in front of the crop is the first that is read; else an unknown one is.

    Returns:
        ``token_ids`` int64 [T], token ``i`` is the one before the place ``i``; ``labels`` uint8 [L], the bases,
        ``MASKED`` where they are unknown.
    """
    k = tokenizer.k
    codes, _ = read_bases(store, tokenizer, region, start, end, strand)
    before = np.full(k, N_CODE, np.uint8)
    if goes_on:
        low, high = (start - k, start) if strand == STRANDS[0] else (end, end + k)
        before, _ = read_bases(store, tokenizer, region, low, high, strand)
    token_ids = tokenizer.encode(one_token_late(codes, before))
    labels = np.where(codes < N_KNOWN, codes, MASKED).astype(np.uint8)
    return {"token_ids": torch.from_numpy(token_ids.astype(np.int64)), "labels": torch.from_numpy(labels)}


def one_token_late(codes: np.ndarray, before: np.ndarray) -> np.ndarray:
    """The bases that are read where those of ``codes`` [L] are told: the token ``before`` [k], and all but the last.

    The result has L bases, or as many as make whole tokens.
    """
    n_tokens = -(-len(codes) // len(before))
    return np.concatenate((before, codes))[: n_tokens * len(before)]

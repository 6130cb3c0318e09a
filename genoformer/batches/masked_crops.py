"""Crops of a store with hidden bases: random ones for training, a fixed set for evaluation."""

from collections.abc import Sequence

import numpy as np
import torch

from genoformer.batches.crops import STRANDS, CropDataset, Item, TileDataset
from genoformer.genomes.hiding import MASK, draw_actions, hide_runs, place_runs
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.sequence.alphabet import reverse_complement
from genoformer.sequence.kmers import KmerTokenizer

EVALUATION_SEED = 20_771
"""Of the bases that are hidden in evaluation: the same for every run, so that scores of two models compare."""


class MaskedCrops(CropDataset):
    """Random crops, see ``CropDataset``, with runs of hidden bases.

    Args:
        share: Share of the bases in runs.
        run_bp: Lengths of the runs.
        others: Of ``CropDataset``.
    """

    def __init__(self, *args, share: float, run_bp: Sequence[int], **others) -> None:
        super().__init__(*args, **others)
        self.share, self.run_bp = share, list(run_bp)

    def __getitem__(self, index: int) -> Item:
        region, start, end, strand = self.place(index)
        codes, lookahead = read_bases(self.store, self.tokenizer, region, start, end, strand)
        generator = np.random.default_rng([self.seed, index])
        runs = place_runs(codes, self.tokenizer, share=self.share, run_bp=self.run_bp, generator=generator)
        actions = draw_actions(len(runs), generator)
        item = _item(*hide_runs(codes, lookahead, runs, actions, self.tokenizer, generator))
        return {**item, **self.continuation(index)}


class MaskedTiles(TileDataset):
    """Tiles on both strands, see ``TileDataset``, with a fixed set of masked runs of one length.

    Args:
        share: Share of the bases in runs.
        run_bp: Length of the runs.
        others: Of ``TileDataset``.
    """

    def __init__(self, *args, share: float, run_bp: int, **others) -> None:
        super().__init__(*args, **others)
        self.share, self.run_bp = share, run_bp

    def read(self, number: int, *, goes_on: bool) -> Item:
        """Tokens with hidden bases, and these."""
        codes, runs = self.hidden_runs(number)
        _, lookahead = read_bases(self.store, self.tokenizer, *self.places[number])
        actions, unused = np.full(len(runs), MASK), np.random.default_rng(0)
        return _item(*hide_runs(codes, lookahead, runs, actions, self.tokenizer, unused))

    def hidden_runs(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Base codes of tile ``index`` as read, and the runs that are hidden in it, see ``place_runs``."""
        codes, _ = read_bases(self.store, self.tokenizer, *self.places[index])
        generator = np.random.default_rng([EVALUATION_SEED, index])
        runs = place_runs(codes, self.tokenizer, share=self.share, run_bp=[self.run_bp], generator=generator)
        return codes, runs


def read_bases(
    store: Store, tokenizer: KmerTokenizer, region: Region, start: int, end: int, strand: str
) -> tuple[np.ndarray, np.ndarray]:
    """Bases [start, end) as read on one strand, and up to k - 1 that follow them in the region."""
    ahead_bp = tokenizer.k - 1
    low = start if strand == STRANDS[0] else max(region.start, start - ahead_bp)
    high = end if strand == STRANDS[1] else min(region.end, end + ahead_bp)
    codes = store.bases(region.record, low, high)
    codes = reverse_complement(codes) if strand == STRANDS[1] else codes
    return codes[: end - start], codes[end - start :]


def _item(token_ids: np.ndarray, labels: np.ndarray) -> Item:
    return {"token_ids": torch.from_numpy(token_ids.astype(np.int64)), "labels": torch.from_numpy(labels)}

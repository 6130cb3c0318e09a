"""Crops of a store as token ids and labels: random ones for training, tiles for validation."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from genoformer.annotation.recode import draw_recoding, recode
from genoformer.annotation.tracks import MASKED
from genoformer.batches.walks import Place, Walks, region_by_share, walk_tiles, walking_crop_bp
from genoformer.genomes.splits import Region
from genoformer.genomes.store import Store
from genoformer.sequence.alphabet import N_CODE, reverse_complement
from genoformer.sequence.kmers import PAD_ID, KmerTokenizer

Item = dict[str, torch.Tensor]
STRANDS = ("+", "-")
RECODING_COUNTER = 1 << 64
"""Where the random numbers of recoding begin in the stream of a sample: far behind those of its place."""


def read_crop(
    store: Store, tokenizer: KmerTokenizer, region: Region, start: int, end: int, strand: str,
    recoded_by: np.random.Generator | None = None,
) -> Item:  # fmt: skip
    """Token ids and labels of bases ``[start, end)`` as read on one strand, 5′ to 3′.

    The k-mers at the crop's 3′ end look ahead into the region, never beyond it: where the region ends they are UNK.

    Args:
        store: The store.
        tokenizer: The model's tokenizer.
        region: The region the crop lies in.
        start: First base, forward coordinates.
        end: One behind the last base.
        strand: "+" or "-".
        recoded_by: Rewrite the bases toward a composition drawn from this generator, see ``annotation.recode``.

    Returns:
        ``token_ids`` int64 [T], T = ceil(L / stride), ``base_codes`` uint8 [T, stride], the bases that each token owns,
        and ``labels`` uint8 [L], L = end - start.
    """
    ahead_bp = tokenizer.k - 1
    low = start if strand == "+" else max(region.start, start - ahead_bp)
    high = end if strand == "-" else min(region.end, end + ahead_bp)
    codes = store.bases(region.record, low, high)
    tracks = store.tracks(region.record, low, high)
    labels = tracks[STRANDS.index(strand), start - low : end - low]
    if recoded_by is not None:
        recoding = draw_recoding(store.records[region.record].genetic_code, recoded_by)
        codes = recode(codes, tracks, recoding, recoded_by)
    if strand == "-":
        codes, labels = reverse_complement(codes), labels[::-1]
    n_bases = end - start
    token_ids = tokenizer.encode(codes[:n_bases], lookahead=codes[n_bases:])
    return {
        "token_ids": torch.from_numpy(token_ids.astype(np.int64)),
        "base_codes": torch.from_numpy(tokenizer.owned_bases(codes[:n_bases])),
        "labels": torch.from_numpy(np.array(labels, dtype=np.uint8)),
    }


class CropDataset(Dataset):
    """Random crops: sample ``i`` of a run is a pure function of the seed and ``i``.

    So what a batch holds depends neither on workers nor on when training was interrupted. A region is chosen by its
    share, without shares in proportion to its length, then any offset; a region shorter than a crop is taken whole.

    Args:
        store: The store.
        regions: Training regions; crops lie inside one of them.
        tokenizer: The model's tokenizer.
        crop_bp: Longest crop.
        seed: Seed of the run.
        both_strands: Read the reverse complement with probability one half.
        recoded: Share of the crops whose bases are rewritten toward another composition; the labels stay.
        shares: Share of the crops that each region gets, at least 0, not all 0; None for their lengths.
        n_rows: Rows of the batches of all processes together, each of which walks along a record, see
            ``batches.walks``; items then say whether they continue the one before. 0 draws every crop by itself.
    """

    def __init__(
        self, store: Store, regions: Sequence[Region], tokenizer: KmerTokenizer, *, crop_bp: int, seed: int,
        both_strands: bool, recoded: float = 0.0, shares: Sequence[float] | None = None, n_rows: int = 0,
    ) -> None:  # fmt: skip
        if not regions or crop_bp < 1:
            raise ValueError(f"expected at least one region and one base, found {len(regions)} and {crop_bp}")
        self.store, self.regions, self.tokenizer = store, list(regions), tokenizer
        self.crop_bp, self.seed, self.both_strands, self.recoded = crop_bp, seed, both_strands, recoded
        ends = np.cumsum([region.end - region.start for region in self.regions] if shares is None else shares)
        # Divided by the last one, so that this is exactly 1 and no draw lies beyond it.
        self.ends = ends if shares is None else ends / ends[-1]
        self.draw_region = region_by_share(self.regions, self.ends)
        self.walks: Walks | None = None
        if n_rows:
            walking_bp = walking_crop_bp(crop_bp, tokenizer.stride)
            self.walks = Walks(n_rows, walking_bp, seed, self.draw_region, both_strands)

    def place(self, index: int) -> tuple[Region, int, int, str]:
        """Region, start, end and strand of sample ``index``, forward coordinates."""
        if self.walks is not None:
            return self.walks.place(index)[0]
        generator = np.random.Generator(np.random.Philox(key=[self.seed, index]))
        region = self.draw_region(generator)
        length = min(self.crop_bp, region.end - region.start)
        start = region.start + int(generator.integers(region.end - region.start - length + 1))
        strand = "-" if self.both_strands and generator.random() < 0.5 else "+"
        return region, start, start + length, strand

    def __getitem__(self, index: int) -> Item:
        region, start, end, strand = self.place(index)
        item = read_crop(self.store, self.tokenizer, region, start, end, strand, self._recoded_by(index))
        return {**item, **self.continuation(index)}

    def continuation(self, index: int) -> Item:
        """``continues``, whether a crop continues the one before it in its row, where rows walk; else nothing."""
        return {} if self.walks is None else {"continues": torch.tensor(self.walks.place(index)[1])}

    def _recoded_by(self, index: int) -> np.random.Generator | None:
        """Source of randomness for a sample that is rewritten; None for one that is read as it is."""
        if not self.recoded:
            return None
        generator = np.random.Generator(np.random.Philox(key=[self.seed, index], counter=RECODING_COUNTER))
        return generator if generator.random() < self.recoded else None


class TileDataset(Dataset):
    """Neighbouring tiles that cover the held-out regions once on each strand, in a fixed order.

    A subclass says how a tile is read (``read``).

    Args:
        store: The store.
        regions: Held-out regions.
        tokenizer: The model's tokenizer.
        crop_bp: Length of a tile; the last one of a region is shorter.
        both_strands: Read each tile on "+" and on "-".
        n_rows: Rows of the batches of all processes together, each of which walks along a strand, see
            ``batches.walks.walk_tiles``; items then say whether they continue the one before, and a row that has
            nothing left reads padding. 0 reads every tile by itself.
    """

    def __init__(
        self, store: Store, regions: Sequence[Region], tokenizer: KmerTokenizer, *, crop_bp: int, both_strands: bool,
        n_rows: int = 0,
    ) -> None:  # fmt: skip
        self.store, self.tokenizer, self.n_rows = store, tokenizer, n_rows
        strands = STRANDS[: 1 + both_strands]
        self.walk: list[tuple[Place | None, bool]] = []
        if n_rows:
            tile_bp = walking_crop_bp(crop_bp, tokenizer.stride)
            self.walk = walk_tiles(regions, tile_bp=tile_bp, strands=strands, n_rows=n_rows)
            self.numbers = np.cumsum([place is not None for place, _ in self.walk]) - 1
            self.places = [place for place, _ in self.walk if place is not None]
            return
        self.places = [
            (region, start, min(start + crop_bp, region.end), strand)
            for region in regions
            for start in range(region.start, region.end, crop_bp)
            for strand in strands
        ]

    def __len__(self) -> int:
        return len(self.walk) or len(self.places)

    def __getitem__(self, index: int) -> Item:
        if not self.n_rows:
            return self.read(index, goes_on=False)
        place, goes_on = self.walk[index]
        item = self._nothing() if place is None else self.read(self.numbers[index], goes_on=goes_on)
        return {**item, "continues": torch.tensor(goes_on)}

    def read(self, number: int, *, goes_on: bool) -> Item:
        """Tokens and labels of a tile.

        Args:
            number: Index in ``places``.
            goes_on: The model has read what lies before it.
        """
        region, start, end, strand = self.places[number]
        return read_crop(self.store, self.tokenizer, region, start, end, strand)

    def _nothing(self) -> Item:
        """One token of padding."""
        stride = self.tokenizer.stride
        return {
            "token_ids": torch.full((1,), PAD_ID, dtype=torch.int64),
            "base_codes": torch.full((1, stride), N_CODE, dtype=torch.uint8),
            "labels": torch.full((stride,), MASKED, dtype=torch.uint8),
        }

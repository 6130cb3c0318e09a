"""Crops and tiles that continue each other: each row of batches walks along a record, for models with a memory."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from genoformer.genomes.splits import Region

WALK_CROPS = 32
"""Crops of a row between two draws of a place, at most: memory has long been filled, and batches stay mixed."""

Place = tuple[Region, int, int, str]
"""Region, start, end and strand, forward coordinates."""


@dataclass(frozen=True)
class Walks:
    """Where every sample of a run lies: a pure function of the seed and its number.

    Sample ``i`` is row ``i % n_rows`` of step ``i // n_rows``. A row begins at any place of a region and goes on
    5′ to 3′ on one strand, a whole crop with each step, until the region or ``WALK_CROPS`` ends; then it jumps.

    Args:
        n_rows: Rows of the batches of all processes together.
        crop_bp: Bases of a crop; in regions that are shorter all of the region.
        seed: Of the run.
        draw_region: Draws a region.
        both_strands: Walk on the reverse complement with probability one half.
    """

    n_rows: int
    crop_bp: int
    seed: int
    draw_region: Callable[[np.random.Generator], Region]
    both_strands: bool

    def place(self, index: int) -> tuple[Place, bool]:
        """Where a sample lies, and whether it continues the one before it in its row."""
        step, row = divmod(index, self.n_rows)
        walk, at = divmod(step, WALK_CROPS)
        generator = np.random.Generator(np.random.Philox(key=[self.seed, walk * self.n_rows + row]))
        while True:
            region = self.draw_region(generator)
            length = min(self.crop_bp, region.end - region.start)
            begin = int(generator.integers(region.end - region.start - length + 1))
            is_minus = self.both_strands and generator.random() < 0.5
            n_crops = (region.end - region.start - begin) // length
            if at < n_crops:
                break
            at -= n_crops
        first = begin + at * length
        start = region.end - first - length if is_minus else region.start + first
        return (region, start, start + length, "-" if is_minus else "+"), at > 0


def walk_tiles(
    regions: Sequence[Region], *, tile_bp: int, strands: Sequence[str], n_rows: int
) -> list[tuple[Place | None, bool]]:
    """Tiles that cover regions once on each strand, in the order in which rows read them.

    Element ``i`` is for row ``i % n_rows`` of step ``i // n_rows``. A row reads a strand of a region from its 5′ end to
    its other one, a tile with each step, then the first strand that nobody has begun; the last tile may be shorter.

    Args:
        regions: What is covered.
        tile_bp: Bases of a tile.
        strands: "+", or "+" and "-".
        n_rows: Rows of the batches of all processes together.

    Returns:
        The place, None where a row has nothing left, and whether it continues the one before it in its row.
    """
    waiting = deque((region, strand) for region in regions for strand in strands)
    rows: list[deque[tuple[Place, bool]]] = [deque() for _ in range(n_rows)]
    found: list[tuple[Place | None, bool]] = []
    while waiting or any(rows):
        for row in rows:
            if not row and waiting:
                row.extend(_strand_tiles(*waiting.popleft(), tile_bp))
            found.append(row.popleft() if row else (None, False))
    return found


def _strand_tiles(region: Region, strand: str, tile_bp: int) -> Iterator[tuple[Place, bool]]:
    """Tiles of one strand of a region, from its 5′ end."""
    length = region.end - region.start
    for begin in range(0, length, tile_bp):
        end = min(begin + tile_bp, length)
        start, stop = (begin, end) if strand == "+" else (length - end, length - begin)
        yield (region, region.start + start, region.start + stop, strand), begin > 0


def walking_crop_bp(crop_bp: int, stride: int) -> int:
    """Whole tokens of a crop, so that the next one goes on where the last token ends."""
    return max(stride, crop_bp // stride * stride)


def region_by_share(regions: Sequence[Region], ends: np.ndarray) -> Callable[[np.random.Generator], Region]:
    """Draws a region by its share.

    Args:
        regions: The regions.
        ends: Cumulative shares: int64, or float64 up to 1.
    """

    def draw(generator: np.random.Generator) -> Region:
        drawn = generator.random() if ends.dtype == np.float64 else generator.integers(ends[-1])
        return regions[int(np.searchsorted(ends, drawn, side="right"))]

    return draw

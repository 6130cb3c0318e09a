"""Cut a record into tiles with context on both sides, and stitch per-base results back together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Tile:
    """A slice of a record that the model reads at once; 0-based, half-open.

    Attributes:
        start: First base whose result is kept.
        end: End of the kept bases.
        read_start: First base that is read; at or before ``start``.
        read_end: End of the bases that are read; at or after ``end``.
    """

    start: int
    end: int
    read_start: int
    read_end: int


def iter_tiles(length: int, *, tile_bp: int, context_bp: int, stride: int) -> Iterator[Tile]:
    """Tiles whose kept parts cover ``[0, length)`` once, in order.

    Every ``start`` and ``read_start`` is a multiple of ``stride``, so that each tile cuts the record into the same
    tokens as the whole record does; context is widened to the next multiple. Only at the ends of the record is context
    cut short.

    Args:
        length: Bases of the record; 0 gives no tile.
        tile_bp: Kept bases per tile, a multiple of ``stride``; the last tile keeps what remains.
        context_bp: Bases read on each side and thrown away.
        stride: Bases that each token owns.

    Yields:
        Tiles from the first base to the last.

    Raises:
        ValueError: If a size is out of range, or ``tile_bp`` is not a multiple of ``stride``.
    """
    if stride < 1 or length < 0 or context_bp < 0:
        raise ValueError(f"expected length >= 0, context >= 0, stride >= 1; found {length}, {context_bp}, {stride}")
    if tile_bp < 1 or tile_bp % stride:
        raise ValueError(f"expected tile_bp as a positive multiple of stride = {stride}, found {tile_bp}")
    context = -(-context_bp // stride) * stride
    return (
        Tile(start, min(start + tile_bp, length), max(start - context, 0), min(start + tile_bp + context, length))
        for start in range(0, length, tile_bp)
    )


def stitch(tiles: Sequence[Tile], arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Join the kept parts of per-base results; the inverse of cutting an array at ``read_start`` and ``read_end``.

    Args:
        tiles: Neighbouring tiles in order, at least one.
        arrays: For each tile an array with one row per base it read, shape [read_end - read_start, ...].

    Returns:
        One array over ``[tiles[0].start, tiles[-1].end)``.

    Raises:
        ValueError: If there is no tile, an array does not fit its tile, or the tiles leave a gap or overlap.
    """
    if len(tiles) != len(arrays) or not tiles:
        raise ValueError(f"expected one array per tile and at least one, found {len(tiles)} and {len(arrays)}")
    for i, (tile, array) in enumerate(zip(tiles, arrays, strict=True)):
        if len(array) != tile.read_end - tile.read_start:
            raise ValueError(f"expected {tile.read_end - tile.read_start} rows for tile {i}, found {len(array)}")
        if i and tile.start != tiles[i - 1].end:
            raise ValueError(f"expected tile {i} to start at {tiles[i - 1].end}, found {tile.start}")
    return np.concatenate([kept_rows(tile, array) for tile, array in zip(tiles, arrays, strict=True)])


def kept_rows(tile: Tile, array: np.ndarray) -> np.ndarray:
    """The rows of one tile's result without its context, as a view: [end - start, ...]."""
    return array[tile.start - tile.read_start : tile.end - tile.read_start]

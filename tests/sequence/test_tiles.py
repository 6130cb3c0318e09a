import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genoformer.sequence.kmers import KmerTokenizer
from genoformer.sequence.tiles import Tile, iter_tiles, stitch

plans = st.tuples(st.integers(0, 200), st.integers(1, 8), st.integers(0, 40), st.integers(1, 6))


def test_tiles_by_hand():
    assert list(iter_tiles(10, tile_bp=4, context_bp=3, stride=2)) == [
        Tile(start=0, end=4, read_start=0, read_end=8),
        Tile(start=4, end=8, read_start=0, read_end=10),
        Tile(start=8, end=10, read_start=4, read_end=10),
    ]


@given(plans)
def test_kept_parts_cover_every_base_once_with_context_around(plan):
    length, tiles_per, context_bp, stride = plan
    tiles = list(iter_tiles(length, tile_bp=tiles_per * stride, context_bp=context_bp, stride=stride))
    assert [base for tile in tiles for base in range(tile.start, tile.end)] == list(range(length))
    for tile in tiles:
        assert tile.start % stride == tile.read_start % stride == 0
        assert tile.read_start <= max(0, tile.start - context_bp)
        assert min(length, tile.end + context_bp) <= tile.read_end <= length


@given(plans)
def test_tile_then_stitch_is_identity(plan):
    length, tiles_per, context_bp, stride = plan
    values = np.arange(2 * length).reshape(length, 2)
    tiles = list(iter_tiles(length, tile_bp=tiles_per * stride, context_bp=context_bp, stride=stride))
    if tiles:
        np.testing.assert_array_equal(stitch(tiles, [values[t.read_start : t.read_end] for t in tiles]), values)


@given(plans, st.integers(0, 2))
def test_tiles_are_cut_into_the_tokens_of_the_whole_record(plan, more):
    length, tiles_per, context_bp, stride = plan
    tokenizer = KmerTokenizer(min(8, stride + more), stride)
    codes = np.random.default_rng(length).integers(0, 5, length).astype(np.uint8)
    whole = tokenizer.encode(codes)
    for tile in iter_tiles(length, tile_bp=tiles_per * stride, context_bp=context_bp, stride=stride):
        ahead = codes[tile.read_end : tile.read_end + tokenizer.k]
        part = tokenizer.encode(codes[tile.read_start : tile.read_end], lookahead=ahead)
        first = tile.read_start // stride
        assert part.tolist() == whole[first : first + len(part)].tolist()


def test_empty_record_has_no_tile():
    assert list(iter_tiles(0, tile_bp=4, context_bp=3, stride=2)) == []


@pytest.mark.parametrize(
    ("length", "tile_bp", "context_bp", "stride"),
    [(-1, 4, 0, 1), (9, 0, 0, 1), (9, 4, -1, 1), (9, 4, 0, 0), (9, 5, 0, 2)],
)
def test_sizes_out_of_range_are_refused_at_the_call(length, tile_bp, context_bp, stride):
    with pytest.raises(ValueError, match="expected"):
        iter_tiles(length, tile_bp=tile_bp, context_bp=context_bp, stride=stride)


def test_stitching_refuses_gaps_overlaps_and_arrays_of_another_length():
    tiles = list(iter_tiles(12, tile_bp=4, context_bp=0, stride=1))
    arrays = [np.zeros(4)] * 3
    with pytest.raises(ValueError, match="expected tile 1 to start at 4, found 8"):
        stitch([tiles[0], tiles[2]], arrays[:2])
    with pytest.raises(ValueError, match="expected tile 1 to start at 4, found 0"):
        stitch([tiles[0], tiles[0]], arrays[:2])
    with pytest.raises(ValueError, match="expected 4 rows for tile 2, found 3"):
        stitch(tiles, [np.zeros(4), np.zeros(4), np.zeros(3)])
    with pytest.raises(ValueError, match="at least one"):
        stitch([], [])

"""Crops that continue each other: rows walk along records, from any step, and jump where a region ends."""

import numpy as np
import pytest

from genoformer.batches.collate import collate_crops
from genoformer.batches.crops import CropDataset, TileDataset
from genoformer.batches.masked_crops import MaskedCrops
from genoformer.batches.walks import WALK_CROPS, walk_tiles
from genoformer.genomes.splits import Region
from genoformer.sequence.kmers import KmerTokenizer

TOKENIZER = KmerTokenizer(k=3, stride=3)
REGIONS = [Region(0, 100, 2_000), Region(1, 0, 40), Region(2, 7, 107)]


def make_dataset(regions=REGIONS, n_rows=3, crop_bp=50, **settings):
    return CropDataset(
        None, regions, TOKENIZER, crop_bp=crop_bp, seed=5, both_strands=True, n_rows=n_rows, **settings
    )  # fmt: skip


def test_a_row_goes_on_where_its_last_crop_ended_or_jumps():
    dataset, n_rows = make_dataset(), 3
    walked = {"+": 0, "-": 0}
    for row in range(n_rows):
        before = None
        for step in range(4 * WALK_CROPS):
            index = step * n_rows + row
            (region, start, end, strand), continues = dataset.walks.place(index)
            assert dataset.place(index) == (region, start, end, strand)
            assert region.start <= start < end <= region.end and end - start == min(48, region.end - region.start)
            if continues:
                assert before[0] == region and before[3] == strand
                assert (start == before[2]) if strand == "+" else (end == before[1])
                walked[strand] += 1
            before = region, start, end, strand
    assert min(walked.values()) > 20


def test_the_first_step_and_every_draw_begin_anew():
    dataset = make_dataset([REGIONS[0]], n_rows=2, crop_bp=3)
    continues = np.array([[dataset.walks.place(2 * step + row)[1] for step in range(3 * WALK_CROPS)] for row in (0, 1)])
    assert not continues[:, ::WALK_CROPS].any()
    assert continues.mean() > 0.9


def test_a_sample_is_a_function_of_the_seed_and_its_number():
    one, other = make_dataset(), make_dataset()
    expected = [one.place(i) for i in range(200)]
    assert [other.place(i) for i in reversed(range(200))] == expected[::-1]


def test_shares_decide_where_rows_begin():
    dataset = make_dataset(shares=[0, 1, 0])
    assert {dataset.place(i)[0] for i in range(50)} == {REGIONS[1]}
    assert not any(dataset.walks.place(i)[1] for i in range(50))


def test_crops_that_are_drawn_one_by_one_say_nothing_of_it():
    dataset = make_dataset(n_rows=0)
    assert dataset.walks is None and dataset.continuation(3) == {}


@pytest.mark.parametrize("kind", [CropDataset, MaskedCrops])
def test_a_batch_says_which_rows_go_on(store, kind):
    settings = {"share": 0.2, "run_bp": [1]} if kind is MaskedCrops else {}
    regions = [Region(record.index, 0, record.length) for record in store.records]
    dataset = kind(
        store, regions, TOKENIZER, crop_bp=30, seed=1, both_strands=True, n_rows=4, **settings
    )  # fmt: skip
    batches = [collate_crops([dataset[4 * step + row] for row in range(4)], stride=3) for step in range(6)]
    found = [batch["continues"].tolist() for batch in batches]
    assert found == [[dataset.walks.place(4 * step + row)[1] for row in range(4)] for step in range(6)]
    assert found[0] == [False] * 4 and any(map(any, found))


def test_tiles_of_each_strand_are_read_from_its_five_prime_end():
    one, other = Region(0, 100, 190), Region(1, 0, 30)
    walk = walk_tiles([one, other], tile_bp=40, strands="+-", n_rows=2)
    assert walk == [
        ((one, 100, 140, "+"), False), ((one, 150, 190, "-"), False),
        ((one, 140, 180, "+"), True), ((one, 110, 150, "-"), True),
        ((one, 180, 190, "+"), True), ((one, 100, 110, "-"), True),
        ((other, 0, 30, "+"), False), ((other, 0, 30, "-"), False),
    ]  # fmt: skip


def test_a_row_that_has_nothing_left_waits_for_the_others():
    long, short = Region(0, 0, 100), Region(1, 0, 10)
    walk = walk_tiles([long, short], tile_bp=40, strands="+", n_rows=2)
    assert [place is None for place, _ in walk] == [False, False, False, True, False, True]
    assert [goes_on for _, goes_on in walk] == [False, False, True, False, True, False]


@pytest.mark.parametrize("n_rows", [1, 3, 5])
def test_tiles_that_walk_cover_both_strands_once(n_rows):
    places = [place for place, _ in walk_tiles(REGIONS, tile_bp=48, strands="+-", n_rows=n_rows) if place is not None]
    for strand in "+-":
        covered = [(r.record, i) for r, start, end, s in places if s == strand for i in range(start, end)]
        assert sorted(covered) == [(r.record, i) for r in REGIONS for i in range(r.start, r.end)]


def test_nothing_left_is_a_token_of_padding(store):
    regions = [Region(record.index, 0, record.length) for record in store.records]
    dataset = TileDataset(store, regions, TOKENIZER, crop_bp=30, both_strands=True, n_rows=3)
    nothing = [i for i, (place, _) in enumerate(dataset.walk) if place is None]
    assert len(dataset) % 3 == 0
    for i in nothing:
        batch = collate_crops([dataset[i]], stride=3, base_codes=True)
        assert not batch["valid_mask"].any() and (batch["labels"] == 128).all() and not batch["continues"].any()
    known = [dataset[i]["labels"].numel() for i in range(len(dataset)) if i not in nothing]
    assert sum(known) == 2 * sum(region.end - region.start for region in regions)

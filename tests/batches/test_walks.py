"""Crops that continue each other: rows walk along records, from any step, and jump where a region ends."""

import numpy as np
import pytest

from genoformer.batches.collate import collate_crops
from genoformer.batches.crops import CropDataset
from genoformer.batches.masked_crops import MaskedCrops
from genoformer.batches.walks import WALK_CROPS
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

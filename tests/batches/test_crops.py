"""Crops: a pure function of seed and index, inside their region, right on both strands."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from Bio.Seq import Seq
from torch.utils.data import DataLoader

from genoformer.batches.collate import build_collate
from genoformer.batches.crops import CropDataset, TileDataset, read_crop
from genoformer.batches.sampler import RunSampler
from genoformer.genomes.splits import Region
from genoformer.sequence.alphabet import decode_bases
from genoformer.sequence.kmers import UNK_ID, KmerTokenizer

TOKENIZER = KmerTokenizer(k=5, stride=3)


def crops(store, regions, *, crop_bp=100, seed=1, both_strands=True):
    return CropDataset(store, regions, TOKENIZER, crop_bp=crop_bp, seed=seed, both_strands=both_strands)


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_sample_depends_on_seed_and_index_alone(store, regions):
    forwards, backwards = crops(store, regions), crops(store, regions)
    expected = [forwards[i] for i in range(20)]
    assert all(same(backwards[i], expected[i]) for i in reversed(range(20)))
    assert len({forwards.place(i) for i in range(50)}) > 45
    assert not all(same(crops(store, regions, seed=2)[i], expected[i]) for i in range(20))


def test_crops_never_leave_their_region_and_reach_both_its_ends(store, regions):
    places = [crops(store, regions).place(i) for i in range(4000)]
    assert all(region in regions and region.start <= a < b <= region.end for region, a, b, _ in places)
    first = [(a, b) for region, a, b, _ in places if region == regions[0]]
    assert {b - a for a, b in first} == {100}
    assert min(a for a, _ in first) == 0 and max(b for _, b in first) == 300
    assert {a % 3 for a, _ in first} == {0, 1, 2}


def test_regions_are_chosen_by_length_and_strands_evenly(store, regions):
    places = [crops(store, regions).place(i) for i in range(4000)]
    chosen = Counter(region for region, *_ in places)
    for region in regions:
        share = (region.end - region.start) / 810
        assert chosen[region] / 4000 == pytest.approx(share, abs=4 * (share * (1 - share) / 4000) ** 0.5)
    assert Counter(place[3] for place in places)["-"] / 4000 == pytest.approx(0.5, abs=0.04)


def test_task_of_one_strand_never_reads_the_other(store, regions):
    dataset = crops(store, regions, both_strands=False)
    assert {dataset.place(i)[3] for i in range(200)} == {"+"}


def test_region_shorter_than_a_crop_is_taken_whole(store):
    _, start, end, _ = crops(store, [Region(1, 7, 60)]).place(3)
    assert (start, end) == (7, 60)


def text_of(token_ids) -> list[str]:
    return [TOKENIZER.kmer(token_id) for token_id in token_ids.tolist()]


def test_plus_crop_holds_its_kmers_and_labels(store):
    item = read_crop(store, TOKENIZER, Region(0, 0, 900), 50, 80, "+")
    bases = decode_bases(store.bases(0, 50, 84))
    assert text_of(item["token_ids"]) == [bases[i : i + 5] for i in range(0, 30, 3)]
    assert item["labels"].tolist() == store.tracks(0, 50, 80)[0].tolist()
    assert item["token_ids"].dtype == torch.int64 and item["labels"].dtype == torch.uint8


def test_minus_crop_is_the_reverse_complement_with_the_minus_track_turned(store):
    item = read_crop(store, TOKENIZER, Region(0, 0, 900), 50, 80, "-")
    bases = str(Seq(decode_bases(store.bases(0, 46, 80))).reverse_complement())
    assert text_of(item["token_ids"]) == [bases[i : i + 5] for i in range(0, 30, 3)]
    assert item["labels"].tolist() == store.tracks(0, 50, 80)[1][::-1].tolist()


@pytest.mark.parametrize(("strand", "start", "end"), [("+", 70, 100), ("-", 40, 70)])
def test_lookahead_never_reads_beyond_the_region(store, strand, start, end):
    item = read_crop(store, TOKENIZER, Region(0, 40, 100), start, end, strand)
    assert item["token_ids"][-1] == UNK_ID
    assert UNK_ID not in item["token_ids"][:-1]


def test_recoded_crops_keep_place_and_labels_and_are_a_function_of_the_index(store, regions):
    def dataset(recoded):
        return CropDataset(store, regions, TOKENIZER, crop_bp=100, seed=1, both_strands=True, recoded=recoded)

    plain, always, half = dataset(0.0), dataset(1.0), dataset(0.5)
    changed = {"always": 0, "half": 0}
    for i in range(60):
        assert same(always[i], always[i]) and same(half[i], half[i])
        for name, item in (("always", always[i]), ("half", half[i])):
            assert (
                torch.equal(item["labels"], plain[i]["labels"])
                and item["token_ids"].shape == plain[i]["token_ids"].shape
            )
            changed[name] += not torch.equal(item["token_ids"], plain[i]["token_ids"])
    assert changed["always"] > 45 and 15 < changed["half"] < 45


def test_tiles_cover_held_out_regions_once_on_each_strand(store, regions):
    dataset = TileDataset(store, regions, TOKENIZER, crop_bp=64, both_strands=True)
    seen = Counter(
        (region.record, position, strand)
        for region, start, end, strand in dataset.places
        for position in range(start, end)
    )
    assert set(seen.values()) == {1}
    assert len(seen) == 2 * 810
    assert max(len(dataset[i]["labels"]) for i in range(len(dataset))) == 64


def test_no_tile_touches_a_training_region(store, regions):
    held_out = [Region(0, 320, 440)]
    tiles = TileDataset(store, held_out, TOKENIZER, crop_bp=50, both_strands=True).places
    trained = [crops(store, regions).place(i) for i in range(2000)]
    for region, start, end, _ in tiles:
        assert not any(r.record == region.record and a < end and start < b for r, a, b, _ in trained)


def test_batches_do_not_depend_on_loading_processes(store, regions):
    def batches(num_workers):
        loader = DataLoader(
            crops(store, regions), batch_sampler=RunSampler(24, 4), num_workers=num_workers,
            collate_fn=build_collate(stride=3, n_global_tokens=0), generator=torch.Generator(),
        )  # fmt: skip
        return list(loader)

    alone, helped = batches(0), batches(2)
    assert len(alone) == 6
    assert all(same(one, other) for one, other in zip(alone, helped, strict=True))


@pytest.mark.parametrize("arguments", [{"regions": []}, {"crop_bp": 0}])
def test_nothing_to_crop_is_refused(store, regions, arguments):
    with pytest.raises(ValueError, match="at least one"):
        partial(crops, store, **{"regions": regions, **arguments})()


def test_reading_a_crop_leaves_the_global_random_state_alone(store, regions):
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    crops(store, regions)[0]
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])

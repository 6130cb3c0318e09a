"""Splits: disjoint parts, guards that nobody uses, names and fractions, refusals."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genoformer.errors import UsageError
from genoformer.genomes.splits import Region, split_regions


@dataclass(frozen=True)
class Entry:
    index: int
    genome: str
    id: str
    length: int


def entries(*lengths, genomes=None):
    genomes = genomes or ["g"] * len(lengths)
    return [Entry(i, genomes[i], f"c{i}", length) for i, length in enumerate(lengths)]


def bases_of(regions):
    return {(region.record, position) for region in regions for position in range(region.start, region.end)}


record_lists = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 400)), min_size=1, max_size=8).map(
    lambda rows: [Entry(i, genome, f"c{i}", length) for i, (genome, length) in enumerate(rows)]
)


@settings(max_examples=300, deadline=None)
@given(
    records=record_lists, by=st.sampled_from(["region", "contig", "genome"]), validation=st.floats(0.01, 0.45),
    test=st.none() | st.floats(0.01, 0.45), guard_bp=st.integers(0, 30), seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_parts_share_no_base_and_keep_the_guard(records, by, validation, test, guard_bp, seed):
    try:
        splits = split_regions(records, by=by, validation=validation, test=test, guard_bp=guard_bp, seed=seed)
    except UsageError as error:
        assert error.code == "SPLIT-004"
        return
    lengths = {record.index: record.length for record in records}
    regions = [(part, region) for part in splits for region in splits[part]]
    assert all(0 <= r.start < r.end <= lengths[r.record] for _, r in regions)
    for i, (part, one) in enumerate(regions):
        for other_part, other in regions[:i]:
            if one.record != other.record:
                continue
            first, second = sorted((one, other), key=lambda r: r.start)
            guard = guard_bp if part != other_part and by == "region" else 0
            assert second.start - first.end >= guard
            # The same distance over the origin, should the record be circular.
            assert first.start + lengths[one.record] - second.end >= guard


@settings(max_examples=100, deadline=None)
@given(records=record_lists, by=st.sampled_from(["contig", "genome"]), seed=st.integers(0, 1000))
def test_whole_records_are_each_used_exactly_once(records, by, seed):
    try:
        splits = split_regions(records, by=by, validation=0.2, test=0.2, guard_bp=10, seed=seed)
    except UsageError:
        return
    everything = sorted((r.record, r.start, r.end) for part in splits.values() for r in part)
    assert everything == [(record.index, 0, record.length) for record in records]
    key = (lambda r: records[r.record].id) if by == "contig" else (lambda r: records[r.record].genome)
    names = [{key(r) for r in part} for part in splits.values()]
    assert not (names[0] & names[1] or names[0] & names[2] or names[1] & names[2])


def test_region_takes_one_contiguous_stretch_of_the_wanted_size_per_record():
    splits = split_regions(entries(10_000, 50_000), validation=0.1, test=0.05, guard_bp=100, seed=3)
    assert [(r.record, r.end - r.start) for r in splits["validation"]] == [(0, 1000), (1, 5000)]
    assert [(r.record, r.end - r.start) for r in splits["test"]] == [(0, 500), (1, 2500)]
    assert sum(r.end - r.start for r in splits["train"]) == 60_000 - 9_000 - 6 * 100


def test_only_the_guard_is_left_out():
    splits = split_regions(entries(5_000), validation=0.1, guard_bp=7, seed=0)
    assert len(bases_of(splits["train"]) | bases_of(splits["validation"])) == 5_000 - 14
    assert splits["test"] == []


def test_records_too_short_for_a_stretch_are_dealt_out_whole():
    splits = split_regions(entries(*[100] * 20), validation=0.1, guard_bp=90, seed=1)
    assert [(r.start, r.end) for r in splits["validation"]] == [(0, 100)] * 2
    assert len(splits["train"]) == 18


def test_seed_moves_the_stretch_and_the_same_seed_repeats_it():
    def start(seed):
        return split_regions(entries(100_000), validation=0.1, guard_bp=10, seed=seed)["validation"][0].start

    assert start(1) == start(1)
    assert len({start(seed) for seed in range(5)}) == 5


def test_names_choose_contigs_and_genomes():
    records = entries(10, 20, 30, genomes=["a", "a", "b"])
    by_contig = split_regions(records, by="contig", validation=["c0"], test=["c2"], guard_bp=0, seed=0)
    assert by_contig == {"train": [Region(1, 0, 20)], "validation": [Region(0, 0, 10)], "test": [Region(2, 0, 30)]}
    by_genome = split_regions(records, by="genome", validation=["a"], test=None, guard_bp=0, seed=0)
    assert by_genome == {"train": [Region(2, 0, 30)], "validation": [Region(0, 0, 10), Region(1, 0, 20)], "test": []}


def test_fraction_of_four_genomes_still_takes_one():
    records = entries(100, 90, 80, 110, genomes=list("abcd"))
    splits = split_regions(records, by="genome", validation=0.1, guard_bp=0, seed=0)
    assert [r.record for r in splits["validation"]] == [2]


def test_names_and_fractions_mix():
    records = entries(*[10] * 10)
    splits = split_regions(records, by="contig", validation=["c4"], test=0.2, guard_bp=0, seed=0)
    assert [r.record for r in splits["validation"]] == [4]
    assert len(splits["test"]) == 2 and 4 not in [r.record for r in splits["test"]]


@pytest.mark.parametrize(
    ("arguments", "code", "offender"),
    [
        ({"by": "contig", "validation": ["c0"], "test": ["c0"]}, "SPLIT-002", "c0"),
        ({"by": "contig", "validation": ["c0", "c1"], "test": ["c1"]}, "SPLIT-002", "c1"),
        ({"by": "contig", "validation": ["chrQ"]}, "SPLIT-003", "chrQ"),
        ({"by": "genome", "validation": ["chrQ"]}, "SPLIT-003", "chrQ"),
        ({"by": "genome", "validation": ["g"]}, "SPLIT-004", "train"),
        ({"by": "genome", "validation": 0.5}, "SPLIT-004", "validation"),
        ({"by": "contig", "validation": []}, "SPLIT-004", "validation"),
        ({"by": "region", "validation": ["c0"]}, "SPLIT-001", "fractions"),
        ({"by": "chromosome", "validation": 0.1}, "SPLIT-001", "chromosome"),
        ({"by": "region", "validation": 0.6, "test": 0.4}, "SPLIT-001", "0.6"),
        ({"by": "region", "validation": -0.1}, "SPLIT-001", "-0.1"),
        ({"by": "region", "validation": 0.1, "guard_bp": -1}, "SPLIT-001", "-1"),
        ({"by": "region", "validation": 0.1, "guard_bp": 10**6}, "SPLIT-004", "validation"),
    ],
)
def test_impossible_splits_are_refused(arguments, code, offender):
    with pytest.raises(UsageError, match=offender) as caught:
        split_regions(entries(1000), **{"guard_bp": 0, "seed": 0, **arguments})
    assert caught.value.code == code

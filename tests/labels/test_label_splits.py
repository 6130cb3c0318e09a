"""Parts of labelled data: whole groups, official parts, and no copy on two sides."""

from itertools import chain

import numpy as np
import pytest

from genoformer.errors import UsageError, WarningLog
from genoformer.labels.splits import split_labelled
from genoformer.labels.tables import LabelledSequence
from genoformer.sequence.alphabet import encode_bases, reverse_complement


def make(n, groups=("I", "II", "III", "IV"), seed=0):
    rng = np.random.default_rng(seed)
    return [
        LabelledSequence(f"s{i}", rng.integers(0, 4, 30).astype(np.uint8), "x", groups[i % len(groups)], f"t line {i}")
        for i in range(n)
    ]


def split(sequences, log=None, **options):
    defaults = {"by": "random", "validation": 0.2, "test": 0.2, "seed": 0, "both_strands": False}
    return split_labelled(sequences, **{**defaults, **options}, log=log or WarningLog())


def test_random_parts_are_disjoint_complete_and_decided_by_the_seed():
    rows = make(100)
    parts = split(rows)
    assert sorted(chain.from_iterable(parts.values())) == list(range(100))
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [60, 20, 20]
    assert split(rows) == parts and split(rows, seed=1) != parts


def test_groups_are_never_divided():
    rows = make(80)
    named = split(rows, by="group", validation=["II"], test=["III", "IV"])
    assert {rows[i].group for i in named["test"]} == {"III", "IV"} and {rows[i].group for i in named["train"]} == {"I"}
    drawn = split(rows, by="group", validation=0.25, test=0.25)
    groups = [{rows[i].group for i in part} for part in drawn.values()]
    assert sum(map(len, groups)) == 4 and all(groups)


def test_fraction_of_sequences_takes_from_groups_that_are_not_named():
    rows = make(80, groups=("train me", "other"))
    parts = split(rows, by="group", validation=0.1, test=["other"], fraction_of_sequences=True)
    assert len(parts["validation"]) == 8 and {rows[i].group for i in parts["validation"]} == {"train me"}
    assert {rows[i].group for i in parts["test"]} == {"other"}


def test_official_parts_keep_the_test_copy_of_a_sequence():
    rows = make(6, groups=("train", "dev", "test"))
    copy = LabelledSequence("copy", rows[2].codes, "x", "train", "t line 9")
    log = WarningLog()
    parts = split([*rows, copy], log, by="column")
    assert parts == {"train": [0, 3], "validation": [1, 4], "test": [2, 5]}
    assert log.counts == {"LABELS-103": 1} and "t line 9" in log.examples["LABELS-103"]


def test_copies_inside_a_part_may_stay_and_those_across_parts_never():
    rows = make(6, groups=("train", "dev", "test"))
    rows += [LabelledSequence(f"c{i}", rows[2].codes, "x", part, "") for i, part in enumerate(("test", "train", "dev"))]
    parts = split(rows, by="column", keep_copies=True)
    assert parts == {"train": [0, 3], "validation": [1, 4], "test": [2, 5, 6]}


@pytest.mark.parametrize("both_strands", [True, False])
def test_reverse_complement_is_a_copy_where_strands_mean_nothing(both_strands):
    rows = make(40)
    rows.append(LabelledSequence("rc", reverse_complement(rows[0].codes), "x", "I", "t line 41"))
    kept = sum(map(len, split(rows, both_strands=both_strands).values()))
    assert kept == (40 if both_strands else 41)


def test_copies_of_a_sequence_are_on_one_side_of_a_random_split():
    for seed in range(5):
        rows = [LabelledSequence(f"{i}", encode_bases("ACGT" * (1 + i % 7)), "x", "", "") for i in range(70)]
        parts = split(rows, seed=seed, test=None)
        seen = [{len(rows[i].codes) for i in parts[name]} for name in ("train", "validation")]
        assert not seen[0] & seen[1] and sum(map(len, parts.values())) == 7


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"by": "group", "validation": ["V"]}, 'no group "V"; there are I, II, III, IV'),
        ({"by": "group", "validation": ["I"], "test": ["I"]}, "share I"),
        ({"by": "phase of the moon"}, "phase of the moon"),
        ({"by": "column"}, '"I" names no part'),
        ({"validation": 0.7, "test": 0.5}, "0.7"),
        ({"validation": None}, "validation part is empty"),
        ({"by": "group", "validation": ["I", "II", "III", "IV"], "test": None}, "train part is empty"),
    ],
)
def test_split_that_cannot_be_made_is_refused(options, found):
    with pytest.raises(UsageError, match=found):
        split(make(20), **options)


def test_sequences_that_are_dealt_out_together_are_in_one_part():
    rows = make(100)
    units = [i // 4 for i in range(100)]
    parts = split(rows, units=units)
    found = [{units[i] for i in part} for part in parts.values()]
    assert sum(map(len, found)) == 25 and [len(part) for part in parts.values()] == [60, 20, 20]

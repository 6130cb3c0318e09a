"""Which candidates a mask excludes."""

import numpy as np
import pytest

from genoformer.annotation.read_bed import merge_intervals
from genoformer.decoding.masking import MASK_TOLERANCE_BP, Mask, open_intervals, overlaps_mask
from genoformer.stream import wrap_circular


def excluded(start, end, *intervals):
    spans = np.array(intervals, np.int64).reshape(-1, 2)
    return bool(overlaps_mask(np.array([start]), np.array([end]), spans)[0])


def test_genes_and_intervals_may_share_the_tolerance_at_an_end():
    assert MASK_TOLERANCE_BP == 9
    assert not excluded(100, 400, (20, 109)) and not excluded(100, 400, (391, 470))
    assert excluded(100, 400, (20, 110)) and excluded(100, 400, (390, 470))
    assert not excluded(100, 400, (20, 100)) and not excluded(100, 400, (400, 470)) and not excluded(100, 400)
    assert not excluded(100, 400, (20, 109), (391, 470))


@pytest.mark.parametrize("interval", [(200, 201), (100, 104), (396, 400), (100, 400), (90, 410)])
def test_an_interval_inside_a_gene_excludes_it_however_short(interval):
    assert excluded(100, 400, interval)
    assert excluded(100, 400, (20, 105), interval if interval[0] > 105 else (200, 201), (395, 500))


def test_a_gene_inside_an_interval_is_excluded_however_short():
    assert excluded(100, 106, (50, 200))


def test_exclusion_is_as_counted_base_by_base():
    rng = np.random.default_rng(0)
    start = rng.integers(0, 900, 300)
    end = start + rng.integers(3, 120, 300)
    low = rng.integers(0, 1000, 25)
    spans = merge_intervals(np.stack((low, low + rng.integers(1, 40, 25)), axis=1))

    def collides(a, b):
        for low, high in spans:
            shared = len(set(range(a, b)) & set(range(low, high)))
            if shared > MASK_TOLERANCE_BP or shared in (b - a, high - low):
                return True
        return False

    expected = [collides(a, b) for a, b in zip(start, end, strict=True)]
    assert overlaps_mask(start, end, spans).tolist() == expected
    assert 50 < sum(expected) < 290


@pytest.mark.parametrize("margin", [0, 7, 60, 100])
def test_intervals_of_a_circular_record_are_repeated_with_its_bases(margin):
    spans = np.array([(0, 5), (40, 61), (97, 100)])
    marked = np.zeros(100, np.uint8)
    for low, high in spans:
        marked[low:high] = 1
    opened = np.zeros(100 + 2 * margin, np.uint8)
    found = open_intervals(spans, length=100, margin=margin)
    for low, high in found:
        opened[max(low, 0) : max(high, 0)] = 1
    np.testing.assert_array_equal(opened, wrap_circular(marked, margin))
    assert (np.diff(found.ravel()) > 0).all()


def test_digest_follows_records_and_intervals_only():
    mask = Mask({"a": np.array([(1, 5)]), "b": np.array([(2, 9)])})
    assert Mask().digest() is None and Mask().of("a").shape == (0, 2)
    assert Mask(dict(reversed(mask.intervals.items()))).digest() == mask.digest() is not None
    others = [{"a": [(1, 5)]}, {"b": [(1, 5)], "a": [(2, 9)]}, {"a": [(1, 5)], "b": [(2, 10)]}, {"a": [(1, 5), (2, 9)]}]
    digests = {Mask({name: np.array(rows) for name, rows in other.items()}).digest() for other in others}
    assert len(digests) == 4 and mask.digest() not in digests

"""What stands around a frame: by hand, read backwards, and against a slow count."""

import numpy as np
import pytest

from genoformer.decoding.candidates import CANDIDATE_DTYPE
from genoformer.decoding.neighbours import (
    NEAR_BP,
    NEIGHBOUR_FEATURES,
    REACH_BP,
    SMALL_GAP_BP,
    START_NEIGHBOURS,
    neighbour_features,
    start_neighbours,
)

FREE, LEFT_OVER, GAP, OPERON, NEAR = range(len(NEIGHBOUR_FEATURES))
BOUNDS = (0, 50_000)


def rows(*spans):
    out = np.zeros(len(spans), CANDIDATE_DTYPE)
    for i, (start, end, strand) in enumerate(spans):
        out[i]["start"], out[i]["end"], out[i]["strand"] = start, end, strand
    return out


def around(candidate, *genes, bounds=BOUNDS):
    return neighbour_features(rows(candidate), rows(*genes), bounds)[0]


def log_bp(length):
    return pytest.approx(np.log(length + SMALL_GAP_BP))


def test_frame_between_two_genes():
    found = around((10_000, 10_300, 1), (9_000, 9_960, 1), (10_400, 11_000, -1))
    assert found[FREE] == 1.0
    assert found[LEFT_OVER] == log_bp(40 + 100) and found[GAP] == log_bp(440)
    assert found[[OPERON, NEAR]].tolist() == [1.0, 1.0]


def test_overlap_counts_once_where_genes_overlap_each_other():
    found = around((10_000, 10_300, 1), (9_000, 10_100, -1), (9_500, 10_130, -1), (10_200, 11_000, -1))
    assert found[FREE] == pytest.approx(1 - (130 + 100) / 300)
    assert found[LEFT_OVER] == log_bp(0) and found[GAP] == log_bp(70)


def test_own_frame_is_no_neighbour_with_any_start():
    alone = around((10_000, 10_300, 1))
    np.testing.assert_array_equal(around((10_000, 10_300, 1), (10_060, 10_300, 1)), alone)
    np.testing.assert_array_equal(around((10_000, 10_300, -1), (10_000, 10_240, -1)), alone)
    # Cut by the end of a fragment, so that the two ends differ, but still the same frame.
    np.testing.assert_array_equal(around((10_000, 10_300, 1), (9_700, 10_600, 1)), alone)
    assert around((10_000, 10_300, 1), (10_001, 10_301, 1))[FREE] < 0.01
    assert around((10_000, 10_300, 1), (10_000, 10_300, -1))[FREE] == 0.0


def test_nothing_near_counts_as_the_reach_and_bounds_cut_it():
    assert around((10_000, 10_300, 1))[GAP] == log_bp(2 * REACH_BP + 300)
    cut = around((10_000, 10_300, 1), bounds=(9_990, 10_310))
    assert cut[LEFT_OVER] == log_bp(20) and cut[[OPERON, NEAR]].tolist() == [0.0, 0.0]
    assert around((10_000, 10_300, 1), (1_000, 6_900, 1))[GAP] == log_bp(2 * REACH_BP + 300)


def test_long_gene_that_begins_far_away_covers_what_lies_in_it():
    genes = [(1_000, 40_000, 1)] + [(start, start + 300, -1) for start in range(2_000, 9_000, 500)]
    assert around((10_001, 10_301, 1), *genes)[FREE] == 0.0


def test_nearness_ends_at_its_limit():
    for distance, near in ((NEAR_BP, 1.0), (NEAR_BP + 1, 0.0), (-NEAR_BP, 1.0), (-NEAR_BP - 1, 0.0)):
        assert around((10_000, 10_300, 1), (9_000, 10_000 - distance, -1))[NEAR] == near


def random_rows(rng, n, span):
    start = rng.integers(0, span, n)
    return rows(*zip(start, start + rng.integers(60, 1500, n), rng.choice([-1, 1], n), strict=True))


def slow_free_share(candidate, genes):
    taken = np.zeros(candidate["end"] - candidate["start"], bool)
    for gene in genes:
        edge = "start" if candidate["strand"] > 0 else "end"
        overlaps = gene["end"] > candidate["start"] and gene["start"] < candidate["end"]
        if overlaps and gene["strand"] == candidate["strand"] and (gene[edge] - candidate[edge]) % 3 == 0:
            continue
        low, high = max(gene["start"] - candidate["start"], 0), max(gene["end"] - candidate["start"], 0)
        taken[low:high] = True
    return 1 - taken.mean()


def test_free_share_is_that_of_a_slow_count():
    rng = np.random.default_rng(0)
    candidates, genes = random_rows(rng, 300, 30_000), random_rows(rng, 40, 30_000)
    found = neighbour_features(candidates, genes, BOUNDS)
    slow = [slow_free_share(candidate, genes) for candidate in candidates]
    np.testing.assert_allclose(found[:, FREE], slow, atol=1e-12)
    assert 0.1 < np.mean(found[:, FREE] < 1) < 0.99


def test_read_backwards_and_in_any_order_it_is_the_same():
    rng = np.random.default_rng(1)
    candidates, genes = random_rows(rng, 200, 30_000), random_rows(rng, 40, 30_000)
    found = neighbour_features(candidates, genes, (0, 32_000))
    turned = [part.copy() for part in (candidates, genes[rng.permutation(40)])]
    for part in turned:
        part["start"], part["end"] = 32_000 - part["end"], 32_000 - part["start"]
        part["strand"] = -part["strand"]
    np.testing.assert_array_equal(neighbour_features(*turned, (0, 32_000)), found)


def test_no_genes_and_no_candidates():
    assert neighbour_features(rows((5, 95, 1)), rows(), (0, 100))[0, FREE] == 1.0
    assert neighbour_features(rows(), rows((5, 95, 1)), (0, 100)).shape == (0, 5)


def before(candidate, *genes, bounds=BOUNDS):
    found = start_neighbours(rows(candidate), rows(*genes), bounds)[0]
    return {name: value for name, value in zip(START_NEIGHBOURS, found.tolist(), strict=True) if value}


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        (-4, {"overlap_4": 1, "into_20": 1, "overlap": 0.08}),
        (-1, {"overlap_1": 1, "into_20": 1, "overlap": 0.02}),
        (0, {"behind_20": 1}),
        (19, {"behind_20": 1}),
        (59, {"behind_60": 1}),
        (60, {}),
        (-100, {"overlap": 2}),
        (-290, {"overlap": 4}),
    ],
)
def test_start_is_measured_from_the_end_of_the_gene_before_it(gap, expected):
    assert before((10_000, 10_300, 1), (9_000, 10_000 - gap, 1)) == pytest.approx(expected)
    assert before((10_000, 10_300, -1), (10_300 + gap, 12_000, -1)) == pytest.approx(expected)


def test_only_genes_that_end_earlier_on_the_same_strand_are_before_a_start():
    candidate = (10_000, 10_300, 1)
    assert before(candidate, (9_000, 9_995, -1)) == {}
    assert before(candidate, (10_060, 10_300, 1), (10_100, 10_350, 1)) == {}
    assert before(candidate, (9_000, 9_995, 1), (8_000, 9_300, 1)) == {"behind_20": 1}
    assert before(candidate, (9_000, 9_990, 1), bounds=(9_990, 20_000)) == {}
    assert before((10_000, 10_300, -1), (10_310, 11_000, -1), bounds=(0, 10_310)) == {}


def test_start_without_genes_has_nothing_before_it():
    assert start_neighbours(rows((5, 95, 1)), rows(), (0, 100)).tolist() == [[0.0] * len(START_NEIGHBOURS)]
    assert start_neighbours(rows(), rows((5, 95, 1)), (0, 100)).shape == (0, len(START_NEIGHBOURS))

"""The selection of genes, against every subset."""

import time
from itertools import combinations, pairwise

import numpy as np
import pytest

from genoformer.decoding.selection import OverlapRules, select_genes

SMALL = OverlapRules(max_overlap_bp=12, overlap_cost=0.1, nested_cost=2.0)


def random_instance(rng, n=9, span=80):
    """Frames with several starts each, on both strands: starts of one frame share their 3' end."""
    rows = []
    while len(rows) < n:
        low, high = np.sort(rng.integers(0, span, 2))
        for _ in range(rng.integers(1, 4)):
            if high - low >= 3:
                rows.append((low, high))
            low, high = (low + rng.integers(1, 9), high) if len(rows) % 2 else (low, high - rng.integers(1, 9))
    frames, table = {}, []
    for low, high in rows[:n]:
        key = ("+", high) if rng.random() < 0.5 else ("-", low)
        table.append((low, high, frames.setdefault(key, len(frames))))
    start, end, orf = np.array(table, dtype=np.int64).T
    return start, end, orf, rng.normal(2, 4, n)


def value_of(rows, start, end, orf, score, rules):
    """Total of a set, or None if the rules forbid it: a chain, and genes nested inside single members of it."""
    if len({orf[i] for i in rows}) < len(rows) or any(score[i] <= 0 for i in rows):
        return None
    inside = {i: [j for j in rows if start[j] < start[i] and end[i] < end[j]] for i in rows}
    chain = sorted((i for i in rows if not inside[i]), key=lambda i: (end[i], start[i]))
    nested = [i for i in rows if inside[i]]
    total = 0.0
    for a, b in pairwise(chain):
        overlap = max(end[a] - start[b], 0)
        if start[a] >= start[b] or end[a] >= end[b] or overlap > rules.max_overlap_bp:
            return None
        total -= rules.overlap_cost * overlap
    for a, b in combinations(nested, 2):
        if start[a] < end[b] and start[b] < end[a]:
            return None
    for i in nested:
        if len(inside[i]) != 1 or end[i] - start[i] <= rules.max_overlap_bp:
            return None
        total -= rules.nested_cost
    return total + sum(score[i] for i in rows)


def best_value(*instance):
    n = len(instance[0])
    subsets = (rows for size in range(n + 1) for rows in combinations(range(n), size))
    return max(v for v in (value_of(rows, *instance) for rows in subsets) if v is not None)


def test_selection_is_the_best_of_all_subsets():
    rng = np.random.default_rng(0)
    n_nested = n_overlapping = 0
    for _ in range(150):
        instance = (*random_instance(rng), SMALL)
        picked = select_genes(*instance)
        found = value_of([int(i) for i in picked], *instance)
        assert found is not None
        assert found == pytest.approx(best_value(*instance))
        start, end = instance[0][picked], instance[1][picked]
        n_nested += any(
            s < a and b < e for s, e in zip(start, end, strict=True) for a, b in zip(start, end, strict=True)
        )
        n_overlapping += bool((start[1:] < end[:-1]).any())
    assert n_nested > 3 and n_overlapping > 20


def test_two_starts_of_one_frame_never_enter_together():
    columns = np.array([0, 30, 60]), np.array([300, 300, 300]), np.array([7, 7, 7])
    assert select_genes(*columns, np.array([5.0, 9.0, 8.0]), OverlapRules()).tolist() == [1]


def test_short_gene_between_two_neighbours_is_not_counted_inside_both():
    start, end, orf = np.array([0, 200, 210]), np.array([300, 600, 295]), np.array([0, 1, 2])
    assert select_genes(start, end, orf, np.array([20.0, 20.0, 10.0]), OverlapRules()).tolist() == [0, 1]


def test_other_start_of_a_neighbour_is_no_nested_gene():
    # Candidate 2 is candidate 1 with a start further inside, both on "-": its frame may come once.
    start, end, orf = np.array([0, 200, 200]), np.array([300, 600, 295]), np.array([0, 1, 1])
    assert select_genes(start, end, orf, np.array([20.0, 20.0, 10.0]), OverlapRules()).tolist() == [0, 1]


def test_nested_gene_costs_its_price():
    columns = np.array([0, 100]), np.array([900, 400]), np.array([0, 1])
    assert select_genes(*columns, np.array([10.0, 6.5]), OverlapRules()).tolist() == [0, 1]
    assert select_genes(*columns, np.array([10.0, 5.5]), OverlapRules()).tolist() == [0]


@pytest.mark.parametrize(("overlap", "expected"), [(120, [0, 1]), (121, [1])])
def test_neighbours_overlap_no_more_than_the_limit(overlap, expected):
    columns = np.array([0, 500 - overlap]), np.array([500, 1000]), np.array([0, 1])
    assert select_genes(*columns, np.array([10.0, 11.0]), OverlapRules()).tolist() == expected


def test_nothing_positive_gives_nothing():
    none = np.empty(0, np.int64)
    assert select_genes(none, none, none, np.empty(0), OverlapRules()).tolist() == []
    one = np.array([0]), np.array([90]), np.array([0])
    assert select_genes(*one, np.array([0.0]), OverlapRules()).tolist() == []


def test_ties_do_not_depend_on_the_order_of_the_input():
    rng = np.random.default_rng(4)
    for _ in range(30):
        start, end, orf, _ = random_instance(rng, n=12)
        _, first = np.unique(np.stack((start, end)), axis=1, return_index=True)
        start, end, orf = start[first], end[first], orf[first]
        score = np.full(len(start), 4.0)
        picked = select_genes(start, end, orf, score, SMALL)
        mixed = rng.permutation(len(start))
        again = mixed[select_genes(start[mixed], end[mixed], orf[mixed], score, SMALL)]
        assert again.tolist() == picked.tolist()


def test_result_is_sorted_by_start():
    rng = np.random.default_rng(5)
    start, end, orf, score = random_instance(rng, n=300, span=9000)
    picked = select_genes(start, end, orf, score, SMALL)
    keys = list(zip(start[picked].tolist(), end[picked].tolist(), strict=True))
    assert len(keys) > 5 and keys == sorted(keys)


def test_two_hundred_thousand_candidates_take_seconds():
    rng = np.random.default_rng(6)
    n = 200_000
    end = rng.integers(1000, 5_000_000, n // 4).repeat(4)
    start = end - 3 * rng.integers(30, 330, n)
    score = rng.normal(-2, 6, n)
    select_genes(start[:10], end[:10], end[:10], score[:10], OverlapRules())
    begin = time.process_time()
    picked = select_genes(start, end, end, score, OverlapRules())
    assert len(picked) > 1000
    assert time.process_time() - begin < 10


def test_nested_genes_may_touch_but_not_overlap():
    columns = np.array([0, 100, 400]), np.array([900, 400, 700]), np.array([0, 1, 2])
    assert select_genes(*columns, np.array([12.5, 7.0, 7.0]), OverlapRules()).tolist() == [0, 1, 2]
    columns[0][2] = 399
    assert select_genes(*columns, np.array([20.0, 7.0, 7.5]), OverlapRules()).tolist() == [0, 2]

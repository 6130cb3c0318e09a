"""Genes of rRNA and tRNA from planted outputs: where they are, and that nothing depends on how the pass was divided."""

from itertools import pairwise

import numpy as np
import pytest

from genoformer.decoding.masking import mostly_inside
from genoformer.decoding.rna_genes import JOIN_BP, LONGEST_STRETCH_BP, call_rna_genes, kept_runs, stretches


def planted(length: int, *genes: tuple, sure=250) -> np.ndarray:
    """Steps [4, length] with genes (row, start, end)."""
    steps = np.full((4, length), 2, np.uint8)
    for row, start, end in genes:
        steps[row, start:end] = sure
    return steps


def pieces_of(steps: np.ndarray, cuts=()) -> list:
    """What a model pass keeps that is divided at these places."""
    edges = [0, *cuts, steps.shape[1]]
    return [
        (low + start, steps[:, low + start : low + end])
        for low, high in pairwise(edges)
        for start, end in kept_runs(steps[:, low:high])
    ]


def calls_of(steps, cuts=(), **options):
    found = call_rna_genes(pieces_of(steps, cuts), **options)
    return [(call.start, call.end, call.strand, call.kind) for call in found]


def test_genes_lie_where_outputs_are_high():
    steps = planted(9_000, (0, 100, 1_600), (3, 2_000, 2_076), (1, 3_000, 3_075), (2, 3_200, 6_100), (0, 6_300, 6_415))
    assert calls_of(steps) == [
        (100, 1_600, 1, "rRNA"), (2_000, 2_076, -1, "tRNA"), (3_000, 3_075, 1, "tRNA"), (3_200, 6_100, -1, "rRNA"),
        (6_300, 6_415, 1, "rRNA"),
    ]  # fmt: skip
    (call, *_) = call_rna_genes(pieces_of(steps))
    assert call.score == pytest.approx(250 / 255)


def test_neighbouring_trnas_come_apart_where_outputs_dip():
    steps = planted(400, (1, 100, 176), (1, 180, 255))
    steps[1, 176:180] = 60
    assert calls_of(steps) == [(100, 176, 1, "tRNA"), (180, 255, 1, "tRNA")]


def test_a_trna_with_an_intron_and_an_rrna_with_a_dip_stay_whole():
    steps = planted(2_000, (1, 100, 230), (0, 400, 1_900))
    steps[0, 900:902] = 100
    assert calls_of(steps) == [(100, 230, 1, "tRNA"), (400, 1_900, 1, "rRNA")]


def test_spikes_and_doubtful_stretches_are_no_genes():
    steps = planted(900, (1, 100, 110), (0, 300, 330))
    steps[1, 500:580] = 110
    assert calls_of(steps) == []
    assert calls_of(np.zeros((4, 0), np.uint8)) == []


def test_the_strand_and_kind_that_are_surer_win():
    steps = planted(300, (1, 100, 176))
    steps[0, 100:176] = 140
    assert calls_of(steps) == [(100, 176, 1, "tRNA")]


@pytest.mark.parametrize("cuts", [(150,), (40, 101, 177, 5_000), (2_950, 2_980, 3_010, 3_030), range(7, 6_000, 97)])
def test_any_division_of_the_pass_gives_the_same(cuts):
    rng = np.random.default_rng(0)
    steps = planted(7_000, (1, 100, 176), (0, 1_000, 2_500), (0, 3_000, 5_900), (3, 6_100, 6_170))
    noise = rng.integers(-60, 60, steps.shape)
    steps = (steps.astype(int) + noise).clip(0, 255).astype(np.uint8)
    steps[:, rng.random(7_000) < 0.7] //= 2
    assert call_rna_genes(pieces_of(steps, cuts)) == call_rna_genes(pieces_of(steps))


def test_a_gene_over_the_origin_of_a_circle_is_one():
    steps = planted(3_000, (0, 0, 500), (0, 2_200, 3_000), (3, 700, 775))
    assert calls_of(steps, length=3_000) == [(700, 775, -1, "tRNA"), (2_200, 3_500, 1, "rRNA")]
    assert len(calls_of(steps)) == 3
    only_behind = planted(3_000, (1, 10, 85), (1, 2_996, 2_998))
    assert calls_of(only_behind, length=3_000) == [(10, 85, 1, "tRNA")]


def test_stretches_are_bounded_whatever_the_model_says():
    length = 2 * LONGEST_STRETCH_BP + 5_000
    steps = np.full((4, length), 200, np.uint8)
    whole, divided = (list(stretches(pieces_of(steps, cuts))) for cuts in ((), range(0, length, 7_000)))
    assert [start for start, _ in whole] == [start for start, _ in divided] == [0, 100_000, 200_000]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(whole, divided, strict=True))
    apart = planted(400, (0, 0, 10), (0, 10 + JOIN_BP, 60))
    assert len(list(stretches(pieces_of(apart)))) == len(list(stretches(pieces_of(apart, (20,))))) == 2


def test_frames_of_which_more_than_half_is_covered_are_told():
    intervals = np.array([[10, 20], [30, 50]])
    start, end = np.array([0, 0, 12, 5, 18, 60, 0]), np.array([30, 20, 16, 35, 34, 90, 60])
    covered = np.zeros(100, bool)
    for low, high in intervals:
        covered[low:high] = True
    expected = [2 * covered[a:b].sum() > b - a for a, b in zip(start, end, strict=True)]
    assert mostly_inside(start, end, intervals).tolist() == expected

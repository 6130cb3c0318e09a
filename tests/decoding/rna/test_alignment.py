"""Alignments with profiles: by hand, and against a plain table of all cells."""

import numpy as np
import pytest

from genoformer.decoding.rna.alignment import GAP_STEP, Profile, align_locally, aligned_columns
from genoformer.sequence.alphabet import encode_bases


def profile_of(text: str, gap: float = 3.0) -> Profile:
    """One that scores 1 for the letters of a text and -1 for others."""
    scores = np.full((len(text), 5), -1, np.float32)
    scores[np.arange(len(text)), encode_bases(text)] = 1
    scores[:, 4] = 0
    gaps = np.full(len(text), gap, np.float32)
    return Profile(scores, gaps, gaps)


def best_score(codes: np.ndarray, profile: Profile) -> float:
    """The best local score, from tables of every cell: at its best, in a gap of bases, in a gap of columns."""
    n, m = len(codes), len(profile)
    whole, bases, columns = (np.full((n + 1, m + 1), -np.inf) for _ in range(3))
    best = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            match = profile.scores[j - 1, codes[i - 1]] + max(whole[i - 1, j - 1], 0)
            bases[i, j] = max(whole[i - 1, j] - profile.insertion[j - 1], bases[i - 1, j] - GAP_STEP)
            columns[i, j] = max(whole[i, j - 1] - profile.deletion[j - 1], columns[i, j - 1] - GAP_STEP)
            whole[i, j] = max(match, bases[i, j], columns[i, j])
            best = max(best, match)
    return best


def test_a_part_of_the_profile_is_found_where_it_stands():
    found = align_locally(encode_bases("GGGGACGTACCC"), profile_of("TTACGTATT"), -20, 20)
    assert (found.start, found.end, found.first, found.last, found.score) == (4, 9, 2, 7, 5.0)


def test_bases_between_columns_cost_a_gap():
    text = "ACGTTGCA"
    found = align_locally(encode_bases("ACGTTGCACC" + "CATGCAAC"), profile_of(text + "CATGCAAC"), -20, 20)
    assert found.score == pytest.approx(16 - 3 - GAP_STEP, abs=1e-5)
    assert (found.start, found.end, found.first, found.last) == (0, 18, 0, 16)


def test_an_unknown_base_counts_nothing():
    assert align_locally(encode_bases("ACGNACG"), profile_of("ACGTACG"), -9, 9).score == 6.0


@pytest.mark.parametrize("seed", range(6))
def test_scores_are_those_of_all_cells(seed):
    generator = np.random.default_rng(seed)
    m = 14
    scores = generator.normal(-0.3, 1, (m, 5)).astype(np.float32)
    gaps = [generator.uniform(0.5, 3, m).astype(np.float32) for _ in range(2)]
    profile, codes = Profile(scores, *gaps), generator.integers(0, 5, 23).astype(np.uint8)
    found = align_locally(codes, profile, -m, len(codes))
    assert found.score == pytest.approx(best_score(codes, profile), abs=1e-4)  # float32 sums
    columns = aligned_columns(codes, profile)
    held = np.flatnonzero(columns >= 0)
    assert (held[0], held[-1] + 1) == (found.first, found.last)
    assert (columns[held[0]], columns[held[-1]] + 1) == (found.start, found.end)
    assert (np.diff(columns[held]) > 0).all()
    inside = columns[held[0] : held[-1] + 1]
    assert set(inside[inside < 0]) <= {-1} and set(columns[: held[0]]) <= {-2}


def test_a_band_that_holds_the_alignment_changes_nothing():
    codes = np.random.default_rng(1).integers(0, 4, 400).astype(np.uint8)
    profile = profile_of("ACGGTCATTGCAAGTCCTAGGATCCATGCA")
    codes[200:230] = encode_bases("ACGGTCATTGCAAGTCCTAGGATCCATGCA")
    whole = align_locally(codes, profile, -30, 400)
    assert align_locally(codes, profile, 195, 205) == whole


def test_columns_that_the_alignment_leaves_out_and_does_not_reach_differ():
    columns = aligned_columns(encode_bases("ACGTTGCACCATGCAA"), profile_of("GGACGTTGCA" + "TT" + "CCATGCAA", gap=1.0))
    assert columns.tolist() == [-2, -2, *range(8), -1, -1, *range(8, 16)]

"""Alignments of sequence with a profile: columns with a score for each base, and costs of gaps at each column.

Reference: local alignment is that of Smith and Waterman, J. Mol. Biol. 147 (1981) 195, with gaps after Gotoh, J. Mol.
Biol. 162 (1982) 705, and costs that differ from column to column as in profiles (Gribskov et al., PNAS 84 (1987) 4355).
"""

from dataclasses import dataclass

import numba
import numpy as np

GAP_STEP = np.float32(0.15)
"""What each further base of a gap costs, natural logarithm."""
NOTHING = np.float32(-1e9)
STOP, FROM_MATCH, FROM_INSERTION, FROM_DELETION = range(4)


@dataclass(frozen=True)
class Profile:
    """What genes of one kind look like.

    Attributes:
        scores: Log-odds of the bases in each column, float32 [m, 5]; the last one, of N, is 0.
        insertion: What it costs to go on to bases that stand in no column, behind each column, float32 [m].
        deletion: What it costs to leave out columns, from each column on, float32 [m].
    """

    scores: np.ndarray
    insertion: np.ndarray
    deletion: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True)
class Local:
    """The best local alignment.

    Attributes:
        score: Natural logarithm of odds.
        start: First base that is aligned.
        end: One past the last.
        first: First column.
        last: One past the last column.
    """

    score: float
    start: int
    end: int
    first: int
    last: int


def align_locally(codes: np.ndarray, profile: Profile, low: int, high: int) -> Local:
    """The best alignment of a part of the sequence with a part of the profile.

    Args:
        codes: uint8 base codes, [n].
        profile: What is looked for.
        low: Least difference of a base's place and its column.
        high: The greatest.
    """
    found = _local(codes, profile.scores, profile.insertion, profile.deletion, low, high)
    return Local(float(found[0]), *(int(place) for place in found[1:]))


@numba.njit(cache=True, nogil=True)
def _local(codes, scores, insertion, deletion, low, high):
    """Score, first base, one past the last, first column, one past the last."""
    n, m = len(codes), len(scores)
    # Of column j at j + 1, in the row of the base before; where what ends there has begun, as base * m + column.
    ends, ends_begun = np.full(m + 1, NOTHING), np.zeros(m + 1, np.int64)
    gaps, gaps_begun = np.full(m + 1, NOTHING), np.zeros(m + 1, np.int64)
    best, best_begun, best_i, best_j = np.float32(0), 0, -1, -1
    for i in range(max(low, 0), min(n, m + high)):  # the band holds no column of later bases
        first, last = max(0, i - high), min(m, i - low + 1)
        base = min(codes[i], 4)
        before, before_begun = ends[first] if first else NOTHING, ends_begun[first]
        left, left_begun, skipped, skipped_begun = NOTHING, 0, NOTHING, 0
        for j in range(first, last):
            above, above_begun = ends[j + 1], ends_begun[j + 1]
            value, begun = scores[j, base], i * m + j
            if before > 0:
                value, begun = value + before, before_begun
            opened = above - insertion[j]
            if opened > gaps[j + 1] - GAP_STEP:
                gaps[j + 1], gaps_begun[j + 1] = opened, above_begun
            else:
                gaps[j + 1] -= GAP_STEP
            opened = left - deletion[j]
            if opened > skipped - GAP_STEP:
                skipped, skipped_begun = opened, left_begun
            else:
                skipped -= GAP_STEP
            if value > best:
                best, best_begun, best_i, best_j = value, begun, i, j
            if gaps[j + 1] > value:
                value, begun = gaps[j + 1], gaps_begun[j + 1]
            if skipped > value:
                value, begun = skipped, skipped_begun
            ends[j + 1], ends_begun[j + 1] = value, begun
            left, left_begun, before, before_begun = value, begun, above, above_begun
    return best, best_begun // m, best_i + 1, best_begun % m, best_j + 1


def aligned_columns(codes: np.ndarray, profile: Profile) -> np.ndarray:
    """The base that stands in each column in the best local alignment, int64 [m].

    -1: no base, the column is left out; -2: the alignment does not reach the column.

    Args:
        codes: uint8 base codes, [n]; memory is n times the columns.
        profile: What they are aligned with.
    """
    return _columns(codes, profile.scores, profile.insertion, profile.deletion)


@numba.njit(cache=True, nogil=True)
def _columns(codes, scores, insertion, deletion):
    n, m = len(codes), len(scores)
    steps = np.zeros((n + 1, m + 1), np.uint8)  # two bits for the best state, one each for gaps that go on
    ends, gaps = np.full(m + 1, NOTHING), np.full(m + 1, NOTHING)
    best, best_i, best_j = np.float32(0), -1, -1
    for i in range(n):
        base = min(codes[i], 4)
        before, left, skipped = NOTHING, NOTHING, NOTHING
        for j in range(m):
            above = ends[j + 1]
            value, step = scores[j, base], STOP
            if before > 0:
                value, step = value + before, FROM_MATCH
            opened = above - insertion[j]
            goes_on = 0
            if opened > gaps[j + 1] - GAP_STEP:
                gaps[j + 1] = opened
            else:
                gaps[j + 1] -= GAP_STEP
                goes_on = 4
            opened = left - deletion[j]
            if opened > skipped - GAP_STEP:
                skipped = opened
            else:
                skipped -= GAP_STEP
                goes_on += 8
            if value > best:
                best, best_i, best_j = value, i, j
            if gaps[j + 1] > value:
                value, step = gaps[j + 1], FROM_INSERTION
            if skipped > value:
                value, step = skipped, FROM_DELETION
            ends[j + 1], left, before = value, value, above
            steps[i + 1, j + 1] = step + goes_on
    return _trace(steps, best_i, best_j)


@numba.njit(cache=True, nogil=True)
def _trace(steps, i, j):
    m = steps.shape[1] - 1
    found = np.full(m, -2, np.int64)
    state = FROM_MATCH
    while i >= 0 and j >= 0:
        step = steps[i + 1, j + 1]
        if state == FROM_MATCH and step & 3 in (FROM_INSERTION, FROM_DELETION):
            state = step & 3
        if state == FROM_INSERTION:
            state = FROM_INSERTION if step & 4 else FROM_MATCH
            i -= 1
        elif state == FROM_DELETION:
            found[j] = -1
            state = FROM_DELETION if step & 8 else FROM_MATCH
            j -= 1
        else:
            found[j] = i
            if step & 3 == STOP:
                break
            i, j = i - 1, j - 1
    return found

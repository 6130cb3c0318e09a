"""Candidates by their open frame: the best start of each frame, and the chance of each start among those of its frame.

Rows of one frame stand together wherever candidates come from; nothing here relies on it but the speed.
"""

import numba
import numpy as np


def frame_groups(candidates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows grouped by open frame.

    Returns:
        Group number of each row, int64 [N], and the open-frame numbers of the groups, ascending, [F].
    """
    orf = candidates["orf"]
    if len(orf) == 0:
        return np.empty(0, np.int64), orf
    begins = np.concatenate(([0], np.flatnonzero(np.diff(orf)) + 1))
    # Runs of equal numbers are sorted, ten times fewer than rows.
    frames, group_of_run = np.unique(orf[begins], return_inverse=True)
    return np.repeat(group_of_run, np.diff(begins, append=len(orf))), frames


def best_starts(candidates: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Row of the best start of each open frame, in order of the frames; ties go to the longer gene, int64 [F]."""
    group, frames = frame_groups(candidates)
    n_codons = np.ascontiguousarray(candidates["n_codons"])
    return _best(np.asarray(scores, np.float64), n_codons, group, len(frames))


def rate_starts(candidates: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How starts stand among those of their frame.

    Returns:
        Log of the softmax of ``scores`` over the starts of each frame, float64 [N]; row of the best start of each, as
        ``best_starts`` gives it, int64 [F]; group number of each row, int64 [N].
    """
    group, frames = frame_groups(candidates)
    log_start = log_shares(np.asarray(scores, np.float64), group, len(frames))
    n_codons = np.ascontiguousarray(candidates["n_codons"])
    return log_start, _best(log_start, n_codons, group, len(frames)), group


@numba.njit(cache=True, nogil=True)
def log_shares(scores, group, n_groups):
    """Log of the softmax of float64 scores [N] over the rows of each of ``n_groups`` groups, [N]."""
    top = np.full(n_groups, -np.inf)
    for row in range(len(scores)):
        top[group[row]] = max(top[group[row]], scores[row])
    total = np.zeros(n_groups)
    for row in range(len(scores)):
        total[group[row]] += np.exp(scores[row] - top[group[row]])
    lost = top + np.log(total)
    out = np.empty(len(scores))
    for row in range(len(scores)):
        out[row] = scores[row] - lost[group[row]]
    return out


@numba.njit(cache=True, nogil=True)
def _best(scores, n_codons, group, n_groups):
    best = np.full(n_groups, -1, np.int64)
    for row in range(len(scores)):
        other = best[group[row]]
        is_better = other < 0 or scores[row] > scores[other]
        if is_better or (scores[row] == scores[other] and n_codons[row] > n_codons[other]):
            best[group[row]] = row
    return best

"""Rows of records and means over them, by hand and against loops."""

import numpy as np
import pytest

from genoformer.embeddings.windows import Means, Windows


@pytest.mark.parametrize(
    ("windows", "length", "expected"),
    [
        (Windows("record"), 7, [(0, 7)]),
        (Windows("record"), 0, [(0, 0)]),
        (Windows("base"), 3, [(0, 1), (1, 2), (2, 3)]),
        (Windows("window", 4, 4), 8, [(0, 4), (4, 8)]),
        (Windows("window", 4, 4), 9, [(0, 4), (4, 8), (8, 9)]),
        (Windows("window", 4, 2), 8, [(0, 4), (2, 6), (4, 8)]),
        (Windows("window", 4, 2), 9, [(0, 4), (2, 6), (4, 8), (6, 9)]),
        (Windows("window", 4, 4), 3, [(0, 3)]),
        (Windows("window", 4, 1), 4, [(0, 4)]),
        (Windows("window", 4, 3), 0, []),
    ],
)  # fmt: skip
def test_rows_of_a_record(windows, length, expected):
    starts, ends = windows.bounds(length, 0, windows.n_rows(length))
    assert list(zip(starts.tolist(), ends.tolist(), strict=True)) == expected


@pytest.mark.parametrize("length", [1, 5, 29, 30, 31, 100])
@pytest.mark.parametrize(("window", "step"), [(10, 10), (10, 3), (1, 1), (200, 7)])
def test_windows_cover_every_base_and_only_the_last_is_short(length, window, step):
    windows = Windows("window", window, step)
    starts, ends = windows.bounds(length, 0, windows.n_rows(length))
    assert starts[0] == 0 and ends[-1] == length
    assert (starts[1:] <= ends[:-1]).all() and (ends[:-1] - starts[:-1] == window).all() and (ends > starts).all()


def test_means_leave_out_unknown_bases_and_are_zero_without_known_ones():
    known = np.array([True, False, True, False, False, True])
    means = Means(np.array([0, 3]), np.array([3, 5]), known, 1)
    means.add(0, np.array([[1], [50], [3], [50], [50], [50]], np.float32))
    assert means.values().tolist() == [[2], [0]] and means.known_bp.tolist() == [2, 0]


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_means_do_not_depend_on_how_the_pieces_are_cut(cut):
    rng = np.random.default_rng(0)
    known, values = rng.random(50) < 0.8, rng.normal(size=(50, 3)).astype(np.float32)
    starts, ends = Windows("window", 12, 5).bounds(50, 1, 7)
    means = Means(starts, ends, known, 3)
    for start in range(0, 50, cut):
        means.add(start, values[start : start + cut])
    for row, start, end in zip(means.values(), starts, ends, strict=True):
        np.testing.assert_allclose(row, values[start:end][known[start:end]].astype(float).mean(axis=0), atol=1e-12)

"""What compiled code does with sixteen numbers."""

import numba
import numpy as np
import pytest
import torch

from genoformer.nn.layers.vectors import load, store_pairs, turn


@numba.njit
def turned(rows, n_rows, n_columns, into):
    for c in range(0, n_columns, 16):
        for r in range(0, n_rows, 16):
            turn(rows, r * n_columns + c, n_columns, into, c * n_rows + r, n_rows)


@numba.njit
def paired(one, other, into):
    store_pairs(into, 0, load(one, 0), load(other, 0))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_become_columns(dtype):
    rows = np.arange(32 * 48, dtype=dtype)
    into = np.zeros_like(rows)
    turned(rows, 32, 48, into)
    np.testing.assert_array_equal(into.reshape(48, 32), rows.reshape(32, 48).T)


def test_words_hold_two_numbers_each_rounded_as_torch_rounds():
    one, other = torch.randn(16), torch.tensor([torch.nan, torch.inf, 1e-40, 3.4e38] * 4)
    into = np.zeros(16, np.float32)
    paired(one.numpy(), other.numpy(), into)
    words = torch.from_numpy(into.view(np.int16).copy()).view(torch.bfloat16).view(16, 2)
    torch.testing.assert_close(words, torch.stack((one, other), dim=1).bfloat16(), rtol=0, atol=0, equal_nan=True)

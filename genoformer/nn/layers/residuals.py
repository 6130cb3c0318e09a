"""Sums of two rows and their norm in one pass, without gradients: torch takes a pass for each step and each type.

Calls are short and keep Python's lock: threads that take it back in compiled code cannot be ended with their process.
"""

import numba
import numpy as np
import torch
from torch import Tensor, nn

from genoformer.nn.layers.vectors import (
    LANES,
    filled,
    load,
    load_from,
    load_halves,
    minus,
    plus,
    store,
    store_halves,
    store_to,
    sum_of,
    times,
)


def can_add(hidden: Tensor, *dtypes: torch.dtype) -> bool:
    """Whether ``add`` and ``add_and_norm`` take float32 states in whole vectors, and others of these types."""
    known = hidden.dtype == torch.float32 and all(dtype in (torch.float32, torch.bfloat16) for dtype in dtypes)
    return known and hidden.device.type == "cpu" and hidden.shape[-1] % LANES == 0


def add_and_norm(hidden: Tensor, added: Tensor, norm: nn.LayerNorm, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """``hidden + added``, and its norm.

    Args:
        hidden: float32 [n, D], contiguous.
        added: [n, D], contiguous; see ``can_add``.
        norm: Its weights.
        dtype: Of the normed rows, float32 or bfloat16.

    Returns:
        float32 [n, D]; ``dtype`` [n, D].
    """
    total, normed = torch.empty_like(hidden), hidden.new_empty(hidden.shape, dtype=dtype)
    _add_and_norm(
        _numbers(hidden), added.data_ptr(), added.dtype == torch.bfloat16, _numbers(norm.weight), _numbers(norm.bias),
        norm.eps, _numbers(total), normed.data_ptr(), dtype == torch.bfloat16,
    )  # fmt: skip
    return total, normed


def add(hidden: Tensor, added: Tensor, out: Tensor) -> None:
    """Write ``hidden + added`` to ``out``, float32 [n, D]; arguments as for ``add_and_norm``."""
    _add(_numbers(hidden), added.data_ptr(), added.dtype == torch.bfloat16, _numbers(out))


def _numbers(rows: Tensor) -> np.ndarray:
    """Float32 as one row."""
    return rows.detach().view(-1).numpy()


# States of either type are addresses, so that a function has one signature: of several, processes that compile at the
# same time may put one in the place of another on disk.


@numba.njit(cache=True)
def _added(hidden, address, is_half, place):
    more = load_halves(address + 2 * place, hidden) if is_half else load_from(address, place, hidden)
    return plus(load(hidden, place), more)


@numba.njit(cache=True)
def _add(hidden, address, is_half, out):
    for place in range(0, len(hidden), LANES):
        store(out, place, _added(hidden, address, is_half, place))


@numba.njit(cache=True)
def _add_and_norm(hidden, address, is_half, weight, bias, eps, total, normed, is_half_normed):
    width, nothing = len(weight), np.float32(0)
    for row in range(0, len(hidden), width):
        sums, squares = filled(nothing), filled(nothing)
        for c in range(0, width, LANES):
            found = _added(hidden, address, is_half, row + c)
            store(total, row + c, found)
            sums = plus(sums, found)
        mean = filled(np.float32(sum_of(sums) / width))
        for c in range(0, width, LANES):
            off = minus(load(total, row + c), mean)
            squares = plus(squares, times(off, off))
        scale = filled(np.float32(1 / np.sqrt(sum_of(squares) / width + eps)))
        for c in range(0, width, LANES):
            off = times(minus(load(total, row + c), mean), scale)
            found = plus(times(off, load(weight, c)), load(bias, c))
            if is_half_normed:
                store_halves(normed + 2 * (row + c), found)
            else:
                store_to(normed, row + c, found)

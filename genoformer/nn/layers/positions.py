"""Rotary positions: queries and keys turn with the token index, so that scores depend on the offset alone.

Axial positions: tables that are learned, of the rows and of the columns in which the tokens are laid.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

ROTARY_BASE = 10000.0
Rotary = tuple[Tensor, Tensor]


class AxialPositions(nn.Module):
    """Learned positions without a row for each: token ``i`` has row ``i // C`` of one table, row ``i % C`` of another.

    Args:
        shape: Rows R and columns C.
        widths: Features of the row and of the column, side by side.

    Reference:
        Kitaev et al. 2020, Reformer, arXiv:2001.04451, appendix D.
    """

    def __init__(self, shape: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.rows, self.columns = (nn.Parameter(torch.zeros(n, width)) for n, width in zip(shape, widths, strict=True))
        self.num_embeddings = shape[0] * shape[1]

    def first(self, n_tokens: int) -> Tensor:
        """Positions 0 to ``n_tokens - 1``, [T, sum of widths]."""
        n_columns = len(self.columns)
        n_rows = -(-n_tokens // n_columns)
        rows = self.rows[:n_rows, None].expand(-1, n_columns, -1)
        columns = self.columns[None].expand(n_rows, -1, -1)
        return torch.cat((rows, columns), dim=-1).flatten(0, 1)[:n_tokens]


class RotaryPositions(nn.Module):
    """Cosines and sines of the turning angles, kept for the longest input seen.

    Component ``i`` of the first half of a head turns with component ``i`` of the second half.

    Args:
        d_head: Width of a head, even.

    Reference:
        Su et al. 2021, RoFormer, section 3.2.2: frequencies ``10000 ** (-2 i / d_head)``.
    """

    def __init__(self, d_head: int) -> None:
        super().__init__()
        self.d_head = d_head
        self._table: tuple[Tensor, Tensor] | None = None

    def forward(self, n_tokens: int, *, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
        """Angles of token 0 to ``n_tokens - 1``.

        Returns:
            (cosines, sines), each [T, d_head / 2], at least float32.
        """
        dtype = torch.promote_types(dtype, torch.float32)
        table = self._table
        if table is None or len(table[0]) < n_tokens or table[0].dtype != dtype or table[0].device != device:
            table = self._table = rotary_angles(n_tokens, self.d_head, dtype=dtype, device=device)
        return table[0][:n_tokens], table[1][:n_tokens]


def rotary_angles(n_tokens: int, d_head: int, *, dtype: torch.dtype, device=None) -> tuple[Tensor, Tensor]:
    """(cosines, sines) of ``n_tokens`` positions, each [T, d_head / 2]; computed in float64, then rounded."""
    with torch.inference_mode(False), torch.no_grad():
        half = torch.arange(d_head // 2, dtype=torch.float64, device=device)
        frequencies = ROTARY_BASE ** (-2.0 * half / d_head)
        angles = torch.arange(n_tokens, dtype=torch.float64, device=device)[:, None] * frequencies
        return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Turn queries or keys.

    Args:
        states: [..., T, d_head].
        cosines: [T, d_head / 2], or what broadcasts with the halves.
        sines: Like ``cosines``.

    Returns:
        Like ``states``, same dtype; the arithmetic is in the dtype of the angles.
    """
    return _Rotate.apply(states, cosines, sines)


def turn(states: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """``rotate`` without a gradient. One conversion, then whole rows: faster than arithmetic on strided halves."""
    half = states.shape[-1] // 2
    exact = states.to(cosines.dtype, memory_format=torch.contiguous_format)
    swapped = torch.cat((exact[..., half:], exact[..., :half]), dim=-1)
    turned = swapped.mul_(torch.cat((-sines, sines), dim=-1)).addcmul_(exact, torch.cat((cosines, cosines), dim=-1))
    return turned.to(states.dtype)


class _Rotate(torch.autograd.Function):
    """The gradient of a turn is the turn back, so nothing but the angles is kept."""

    @staticmethod
    def forward(ctx, states, cosines, sines):
        ctx.save_for_backward(cosines, sines)
        return turn(states, cosines, sines)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        cosines, sines = ctx.saved_tensors
        return turn(gradient, cosines, -sines), None, None

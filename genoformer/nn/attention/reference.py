"""What attention is: dense, obvious and slow. Every fast path is tested against this module, and none imports it."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.nn.attention.masks import attention_mask


def reference_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    window_radius: int,
    dilation: int | Sequence[int] = 1,
    valid_mask: Tensor | None = None,
    global_mask: Tensor | None = None,
    rotary: tuple[Tensor, Tensor] | None = None,
    global_projections: tuple[Tensor, Tensor, Tensor] | None = None,
    dropout: float = 0.0,
    is_causal: bool = False,
) -> Tensor:
    """Sliding-window attention with global tokens.

    A window query scores the non-global keys of its window with rotated query and key, and every global key with the
    same query and key unrotated; one softmax runs over both. A global query uses its own projections, unrotated, over
    all valid tokens. A row that may attend to nothing is zero.

    An offset is the number of tokens from one to the other in the row, and rotary scores depend on it alone: tokens in
    front of a sequence, global or not, shift nothing, and a token that is marked as global keeps its place, so that the
    offsets of the others stay.

    Args:
        query: [B, H, T, d_head], not rotated, any floating dtype.
        key: Like ``query``.
        value: Like ``query``.
        window_radius: Tokens seen on each side.
        dilation: Step between the tokens of a window, for all heads or one per head.
        valid_mask: bool [B, T], True = real; None = all.
        global_mask: bool [B, T], True = global; None = none.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
        global_projections: (query, key, value) of the global queries, like ``query``; None leaves their rows zero.
        dropout: Share of the weights of window queries that is dropped.
        is_causal: A window query sees no window key behind itself.

    Returns:
        [B, H, T, d_head]; rows of padding are zero.

    Reference:
        Beltagy, Peters and Cohan 2020, Longformer, section 3.1.
    """
    B, _, T, _ = query.shape
    ones = torch.ones(B, T, dtype=torch.bool, device=query.device)
    valid_mask = ones if valid_mask is None else valid_mask
    global_mask = ~ones if global_mask is None else global_mask & valid_mask
    window, through_global = attention_mask(
        valid_mask, global_mask, window_radius=window_radius, dilation=dilation, is_causal=is_causal
    )
    scores = torch.where(window, _scores(_turn(query, rotary), _turn(key, rotary)), _scores(query, key))
    is_global_row = global_mask[:, None, :, None]
    local = _weighted(scores, (window | through_global) & ~is_global_row, value, dropout)
    if global_projections is None:
        return local
    global_query, global_key, global_value = global_projections
    return local + _weighted(_scores(global_query, global_key), through_global & is_global_row, global_value)


def _scores(query: Tensor, key: Tensor) -> Tensor:
    return query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5


def _weighted(scores: Tensor, mask: Tensor, value: Tensor, dropout: float = 0.0) -> Tensor:
    """Softmax over the allowed pairs; rows without any are zero."""
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=-1)
    return F.dropout(weights.masked_fill(~mask, 0.0), dropout) @ value


def _turn(states: Tensor, rotary: tuple[Tensor, Tensor] | None) -> Tensor:
    if rotary is None:
        return states
    cosines, sines = rotary
    first, second = states.chunk(2, dim=-1)
    turned = torch.cat((first * cosines - second * sines, first * sines + second * cosines), dim=-1)
    return turned.to(states.dtype)

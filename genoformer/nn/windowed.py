"""The fast ways through a window with global keys: dense for short inputs, blocks for long ones."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.nn.blocked import MIN_BLOCK, blocked_window_attention
from genoformer.nn.masks import TokenRoles, attention_mask, masked_score
from genoformer.nn.positions import rotate

Rotary = tuple[Tensor, Tensor]


def fast_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    roles: TokenRoles,
    *,
    window_radius: int,
    dilation: int,
    rotary: Rotary | None,
    backend: str,
) -> Tensor:
    """Attention of the window queries, linear in T unless the input is short or the window covers it.

    Args:
        query: [B, H, T, d_head], not rotated.
        key: Like ``query``.
        value: Like ``query``.
        roles: Padding and global tokens.
        window_radius: Tokens seen on each side.
        dilation: Step between the tokens of a window.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
        backend: "blocked", "sdpa" or "auto".

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.
    """
    T = query.shape[2]
    queries = (query, query if rotary is None else rotate(query, *rotary))
    keys = (key, key if rotary is None else rotate(key, *rotary))
    # Measured on CPU for radii of 32 to 256: blocks win as soon as a block and its window do not cover the input.
    is_short = T <= 2 * window_radius + MIN_BLOCK
    attend = _attend_densely if backend == "sdpa" or (backend == "auto" and is_short) else _attend_in_blocks
    return _clear_rows(attend(queries, keys, value, roles, window_radius, dilation), roles)


def _attend_densely(queries, keys, value, roles: TokenRoles, radius: int, dilation: int) -> Tensor:
    """All pairs at once. Turned and plain halves side by side give a global key its unrotated score."""
    B, _, T, d_head = value.shape
    query, key = queries[1], keys[1]
    if roles.valid_mask is None and roles.global_mask is None and radius >= T - 1 and dilation == 1:
        return F.scaled_dot_product_attention(query, key, value)
    ones = torch.ones(B, T, dtype=torch.bool, device=value.device)
    valid_mask = ones if roles.valid_mask is None else roles.valid_mask
    global_mask = ~ones if roles.global_mask is None else roles.global_mask
    window, through_global = attention_mask(valid_mask, global_mask, window_radius=radius, dilation=dilation)
    if roles.global_mask is not None:
        is_global = global_mask[:, None, :, None]
        query = torch.cat((query, queries[0]), dim=-1)
        key = torch.cat((key.masked_fill(is_global, 0.0), keys[0].masked_fill(~is_global, 0.0)), dim=-1)
        value = F.pad(value, (0, d_head))
    mask = window | through_global
    bias = torch.zeros_like(mask, dtype=query.dtype).masked_fill_(~mask, masked_score(query.dtype))
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=d_head**-0.5)
    return output[..., :d_head]


def _attend_in_blocks(queries, keys, value, roles: TokenRoles, radius: int, dilation: int) -> Tensor:
    """Windows in blocks; global keys are shared by all queries of their sample."""
    shared = {}
    if roles.global_mask is not None:
        scores, global_value = _global_keys(queries[0], keys[0], value, roles)
        shared["extra_scores"] = _fold(scores, dilation).flatten(0, 1)
        shared["extra_value"] = global_value.repeat_interleave(dilation, dim=0).flatten(0, 1)
    folded = (_fold(states, dilation).flatten(0, 1) for states in (queries[1], keys[1], value))
    key_mask = _window_keys(roles, value, dilation)
    output = blocked_window_attention(*folded, window_radius=radius, key_mask=key_mask, **shared)
    return _unfold(output, value.shape, dilation)


def _global_keys(query: Tensor, key: Tensor, value: Tensor, roles: TokenRoles) -> tuple[Tensor, Tensor]:
    """Every query meets the global keys of its sample: (scaled scores [B, H, T, G], values [B, H, G, d])."""
    positions = roles.global_positions[:, None, :, None].expand(-1, key.shape[1], -1, key.shape[3])
    global_key, global_value = key.gather(2, positions), value.gather(2, positions)  # [B, H, G, d]
    scores = query @ (global_key * query.shape[-1] ** -0.5).transpose(-1, -2)
    scores = scores.to(query.dtype).masked_fill(~roles.is_global_slot[:, None, None, :], masked_score(query.dtype))
    return scores, global_value


def _window_keys(roles: TokenRoles, value: Tensor, dilation: int) -> Tensor | None:
    """Keys that a window may see, bool [B * H * dilation, T']; None when that is all of them."""
    B, H, T, _ = value.shape
    if roles.valid_mask is None and roles.global_mask is None and T % dilation == 0:
        return None
    there = torch.ones(B, T, dtype=torch.bool, device=value.device)
    if roles.valid_mask is not None:
        there = there & roles.valid_mask
    if roles.global_mask is not None:
        there = there & ~roles.global_mask
    return _fold(there[:, None, :, None].expand(-1, H, -1, -1), dilation).flatten(0, 1)[..., 0]


def _fold(states: Tensor, dilation: int) -> Tensor:
    """[B, H, T, d] to [B * dilation, H, T / dilation, d]: in each row the dilated window is a plain one."""
    if dilation == 1:
        return states
    B, H, T, width = states.shape
    states = F.pad(states, (0, 0, 0, -T % dilation))
    return states.view(B, H, -1, dilation, width).permute(0, 3, 1, 2, 4).flatten(0, 1)


def _unfold(states: Tensor, shape: torch.Size, dilation: int) -> Tensor:
    """Inverse of ``_fold`` for flat [B * dilation * H, T / dilation, d]."""
    B, H, T, width = shape
    states = states.view(B, dilation, H, -1, width).permute(0, 2, 3, 1, 4)
    return states.reshape(B, H, -1, width)[:, :, :T]


def _clear_rows(output: Tensor, roles: TokenRoles) -> Tensor:
    """Zero the rows of padding and of global queries."""
    if roles.valid_mask is not None:
        output = output.masked_fill(~roles.valid_mask[:, None, :, None], 0.0)
    if roles.global_mask is not None:
        output = output.masked_fill(roles.global_mask[:, None, :, None], 0.0)
    return output

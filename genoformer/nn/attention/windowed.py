"""The fast ways through a window with global keys, and which one is taken."""

import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.nn.attention.blocked import MIN_BLOCK, blocked_attention
from genoformer.nn.attention.flex import flex_can_run, flex_window_attention
from genoformer.nn.attention.fused import fused_attention, fused_can_run
from genoformer.nn.attention.masks import TokenRoles, Window, attention_mask, masked_score
from genoformer.nn.layers.positions import Rotary, rotate


def fast_attention(
    qkv: Tensor, roles: TokenRoles, window: Window, *, rotary: Rotary | None = None, backend: str = "auto"
) -> Tensor:
    """Attention of the window queries, linear in T unless the input is short or the window covers it.

    Args:
        qkv: Query, key and value, not rotated, [3, B, H, T, d_head].
        roles: Padding and global tokens.
        window: Who is in whose window.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
        backend: "fused", "blocked", "sdpa", "flex" or "auto".

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.

    Raises:
        BackendError: If ``backend`` is "flex" or "fused" and cannot run here.
    """
    backend = fastest_backend(qkv, window) if backend == "auto" else backend
    attend = {
        "blocked": blocked_attention, "fused": fused_attention, "sdpa": dense_attention, "flex": flex_window_attention,
    }[backend]  # fmt: skip
    return attend(qkv, roles, window, rotary=rotary)


def fastest_backend(qkv: Tensor, window: Window) -> str:
    """The way that wins at this length, on this device, with this pattern."""
    if fused_can_run(qkv.device, qkv.dtype, window):
        return "fused"
    T, reach = qkv.shape[3], window.radius * max(window.dilations)
    # Measured on CPU for radii of 32 to 256: blocks win as soon as a block and its window do not cover the input.
    if T <= 2 * reach + MIN_BLOCK:
        return "sdpa"
    can_flex = not window.dropout and not window.is_causal and flex_can_run(qkv.device, qkv.dtype, qkv.shape[-1])
    return "flex" if can_flex else "blocked"


def dense_attention(qkv: Tensor, roles: TokenRoles, window: Window, *, rotary: Rotary | None = None) -> Tensor:
    """All pairs at once; arguments and result as in ``fast_attention``.

    Turned and plain halves side by side give a global key its unrotated score.
    """
    T, d_head = qkv.shape[3:]
    query, key = (states if rotary is None else rotate(states, *rotary) for states in qkv[:2])
    value, mask = qkv[2], None
    is_whole = roles.silent is None and window.radius >= T - 1 and max(window.dilations) == 1
    if not is_whole:
        mask = _dense_bias(roles, window, qkv)
    if roles.global_mask is not None and rotary is not None:
        is_global = roles.global_mask[:, None, :, None]
        query = torch.cat((query, qkv[0]), dim=-1)
        key = torch.cat((key.masked_fill(is_global, 0.0), qkv[1].masked_fill(~is_global, 0.0)), dim=-1)
        value = F.pad(value, (0, d_head))
    output = F.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=mask,
        dropout_p=window.dropout,
        scale=d_head**-0.5,
        is_causal=window.is_causal and is_whole,
    )[..., :d_head]
    return output if roles.silent is None else output.masked_fill(roles.silent[:, None, :, None], 0.0)


def _dense_bias(roles: TokenRoles, window: Window, qkv: Tensor) -> Tensor:
    """0 or the masked score of every pair, [B, 1 or H, T, T]; made once for all layers with the same window."""
    name = ("dense", window, qkv.dtype)
    if name not in roles.memory:
        ones = torch.ones(qkv.shape[1], qkv.shape[3], dtype=torch.bool, device=qkv.device)
        valid_mask = ones if roles.valid_mask is None else roles.valid_mask
        global_mask = ~ones if roles.global_mask is None else roles.global_mask
        near, through_global = attention_mask(
            valid_mask,
            global_mask,
            window_radius=window.radius,
            dilation=window.dilations,
            is_causal=window.is_causal,
        )
        mask = near | through_global
        bias = torch.zeros_like(mask, dtype=qkv.dtype).masked_fill_(~mask, masked_score(qkv.dtype))
        roles.memory[name] = bias
    return roles.memory[name]

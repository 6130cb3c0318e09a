"""The window on an NVIDIA GPU: FlexAttention over the blocks that a window touches, global keys merged afterwards.

FlexAttention scores a pair in one way only, but a global key is scored without rotation. So the window goes through
FlexAttention, the few global keys do not, and the two meet by their log-sum-exp: exactly one softmax over both.
"""

import importlib.util
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import AuxRequest, BlockMask, flex_attention

from genoformer.nn.attention.masks import TokenRoles, Window, masked_score
from genoformer.nn.layers.positions import Rotary, rotate
from genoformer.nn.layers.refusals import BackendError

BLOCK = 128
MIN_HEAD = 16
BUCKETS_PER_OCTAVE = 8


def flex_can_run(device: torch.device, dtype: torch.dtype, d_head: int) -> bool:
    """FlexAttention is compiled for NVIDIA GPUs, half and single precision; elsewhere it would be dense."""
    has_compiler = importlib.util.find_spec("triton") is not None
    return device.type == "cuda" and has_compiler and dtype != torch.float64 and d_head >= MIN_HEAD


def flex_window_attention(
    qkv: Tensor, roles: TokenRoles, window: Window, *, rotary: Rotary | None = None, is_compiled: bool = True
) -> Tensor:
    """Attention of the window queries; arguments and result as in ``blocked.blocked_attention``.

    Args:
        qkv: [3, B, H, T, d_head].
        roles: Padding and global tokens.
        window: Without dropout.
        rotary: (cosines, sines), or None.
        is_compiled: False computes the dense equivalent, on any device: for tests.

    Raises:
        BackendError: If FlexAttention cannot run here, or the window is causal.
    """
    if window.is_causal:
        raise BackendError("attention backend flex cannot be causal.")
    if is_compiled and (window.dropout or not flex_can_run(qkv.device, qkv.dtype, qkv.shape[-1])):
        message = (
            f"attention backend flex needs an NVIDIA GPU with Triton, float32, float16 or bfloat16, heads of at least "
            f"{MIN_HEAD} and no dropout of attention in training; found {qkv.device.type}, {qkv.dtype}, heads of "
            f"{qkv.shape[-1]} and dropout {window.dropout}."
        )
        raise BackendError(message)
    T = qkv.shape[3]
    query, key = (states if rotary is None else rotate(states, *rotary) for states in qkv[:2])
    padding = bucket(T) - T
    states = [F.pad(part, (0, 0, 0, padding)) for part in (query, key, qkv[2])]
    attend = _compiled() if is_compiled else flex_attention
    output, aux = attend(*states, block_mask=_block_mask(roles, window, T, qkv.device), return_aux=AuxRequest(lse=True))
    output, lse = output[:, :, :T], aux.lse[:, :, :T]
    if roles.global_mask is not None:
        output = _merge_globals(output, lse, qkv, roles)
    return output if roles.silent is None else output.masked_fill(roles.silent[:, None, :, None], 0.0)


def bucket(n_tokens: int) -> int:
    """Length that an input is padded to: eight between one power of two and the next, so that few are compiled."""
    step = max(BLOCK, 2 ** (n_tokens.bit_length() - 1) // BUCKETS_PER_OCTAVE)
    return -(-n_tokens // step) * step


@lru_cache(maxsize=1)
def _compiled():
    return torch.compile(flex_attention, dynamic=False)


def _block_mask(roles: TokenRoles, window: Window, n_tokens: int, device: torch.device) -> BlockMask:
    """Made once for a batch, or once for all batches without padding and global tokens."""
    if roles.window_keys is None:
        return _block_mask_of_length(window.radius, window.dilations, n_tokens, device)
    if ("flex", window) not in roles.memory:
        keys = F.pad(roles.window_keys, (0, bucket(n_tokens) - n_tokens))
        roles.memory["flex", window] = window_block_mask(window.radius, window.dilations, keys)
    return roles.memory["flex", window]


@lru_cache(maxsize=64)
def _block_mask_of_length(radius: int, dilations: tuple[int, ...], n_tokens: int, device: torch.device) -> BlockMask:
    with torch.inference_mode(False):
        keys = torch.arange(bucket(n_tokens), device=device)[None] < n_tokens
        return window_block_mask(radius, dilations, keys)


def window_block_mask(radius: int, dilations: tuple[int, ...], keys: Tensor) -> BlockMask:
    """The blocks that a window touches, found without looking at pairs of tokens: linear in length.

    Args:
        radius: Tokens seen on each side.
        dilations: Of all heads, or of each.
        keys: Keys that a window may hold, bool [B, T], T a multiple of the block; B is 1 when it is the same for all.
    """
    reach = -(-radius * max(dilations) // BLOCK)
    T = keys.shape[1]
    n = T // BLOCK
    reach = min(reach, n - 1)
    offset = torch.arange(-reach, reach + 1, device=keys.device)
    column = torch.arange(n, device=keys.device)[:, None] + offset  # [n, 2 reach + 1]
    is_there = (column >= 0) & (column < n)
    column = column.clamp(0, n - 1)
    is_whole = keys.unflatten(1, (n, BLOCK)).all(-1)  # [B, n]
    is_inside = (offset.abs() + 1) * BLOCK - 1 <= radius if max(dilations) == 1 else torch.zeros_like(offset).bool()
    is_full = is_there & is_inside & is_whole[:, :, None] & is_whole[:, column]  # [B, n, 2 reach + 1]
    partial, full = (_listed(column, mask) for mask in (is_there & ~is_full, is_full))
    # Both lists are symmetric in query and key, so that the blocks of queries of a key are those of keys of a query.
    mask = _mask_mod(radius, torch.tensor(dilations, device=keys.device), keys)
    return BlockMask((T, T), *partial, *full, *partial, *full, (BLOCK, BLOCK), mask)


def _listed(column: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """(how many, which first) of the block columns [n, w] in ``mask`` [B, n, w]: int32 [B, 1, n] and [B, 1, n, w]."""
    order = torch.argsort(~mask, dim=-1, stable=True)
    listed = column.expand_as(mask).gather(-1, order)
    return mask.sum(-1, dtype=torch.int32)[:, None], listed.to(torch.int32)[:, None].contiguous()


def _mask_mod(radius: int, dilations: Tensor, keys: Tensor):
    """Who sees whom, as FlexAttention asks for it; rows of padding and global queries are cleared later."""
    n_samples, n_dilations = len(keys), len(dilations)

    def sees(b, h, q, k):
        step = dilations[h if n_dilations > 1 else 0]
        distance = (q - k).abs()
        return (distance <= radius * step) & (distance % step == 0) & keys[b if n_samples > 1 else 0, k]

    return sees


def _merge_globals(output: Tensor, lse: Tensor, qkv: Tensor, roles: TokenRoles) -> Tensor:
    """One softmax over window and global keys, from the window's output [B, H, T, d] and log-sum-exp [B, H, T]."""
    query, key, value = qkv
    positions, is_slot = roles.slots
    positions = positions[:, None, :, None].expand(-1, key.shape[1], -1, key.shape[3])
    global_key, global_value = key.gather(2, positions), value.gather(2, positions)  # [B, H, G, d]
    scores = (query @ global_key.transpose(-1, -2)).to(lse.dtype) * query.shape[-1] ** -0.5
    scores = scores.masked_fill(~is_slot[:, None, None, :], masked_score(lse.dtype))
    total = torch.logaddexp(lse, scores.logsumexp(-1))[..., None]
    through_global = (scores - total).exp().to(value.dtype) @ global_value
    return output * (lse[..., None] - total).exp().to(output.dtype) + through_global

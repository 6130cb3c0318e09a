"""Sliding-window attention in blocks: a block of queries meets one slice of keys, so that the cost is linear in length.

The queries are cut into blocks of ``c``. Block ``b`` scores the keys [(b - m) c, (b + m + 1) c), m c >= radius, and a
small band mask, shared by all blocks, cuts them to the window. A few blocks at a time go through, so that their scores
stay in the cache.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.nn.masks import masked_score

MIN_BLOCK = 32
MAX_BLOCK = 128
MATRICES_AT_A_TIME = 64
KEPT_WEIGHTS_BYTES = 256 * 2**20


@dataclass(frozen=True)
class _Cut:
    """How T tokens are cut.

    Args:
        n_tokens: T.
        block: Queries of a block, c.
        reach: Blocks of keys on each side, m.
        at_a_time: Blocks that go through together.
    """

    n_tokens: int
    block: int
    reach: int
    at_a_time: int

    @property
    def n_blocks(self) -> int:
        return -(-self.n_tokens // self.block)

    @property
    def window(self) -> int:
        return (2 * self.reach + 1) * self.block

    @property
    def steps(self) -> list[tuple[int, int]]:
        return [(b, min(b + self.at_a_time, self.n_blocks)) for b in range(0, self.n_blocks, self.at_a_time)]


def blocked_window_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    window_radius: int,
    key_mask: Tensor | None = None,
    need_log_sum: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Attention of every query to the keys at most ``window_radius`` away.

    Args:
        query: [N, T, d_head], rotated where positions are rotary.
        key: Like ``query``.
        value: Like ``query``.
        window_radius: Tokens seen on each side; more than T is legal.
        key_mask: bool [N, T], False = nobody attends to this key; None = all keys are there.
        need_log_sum: Compute the second result.

    Returns:
        (output [N, T, d_head], log_sum [N, T] of the exponentials of the scores, at least float32, or None). Rows
        that see no key hold finite values without meaning, and a very negative ``log_sum``.
    """
    N, T, _ = query.shape
    radius = min(window_radius, T)
    reach = -(-radius // MAX_BLOCK)
    block = max(MIN_BLOCK, -(-radius // reach))
    at_a_time = max(1, MATRICES_AT_A_TIME // N) if query.device.type == "cpu" else T
    cut = _Cut(T, block, reach, at_a_time)
    # Autocast would turn scores and weights into float32 copies; softmax adds in float32 inside for any dtype.
    with torch.autocast(query.device.type, enabled=False):
        return _WindowAttention.apply(query, key, value, key_mask, radius, cut, need_log_sum)


class _WindowAttention(torch.autograd.Function):
    """Weights are kept for the backward pass where they are small, and computed again where they are not."""

    @staticmethod
    def forward(ctx, query, key, value, key_mask, radius, cut, need_log_sum):
        query, key, value = _pad_queries(query, cut), _pad_keys(key, cut), _pad_keys(value, cut)
        bias, band = _key_bias(key_mask, query.dtype, cut), _band(query, radius, cut)
        output = torch.empty_like(query)
        log_sum = query.new_empty(query.shape[:2], dtype=torch.promote_types(query.dtype, torch.float32))
        kept, keep = [], any(ctx.needs_input_grad[:3]) and _weights_bytes(query, cut) <= KEPT_WEIGHTS_BYTES
        for step in cut.steps:
            scores = _scores(query, key, bias, band, cut, step)
            if need_log_sum:
                _rows(log_sum, cut, step).copy_(scores.to(log_sum.dtype).logsumexp(-1).view(len(query), -1))
            weights = scores.softmax(-1)
            _put(output, weights @ _windows(value, cut, step), cut, step)
            if keep:
                kept.append(weights)
        ctx.save_for_backward(query, key, value, bias, band, *kept)
        ctx.cut = cut
        return output[:, : cut.n_tokens], log_sum[:, : cut.n_tokens] if need_log_sum else None

    @staticmethod
    @once_differentiable
    def backward(ctx, output_gradient, log_sum_gradient):
        query, key, value, bias, band, *kept = ctx.saved_tensors
        cut = ctx.cut
        grad_output = _pad_queries(output_gradient, cut)
        grad_log_sum = None if log_sum_gradient is None else F.pad(log_sum_gradient, (0, query.shape[1] - cut.n_tokens))
        grad_query, grad_key, grad_value = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        for number, step in enumerate(cut.steps):
            weights = kept[number] if kept else _scores(query, key, bias, band, cut, step).softmax(-1)
            block_gradient = _blocks(grad_output, cut, step)
            _add_windows(grad_value, weights.transpose(1, 2) @ block_gradient, cut, step)
            grad_weights = block_gradient @ _windows(value, cut, step).transpose(1, 2)
            grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
            if grad_log_sum is not None:
                extra = _rows(grad_log_sum, cut, step).reshape(-1, cut.block, 1)
                grad_scores.addcmul_(weights, extra.to(weights.dtype))
            _put(grad_query, grad_scores @ _windows(key, cut, step), cut, step)
            _add_windows(grad_key, grad_scores.transpose(1, 2) @ _blocks(query, cut, step), cut, step)
        own = slice(cut.reach * cut.block, cut.reach * cut.block + cut.n_tokens)
        scale = query.shape[-1] ** -0.5
        grad_query = grad_query[:, : cut.n_tokens].mul_(scale)
        return grad_query, grad_key[:, own].mul_(scale), grad_value[:, own], None, None, None, None


def _pad_queries(states: Tensor, cut: _Cut) -> Tensor:
    """[N, T, d] to whole blocks, [N, n c, d]."""
    return F.pad(states, (0, 0, 0, cut.n_blocks * cut.block - cut.n_tokens)).contiguous()


def _pad_keys(states: Tensor, cut: _Cut) -> Tensor:
    """[N, T, d] to whole blocks and the reach on both sides, [N, (n + 2 m) c, d]."""
    side = cut.reach * cut.block
    return F.pad(states, (0, 0, side, side + cut.n_blocks * cut.block - cut.n_tokens))


def _band(query: Tensor, radius: int, cut: _Cut) -> Tensor:
    """What keeps a block inside its window: 0 or the masked score, [1, c, (2 m + 1) c]."""
    row = torch.arange(cut.block, device=query.device)[:, None] + cut.reach * cut.block
    column = torch.arange(cut.window, device=query.device)[None, :]
    band = query.new_zeros(1, cut.block, cut.window)
    return band.masked_fill_((row - column).abs() > radius, masked_score(query.dtype))


def _key_bias(key_mask: Tensor | None, dtype: torch.dtype, cut: _Cut) -> Tensor | None:
    """0 or the masked score of each key, [N, (n + 2 m) c]; None when only the ends of the input are missing."""
    if key_mask is None:
        return None
    side = cut.reach * cut.block
    there = F.pad(key_mask, (side, side + cut.n_blocks * cut.block - cut.n_tokens))
    return torch.zeros_like(there, dtype=dtype).masked_fill_(~there, masked_score(dtype))


def _weights_bytes(query: Tensor, cut: _Cut) -> int:
    return query.shape[0] * query.shape[1] * cut.window * query.element_size()


def _rows(states: Tensor, cut: _Cut, step: tuple[int, int]) -> Tensor:
    return states[:, step[0] * cut.block : step[1] * cut.block]


def _put(states: Tensor, blocks: Tensor, cut: _Cut, step: tuple[int, int]) -> None:
    """Write blocks [N b, c, d] where they belong in [N, n c, d]."""
    _rows(states, cut, step).copy_(blocks.view(states.shape[0], -1, states.shape[2]))


def _blocks(states: Tensor, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """[N, n c, d] to the blocks of one step, [N b, c, d]."""
    return _rows(states, cut, step).reshape(-1, cut.block, states.shape[-1])


def _windows(states: Tensor, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """[N, (n + 2 m) c, d] to the slices that the blocks of one step see, [N b, (2 m + 1) c, d]."""
    seen = states[:, step[0] * cut.block : (step[1] + 2 * cut.reach) * cut.block]
    windows = seen.unfold(1, cut.window, cut.block).transpose(2, 3)  # [N, b, (2 m + 1) c, d]
    return windows.reshape(-1, cut.window, states.shape[-1])


def _add_windows(total: Tensor, windows: Tensor, cut: _Cut, step: tuple[int, int]) -> None:
    """Inverse of ``_windows`` for gradients: slices that overlap add up in ``total`` [N, (n + 2 m) c, d]."""
    N, _, width = total.shape
    first, last = step
    slices = windows.view(N, last - first, 2 * cut.reach + 1, cut.block, width)
    for part in range(2 * cut.reach + 1):
        rows = total[:, (first + part) * cut.block : (last + part) * cut.block]
        rows.view(N, last - first, cut.block, width).add_(slices[:, :, part])


def _scores(query, key, bias, band, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """Scaled and masked scores of one step, [N b, c, (2 m + 1) c]."""
    blocks, windows = _blocks(query, cut, step), _windows(key, cut, step)
    scores = torch.baddbmm(band, blocks, windows.transpose(1, 2), alpha=query.shape[-1] ** -0.5)
    by_block = scores.view(query.shape[0], -1, cut.block, cut.window)
    if bias is not None:
        by_block.add_(_windows(bias[..., None], cut, step).view(query.shape[0], -1, 1, cut.window))
    else:
        _mask_ends(by_block, cut, step)
    return scores


def _mask_ends(scores: Tensor, cut: _Cut, step: tuple[int, int]) -> None:
    """Forbid the keys before the first and after the last token; scores [N, b, c, (2 m + 1) c]."""
    if step[0] >= cut.reach and (step[1] + cut.reach) * cut.block <= cut.n_tokens:
        return
    block = torch.arange(*step, device=scores.device)[:, None]
    position = (block - cut.reach) * cut.block + torch.arange(cut.window, device=scores.device)[None]
    outside = (position < 0) | (position >= cut.n_tokens)
    scores.masked_fill_(outside[None, :, None], masked_score(scores.dtype))

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
ALIGNED_COLUMNS = 16
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
    extra_scores: Tensor | None = None,
    extra_value: Tensor | None = None,
) -> Tensor:
    """Attention of every query to the keys at most ``window_radius`` away, and to some that all queries share.

    Args:
        query: [N, T, d_head], rotated where positions are rotary.
        key: Like ``query``.
        value: Like ``query``.
        window_radius: Tokens seen on each side; more than T is legal.
        key_mask: bool [N, T], False = in nobody's window; None = all keys are there.
        extra_scores: Scaled scores of the shared keys, [N, T, G], in the dtype of ``query``; None = there are none.
        extra_value: Values of the shared keys, [N, G, d_head].

    Returns:
        [N, T, d_head]; one softmax runs over window and shared keys. Rows that see no key hold finite values without
        meaning.
    """
    N, T, _ = query.shape
    radius = min(window_radius, T)
    reach = -(-radius // MAX_BLOCK)
    block = max(MIN_BLOCK, -(-radius // reach))
    at_a_time = max(1, MATRICES_AT_A_TIME // N) if query.device.type == "cpu" else T
    if extra_scores is not None:
        missing = -extra_scores.shape[-1] % ALIGNED_COLUMNS
        extra_scores = F.pad(extra_scores, (0, missing), value=masked_score(query.dtype))
        extra_value = F.pad(extra_value, (0, 0, 0, missing))
    # Autocast would turn scores and weights into float32 copies; softmax adds in float32 inside for any dtype.
    with torch.autocast(query.device.type, enabled=False):
        cut = _Cut(T, block, reach, at_a_time)
        return _WindowAttention.apply(query, key, value, extra_scores, extra_value, key_mask, radius, cut)


class _WindowAttention(torch.autograd.Function):
    """Weights are kept for the backward pass where they are small, and computed again where they are not."""

    @staticmethod
    def forward(ctx, query, key, value, extra_scores, extra_value, key_mask, radius, cut):
        query, key, value = _pad_queries(query, cut), _pad_keys(key, cut), _pad_keys(value, cut)
        if extra_scores is not None:
            extra_scores = _pad_queries(extra_scores, cut)
        bias, band = _key_bias(key_mask, query.dtype, cut), _band(query, radius, cut)
        output = torch.empty_like(query)
        kept, keep = [], any(ctx.needs_input_grad) and _weights_bytes(query, cut) <= KEPT_WEIGHTS_BYTES
        for step in cut.steps:
            weights = _weights(query, key, bias, band, extra_scores, cut, step)
            _put(output, weights @ _windows(value, cut, step, extra_value), cut, step)
            if keep:
                kept.append(weights)
        ctx.save_for_backward(query, key, value, extra_scores, extra_value, bias, band, *kept)
        ctx.cut = cut
        return output[:, : cut.n_tokens]

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        query, key, value, extra_scores, extra_value, bias, band, *kept = ctx.saved_tensors
        cut, K = ctx.cut, ctx.cut.window
        gradient = _pad_queries(gradient, cut)
        grad_query, grad_key, grad_value = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
        grad_extra_scores, grad_extra_value = _empty_like(extra_scores), _zeros_like(extra_value)
        for number, step in enumerate(cut.steps):
            weights = kept[number] if kept else _weights(query, key, bias, band, extra_scores, cut, step)
            block_gradient = _blocks(gradient, cut, step)
            grad_windows = weights.transpose(1, 2) @ block_gradient
            grad_weights = block_gradient @ _windows(value, cut, step, extra_value).transpose(1, 2)
            grad_scores = torch._softmax_backward_data(grad_weights, weights, -1, weights.dtype)
            _add_windows(grad_value, grad_windows[:, :K], cut, step)
            if extra_scores is not None:
                grad_extra_value += grad_windows[:, K:].unflatten(0, (len(query), -1)).sum(1)
                _put(grad_extra_scores, grad_scores[..., K:], cut, step)
                grad_scores = grad_scores[..., :K]
            _put(grad_query, grad_scores @ _windows(key, cut, step), cut, step)
            _add_windows(grad_key, grad_scores.transpose(1, 2) @ _blocks(query, cut, step), cut, step)
        own = slice(cut.reach * cut.block, cut.reach * cut.block + cut.n_tokens)
        scale = query.shape[-1] ** -0.5
        grad_query, grad_key = grad_query[:, : cut.n_tokens].mul_(scale), grad_key[:, own].mul_(scale)
        if extra_scores is not None:
            grad_extra_scores = grad_extra_scores[:, : cut.n_tokens]
        return grad_query, grad_key, grad_value[:, own], grad_extra_scores, grad_extra_value, None, None, None


def _empty_like(states: Tensor | None) -> Tensor | None:
    return None if states is None else torch.empty_like(states)


def _zeros_like(states: Tensor | None) -> Tensor | None:
    return None if states is None else torch.zeros_like(states)


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


def _blocks_of(states: Tensor, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """View of the blocks of one step, [N, b, c, d] of [N, n c, d]."""
    return states[:, step[0] * cut.block : step[1] * cut.block].unflatten(1, (-1, cut.block))


def _key_rows(states: Tensor, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """What all blocks of one step see, of [N, (n + 2 m) c, ...]."""
    return states[:, step[0] * cut.block : (step[1] + 2 * cut.reach) * cut.block]


def _put(states: Tensor, blocks: Tensor, cut: _Cut, step: tuple[int, int]) -> None:
    """Write blocks [N b, c, d] where they belong in [N, n c, d]."""
    _blocks_of(states, cut, step).copy_(blocks.unflatten(0, (states.shape[0], -1)))


def _blocks(states: Tensor, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """Copy of the blocks of one step, [N b, c, d] of [N, n c, d]."""
    return _blocks_of(states, cut, step).reshape(-1, cut.block, states.shape[-1])


def _windows(states: Tensor, cut: _Cut, step: tuple[int, int], extra: Tensor | None = None) -> Tensor:
    """What the blocks of one step see, [N b, (2 m + 1) c, d] of [N, (n + 2 m) c, d], and ``extra`` [N, G, d] below."""
    windows = _key_rows(states, cut, step).unfold(1, cut.window, cut.block).transpose(2, 3)  # [N, b, (2 m + 1) c, d]
    if extra is not None:
        windows = torch.cat((windows, extra[:, None].expand(-1, windows.shape[1], -1, -1)), dim=2)
    return windows.reshape(-1, windows.shape[2], states.shape[-1])


def _add_windows(total: Tensor, windows: Tensor, cut: _Cut, step: tuple[int, int]) -> None:
    """Inverse of ``_windows`` for gradients: slices that overlap add up in ``total`` [N, (n + 2 m) c, d]."""
    N, _, width = total.shape
    first, last = step
    slices = windows.unflatten(0, (N, -1)).unflatten(2, (-1, cut.block))
    for part in range(2 * cut.reach + 1):
        rows = total[:, (first + part) * cut.block : (last + part) * cut.block]
        rows.view(N, last - first, cut.block, width).add_(slices[:, :, part])


def _weights(query, key, bias, band, extra_scores, cut: _Cut, step: tuple[int, int]) -> Tensor:
    """Softmax over the windows of one step and the shared keys, [N b, c, (2 m + 1) c + G]."""
    blocks, windows = _blocks(query, cut, step), _windows(key, cut, step)
    scores = torch.baddbmm(band, blocks, windows.transpose(1, 2), alpha=query.shape[-1] ** -0.5)
    by_block = scores.view(query.shape[0], -1, cut.block, cut.window)
    if bias is None:
        _mask_ends(by_block, cut, step)
    elif _key_rows(bias, cut, step).any():
        by_block.add_(_windows(bias[..., None], cut, step).view(query.shape[0], -1, 1, cut.window))
    if extra_scores is not None:
        scores = torch.cat((scores, _blocks(extra_scores, cut, step)), dim=-1)
    return scores.softmax(-1)


def _mask_ends(scores: Tensor, cut: _Cut, step: tuple[int, int]) -> None:
    """Forbid the keys before the first and after the last token; scores [N, b, c, (2 m + 1) c]."""
    if step[0] >= cut.reach and (step[1] + cut.reach) * cut.block <= cut.n_tokens:
        return
    block = torch.arange(*step, device=scores.device)[:, None]
    position = (block - cut.reach) * cut.block + torch.arange(cut.window, device=scores.device)[None]
    outside = (position < 0) | (position >= cut.n_tokens)
    scores.masked_fill_(outside[None, :, None], masked_score(scores.dtype))

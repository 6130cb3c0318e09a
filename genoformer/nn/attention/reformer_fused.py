"""Attention in chunks on a processor by kernels that gather, weigh and merge in one pass over the sorted tokens.

Nothing of the size of the scores is kept: the backward pass computes the weights again from two numbers of each query.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.nn.attention.kernels.chunk_threads import run_buckets, run_chunks
from genoformer.nn.attention.kernels.register_blocks import ROWS
from genoformer.nn.attention.reformer_buckets import TOGETHER, Factors, Spacing
from genoformer.nn.attention.reformer_chunks import Sight


def chunks_can_run(states: Tensor) -> bool:
    """On processors."""
    return states.device.type == "cpu" and states.dtype in (torch.float32, torch.float64, torch.bfloat16)


def fused_chunked_attention(query: Tensor, key: Tensor, value: Tensor, order: Tensor, sight: Sight) -> Tensor:
    """What ``reformer_chunks.chunked_attention`` computes; float64 as such, bfloat16 in float32."""
    exact = torch.promote_types(query.dtype, torch.float32)
    states = (_readable(one.to(exact)) for one in (query, key, value))
    return _FusedChunks.apply(*states, order, sight).to(query.dtype)


def fused_order(
    states: Tensor, rotations: Tensor, factors: Factors, valid_mask: Tensor | None, n_slots: int,
    spacing: Spacing = TOGETHER,
) -> Tensor:  # fmt: skip
    """What ``order_tokens`` makes of ``find_buckets``, in one pass; a token's bucket depends on its own state alone.

    Args:
        states: [B, H, T, d_head].
        rotations: See ``reformer_buckets.draw_rotations``.
        factors: One or two.
        valid_mask: bool [B, T], True = real; None = all.
        n_slots: Places of a round.
        spacing: Where buckets begin.

    Returns:
        int32 [B, H, n_rounds, n_slots].
    """
    B, H, T, d = states.shape
    n_rounds = rotations.shape[2]
    exact = torch.promote_types(states.dtype, torch.float32)
    columns = rotations.to(exact).flatten(2).flatten(0, 1)  # [H * d_head, R * columns]
    columns = torch.nn.functional.pad(columns, (0, -columns.shape[1] % ROWS)).contiguous()
    valid = torch.ones(B, T, dtype=torch.bool) if valid_mask is None else valid_mask.contiguous()
    order = torch.empty(B, H, n_rounds, n_slots, dtype=torch.int32)
    run_buckets(
        _readable(states.to(exact)), matrices=[columns, valid, order.view(B * H, -1)],
        numbers=[H, d, n_rounds, *factors, *([1] if len(factors) == 1 else []), spacing.align, spacing.between],
    )  # fmt: skip
    return order


def _readable(states: Tensor) -> Tensor:
    """Rows without holes."""
    return states if states.stride(-1) == 1 else states.contiguous()


def _like_heads(states: Tensor, fill=torch.empty) -> Tensor:
    """[B, H, T, d_head] in memory like [B, T, H, d_head], as projections read and write it."""
    B, H, T, d = states.shape
    return fill(B, T, H, d, dtype=states.dtype).transpose(1, 2)


def _numbers(query: Tensor, order: Tensor, sight: Sight) -> list[int]:
    c = sight.chunk_tokens
    flags = (sight.is_causal, sight.sees_itself, sight.is_ring)
    return [query.shape[1], query.shape[3], c, order.shape[3] // c, sight.before, sight.after, *map(int, flags)]


class _FusedChunks(torch.autograd.Function):
    @staticmethod
    def forward(ctx, query, key, value, order, sight):
        B, H, T, _ = query.shape
        output, order = _like_heads(query), order.contiguous()
        tops, totals, means = (query.new_empty(B * H, T) for _ in range(3))
        rows = order.view(B * order.shape[1], -1)
        run_chunks(
            False, states=[query, key, value, output], matrices=[tops, totals, means, rows],
            numbers=_numbers(query, order, sight),
        )  # fmt: skip
        ctx.save_for_backward(query, key, value, output, tops, totals, order)
        ctx.sight = sight
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        query, key, value, output, tops, totals, order = ctx.saved_tensors
        gradient = _readable(gradient)
        means = (gradient * output).sum(-1).view(len(tops), -1).contiguous()
        slopes = [_like_heads(query, torch.zeros) for _ in range(3)]
        run_chunks(
            True, states=[query, key, value, gradient, *slopes],
            matrices=[tops, totals, means, order.view(len(query) * order.shape[1], -1)],
            numbers=_numbers(query, order, ctx.sight),
        )  # fmt: skip
        return (*slopes, None, None)

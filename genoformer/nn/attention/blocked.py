"""Sliding-window attention in blocks: a block of queries meets one slice of keys, so that the cost is linear in length.

A few heads at a time are laid on a line (``lines``), and a few blocks of it at a time are scored, so that everything in
between stays in the cache. Global keys take over columns behind those of the window: one softmax runs over both.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.nn.attention.block_steps import BlockGradients, BlockSteps
from genoformer.nn.attention.lines import Group, Line, head_runs
from genoformer.nn.attention.masks import TokenRoles, Window
from genoformer.nn.layers.positions import Rotary

MIN_BLOCK = 32
MAX_BLOCK = 64
ALIGNED_COLUMNS = 16
SCORES_BYTES = {"cpu": 2 * 2**20}
SCORES_BYTES_ELSEWHERE = 256 * 2**20
"""Scores that are worked on together: what the caches of a processor hold; a GPU wants all it can get."""
KEPT_WEIGHTS_BYTES = 256 * 2**20
"""Longer inputs compute their weights again in the backward pass: the low-memory form."""


def blocked_attention(qkv: Tensor, roles: TokenRoles, window: Window, *, rotary: Rotary | None = None) -> Tensor:
    """Attention of the window queries.

    Args:
        qkv: Query, key and value, not rotated, [3, B, H, T, d_head], any strides.
        roles: Padding and global tokens.
        window: Who is in whose window, and the share of weights that is dropped.
        rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.

    Returns:
        [B, H, T, d_head]; rows of padding and of global queries are zero.
    """
    seed = int(torch.randint(2**31, ())) if window.dropout else 0
    # Autocast would turn scores and weights into float32 copies; softmax adds in float32 inside for any dtype.
    with torch.autocast(qkv.device.type, enabled=False):
        return _WindowAttention.apply(qkv, _Settings(roles, window, rotary, seed))


@dataclass(frozen=True, eq=False)
class _Settings:
    """All but the states. The seed makes the same weights drop in the backward pass."""

    roles: TokenRoles
    window: Window
    rotary: Rotary | None
    seed: int


class _WindowAttention(torch.autograd.Function):
    """Weights are kept for the backward pass where they are small, and computed again where they are not."""

    @staticmethod
    def forward(ctx, qkv, settings):
        _, B, H, T, d_head = qkv.shape
        output = qkv.new_empty(B, T, H, d_head).transpose(1, 2)
        kept, pieces = [], _cut(qkv, settings)
        n_bytes = sum(_weights_bytes(line, qkv) for _, line in pieces)
        is_kept = ctx.needs_input_grad[0] and n_bytes <= KEPT_WEIGHTS_BYTES
        for number, (group, line) in enumerate(pieces):
            steps = _lay(qkv, group, line, settings, number)
            mixed = line.queries(d_head, qkv)
            for step in steps.steps:
                weights = steps.weights(step, is_fresh=is_kept)
                steps.mix(steps.drop(weights, step), step, mixed)
                kept += [weights] if is_kept else []
            line.pick_queries(mixed, group.of(output), group.dilation)
        ctx.save_for_backward(qkv, *kept)
        ctx.settings = settings
        return _silenced(output, settings.roles)

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        qkv, *kept = ctx.saved_tensors
        _, B, H, T, d_head = qkv.shape
        # In the order of the projections, so that their gradient needs no copy.
        total = qkv.new_empty(B, T, 3, H, d_head).permute(2, 0, 3, 1, 4)
        kept = iter(kept)
        for number, (group, line) in enumerate(_cut(qkv, ctx.settings)):
            forward = _lay(qkv, group, line, ctx.settings, number)
            part = _silenced(group.of(gradient).clone(), ctx.settings.roles.of(group.samples))
            backward = BlockGradients(forward, line.lay_queries(part, group.dilation))
            for step in forward.steps:
                backward.add(step, next(kept, None))
            backward.pick(group.of_qkv(total), group, ctx.settings.rotary)
        return total, None


def _silenced(states: Tensor, roles: TokenRoles) -> Tensor:
    """Zero the rows of padding and of global queries, in place."""
    if roles.silent is not None:
        states.masked_fill_(roles.silent[:, None, :, None], 0.0)
    return states


def _lay(qkv: Tensor, group: Group, line: Line, settings: _Settings, number: int) -> BlockSteps:
    return BlockSteps(
        group.of_qkv(qkv), settings.roles.of(group.samples), group, line, window=settings.window,
        rotary=settings.rotary, at_once=_blocks_at_once(qkv, line.block, line.reach),
        seed=settings.seed + (number << 32),
    )  # fmt: skip


def _cut(qkv: Tensor, settings: _Settings) -> list[tuple[Group, Line]]:
    """Which heads of which samples go through together, and how their lines are cut."""
    _, B, H, T, _ = qkv.shape
    n_globals = 0 if settings.roles.global_positions is None else settings.roles.global_positions.shape[1]
    found = []
    for heads, dilation in head_runs(settings.window.dilations, H):
        n_tokens = -(-T // dilation)
        radius = min(settings.window.radius, n_tokens)
        reach = -(-radius // MAX_BLOCK)
        block = max(MIN_BLOCK, -(-radius // reach))
        at_once = max(1, _blocks_at_once(qkv, block, reach) * block // (n_tokens * dilation))
        n_heads = min(at_once, heads.stop - heads.start)
        n_samples = min(B, max(1, at_once // n_heads)) if n_heads == heads.stop - heads.start else 1
        for sample in range(0, B, n_samples):
            for head in range(heads.start, heads.stop, n_heads):
                samples = slice(sample, min(B, sample + n_samples))
                group = Group(samples, slice(head, min(heads.stop, head + n_heads)), dilation)
                n_sequences = (samples.stop - sample) * (group.heads.stop - head) * dilation
                n_extra = -(-n_globals // ALIGNED_COLUMNS) * ALIGNED_COLUMNS
                found.append((group, Line(n_sequences, n_tokens, block, reach, n_extra)))
    return found


def _blocks_at_once(qkv: Tensor, block: int, reach: int) -> int:
    bytes_of_block = (2 * reach + 1) * block * block * qkv.element_size()
    return max(1, SCORES_BYTES.get(qkv.device.type, SCORES_BYTES_ELSEWHERE) // bytes_of_block)


def _weights_bytes(line: Line, qkv: Tensor) -> int:
    return line.n_blocks * line.block * (line.window + line.n_extra) * qkv.element_size()

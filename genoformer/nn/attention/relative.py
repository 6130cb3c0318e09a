"""Attention with relative positions over segments and their memory, block by block of queries; nothing that is as long
as the sequence times the memory is ever kept.

A score has four terms: ``(q_i + u) · k_j + (q_i + v) · r_(i - j)``. For a block of c queries and W keys the distances
are c + W - 1 neighbours, and the second product is made for each of them once: [c, W + c - 1]. Row ``i`` of the block
needs the W columns from ``c - 1 - i`` on, which is a view of the product with one stride less, so that nothing is
shifted, and the first product is added to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from genoformer.nn.attention.masks import masked_score
from genoformer.nn.layers.linear import project, project_back

BLOCK = 64
"""Queries of a block."""
SCORES_BYTES = {"cpu": 2**19}
SCORES_BYTES_ELSEWHERE = 2**28
"""Scores that are worked on together: what the caches of a processor hold."""


@dataclass(frozen=True)
class Segments:
    """Which keys a query meets: those of its segment, and the memory in front of it.

    Args:
        segment: Tokens of a segment.
        memory: Tokens in front of a segment that its tokens see, at most.
        is_causal: A token sees none behind itself.
        n_heads: Heads.
    """

    segment: int
    memory: int
    is_causal: bool
    n_heads: int

    def n_distances(self, n_tokens: int, n_before: int) -> tuple[int, int]:
        """Largest and smallest distance from a query back to a key, for that many tokens and tokens kept before.

        Those of the keys behind a query, inside of a block, are made when they are masked, too.
        """
        longest = min(self.segment, n_tokens)
        # Queries of a block come in fours: up to three stand behind the last.
        farthest = longest + 2 + min(self.memory, n_before + n_tokens - 1)
        return farthest, 1 - (min(BLOCK, longest) if self.is_causal else longest)

    def blocks(self, n_tokens: int, n_before: int) -> Iterator["Block"]:
        """Blocks of queries in order; keys are counted from the first token that was kept."""
        farthest, _ = self.n_distances(n_tokens, n_before)
        for begin in range(0, n_tokens, self.segment):
            end = min(n_tokens, begin + self.segment)
            low = max(0, n_before + begin - self.memory)
            for first in range(begin, end, BLOCK):
                last = min(end, first + BLOCK)
                high = n_before + (last if self.is_causal else end)
                # Column 0 of the product is the distance of the last query to the first key.
                offset = farthest - (n_before + last - 1 - low)
                yield Block(first, last, low, high, n_before + begin, offset)


@dataclass(frozen=True)
class Block:
    """Some queries of one segment, and the keys that they meet.

    Args:
        first: First query.
        last: One behind the last query.
        low: First key.
        high: One behind the last key.
        own: First key of the segment: those before it are memory.
        offset: First row of the positions, which begin with the largest distance.
    """

    first: int
    last: int
    low: int
    high: int
    own: int
    offset: int

    @property
    def n_queries(self) -> int:
        return self.last - self.first

    @property
    def n_keys(self) -> int:
        return self.high - self.low

    @property
    def n_columns(self) -> int:
        """Distances in the block."""
        return self.n_keys + self.n_queries - 1

    def shifted(self, product: Tensor) -> Tensor:
        """View [h, c, W] of the products [h, c, W + c - 1] with all distances: row ``i`` begins at ``c - 1 - i``."""
        h, c, columns = product.shape
        start = product.storage_offset() + c - 1
        return product.as_strided((h, c, self.n_keys), (c * columns, columns - 1, 1), start)


class BlockedSegments(torch.autograd.Function):
    """As ``transformer_xl.segment_attention`` describes it, by products of torch on any device."""

    @staticmethod
    def forward(ctx, hidden, weight, bias, positions, content_bias, position_bias, before, key_mask, segments):
        states = _States.make(hidden, before, weight, bias, positions, content_bias, position_bias, segments.n_heads)
        B, T, D = hidden.shape
        mixed = states.key.new_empty(B, segments.n_heads, T, D // segments.n_heads)
        for sample, heads, block in _steps(hidden, before, segments):
            weights = states.weights(sample, heads, block, key_mask, segments.is_causal)
            value = states.value[sample, heads, block.low : block.high]
            mixed[sample, heads, block.first : block.last] = torch.bmm(weights, value)
        output = mixed.transpose(1, 2).flatten(2).to(hidden.dtype)
        ctx.save_for_backward(
            hidden, weight, bias, positions, content_bias, position_bias, before, key_mask, output
        )  # fmt: skip
        ctx.segments = segments
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        *inputs, before, key_mask, output = ctx.saved_tensors
        hidden, weight, bias, positions, content_bias, position_bias = inputs
        segments, n_before = ctx.segments, before.shape[1]
        states = _States.make(hidden, before, weight, bias, positions, content_bias, position_bias, segments.n_heads)
        total = _Gradients.zero(states, n_before)
        by_heads = _by_heads(gradient.to(states.key.dtype), segments.n_heads)
        delta = (by_heads * _by_heads(output.to(states.key.dtype), segments.n_heads)).sum(-1, keepdim=True)
        for sample, heads, block in _steps(hidden, before, segments):
            weights = states.weights(sample, heads, block, key_mask, segments.is_causal)
            rows = (sample, heads, slice(block.first, block.last))
            total.add(states, weights, by_heads[rows], delta[rows], sample, heads, block)
        return (*total.of_inputs(hidden, weight, before, ctx.needs_input_grad), None, None, None)


@dataclass(frozen=True, eq=False)
class _States:
    """Queries with both biases, scaled, [B, H, T, d]; keys and values [B, H, m + T, d]; positions [H, P, d]."""

    content: Tensor
    position: Tensor
    key: Tensor
    value: Tensor
    distances: Tensor

    @classmethod
    def make(cls, hidden, before, weight, bias, positions, content_bias, position_bias, n_heads) -> "_States":
        """Half precision is computed in float32."""
        exact = torch.promote_types(hidden.dtype, torch.float32)
        D = hidden.shape[2]
        projected = project(hidden, weight, bias).to(exact)
        kept = project(before, weight[D:], bias[D:]).to(exact)
        key, value = (
            _by_heads(torch.cat((kept[..., part], projected[..., D:][..., part]), dim=1), n_heads)
            for part in (slice(0, D), slice(D, 2 * D))
        )
        scale = (D // n_heads) ** -0.5
        content, position = (
            _by_heads(projected[..., :D].add(one.to(exact)).mul_(scale), n_heads)
            for one in (content_bias, position_bias)
        )
        distances = _by_heads(positions[None].to(exact), n_heads)[0]
        return cls(content, position, key, value, distances)

    def weights(self, sample: int, heads: slice, block: Block, key_mask: Tensor | None, is_causal: bool) -> Tensor:
        """Softmax of the scores of a block, [h, c, W]; a row without a key that may be seen has weights of zero."""
        distances = self.distances[heads, block.offset : block.offset + block.n_columns]
        content = self.content[sample, heads, block.first : block.last]
        position = self.position[sample, heads, block.first : block.last]
        key = self.key[sample, heads, block.low : block.high]
        products = torch.bmm(position, distances.transpose(1, 2))
        scores = torch.baddbmm(block.shifted(products), content, key.transpose(1, 2))
        never = masked_score(scores.dtype)
        if is_causal:
            c = block.n_queries
            ahead = torch.ones(c, c, dtype=torch.bool, device=scores.device).triu_(1)
            scores[..., -c:].masked_fill_(ahead, never)
        allowed = None if key_mask is None else key_mask[sample, block.low : block.high]
        if allowed is None or bool(allowed.all()):
            return torch.softmax(scores, dim=-1, out=scores)
        scores.masked_fill_(~allowed, never)
        weights = torch.softmax(scores, dim=-1)
        return weights.masked_fill_(scores <= never, 0.0)


@dataclass(frozen=True, eq=False)
class _Gradients:
    """Sums over the blocks, shaped as the states; of keys and values once as own tokens and once as memory."""

    content: Tensor
    position: Tensor
    own_key: Tensor
    own_value: Tensor
    kept_key: Tensor
    kept_value: Tensor
    distances: Tensor

    @classmethod
    def zero(cls, states: _States, n_before: int) -> "_Gradients":
        """Nothing added yet."""
        like = (states.content, states.position, *(states.key, states.value) * 2, states.distances)
        return cls(*(torch.zeros_like(state) for state in like))

    def add(
        self, states: _States, weights: Tensor, gradient: Tensor, delta: Tensor, sample: int, heads: slice, block: Block
    ) -> None:
        """Add what a block contributes; ``weights`` become the gradients of its scores."""
        keys, queries = slice(block.low, block.high), slice(block.first, block.last)
        of_value = torch.bmm(weights.transpose(1, 2), gradient)
        scores = torch.bmm(gradient, states.value[sample, heads, keys].transpose(1, 2))
        scores.sub_(delta).mul_(weights)
        content, position = states.content[sample, heads, queries], states.position[sample, heads, queries]
        self.content[sample, heads, queries] = torch.bmm(scores, states.key[sample, heads, keys])
        of_key = torch.bmm(scores.transpose(1, 2), content)
        n_kept = max(0, block.own - block.low)
        for own, kept, part in ((self.own_key, self.kept_key, of_key), (self.own_value, self.kept_value, of_value)):
            kept[sample, heads, block.low : block.low + n_kept] += part[:, :n_kept]
            own[sample, heads, block.low + n_kept : block.high] += part[:, n_kept:]
        products = scores.new_zeros(*scores.shape[:2], block.n_columns)
        block.shifted(products).copy_(scores)
        distances = slice(block.offset, block.offset + block.n_columns)
        self.position[sample, heads, queries] = torch.bmm(products, states.distances[heads, distances])
        self.distances[heads, distances] += torch.bmm(products.transpose(1, 2), position)

    def of_inputs(
        self, hidden: Tensor, weight: Tensor, before: Tensor, needs: tuple[bool, ...]
    ) -> tuple[Tensor | None, ...]:
        """Gradients of hidden states, weight, bias, positions and both biases."""
        parts = (self.content, self.position, self.own_key, self.own_value, self.kept_key, self.kept_value)
        of_hidden, of_weight, of_bias, *of_biases = projection_gradients(
            *map(_side_by_side, parts), hidden=hidden, before=before, weight=weight, n_heads=self.content.shape[1],
            needs=needs,
        )  # fmt: skip
        of_positions = _side_by_side(self.distances[None])[0].to(hidden.dtype)
        return of_hidden, of_weight, of_bias, of_positions, *of_biases


def projection_gradients(
    content: Tensor, position: Tensor, own_key: Tensor, own_value: Tensor, kept_key: Tensor, kept_value: Tensor, *,
    hidden: Tensor, before: Tensor, weight: Tensor, n_heads: int, needs: tuple[bool, ...],
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """From the gradients of what attends to those of hidden states and projections.

    Args:
        content: Of the scaled queries with u, [B, T, D]; changed in place.
        position: Of those with v.
        own_key: Of keys as tokens of a segment, [B, m + T, D].
        own_value: Likewise.
        kept_key: Of keys as memory: these reach the projections only.
        kept_value: Likewise.
        hidden: [B, T, D].
        before: [B, m, D].
        weight: Of query, key and value, [3 D, D].
        n_heads: Heads.
        needs: Whether the first three are wanted.

    Returns:
        Gradients of hidden states, weight, bias, u and v.
    """
    D, m, dtype = hidden.shape[2], before.shape[1], hidden.dtype
    scale = (D // n_heads) ** -0.5
    of_biases = tuple(part.mul_(scale).sum((0, 1)).to(dtype) for part in (content, position))
    own = torch.cat((content + position, own_key[:, m:], own_value[:, m:]), dim=2)
    of_hidden, _, _ = project_back(own.to(dtype), hidden, weight, (needs[0], False, False))
    own[..., D : 2 * D] += kept_key[:, m:]
    own[..., 2 * D :] += kept_value[:, m:]
    of_weight, of_bias = _weight_gradients(own.to(dtype), hidden, weight)
    if m:
        kept = torch.cat((kept_key[:, :m], kept_value[:, :m]), dim=2).to(dtype)
        more_weight, more_bias = _weight_gradients(kept, before, weight[D:])
        of_weight = torch.cat((of_weight[:D], of_weight[D:] + more_weight))
        of_bias = torch.cat((of_bias[:D], of_bias[D:] + more_bias))
    return of_hidden, of_weight, of_bias, *of_biases


def _weight_gradients(rows: Tensor, states: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Of weight and bias."""
    return cast(tuple[Tensor, Tensor], project_back(rows, states, weight, (False, True, True))[1:])


def _steps(hidden: Tensor, before: Tensor, segments: Segments) -> Iterator[tuple[int, slice, Block]]:
    """Every block of every sample, some heads at a time."""
    B, T, _ = hidden.shape
    budget = SCORES_BYTES.get(hidden.device.type, SCORES_BYTES_ELSEWHERE)
    blocks = list(segments.blocks(T, before.shape[1]))
    widest = max(block.n_keys * block.n_queries for block in blocks) * 4
    n_heads = max(1, min(segments.n_heads, budget // widest))
    for sample in range(B):
        for head in range(0, segments.n_heads, n_heads):
            heads = slice(head, min(head + n_heads, segments.n_heads))
            yield from ((sample, heads, block) for block in blocks)


def _by_heads(states: Tensor, n_heads: int) -> Tensor:
    """[B, n, D] to [B, H, n, d], contiguous: batched products of other strides are copied or split."""
    return states.unflatten(-1, (n_heads, -1)).transpose(1, 2).contiguous()


def _side_by_side(states: Tensor) -> Tensor:
    """[B, H, n, d] to [B, n, D]."""
    return states.transpose(1, 2).flatten(2)

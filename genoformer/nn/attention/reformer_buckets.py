"""Buckets of tokens by random rotations, and the order of tokens that sorting by bucket gives."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

MIN_BUCKETS = 2
Factors = tuple[int, ...]
"""Numbers whose product is that of all buckets: each has rotations of its own, so that many buckets need few."""


def bucket_factors(n_tokens: int, chunk_tokens: int) -> Factors:
    """How many buckets a sequence is divided into: the largest power of two that leaves half a chunk in each.

    Args:
        n_tokens: Real tokens of the sequence.
        chunk_tokens: Tokens of a chunk.

    Reference:
        Kitaev et al. 2020, section 2: twice as many buckets as chunks; the two factors are those of transformers.
    """
    exponent = max(MIN_BUCKETS, 2 * (n_tokens // chunk_tokens)).bit_length() - 1
    if 2**exponent <= 2 * chunk_tokens:
        return (2**exponent,)
    return (2 ** (exponent // 2), 2 ** (exponent - exponent // 2))


def draw_rotations(
    seed: int, *, n_heads: int, d_head: int, n_rounds: int, factors: Factors, dtype: torch.dtype
) -> Tensor:
    """Directions that tokens are compared with, of a generator of their own.

    The numbers are those that ``transformers`` draws after ``torch.manual_seed(seed)``; they depend on the dtype.

    Returns:
        [H, d_head, n_rounds, sum(factors) / 2].
    """
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n_heads, d_head, n_rounds, sum(factors) // 2, generator=generator, dtype=dtype)


def find_buckets(states: Tensor, rotations: Tensor, factors: Factors) -> Tensor:
    """The bucket of each token in each round: the direction, or its opposite, that it points to most.

    Args:
        states: [B, H, T, d_head]; their length does not matter.
        rotations: See ``draw_rotations``.
        factors: Likewise.

    Returns:
        int64 [B, H, n_rounds, T], below the product of ``factors``.

    Reference:
        Andoni et al. 2015, arXiv:1509.02897, section 4.
    """
    H, d_head, n_rounds, _ = rotations.shape
    turned = (states @ rotations.view(H, d_head, -1)).unflatten(-1, (n_rounds, -1)).transpose(2, 3)
    buckets, size = torch.zeros(turned.shape[:-1], dtype=torch.int64, device=states.device), 1
    for factor, part in zip(factors, turned.split([factor // 2 for factor in factors], dim=-1), strict=True):
        buckets += size * torch.cat((part, -part), dim=-1).argmax(dim=-1)
        size *= factor
    return buckets


@dataclass(frozen=True)
class Spacing:
    """Where buckets begin among the places of a round.

    Without any, each follows the one before. With chunks of its own, a token's place within its bucket, and so its
    chunk, follows from the tokens before it: nothing depends on later ones.

    Attributes:
        align: Places: each bucket begins at a multiple of it.
        between: Places that stay empty behind each bucket that holds a token, a multiple of ``align``.
    """

    align: int = 1
    between: int = 0

    def n_slots(self, n_tokens: int, n_buckets: int) -> int:
        """Places that are enough for any buckets."""
        a = self.align
        return (-(-n_tokens // a) + (0 if a == 1 else min(n_buckets, n_tokens) * (1 + self.between // a))) * a


TOGETHER = Spacing()


def order_tokens(buckets: Tensor, valid_mask: Tensor | None, n_slots: int, spacing: Spacing = TOGETHER) -> Tensor:
    """Tokens by bucket, within a bucket by position; padding is left out.

    Args:
        buckets: int64 [B, H, n_rounds, T].
        valid_mask: bool [B, T], True = real; None = all.
        n_slots: Places of a round, at least T, or ``spacing.n_slots``.
        spacing: Where buckets begin.

    Returns:
        int32 [B, H, n_rounds, n_slots]: the real tokens, and -1 where there is none.
    """
    order = _dense_order(buckets, valid_mask, n_slots if spacing == TOGETHER else buckets.shape[-1])
    if spacing == TOGETHER:
        return order
    T, is_real = buckets.shape[-1], order >= 0
    chosen = buckets.gather(-1, order.clamp_min(0).long())  # of the tokens in their order
    counts = buckets.new_zeros(*buckets.shape[:-1], int(buckets.max()) + 1).scatter_add_(-1, chosen, is_real.long())
    sizes = -(-counts // spacing.align) * spacing.align + (counts > 0) * spacing.between
    ranks = torch.arange(T, device=order.device) - (counts.cumsum(-1) - counts).gather(-1, chosen)
    places = (ranks + (sizes.cumsum(-1) - sizes).gather(-1, chosen)).masked_fill(~is_real, n_slots)
    apart = order.new_full((*order.shape[:-1], n_slots + 1), -1)  # the last place takes what is no token
    return apart.scatter(-1, places, order)[..., :n_slots].contiguous()


def _dense_order(buckets: Tensor, valid_mask: Tensor | None, n_slots: int) -> Tensor:
    """The real tokens first, then -1."""
    last = math.prod(buckets.shape[-1:])
    keys = buckets * last + torch.arange(last, device=buckets.device)
    n_real = torch.full((len(buckets), 1), last, device=buckets.device)
    if valid_mask is not None:
        keys = keys.masked_fill(~valid_mask[:, None, None], torch.iinfo(torch.int64).max)
        n_real = valid_mask.sum(dim=1, keepdim=True)
    order = buckets.new_full((*buckets.shape[:-1], n_slots), -1, dtype=torch.int32)
    order[..., :last] = keys.argsort(dim=-1)
    is_empty = torch.arange(n_slots, device=order.device) >= n_real  # [B, n_slots]
    return order.masked_fill_(is_empty[:, None, None], -1)

"""What one round of attention by buckets is: all pairs of tokens, and a mask that is written out."""

import torch
from torch import Tensor

NEVER, ALONE = -1e30, -1e5
"""Scores of a pair that is forbidden, and of a token with itself."""


def reference_round(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    buckets: Tensor,
    *,
    chunk_tokens: int,
    chunks_before: int,
    chunks_after: int,
    causal: bool = False,
    apart: bool = False,
    valid_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Attention of one round.

    The rank of a token is the number of real tokens in lower buckets, and before it in its own. Chunks are of
    ``chunk_tokens`` consecutive ranks. A token sees the real tokens of its chunk and of the neighbours, itself only
    where that is all it may see. With ``apart`` every bucket is such a sequence by itself: ranks count the tokens of
    the own bucket, and a token sees no other one.

    Args:
        query: [B, H, T, d_head].
        key: Likewise, scaled.
        value: Likewise.
        buckets: int64 [B, H, T].
        chunk_tokens: Tokens of a chunk.
        chunks_before: Neighbours before the own chunk.
        chunks_after: Neighbours behind it.
        causal: No token sees a later one.
        apart: Buckets have chunks of their own.
        valid_mask: bool [B, T], True = real; None = all.

    Returns:
        (mixed values [B, H, T, d_head], zero for padding; logarithms of the sums of exponentials [B, H, T]).
    """
    B, _, T, _ = query.shape
    valid = torch.ones(B, T, dtype=torch.bool) if valid_mask is None else valid_mask
    position = torch.arange(T)
    is_alike = buckets[..., None, :] == buckets[..., :, None]
    is_lower = (buckets[..., None, :] < buckets[..., :, None]) & (not apart)
    is_earlier = is_alike & (position[None, :] < position[:, None])
    rank = ((is_lower | is_earlier) & valid[:, None, None, :]).sum(dim=-1)
    chunk = rank // chunk_tokens
    offset = chunk[..., None, :] - chunk[..., :, None]  # of key (column) from query (row)
    is_seen = (offset >= -chunks_before) & (offset <= chunks_after) & valid[:, None, None, :]
    if apart:
        is_seen = is_seen & is_alike
    if causal:
        is_seen = is_seen & (position[None, :] <= position[:, None])
    scores = (query @ key.transpose(-1, -2)).masked_fill(torch.eye(T, dtype=torch.bool), ALONE)
    scores = scores.masked_fill(~is_seen, NEVER)
    mixed = scores.softmax(dim=-1) @ value
    return mixed.masked_fill(~valid[:, None, :, None], 0.0), scores.logsumexp(dim=-1)


def reference_attention(query: Tensor, key: Tensor, value: Tensor, buckets: Tensor, **settings) -> Tensor:
    """All rounds, weighed by the sums of their exponentials.

    Args:
        query: As for ``reference_round``, like all that follow.
        key: Likewise.
        value: Likewise.
        buckets: int64 [B, H, n_rounds, T].
        settings: Likewise.

    Reference:
        Kitaev et al. 2020, arXiv:2001.04451, section 2 and appendix A.
    """
    rounds = [reference_round(query, key, value, of_round, **settings) for of_round in buckets.unbind(dim=2)]
    mixed, totals = (torch.stack(parts) for parts in zip(*rounds, strict=True))
    return (totals.softmax(dim=0)[..., None] * mixed).sum(dim=0)

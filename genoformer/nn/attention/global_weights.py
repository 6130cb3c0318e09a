"""Whom global tokens look at: the weights of their attention, which no forward pass keeps."""

import torch
from torch import Tensor

from genoformer.nn.attention.longformer import LongformerSelfAttention
from genoformer.nn.attention.masks import TokenRoles, masked_score


def global_weights(attention: LongformerSelfAttention, hidden: Tensor, roles: TokenRoles) -> Tensor:
    """Weights of each global token over all tokens, which add up to 1; padding has none.

    Args:
        attention: Of one layer, made with global tokens.
        hidden: What that layer's attention is given, [B, T, D].
        roles: Padding and global tokens.

    Returns:
        float32 or above, [B, H, G, T].

    Raises:
        ValueError: If no token is global.
    """
    positions, _ = roles.slots
    layers = attention.projections()
    chosen = hidden.gather(1, positions[..., None].expand(-1, -1, hidden.shape[2]))  # [B, G, D]
    query, key = (
        layers[name](states).unflatten(-1, (attention.n_heads, -1)).transpose(1, 2)
        for name, states in (("query_global", chosen), ("key_global", hidden))
    )  # [B, H, G or T, d_head]
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    if roles.valid_mask is not None:
        scores = scores.masked_fill(~roles.valid_mask[:, None, None], masked_score(scores.dtype))
    return scores.softmax(-1)

"""Attention of sorted tokens in chunks that see their neighbours, several rounds merged, in plain tensors."""

from dataclasses import dataclass

import torch
from torch import Tensor

from genoformer.nn.attention.masks import masked_score

SELF_SCORE = -1e5
"""Of a token with itself where it is to see others: far below any score, far above a forbidden pair's.

Reference: Kitaev et al. 2020, section 2; the number is that of transformers.
"""


@dataclass(frozen=True)
class Sight:
    """What the tokens of a chunk see.

    Attributes:
        chunk_tokens: Tokens of a chunk, c.
        before: Chunks before it.
        after: Chunks after it.
        is_causal: Only tokens that are not later in the sequence.
        sees_itself: A token is a key for itself like any other; else only where nothing else is there.
        is_ring: The rounds follow each other in a ring, so that the first chunk of each has the last one of the round
            before as its neighbour, as in transformers; else a round ends where it ends.
    """

    chunk_tokens: int
    before: int
    after: int
    is_causal: bool
    sees_itself: bool
    is_ring: bool = False

    def seen_chunks(self, n_rounds: int, n_chunks: int) -> Tensor:
        """Chunks that each chunk of each round sees.

        Args:
            n_rounds: R.
            n_chunks: Chunks of a round, n.

        Returns:
            int64 [R * n, 1 + before + after]; -1 stands for none.
        """
        chunks, offsets = torch.arange(n_rounds * n_chunks)[:, None], torch.arange(-self.before, self.after + 1)
        if self.is_ring and n_chunks > 1:
            return (chunks + offsets) % len(chunks)
        in_round = chunks % n_chunks + offsets
        return (chunks + offsets).masked_fill((in_round < 0) | (in_round >= n_chunks), -1)


def chunked_attention(query: Tensor, key: Tensor, value: Tensor, order: Tensor, sight: Sight) -> Tensor:
    """Attention within what chunks see; ``reformer_reference`` defines one round of it.

    A score is the product of query and key as they are given. The rounds of a token are weighed by the sums of their
    exponentials, as if all keys of all rounds stood in one softmax.

    Args:
        query: [B, H, T, d_head].
        key: Likewise.
        value: Likewise.
        order: int32 [B, 1 or H, R, n * c], see ``order_tokens``.
        sight: Who sees whom.

    Returns:
        [B, H, T, d_head]; rows of padding are zero.
    """
    B, H, T, _ = query.shape
    n_rounds, c = order.shape[2], sight.chunk_tokens
    slots = order.long().expand(B, H, -1, -1).reshape(B, H, -1, c)  # [B, H, R * n, c]
    seen = sight.seen_chunks(n_rounds, order.shape[3] // c).to(slots.device)
    key_slots = slots[:, :, seen.clamp_min(0)].masked_fill((seen < 0)[..., None], -1).flatten(3)  # [B, H, R * n, m * c]
    query, key, value = (_pick(states, slots) for states in (query, key, value))
    keys, values = (states[:, :, seen.clamp_min(0)].flatten(3, 4) for states in (key, value))
    scores = (query @ keys.transpose(-1, -2)).to(torch.promote_types(query.dtype, torch.float32))
    scores = _mask(scores, slots[..., None], key_slots[..., None, :], sight)
    totals = scores.logsumexp(dim=-1)
    mixed = (scores - totals[..., None]).exp().to(values.dtype) @ values
    return _merge_rounds(mixed, totals, slots.view(B, H, n_rounds, -1), T)


def _pick(states: Tensor, slots: Tensor) -> Tensor:
    """[B, H, T, d] to [B, H, R * n, c, d]; empty places have the first token."""
    B, H, _, d = states.shape
    places = slots.clamp_min(0).view(B, H, -1, 1).expand(-1, -1, -1, d)
    return states.gather(2, places).view(*slots.shape, d)


def _mask(scores: Tensor, query_slots: Tensor, key_slots: Tensor, sight: Sight) -> Tensor:
    if not sight.sees_itself:
        scores = scores.masked_fill(query_slots == key_slots, SELF_SCORE)
    is_forbidden = key_slots < 0
    if sight.is_causal:
        is_forbidden = is_forbidden | (key_slots > query_slots)
    return scores.masked_fill(is_forbidden, masked_score(scores.dtype))


def _merge_rounds(mixed: Tensor, totals: Tensor, slots: Tensor, n_tokens: int) -> Tensor:
    """Chunks [B, H, R * n, c, d] back to tokens [B, H, T, d]."""
    B, H, n_rounds, n_slots = slots.shape
    numbers = torch.arange(n_rounds * n_slots, device=slots.device).view(n_rounds, n_slots).expand_as(slots)
    places = slots.new_full((B, H, n_rounds, n_tokens + 1), -1)  # the last place takes what is empty
    places = places.scatter(3, slots.masked_fill(slots < 0, n_tokens), numbers)[..., :n_tokens].flatten(2)
    is_padding = (places < 0).view(B, H, n_rounds, n_tokens)
    places = places.clamp_min(0)
    weights = totals.flatten(2).gather(2, places).view(B, H, n_rounds, n_tokens).softmax(dim=2)
    rows = mixed.flatten(2, 3).gather(2, places[..., None].expand(-1, -1, -1, mixed.shape[-1]))
    rows = rows.view(B, H, n_rounds, n_tokens, -1) * weights.masked_fill(is_padding, 0.0)[..., None].to(mixed.dtype)
    return rows.sum(dim=2)

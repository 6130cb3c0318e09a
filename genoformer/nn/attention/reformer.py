"""Reformer self-attention: tokens see those that hash into the same bucket, wherever these stand in the sequence."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from genoformer.nn.attention.interface import EncoderShape, Kept
from genoformer.nn.attention.masks import TokenRoles
from genoformer.nn.attention.reformer_buckets import (
    TOGETHER,
    Factors,
    Spacing,
    bucket_factors,
    draw_rotations,
    find_buckets,
    order_tokens,
)
from genoformer.nn.attention.reformer_chunks import chunked_attention
from genoformer.nn.attention.reformer_config import ReformerConfig
from genoformer.nn.attention.reformer_fused import chunks_can_run, fused_chunked_attention, fused_order
from genoformer.nn.layers.linear import Linear, as_computed
from genoformer.nn.layers.positions import Rotary, rotate

NORM_EPS = 1e-6
"""Added to the mean square of a key before it is made one; the number is that of transformers."""
SEEDS_APART = 7919
"""Between the seeds of two layers: a prime, so that neighbouring values of ``hash_seed`` share none."""
SPARSER = 4
"""So many fewer buckets where each has chunks of its own: two chunks in each, so that few places stay empty."""


def build_reformer(config: ReformerConfig, encoder: EncoderShape, layer: int) -> "ReformerSelfAttention":
    """The attention of one layer, with random weights."""
    return ReformerSelfAttention(config, encoder, layer)


class ReformerSelfAttention(nn.Module):
    """Projections, attention in chunks, output projection; none of the projections has a bias.

    In a layer "lsh" one projection makes query and key of a token; the key is brought to the length one, and the token
    sees itself only where it sees nothing else. Buckets are those of the states before they are turned by their
    positions: what is alike comes together from any distance. What the hash depends on is the seed, the layer, the head
    and the number of real tokens, so that neither padding nor other rows of a batch change it.

    With ``causal`` each bucket has chunks of its own: a token's place in its bucket counts the tokens before it, and
    nothing that it is given depends on later ones. ``as_transformers`` sorts all buckets into one row of chunks; then
    no value of a later token reaches an earlier one, yet where a chunk begins depends on them.

    Args:
        config: The settings.
        encoder: Width and heads.
        layer: Number of the layer.

    Reference:
        Kitaev, Kaiser and Levskaya 2020, Reformer, arXiv:2001.04451.
    """

    reach_tokens = None

    def __init__(self, config: ReformerConfig, encoder: EncoderShape, layer: int) -> None:
        super().__init__()
        self.config, self.sight, self.n_heads = config, config.sight(layer), encoder.n_heads
        self.d_head, self.is_local = config.width_of_head(encoder), config.kind(layer) == "local"
        self.seed = config.hash_seed + (0 if config.as_transformers else SEEDS_APART * (layer + 1))
        c, sides = self.sight.chunk_tokens, max(self.sight.before, self.sight.after)
        self.spacing = Spacing(c, sides * c) if config.has_own_chunks else TOGETHER
        D, inner = encoder.d_model, self.n_heads * self.d_head
        names = ("query", "key", "value") if self.is_local else ("query_key", "value")
        self.inputs = nn.ModuleDict({name: Linear(D, inner, bias=False) for name in names})
        self.output = Linear(inner, D, bias=False)

    def forward(
        self, hidden: Tensor, *, roles: TokenRoles | None = None, rotary: Rotary | None = None, kept: Kept = ()
    ) -> Tensor:
        """Hidden [B, T, D] to attention output [B, T, D]; see ``Attention``. Nothing of ``kept`` is looked at."""
        return self.attend(hidden, roles=roles or TokenRoles(), rotary=rotary)[0]

    def attend(
        self, hidden: Tensor, *, roles: TokenRoles, rotary: Rotary | None, order: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """``forward``, and the order of the tokens that it found or was given.

        A pass that computes everything again must not sort again: the last bit of a state may decide on a bucket.

        Args:
            hidden: [B, T, D].
            roles: Padding.
            rotary: (cosines, sines), each [T, d_head / 2]; None = no turn.
            order: Of an earlier call on the same states.

        Returns:
            (output [B, T, D], order int32 [B, 1 or H, R, places]).
        """
        hidden = as_computed(hidden)
        states = [layer(hidden).unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for layer in self.inputs.values()]
        query, *between, value = states  # [B, H, T, d_head]
        if order is None:
            order = self._sort(query.detach(), roles)
        key = between[0] * self.d_head**-0.5 if between else self._as_key(query)
        if rotary is not None:
            query, key = rotate(query, *rotary), rotate(key, *rotary)
        way = fused_chunked_attention if chunks_can_run(query) else chunked_attention
        mixed = way(query, key, value, order, self.sight)
        return self.output(mixed.transpose(1, 2).flatten(2)), order

    def _as_key(self, query: Tensor) -> Tensor:
        exact = query.to(torch.promote_types(query.dtype, torch.float32))
        scale = torch.rsqrt(exact.square().mean(dim=-1, keepdim=True) + NORM_EPS) * self.d_head**-0.5
        return (exact * scale).to(query.dtype)

    @torch.no_grad()
    def _sort(self, states: Tensor, roles: TokenRoles) -> Tensor:
        """Order of the tokens, int32 [B, 1 or H, R, places]."""
        B, H, T, _ = states.shape
        c = self.sight.chunk_tokens
        n_slots = -(-self.config.padded_tokens(T) // c) * c
        if self.is_local or n_slots == c:
            one = torch.zeros(B, 1, 1, T, dtype=torch.int64, device=states.device)
            return order_tokens(one, roles.valid_mask, n_slots)
        rows_of = self._factors(roles, B, T)
        if self.spacing != TOGETHER:
            n_slots = max(self.spacing.n_slots(T, math.prod(factors)) for factors in rows_of)
        order = torch.empty(B, H, self.config.n_rounds, n_slots, dtype=torch.int32, device=states.device)
        for factors, rows in rows_of.items():
            of_rows = states if len(rows) == B else states[rows]
            valid = None if roles.valid_mask is None else roles.valid_mask[rows]
            order[rows] = self._sort_rows(of_rows, valid, factors, n_slots)
        return order

    def _sort_rows(self, states: Tensor, valid_mask: Tensor | None, factors: Factors, n_slots: int) -> Tensor:
        if not factors:
            one = states.new_zeros(*states.shape[:2], self.config.n_rounds, states.shape[2], dtype=torch.int64)
            return order_tokens(one, valid_mask, n_slots, self.spacing)
        rotations = self._rotations(factors, states)
        if chunks_can_run(states) and len(factors) <= 2:
            return fused_order(states, rotations, factors, valid_mask, n_slots, self.spacing)
        return order_tokens(find_buckets(states, rotations, factors), valid_mask, n_slots, self.spacing)

    def _factors(self, roles: TokenRoles, n_rows: int, n_tokens: int) -> dict[Factors, list[int]]:
        """Rows of the batch by the number of their buckets."""
        counts = [n_tokens] * n_rows if roles.valid_mask is None else roles.valid_mask.sum(dim=1).tolist()
        if self.config.as_transformers:
            counts = [self.config.padded_tokens(n_tokens)] * n_rows
        rows: dict[Factors, list[int]] = {}
        for row, count in enumerate(counts):
            rows.setdefault(self._row_factors(count), []).append(row)
        return rows

    def _row_factors(self, n_tokens: int) -> Factors:
        """How many buckets so many tokens have; () for one, as tokens of one chunk have when they are read alone."""
        chunk = self.sight.chunk_tokens
        if self.config.has_own_chunks and n_tokens <= chunk:
            return ()
        if (given := self.config.n_buckets) is not None:
            return given if isinstance(given, tuple) else (given,)
        return bucket_factors(n_tokens, chunk * (SPARSER if self.config.has_own_chunks else 1))

    def _rotations(self, factors: Factors, states: Tensor) -> Tensor:
        """In the type of the states; of float32 numbers, unless they are to be those of ``transformers``."""
        drawn_as = states.dtype if self.config.as_transformers and states.dtype == torch.float64 else torch.float32
        rotations = draw_rotations(
            self.seed, n_heads=self.n_heads, d_head=self.d_head, n_rounds=self.config.n_rounds, factors=factors,
            dtype=drawn_as,
        )  # fmt: skip
        return rotations.to(states)

    def keep(self, hidden: Tensor, *, roles: TokenRoles, kept: Kept) -> Kept:
        """Nothing: a stretch is sorted by itself."""
        return ()

    def projections(self) -> dict[str, nn.Linear]:
        """``query_key`` and ``value``, or ``query``, ``key`` and ``value`` of a local layer, and ``output``."""
        inputs = {name: cast(nn.Linear, layer) for name, layer in self.inputs.items()}
        return {**inputs, "output": self.output}

"""The encoder: embeddings, a short convolution, and layers of attention and feed-forward."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from genoformer.nn.amino_acids import AminoAcidEmbedding, AminoAcidWords
from genoformer.nn.attention import ATTENTIONS
from genoformer.nn.attention.interface import Attention, Kept, ReversibleAttention
from genoformer.nn.attention.masks import TokenRoles, token_roles
from genoformer.nn.config import EncoderConfig
from genoformer.nn.layers.linear import FixedLinear, Linear
from genoformer.nn.layers.positions import AxialPositions, Rotary, RotaryPositions
from genoformer.nn.layers.refusals import TooManyTokensError
from genoformer.nn.layers.residuals import add, add_and_norm, can_add
from genoformer.nn.reversible import ReversibleLayer, read_reversibly

PAD_ROW = 0
N_BASE_CODES = 5
UNKNOWN_BASE = 4
EMBEDDING_STD = 0.5
CODON_SHARE = 0.2
"""Size of a codon's own embedding beside that of its amino acid."""
TOKENS_AT_A_TIME = 1024


class Encoder(nn.Module):
    """Token ids to hidden states.

    The encoder adds no tokens: collate puts ``config.n_global_tokens`` in front and marks them in ``global_mask``.
    Positions and window offsets count the tokens of the row, global ones included.

    Args:
        config: The architecture.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        D = config.d_model
        self.token_embedding = nn.Embedding(config.vocab_size, D, padding_idx=PAD_ROW)
        self.base_embedding = BaseEmbedding(D, config.stride) if config.base_embedding else None
        self.amino_embedding = AminoAcidEmbedding(D) if config.amino_acids else None
        self.word_embedding = AminoAcidWords(D, config.amino_acid_words) if config.amino_acid_words else None
        self.position_embedding = _build_positions(config) if config.positions == "learned" else None
        self.rotary = RotaryPositions(config.d_head) if config.positions == "rotary" else None
        self.convolution = DepthwiseConvolution(D, config.conv_width) if config.conv_width else None
        is_pre_norm = config.norm == "pre"
        self.embedding_norm = nn.Identity() if is_pre_norm else nn.LayerNorm(D, eps=config.norm_eps)
        self.layers = nn.ModuleList(_build_layer(config, i) for i in range(config.n_layers))
        self.final_norm = nn.LayerNorm(config.d_hidden, eps=config.norm_eps) if is_pre_norm else nn.Identity()
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the embeddings again; the other weights keep torch's initial values."""
        nn.init.normal_(self.token_embedding.weight, std=EMBEDDING_STD)
        if self.amino_embedding is not None:
            # Synonymous codons begin nearly alike.
            self.token_embedding.weight.detach().mul_(CODON_SHARE)
        nn.init.zeros_(self.token_embedding.weight[PAD_ROW].detach())
        for table in [] if self.position_embedding is None else self.position_embedding.parameters():
            nn.init.normal_(table, std=0.02)

    def forward(
        self,
        token_ids: Tensor,
        *,
        valid_mask: Tensor | None = None,
        global_mask: Tensor | None = None,
        base_codes: Tensor | None = None,
    ) -> Tensor:
        """Hidden states of every token.

        Args:
            token_ids: int64 [B, T].
            valid_mask: bool [B, T], True = real; None = all.
            global_mask: bool [B, T], True = global; None = none.
            base_codes: uint8 or int64 [B, T, stride], the bases a token owns; codes of 4 and above are unknown.

        Returns:
            [B, T, D], or [B, T, 2 D] where both streams of reversible layers leave it; rows of padding are zero.

        Raises:
            TooManyTokensError: If the input is longer than ``max_tokens`` of learned positions.
            BackendError: If attention cannot be computed here in the way that the configuration names.
            ValueError: If base codes are missing or not wanted, or there are global tokens in a model without.
        """
        states, _ = self.read_stretch(token_ids, valid_mask=valid_mask, global_mask=global_mask, base_codes=base_codes)
        return states

    def read_stretch(
        self,
        token_ids: Tensor,
        *,
        kept: Sequence[Kept] | None = None,
        margins: tuple[int, int] = (0, 0),
        valid_mask: Tensor | None = None,
        global_mask: Tensor | None = None,
        base_codes: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Kept, ...]]:
        """Hidden states of one stretch of longer sequences, and what the next stretch is to be given.

        Windows, full attention and buckets keep nothing, so that each stretch is read by itself. Learned and rotary
        positions begin anew with every stretch. The convolution ends with it, unless there are margins.

        Args:
            token_ids: int64 [B, T].
            kept: Of each layer, as given for the stretch before; None for the first.
            margins: So many tokens at both ends belong to the neighbouring stretches: embeddings look at them, see
                ``EncoderConfig.embedded_neighbours``, layers do not.
            valid_mask: As in ``forward``, like all that follow.
            global_mask: Likewise.
            base_codes: Likewise.

        Returns:
            (hidden [B, T, D] without the margins, kept of each layer).

        Raises:
            ValueError: As ``forward``.
        """
        kept = ((),) * len(self.layers) if kept is None else tuple(kept)
        if not token_ids.numel():
            return self.token_embedding(token_ids), kept
        roles = token_roles(valid_mask, global_mask)
        hidden = self.embed(token_ids, roles, base_codes)
        if any(margins):
            hidden, roles = _without_margins(margins, hidden, valid_mask, global_mask)
        rotary = None
        if self.rotary is not None:
            rotary = self.rotary(hidden.shape[1], dtype=hidden.dtype, device=hidden.device)
        if self.config.reversible is not None:
            return _zero_padding(self.final_norm(self._read_streams(hidden, roles, rotary)), roles), kept
        is_checkpointed = torch.is_grad_enabled() and token_ids.numel() >= self.config.checkpoint_tokens
        call = partial(checkpoint, use_reentrant=False) if is_checkpointed else _call
        kept_on = []
        for layer, of_layer in zip(self.layers, kept, strict=True):
            hidden, of_layer = call(layer, hidden, roles=roles, rotary=rotary, kept=of_layer)
            kept_on.append(of_layer)
        return _zero_padding(self.final_norm(hidden), roles), tuple(kept_on)

    def begin_anew(self, kept: Sequence[Kept], continues: Tensor) -> tuple[Kept, ...]:
        """What was kept of a stretch, for a batch in which not every row goes on, of an encoder that remembers.

        Args:
            kept: Of each layer.
            continues: bool [B].
        """
        layers = zip(self.attentions(), kept, strict=True)
        return tuple(cast(Any, attention).begin_anew(of_layer, continues) for attention, of_layer in layers)

    def attentions(self) -> list[Attention]:
        """The attention of each layer."""
        return [cast(EncoderLayer | ReversibleLayer, layer).attention for layer in self.layers]

    def _read_streams(self, hidden: Tensor, roles: TokenRoles, rotary: Rotary | None) -> Tensor:
        """Reversible layers, and one stream of their two: the mean, which both begin with, or both side by side."""
        layers = [cast(ReversibleLayer, layer) for layer in self.layers]
        first, second = read_reversibly(layers, hidden, roles=roles, rotary=rotary)
        is_one = self.config.d_hidden == self.config.d_model
        return (first + second) / 2 if is_one else torch.cat((first, second), dim=-1)

    def embed(self, token_ids: Tensor, roles: TokenRoles, base_codes: Tensor | None) -> Tensor:
        """What the first layer is given, [B, T, D]; arguments as for ``forward``, with masks as roles."""
        if (base_codes is None) != (self.base_embedding is None):
            state = "needs" if base_codes is None else "does not take"
            raise ValueError(f"an encoder with base_embedding {self.config.base_embedding} {state} base_codes.")
        hidden = self.token_embedding(token_ids)
        if self.base_embedding is not None:
            hidden = hidden + self.base_embedding(base_codes)
        if self.amino_embedding is not None:
            hidden = hidden + self.amino_embedding(token_ids)
        if self.word_embedding is not None:
            hidden = hidden + self.word_embedding(token_ids)
        if self.convolution is not None:
            hidden = self.convolution(hidden, roles)
        if self.position_embedding is not None:
            hidden = hidden + _first_positions(self.position_embedding, token_ids.shape[1])
        return self.embedding_norm(hidden)


class BaseEmbedding(nn.Module):
    """Sum of one embedding for each base that a token owns, so that one N does not hide its neighbours.

    Args:
        d_model: Width.
        stride: Bases that a token owns.
    """

    offsets: Tensor

    def __init__(self, d_model: int, stride: int) -> None:
        super().__init__()
        self.table = nn.Embedding(stride * N_BASE_CODES, d_model)
        self.register_buffer("offsets", torch.arange(stride) * N_BASE_CODES, persistent=False)
        nn.init.normal_(self.table.weight, std=EMBEDDING_STD)

    def forward(self, base_codes: Tensor) -> Tensor:
        """Codes [B, T, stride] to [B, T, D]; 4 and above are the unknown base."""
        rows = base_codes.long().clamp(max=UNKNOWN_BASE) + self.offsets
        return self.table(rows).sum(dim=2)


class DepthwiseConvolution(nn.Module):
    """Mixes each token with its neighbours, channel by channel, and adds the result to the token.

    Padding and global tokens stand outside: they count as zero for their neighbours and receive nothing.

    Args:
        d_model: Channels.
        width: Odd number of tokens.
    """

    def __init__(self, d_model: int, width: int) -> None:
        super().__init__()
        self.kernel = nn.Conv1d(d_model, d_model, width, padding=width // 2, groups=d_model)

    def forward(self, hidden: Tensor, roles: TokenRoles) -> Tensor:
        """Hidden [B, T, D] to [B, T, D]."""
        outside = _outside(roles)
        if outside is None:
            return hidden + self.kernel(hidden.transpose(1, 2)).transpose(1, 2)
        mixed = self.kernel(hidden.masked_fill(outside, 0.0).transpose(1, 2)).transpose(1, 2)
        return hidden + mixed.masked_fill(outside, 0.0)


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each on a residual branch.

    Args:
        attention: The attention module.
        d_model: Width.
        d_ff: Width of the feed-forward layer.
        dropout: Probability on both branches.
        is_pre_norm: Norm before each branch, else after each sum.
        norm_eps: Added to the variance in both norms.
    """

    def __init__(
        self,
        attention: Attention,
        *,
        d_model: int,
        d_ff: int,
        dropout: float,
        is_pre_norm: bool,
        norm_eps: float,
    ) -> None:
        super().__init__()
        self.attention, self.is_pre_norm = attention, is_pre_norm
        self.attention_norm, self.feed_forward_norm = (nn.LayerNorm(d_model, eps=norm_eps) for _ in range(2))
        self.widen, self.narrow = Linear(d_model, d_ff), Linear(d_ff, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, hidden: Tensor, *, roles: TokenRoles, rotary: Rotary | None, kept: Kept = (), margin: int = 0
    ) -> tuple[Tensor, Kept]:
        """Hidden [B, T, D] to [B, T, D], and what the attention keeps for the next stretch; see ``Attention``.

        So many tokens as ``margin`` says at both ends are only looked at: the result is [B, T - 2 margin, D].
        """
        states = self.attention_norm(hidden) if self.is_pre_norm else hidden
        attended = self.attention(states, roles=roles, rotary=rotary, kept=kept)
        kept = self.attention.keep(states, roles=roles, kept=kept)
        own = slice(margin, hidden.shape[1] - margin)
        return self._residuals(hidden[:, own], attended[:, own]), kept

    def _residuals(self, hidden: Tensor, attended: Tensor) -> Tensor:
        if torch.is_grad_enabled() or hidden.device.type != "cpu":
            return self._behind_attention(hidden, attended, self._feed_forward)
        # Token by token all that follows is the same, in whatever row, and a few tokens at a time stay in the cache.
        rows = [states.reshape(-1, states.shape[-1]).contiguous() for states in (hidden, attended)]
        output, widen, narrow = hidden.new_empty(hidden.shape), FixedLinear(self.widen), FixedLinear(self.narrow)
        is_fused = can_add(rows[0], rows[1].dtype, widen.dtype) and not self.training
        parts = (states.split(TOKENS_AT_A_TIME) for states in (output.view(rows[0].shape), *rows))
        for part, before, after in zip(*parts, strict=True):
            if is_fused and self.is_pre_norm:
                total, normed = add_and_norm(before, after, self.feed_forward_norm, widen.dtype)
                add(total, narrow(widen.gelu(normed)), part)
            elif is_fused:
                _, normed = add_and_norm(before, after, self.attention_norm, torch.float32)
                part.copy_(add_and_norm(normed, narrow(widen.gelu(normed)), self.feed_forward_norm, torch.float32)[1])
            else:
                part.copy_(self._behind_attention(before, after, lambda states: narrow(widen.gelu(states))))
        return output

    def _behind_attention(self, hidden: Tensor, attended: Tensor, feed_forward: Callable[[Tensor], Tensor]) -> Tensor:
        """Sums, norms and feed-forward."""
        hidden = hidden + self.dropout(attended)
        if self.is_pre_norm:
            return hidden + self.dropout(feed_forward(self.feed_forward_norm(hidden)))
        hidden = self.attention_norm(hidden)
        return self.feed_forward_norm(hidden + self.dropout(feed_forward(hidden)))

    def _feed_forward(self, hidden: Tensor) -> Tensor:
        return self.narrow(F.gelu(self.widen(hidden)))


def _build_layer(config: EncoderConfig, number: int) -> EncoderLayer | ReversibleLayer:
    attention = ATTENTIONS[config.attention.name].build(config.attention, config, number)
    if config.reversible is not None:
        return ReversibleLayer(
            cast(ReversibleAttention, attention), d_model=config.d_model, d_ff=config.d_ff, dropout=config.dropout,
            norm_eps=config.norm_eps, activation=config.reversible.activation,
        )  # fmt: skip
    return EncoderLayer(
        attention, d_model=config.d_model, d_ff=config.d_ff, dropout=config.dropout,
        is_pre_norm=config.norm == "pre", norm_eps=config.norm_eps,
    )  # fmt: skip


def _call(layer: nn.Module, hidden: Tensor, **settings: Any) -> tuple[Tensor, Kept]:
    return layer(hidden, **settings)


def _build_positions(config: EncoderConfig) -> nn.Embedding | AxialPositions:
    return nn.Embedding(config.max_tokens, config.d_model) if config.axes is None else AxialPositions(*config.axes)


def _first_positions(table: nn.Embedding | AxialPositions, n_tokens: int) -> Tensor:
    limit = table.num_embeddings
    if n_tokens > limit:
        raise TooManyTokensError(f"the input has {n_tokens} tokens, but learned positions end at max_tokens {limit}.")
    return table.first(n_tokens) if isinstance(table, AxialPositions) else table.weight[:n_tokens]


def _without_margins(
    margins: tuple[int, int], hidden: Tensor, valid_mask: Tensor | None, global_mask: Tensor | None
) -> tuple[Tensor, TokenRoles]:
    own = slice(margins[0], hidden.shape[1] - margins[1])
    masks = (None if mask is None else mask[:, own] for mask in (valid_mask, global_mask))
    return hidden[:, own], token_roles(*masks)


def _outside(roles: TokenRoles) -> Tensor | None:
    """Padding and global tokens, bool [B, T, 1]; None when there are none."""
    masks = [] if roles.valid_mask is None else [~roles.valid_mask]
    masks += [] if roles.global_mask is None else [roles.global_mask]
    return torch.stack(masks).any(dim=0)[..., None] if masks else None


def _zero_padding(hidden: Tensor, roles: TokenRoles) -> Tensor:
    return hidden if roles.valid_mask is None else hidden.masked_fill(~roles.valid_mask[..., None], 0.0)

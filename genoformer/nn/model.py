"""A whole network: encoder and head."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genoformer.nn.attention.interface import Kept
from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.heads import BaseHead, SequenceHead


class GenomeModel(nn.Module):
    """Token ids to one output vector per base, or per sequence, as the head makes them.

    Args:
        encoder: Token ids to hidden states.
        head: Hidden states of sequence and global tokens to outputs.
        n_global_tokens: Leading global tokens.
    """

    def __init__(self, encoder: Encoder, head: BaseHead | SequenceHead, *, n_global_tokens: int = 0) -> None:
        super().__init__()
        self.encoder, self.head, self.n_global_tokens = encoder, head, n_global_tokens

    def forward(
        self,
        token_ids: Tensor,
        valid_mask: Tensor | None = None,
        global_mask: Tensor | None = None,
        base_codes: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, L, C] of a base head, L = (T - n_global_tokens) * stride, or [B, C] of a sequence head.

        Arguments are those of ``Encoder.forward``.
        Without a ``global_mask`` the leading ``n_global_tokens`` are the global ones.
        """
        if global_mask is None and self.n_global_tokens:
            index = torch.arange(token_ids.shape[1], device=token_ids.device)
            global_mask = (index < self.n_global_tokens).expand_as(token_ids)
        hidden = self.encoder(token_ids, valid_mask=valid_mask, global_mask=global_mask, base_codes=base_codes)
        G = self.n_global_tokens
        return self.head(hidden[:, G:], hidden[:, :G], None if valid_mask is None else valid_mask[:, G:])

    def read_stretch(
        self,
        token_ids: Tensor,
        *,
        kept: Sequence[Kept] | None = None,
        margins: tuple[int, int] = (0, 0),
        valid_mask: Tensor | None = None,
        base_codes: Tensor | None = None,
    ) -> tuple[Tensor, tuple[Kept, ...]]:
        """Logits of one stretch of longer sequences, of a model without global tokens, and what the next one is given.

        Arguments are those of ``Encoder.read_stretch``.
        """
        hidden, kept_on = self.encoder.read_stretch(
            token_ids, kept=kept, margins=margins, valid_mask=valid_mask, base_codes=base_codes
        )
        if valid_mask is not None:
            valid_mask = valid_mask[:, margins[0] : valid_mask.shape[1] - margins[1]]
        return self.head(hidden, hidden[:, :0], valid_mask), kept_on


def build_model(
    encoder: EncoderConfig,
    n_channels: int,
    initial_logits: Sequence[float] | None = None,
    *,
    pooling: str | None = None,
    head_dropout: float = 0.0,
) -> GenomeModel:
    """Network with random weights; seed torch before.

    Args:
        encoder: The architecture.
        n_channels: Outputs per base, or per sequence with ``pooling``, C.
        initial_logits: What the outputs per base are about before training, C numbers; see ``BaseHead``.
        pooling: How a sequence head pools, see ``SequenceHead``; None for a base head.
        head_dropout: Of a sequence head.

    Raises:
        ValueError: If the pooling is unknown, or "cls" without a global token.
    """
    head: BaseHead | SequenceHead
    if pooling is None:
        head = BaseHead(encoder.d_hidden, n_channels, encoder.stride, initial_logits)
    elif pooling == "cls" and not encoder.n_global_tokens:
        raise ValueError("pooling cls needs n_global_tokens of at least 1.")
    else:
        head = SequenceHead(encoder.d_hidden, n_channels, pooling, head_dropout)
    return GenomeModel(Encoder(encoder), head, n_global_tokens=encoder.n_global_tokens)


def build_token_model(encoder: EncoderConfig, n_channels: int) -> GenomeModel:
    """Network with one output vector per token, and random weights; seed torch before.

    Args:
        encoder: The architecture.
        n_channels: Outputs per token, C.
    """
    return GenomeModel(
        Encoder(encoder), BaseHead(encoder.d_hidden, n_channels, 1), n_global_tokens=encoder.n_global_tokens
    )

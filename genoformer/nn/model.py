"""A whole network: encoder and base head."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder
from genoformer.nn.heads import BaseHead


class GenomeModel(nn.Module):
    """Token ids to one output vector per base.

    Args:
        encoder: Token ids to hidden states.
        head: Hidden states of the sequence tokens to outputs.
        n_global_tokens: Leading global tokens, which the head does not see.
    """

    def __init__(self, encoder: Encoder, head: BaseHead, *, n_global_tokens: int = 0) -> None:
        super().__init__()
        self.encoder, self.head, self.n_global_tokens = encoder, head, n_global_tokens

    def forward(
        self,
        token_ids: Tensor,
        valid_mask: Tensor | None = None,
        global_mask: Tensor | None = None,
        base_codes: Tensor | None = None,
    ) -> Tensor:
        """Logits [B, L, C], L = (T - n_global_tokens) * stride; arguments as in ``Encoder.forward``.

        Without a ``global_mask`` the leading ``n_global_tokens`` are the global ones.
        """
        if global_mask is None and self.n_global_tokens:
            index = torch.arange(token_ids.shape[1], device=token_ids.device)
            global_mask = (index < self.n_global_tokens).expand_as(token_ids)
        hidden = self.encoder(token_ids, valid_mask=valid_mask, global_mask=global_mask, base_codes=base_codes)
        return self.head(hidden[:, self.n_global_tokens :])


def build_model(encoder: EncoderConfig, n_channels: int, initial_logits: Sequence[float] | None = None) -> GenomeModel:
    """Network with ``n_channels`` outputs per base and random weights; seed torch before.

    Args:
        encoder: The architecture.
        n_channels: Outputs per base, C.
        initial_logits: What the outputs are about before training, C numbers; see ``BaseHead``.
    """
    head = BaseHead(encoder.d_model, n_channels, encoder.stride, initial_logits)
    return GenomeModel(Encoder(encoder), head, n_global_tokens=encoder.n_global_tokens)

"""Heads turn the hidden states of tokens into outputs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class BaseHead(nn.Module):
    """One output vector for each base that a token owns.

    Token ``i`` gives the outputs of bases ``[i * stride, (i + 1) * stride)``. The caller cuts the bases beyond the
    end of the record, and drops global tokens before.

    Args:
        d_model: Width of the hidden states.
        n_channels: Outputs per base, C.
        stride: Bases that a token owns.
        initial_logits: Biases to start from, C numbers. With the log-odds of rare classes training need not find them.
    """

    def __init__(
        self, d_model: int, n_channels: int, stride: int, initial_logits: Sequence[float] | None = None
    ) -> None:
        super().__init__()
        self.n_channels, self.stride = n_channels, stride
        self.projection = nn.Linear(d_model, stride * n_channels)
        if initial_logits is not None:
            self.projection.bias.detach().copy_(torch.tensor(initial_logits).repeat(stride))

    def forward(self, hidden: Tensor) -> Tensor:
        """Hidden [B, T, D] to logits [B, T * stride, C]."""
        B, T, _ = hidden.shape
        return self.projection(hidden).view(B, T * self.stride, self.n_channels)

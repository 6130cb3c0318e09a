"""Heads turn the hidden states of tokens into outputs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

POOLINGS = ("mean", "cls", "attention", "mean_max")
N_QUERIES = 4
"""Learned means of attention pooling, as in Lin et al. 2017 (arXiv:1703.03130), section 2, with few of them."""
NEVER = -1e30
"""Score of padding: finite, so that a row of padding alone has no NaN."""


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

    def forward(self, hidden: Tensor, global_hidden: Tensor | None = None, valid_mask: Tensor | None = None) -> Tensor:
        """Hidden [B, T, D] to logits [B, T * stride, C]; what else a head may see is not looked at."""
        B, T, _ = hidden.shape
        return self.projection(hidden).view(B, T * self.stride, self.n_channels)


class SequenceHead(nn.Module):
    """One output vector for a whole sequence, from its pooled tokens.

    Args:
        d_model: Width of the hidden states.
        n_channels: Outputs, C.
        pooling: "mean" of the real tokens, "cls" (the first global token), "attention" (several means of the real
            tokens with learned weights, side by side), or "mean_max" (the mean and, beside it, the largest value of
            each feature over the real tokens: a motif counts once, wherever it stands).
        dropout: Probability that a pooled feature is left out in training.

    Raises:
        ValueError: If the pooling is none of these.
    """

    def __init__(self, d_model: int, n_channels: int, pooling: str = "mean", dropout: float = 0.0) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, not {pooling!r}.")
        self.n_channels, self.pooling = n_channels, pooling
        self.queries = nn.Linear(d_model, N_QUERIES, bias=False) if pooling == "attention" else None
        self.dropout = nn.Dropout(dropout)
        n_vectors = {"attention": N_QUERIES, "mean_max": 2}.get(pooling, 1)
        self.projection = nn.Linear(d_model * n_vectors, n_channels)

    def forward(self, hidden: Tensor, global_hidden: Tensor, valid_mask: Tensor | None = None) -> Tensor:
        """Hidden [B, T, D] of the sequence and [B, G, D] of the global tokens to logits [B, C].

        Without a single real token, the pooled features are zero, except those of "cls".
        """
        if self.pooling == "cls":
            return self.projection(self.dropout(global_hidden[:, 0]))
        valid = torch.ones_like(hidden[..., 0], dtype=torch.bool) if valid_mask is None else valid_mask
        if self.queries is None:
            weights = valid.unsqueeze(-1).to(hidden.dtype)  # [B, T, 1]
            weights = weights / weights.sum(dim=1, keepdim=True).clamp_min(1.0)
        else:
            scores = self.queries(hidden).float().masked_fill(~valid.unsqueeze(-1), NEVER)
            weights = (torch.softmax(scores, dim=1) * valid.unsqueeze(-1)).to(hidden.dtype)  # [B, T, Q]
        pooled = torch.einsum("btq,btd->bqd", weights, hidden).flatten(1)  # [B, Q * D]
        if self.pooling == "mean_max":
            largest = hidden.masked_fill(~valid.unsqueeze(-1), NEVER).amax(dim=1)  # [B, D]
            pooled = torch.cat([pooled, largest * valid.any(dim=1, keepdim=True)], dim=1)
        return self.projection(self.dropout(pooled))

"""One number for every two tokens: low-rank products of their hidden states, and small convolutions over the map."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

DISTANCE_SCALE = 6.0
"""Divides the logarithm of a distance, so that it is about as large as other features."""

BINS_PER_DOUBLING = 3


class PairHead(nn.Module):
    """Hidden states to a symmetric map of logits.

    Each channel is a bilinear form of rank ``rank`` of the two tokens, so that no vector is made for every pair. The
    first token of a pair is the one with the lower number: a pair read from 5' to 3' is not the one read backwards.

    Memory, float32: 4 · C · T² bytes for a map of C channels, of which three live at a time in prediction, and about
    4 · (``n_convolutions`` + 1) in training. With 16 channels and 3 convolutions that is 0.3 GB for 1 024 tokens in
    prediction, and 0.7 GB in training.

    Args:
        d_model: Width of the hidden states, D.
        channels: Maps, C.
        rank: Of each bilinear form.
        n_convolutions: Convolutions over the map, each on a residual branch.
        width: Odd width of a convolution, tokens.
        n_pair_features: Features of two tokens that the caller gives, F.
        dropout: Share of the channels of the map that are left out in training.
        n_distance_bins: Numbers that are added by the distance of the two, ``BINS_PER_DOUBLING`` for each doubling.
        initial_logit: What these are before training.
    """

    def __init__(
        self, d_model: int, *, channels: int = 16, rank: int = 8, n_convolutions: int = 3, width: int = 5,
        n_pair_features: int = 0, dropout: float = 0.0, n_distance_bins: int = 0,
        initial_logit: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.channels, self.rank = channels, rank
        self.first, self.second = (nn.Linear(d_model, channels * rank) for _ in range(2))
        self.alone = nn.Linear(d_model, 1)
        # One more feature is the distance of the two.
        self.features = nn.Conv2d(n_pair_features + 1, channels, 1)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, width, padding=width // 2) for _ in range(n_convolutions)
        )
        self.dropout = nn.Dropout2d(dropout)
        self.output = nn.Conv2d(channels, 1, 1)
        by_distance = torch.full((n_distance_bins,), initial_logit)
        self.by_distance = nn.Parameter(by_distance) if n_distance_bins else None
        for module in (self.output, self.alone):
            for parameter in module.parameters():
                nn.init.zeros_(parameter)

    def forward(self, hidden: Tensor, pair_features: Tensor | None = None, valid_mask: Tensor | None = None) -> Tensor:
        """Logits of all pairs; those of a token with itself belong to "pairs with none".

        Args:
            hidden: [B, T, D].
            pair_features: float32 [B, F, T, T]; None for F = 0.
            valid_mask: bool [B, T], True = real; None = all. Padding counts as zero in the convolutions.

        Returns:
            float32 [B, T, T], symmetric.
        """
        B, T, _ = hidden.shape
        first, second = (
            layer(hidden).view(B, T, self.channels, self.rank).transpose(1, 2) for layer in (self.first, self.second)
        )  # [B, C, T, R]
        pairs = first @ second.transpose(2, 3) / math.sqrt(self.rank)  # [B, C, T, T]
        pairs = pairs + self.features(self._features(pair_features, T, pairs))
        real = _real_pairs(valid_mask, pairs)
        for convolution in self.convolutions:
            pairs = pairs + convolution(self.dropout(F.gelu(pairs)) * real)
        logits = self.output(F.gelu(pairs)).squeeze(1).float()
        logits = torch.triu(logits, diagonal=1)
        logits = logits + logits.transpose(1, 2) + torch.diag_embed(self.alone(hidden).squeeze(2).float())
        if self.by_distance is not None:
            logits = logits + self.by_distance[_distance_bins(T, len(self.by_distance), logits.device)]
        return logits

    def _features(self, pair_features: Tensor | None, T: int, like: Tensor) -> Tensor:
        """Features of two tokens and their distance, [B, F + 1, T, T]."""
        places = torch.arange(T, device=like.device)
        distances = torch.log1p((places[:, None] - places[None, :]).abs().to(like.dtype)) / DISTANCE_SCALE
        distances = distances.expand(len(like), 1, T, T)
        if pair_features is None:
            return distances
        return torch.cat([pair_features.to(like.dtype), distances], dim=1)


class PairModel(nn.Module):
    """Token ids to a logit for every two tokens.

    Args:
        encoder: Token ids to hidden states; without global tokens.
        head: Hidden states to the map.
    """

    def __init__(self, encoder: Encoder, head: PairHead) -> None:
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(
        self, token_ids: Tensor, valid_mask: Tensor | None = None, pair_features: Tensor | None = None
    ) -> Tensor:
        """Logits [B, T, T]; see ``PairHead``."""
        return self.head(self.encoder(token_ids, valid_mask=valid_mask), pair_features, valid_mask)


def build_pair_model(encoder: EncoderConfig, **head) -> PairModel:
    """Network with random weights; seed torch before.

    Args:
        encoder: The architecture.
        head: Arguments of ``PairHead``.
    """
    return PairModel(Encoder(encoder), PairHead(encoder.d_hidden, **head))


def _distance_bins(T: int, n_bins: int, device: torch.device) -> Tensor:
    """Bin of the distance of every two tokens, int64 [T, T]."""
    places = torch.arange(T, device=device)
    distances = (places[:, None] - places[None, :]).abs().clamp_min(1)
    return (BINS_PER_DOUBLING * torch.log2(distances)).long().clamp_max(n_bins - 1)


def _real_pairs(valid_mask: Tensor | None, like: Tensor) -> Tensor | float:
    """1 for two real tokens, 0 elsewhere, [B, 1, T, T]."""
    if valid_mask is None:
        return 1.0
    return (valid_mask[:, None, :, None] & valid_mask[:, None, None, :]).to(like.dtype)

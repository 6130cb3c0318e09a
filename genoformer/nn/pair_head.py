"""One number for every two tokens: low-rank products of their hidden states, and small convolutions over the map."""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from genoformer.nn.config import EncoderConfig
from genoformer.nn.encoder import Encoder

DISTANCE_SCALE = 6.0
"""Divides the logarithm of a distance, so that it is about as large as other features."""

BINS_PER_DOUBLING = 3

WHOLE_TOKENS = 1024
"""Maps of more tokens are made in tiles."""
TILE_TOKENS = 256

FeaturesOf = Callable[[slice, slice], Tensor]
"""Rows and columns of a map to the features of these pairs, [B, F, h, w]."""


class PairHead(nn.Module):
    """Hidden states to a symmetric map of logits.

    Each channel is a bilinear form of rank ``rank`` of the two tokens, so that no vector is made for every pair. The
    first token of a pair is the one with the lower number: a pair read from 5' to 3' is not the one read backwards.

    Memory, float32: 4 · C · T² bytes for a map of C channels, of which three live at a time in prediction, and about
    4 · (``n_convolutions`` + 1) in training. With 16 channels and 3 convolutions that is 0.3 GB for 1 024 tokens in
    prediction, and 0.7 GB in training. Maps of more than ``WHOLE_TOKENS`` are made tile by tile, each with the margin
    that the convolutions see, and in training once more in the backward pass: what grows with T² then are the logits,
    and the features. Each tile leaves out channels of its own in training.

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
        self.channels, self.rank, self.width = channels, rank, width
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
        T = hidden.shape[1]
        if T <= WHOLE_TOKENS:
            whole = slice(0, T)
            first, second = self._sides(hidden)
            logits = self._block(first, second, pair_features, whole, whole, valid_mask)
        else:
            logits = self._upper_of(hidden, pair_features, valid_mask)
        logits = torch.triu(logits, diagonal=1)
        logits = logits + logits.transpose(1, 2) + torch.diag_embed(self.of_alone(hidden))
        if self.by_distance is not None:
            places = torch.arange(T, device=logits.device)
            logits = logits + self.by_distance[_distance_bins(places, places, len(self.by_distance))]
        return logits

    def of_alone(self, hidden: Tensor) -> Tensor:
        """Logits of "pairs with none", float32 [B, T]; they stand on the diagonal of the map."""
        return self.alone(hidden).squeeze(2).float()

    def strips(
        self, hidden: Tensor, features_of: FeaturesOf | None = None, valid_mask: Tensor | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """The map above its diagonal, some rows at a time: the first row, and logits of the columns from it on.

        Rows ``start`` to ``start + h`` come as float32 [B, h, T - start]. What lies on the diagonal or below it means
        nothing; what ``by_distance`` adds is not in it. Memory grows with T.

        Args:
            hidden: [B, T, D].
            features_of: Gives the features of some pairs; None for F = 0.
            valid_mask: bool [B, T], True = real; None = all.
        """
        T, (first, second) = hidden.shape[1], self._sides(hidden)
        margin = len(self.convolutions) * (self.width // 2)

        def tile(first: Tensor, second: Tensor, rows: slice, columns: slice) -> Tensor:
            around, beside = _widened(rows, margin, T), _widened(columns, margin, T)
            features = features_of(around, beside) if features_of else None
            found = self._block(
                first[:, :, around], second[:, :, beside], features, around, beside, valid_mask
            )  # fmt: skip
            i, j = rows.start - around.start, columns.start - beside.start
            return found[:, i : i + rows.stop - rows.start, j : j + columns.stop - columns.start]

        for start in range(0, T, TILE_TOKENS):
            rows = slice(start, min(T, start + TILE_TOKENS))
            columns = [slice(j, min(T, j + TILE_TOKENS)) for j in range(start, T, TILE_TOKENS)]
            if torch.is_grad_enabled():
                tiles = [checkpoint(tile, first, second, rows, some, use_reentrant=False) for some in columns]
            else:
                tiles = [tile(first, second, rows, some) for some in columns]
            yield start, torch.cat(tiles, dim=2)

    def _upper_of(self, hidden: Tensor, pair_features: Tensor | None, valid_mask: Tensor | None) -> Tensor:
        """The map above its diagonal from its strips, [B, T, T]; below it lies what is of no use."""
        features_of = None if pair_features is None else lambda rows, columns: pair_features[:, :, rows, columns]
        return torch.cat([F.pad(strip, (i, 0)) for i, strip in self.strips(hidden, features_of, valid_mask)], dim=1)

    def _sides(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """What each token brings as the first and as the second of a pair, [B, C, T, R] each."""
        B, T, _ = hidden.shape
        first, second = (
            layer(hidden).view(B, T, self.channels, self.rank).transpose(1, 2) for layer in (self.first, self.second)
        )
        return first, second

    def _block(
        self, first: Tensor, second: Tensor, pair_features: Tensor | None, rows: slice, columns: slice,
        valid_mask: Tensor | None,
    ) -> Tensor:  # fmt: skip
        """Logits of these rows and columns, float32 [B, h, w], as if around them were nothing."""
        pairs = first @ second.transpose(2, 3) / math.sqrt(self.rank)  # [B, C, h, w]
        pairs = pairs + self.features(self._features(pair_features, rows, columns, pairs))
        real = _real_pairs(valid_mask, rows, columns, pairs)
        for convolution in self.convolutions:
            pairs = pairs + convolution(self.dropout(F.gelu(pairs)) * real)
        return self.output(F.gelu(pairs)).squeeze(1).float()

    def _features(self, pair_features: Tensor | None, rows: slice, columns: slice, like: Tensor) -> Tensor:
        """Features of two tokens and their distance, [B, F + 1, h, w]."""
        i, j = (torch.arange(some.start, some.stop, device=like.device) for some in (rows, columns))
        distances = torch.log1p((i[:, None] - j[None, :]).abs().to(like.dtype)) / DISTANCE_SCALE
        distances = distances.expand(len(like), 1, len(i), len(j))
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

    def strips(self, token_ids: Tensor, features_of: FeaturesOf | None = None) -> tuple[Tensor, Iterator]:
        """Logits of "pairs with none", [B, T], and the map above its diagonal in strips; see ``PairHead.strips``."""
        hidden = self.encoder(token_ids)
        return self.head.of_alone(hidden), self.head.strips(hidden, features_of)


def build_pair_model(encoder: EncoderConfig, **head) -> PairModel:
    """Network with random weights; seed torch before.

    Args:
        encoder: The architecture.
        head: Arguments of ``PairHead``.
    """
    return PairModel(Encoder(encoder), PairHead(encoder.d_hidden, **head))


def _widened(some: slice, margin: int, n: int) -> slice:
    """With a margin on both sides, inside of [0, n)."""
    return slice(max(0, some.start - margin), min(n, some.stop + margin))


def _distance_bins(i: Tensor, j: Tensor, n_bins: int) -> Tensor:
    """Bin of the distance of every two tokens at these places, int64 [len(i), len(j)]."""
    distances = (i[:, None] - j[None, :]).abs().clamp_min(1)
    return (BINS_PER_DOUBLING * torch.log2(distances)).long().clamp_max(n_bins - 1)


def _real_pairs(valid_mask: Tensor | None, rows: slice, columns: slice, like: Tensor) -> Tensor | float:
    """1 for two real tokens, 0 elsewhere, [B, 1, h, w]."""
    if valid_mask is None:
        return 1.0
    return (valid_mask[:, None, rows, None] & valid_mask[:, None, None, columns]).to(like.dtype)

"""Base pairs of RNA, or of DNA that folds: which base pairs with which, or with none.

A logit for every two bases and, on the diagonal, one for "pairs with none"; a base's partner is a softmax over its row.
What it says of a pair is the mean of what its two bases say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genoformer.decoding.base_pairs import N_PAIR_KINDS, nested_structure, pair_kinds
from genoformer.metrics.pairs import mean_pair_scores, pair_scores
from genoformer.structures.dot_bracket import ALONE, partners_of
from genoformer.structures.pair_list import MOST_PARTNERS, PairList, shortened
from genoformer.tasks.options import read_options
from genoformer.tasks.pair_head_options import check_pair_head_options

name = "rna_pairs"
strands = "forward"

IMPOSSIBLE, NOT, PAIR = -1, 0, 1
"""Labels of two bases. On the diagonal, PAIR says that the base has no partner. A row without PAIR is unknown."""
NEVER = -1e30
PRIORS = ("none", "viennarna")


@dataclass(frozen=True)
class PairOptions:
    """Settings of the task; plain JSON types.

    Attributes:
        prior: "none", or "viennarna": prediction folds with both; training does not see ViennaRNA.
        max_bp: Longest sequence that is read; memory grows with its square, see docs/tasks/rna_pairs.md.
        channels: Maps of the head.
        rank: Of each map's bilinear form.
        n_convolutions: Convolutions over the maps.
        width: Of a convolution, bases.
        head_dropout: Share of the maps that are left out in training.

    Raises:
        ValueError: If a value is unknown or out of range; the sentence names it.
    """

    prior: str = "none"
    max_bp: int = 6000
    channels: int = 16
    rank: int = 8
    n_convolutions: int = 3
    width: int = 5
    head_dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.prior not in PRIORS:
            raise ValueError(f"prior must be one of {', '.join(PRIORS)}, not {self.prior!r}.")
        check_pair_head_options(self, least_bp=1)


@dataclass(frozen=True)
class RnaPairs:
    """The task with its settings.

    Attributes:
        channels: ("pair",); none before the data was looked at.
        options: Settings.
    """

    channels: tuple[str, ...]
    options: PairOptions

    name = name
    strands = strands
    initial_logits = None

    @property
    def head(self) -> dict[str, Any]:
        return {
            "name": "pair",
            "channels": self.options.channels, "rank": self.options.rank, "width": self.options.width,
            "n_convolutions": self.options.n_convolutions, "dropout": self.options.head_dropout,
            "n_pair_features": N_PAIR_KINDS,
        }  # fmt: skip

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the partner, mean over the bases whose partner is known, float32.

        Args:
            logits: [B, L, L].
            labels: int8 [B, L, L], see ``pair_labels``.
        """
        cost = -(log_partners(logits, labels) * (labels == PAIR)).sum()
        return cost / self.loss_weight(labels).clamp_min(1.0)

    def loss_weight(self, labels: Tensor) -> Tensor:
        """What ``loss`` divides by: bases whose partner is known, scalar, float32."""
        return (labels == PAIR).sum().float()

    def build_scores(self) -> "PairScores":
        return PairScores()


class PairScores:
    """Gathers the scores of the structures of an evaluation, decoded with gamma 1."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``RnaPairs.loss``."""
        probabilities = pair_probabilities(logits, labels).cpu().numpy()
        for found, wanted in zip(probabilities, labels.cpu().numpy(), strict=True):
            pairs = np.argwhere(np.triu(wanted == PAIR, 1))
            self.rows.append(pair_scores(nested_structure(found), partners_of(pairs, len(wanted))))

    def merge(self, other: "PairScores") -> None:
        """Add what another process has gathered."""
        self.rows += other.rows

    def compute(self) -> dict[str, float]:
        """Means over all RNAs."""
        return mean_pair_scores(self.rows)


def log_partners(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probability of every partner of every base: a softmax over the possible ones, float32 [B, L, L]."""
    return torch.log_softmax(logits.float().masked_fill(labels == IMPOSSIBLE, NEVER), dim=2)


def pair_probabilities(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of what two bases say of their pair, float32 [B, L, L], symmetric; zero where impossible, and for one base.

    Args:
        logits: [B, L, L].
        labels: int8 [B, L, L]; only ``IMPOSSIBLE`` is looked at.
    """
    said = log_partners(logits, labels).exp().masked_fill(labels == IMPOSSIBLE, 0.0)
    said = (said + said.transpose(1, 2)) / 2
    return said - torch.diag_embed(said.diagonal(dim1=1, dim2=2))


def list_probabilities(pairs: np.ndarray, logits: np.ndarray, alone: np.ndarray, most: int = MOST_PARTNERS) -> PairList:
    """What ``pair_probabilities`` says, for the likeliest partners of each base.

    Args:
        pairs: All that are possible, int32 [n, 2], i < j, in order.
        logits: Of each, float32 [n].
        alone: Logits of each base to have no partner, [L].
        most: Partners of a base that are kept.
    """
    length, (i, j) = len(alone), pairs.T
    highest = alone.astype(np.float32)
    for side in (i, j):
        np.maximum.at(highest, side, logits)
    sums = np.exp(alone - highest, dtype=np.float64)
    for side in (i, j):
        sums += np.bincount(side, weights=np.exp(logits - highest[side]), minlength=length)
    said = (highest + np.log(sums)).astype(np.float32)  # logarithm of the sum over a base's partners
    probability = np.exp(logits - said[i])
    probability += np.exp(logits - said[j])
    return shortened(pairs, probability / 2, length, most)


def pair_labels(codes: np.ndarray, partners: np.ndarray | None = None) -> np.ndarray:
    """Labels of all two bases of a sequence, int8 [L, L].

    Bases whose pair is none of those that are possible are unknown.

    Args:
        codes: uint8 base codes [L].
        partners: int64 [L]: partner, ``ALONE`` for none, below that for unknown; None knows nothing.
    """
    labels = np.where(pair_kinds(codes) >= 0, NOT, IMPOSSIBLE).astype(np.int8)
    np.fill_diagonal(labels, NOT)
    if partners is not None:
        i = np.flatnonzero(partners >= ALONE)
        j = np.where(partners[i] == ALONE, i, partners[i])
        labels[i, j] = np.where(labels[i, j] == NOT, PAIR, IMPOSSIBLE)
    return labels


def build(
    channels: Sequence[str] = (), options: Mapping[str, Any] | None = None, ontology: Mapping[str, Any] | None = None
) -> RnaPairs:
    """The task with these settings; see ``interface.BuildTask``."""
    return RnaPairs(tuple(channels), read_options(PairOptions, options, name))

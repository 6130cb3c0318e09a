"""Contacts of the residues of a protein from its coding sequence: a logit for every two codons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.metrics.pairs import contact_precision, mean_contact_precision
from genoformer.structures.contacts import CONTACT, UNKNOWN
from genoformer.tasks.options import read_options
from genoformer.tasks.pair_head_options import check_pair_head_options

name = "contacts"
strands = "forward"

MIN_SEPARATION = 6
"""Residues nearer along the chain are near in space, too; nobody predicts them."""
N_DISTANCE_BINS = 24
USUAL_LOG_ODDS = -3.2
"""Of a contact, before training: one in 26, about the density in known structures."""


@dataclass(frozen=True)
class ContactOptions:
    """Settings of the task; plain JSON types.

    Attributes:
        max_bp: Longest coding sequence that is read; memory grows with its square, see ``nn.pair_head``.
        channels: Maps of the head.
        rank: Of each map's bilinear form.
        n_convolutions: Convolutions over the maps.
        width: Of a convolution, codons.
        head_dropout: Share of the maps that are left out in training.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    max_bp: int = 3072
    channels: int = 16
    rank: int = 8
    n_convolutions: int = 2
    width: int = 3
    head_dropout: float = 0.0

    def __post_init__(self) -> None:
        check_pair_head_options(self, least_bp=3)


@dataclass(frozen=True)
class Contacts:
    """The task with its settings.

    Attributes:
        channels: ("contact",); none before the data was looked at.
        options: Settings.
    """

    channels: tuple[str, ...]
    options: ContactOptions

    name = name
    strands = strands
    initial_logits = None

    @property
    def head(self) -> dict[str, Any]:
        return {
            "name": "pair",
            "channels": self.options.channels, "rank": self.options.rank, "width": self.options.width,
            "n_convolutions": self.options.n_convolutions, "dropout": self.options.head_dropout,
            "n_distance_bins": N_DISTANCE_BINS, "initial_logit": USUAL_LOG_ODDS,
        }  # fmt: skip

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Binary cross-entropy, mean over known pairs that are ``MIN_SEPARATION`` or more apart, float32.

        Args:
            logits: [B, T, T].
            labels: int8 [B, T, T], see ``structures.contacts``.
        """
        known = _judged(labels)
        cost = F.binary_cross_entropy_with_logits(
            logits[known].float(), (labels[known] == CONTACT).float(), reduction="sum"
        )
        return cost / known.sum().clamp_min(1)

    def loss_weight(self, labels: Tensor) -> Tensor:
        """What ``loss`` divides by: known pairs, scalar, float32."""
        return _judged(labels).sum().float()

    def build_scores(self) -> "ContactScores":
        return ContactScores()


class ContactScores:
    """Gathers the precision of the best pairs of each chain of an evaluation."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``Contacts.loss``."""
        for scores, wanted in zip(logits.float().cpu().numpy(), labels.cpu().numpy(), strict=True):
            length = int((wanted != UNKNOWN).any(axis=1).nonzero()[0].max(initial=-1)) + 1
            self.rows.append(contact_precision(scores[:length, :length], wanted[:length, :length]))

    def merge(self, other: "ContactScores") -> None:
        """Add what another process has gathered."""
        self.rows += other.rows

    def compute(self) -> dict[str, float]:
        """Means over the chains that have such pairs."""
        return {name.replace(" ", "_"): value for name, value in mean_contact_precision(self.rows).items()}


def _judged(labels: Tensor) -> Tensor:
    """Pairs i < j that count, bool [B, T, T]."""
    known = labels != UNKNOWN
    return torch.triu(known, diagonal=MIN_SEPARATION)


def build(
    channels: Sequence[str] = (), options: Mapping[str, Any] | None = None, ontology: Mapping[str, Any] | None = None
) -> Contacts:
    """The task with these settings; see ``interface.BuildTask``."""
    return Contacts(tuple(channels), read_options(ContactOptions, options, name))

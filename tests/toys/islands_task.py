"""The one module of a toy task: whether a base is coding on the strand that is read."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.annotation.tracks import CODON_0, CODON_1, CODON_2, MASKED
from genoformer.tasks.channel_scores import ChannelScores
from genoformer.tasks.plain import PlainTask

name = "islands"
channels = ("coding",)


def unpack_labels(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Targets and weights [B, L, 1]."""
    targets = (labels & (CODON_0 | CODON_1 | CODON_2)).ne(0).float().unsqueeze(-1)
    return targets, (labels & MASKED).eq(0).float().unsqueeze(-1)


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy, mean over bases that are not masked."""
    targets, weights = unpack_labels(labels)
    cost = F.binary_cross_entropy_with_logits(logits.float(), targets, weight=weights, reduction="sum")
    return cost / weights.sum().clamp_min(1.0)


def loss_weight(labels: Tensor) -> Tensor:
    """Bases that count."""
    return torch.count_nonzero((labels & MASKED) == 0).float()


build = PlainTask(
    name, channels, "each", (-1.0,), loss, loss_weight, partial(ChannelScores, channels, unpack_labels)
).build

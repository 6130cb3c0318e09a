"""Gene structure of genomes without introns: independent outputs per base of the strand that is read.

The channels are codon position 0, 1 and 2 of a gene (stop codon included), first base of a start codon and first base
of a stop codon. They are independent, so that overlapping genes are simply several ones at a base.
"""

from functools import partial

import torch
import torch.nn.functional as F

from genoformer.annotation.tracks import CODON_0, CODON_1, CODON_2, MASKED, START, STOP
from genoformer.tasks.channel_scores import ChannelScores
from genoformer.tasks.plain import PlainTask

name = "gene_structure"
strands = "each"
channels = ("codon_0", "codon_1", "codon_2", "start", "stop")

CHANNEL_BITS = (CODON_0, CODON_1, CODON_2, START, STOP)
CHANNEL_WEIGHTS = (1.0, 1.0, 1.0, 15.0, 10.0)
"""Starts and stops are one base in a thousand; without weight they are learned long after the codons."""

initial_logits = (-1.5, -1.5, -1.5, -6.5, -6.5)
"""About the log-odds of each channel on one strand of a bacterial genome: a sixth of all bases, one in 700."""


def unpack_labels(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and weights from packed labels.

    Args:
        labels: uint8 label bits of the strand that is read, shape [B, L].

    Returns:
        Targets (0 or 1) and weights (0 where the label is masked), both float32 [B, L, 5].
    """
    bits = torch.tensor(CHANNEL_BITS, dtype=torch.uint8, device=labels.device)
    targets = (labels.unsqueeze(-1) & bits).ne(0).float()  # [B, L, 5]
    real = (labels & MASKED).eq(0).float().unsqueeze(-1)  # [B, L, 1]
    weights = real * torch.tensor(CHANNEL_WEIGHTS, device=labels.device)
    return targets, weights


def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Weighted binary cross-entropy, mean over the outputs that labels say something of; 0 where these are none.

    Args:
        logits: [B, L, C], any float dtype; the sum is in float32.
        labels: uint8 [B, L].

    Returns:
        Scalar, float32.
    """
    targets, weights = unpack_labels(labels)
    cost = F.binary_cross_entropy_with_logits(logits.float(), targets, weight=weights, reduction="sum")
    return cost / weights.sum().clamp_min(1.0)


def loss_weight(labels: torch.Tensor) -> torch.Tensor:
    """What ``loss`` divides by, so that losses of batches add up; 0 where every label is masked. Scalar, float32."""
    return unpack_labels(labels)[1].sum()


build_scores = partial(ChannelScores, channels, unpack_labels)

build = PlainTask(name, channels, strands, initial_logits, loss, loss_weight, build_scores).build

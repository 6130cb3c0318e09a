"""Gene structure of genomes with introns: one state per base of the strand that is read, and four boundary signals.

The first eight channels are logits of one softmax over exclusive states: intergenic, untranslated, codon position 0, 1
and 2, intron after 0, 1 and 2 bases of a codon. The others are independent: first base of a start codon, of a stop
codon (as in ``gene_structure``), of an intron, and first base behind an intron.
"""

from functools import partial

import torch
import torch.nn.functional as F

from genoformer.annotation.intron_tracks import ACCEPTOR, DONOR, STATE_MASK
from genoformer.annotation.tracks import MASKED, START, STOP
from genoformer.tasks.channel_scores import ChannelScores
from genoformer.tasks.plain import PlainTask

name = "gene_structure_eukaryote"
strands = "each"
states = ("intergenic", "utr", "codon_0", "codon_1", "codon_2", "intron_0", "intron_1", "intron_2")
signals = ("start", "stop", "donor", "acceptor")
channels = states + signals

SIGNAL_BITS = (START, STOP, DONOR, ACCEPTOR)
SIGNAL_WEIGHTS = (15.0, 15.0, 5.0, 5.0)
"""Signals are one base in hundreds or thousands; without weight they are learned long after the states."""

initial_logits = (2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -6.5, -6.5, -5.5, -5.5)
"""About the log-odds of each channel on one strand: two thirds intergenic, a start codon in 1 500 bases."""


def unpack_labels(labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and weights from packed labels.

    Args:
        labels: uint8 labels of the strand that is read, shape [B, L].

    Returns:
        Targets (0 or 1) and weights (0 where the label is masked), both float32 [B, L, 12].
    """
    one_hot = F.one_hot((labels & STATE_MASK).long(), len(states))
    bits = torch.tensor(SIGNAL_BITS, dtype=torch.uint8, device=labels.device)
    targets = torch.cat([one_hot, (labels.unsqueeze(-1) & bits).ne(0)], dim=-1).float()  # [B, L, 12]
    real = (labels & MASKED).eq(0).float().unsqueeze(-1)  # [B, L, 1]
    weights = torch.tensor([1.0] * len(states) + list(SIGNAL_WEIGHTS), device=labels.device)
    return targets, real * weights


def loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of the states plus weighted binary cross-entropy of the signals, mean over unmasked bases.

    Args:
        logits: [B, L, 12], any float dtype; the sum is in float32.
        labels: uint8 [B, L].

    Returns:
        Scalar, float32; 0 where every label is masked.
    """
    real = (labels & MASKED).eq(0)
    targets, weights = unpack_labels(labels)
    n_states, logits = len(states), logits.float()
    state_cost = F.cross_entropy(logits[..., :n_states].transpose(1, 2), (labels & STATE_MASK).long(), reduction="none")
    signal_cost = F.binary_cross_entropy_with_logits(
        logits[..., n_states:], targets[..., n_states:], weight=weights[..., n_states:], reduction="sum"
    )
    return ((state_cost * real).sum() + signal_cost) / real.sum().clamp_min(1)


def loss_weight(labels: torch.Tensor) -> torch.Tensor:
    """What ``loss`` divides by: the number of unmasked bases, scalar, float32."""
    return (labels & MASKED).eq(0).float().sum()


def log_odds(logits: torch.Tensor) -> torch.Tensor:
    """Every channel as the log-odds of its event, [B, L, 12], float32: what scores of independent channels expect."""
    shares = torch.log_softmax(logits[..., : len(states)].float(), dim=-1)
    others = torch.log1p(-shares.exp().clamp_max(1 - 1e-7))
    return torch.cat([shares - others, logits[..., len(states) :].float()], dim=-1)


build_scores = partial(ChannelScores, channels, unpack_labels, log_odds)

build = PlainTask(name, channels, strands, initial_logits, loss, loss_weight, build_scores).build

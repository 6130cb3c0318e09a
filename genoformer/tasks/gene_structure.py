"""Gene structure of genomes without introns: independent outputs per base of the strand that is read.

The channels are codon position 0, 1 and 2 of a gene (stop codon included), first base of a start codon and first base
of a stop codon; with the setting ``rna`` also inside an rRNA gene and inside a tRNA gene. They are independent, so that
overlapping genes are simply several ones at a base.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F

from genoformer.annotation.tracks import CODON_0, CODON_1, CODON_2, MASKED, NO_RNA, RRNA, START, STOP, TRNA
from genoformer.tasks.channel_scores import ChannelScores
from genoformer.tasks.options import read_options
from genoformer.tasks.plain import PlainTask

name = "gene_structure"
strands = "each"
channels = ("codon_0", "codon_1", "codon_2", "start", "stop")
rna_channels = ("rrna", "trna")
"""Behind the others, with the setting ``rna``."""

CHANNEL_BITS = (CODON_0, CODON_1, CODON_2, START, STOP)
RNA_BITS = (RRNA, TRNA)
CHANNEL_WEIGHTS = (1.0, 1.0, 1.0, 15.0, 10.0)
"""Starts and stops are one base in a thousand; without weight they are learned long after the codons."""
RNA_WEIGHTS = (3.0, 10.0)
"""One base in 200 of a strand is rRNA, one in 1200 is tRNA: their outputs cost about as much as those of starts."""

initial_logits = (-1.5, -1.5, -1.5, -6.5, -6.5)
"""About the log-odds of each channel on one strand of a bacterial genome: a sixth of all bases, one in 700."""
RNA_INITIAL_LOGITS = (-5.5, -7.0)


@dataclass(frozen=True)
class Options:
    """Settings of the task.

    Attributes:
        rna: Learn rRNA and tRNA genes, too. Where the annotation of a genome names none, nothing is learned of them.

    Raises:
        ValueError: If one is no truth value.
    """

    rna: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.rna, bool):
            raise ValueError(f"rna must be true or false, found {self.rna!r}.")


def unpack_labels(labels: torch.Tensor, *, rna: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Targets and weights from packed labels.

    Args:
        labels: uint8 label bits of the strand that is read, shape [B, L].
        rna: Of RNA genes, too, C = 7 in place of 5.

    Returns:
        Targets (0 or 1) and weights (0 where the label is masked or, for RNA, unknown), both float32 [B, L, C].
    """
    bits = torch.tensor(CHANNEL_BITS, dtype=torch.uint8, device=labels.device)
    targets = (labels.unsqueeze(-1) & bits).ne(0).float()  # [B, L, 5]
    real = (labels & MASKED).eq(0).float().unsqueeze(-1)  # [B, L, 1]
    weights = real * torch.tensor(CHANNEL_WEIGHTS, device=labels.device)
    if not rna:
        return targets, weights
    told = (labels & NO_RNA).unsqueeze(-1)  # [B, L, 1]
    rna_targets = told.eq(torch.tensor(RNA_BITS, dtype=torch.uint8, device=labels.device)).float()  # [B, L, 2]
    rna_weights = told.ne(0).float() * torch.tensor(RNA_WEIGHTS, device=labels.device)
    return torch.cat([targets, rna_targets], dim=-1), torch.cat([weights, rna_weights], dim=-1)


def loss(logits: torch.Tensor, labels: torch.Tensor, *, rna: bool = False) -> torch.Tensor:
    """Weighted binary cross-entropy, mean over the outputs that labels say something of; 0 where these are none.

    Args:
        logits: [B, L, C], any float dtype; the sum is in float32.
        labels: uint8 [B, L].
        rna: The outputs have those of RNA genes, too.

    Returns:
        Scalar, float32.
    """
    targets, weights = unpack_labels(labels, rna=rna)
    cost = F.binary_cross_entropy_with_logits(logits.float(), targets, weight=weights, reduction="sum")
    return cost / weights.sum().clamp_min(1.0)


def loss_weight(labels: torch.Tensor, *, rna: bool = False) -> torch.Tensor:
    """What ``loss`` divides by, so that losses of batches add up; 0 where every label is masked. Scalar, float32."""
    return unpack_labels(labels, rna=rna)[1].sum()


build_scores = partial(ChannelScores, channels, unpack_labels)

GENES = PlainTask(name, channels, strands, initial_logits, loss, loss_weight, build_scores)
GENES_AND_RNA = PlainTask(
    name, (*channels, *rna_channels), strands, (*initial_logits, *RNA_INITIAL_LOGITS), partial(loss, rna=True),
    partial(loss_weight, rna=True),
    partial(ChannelScores, (*channels, *rna_channels), partial(unpack_labels, rna=True)),
)  # fmt: skip


def build(
    channels: Sequence[str] = (), options: Mapping[str, Any] | None = None, ontology: Mapping[str, Any] | None = None
) -> PlainTask:
    """The task with its settings; see ``interface.BuildTask``.

    Raises:
        ValueError: If a setting is unknown or out of range.
    """
    return GENES_AND_RNA if read_options(Options, options, name).rna else GENES

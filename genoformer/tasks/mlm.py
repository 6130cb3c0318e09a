"""Masked language model: which of the four bases stands where none of the tokens shows it."""

import math

import torch.nn.functional as F
from torch import Tensor

from genoformer.genomes.hiding import N_KNOWN
from genoformer.tasks.plain import PlainTask

name = "mlm"
strands = "average"
channels = ("A", "C", "G", "T")
initial_logits = (0.0, 0.0, 0.0, 0.0)


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy, mean over hidden bases, float32; 0 where none is hidden.

    Args:
        logits: [B, L, 4].
        labels: uint8 [B, L], see ``batches.hiding``.
    """
    chosen = labels < N_KNOWN
    cost = F.cross_entropy(logits[chosen].float(), labels[chosen].long(), reduction="sum")
    return cost / chosen.sum().clamp_min(1)


def loss_weight(labels: Tensor) -> Tensor:
    """What ``loss`` divides by: hidden bases, scalar, float32."""
    return (labels < N_KNOWN).sum().float()


class HiddenBaseScores:
    """Adds up cost and hits over the batches of an evaluation."""

    def __init__(self) -> None:
        self.n_bases = self.n_hits = 0
        self.cost = 0.0

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``loss``."""
        chosen = labels < N_KNOWN
        found, wanted = logits[chosen].float(), labels[chosen].long()
        self.n_bases += len(wanted)
        self.n_hits += int((found.argmax(dim=1) == wanted).sum())
        self.cost += float(F.cross_entropy(found, wanted, reduction="sum")) if len(wanted) else 0.0

    def merge(self, other: "HiddenBaseScores") -> None:
        """Add what another process has added up."""
        self.n_bases, self.n_hits, self.cost = (
            self.n_bases + other.n_bases, self.n_hits + other.n_hits, self.cost + other.cost
        )  # fmt: skip

    def compute(self) -> dict[str, float]:
        """Pseudo-bits per base (2 for a guess), and share of the bases that are told right."""
        n = max(1, self.n_bases)
        return {"bits_per_base": self.cost / n / math.log(2), "accuracy": self.n_hits / n}


build_scores = HiddenBaseScores

build = PlainTask(name, channels, strands, initial_logits, loss, loss_weight, build_scores).build

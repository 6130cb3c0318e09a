"""Masked language model: which of the four bases stands where none of the tokens shows it."""

import math
from collections.abc import Callable

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from genoformer.batches.hiding import N_KNOWN

name = "mlm"
level = "base"
strands = "average"
data = "bases"
labels = "codons"
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
    """What ``loss`` divides by: the number of hidden bases, scalar."""
    return (labels < N_KNOWN).sum()


class HiddenBaseScores:
    """Adds up cost and hits over the batches of an evaluation."""

    def __init__(self) -> None:
        self.totals = np.zeros(3)  # bases, hits, cost

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``loss``."""
        chosen = labels < N_KNOWN
        found, wanted = logits[chosen].float(), labels[chosen].long()
        cost = float(F.cross_entropy(found, wanted, reduction="sum")) if len(wanted) else 0.0
        self.totals += len(wanted), int((found.argmax(dim=1) == wanted).sum()), cost

    def reduce(self, add: Callable[[np.ndarray], np.ndarray]) -> None:
        """Take in what other processes have counted; ``add`` gives the sum of an array over all processes."""
        self.totals = add(self.totals)

    def compute(self) -> dict[str, float]:
        """Pseudo-bits per base (2 for a guess), and share of the bases that are told right."""
        n_bases, n_hits, cost = self.totals.tolist()
        n = max(1, n_bases)
        return {"bits_per_base": cost / n / math.log(2), "accuracy": n_hits / n}


build_scores = HiddenBaseScores

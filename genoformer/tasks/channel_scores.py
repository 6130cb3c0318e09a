"""Scores of tasks with independent outputs per base, channel by channel."""

from collections.abc import Callable

import torch
from torch import Tensor

from genoformer.metrics.bases import BaseScores
from genoformer.metrics.outcomes import Outcomes, base_outcomes

LOGGED_SCORES = ("f1", "mcc", "auprc")


class ChannelScores:
    """Adds up the scores of every channel over the batches of an evaluation.

    Args:
        channels: Names of the outputs, C.
        unpack_labels: Packed labels [B, L] to targets and weights [B, L, C], as a task has it.
        log_odds: Logits to the log-odds of each channel's event, [B, L, C]; None where they are the same.
    """

    def __init__(
        self,
        channels: tuple[str, ...],
        unpack_labels: Callable[[Tensor], tuple[Tensor, Tensor]],
        log_odds: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.scores, self.unpack_labels, self.log_odds = BaseScores(channels), unpack_labels, log_odds

    def update(self, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch: logits [B, L, C], labels uint8 [B, L]."""
        targets, weights = self.unpack_labels(labels)
        odds = logits if self.log_odds is None else self.log_odds(logits)
        scores, truth, counted = (part.float().cpu().numpy() for part in (odds, targets, weights.ne(0)))
        self.scores.update(scores, truth, counted, from_logits=True)

    def merge(self, other: "ChannelScores") -> None:
        """Add what another process has added up."""
        self.scores = self.scores.merge(other.scores)

    def compute(self) -> dict[str, float]:
        """Scores by channel and measure."""
        found = self.scores.compute()
        return {f"{name}_{score}": scores[score] for name, scores in found.items() for score in LOGGED_SCORES}

    def outcomes(self) -> Outcomes:
        """What a picture needs, see ``metrics.outcomes``."""
        return base_outcomes(self.scores)

"""Secondary structure of proteins from coding DNA, codon by codon: helix, strand or coil."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from genoformer.metrics.functions import multiclass_scores
from genoformer.metrics.label_outcomes import class_outcomes
from genoformer.metrics.outcomes import Outcomes
from genoformer.tasks.options import read_options

name = "codon_structure"
strands = "forward"

UNKNOWN_STATE = "-"
"""Letter of a codon whose state nobody knows."""
IGNORED = -1


@dataclass(frozen=True)
class CodonOptions:
    """Settings of the task; plain JSON types.

    Attributes:
        max_bp: Longest coding sequence that is read.
        label_smoothing: Share of the probability that is spread over all states in training.

    Raises:
        ValueError: If a value is out of range; the sentence names it.
    """

    max_bp: int = 30_000
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.max_bp, int) or self.max_bp < 3:
            raise ValueError(f"max_bp must be a whole number of at least 3, not {self.max_bp!r}.")
        if not isinstance(self.label_smoothing, int | float) or not 0 <= self.label_smoothing < 1:
            raise ValueError(f"label_smoothing must be at least 0 and below 1, not {self.label_smoothing!r}.")


@dataclass(frozen=True)
class CodonStructure:
    """The task with its states.

    Attributes:
        channels: Letters of the states: C, E, H, or the eight of DSSP.
        options: Settings.
    """

    channels: tuple[str, ...]
    options: CodonOptions

    name = name
    strands = strands
    initial_logits = None

    @property
    def head(self) -> dict[str, Any]:
        return {"name": "token"}

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy, mean over codons whose state is known, float32.

        Args:
            logits: [B, T, C].
            labels: int8 [B, T], ``IGNORED`` where nothing is known.
        """
        smoothing = self.options.label_smoothing if torch.is_grad_enabled() else 0.0
        known = labels != IGNORED
        cost = F.cross_entropy(
            logits[known].float(), labels[known].long(), reduction="sum", label_smoothing=smoothing
        )  # fmt: skip
        return cost / known.sum().clamp_min(1)

    def loss_weight(self, labels: Tensor) -> Tensor:
        """What ``loss`` divides by: codons whose state is known, scalar, float32."""
        return (labels != IGNORED).sum().float()

    def build_scores(self) -> "StateScores":
        return StateScores(self.channels)


class StateScores:
    """Counts which state was said for which, over the batches of an evaluation.

    Args:
        channels: Letters of the states.
    """

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.channels = channels
        self.said: list[np.ndarray] = []
        self.known: list[np.ndarray] = []

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``CodonStructure.loss``."""
        chosen = labels != IGNORED
        self.said.append(logits[chosen].argmax(dim=1).cpu().numpy())
        self.known.append(labels[chosen].cpu().numpy().astype(np.int64))

    def merge(self, other: "StateScores") -> None:
        """Add what another process has gathered."""
        self.said += other.said
        self.known += other.known

    def compute(self) -> dict[str, float]:
        """Accuracy (Q3, or Q8), macro-F1 and MCC over all codons."""
        scores = multiclass_scores(np.concatenate(self.said), np.concatenate(self.known), self.channels)
        return {key: value for key, value in scores.items() if isinstance(value, float)}

    def outcomes(self) -> Outcomes:
        """What a picture needs, see ``metrics.outcomes``."""
        return class_outcomes(np.concatenate(self.said), np.concatenate(self.known), self.channels)


def encode_states(text: str, channels: tuple[str, ...]) -> np.ndarray:
    """Numbers of the states of a text, int8 [T]; ``IGNORED`` for ``UNKNOWN_STATE``.

    Raises:
        ValueError: At the first letter that is no state, with its position.
    """
    numbers = {UNKNOWN_STATE: IGNORED, **{letter: i for i, letter in enumerate(channels)}}
    for i, letter in enumerate(text):
        if letter not in numbers:
            raise ValueError(f"expected {', '.join(channels)} or {UNKNOWN_STATE}, found {letter!r} at position {i + 1}")
    return np.array([numbers[letter] for letter in text], np.int8)


def build(
    channels: Sequence[str] = (), options: Mapping[str, Any] | None = None, ontology: Mapping[str, Any] | None = None
) -> CodonStructure:
    """The task with these states; see ``interface.BuildTask``.

    Raises:
        ValueError: If a setting is unknown or out of range.
    """
    return CodonStructure(tuple(channels), read_options(CodonOptions, options, name))

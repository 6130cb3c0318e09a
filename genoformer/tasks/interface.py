"""What the rest of the program asks of a task: outputs, head, loss and scores. A task reads no files.

A module of ``tasks/`` has a function ``build`` of the type ``BuildTask``; the row of ``applications.APPLICATIONS``
names it.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self, runtime_checkable

from torch import Tensor

from genoformer.metrics.outcomes import Outcomes


class Scores(Protocol):
    """Adds up what an evaluation says, batch by batch."""

    def update(self, logits: Tensor, labels: Tensor) -> None:
        """Add a batch; shapes as in ``Task.loss``."""

    def merge(self, other: Self) -> None:
        """Add what another process has added up."""

    def compute(self) -> dict[str, float]:
        """Scores by name."""


@runtime_checkable
class ShowsOutcomes(Protocol):
    """Scores that have more to show than numbers."""

    def outcomes(self) -> Outcomes:
        """Tables and probabilities of the evaluation, for the report of a run."""


class Task(Protocol):
    """What is learned: named outputs of a head, and what they cost."""

    @property
    def name(self) -> str:
        """Key of the task's row."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the outputs, C of them; none before the data was looked at, where they follow from the labels."""

    @property
    def strands(self) -> str:
        """ "each", "average" or "forward": what the other strand means."""

    @property
    def head(self) -> dict[str, Any]:
        """Name and settings of the head, see ``nn.heads.HEADS``; plain JSON types."""

    @property
    def initial_logits(self) -> Sequence[float] | None:
        """What the outputs per base are about before training, C numbers; None for zero."""

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Mean cost of a batch, scalar, float32."""

    def loss_weight(self, labels: Tensor) -> Tensor:
        """What the loss is a mean over, so that losses of batches add up; scalar, float32."""

    def build_scores(self) -> Scores:
        """Scores that have seen nothing."""


class BuildTask(Protocol):
    """Makes a task from what a configuration or a bundle says."""

    def __call__(
        self, channels: Sequence[str] = (), options: Mapping[str, Any] | None = None,
        ontology: Mapping[str, Any] | None = None,
    ) -> Task:  # fmt: skip
        """The task, ready to use.

        Args:
            channels: Names of the outputs, where they follow from the labels.
            options: Settings.
            ontology: What outputs imply.

        Raises:
            ValueError: If a setting is unknown or out of range; the sentence names it.
        """

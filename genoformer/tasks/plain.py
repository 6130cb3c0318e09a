"""A task without settings, put together from functions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from genoformer.tasks.interface import Scores


@dataclass(frozen=True)
class PlainTask:
    """Fixed outputs per base; see ``interface.Task`` for what the attributes are."""

    name: str
    channels: tuple[str, ...]
    strands: str
    initial_logits: tuple[float, ...]
    loss: Callable[[Tensor, Tensor], Tensor]
    loss_weight: Callable[[Tensor], Tensor]
    build_scores: Callable[[], Scores]

    @property
    def head(self) -> dict[str, Any]:
        return {"name": "base"}

    def build(
        self, channels: Sequence[str] = (), options: Mapping[str, Any] | None = None,
        ontology: Mapping[str, Any] | None = None,
    ) -> "PlainTask":  # fmt: skip
        """This task; see ``interface.BuildTask``.

        Raises:
            ValueError: If there are settings.
        """
        if options:
            raise ValueError(f"the task {self.name} has no settings, found {', '.join(options)}.")
        return self

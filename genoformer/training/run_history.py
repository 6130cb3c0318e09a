"""What a run has logged, read back from ``metrics.csv``: curves, and the validation that chose the model."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from genoformer.training.shown_scores import PREFIX


@dataclass(frozen=True)
class RunHistory:
    """Logged values by step.

    Attributes:
        rows: Step and what was logged there, by name; steps rise.
    """

    rows: list[tuple[int, dict[str, float]]]

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The rows of a file; none where there is no file.

        Raises:
            ValueError: If a value is no number.
        """
        if not Path(path).is_file():
            return cls([])
        with open(path, newline="") as file:
            rows = [{name: value for name, value in row.items() if value} for row in csv.DictReader(file)]
        return cls([(int(row.pop("step")), {name: float(value) for name, value in row.items()}) for row in rows])

    @property
    def names(self) -> list[str]:
        """Everything that was logged, in the order in which it first was."""
        return list(dict.fromkeys(name for _, row in self.rows for name in row))

    def column(self, name: str) -> tuple[list[int], list[float]]:
        """Steps and values where this was logged and is a number."""
        found = [(step, row[name]) for step, row in self.rows if name in row and math.isfinite(row[name])]
        return [step for step, _ in found], [value for _, value in found]

    def validations(self) -> list[tuple[int, dict[str, float]]]:
        """Steps that were validated, and their scores, with the prefix."""
        scored = [(step, {name: v for name, v in row.items() if name.startswith(PREFIX)}) for step, row in self.rows]
        return [(step, scores) for step, scores in scored if scores]

    def best(self, monitor: str) -> tuple[int, dict[str, float]] | None:
        """The validation whose weights the model has, and its scores; None before there was one."""
        found: tuple[int, dict[str, float]] | None = None
        for step, scores in self.validations():
            before = None if found is None else found[1][monitor]
            if monitor in scores and is_better(scores[monitor], before, monitor):
                found = (step, scores)
        return found


def is_better(value: float, best: float | None, monitor: str) -> bool:
    """Whether a value of a metric is better than the best before it; NaN never is.

    Args:
        value: Found in this validation.
        best: The best before; None where there was none.
        monitor: The metric. One whose name ends in "loss" is better when lower, any other when higher.
    """
    if best is None or math.isnan(value):
        return not math.isnan(value)
    return value < best if monitor.endswith("loss") else value > best

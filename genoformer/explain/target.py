"""Which output is explained: a class of a sequence, or a channel over some positions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genoformer.errors import UsageError
from genoformer.files.numbers import whole_number

N_NAMED_LETTERS = 200
OVERALL, PER_BASE, PER_TOKEN = "sequence", "base", "token"
"""Heads whose outputs can be explained."""


@dataclass(frozen=True)
class Target:
    """One output of a model.

    Attributes:
        name: Of the output.
        channel: Its number.
        head: "sequence", "base" or "token".
        span: Positions whose outputs are added up, forward coordinates of the record, 0-based, half-open; None for
            all that is looked at, and for outputs of whole sequences.
    """

    name: str
    channel: int
    head: str
    span: tuple[int, int] | None = None

    def __str__(self) -> str:
        """As ``read_target`` reads it."""
        return self.name if self.span is None else f"{self.name}:{self.span[0] + 1:,}-{self.span[1]:,}"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {"name": self.name, "span": None if self.span is None else list(self.span)}


def read_target(text: str | None, labels: Sequence[str], head: str) -> Target:
    """The output that a text names: NAME, or NAME:START-END with positions, 1-based and inclusive.

    Args:
        text: None for the only output of a model that has one.
        labels: Names of the model's outputs.
        head: Name of its head.

    Raises:
        UsageError: If there is no such output, or the model has none of one sequence or base.
    """
    if head not in (OVERALL, PER_BASE, PER_TOKEN):
        raise UsageError("EXPLAIN-004", "outputs of pairs of bases are not explained.", where="--model")
    if text is None:
        if len(labels) != 1:
            raise UsageError("EXPLAIN-001", f"the model has several outputs: {_listed(labels)}.", where="--target")
        return Target(labels[0], 0, head)
    if text in labels:  # names of terms have colons, too
        return Target(text, list(labels).index(text), head)
    match = re.fullmatch(r"(.+):([0-9,]+)-([0-9,]+)", text)
    name = match[1] if match else text
    if name not in labels:
        message = f'there is no output "{name}"; there are {_listed(labels)}.'
        raise UsageError("EXPLAIN-001", message, where="--target")
    if match is None or head == OVERALL:
        message = f'"{name}" is said of the whole sequence: it has no positions.'
        raise UsageError("EXPLAIN-002", message, where="--target", fix=f"Give --target {name}.")
    start, end = (whole_number(match[i].replace(",", "")) or 0 for i in (2, 3))
    if not 1 <= start <= end:
        raise UsageError(
            "EXPLAIN-002", f"expected START-END with 1 ≤ START ≤ END, found {text[:80]}.", where="--target"
        )
    return Target(name, list(labels).index(name), head, (start - 1, end))


def _listed(labels: Sequence[str]) -> str:
    text = ", ".join(labels)
    return text if len(text) <= N_NAMED_LETTERS else f"{text[:N_NAMED_LETTERS]} …"

"""Predictions of secondary structure: a request and its model."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from genoformer.applications.codon_structure.caller import CodonCaller
from genoformer.applications.codon_structure.request import CodonRequest
from genoformer.bundle.folder import Bundle
from genoformer.inference.chunks import Outputs
from genoformer.inference.formats import Formats, MakeWriter
from genoformer.inference.interface import Speed
from genoformer.inference.sequence_predict import SequencePredictor
from genoformer.sequence.records import Record


class StateTally:
    """Counts states.

    Args:
        channels: Their letters.
    """

    def __init__(self, channels: tuple[str, ...]) -> None:
        self.channels = channels
        self.counts: Counter[str] = Counter()

    def add(self, record: Record, found: Outputs) -> None:
        """Count the states of one record."""
        self.counts.update(self.channels[number] for number in found["probabilities"].argmax(axis=1))

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says."""
        counts = {name: self.counts[name] for name in self.channels}
        return {"n_codons": sum(counts.values()), "counts": counts}


@dataclass(frozen=True)
class CodonPredictor(SequencePredictor):
    """A request and its model."""

    caller: CodonCaller

    @classmethod
    def from_bundle(cls, request: CodonRequest, bundle: Bundle, speed: Speed) -> Self:
        """Make ready; DataError if the bundle is of another task."""
        return cls(request, CodonCaller.from_bundle(bundle, speed))

    def build_tally(self) -> StateTally:
        return StateTally(self.caller.task.channels)

    def writers(self, formats: Formats) -> Mapping[str, MakeWriter]:
        channels = self.caller.task.channels
        return {word: partial(formats[word].writer.load(), channels=channels) for word in self.request.formats}

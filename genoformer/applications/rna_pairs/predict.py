"""Predictions of base pairs: what is asked, and what becomes of it."""

from dataclasses import dataclass
from typing import Any, Self

from genoformer.applications.rna_pairs.caller import PairCaller
from genoformer.applications.rna_pairs.request import PairRequest
from genoformer.bundle.folder import Bundle
from genoformer.inference.chunks import Outputs
from genoformer.inference.interface import Speed
from genoformer.inference.sequence_predict import SequencePredictor
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import pairs_of


class PairTally:
    """Counts pairs of structures."""

    def __init__(self) -> None:
        self.n_pairs = 0

    def add(self, record: Record, found: Outputs) -> None:
        """Count the pairs of one record."""
        self.n_pairs += len(pairs_of(found["partners"]))

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says."""
        return {"n_pairs": self.n_pairs}


@dataclass(frozen=True)
class PairPredictor(SequencePredictor):
    """A request and its model."""

    caller: PairCaller

    @classmethod
    def from_bundle(cls, request: PairRequest, bundle: Bundle, speed: Speed) -> Self:
        """Make ready; DataError if the bundle is of another task."""
        return cls(request, PairCaller.from_bundle(bundle, speed, crossing=request.crossing))

    def build_tally(self) -> PairTally:
        return PairTally()

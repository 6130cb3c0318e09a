"""Predictions of contacts: a request and its model."""

from dataclasses import dataclass
from typing import Any, Self

from genoformer.applications.contacts.caller import ContactCaller
from genoformer.applications.contacts.request import ContactRequest
from genoformer.applications.contacts.writers import n_listed
from genoformer.bundle.folder import Bundle
from genoformer.inference.chunks import Outputs
from genoformer.inference.interface import Speed
from genoformer.inference.sequence_predict import SequencePredictor
from genoformer.sequence.records import Record


class ContactTally:
    """Counts the rows of the table."""

    def __init__(self) -> None:
        self.n_listed = 0

    def add(self, record: Record, found: Outputs) -> None:
        """Count the rows of one record."""
        self.n_listed += min(n_listed(record), len(found["pairs"]))

    def summary(self) -> dict[str, Any]:
        """What ``summary.json`` says."""
        return {"n_listed": self.n_listed}


@dataclass(frozen=True)
class ContactPredictor(SequencePredictor):
    """A request and its model."""

    caller: ContactCaller

    @classmethod
    def from_bundle(cls, request: ContactRequest, bundle: Bundle, speed: Speed) -> Self:
        """Make ready; DataError if the bundle is of another task."""
        return cls(request, ContactCaller.from_bundle(bundle, speed))

    def build_tally(self) -> ContactTally:
        return ContactTally()

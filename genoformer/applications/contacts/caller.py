"""A model of contacts and its calibration: coding sequences to probabilities of every two residues."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from genoformer.inference.chunks import Outputs
from genoformer.inference.formats import Formats
from genoformer.inference.parts import Part
from genoformer.inference.presentation import Presentation
from genoformer.inference.sequence_caller import SequenceCaller
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.structures.contacts import CONTACT, UNKNOWN
from genoformer.tasks import contacts
from genoformer.tasks.contacts import MIN_SEPARATION

SMALLEST = 1e-3
"""Pairs that are less probable are not in the files."""

FORMATS: Part[Formats] = Part("genoformer.applications.contacts.outputs:FORMATS")
DRAW: Part[Any] = Part("genoformer.applications.contacts.picture:draw")
WORDS: Part[Any] = Part("genoformer.applications.contacts.picture:in_words")


@dataclass(frozen=True)
class ContactCaller(SequenceCaller):
    """A bundle made ready."""

    task_module: ClassVar[Any] = contacts
    fitted: ClassVar[tuple[str, ...]] = ("isotonic",)

    @property
    def presentation(self) -> Presentation:
        return Presentation(FORMATS, draw=DRAW, words=WORDS)

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """Outputs of the network for every two whole codons, float32 [T, T], symmetric."""
        return self.run_on_codons(codes, (0, 0))

    def outputs(self, codes: np.ndarray) -> Outputs:
        """What is written of a sequence: "pairs" int32 [n, 2] of codons, i < j, and their calibrated "probability"."""
        logits = self.logits(codes)
        i, j = np.triu_indices(len(logits), MIN_SEPARATION)
        sure = IsotonicCalibrator.from_dict(self.calibration["isotonic"]).apply(logits[i, j])
        # The map is flat in places, where the order of the outputs still counts.
        order = np.lexsort((-logits[i, j], -sure))
        order = order[sure[order] >= SMALLEST]
        pairs = np.stack([i, j], axis=1)[order]
        return {"pairs": pairs.astype(np.int32), "probability": sure[order].astype(np.float32)}


def contact_population(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the known pairs of a chain that are far enough apart, and whether they are contacts."""
    known = np.triu(labels != UNKNOWN, MIN_SEPARATION)
    return scores[known], (labels[known] == CONTACT).astype(np.float64)

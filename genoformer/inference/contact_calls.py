"""A model of contacts and its calibration: coding sequences to probabilities of every two residues."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from genoformer.bundle import Bundle, model_device
from genoformer.calibration import IsotonicCalibrator
from genoformer.inference.bundle_parts import bundle_task, read_calibration
from genoformer.structures.contacts import CONTACT, UNKNOWN
from genoformer.tasks.contacts import MIN_SEPARATION, Contacts

CODON_BP = 3
SMALLEST = 1e-3
"""Pairs that are less probable are not in the files."""


@dataclass(frozen=True)
class ContactCaller:
    """A bundle made ready.

    Attributes:
        bundle: The model.
        task: Its task.
        precision: "float32", or "bfloat16" for autocast.
    """

    bundle: Bundle
    task: Contacts
    precision: str = "float32"

    @classmethod
    def from_bundle(cls, bundle: Bundle, *, precision: str = "float32") -> "ContactCaller":
        """Make a bundle ready; DataError if it is of another task."""
        return cls(bundle, bundle_task(bundle, "contacts"), precision)

    @property
    def max_bp(self) -> int:
        """Longest sequence that is read."""
        return self.task.options.max_bp

    @property
    def calibration(self) -> dict:
        """What ``fit_contact_calibration`` made; DataError if the bundle has none."""
        return read_calibration(self.bundle)

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """Outputs of the network for every two whole codons, float32 [T, T], symmetric."""
        codes = codes[: len(codes) // CODON_BP * CODON_BP]
        if not len(codes):
            return np.zeros((0, 0), np.float32)
        device = model_device(self.bundle.model)
        token_ids = torch.from_numpy(self.bundle.tokenizer.encode(codes).astype(np.int64))[None].to(device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            return self.bundle.model(token_ids)[0].float().cpu().numpy()

    def outputs(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """What is written of a sequence: "pairs" int32 [n, 2] of codons, i < j, and their calibrated "probability"."""
        logits = self.logits(codes)
        i, j = np.triu_indices(len(logits), MIN_SEPARATION)
        sure = IsotonicCalibrator.from_dict(self.calibration["isotonic"]).apply(logits[i, j])
        # The map is flat in places, where the order of the outputs still counts.
        order = np.lexsort((-logits[i, j], -sure))
        order = order[sure[order] >= SMALLEST]
        pairs = np.stack([i, j], axis=1)[order]
        return {"pairs": pairs.astype(np.int32), "probability": sure[order].astype(np.float32)}


def fit_contact_calibration(logits: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> dict:
    """A map from outputs to probabilities, fitted on chains that training has not seen; JSON types.

    Args:
        logits: Outputs of each chain, [T, T].
        labels: Contacts of each, see ``structures.contacts``.
    """
    populations = [contact_population(*both) for both in zip(logits, labels, strict=True)]
    scores, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    return {"isotonic": IsotonicCalibrator.fit(scores, outcomes).to_dict()}


def contact_population(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the known pairs of a chain that are far enough apart, and whether they are contacts."""
    known = np.triu(labels != UNKNOWN, MIN_SEPARATION)
    return scores[known], (labels[known] == CONTACT).astype(np.float64)

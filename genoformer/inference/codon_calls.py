"""A model of secondary structure and its calibration: coding sequences to probabilities of states."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax

from genoformer.bundle import Bundle, model_device
from genoformer.calibration import fit_temperature
from genoformer.inference.bundle_parts import bundle_task, read_calibration
from genoformer.tasks.codon_structure import IGNORED, CodonStructure

CODON_BP = 3


@dataclass(frozen=True)
class CodonCaller:
    """A bundle made ready.

    Attributes:
        bundle: The model.
        task: Its task with the states.
        precision: "float32", or "bfloat16" for autocast.
    """

    bundle: Bundle
    task: CodonStructure
    precision: str = "float32"

    @classmethod
    def from_bundle(cls, bundle: Bundle, *, precision: str = "float32") -> "CodonCaller":
        """Make a bundle ready; DataError if it is of another task."""
        return cls(bundle, bundle_task(bundle, "codon_structure"), precision)

    @property
    def max_bp(self) -> int:
        """Longest sequence that is read."""
        return self.task.options.max_bp

    @property
    def calibration(self) -> dict:
        """What ``fit_state_calibration`` made; DataError if the bundle has none."""
        return read_calibration(self.bundle)

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """Outputs of the network for every whole codon, float32 [T, C]; one or two bases left over are not read."""
        codes = codes[: len(codes) // CODON_BP * CODON_BP]
        if not len(codes):
            return np.zeros((0, len(self.task.channels)), np.float32)
        device = model_device(self.bundle.model)
        token_ids = torch.from_numpy(self.bundle.tokenizer.encode(codes).astype(np.int64))[None].to(device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            return self.bundle.model(token_ids)[0].float().cpu().numpy()

    def outputs(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """What is written of a sequence: calibrated "probabilities", float32 [T, C]."""
        scaled = self.logits(codes).astype(np.float64) / self.calibration["temperature"]
        return {"probabilities": softmax(scaled, axis=1).astype(np.float32)}


def fit_state_calibration(logits: Sequence[np.ndarray], states: Sequence[np.ndarray]) -> dict:
    """The temperature of the outputs, fitted on sequences that training has not seen; JSON types.

    Args:
        logits: Outputs of each sequence, [T, C].
        states: Numbers of the states of each, [T]; unknown ones do not count.
    """
    outputs, known = np.concatenate(logits), np.concatenate(states)
    return {"temperature": fit_temperature(outputs[known != IGNORED], known[known != IGNORED])}

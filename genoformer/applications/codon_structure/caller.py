"""A model of secondary structure and its calibration: coding sequences to probabilities of states."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from genoformer.inference.chunks import Outputs
from genoformer.inference.sequence_caller import SequenceCaller
from genoformer.metrics.calibration import fit_temperature
from genoformer.tasks import codon_structure
from genoformer.tasks.codon_structure import IGNORED


@dataclass(frozen=True)
class CodonCaller(SequenceCaller):
    """A bundle made ready; its task holds the states."""

    task_module = codon_structure

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """Outputs of the network for every whole codon, float32 [T, C]."""
        return self.run_on_codons(codes, (0, len(self.task.channels)))

    def outputs(self, codes: np.ndarray) -> Outputs:
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

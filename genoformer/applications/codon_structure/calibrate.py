"""Calibration of a finished model of secondary structure on its validation part."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from genoformer.applications.codon_structure.caller import CodonCaller
from genoformer.bundle.folder import Bundle
from genoformer.inference.interface import Speed
from genoformer.metrics.calibration_fit import fit_temperature
from genoformer.tasks.codon_structure import IGNORED
from genoformer.training.finish import Finish
from genoformer.training.progress import stepped


def fit_states(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """Probabilities, fitted on the validation part; see ``training.finish.Fit``."""
    samples = data.build_samples(data.parts["validation"], is_training=False)
    caller = CodonCaller.from_bundle(bundle, Speed(precision=precision))
    codes = stepped(samples.codes, "reading validation sequences", "sequence")
    logits = [caller.logits(sequence) for sequence in codes]
    return {bundle.config.task: fit_state_calibration(logits, samples.states)}


def fit_state_calibration(logits: Sequence[np.ndarray], states: Sequence[np.ndarray]) -> dict:
    """The temperature of the outputs, fitted on sequences that training has not seen; JSON types.

    Args:
        logits: Outputs of each sequence, [T, C].
        states: Numbers of the states of each, [T]; unknown ones do not count.
    """
    outputs, known = np.concatenate(logits), np.concatenate(states)
    return {"temperature": fit_temperature(outputs[known != IGNORED], known[known != IGNORED])}


FINISH = Finish(fit_states)

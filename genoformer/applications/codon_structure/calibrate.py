"""Calibration of a finished model of secondary structure on its validation part."""

from typing import Any

from genoformer.applications.codon_structure.caller import CodonCaller, fit_state_calibration
from genoformer.bundle.folder import Bundle
from genoformer.inference.interface import Speed
from genoformer.training.finish import Finish


def fit_states(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """Probabilities, fitted on the validation part; see ``training.finish.Fit``."""
    samples = data.build_samples(data.parts["validation"], is_training=False)
    caller = CodonCaller.from_bundle(bundle, Speed(precision=precision))
    return {
        bundle.config.task: fit_state_calibration([caller.logits(codes) for codes in samples.codes], samples.states)
    }


FINISH = Finish(fit_states)

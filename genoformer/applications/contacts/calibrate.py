"""Calibration of a finished model of contacts on its validation part."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from genoformer.applications.contacts.caller import ContactCaller, contact_population
from genoformer.bundle.folder import Bundle
from genoformer.inference.interface import Speed
from genoformer.metrics.calibration_fit import fit_isotonic
from genoformer.training.finish import Finish
from genoformer.training.progress import stepped


def fit_contacts(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """Probabilities, fitted on the validation part; see ``training.finish.Fit``."""
    samples = data.build_samples(data.parts["validation"], is_training=False)
    caller = ContactCaller.from_bundle(bundle, Speed(precision=precision))
    codes = stepped(samples.codes, "reading validation sequences", "sequence")
    logits = [caller.logits(sequence) for sequence in codes]
    return {bundle.config.task: fit_contact_calibration(logits, samples.labels)}


def fit_contact_calibration(logits: Sequence[np.ndarray], labels: Sequence[np.ndarray]) -> dict:
    """A map from outputs to probabilities, fitted on chains that training has not seen; JSON types.

    Args:
        logits: Outputs of each chain, [T, T].
        labels: Contacts of each, see ``structures.contacts``.
    """
    populations = [contact_population(*both) for both in zip(logits, labels, strict=True)]
    scores, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    return {"isotonic": fit_isotonic(scores, outcomes).to_dict()}


FINISH = Finish(fit_contacts)

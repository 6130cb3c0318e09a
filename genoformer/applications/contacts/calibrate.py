"""Calibration of a finished model of contacts on its validation part."""

from typing import Any

from genoformer.applications.contacts.caller import ContactCaller, fit_contact_calibration
from genoformer.bundle.folder import Bundle
from genoformer.inference.interface import Speed
from genoformer.training.finish import Finish


def fit_contacts(bundle: Bundle, data: Any, precision: str) -> dict[str, Any]:
    """Probabilities, fitted on the validation part; see ``training.finish.Fit``."""
    samples = data.build_samples(data.parts["validation"], is_training=False)
    caller = ContactCaller.from_bundle(bundle, Speed(precision=precision))
    logits = [caller.logits(codes) for codes in samples.codes]
    return {bundle.config.task: fit_contact_calibration(logits, samples.labels)}


FINISH = Finish(fit_contacts)

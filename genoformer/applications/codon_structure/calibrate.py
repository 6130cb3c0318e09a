"""Calibration of a finished model of coding sequences, of states or contacts, on its validation part."""

from genoformer.applications.codon_structure.caller import CodonCaller, fit_state_calibration
from genoformer.applications.codon_structure.data import CodonData
from genoformer.applications.contacts.caller import ContactCaller, fit_contact_calibration
from genoformer.applications.contacts.data import ContactData
from genoformer.bundle import Bundle


def fit_coding(bundle: Bundle, data: CodonData | ContactData, precision: str) -> dict:
    """Probabilities, fitted on the validation part; see ``finish.Fit``."""
    samples = data.build_samples(data.parts["validation"], is_training=False)
    if isinstance(data, CodonData):
        kind, fit, labels = CodonCaller, fit_state_calibration, samples.states
    else:
        kind, fit, labels = ContactCaller, fit_contact_calibration, samples.labels
    caller = kind.from_bundle(bundle, precision=precision)
    return {caller.task_name: fit([caller.logits(codes) for codes in samples.codes], labels)}

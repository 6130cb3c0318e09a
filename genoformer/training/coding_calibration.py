"""Calibration of a finished model of coding sequences, of states or contacts, on its validation part."""

from pathlib import Path

from genoformer.bundle import add_calibration, load_bundle
from genoformer.inference.codon_calls import CodonCaller, fit_state_calibration
from genoformer.inference.contact_calls import ContactCaller, fit_contact_calibration
from genoformer.training.codon_data import CodonData
from genoformer.training.contact_data import ContactData


def write_coding_calibration(folder: Path, data: CodonData | ContactData, *, precision: str) -> list[str]:
    """Fit probabilities on the validation part, and write them into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: none.
    """
    bundle, samples = load_bundle(folder), data.build_samples(data.parts["validation"], is_training=False)
    if isinstance(data, CodonData):
        kind, fit, labels = CodonCaller, fit_state_calibration, samples.states
    else:
        kind, fit, labels = ContactCaller, fit_contact_calibration, samples.labels
    caller = kind.from_bundle(bundle, precision=precision)
    fitted = fit([caller.logits(codes) for codes in samples.codes], labels)
    add_calibration(folder, bundle, {caller.task_name: fitted})
    return []

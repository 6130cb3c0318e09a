"""Calibration of a finished model of contacts on its validation part."""

from pathlib import Path

from genoformer.bundle import add_calibration, load_bundle
from genoformer.inference.contact_calls import ContactCaller, fit_contact_calibration
from genoformer.training.contact_data import ContactData


def write_contact_calibration(folder: Path, data: ContactData, *, precision: str) -> list[str]:
    """Fit probabilities on the validation part, and write them into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: none.
    """
    bundle = load_bundle(folder)
    caller = ContactCaller.from_bundle(bundle, precision=precision)
    samples = data.build_samples(data.parts["validation"], is_training=False)
    fitted = fit_contact_calibration([caller.logits(codes) for codes in samples.codes], samples.labels)
    add_calibration(folder, bundle, {"contacts": fitted})
    return []

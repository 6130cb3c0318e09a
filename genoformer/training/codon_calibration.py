"""Calibration of a finished model of secondary structure on its validation part."""

from pathlib import Path

from genoformer.bundle import add_calibration, load_bundle
from genoformer.inference.codon_calls import CodonCaller, fit_state_calibration
from genoformer.training.codon_data import CodonData


def write_state_calibration(folder: Path, data: CodonData, *, precision: str) -> list[str]:
    """Fit the temperature on the validation part, and write it into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: none.
    """
    bundle = load_bundle(folder)
    caller = CodonCaller.from_bundle(bundle, precision=precision)
    samples = data.build_samples(data.parts["validation"], is_training=False)
    fitted = fit_state_calibration([caller.logits(codes) for codes in samples.codes], samples.states)
    add_calibration(folder, bundle, {"codon_structure": fitted})
    return []

"""Calibration of a finished model of base pairs on its validation part."""

from pathlib import Path

from genoformer.bundle import add_calibration, load_bundle
from genoformer.inference.pair_calls import PairCaller, choose_weight, fit_pair_calibration
from genoformer.structures.folding import fold_probabilities
from genoformer.training.pair_data import PairData


def write_pair_calibration(folder: Path, data: PairData, *, precision: str) -> list[str]:
    """Fit probabilities and the weight of pairs on the validation part, and write them into the bundle.

    Args:
        folder: The bundle.
        data: Set up.
        precision: Of the model pass, "bfloat16" or "float32".

    Returns:
        Lines for the user: none.
    """
    bundle = load_bundle(folder)
    caller = PairCaller.from_bundle(bundle, precision=precision)
    members = data.parts["validation"]
    samples, groups = data.build_samples(members, is_training=False), [member.group for member in members]
    found, fitted = [caller.probabilities(codes) for codes in samples.codes], {}
    if caller.has_prior:
        fitted["weight"] = choose_weight(samples.codes, found, samples.partners, groups)
        found = [fold_probabilities(*pair, fitted["weight"]) for pair in zip(samples.codes, found, strict=True)]
    fitted |= fit_pair_calibration(found, samples.partners, groups)
    add_calibration(folder, bundle, {"rna_pairs": fitted})
    return []

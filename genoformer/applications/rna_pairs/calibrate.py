"""Calibration of a finished model of base pairs on its validation part."""

from typing import Any

from genoformer.applications.rna_pairs.caller import PairCaller, choose_weight, fit_pair_calibration
from genoformer.applications.rna_pairs.data import PairData
from genoformer.bundle.folder import Bundle
from genoformer.inference.interface import Speed
from genoformer.structures.folding import fold_probabilities
from genoformer.training.finish import Finish


def fit_pairs(bundle: Bundle, data: PairData, precision: str) -> dict[str, Any]:
    """Probabilities and the weight of pairs, fitted on the validation part; see ``training.finish.Fit``."""
    caller = PairCaller.from_bundle(bundle, Speed(precision=precision))
    members = data.parts["validation"]
    samples, groups = data.build_samples(members, is_training=False), [member.group for member in members]
    found, fitted = [caller.probabilities(codes) for codes in samples.codes], {}
    if caller.has_prior:
        fitted["weight"] = choose_weight(samples.codes, found, samples.partners, groups)
        found = [fold_probabilities(*pair, fitted["weight"]) for pair in zip(samples.codes, found, strict=True)]
    return {"rna_pairs": {**fitted, **fit_pair_calibration(found, samples.partners, groups)}}


FINISH = Finish(fit_pairs)

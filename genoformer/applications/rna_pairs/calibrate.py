"""Calibration of a finished model of base pairs on its validation part."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from genoformer.applications.rna_pairs.caller import PairCaller, pair_population
from genoformer.applications.rna_pairs.data import PairData
from genoformer.bundle.folder import Bundle
from genoformer.decoding.base_pairs import nested_structure
from genoformer.inference.interface import Speed
from genoformer.metrics.calibration_fit import fit_isotonic
from genoformer.metrics.pairs import pair_scores
from genoformer.structures.folding import WHOLE_BP, fold_probabilities
from genoformer.structures.pair_list import PairProbabilities
from genoformer.training.finish import Finish
from genoformer.training.progress import stepped

GAMMAS = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""Weights of pairs among which validation chooses."""
WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Weights of the network, beside ViennaRNA, among which validation chooses; 0 is ViennaRNA by itself."""
CHOOSING = 24
"""RNAs of each family, at most, on which that weight is chosen: long ones take seconds."""
CHOOSING_COST = CHOOSING * WHOLE_BP**3
"""Sum of the cubes of their lengths, at most: of RNAs of more than ``WHOLE_BP`` bases there are fewer."""


def fit_pairs(bundle: Bundle, data: PairData, precision: str) -> dict[str, Any]:
    """Probabilities and the weight of pairs, fitted on the validation part; see ``training.finish.Fit``."""
    caller = PairCaller.from_bundle(bundle, Speed(precision=precision))
    members = data.parts["validation"]
    samples, groups = data.build_samples(members, is_training=False), [member.group for member in members]
    codes, fitted = stepped(samples.codes, "reading validation RNAs", "RNA"), {}
    found = [caller.probabilities(sequence) for sequence in codes]
    if caller.has_prior:
        fitted["weight"] = choose_weight(samples.codes, found, samples.partners, groups)
        found = [fold_probabilities(*pair, fitted["weight"]) for pair in zip(samples.codes, found, strict=True)]
    return {"rna_pairs": {**fitted, **fit_pair_calibration(found, samples.partners, groups)}}


def fit_pair_calibration(
    found: Sequence[PairProbabilities], partners: Sequence[np.ndarray], groups: Sequence[str]
) -> dict:
    """What turns probabilities of pairs into calibrated ones and structures, fitted on RNAs that training has not seen.

    Args:
        found: Pair probabilities of each RNA, see ``caller.PairCaller.probabilities``.
        partners: True partners of each.
        groups: Family of each; families count alike, however many RNAs they have.

    Returns:
        JSON types: "isotonic", a map of probabilities; "gamma", the weight of pairs with the best F1.
    """
    gamma, _ = _best_gamma(found, partners, groups)
    populations = [pair_population(*pair) for pair in zip(found, partners, strict=True)]
    scores, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    return {"isotonic": fit_isotonic(scores, outcomes).to_dict(), "gamma": gamma}


def choose_weight(
    codes: Sequence[np.ndarray],
    said: Sequence[PairProbabilities],
    partners: Sequence[np.ndarray],
    groups: Sequence[str],
) -> float:
    """The weight of the network beside ViennaRNA with the best F1, the smaller one where two are as good.

    Args:
        codes: uint8 base codes of each RNA.
        said: What the network says of each, see ``caller.PairCaller.probabilities``.
        partners: True partners of each.
        groups: Family of each; see ``fit_pair_calibration``. Of each at most ``CHOOSING`` RNAs are looked at, and no
            more than ``CHOOSING_COST`` allows.
    """
    lengths = [len(sequence) for sequence in codes]
    numbers = [i for members in _members(groups) for i in _spread(members, lengths)]
    wanted, names = [partners[i] for i in numbers], [groups[i] for i in numbers]
    f1 = {}
    for weight in stepped(WEIGHTS, "choosing the weight beside ViennaRNA", "weight"):
        found = [fold_probabilities(codes[i], said[i], weight) for i in numbers]
        f1[weight] = _best_gamma(found, wanted, names)[1]
    return max(f1, key=lambda weight: f1[weight])


def _best_gamma(
    found: Sequence[PairProbabilities], partners: Sequence[np.ndarray], groups: Sequence[str]
) -> tuple[float, float]:
    """The weight of pairs with the highest F1, mean over groups, and that F1."""
    members = _members(groups)

    def f1(gamma: float) -> float:
        each = [pair_scores(nested_structure(p, gamma), t)["f1"] for p, t in zip(found, partners, strict=True)]
        return float(np.mean([np.mean([each[i] for i in numbers]) for numbers in members]))

    scores = {gamma: f1(gamma) for gamma in stepped(GAMMAS, "choosing the weight of pairs", "weight")}
    return max(scores.items(), key=lambda pair: pair[1])


def _members(groups: Sequence[str]) -> list[list[int]]:
    """Numbers of the members of each group."""
    return [[i for i, group in enumerate(groups) if group == name] for name in sorted(set(groups))]


def _spread(members: list[int], lengths: list[int]) -> list[int]:
    """The members that are looked at: every n-th, at least one."""
    step = -(-len(members) // CHOOSING)
    while step < len(members) and sum(lengths[i] ** 3 for i in members[::step]) > CHOOSING_COST:
        step += 1
    return members[::step]


FINISH = Finish(fit_pairs)

"""A model of base pairs and its calibration: bases to pair probabilities and structures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from genoformer.batches.pair_samples import pair_features
from genoformer.decoding.base_pairs import crossing_structure, nested_structure
from genoformer.inference.chunks import Outputs
from genoformer.inference.sequence_caller import SequenceCaller
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.metrics.pairs import pair_scores
from genoformer.structures.dot_bracket import pairs_of
from genoformer.structures.folding import fold_probabilities
from genoformer.tasks import rna_pairs
from genoformer.tasks.rna_pairs import pair_labels, pair_probabilities

SMALLEST = 1e-3
"""Pairs that are less probable are not in the files, and calibration does not look at them."""
GAMMAS = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""Weights of pairs among which validation chooses."""
WEIGHTS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
"""Weights of the network, beside ViennaRNA, among which validation chooses; 0 is ViennaRNA by itself."""
CHOOSING = 24
"""RNAs of each family, at most, on which that weight is chosen: long ones take seconds."""


@dataclass(frozen=True)
class PairCaller(SequenceCaller):
    """A bundle made ready.

    Attributes:
        crossing: Pairs of a structure may cross.
    """

    task_module = rna_pairs

    crossing: bool = False

    @property
    def has_prior(self) -> bool:
        """Whether ViennaRNA has a say."""
        return self.task.options.prior != "none"

    def probabilities(self, codes: np.ndarray) -> np.ndarray:
        """Pair probabilities as the network says them, float32 [L, L], symmetric; before calibration.

        Args:
            codes: uint8 base codes [L].
        """
        labels = torch.from_numpy(pair_labels(codes))[None]
        logits = self.run_network(codes, pair_features=pair_features(codes)[None])[None]
        return pair_probabilities(logits, labels)[0].numpy()

    def structure(self, probabilities: np.ndarray) -> np.ndarray:
        """Partners [L] by maximum expected accuracy, with the weight of pairs that validation chose."""
        decode = crossing_structure if self.crossing else nested_structure
        return decode(probabilities, self.calibration["gamma"])

    def outputs(self, codes: np.ndarray) -> Outputs:
        """What is written of a sequence: "pairs" int32 [n, 2], i < j, their calibrated "probability", and "partners".

        Pairs of the structure are always among the pairs, others from ``SMALLEST`` on.
        """
        found = self.probabilities(codes)
        if self.has_prior:
            found = fold_probabilities(codes, found, self.calibration["weight"])
        partners = self.structure(found)
        listed = np.triu(found >= SMALLEST, 1)
        listed[tuple(pairs_of(partners).T)] = True
        pairs = np.argwhere(listed)
        calibrator = IsotonicCalibrator.from_dict(self.calibration["isotonic"])
        sure = calibrator.apply(found[pairs[:, 0], pairs[:, 1]])
        return {"pairs": pairs.astype(np.int32), "probability": sure.astype(np.float32), "partners": partners}


def fit_pair_calibration(found: Sequence[np.ndarray], partners: Sequence[np.ndarray], groups: Sequence[str]) -> dict:
    """What turns probabilities of pairs into calibrated ones and structures, fitted on RNAs that training has not seen.

    Args:
        found: Pair probabilities of each RNA, see ``PairCaller.probabilities``.
        partners: True partners of each.
        groups: Family of each; families count alike, however many RNAs they have.

    Returns:
        JSON types: "isotonic", a map of probabilities; "gamma", the weight of pairs with the best F1.
    """
    gamma, _ = _best_gamma(found, partners, groups)
    populations = [pair_population(*pair) for pair in zip(found, partners, strict=True)]
    scores, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    return {"isotonic": IsotonicCalibrator.fit(scores, outcomes).to_dict(), "gamma": gamma}


def choose_weight(
    codes: Sequence[np.ndarray], said: Sequence[np.ndarray], partners: Sequence[np.ndarray], groups: Sequence[str]
) -> float:
    """The weight of the network beside ViennaRNA with the best F1, the smaller one where two are as good.

    Args:
        codes: uint8 base codes of each RNA.
        said: What the network says of each, see ``PairCaller.probabilities``.
        partners: True partners of each.
        groups: Family of each; see ``fit_pair_calibration``. Of each at most ``CHOOSING`` RNAs are looked at.
    """
    numbers = [i for members in _members(groups) for i in members[:: -(-len(members) // CHOOSING)]]
    wanted, names = [partners[i] for i in numbers], [groups[i] for i in numbers]
    f1 = {}
    for weight in WEIGHTS:
        found = [fold_probabilities(codes[i], said[i], weight) for i in numbers]
        f1[weight] = _best_gamma(found, wanted, names)[1]
    return max(f1, key=f1.get)


def pair_population(found: np.ndarray, partners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the pairs that calibration is about, and whether they are true: those from ``SMALLEST`` on."""
    i, j = np.nonzero(np.triu(found >= SMALLEST, 1))
    return found[i, j], (partners[i] == j).astype(np.float64)


def _best_gamma(
    found: Sequence[np.ndarray], partners: Sequence[np.ndarray], groups: Sequence[str]
) -> tuple[float, float]:
    """The weight of pairs with the highest F1, mean over groups, and that F1."""
    members = _members(groups)

    def f1(gamma: float) -> float:
        each = [pair_scores(nested_structure(p, gamma), t)["f1"] for p, t in zip(found, partners, strict=True)]
        return float(np.mean([np.mean([each[i] for i in numbers]) for numbers in members]))

    scores = {gamma: f1(gamma) for gamma in GAMMAS}
    return max(scores.items(), key=lambda pair: pair[1])


def _members(groups: Sequence[str]) -> list[list[int]]:
    """Numbers of the members of each group."""
    return [[i for i, group in enumerate(groups) if group == name] for name in sorted(set(groups))]

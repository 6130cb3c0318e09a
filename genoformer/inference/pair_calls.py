"""A model of base pairs and its calibration: bases to pair probabilities and structures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from genoformer.batches.pair_samples import pair_features
from genoformer.bundle import Bundle, model_device
from genoformer.calibration import IsotonicCalibrator
from genoformer.decoding.base_pairs import crossing_structure, nested_structure
from genoformer.errors import DataError
from genoformer.inference.bundle_parts import read_calibration
from genoformer.pair_metrics import mean_pair_scores, pair_scores
from genoformer.structures.dot_bracket import pairs_of
from genoformer.structures.folding import fold_probabilities, mix_probabilities
from genoformer.tasks import build_task
from genoformer.tasks.rna_pairs import RnaPairs, pair_labels, pair_probabilities

SMALLEST = 1e-3
"""Pairs that are less probable are not in the files, and calibration does not look at them."""
GAMMAS = (0.5, 0.7, 1.0, 1.4, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
"""Weights of pairs among which validation chooses."""
MIXTURES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Weights of the network, beside ViennaRNA, among which validation chooses."""


@dataclass(frozen=True)
class PairCaller:
    """A bundle made ready.

    Attributes:
        bundle: The model.
        task: Its task.
        precision: "float32", or "bfloat16" for autocast.
        crossing: Pairs of a structure may cross.
    """

    bundle: Bundle
    task: RnaPairs
    precision: str = "float32"
    crossing: bool = False

    @classmethod
    def from_bundle(cls, bundle: Bundle, *, precision: str = "float32", crossing: bool = False) -> "PairCaller":
        """Make a bundle ready; DataError if it is of another task."""
        if bundle.config.task != "rna_pairs":
            message = f"a model for rna_pairs is expected, found {bundle.config.task}."
            raise DataError("MODEL-020", message, where=bundle.name)
        task = build_task("rna_pairs", bundle.config.channels, bundle.config.options)
        return cls(bundle, task, precision, crossing)

    @property
    def max_bp(self) -> int:
        """Longest sequence that is read."""
        return self.task.options.max_bp

    @property
    def calibration(self) -> dict:
        """What ``fit_pair_calibration`` made; DataError if the bundle has none."""
        return read_calibration(self.bundle)

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
        device = model_device(self.bundle.model)
        inputs = {
            "token_ids": torch.from_numpy(self.bundle.tokenizer.encode(codes).astype(np.int64))[None],
            "pair_features": torch.from_numpy(pair_features(codes))[None],
        }
        inputs = {name: tensor.to(device) for name, tensor in inputs.items()}
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            return pair_probabilities(self.bundle.model(**inputs), labels.to(device))[0].cpu().numpy()

    def structure(self, probabilities: np.ndarray) -> np.ndarray:
        """Partners [L] by maximum expected accuracy, with the weight of pairs that validation chose."""
        decode = crossing_structure if self.crossing else nested_structure
        return decode(probabilities, self.calibration["gamma"])

    def outputs(self, codes: np.ndarray) -> dict[str, np.ndarray]:
        """What is written of a sequence: "pairs" int32 [n, 2], i < j, their calibrated "probability", and "partners".

        Pairs of the structure are always among the pairs, others from ``SMALLEST`` on.
        """
        found = self.probabilities(codes)
        if self.has_prior:
            found = mix_probabilities(found, fold_probabilities(codes), self.calibration["mixture"])
        partners = self.structure(found)
        listed = np.triu(found >= SMALLEST, 1)
        listed[tuple(pairs_of(partners).T)] = True
        pairs = np.argwhere(listed)
        calibrator = IsotonicCalibrator.from_dict(self.calibration["isotonic"])
        sure = calibrator.apply(found[pairs[:, 0], pairs[:, 1]])
        return {"pairs": pairs.astype(np.int32), "probability": sure.astype(np.float32), "partners": partners}


def fit_pair_calibration(
    said: Sequence[np.ndarray], partners: Sequence[np.ndarray], folded: Sequence[np.ndarray] | None = None
) -> dict:
    """What turns a network's outputs into probabilities and structures, fitted on RNAs that training has not seen.

    Args:
        said: Pair probabilities of each RNA, see ``PairCaller.probabilities``.
        partners: True partners of each.
        folded: Those of ViennaRNA, for models that mix them in.

    Returns:
        JSON types: "isotonic", a map of probabilities; "gamma", the weight of pairs, and with ``folded`` "mixture", the
        weight of the network, with the best mean F1.
    """
    mixed = {None: said}
    if folded is not None:
        both = list(zip(said, folded, strict=True))
        mixed = {weight: [mix_probabilities(*pair, weight) for pair in both] for weight in MIXTURES}
    f1 = {(w, gamma): _mean_f1(found, partners, gamma) for w, found in mixed.items() for gamma in GAMMAS}
    weight, gamma = max(f1, key=f1.get)
    populations = [pair_population(*pair) for pair in zip(mixed[weight], partners, strict=True)]
    scores, outcomes = (np.concatenate(parts) for parts in zip(*populations, strict=True))
    fitted = {"isotonic": IsotonicCalibrator.fit(scores, outcomes).to_dict(), "gamma": gamma}
    return fitted if weight is None else {**fitted, "mixture": weight}


def pair_population(found: np.ndarray, partners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the pairs that calibration is about, and whether they are true: those from ``SMALLEST`` on."""
    i, j = np.nonzero(np.triu(found >= SMALLEST, 1))
    return found[i, j], (partners[i] == j).astype(np.float64)


def _mean_f1(found: Iterable[np.ndarray], partners: Iterable[np.ndarray], gamma: float) -> float:
    rows = (pair_scores(nested_structure(p, gamma), wanted) for p, wanted in zip(found, partners, strict=True))
    return mean_pair_scores(rows)["f1"]

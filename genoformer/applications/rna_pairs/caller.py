"""A model of base pairs and its calibration: bases to pair probabilities and structures."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch

from genoformer.batches.pair_samples import pair_features
from genoformer.decoding.base_pairs import crossing_structure, nested_structure
from genoformer.inference.bundle_parts import read_calibration
from genoformer.inference.chunks import Outputs
from genoformer.inference.formats import Formats
from genoformer.inference.parts import Part
from genoformer.inference.presentation import Presentation
from genoformer.inference.sequence_caller import SequenceCaller
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.structures.dot_bracket import pairs_of
from genoformer.structures.folding import fold_probabilities
from genoformer.tasks import rna_pairs
from genoformer.tasks.rna_pairs import pair_labels, pair_probabilities

SMALLEST = 1e-3
"""Pairs that are less probable are not in the files, and calibration does not look at them."""

FORMATS: Part[Formats] = Part("genoformer.applications.rna_pairs.outputs:FORMATS")
DRAW: Part[Any] = Part("genoformer.applications.rna_pairs.picture:draw")
WORDS: Part[Any] = Part("genoformer.applications.rna_pairs.picture:in_words")


@dataclass(frozen=True)
class PairCaller(SequenceCaller):
    """A bundle made ready.

    Attributes:
        crossing: Pairs of a structure may cross.
    """

    task_module: ClassVar[Any] = rna_pairs
    fitted: ClassVar[tuple[str, ...]] = ("gamma", "isotonic")

    crossing: bool = False

    @property
    def presentation(self) -> Presentation:
        return Presentation(FORMATS, draw=DRAW, words=WORDS)

    @property
    def has_prior(self) -> bool:
        """Whether ViennaRNA has a say."""
        return self.task.options.prior != "none"

    @cached_property  # what it must hold is looked at once, not for each record
    def calibration(self) -> dict[str, Any]:
        """What was fitted when training had ended, with the weight of ViennaRNA where it has a say."""
        return read_calibration(self.bundle, (*self.fitted, *(["weight"] if self.has_prior else [])))

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


def pair_population(found: np.ndarray, partners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the pairs that calibration is about, and whether they are true: those from ``SMALLEST`` on."""
    i, j = np.nonzero(np.triu(found >= SMALLEST, 1))
    return found[i, j], (partners[i] == j).astype(np.float64)

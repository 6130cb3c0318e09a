"""A model of base pairs and its calibration: bases to pair probabilities and structures."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch

from genoformer.batches.pair_samples import pair_features
from genoformer.decoding.base_pairs import crossing_structure, nested_structure, pair_kinds
from genoformer.inference.bundle_parts import read_calibration
from genoformer.inference.chunks import Outputs
from genoformer.inference.formats import Formats
from genoformer.inference.parts import Part
from genoformer.inference.presentation import Presentation
from genoformer.inference.sequence_caller import SequenceCaller
from genoformer.metrics.calibration import IsotonicCalibrator
from genoformer.structures.folding import WHOLE_BP, fold_probabilities
from genoformer.structures.pair_list import MOST_PARTNERS, PairList, PairProbabilities, listed_pairs
from genoformer.tasks import rna_pairs
from genoformer.tasks.rna_pairs import list_probabilities, pair_labels, pair_probabilities

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

    def probabilities(self, codes: np.ndarray) -> PairProbabilities:
        """Pair probabilities as the network says them, before calibration.

        Args:
            codes: uint8 base codes [L].

        Returns:
            float32 [L, L], symmetric; the likeliest pairs of each base for more than ``WHOLE_BP`` bases.
        """
        if len(codes) > WHOLE_BP:
            return self.list_of(codes)
        labels = torch.from_numpy(pair_labels(codes))[None]
        logits = self.run_network(codes, pair_features=pair_features(codes)[None])[None]
        return pair_probabilities(logits, labels)[0].numpy()

    def list_of(self, codes: np.ndarray, most: int = MOST_PARTNERS) -> PairList:
        """The same as a list, for sequences of any length; the map is made, and given up, some rows at a time.

        Args:
            codes: uint8 base codes [L].
            most: Partners of a base that are kept.
        """
        pairs, logits = [np.empty((0, 2), np.int32)], [np.empty(0, np.float32)]
        token_ids = self.bundle.tokenizer.encode(codes).astype(np.int64)[None]
        with self.running() as (network, read):
            alone, strips = network.strips(read(token_ids), lambda *where: read(pair_features(codes, *where)[None]))
            for start, strip in strips:
                rows = slice(start, start + strip.shape[1])
                found = np.nonzero(np.triu(pair_kinds(codes, rows, slice(start, None)) >= 0))
                pairs.append(np.stack(found, axis=1).astype(np.int32) + np.int32(start))
                logits.append(strip[0].float().cpu().numpy()[found])
            alone = alone[0].float().cpu().numpy()
        return list_probabilities(np.concatenate(pairs), np.concatenate(logits), alone, most)

    def structure(self, found: PairProbabilities) -> np.ndarray:
        """Partners [L] by maximum expected accuracy, with the weight of pairs that validation chose."""
        decode = crossing_structure if self.crossing else nested_structure
        return decode(found, self.calibration["gamma"])

    def outputs(self, codes: np.ndarray) -> Outputs:
        """What is written of a sequence: "pairs" int32 [n, 2], i < j, their calibrated "probability", and "partners".

        Pairs of the structure are always among the pairs, others from ``SMALLEST`` on.
        """
        found = self.probabilities(codes)
        if self.has_prior:
            found = fold_probabilities(codes, found, self.calibration["weight"])
        partners = self.structure(found)
        pairs, probability = listed_pairs(found, SMALLEST, partners)
        calibrator = IsotonicCalibrator.from_dict(self.calibration["isotonic"])
        sure = calibrator.apply(probability)
        return {"pairs": pairs.astype(np.int32), "probability": sure.astype(np.float32), "partners": partners}


def pair_population(found: PairProbabilities, partners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the pairs that calibration is about, and whether they are true: those from ``SMALLEST`` on."""
    pairs, probability = listed_pairs(found, SMALLEST)
    return probability, (partners[pairs[:, 0]] == pairs[:, 1]).astype(np.float64)

"""A model of secondary structure and its calibration: coding sequences to probabilities of states."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from genoformer.inference.chunks import Outputs
from genoformer.inference.formats import Formats
from genoformer.inference.parts import Part
from genoformer.inference.presentation import Presentation
from genoformer.inference.sequence_caller import SequenceCaller
from genoformer.metrics.calibration import class_probabilities
from genoformer.tasks import codon_structure

FORMATS: Part[Formats] = Part("genoformer.applications.codon_structure.outputs:FORMATS")
DRAW: Part[Any] = Part("genoformer.applications.codon_structure.picture:draw")
WORDS: Part[Any] = Part("genoformer.applications.codon_structure.picture:in_words")


@dataclass(frozen=True)
class CodonCaller(SequenceCaller):
    """A bundle made ready; its task holds the states."""

    task_module: ClassVar[Any] = codon_structure
    fitted: ClassVar[tuple[str, ...]] = ("temperature",)

    @property
    def presentation(self) -> Presentation:
        return Presentation(
            FORMATS, settings={"states": {"channels": tuple(self.task.channels)}}, draw=DRAW, words=WORDS
        )

    def logits(self, codes: np.ndarray) -> np.ndarray:
        """Outputs of the network for every whole codon, float32 [T, C]."""
        return self.run_on_codons(codes, (0, len(self.task.channels)))

    def outputs(self, codes: np.ndarray) -> Outputs:
        """What is written of a sequence: calibrated "probabilities", float32 [T, C]."""
        probabilities = class_probabilities(self.logits(codes), self.calibration["temperature"])
        return {"probabilities": probabilities.astype(np.float32)}

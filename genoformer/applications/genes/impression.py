"""What the genes found say of the genome as a whole: is it like those of the training, is the genetic code right."""

from array import array
from collections.abc import Sequence

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.decoding.code_check import StopCounts
from genoformer.decoding.familiarity import familiarity, long_gene_evidence
from genoformer.errors import WarningLog

READ_WITHOUT_UGA = (4, 25)


class Impression:
    """Gathers the genes of one record after another."""

    def __init__(self) -> None:
        self._evidence = array("f")
        self._stops = StopCounts()

    def add(self, codes: np.ndarray, genes: Sequence[Gene]) -> None:
        """Count the genes of a stretch, in its coordinates.

        Args:
            codes: uint8 base codes, forward strand, shape [L].
            genes: Found in it.
        """
        self._evidence.extend(long_gene_evidence(genes))
        self._stops.add(codes, genes)

    def familiarity(self, at_home: float | None) -> dict[str, float | bool | None]:
        """For ``summary.json``, see ``decoding.familiarity``."""
        return familiarity(float(np.median(self._evidence)) if self._evidence else None, at_home)

    def warn(self, found: dict, genetic_code: int, warnings: WarningLog) -> None:
        """Say what a user should know before the genes are believed.

        Args:
            found: From ``familiarity``.
            genetic_code: That was used.
            warnings: Take it.
        """
        if found["looks_familiar"] is False:
            warnings.add(
                "GENOME-001", "the genome looks unlike those that the model was trained on: "
                f"{found['codon_evidence']} of evidence per codon, {found['codon_evidence_in_training']} there. "
                "Genes may be missing; genoformer adapt, or predict --adapt, trains the model on it.",
            )  # fmt: skip
        if genetic_code not in READ_WITHOUT_UGA and self._stops.speaks_against():
            warnings.add(
                "GENOME-002", f"{self._stops.uga_continued} of {self._stops.uga} genes that end at UGA go on behind it "
                "in the same frame: UGA is probably no stop here. Try --genetic-code 4 (or 25).",
            )  # fmt: skip

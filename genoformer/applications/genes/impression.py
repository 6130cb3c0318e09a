"""What the genes found say of the genome as a whole: is it like those of the training, is the genetic code right."""

from array import array
from collections.abc import Sequence

import numpy as np

from genoformer.annotation.models import Gene
from genoformer.decoding.code_check import StopCounts
from genoformer.decoding.familiarity import familiarity, long_gene_evidence
from genoformer.errors import WarningLog

READ_WITHOUT_UGA = (4, 25)
LONGEST_SMALL_CIRCLE_BP = 500_000
"""Most plasmids, phages and organelles are shorter; a cut-off gene at both ends of a longer contig says little."""


def cut_edges(gene: Gene, length_bp: int) -> list[int]:
    """Ends of its record at which a gene is cut off: 0 for the first base, 1 for the last."""
    low, high = (gene.partial_5, gene.partial_3) if gene.strand == "+" else (gene.partial_3, gene.partial_5)
    return [0] * (low and gene.start < 3) + [1] * (high and gene.end > length_bp - 3)


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

    def note_ends(self, record_id: str, length_bp: int, genes: Sequence[Gene], warnings: WarningLog) -> None:
        """Say that a short record with a gene cut off at each end may be a circle.

        Args:
            record_id: Its name.
            length_bp: Its length.
            genes: Found on it, in its coordinates, as one of a linear sequence.
            warnings: Take it.
        """
        ends = {(gene.strand, edge) for gene in genes for edge in cut_edges(gene, length_bp)}
        if length_bp <= LONGEST_SMALL_CIRCLE_BP and any({(strand, 0), (strand, 1)} <= ends for strand in "+-"):
            text = f'a gene is cut off at each end of "{record_id}"; if it is a complete plasmid, phage or organelle'
            warnings.add("GENOME-003", f"{text}, these may be one gene: give --circular {record_id}")

    def warn(self, found: dict, genetic_code: int | None, warnings: WarningLog) -> None:
        """Say what a user should know before the genes are believed.

        Args:
            found: From ``familiarity``.
            genetic_code: That was used; None where that of each record was found.
            warnings: Take it.
        """
        if found["looks_familiar"] is False:
            warnings.add(
                "GENOME-001", "the genome looks unlike those that the model was trained on: "
                f"{found['codon_evidence']} of evidence per codon, {found['codon_evidence_in_training']} there. "
                "Genes may be missing; genoformer adapt, or predict --adapt, trains the model on it.",
            )  # fmt: skip
        if genetic_code not in (None, *READ_WITHOUT_UGA) and self._stops.speaks_against():
            warnings.add(
                "GENOME-002", f"{self._stops.uga_continued} of {self._stops.uga} genes that end at UGA go on behind it "
                "in the same frame: UGA is probably no stop here. Try --genetic-code 4 (or 25).",
            )  # fmt: skip

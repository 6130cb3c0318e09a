"""What is said of one alternative allele: consequences, changed genes, changed outputs of a model."""

from dataclasses import asdict, dataclass
from typing import Any

from genoformer.variants.consequences import Consequence

JUDGED = "judged"
REF_MISMATCH, UNKNOWN_CONTIG, OUTSIDE = "ref_mismatch", "unknown_contig", "outside"
"""Why a row is left as it is, besides what its allele is (``alleles.LEFT_ALONE``)."""
STATUSES = (JUDGED, "symbolic", "star", "breakend", "missing", "same", REF_MISMATCH, UNKNOWN_CONTIG, OUTSIDE)


@dataclass(frozen=True, slots=True)
class GeneChange:
    """What a model says of a gene in both sequences.

    Attributes:
        effect: One word of ``GENE_EFFECTS``.
        gene: Its name, see ``consequences.gene_name``; by its place in the reference where it is in that, else by its
            place in the changed sequence.
        strand: "+" or "-".
        before: Confidence in the reference, 0 to 1; None where it is not there, or has none.
        after: Confidence in the changed sequence, likewise.
        moved_bp: By how much an end that moved lies further downstream; 0 where none did.
    """

    effect: str
    gene: str
    strand: str
    before: float | None
    after: float | None
    moved_bp: int = 0


GENE_EFFECTS = {
    "gene_lost": "the gene is not found any more",
    "gene_gained": "a gene that the reference has not",
    "start_moved": "the gene begins elsewhere",
    "frame_broken": "an insertion or deletion shifts the frame: the gene ends, or begins, elsewhere",
    "end_moved": "the gene ends elsewhere: its stop codon is lost, or another one stands before it",
    "splice_lost": "an intron is not spliced out any more, or has another end",
    "splice_made": "an intron that the reference has not",
    "confidence": "the same gene, with another confidence",
}
"""Words of ``GeneChange.effect``."""


@dataclass(frozen=True, slots=True)
class OutputChange:
    """What a model of whole sequences says of both.

    Attributes:
        sequence: Name of the gene, or id of the record.
        output: Name of the class, term or number.
        before: Of the reference.
        after: Of the changed sequence.
    """

    sequence: str
    output: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class AlleleReport:
    """Everything that is said of one alternative allele.

    Attributes:
        kind: See ``alleles.allele_kind``.
        status: One of ``STATUSES``.
        consequences: On genes of the annotation, or those that the model finds in the reference.
        genes: What changes about genes, for models that find them.
        outputs: What changes about outputs, for models of whole sequences.
    """

    kind: str
    status: str
    consequences: tuple[Consequence, ...] = ()
    genes: tuple[GeneChange, ...] = ()
    outputs: tuple[OutputChange, ...] = ()

    @property
    def largest_change(self) -> float | None:
        """Of all confidences, or outputs; None where no model was asked, or has said nothing. Absence counts as 0."""
        changes = [(one.after or 0.0) - (one.before or 0.0) for one in self.genes]
        changes += [one.after - one.before for one in self.outputs]
        return max(changes, key=abs, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; the inverse of ``from_dict``."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "AlleleReport":
        """What ``to_dict`` gave."""
        consequences = (Consequence(**{**one, "terms": tuple(one["terms"])}) for one in stored["consequences"])
        genes = (GeneChange(**one) for one in stored["genes"])
        outputs = (OutputChange(**one) for one in stored["outputs"])
        return cls(stored["kind"], stored["status"], tuple(consequences), tuple(genes), tuple(outputs))

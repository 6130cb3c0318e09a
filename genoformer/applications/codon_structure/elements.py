"""Elements of secondary structure: runs of codons of one state, as GFF3 and BED on the coding sequence."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from genoformer.inference.chunks import Outputs
from genoformer.inference.feature_files import Feature, FeatureBedWriter, FeatureFile, FeatureGff3Writer
from genoformer.sequence.records import Record

TERMS = {
    "H": ("alpha_helix", "helix", (200, 30, 60)),  # SO:0001117
    "G": ("three_ten_helix", "helix", (160, 60, 160)),  # SO:0001119
    "I": ("pi_helix", "helix", (120, 40, 120)),  # SO:0001118
    "E": ("beta_strand", "strand", (200, 150, 0)),  # SO:0001111
    "T": ("polypeptide_turn_motif", "turn", (60, 110, 190)),  # SO:0001128
}
"""Term of the Sequence Ontology, name and color, by the letters of DSSP."""
OTHER = ("polypeptide_secondary_structure", "element", (90, 90, 90))  # SO:0001078
"""Of any other state."""
NO_ELEMENT = "C-"
"""States of residues that are in none: the one of three letters, and DSSP's blank as files have it."""


class ElementFile(FeatureFile):
    """Elements of every record, on the coordinates of its coding sequence.

    Args:
        path: The final name.
        channels: Letters of the states.
    """

    def __init__(self, path: Path, channels: tuple[str, ...]) -> None:
        super().__init__(path)
        self.channels = channels

    def features(self, record: Record, found: Outputs) -> Iterator[Feature]:
        values, start = found["probabilities"], 0
        best = values.argmax(axis=1)
        for number, run in groupby(best.tolist()):
            end, state = start + len(list(run)), self.channels[number]
            if state not in NO_ELEMENT:
                kind, name, color = TERMS.get(state, OTHER)
                notes = {"state": state, "codons": f"{start + 1}..{end}"}
                sure = float(values[start:end, number].mean())
                yield Feature(kind, name, ((3 * start, 3 * end),), sure, notes, color)
            start = end


class ElementGff3Writer(ElementFile, FeatureGff3Writer):
    """Elements as GFF3; the score is the mean probability of the state."""


class ElementBedWriter(ElementFile, FeatureBedWriter):
    """Elements as BED."""

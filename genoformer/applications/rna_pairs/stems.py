"""Stems of predicted structures as GFF3 and BED, and their pairs as BEDPE."""

from collections.abc import Iterator

from genoformer.annotation.write_tables import MAX_BED_SCORE
from genoformer.applications.rna_pairs.writers import listed_pairs
from genoformer.inference.chunks import Outputs
from genoformer.inference.feature_files import Feature, FeatureBedWriter, FeatureFile, FeatureGff3Writer
from genoformer.inference.text_files import TextWriter
from genoformer.sequence.records import Record
from genoformer.structures.dot_bracket import write_dot_bracket
from genoformer.structures.stems import stems_of

KIND = "RNA_sequence_secondary_structure"  # SO:0000122; the ontology has no term for a stem without its loop
COLORS = ((40, 90, 170), (190, 60, 40), (30, 140, 80), (140, 80, 160))
"""By the kind of bracket: stems of one color do not cross."""


class StemFile(FeatureFile):
    """Stems of every record: two blocks each, the score is the mean probability of the pairs."""

    def features(self, record: Record, found: Outputs) -> Iterator[Feature]:
        brackets = write_dot_bracket(found["partners"])
        sure = dict(zip(map(tuple, found["pairs"].tolist()), found["probability"].tolist(), strict=True))
        for i, j, n in stems_of(found["partners"]).tolist():
            score = sum(sure[i + k, j - k] for k in range(n)) / n
            color = COLORS["([{<".find(brackets[i]) % len(COLORS)]
            yield Feature(KIND, "stem", ((i, i + n), (j - n + 1, j + 1)), score, {"pairs": str(n)}, color)


class StemGff3Writer(StemFile, FeatureGff3Writer):
    """Stems as GFF3: two rows of one ID."""


class StemBedWriter(StemFile, FeatureBedWriter):
    """Stems as BED12 of two blocks."""


class PairBedpeWriter(TextWriter):
    """The pairs of the table as BEDPE, base by base: those of the structure are named "pair", others "possible".

    Reference: https://bedtools.readthedocs.io/en/latest/content/general-usage.html, "BEDPE format".
    """

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        for i, j, sure, chosen in listed_pairs(found):
            name = "pair" if chosen else "possible"
            ends = (record.id, i, i + 1, record.id, j, j + 1)
            yield "\t".join(map(str, (*ends, name, round(sure * MAX_BED_SCORE), "+", "+"))) + "\n"

"""Stretches of records as GFF3 and BED: what a prediction found that is no gene."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from genoformer.annotation.gene_files import format_score
from genoformer.annotation.gff3_text import SOURCE, attributes_text, seqid
from genoformer.annotation.sorted_blocks import SortedBlocks
from genoformer.annotation.write_tables import MAX_BED_SCORE
from genoformer.inference.chunks import Outputs
from genoformer.inference.text_files import TextWriter
from genoformer.sequence.records import Record


@dataclass(frozen=True)
class Feature:
    """Something on the forward strand of a record.

    Attributes:
        kind: Term of the Sequence Ontology.
        name: What it is, in a word.
        blocks: Where it is, 0-based, half-open, ascending; several for what has a gap.
        score: How sure it is, 0 to 1.
        notes: Attributes of GFF3 besides the ID.
        color: Red, green and blue, 0 to 255 each.
    """

    kind: str
    name: str
    blocks: tuple[tuple[int, int], ...]
    score: float
    notes: Mapping[str, str] = field(default_factory=dict)
    color: tuple[int, int, int] = (0, 0, 0)


class FeatureFile(TextWriter):
    """A file of features; whoever inherits says which there are, ascending by start, then end."""

    def features(self, record: Record, found: Outputs) -> Iterable[Feature]:
        """Features of one record."""
        raise NotImplementedError


class FeatureGff3Writer(FeatureFile):
    """A row for each block; those of one feature share its ID, which counts the features of a record by position.

    Lines are in the order that genometools calls sorted: all ``##sequence-region`` lines first, records by the bytes of
    their ids in column 1, rows by start, then end.

    Reference: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md, version 1.26.
    """

    header = "##gff-version 3\n"

    def begin(self, stack: ExitStack) -> None:
        super().begin(stack)
        self._blocks = stack.enter_context(SortedBlocks(self._file, self.path))

    def add(self, record: Record, found: Outputs) -> None:
        if len(record):
            contig = seqid(record)
            self._blocks.add(contig, f"##sequence-region {contig} 1 {len(record)}\n", self.lines(record, found))

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        contig, rows = seqid(record), []
        for number, feature in enumerate(self.features(record, found), start=1):
            notes = attributes_text({"ID": _feature_id(record, feature, number), **feature.notes})
            for start, end in feature.blocks:
                columns = (contig, SOURCE, feature.kind, start + 1, end, format_score(feature.score), "+", ".", notes)
                rows.append((start, end, number, "\t".join(map(str, columns)) + "\n"))
        yield from (text for *_, text in sorted(rows))
        if rows:
            yield "###\n"


class FeatureBedWriter(FeatureFile):
    """BED12, one row for each feature, with a color; the score is the probability times 1000.

    Reference: https://genome.ucsc.edu/FAQ/FAQformat.html#format1.
    """

    def lines(self, record: Record, found: Outputs) -> Iterator[str]:
        for number, feature in enumerate(self.features(record, found), start=1):
            (start, _), (_, end) = feature.blocks[0], feature.blocks[-1]
            sizes = ",".join(str(high - low) for low, high in feature.blocks)
            starts = ",".join(str(low - start) for low, _ in feature.blocks)
            head = (record.id, start, end, _feature_id(record, feature, number), round(feature.score * MAX_BED_SCORE))
            columns = (*head, "+", start, end, ",".join(map(str, feature.color)), len(feature.blocks), sizes, starts)
            yield "\t".join(map(str, columns)) + "\n"


def _feature_id(record: Record, feature: Feature, number: int) -> str:
    """Id of the ``number``-th feature (from 1) of a record; unique in a file when record ids are."""
    return f"{feature.name}-{record.id}-{number:05d}"

"""Which row of a GFF3 file a Parent means: ids hold within one sequence, and may stand at several places of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from genoformer.annotation.gff3_rows import Row
from genoformer.annotation.models import Annotation
from genoformer.annotation.transcript_rows import Placed
from genoformer.errors import DataError, WarningLog

GENE_KINDS = ("gene", "pseudogene", "protein_coding_gene")


@dataclass(slots=True)
class ReadContext:
    """What every step of reading one file needs."""

    path: Path
    annotation: Annotation
    warnings: WarningLog

    def where(self, row: "Child") -> str:
        return f"{self.path} line {row.line}"

    def warn(self, code: str, row: "Child", text: str) -> None:
        self.warnings.add(code, f"{self.where(row)}: {text}")


class Child(Placed, Protocol):
    """A row as far as looking for its parent goes."""

    @property
    def contig(self) -> str: ...
    @property
    def strand(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def id(self) -> str: ...


class Leaf(NamedTuple):
    """A row that is nobody's parent, of which a genome has many: as little as is needed of it."""

    contig: str
    kind: str
    start: int
    end: int
    strand: str
    line: int
    id: str
    parents: tuple[str, ...]

    @classmethod
    def of(cls, row: Row) -> "Leaf":
        """What is needed of a row."""
        parents = tuple(row.values("Parent"))
        return cls(row.contig, row.kind, row.start, row.end, row.strand, row.line, row.id, parents)


@dataclass(slots=True)
class FeatureTree:
    """The rows that may be parents, by sequence and ID."""

    context: ReadContext
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Note a row that has an ID."""
        self.rows.setdefault((row.contig, row.id), []).append(row)

    def has_genes(self) -> bool:
        """Whether any row is a gene or its transcript."""
        return any(row.kind in (*GENE_KINDS, "mRNA", "transcript") for rows in self.rows.values() for row in rows)

    def parent(self, child: Child, name: str) -> Row | None:
        """The row that a child means by a name; None where its sequence has no such row.

        Of several with this ID it is the one around the child, of those the transcript before the gene. A transcript
        that has the ID of its gene means the gene.
        """
        named = self.rows.get((child.contig, name), [])
        if len(named) == 1 and named[0] is not child and name != child.id:
            return named[0]
        found = [row for row in named if row is not child]
        if name == child.id and child.kind != "CDS":
            found = [row for row in found if row.kind in GENE_KINDS and child.kind not in GENE_KINDS]
        if len(found) < 2 or any(is_in_pieces(row) for row in found):
            return found[0] if found else None
        return min(found, key=lambda row: self._distance(row, child))

    def _distance(self, row: Row, child: Child) -> tuple[int, bool, bool]:
        outside_bp = max(0, row.start - child.start) + max(0, child.end - row.end)
        return outside_bp, row.strand != child.strand, (row.kind in GENE_KINDS) == (child.kind not in GENE_KINDS)

    def ancestors(self, parents: Iterable[Row]) -> list[Row]:
        """The parents, then the parent of the first of them, its parent, and so on.

        Raises:
            DataError: With file and line, if a row is its own ancestor.
        """
        found = list(parents)
        for row in self.line_above(found[0]) if found else ():
            found.append(row)
        return found

    def line_above(self, row: Row) -> Iterator[Row]:
        """The first parent of a row, the first of that one, and so on; DataError if a row is its own ancestor."""
        passed = [row]
        while (above := self._first_parent(row)) is not None:
            if any(above is step for step in passed):
                fix = "Correct the Parent attributes."
                message = f"feature {above.id!r} is its own ancestor."
                raise DataError("GFF3-013", message, where=self.context.where(row), fix=fix)
            yield above
            passed.append(above)
            row = above

    def _first_parent(self, row: Row) -> Row | None:
        if "Parent" not in row.raw:
            return None
        names = row.values("Parent")
        if row.id in names and self.parent(row, row.id) is None:
            return row
        return next((found for name in names if (found := self.parent(row, name)) is not None), None)

    def check(self, children: Iterable[Leaf | Row], cds_ids: set[tuple[str, str]]) -> None:
        """Count parents that are not there, and look for rows that are their own ancestors.

        Args:
            children: Every other row with a Parent.
            cds_ids: Sequence and ID of CDS rows, which some rows name as their parent.

        Raises:
            DataError: With file and line, if a row is its own ancestor.
        """
        known = self.rows.keys() | cds_ids
        above = [row for rows in self.rows.values() for row in rows]
        for row in (*above, *children):
            for name in row.parents if isinstance(row, Leaf) else row.values("Parent"):
                if (row.contig, name) not in known:
                    text = f"{row.contig!r} has no feature with ID {name!r}, named as Parent"
                    self.context.warn("GFF3-102", row, text)
        for row in above:
            if "Parent" in row.raw:
                for _ in self.line_above(row):
                    pass


def is_in_pieces(row: Row) -> bool:
    """One feature of several rows, as NCBI writes trans-spliced genes: not several features."""
    return "part" in row.raw or row.value("exception") == "trans-splicing"

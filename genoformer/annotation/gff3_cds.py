"""Which CDS rows of a GFF3 file are one CDS: those of one parent, whatever ids they have."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

from genoformer.annotation.copies import is_in_frame, is_whole, split_copies
from genoformer.annotation.gff3_rows import Row
from genoformer.annotation.gff3_tree import GENE_KINDS, FeatureTree, ReadContext, is_in_pieces
from genoformer.annotation.models import Span
from genoformer.errors import DataError


@dataclass(slots=True)
class CdsRows:
    """CDS rows of one gene, in file order.

    Attributes:
        rows: The rows.
        parents: The rows that they name as parents, as far as these are there.
        names: What they call their parents.
    """

    rows: list[Row]
    parents: list[Row] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.rows[0].id or (self.names[0] if self.names else "")


def group_cds(rows: list[Row], tree: FeatureTree, context: ReadContext) -> list[CdsRows]:
    """The CDS of a file.

    Rows of one parent are one CDS, also where each has an ID of its own: GFF3 calls these different CDS, many programs
    do not. Without a parent those of one ID are. Rows that several transcripts share belong to each; a set of rows is
    one CDS, however many transcripts have it. A transcript of several genes has a CDS for each.

    Raises:
        DataError: With file and line, if rows of one ID alternate between parents.
    """
    families = _families(rows, tree)
    joins_ids = _joins_ids(families)
    found: dict[tuple[int, ...], CdsRows] = {}
    for family in families:
        for group in _split(family, joins_ids, context):
            kept = found.setdefault(tuple(row.line for row in group), CdsRows(group))
            kept.parents += [row for row in family.parents if all(row is not other for other in kept.parents)]
            kept.names += [name for name in family.names if name not in kept.names]
    groups = list(found.values())
    _check_shared_ids(groups, tree, context)
    return groups


def _families(rows: list[Row], tree: FeatureTree) -> list[CdsRows]:
    """Rows by parent, or by ID where they have none."""
    families: dict[tuple, CdsRows] = {}
    for row in rows:
        named = [(name, tree.parent(row, name)) for name in dict.fromkeys(row.values("Parent"))]
        # A row may name its transcript and the gene above: the transcript tells more.
        known = [parent for _, parent in named if parent is not None] if len(named) > 1 else []
        higher = {id(above) for parent in known for above in tree.line_above(parent)}
        for name, parent in [pair for pair in named if id(pair[1]) not in higher] or [("", None)]:
            gene = _gene_of(row, parent, tree)
            if parent is not None:
                parents = [parent] if gene is None else [parent, gene]
                family = families.setdefault(("row", *map(id, parents)), CdsRows([], parents, [name]))
            elif name:
                family = families.setdefault(("name", row.contig, name), CdsRows([], [], [name]))
            else:
                family = families.setdefault(("ID", row.contig, row.id or row.line), CdsRows([]))
            if not family.rows or family.rows[-1] is not row:
                family.rows.append(row)
    return list(families.values())


def _gene_of(row: Row, parent: Row | None, tree: FeatureTree) -> Row | None:
    """The gene of a CDS whose transcript has several, as in an operon; None where there is one gene or none."""
    names = row.values("Derives_from") or (parent.values("Parent") if parent is not None else [])
    if parent is None or (len(names) < 2 and "Derives_from" not in row.raw):
        return None
    genes = [gene for name in names if (gene := tree.parent(row, name)) is not None and gene.kind in GENE_KINDS]
    return next((gene for gene in genes if gene.start <= row.start and row.end <= gene.end), None)


def _by_id(rows: list[Row]) -> list[list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.id].append(row)
    return list(found.values())


def _split(family: CdsRows, joins_ids: bool, context: ReadContext) -> list[list[Row]]:
    """The CDS of one parent."""
    by_id = _by_id(family.rows)
    if len(by_id) == 1:
        copies = [family.rows] if family.parents or any(map(is_in_pieces, family.rows)) else split_copies(family.rows)
        if len(copies) > 1:
            text = f"CDS rows called {family.rows[0].id or family.names[0]!r} are read as {len(copies)} genes"
            context.warn("GFF3-109", family.rows[0], f"{text}: each is a reading frame of its own")
        return copies
    is_one = _are_one(by_id)
    if is_one is None:
        is_one = joins_ids or any(row.kind not in GENE_KINDS for row in family.parents)
    if not is_one:
        return by_id
    context.warn("GFF3-103", family.rows[0], f"CDS rows of {family.names[0]!r} have an ID each; read as one CDS")
    return [family.rows]


def _joins_ids(families: list[CdsRows]) -> bool:
    """Whether this file gives each row of a CDS an ID of its own: more parents are proof of that than against it."""
    verdicts = [_are_one(by_id) for family in families if len(by_id := _by_id(family.rows)) > 1]
    return verdicts.count(True) > verdicts.count(False)


def _are_one(by_id: list[list[Row]]) -> bool | None:
    """Whether rows of one parent with different ids are one CDS; None where both is possible.

    They are several when the ids themselves join rows, when they name different proteins, lie on both strands or over
    each other. They are one when not every row is whole codons, but all together are, by phases or, where a program
    writes no phase but 0, by lengths.
    """
    rows = [row for group in by_id for row in group]
    proteins = {row.value("protein_id") for row in rows} - {""}
    overlap_bp = _overlap_bp(rows)
    if len(rows) > len(by_id) or len(proteins) > 1 or len({row.strand for row in rows}) > 1 or overlap_bp > 2:
        return False
    if overlap_bp or all(is_whole([row]) for row in rows):
        return None
    lengths = [row.end - row.start for row in rows]
    is_without_phases = not any(row.phase for row in rows) and any(bp % 3 for bp in lengths)
    return True if is_in_frame(rows) or (is_without_phases and sum(lengths) % 3 == 0) else None


def _overlap_bp(rows: list[Row]) -> int:
    ordered = sorted(rows, key=lambda row: row.start)
    return max(0, *(row.end - following.start for row, following in pairwise(ordered)))


def _check_shared_ids(groups: list[CdsRows], tree: FeatureTree, context: ReadContext) -> None:
    """Count CDS of different parents with one ID; where they alternate along the sequence, one must be wrong."""
    by_id: dict[tuple[str, str], list[CdsRows]] = defaultdict(list)
    for group in groups:
        if group.rows[0].id and group.names:
            by_id[group.rows[0].contig, group.rows[0].id].append(group)
    for sharing in by_id.values():
        lines = [row.line for group in sharing for row in group.rows]
        roots = {id(tree.ancestors(group.parents)[-1]) if group.parents else group.names[0] for group in sharing}
        if len(sharing) < 2 or len(set(lines)) < len(lines):
            continue
        if len(roots) > 1:
            first = sharing[0].rows[0]
            text = f"CDS rows of ID {first.id!r} have different parents; each is a gene of its own"
            context.warn("GFF3-109", first, text)
        _check_apart(sharing, tree, context)


def _check_apart(sharing: list[CdsRows], tree: FeatureTree, context: ReadContext) -> None:
    """DataError where rows of one strand alternate between parents, but for genes inside an intron of another."""
    spans = [_span(tree.ancestors(group.parents)[-1:] or group.rows) for group in sharing]
    gaps = [gap for group in sharing for gap in _gaps(group.rows)]
    outer = [
        group
        for group, (start, end) in zip(sharing, spans, strict=True)
        if not any(low <= start and end <= high for low, high in gaps)
    ]
    for strand in ("+", "-"):
        _check_order([[row for row in group.rows if row.strand == strand] for group in outer], context)


def _span(rows: list[Row]) -> Span:
    return min(row.start for row in rows), max(row.end for row in rows)


def _gaps(rows: list[Row]) -> list[Span]:
    ordered = sorted(rows, key=lambda row: row.start)
    return [(row.end, following.start) for row, following in pairwise(ordered)]


def _check_order(sharing: list[list[Row]], context: ReadContext) -> None:
    owned = sorted((row.start, row.line, number, row) for number, rows in enumerate(sharing) for row in rows)
    owners = [number for _, _, number, _ in owned]
    runs = 1 + sum(one != other for one, other in pairwise(owners))
    if runs > max(1, len(set(owners))) and not _overlap_bp([row for *_, row in owned]):
        last = owned[-1][3]
        message = f"CDS rows of ID {last.id!r} alternate between parents, so that ID and Parent contradict each other."
        raise DataError("GFF3-017", message, where=context.where(last), fix="Give each CDS an ID of its own.")

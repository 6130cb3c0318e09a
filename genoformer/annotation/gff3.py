"""Read genes from GFF3: CDS rows joined to genes, with what their parents say of them."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from genoformer.annotation.gff3_genes import GENE_KINDS, CdsRows, ReadContext, build_gene, pseudo_gene
from genoformer.annotation.gff3_rows import Directives, Row, iter_rows
from genoformer.annotation.models import Annotation, Gene, most_frequent_codes, order_genes
from genoformer.errors import DataError, WarningLog


@dataclass(slots=True)
class _Rows:
    """The rows of one file that matter for genes."""

    by_id: dict[str, Row] = field(default_factory=dict)
    exons: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    cds: list[Row] = field(default_factory=list)
    pseudo: list[Row] = field(default_factory=list)
    named_parents: list[tuple[int, str]] = field(default_factory=list)


def read_gff3(path: Path, warnings: WarningLog, *, sources: Collection[str] = ()) -> Annotation:
    """Genes of a GFF3 file.

    Rows of type CDS with one ID are one gene; without an ID, those with one parent are. A pseudogene without CDS rows
    gives a gene with ``pseudo=True`` that spans its gene row. Sequences behind ``##FASTA`` are not read.

    Exons are those of the transcript that the CDS rows name as parent; of several transcripts with the same CDS, those
    of the one with the most exonic bases.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was repaired or left out.
        sources: Only rows with one of these words in column 2; every row when empty.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, if the file breaks the format.
    """
    directives = Directives()
    annotation = Annotation()
    context = ReadContext(path, annotation, warnings)
    rows = _collect_rows(directives, context, sources)
    annotation.contig_lengths = {**annotation.contig_lengths, **directives.contig_lengths}
    _check_parents(rows, context)
    built: list[tuple[Gene, Row]] = []
    with_cds: set[str] = set()
    for group in _group_cds(rows, context):
        ancestors = _ancestors(group.parents, rows.by_id)
        with_cds.update(row.id for row in ancestors)
        transcripts = [rows.exons[parent] for parent in group.parents if parent in rows.exons]
        built.append((build_gene(group, ancestors, transcripts, context), group.rows[0]))
    built += [(pseudo_gene(row, context), row) for row in rows.pseudo if not row.id or row.id not in with_cds]
    _check_bounds(built, context)
    annotation.genes = order_genes(gene for gene, _ in built)
    annotation.genetic_codes = most_frequent_codes(annotation.genes)
    return annotation


def _collect_rows(directives: Directives, context: ReadContext, sources: Collection[str]) -> _Rows:
    rows = _Rows()
    for row in iter_rows(context.path, directives, context.warnings):
        if sources and row.source not in sources:
            continue
        if row.kind in ("region", "chromosome") and row.start == 0:
            _note_contig(row, context.annotation)
        if row.kind == "CDS":
            rows.cds.append(row)
        elif row.kind == "exon":
            for parent in row.values("Parent"):
                rows.exons[parent].append((row.start, row.end))
        elif row.id:
            rows.by_id.setdefault(row.id, row)
        if row.kind in GENE_KINDS and _is_pseudogene(row):
            rows.pseudo.append(row)
        rows.named_parents += [(row.line, parent) for parent in row.values("Parent")]
    return rows


def _note_contig(row: Row, annotation: Annotation) -> None:
    # NCBI marks the row of the whole contig by gbkey=Src; other regions may start at 1, too.
    if row.kind == "chromosome" or row.is_true("Is_circular") or row.value("gbkey") == "Src":
        annotation.contig_lengths.setdefault(row.contig, row.end)
    if row.is_true("Is_circular"):
        annotation.circular.add(row.contig)


def _is_pseudogene(row: Row) -> bool:
    biotype = row.value("gene_biotype") or row.value("biotype")
    if biotype and "pseudogene" not in biotype and biotype != "protein_coding":
        return False  # a pseudo tRNA or rRNA is no broken reading frame
    return row.kind == "pseudogene" or row.is_true("pseudo") or biotype == "pseudogene"


def _check_parents(rows: _Rows, context: ReadContext) -> None:
    known = rows.by_id.keys() | {row.id for row in rows.cds if row.id}
    for line, parent in rows.named_parents:
        if parent not in known:
            where = f"{context.path} line {line}"
            context.warnings.add("GFF3-102", f"{where}: there is no feature with ID {parent!r}, named as Parent")
    finished: set[str] = set()
    for row in rows.by_id.values():
        trail = [row]
        while trail:
            top = trail[-1]
            parents = [rows.by_id[p] for p in top.values("Parent") if p in rows.by_id and p not in finished]
            if not parents:
                finished.add(top.id)
                trail.pop()
            elif any(parents[0].id == step.id for step in trail):
                message = f"feature {parents[0].id!r} is its own ancestor."
                fix = "Correct the Parent attributes."
                raise DataError("GFF3-013", message, where=context.where(top), fix=fix)
            else:
                trail.append(parents[0])


def _group_cds(rows: _Rows, context: ReadContext) -> list[CdsRows]:
    """CDS rows of one gene each: by ID, or by parent where there is none; equal sets of rows are kept once."""
    groups: dict[tuple[str, ...], CdsRows] = {}
    for row in rows.cds:
        parents = row.values("Parent")
        if row.id:
            keys = {("ID", row.id): parents}
        else:
            keys = {("Parent", parent): [parent] for parent in parents} or {("line", str(row.line)): []}
        for key, key_parents in keys.items():
            groups.setdefault((row.contig, *key), CdsRows([], key_parents)).rows.append(row)
    distinct: dict[tuple[int, ...], CdsRows] = {}
    for group in groups.values():
        distinct.setdefault(tuple(row.line for row in group.rows), group)
    return _join_single_rows(list(distinct.values()), rows.by_id, context)


def _join_single_rows(groups: list[CdsRows], by_id: dict[str, Row], context: ReadContext) -> list[CdsRows]:
    """Join CDS rows of one transcript that some programs give an ID each, which GFF3 would read as several CDS."""
    by_transcript: dict[str, list[CdsRows]] = defaultdict(list)
    for group in groups:
        if len(group.parents) == 1 and group.parents[0] in by_id and by_id[group.parents[0]].kind not in GENE_KINDS:
            by_transcript[group.parents[0]].append(group)
    dropped: set[int] = set()
    for transcript, members in by_transcript.items():
        rows = [row for group in members for row in group.rows]
        if len(members) < 2 or len(rows) > len(members) or _overlap(rows):
            continue
        context.warn("GFF3-103", rows[0], f"CDS rows of {transcript!r} have an ID each; read as one CDS")
        members[0].rows = rows
        dropped.update(id(group) for group in members[1:])
    return [group for group in groups if id(group) not in dropped]


def _overlap(rows: list[Row]) -> bool:
    ordered = sorted(rows, key=lambda row: row.start)
    return any(row.end > following.start for row, following in pairwise(ordered))


def _ancestors(parents: list[str], by_id: dict[str, Row]) -> list[Row]:
    """The rows named as parents, then the parent of the first of them, its parent, and so on."""
    found = [by_id[parent] for parent in parents if parent in by_id]
    above = found[:1]
    while above:
        above = [by_id[parent] for parent in above[0].values("Parent") if parent in by_id][:1]
        found += above
    return found


def _check_bounds(built: list[tuple[Gene, Row]], context: ReadContext) -> None:
    annotation = context.annotation
    for gene, row in built:
        length_bp = annotation.contig_lengths.get(gene.contig)
        if length_bp is None or gene.contig in annotation.circular or gene.end <= length_bp:
            continue
        message = f"gene {gene.id!r} ends at {gene.end}, behind the end {length_bp} of {gene.contig!r}."
        fix = "Correct ##sequence-region, or add a region row with Is_circular=true."
        raise DataError("GFF3-016", message, where=context.where(row), fix=fix)

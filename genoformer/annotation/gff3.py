"""Read genes from GFF3: CDS rows joined to genes, with what their parents say of them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from genoformer.annotation.gff3_cds import CdsRows, group_cds
from genoformer.annotation.gff3_genes import build_gene, pseudo_gene
from genoformer.annotation.gff3_rows import Contigs, Row, iter_rows
from genoformer.annotation.gff3_tree import GENE_KINDS, FeatureTree, Leaf, ReadContext
from genoformer.annotation.models import Annotation, Gene, most_frequent_codes, order_genes
from genoformer.annotation.rna_rows import RnaRows
from genoformer.annotation.transcript_rows import ROW_KINDS, TranscriptRows
from genoformer.errors import DataError, WarningLog


@dataclass(slots=True)
class _Rows:
    """The rows of one file that matter for genes."""

    tree: FeatureTree
    cds: list[Row] = field(default_factory=list)
    pseudo: list[Row] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    rna: RnaRows = field(default_factory=RnaRows)


def read_gff3(path: Path, warnings: WarningLog, *, sources: Collection[str] = ()) -> Annotation:
    """Genes of a GFF3 file.

    Rows of type CDS with one parent are one gene; without a parent, those with one ID are (see ``gff3_cds``). Ids hold
    within one sequence. A pseudogene without CDS rows gives a gene with ``pseudo=True`` that spans its gene row.
    Sequences behind ``##FASTA`` are not read. Genes of rRNA and tRNA are told apart by ``rna_rows``.

    Exons are those of the transcript that the CDS rows name as parent, its untranslated regions included; of several
    transcripts with the same CDS, those of the one with the most exonic bases. Rows of stop codons are joined to the
    CDS. Where most CDS of one source (column 2) have ``start_codon`` (``stop_codon``) rows, one without lacks that end.

    Args:
        path: Plain or gzip-compressed file.
        warnings: Counts what was repaired or left out.
        sources: Only rows with one of these words in column 2; every row when empty.

    Raises:
        MissingFileError: If there is no such file.
        DataError: With file and line, if the file breaks the format.
    """
    contigs, annotation = Contigs(), Annotation()
    context = ReadContext(path, annotation, warnings)
    rows = _collect_rows(contigs, context, sources)
    annotation.contig_lengths = {**annotation.contig_lengths, **contigs.lengths}
    annotation.named = contigs.named
    ids = {(row.contig, row.id) for row in rows.cds if row.id}
    rows.tree.check([*rows.leaves, *rows.cds], ids)
    built = list(_build(rows, context))
    _check_bounds(built, context)
    if not built and (rows.tree.has_genes() or any(leaf.kind == "exon" for leaf in rows.leaves)):
        text = f"{path}: there are rows of genes, but none of type CDS: no gene is read"
        warnings.add("ANNOTATION-103", text)
    annotation.genes = order_genes(gene for gene, _ in built)
    annotation.genetic_codes = most_frequent_codes(annotation.genes)
    annotation.rna_genes = rows.rna.genes()
    return annotation


def _build(rows: _Rows, context: ReadContext) -> Iterator[tuple[Gene, Row]]:
    """Every gene with one of its rows."""
    groups = group_cds(rows.cds, rows.tree, context)
    transcripts = _transcripts(rows)
    around = [_of_group(group, transcripts) for group in groups]
    sources = [group.rows[0].source for group in groups]
    tell_start, tell_stop = (_telling_sources(sources, around, name) for name in ("starts", "stops"))
    with_cds: set[int] = set()
    for group, source, found in zip(groups, sources, around, strict=True):
        ancestors = rows.tree.ancestors(group.parents)
        with_cds.update(map(id, ancestors))
        gene = build_gene(group, ancestors, found, context)
        gene.assumed_5 = source in tell_start and not (gene.partial_5 or any(each.starts for each in found))
        gene.assumed_3 = source in tell_stop and not (gene.partial_3 or any(each.stops for each in found))
        gene.partial_5 |= gene.assumed_5
        gene.partial_3 |= gene.assumed_3
        yield gene, group.rows[0]
    for row in rows.pseudo:
        if id(row) not in with_cds:
            yield pseudo_gene(row, context), row


def _collect_rows(contigs: Contigs, context: ReadContext, sources: Collection[str]) -> _Rows:
    rows = _Rows(FeatureTree(context))
    for row in iter_rows(context.path, contigs, context.warnings):
        if sources and row.source not in sources:
            continue
        if row.start == 0 and (row.kind in ("region", "chromosome") or "Is_circular" in row.raw):
            _note_contig(row, context)
        rows.rna.add(row)
        if row.kind == "CDS":
            rows.cds.append(row)
        elif row.kind.lower() in ROW_KINDS:
            rows.leaves.append(Leaf.of(row))
        elif row.id:
            rows.tree.add(row)
        elif "Parent" in row.raw:
            rows.leaves.append(Leaf.of(row))
        if row.kind in GENE_KINDS and _is_pseudogene(row):
            rows.pseudo.append(row)
    return rows


def _note_contig(row: Row, context: ReadContext) -> None:
    annotation = context.annotation
    # NCBI marks the row of the whole contig by gbkey=Src; other regions may start at 1, too.
    if row.kind == "chromosome" or row.is_true("Is_circular") or row.value("gbkey") == "Src":
        annotation.contig_lengths.setdefault(row.contig, row.end)
    if row.is_true("Is_circular"):
        annotation.circular.add(row.contig)
    elif row.value("Is_circular").lower() not in ("", "false"):
        text = f"Is_circular must be true or false, found {row.value('Is_circular')!r}, which is not looked at"
        context.warn("GFF3-112", row, text)


def _is_pseudogene(row: Row) -> bool:
    biotype = row.value("gene_biotype") or row.value("biotype")
    if biotype and "pseudogene" not in biotype and biotype != "protein_coding":
        return False  # a pseudo tRNA or rRNA is no broken reading frame
    return row.kind == "pseudogene" or row.is_true("pseudo") or biotype == "pseudogene"


def _transcripts(rows: _Rows) -> dict[int | tuple[str, str], TranscriptRows]:
    """What the rows beside the CDS say, by the row of their parent, or by sequence and name where that is not there."""
    found: dict[int | tuple[str, str], TranscriptRows] = defaultdict(TranscriptRows)
    for leaf in rows.leaves:
        if leaf.kind.lower() in ROW_KINDS:
            for name in leaf.parents:
                parent = rows.tree.parent(leaf, name)
                found[id(parent) if parent is not None else (leaf.contig, name)].add(leaf)
    return found


def _of_group(group: CdsRows, transcripts: dict[int | tuple[str, str], TranscriptRows]) -> list[TranscriptRows]:
    keys = [*map(id, group.parents), *((group.rows[0].contig, name) for name in (*group.names, group.rows[0].id))]
    return [transcripts[key] for key in dict.fromkeys(keys) if key in transcripts]


def _telling_sources(sources: list[str], around: list[list[TranscriptRows]], name: str) -> set[str]:
    """Programs (column 2) that write a row of this kind with most CDS, so that one without it says something."""
    n_all, n_with = Counter(sources), Counter[str]()
    for source, found in zip(sources, around, strict=True):
        n_with[source] += any(getattr(each, name) for each in found)
    return {source for source in n_all if 2 * n_with[source] > n_all[source]}


def _check_bounds(built: list[tuple[Gene, Row]], context: ReadContext) -> None:
    annotation = context.annotation
    for gene, row in built:
        length_bp = annotation.contig_lengths.get(gene.contig)
        if length_bp is None or gene.end <= length_bp or (gene.start < length_bp and gene.end <= 2 * length_bp):
            continue
        message = (
            f"gene {gene.id!r} at {gene.start + 1}..{gene.end} lies behind the end {length_bp} of {gene.contig!r}."
        )
        raise DataError("GFF3-016", message, where=context.where(row), fix="Correct ##sequence-region.")
